"""What is sent, byte for byte."""

from __future__ import annotations

import pytest

from photon.ws.errors import InvalidCloseCode, UnsendableText
from photon.ws.states import State
from photon.ws.writer import Writer


def test_a_long_reason_is_cut_between_characters() -> None:
    data = Writer(None).close(1000, "é" * 100)
    assert data == b"\x88\x7c\x03\xe8" + "é".encode() * 61


def test_a_reason_that_is_no_text_is_sent_as_far_as_it_is() -> None:
    assert Writer(None).close(1000, "a\ud800b") == b"\x88\x05\x03\xe8a?b"


@pytest.mark.parametrize("code", [0, 999, 1004, 1006, 1015, 2000, 2999, 5000, "1000", None])
def test_codes_that_may_not_be_sent(code: int) -> None:
    writer = Writer(None)
    with pytest.raises(InvalidCloseCode, match="use 1000 to 1003"):
        writer.close(code)
    assert writer.state is State.OPEN


def test_a_close_frame_without_a_code() -> None:
    assert Writer(None).close(1005) == b"\x88\x00"


# Messages and signals...


def test_what_is_sent() -> None:
    writer = Writer(None)
    assert writer.text("Hello") == b"\x81\x05Hello"
    assert writer.text("é" * 63) == b"\x81\x7e\x00\x7e" + "é".encode() * 63
    assert writer.text("") == b"\x81\x00"
    assert writer.binary(b"x" * 65536) == b"\x82\x7f" + (65536).to_bytes(8, "big") + b"x" * 65536
    assert writer.binary(bytearray(b"x")) == b"\x82\x01x"
    assert writer.ping(b"p") == b"\x89\x01p"
    assert writer.ping() == b"\x89\x00"
    assert writer.pong(b"x" * 125) == b"\x8a\x7d" + b"x" * 125


def test_what_cannot_be_sent() -> None:
    writer = Writer(None)
    with pytest.raises(UnsendableText, match=r"lone surrogate \('\\ud800' at index 1\)"):
        writer.text("a\ud800")
    with pytest.raises(TypeError, match="a text message is a str, not bytes"):
        writer.text(b"a")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"a binary message is bytes.* not str"):
        writer.binary("a")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="holds at most 125 bytes, and this has 126"):
        writer.ping(b"x" * 126)
