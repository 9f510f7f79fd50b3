"""The host of a request, as it stands in `Host`, taken apart."""

from __future__ import annotations

import re
from ipaddress import IPv6Address

# A DNS name has 253 characters, a port five.
LONGEST_HOST = 262

# RFC 3986 §3.2.2 has room for more, such as quotes; no host is called so, and in a page that is
# not careful they would do harm. Django's rule, and the underscore, which some do have.
_HOST = re.compile(
    r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_\-]+(?:\.[A-Za-z0-9_\-]+)*\.?)(?::(?P<port>[0-9]{0,5}))?"
)


def split_host(host: str) -> tuple[str, str] | None:
    """Name and port of a host; None for what is none.

    Returns: the name in lower case and without the root's dot, an IPv6 address in brackets and
    in its shortest form; the port as it is written, "" for none.
    """
    match = _HOST.fullmatch(host) if len(host) <= LONGEST_HOST else None
    if match is None:
        return None
    name, port = match["name"].lower(), match["port"] or ""
    if name.startswith("["):
        try:
            name = f"[{IPv6Address(name[1:-1]).compressed}]"
        except ValueError:
            return None
    elif name.endswith("."):
        name = name[:-1]  # "example.com." is the same host, said to be complete
    return name, port
