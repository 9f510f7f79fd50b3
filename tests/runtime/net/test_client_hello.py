"""The name in ClientHellos of the real OpenSSL, whole, cut and broken."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.runtime.net.client_hello import HelloReader


def asked_name(data: bytes) -> str | None:
    reader = HelloReader()
    name = reader.name(data)
    assert reader.data == data
    return name


def hello(name: str | None, *, fragment: int = 0) -> bytes:
    """What a client begins with.   Args: fragment: bytes of it a record, 0 for one record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    data = outgoing.read()
    if not fragment:
        return data
    message = data[5:]
    pieces = [message[start : start + fragment] for start in range(0, len(message), fragment)]
    return b"".join(data[:3] + len(piece).to_bytes(2, "big") + piece for piece in pieces)


@pytest.mark.parametrize("fragment", [0, 1, 100])
def test_the_name_is_read(fragment: int) -> None:
    assert asked_name(hello("shop.example", fragment=fragment)) == "shop.example"
    assert asked_name(hello("SHOP.example", fragment=fragment)) == "shop.example"


@given(st.lists(st.integers(1, 50), max_size=30), st.sampled_from([0, 1, 100]))
def test_the_name_may_come_in_pieces(sizes: list[int], fragment: int) -> None:
    data = hello("shop.example", fragment=fragment)
    reader = HelloReader()
    for size in sizes:
        piece, data = data[:size], data[size:]
        name = reader.name(piece)
        assert (name == "shop.example") if not data else (name is None)
        if not data:
            return
    assert reader.name(data) == "shop.example"


@pytest.mark.parametrize("name", [None, "127.0.0.1"])
def test_a_client_may_ask_for_none(name: str | None) -> None:
    assert asked_name(hello(name)) == ""


@pytest.mark.parametrize("fragment", [0, 90])
def test_a_hello_that_is_cut_off_is_not_complete(fragment: int) -> None:
    data = hello("shop.example", fragment=fragment)
    assert {asked_name(data[:end]) for end in range(len(data))} == {None}
    assert asked_name(data + b"more") == "shop.example"


def test_thousands_of_small_records_are_read_once_each() -> None:
    record = b"\x16\x03\x01\x00\x01"
    reader = HelloReader()
    assert reader.name(record + b"\x01" + (record + b"\x00") * 3 + (record + b"x") * 10_000) == ""
    reader = HelloReader()
    assert reader.name(record + b"\x01" + record + b"\xff" + (record + b"x") * 10_000) is None
    looked_at = reader._at
    assert reader.name(record) is None
    assert reader._at == looked_at == 10_002 * 6


def test_a_name_that_is_not_ascii_is_none() -> None:
    data = hello("abcdefgh.example").replace(b"abcdefgh", b"abc\xff\xfe\xc3zz")
    assert asked_name(data) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x00",  # an empty record
        b"\x17\x03\x03\x00\x01x",  # no handshake
        b"\x16\x03\x01\x00\x04\x02\x00\x00\x00",  # no ClientHello
        b"\x16\x03\x01\x00\x05\x01\x00\x00\x01x",  # one that is too short
    ],
)
def test_what_is_no_hello_asks_for_nothing(data: bytes) -> None:
    assert asked_name(data) == ""


@given(st.data())
def test_whatever_comes_is_no_error(data: st.DataObject) -> None:
    changed = bytearray(hello("shop.example"))
    for _ in range(data.draw(st.integers(1, 5))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    asked_name(bytes(changed))
    asked_name(b"\x16\x03\x01" + data.draw(st.binary(max_size=200)))
