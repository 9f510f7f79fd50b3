"""Frames as bytes: headers, masks, and what is written."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.ws.errors import UnsendableText
from photon.ws.frames import (
    CLOSE,
    INCOMPLETE,
    ODD,
    binary_frame,
    control_frame,
    scan,
    text_frame,
    turned,
    unmask,
)
from tests.ws.frames import MASK, length_of

# (bytes behind the first one, what it says)
HEADERS: list[tuple[bytes, int]] = [
    (b"", INCOMPLETE),
    (b"\x80", INCOMPLETE),
    (b"\x80" + MASK[:3], INCOMPLETE),
    (b"\x80" + MASK, 0),
    (b"\xfd" + MASK, 125),
    (b"\xfe", INCOMPLETE),
    (b"\xfe\x00", INCOMPLETE),
    (b"\xfe\x00\x7d", ODD),
    (b"\xfe\x00\x7e", INCOMPLETE),
    (b"\xfe\x00\x7e" + MASK[:3], INCOMPLETE),
    (b"\xfe\x00\x7e" + MASK, 126),
    (b"\xfe\xff\xff" + MASK, 65535),
    (length_of(65535, 64), ODD),
    (length_of(65536, 64)[:-1], INCOMPLETE),
    (length_of(65536, 64), INCOMPLETE),
    (length_of(65536, 64) + MASK, 65536),
    (length_of((1 << 63) - 1, 64) + MASK, (1 << 63) - 1),
    (length_of(1 << 63, 64), ODD),
    (b"\x00", ODD),
    (b"\x7f", ODD),
]


@pytest.mark.parametrize(("header", "length"), HEADERS)
@pytest.mark.parametrize("before", [b"", b"before"])
def test_what_a_header_says(header: bytes, length: int, before: bytes) -> None:
    data = before + b"\x81" + header
    said, start = scan(data, len(before))
    assert said == length
    if said >= 0:
        assert start == len(data)
        assert scan(data + b"payload", len(before)) == (said, start)


@given(st.binary(max_size=70) | st.sampled_from([1023, 1024, 1025, 5000]).map(os.urandom))
def test_unmasking_is_xor(payload: bytes) -> None:
    mask = b"\x37\xfa\x00\xff"
    expected = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    assert unmask(payload, mask) == expected
    assert unmask(expected, mask) == payload


@pytest.mark.parametrize("size", [10, 3000])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 7])
def test_unmasking_in_two_pieces(size: int, at: int) -> None:
    payload = os.urandom(size)
    pieces = unmask(payload[:at], MASK) + unmask(payload[at:], turned(MASK, at))
    assert pieces == unmask(payload, MASK)


@pytest.mark.parametrize(
    ("length", "header"),
    [
        (0, b"\x00"),
        (125, b"\x7d"),
        (126, b"\x7e\x00\x7e"),
        (65535, b"\x7e\xff\xff"),
        (65536, b"\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_what_is_written(length: int, header: bytes) -> None:
    assert text_frame("x" * length) == b"\x81" + header + b"x" * length
    assert binary_frame(b"x" * length) == b"\x82" + header + b"x" * length


def test_a_view_is_measured_in_bytes() -> None:
    view = memoryview(b"12345678").cast("I")
    assert binary_frame(view) == b"\x82\x0812345678"
    assert binary_frame(memoryview(b"123456")[::2]) == b"\x82\x03135"


def test_a_control_frame_is_short() -> None:
    assert control_frame(CLOSE, b"x" * 125) == b"\x88\x7d" + b"x" * 125
    with pytest.raises(ValueError, match="send it as a message"):
        control_frame(CLOSE, b"x" * 126)


def test_text_that_is_none() -> None:
    with pytest.raises(UnsendableText, match="decode with errors='replace'"):
        text_frame("\udcff")
