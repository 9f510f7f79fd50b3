"""Which origins are meant by a list such as `https://example.com`, `https://*.example.com`.

Sources: RFC 6454 §6.2 (how an origin is written), Fetch standard §3.1 (the Origin header).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

# Scheme, host and port; a DNS name has 253 characters at most.
_LONGEST = 300

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.\-]*)://"
    r"(?P<host>\[[0-9a-f:.]+\]|(?:\*\.)?[a-z0-9_\-]+(?:\.[a-z0-9_\-]+)*)"
    r"(?::(?P<port>\*|[0-9]{1,5}))?"
)
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def make_origin_check(
    origins: Iterable[str], pattern: str | re.Pattern[str] | None = None
) -> Callable[[str], bool]:
    """A function that tells whether an Origin header is one of those allowed.

    Browsers write origins in one way, so they are compared as they are, to the letter.

    Args:
        origins: such as "https://example.com"; `*.` stands for one subdomain or more, and `:*`
            for any port; "null" for pages without an origin.
        pattern: a regular expression for the whole of an origin.
    Raises: ValueError, for what no browser would ever send.
    """
    written = [checked_origin(origin) for origin in origins]
    exact = frozenset(origin for origin in written if "*" not in origin)
    expressions = [_as_expression(origin) for origin in written if "*" in origin]
    if pattern is not None:
        expressions.append(_compiled(pattern))
    if not expressions:
        return exact.__contains__

    @lru_cache(1024)
    def is_matched(origin: str) -> bool:
        return any(expression.fullmatch(origin) for expression in expressions)

    def is_allowed(origin: str) -> bool:
        if origin in exact:
            return True
        # Any page can have the origin "null": no pattern shall let it in by chance.
        return len(origin) <= _LONGEST and origin != "null" and is_matched(origin)

    return is_allowed


def checked_origin(origin: str) -> str:
    """An origin as browsers write it.   Raises: ValueError, with the way to write it."""
    if origin == "null":
        return origin
    if not origin.isascii():
        raise ValueError(f"{origin!r}: browsers send the name in ASCII, as {_in_ascii(origin)!r}")
    match = _ORIGIN.fullmatch(origin.lower())
    if match is None:
        raise ValueError(f"{origin!r} is no origin: {_why(origin)}")
    scheme, host, port = match["scheme"], match["host"], match["port"]
    if port is not None and port == _DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}"  # RFC 6454 §6.2 leaves it out
    return match[0]


def _why(origin: str) -> str:
    if "://" not in origin:
        return f"write it with its scheme, as in 'https://{origin.strip('/')}'"
    scheme, _, rest = origin.partition("://")
    host, slash, _ = rest.partition("/")
    if slash:
        return f"it has no path; write '{scheme}://{host}'"
    if "*" in host:
        return "`*` stands only for subdomains or a port, as in 'https://*.example.com:*'"
    return "write scheme, host and perhaps port, as in 'https://example.com:8443'"


def _in_ascii(origin: str) -> str:
    scheme, _, host = origin.rpartition("://")
    try:
        return f"{scheme}://{host.encode('idna').decode()}"
    except UnicodeError:
        return "https://xn--..."


def _as_expression(origin: str) -> re.Pattern[str]:
    expression = re.escape(origin)
    # One label or more. A label holds no dot, so there is one way only to match, or to fail.
    expression = expression.replace(r"://\*\.", r"://(?:[a-z0-9_\-]+\.)+")
    return re.compile(re.sub(r":\\\*\Z", r"(?::[0-9]{1,5})?", expression))


def _compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
