"""The chunked coding: where a chunk begins and ends, and how much may stand around it."""

from __future__ import annotations

import pytest

from photon.http.errors import ProtocolError
from photon.http.protocol.chunked import ChunkedReader, State


def read(*pieces: bytes) -> tuple[list[bytes], bytes, State]:
    """The pieces of the body, what was left over, and the state."""
    reader = ChunkedReader()
    body: list[bytes] = []
    buffer = b""
    for piece in pieces:
        buffer += piece
        used = 1
        while used:  # one call gives a bounded number of pieces
            got, used = reader.read(buffer)
            body += got
            buffer = buffer[used:]
    return body, buffer, reader.state


@pytest.mark.parametrize(
    ("data", "body", "left", "state"),
    [
        (b"", [], b"", State.SIZE),
        (b"3", [], b"3", State.SIZE),
        (b"3\r", [], b"3\r", State.SIZE),
        (b"3;a=b\r", [], b"3;a=b\r", State.SIZE),
        (b"3\r\n", [], b"", State.DATA),
        (b"3\r\nab", [b"ab"], b"", State.DATA),
        (b"3\r\nabc", [b"abc"], b"", State.DATA_END),
        (b"3\r\nabc\r", [b"abc"], b"\r", State.DATA_END),
        (b"3\r\nabc\r\n", [b"abc"], b"", State.SIZE),
        (b"3\r\nabc\r\n1\r\nd\r\n", [b"abc", b"d"], b"", State.SIZE),
        (b"0\r\n", [], b"", State.TRAILER),
        (b"0\r\na: b", [], b"a: b", State.TRAILER),
        (b"0\r\na: b\r\n", [], b"", State.TRAILER),
        (b"0\r\n\r\n", [], b"", State.DONE),
        (b"0\r\n\r\nGET", [], b"GET", State.DONE),
        (b"0\r\na: b\r\n\r\n\r\n", [], b"\r\n", State.DONE),
        (b"fffffffffffffff\r\nabc", [b"abc"], b"", State.DATA),
    ],
)
def test_it_knows_where_it_is(data: bytes, body: list[bytes], left: bytes, state: State) -> None:
    assert read(data) == (body, left, state)
    joined, *rest = read(*(data[at : at + 1] for at in range(len(data))))
    assert (b"".join(joined), *rest) == (b"".join(body), left, state)


def test_nothing_is_read_after_the_end() -> None:
    reader = ChunkedReader()
    reader.read(b"0\r\n\r\n")
    assert reader.read(b"3\r\nabc\r\n") == ([], 0)


@pytest.mark.parametrize(("length", "rule"), [(256, None), (270, None), (271, "chunk-extension")])
def test_how_long_an_extension_may_be(length: int, rule: str | None) -> None:
    line = b"3;" + b"a" * (length - 1)
    for pieces in ([line + b"\r\n"], [line, b"\r\n"]):
        if rule is None:
            assert read(*pieces)[2] is State.DATA
        else:
            with pytest.raises(ProtocolError) as refused:
                read(*pieces)
            assert refused.value.rule == rule


def test_many_chunks_are_no_fault() -> None:
    body, _, state = read(b"1\r\na\r\n" * 10_000 + b"0\r\n\r\n")
    assert (len(body), state) == (10_000, State.DONE)


def test_what_stands_around_the_data_is_paid_for_by_the_data() -> None:
    extended = b";a=" + b"b" * 200 + b"\r\n"
    fair = b"64" + extended + b"c" * 100 + b"\r\n"
    assert len(read(fair * 1_000)[0]) == 1_000
    unfair = b"1" + extended + b"c\r\n"
    with pytest.raises(ProtocolError) as refused:
        read(*[unfair] * 1_000)
    assert refused.value.rule == "chunk-extension"


@pytest.mark.parametrize(
    ("trailer", "rule"),
    [
        (b"a: " + b"b" * 8_000 + b"\r\n\r\n", None),
        (b"a: " + b"b" * 8_200 + b"\r\n\r\n", "trailer-too-large"),
        (b"a: b\r\n" * 1_300 + b"\r\n", None),
        (b"a: b\r\n" * 1_400 + b"\r\n", "trailer-too-large"),
    ],
)
def test_how_large_a_trailer_section_may_be(trailer: bytes, rule: str | None) -> None:
    if rule is None:
        assert read(b"0\r\n", trailer)[2] is State.DONE
        return
    with pytest.raises(ProtocolError) as refused:
        read(b"0\r\n", trailer)
    assert refused.value.rule == rule
    assert refused.value.status == 431


def test_a_drip_is_not_kept() -> None:
    reader = ChunkedReader()
    reader.read(b"100000\r\n")
    for _ in range(1_000):
        assert reader.read(b"a") == ([b"a"], 1)
