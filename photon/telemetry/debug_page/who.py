"""Who may see what a debug page shows: this machine, and the private network it is in.

A page with source and values in it is for whoever develops, and a development server gets seen by
others more easily than one thinks: by a tunnel or a proxy (whose own address is a local one, so
those it names are looked at, too), by a name on the internet that was made to point to 127.0.0.1
(DNS rebinding: so the name is looked at), by a script of another site (so its origin is).
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from photon.http.request import Request

HOSTS_VARIABLE = "PHOTON_DEV_HOSTS"
"""Names, with commas between them, by which the page may be asked for beside local ones."""

# What a local network resolves, and what nobody can register (RFC 6761, RFC 6762, RFC 8375).
_LOCAL_SUFFIXES = ("localhost", "local", "test", "internal", "home.arpa", "lan", "example")
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip")


def why_not(request: Request) -> str:
    """Why the client of a request must not see a debug page; "" when it may."""
    link = request._link
    peer = link.peer if link is not None else ""
    if peer and not is_near(_host_of(peer)):
        return f"the client {peer} is not of this machine or its private network"
    for name in _FORWARDED:
        for address in _addresses(name, request.headers.get(name, "")):
            if not is_near(address):
                return f"a proxy sent it on for {address[:60]!r}, not of a private network"
    host = _host_of(request.headers.get("host", ""))
    if not is_local_name(host):
        return f"it was asked for as {host[:60]!r}, which is no local name"
    origin = request.headers.get("origin", "")
    if origin and not is_local_name(urlsplit(origin).hostname or "null."):
        return f"a page of {origin[:60]!r} asked for it"
    return ""


def is_near(address: str) -> bool:
    """Whether an address is of this machine or of a private network."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(mapped.is_loopback or mapped.is_private or mapped.is_link_local)


def is_local_name(host: str) -> bool:
    """Whether a host is named as nobody on the internet can have his own named."""
    if not host:
        return True
    host = host.lower().rstrip(".") if host != "null." else host
    try:
        return is_near(host) or bool(ip_address(host))
    except ValueError:
        pass
    allowed = os.environ.get(HOSTS_VARIABLE, "").lower().split(",")
    return (
        "." not in host
        or host in allowed
        or host.rpartition(".")[2] in _LOCAL_SUFFIXES
        or host.endswith(".home.arpa")
    )


def _host_of(text: str) -> str:
    """The host of `host:port`, `[v6]:port`, or of a lone one."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0] if text.count(":") == 1 else text


def _addresses(name: str, value: str) -> list[str]:
    found = []
    for element in value.split(","):
        if name != "forwarded":
            found.append(_host_of(element.strip()))
            continue
        for pair in element.split(";"):
            key, _, given = pair.strip().partition("=")
            if key.lower() == "for":
                found.append(_host_of(given.strip().strip('"')))
    return [address for address in found if address]
