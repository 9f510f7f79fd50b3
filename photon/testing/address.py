"""URLs taken apart, as far as a client needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import quote, urlencode, urljoin, urlsplit

from photon.http.target import split_target

Params: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
"""Names and values; a list stands for several values, None for none."""

# What may stand in a target as it is: RFC 3986's reserved and unreserved characters, and what is
# encoded already.
_SAFE = "!#$%&'()*+,/:;=?@[]~-._"


class Address(NamedTuple):
    """Where a request goes.

    Attributes:
        host: with its port, if it names one, lower-case.
        target: path and query, percent-encoded.
    """

    scheme: str
    host: str
    target: str

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}"

    @property
    def hostname(self) -> str:
        """The host without its port and without brackets."""
        return urlsplit(self.origin).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.origin).port or (443 if self.scheme == "https" else 80)

    @property
    def path(self) -> str:
        return split_target(self.target)[0]

    def __str__(self) -> str:
        return self.origin + ("" if self.target == "*" else self.target)

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take a whole URL apart.   Raises: ValueError, with the way out."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no URL: it is written http://host/path")
        if "@" in parts.netloc:
            raise ValueError(f"{url!r} has a password in it: send an Authorization header")
        target = parts.path or "/"
        if parts.query:
            target += f"?{parts.query}"
        _ = parts.port  # raises ValueError for one that is none
        return cls(parts.scheme, parts.netloc.lower(), quote(target, safe=_SAFE))

    def at(self, url: str, params: Params | None = None) -> Address:
        """Where `url` is, seen from this base.   Raises: ValueError, with the way out.

        Args: url: a path that begins with a slash, below the base's own; or a whole URL.
        """
        if url.startswith("/"):
            target, _, _ = url.partition("#")
            whole = quote(self.target.rstrip("/") + target, safe=_SAFE)
            address = Address(self.scheme, self.host, whole)
        elif url == "*":
            address = Address(self.scheme, self.host, url)
        elif "://" in url:
            address = Address.parse(url)
        else:
            raise ValueError(f"{url!r} is no path: it begins with a slash, as in {'/' + url!r}")
        query = encode_fields(params) if params else ""
        if not query:
            return address
        mark = "&" if "?" in address.target else "?"
        return address._replace(target=f"{address.target}{mark}{query}")

    def follow(self, location: str) -> Address | None:
        """Where a Location leads from here; None when it is nothing that HTTP can fetch."""
        try:
            return Address.parse(urljoin(str(self), location))
        except ValueError:
            return None


def encode_fields(fields: Params) -> str:
    """Names and values as a query or a form."""
    return urlencode(field_pairs(fields))


def field_pairs(fields: Params) -> list[tuple[str, str]]:
    """Pairs of (name, value); a list gives one for each of its values, None none at all.

    Raises: TypeError, for what is no text, number or list of them.
    """
    pairs = []
    for name, value in fields.items() if isinstance(fields, Mapping) else fields:
        for single in value if isinstance(value, (list, tuple, set, frozenset)) else [value]:
            if single is not None:
                pairs.append((name, _text_of(name, single)))
    return pairs


def _text_of(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # as JSON has it, and what converters take
    if isinstance(value, (bytes, bytearray)):
        return value.decode()
    if isinstance(value, Mapping) or hasattr(value, "read"):
        hint = "files go into files=" if hasattr(value, "read") else "nested values need json="
        raise TypeError(f"the field {name!r} cannot be {type(value).__name__}: {hint}")
    return str(value)
