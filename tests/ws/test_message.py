"""Messages put together of pieces."""

from __future__ import annotations

import pytest

from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import UNFINISHED
from photon.ws.message import BinaryMessage, DroppedMessage, TextMessage


def test_binary() -> None:
    message = BinaryMessage(5)
    message.add(b"ab")
    message.add(b"")
    message.add(b"\xffde")
    assert message.finish() == b"ab\xffde"


def test_text_with_characters_in_two_pieces() -> None:
    message = TextMessage(100)
    for byte in "κόσμε 𐍈".encode():
        message.add(bytes((byte,)))
    assert message.finish() == "κόσμε 𐍈"


@pytest.mark.parametrize("kind", [TextMessage, BinaryMessage])
def test_one_byte_too_much(kind: type[BinaryMessage]) -> None:
    message = kind(5)
    message.add(b"abcde")
    with pytest.raises(WebSocketProtocolError, match=r"1009 .*over 5 bytes"):
        message.add(b"f")


def test_text_that_cannot_become_text_any_more() -> None:
    message = TextMessage(100)
    message.add(b"\xf4")
    with pytest.raises(WebSocketProtocolError, match=r"1007 .*not UTF-8: invalid continuation"):
        message.add(b"\x90")


def test_text_that_ends_within_a_character() -> None:
    message = TextMessage(100)
    message.add(b"\xf4\x8f")
    with pytest.raises(WebSocketProtocolError, match=r"1007 .*unexpected end"):
        message.finish()


def test_what_is_dropped_has_no_limit_and_no_end() -> None:
    message = DroppedMessage()
    message.add(b"\xff" * 10_000)
    assert message.finish() is UNFINISHED
