"""Lets one script, and its one connection, through a page's Content-Security-Policy.

Nothing else is let through: a policy that forbids what the page needs shows so in development, too.

Source: CSP Level 3 §6.7.2 (matching of sources, with paths), §6.8 (fall-backs of directives).
"""

from __future__ import annotations

import re

_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:\d{1,5})?")
_OPEN = ("*", "'self'")


def let_through(policy: str, script_url: str, live_url: str, nonce: str) -> str:
    """A policy under which a script and a connection to these URLs are allowed.

    Args: policy: the value of a header, which may hold several with commas between them.
        nonce: that the script's element has.
    """
    return ", ".join(_one(each, script_url, live_url, nonce) for each in policy.split(","))


def origin_of(scheme: str, host: str) -> str:
    """Such as "http://localhost:8000"; "" for a Host that could not stand in a policy."""
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else ""


def _one(policy: str, script_url: str, live_url: str, nonce: str) -> str:
    directives: dict[str, list[str]] = {}
    for directive in policy.split(";"):
        name, *sources = directive.split()[:1] + directive.split()[1:] or [""]
        if name and name.lower() not in directives:  # a second one does not count
            directives[name.lower()] = sources
    if not directives or "sandbox" in directives:
        return policy.strip()
    _allow(directives, ("script-src-elem", "script-src", "default-src"), script_url, nonce)
    _allow(directives, ("connect-src", "default-src"), live_url, "")
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def _allow(directives: dict[str, list[str]], names: tuple[str, ...], url: str, nonce: str) -> None:
    found = next((name for name in names if name in directives), None)
    if found is None:
        return
    sources = directives[found]
    is_strict = "'strict-dynamic'" in sources
    if not is_strict and any(source in _OPEN for source in sources):
        return
    # A nonce would put 'unsafe-inline' out of force.
    if not url and (not nonce or "'unsafe-inline'" in sources):
        return
    added = f"'nonce-{nonce}'" if nonce and (is_strict or not url) else url
    # In the fall-back of others it would let through what is none of ours.
    directives[names[0] if found == "default-src" else found] = [
        *(source for source in sources if source != "'none'"),
        added,
    ]
