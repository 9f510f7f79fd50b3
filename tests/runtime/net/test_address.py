"""Addresses: how they are written, and how they are shown."""

from __future__ import annotations

import pytest

from photon.runtime.errors import AddressError
from photon.runtime.net.address import Address, FdAddress, TcpAddress, UnixAddress, parse_address

GOOD = [
    ("127.0.0.1:8000", TcpAddress("127.0.0.1", 8000), "127.0.0.1:8000", "http://127.0.0.1:8000"),
    ("localhost", TcpAddress("localhost", 8000), "localhost:8000", "http://localhost:8000"),
    ("0.0.0.0:80", TcpAddress("0.0.0.0", 80), "0.0.0.0:80", "http://127.0.0.1:80"),
    (":9000", TcpAddress("", 9000), ":9000", "http://127.0.0.1:9000"),
    ("host:0", TcpAddress("host", 0), "host:0", "http://host:0"),
    ("host:65535", TcpAddress("host", 65535), "host:65535", "http://host:65535"),
    ("host:", TcpAddress("host", 8000), "host:8000", "http://host:8000"),
    ("[::1]:8000", TcpAddress("::1", 8000), "[::1]:8000", "http://[::1]:8000"),
    ("[::1]", TcpAddress("::1", 8000), "[::1]:8000", "http://[::1]:8000"),
    ("::1", TcpAddress("::1", 8000), "[::1]:8000", "http://[::1]:8000"),
    ("[::]:80", TcpAddress("::", 80), "[::]:80", "http://[::1]:80"),
    ("unix:/run/a.sock", UnixAddress("/run/a.sock"), "unix:/run/a.sock", "http+unix://%2Frun%2Fa.sock"),
    ("unix:a.sock", UnixAddress("a.sock"), "unix:a.sock", "http+unix://a.sock"),
    ("fd://3", FdAddress(3), "fd://3", "fd://3"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "address", "shown", "url"), GOOD)
def test_an_address_is_read_and_shown(text: str, address: Address, shown: str, url: str) -> None:
    assert parse_address(text) == address
    assert str(address) == shown
    assert address.url == url
    assert parse_address(shown) == address


def test_the_default_port_may_be_another() -> None:
    assert parse_address("host", default_port=1) == TcpAddress("host", 1)


BAD = [
    ("host:65536", "0 to 65535"),
    ("host:-1", "0 to 65535"),
    ("host:http", "'http'"),
    ("host:8000 ", "0 to 65535"),
    ("host:٣", "0 to 65535"),
    ("[::1", r"\[::1\]:8000"),
    ("[::1]8000", r"\[::1\]:8000"),
    ("unix:", "needs a path"),
    ("fd://", "number of a descriptor"),
    ("fd://three", "number of a descriptor"),
    ("fd://-1", "number of a descriptor"),
]


@pytest.mark.parametrize(("text", "says"), BAD)
def test_what_is_no_address_is_refused_with_the_way_it_is_written(text: str, says: str) -> None:
    with pytest.raises(AddressError, match=says):
        parse_address(text)
