"""The plain case: which header blocks are plain, and heads that are ready to send."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from photon.http.dates import parse_http_date
from photon.http.protocol.fast import KnownFields, ReadyHeads, read_plain_fields
from photon.http.protocol.limits import HeadLimits

LIMITS = HeadLimits()
HOST = b"Host: a\r\n"


@pytest.mark.parametrize(
    ("block", "body_bytes", "keep_alive"),
    [
        (HOST, 0, True),
        (b"HOST:a.b-c_d:80\t\r\n", 0, True),
        (b"host:\r\n", 0, True),
        (HOST + b"Content-Length: 5\r\n", 5, True),
        (b"content-length:\t005 \r\n" + HOST, 5, True),
        (HOST + b"Connection: close\r\n", 0, False),
        (HOST + b"connection:Keep-Alive\r\n", 0, True),
        (HOST + b"X-Host: b\r\nX-Content-Length: c\r\nTE: trailers\r\n", 0, True),
        (HOST + b"X: transfer-encoding: chunked\r\nY: \xff\t\r\nZ:\r\n", 0, True),
    ],
)
def test_a_plain_block(block: bytes, body_bytes: int, keep_alive: bool) -> None:
    fields = read_plain_fields(block + b"\r\n", LIMITS)
    assert fields is not None
    assert (fields.body_bytes, fields.keep_alive) == (body_bytes, keep_alive)
    assert (fields.expects_continue, fields.upgrade) == (False, "")
    assert len(fields.headers.pairs()) == block.count(b"\r\n")


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"X: y\r\n",
        HOST + HOST,
        HOST + b"host: b\r\n",
        b"Host: [::1]\r\n",
        b"Host: a b\r\n",
        b"Host: a:b\r\n",
        b"Host: a@b\r\n",
        b"Host : a\r\n",
        b" Host: a\r\n",
        HOST + b"Content-Length: 5\r\nContent-Length: 5\r\n",
        HOST + b"Content-Length: 5, 5\r\n",
        HOST + b"Content-Length: +5\r\n",
        HOST + b"Content-Length:\r\n",
        HOST + b"Content-Length: 1234567890123456\r\n",
        HOST + b"Transfer-Encoding: chunked\r\n",
        HOST + b"transfer-ENCODING:\r\n",
        HOST + b"Expect: 100-continue\r\n",
        HOST + b"Upgrade: websocket\r\n",
        HOST + b"Connection: close, keep-alive\r\n",
        HOST + b"Connection: upgrade\r\n",
        HOST + b"Connection: close\r\nConnection: close\r\n",
        HOST + b" folded\r\n",
        HOST + b"X\r\n",
        HOST + b": y\r\n",
        HOST + b"X: \x00\r\n",
        HOST + b"X: \x7f\r\n",
        HOST + b"X: y\nZ: w\r\n",
        HOST + b"X: y\rZ: w\r\n",
        HOST + b"X: y\r\n\r\n",
        HOST + b"X: y\r\n" * 100,
    ],
)
def test_a_block_that_is_not_plain(block: bytes) -> None:
    assert read_plain_fields(block + b"\r\n", LIMITS) is None


@pytest.mark.parametrize("line", [b"a" * 30_000, b"x: " + b" " * 30_000 + b"\x00", b"a:b" * 9_000])
def test_no_block_makes_the_pattern_back_track(line: bytes) -> None:
    """It would take minutes, and the suite's time-out would tell."""
    assert read_plain_fields((HOST + line + b"\n") * 3, LIMITS) is None


def test_a_known_block_is_read_once() -> None:
    known = KnownFields(LIMITS)
    block = HOST + b"\r\n"
    assert known.get(block) is None
    fields = known.read(block)
    assert fields is not None
    assert known.get(bytes(bytearray(block))) is fields
    assert known.read(b"X: y\r\n\r\n") is None
    assert known.get(b"X: y\r\n\r\n") is None


def test_what_is_known_is_bounded() -> None:
    known = KnownFields(LIMITS)
    first = HOST + b"X: 0\r\n\r\n"
    for number in range(KnownFields.MOST + 1):
        known.read(HOST + b"X: %d\r\n\r\n" % number)
    assert known.get(first) is None
    long = HOST + b"X: " + b"a" * KnownFields.LONGEST_BYTES + b"\r\n\r\n"
    assert known.read(long) is not None
    assert known.get(long) is None


# Heads...


def test_heads_are_made_once_a_second() -> None:
    expiries: list[Callable[[], None]] = []
    heads = ReadyHeads(expiries.append)
    head = heads[200]["text/plain"]
    assert heads[200]["text/plain"] is head
    assert heads.date in heads[404][None]
    assert len(expiries) == 1
    expiries[0]()
    assert not heads
    assert heads[200]["text/plain"] is not head
    assert len(expiries) == 2


def test_a_head_lacks_nothing_but_the_length() -> None:
    heads = ReadyHeads(lambda expire: None)
    date = heads.date
    assert parse_http_date(date.decode()) is not None
    assert heads[200]["text/plain"] == (
        b"HTTP/1.1 200 OK\r\ndate: %b\r\ncontent-type: text/plain\r\ncontent-length: " % date
    )
    assert heads[404][None] == (b"HTTP/1.1 404 Not Found\r\ndate: %b\r\ncontent-length: " % date)


def test_what_cannot_be_a_head_is_not_remembered() -> None:
    heads = ReadyHeads(lambda expire: None)
    with pytest.raises(ValueError, match="line break"):
        heads[200]["a\r\nb: c"]
    assert not heads[200]
    with pytest.raises(ValueError, match="no status of a response"):
        heads[1000]
    assert 1000 not in heads
