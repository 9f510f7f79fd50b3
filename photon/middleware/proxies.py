"""Who is behind the proxies: the chain of addresses that they wrote down, read from its end.

Each proxy appends the address it was called from. What stands left of the first address that is no
proxy of ours was written by strangers, and is never looked at.

Sources: RFC 7239 (Forwarded); X-Forwarded-For as nginx, HAProxy and the clouds write it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from itertools import islice
from typing import NamedTuple

Address = IPv4Address | IPv6Address

# Longer chains do not occur; a header of 32 KiB has room for 4,000 addresses.
MOST_HOPS = 32

# An address with a port, a zone or an obfuscated port is shorter than this.
_LONGEST_NODE = 100


class Hop(NamedTuple):
    """What one proxy wrote: who called it, by which scheme and host; "" where it did not say."""

    node: str
    scheme: str = ""
    host: str = ""


class TrustedProxies:
    """The addresses of proxies that are believed.

    Args:
        given: addresses and networks, such as "127.0.0.1", "10.0.0.0/8" and "fd00::/8"; "unix" for
            whoever comes by a Unix socket; "*" for whoever connects.
    Raises: ValueError.
    """

    def __init__(self, given: Iterable[str]) -> None:
        networks = [_network(text) for text in given if text not in ("unix", "*")]
        self._networks = tuple(networks)
        self.unix = "unix" in given
        self.any = "*" in given
        # PERF: the same proxies and clients come all the time; reading one anew takes 10 us.
        self._contains = lru_cache(1024)(self._is_inside)
        self._read = lru_cache(1024)(self._read_anew)

    def trust_peer(self, peer: str) -> bool:
        """Whether who is connected is a proxy of ours.   Args: peer: as `Request.peer`."""
        if self.any:
            return True
        if not peer:
            return self.unix
        return self._contains(peer.rpartition(":")[0])

    def read(self, node: str) -> tuple[str, bool] | None:
        """A node of a chain as `host:port`, and whether it is a proxy of ours; None for garbage."""
        return self._read(node) if len(node) <= _LONGEST_NODE else None

    def _read_anew(self, text: str) -> tuple[str, bool] | None:
        node = parse_node(text)
        if node is None:
            return None
        address, port = node
        host = f"[{address}]" if address.version == 6 else str(address)
        return f"{host}:{port}", self._trust(address)

    def _is_inside(self, host: str) -> bool:
        address = parse_address(host)
        return address is not None and self._trust(address)

    def _trust(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def find_client(hops: Iterable[Hop], trusted: TrustedProxies) -> tuple[str | None, Hop | None]:
    """The client at the other end of the proxies.

    Args: hops: the nearest proxy's first; nobody is asked for more of them than it takes.
    Returns: the client's address as `host:port`, with port 0 where nobody said it, and the hop of
    the proxy it called; None where nothing is known. Where a proxy says nothing usable, the
    last address that is known is the client's.
    """
    client, outermost = None, None
    for hop in islice(hops, MOST_HOPS):
        outermost = hop
        read = trusted.read(hop.node)
        if read is None:
            break
        client, is_ours = read
        if not is_ours:
            break
    return client, outermost


# Reading addresses...


def parse_address(text: str) -> Address | None:
    """An IP address, in brackets or not; None for what is none."""
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    if len(text) > _LONGEST_NODE:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A listener for both kinds names IPv4 peers as ::ffff:192.0.2.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_node(text: str) -> tuple[Address, int] | None:
    """Address and port (0 for none) of a node; None for "unknown", for `_names`, and for garbage.

    Source: RFC 7239 §6; X-Forwarded-For has IPv6 addresses without brackets too.
    """
    if len(text) > _LONGEST_NODE:
        return None
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return None
        port = rest[1:]
        if ":" not in host:
            return None
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    if "%" in host:  # a zone means something on one machine only
        return None
    address = parse_address(host)
    if address is None:
        return None
    if port.startswith("_"):  # RFC 7239 §6.3: a port may be obfuscated
        return address, 0
    if port and not (port.isascii() and port.isdecimal() and len(port) <= 5):
        return None
    return address, int(port or 0)


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError as error:
        if "host bits" in str(error):
            raise ValueError(f"{text!r}: write {str(ip_network(text, strict=False))!r}") from None
        raise ValueError(
            f"{text!r} is neither an address nor a network, such as '10.0.0.0/8'; "
            "'unix' stands for Unix sockets, '*' for whoever connects"
        ) from None


# Reading headers...


def x_forwarded_hops(value: str) -> Iterator[Hop]:
    """The addresses of an X-Forwarded-For, from the right."""
    # Bounded, that a header full of commas costs nothing.
    for part in reversed(value.rsplit(",", MOST_HOPS)[-MOST_HOPS:]):
        node = part.strip(" \t")
        if node:
            yield Hop(node)


# An element of the header written backwards: its quoted strings end where they begin. A quote
# without its twin takes in the rest, which is what strangers wrote: from the right, nothing of
# theirs can swallow what our proxies wrote.
_ELEMENT_BACKWARDS = re.compile(r'(?:[^",]++|"[^"]*+(?:"|\Z))++')
_PAIR = re.compile(
    r"[ \t]*+(?P<name>[!#$%&'*+\-.^_`|~0-9A-Za-z]++)="
    r"(?:\"(?P<quoted>[^\"\\]*+)\"|(?P<bare>[^\",;= \t]++))[ \t]*+(?:;|\Z)"
)


def forwarded_hops(value: str) -> Iterator[Hop]:
    """The elements of a Forwarded (RFC 7239 §4), from the right; a broken one says nothing."""
    for match in _ELEMENT_BACKWARDS.finditer(value[::-1]):
        element = match[0][::-1].strip(" \t")
        if element:
            yield _read_element(element)


def _read_element(element: str) -> Hop:
    pairs: dict[str, str] = {}
    at = 0
    # Four parameters are registered, each once; others may be there and are passed over.
    for _ in range(16):
        match = _PAIR.match(element, at)
        if match is None:
            break
        name = match["name"].lower()
        if name in pairs:
            return Hop("")
        pairs[name] = match["quoted"] if match["bare"] is None else match["bare"]
        at = match.end()
    if at != len(element):
        return Hop("")
    return Hop(pairs.get("for", ""), pairs.get("proto", ""), pairs.get("host", ""))


def last_of(headers: Mapping[str, str], name: str) -> str:
    """The last value of a list: what the nearest proxy wrote; "" when there is none."""
    return headers.get(name, "").rpartition(",")[2].strip(" \t")
