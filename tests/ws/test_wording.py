"""What users give to rooms."""

from __future__ import annotations

import enum
from datetime import date
from typing import Any

import msgspec
import pytest

from photon.ws.errors import UnsendableText
from photon.ws.frames import binary_frame, text_frame
from photon.ws.wording import checked_name, frame_of, shown


class Struct(msgspec.Struct):
    day: date


@pytest.mark.parametrize(
    ("message", "frame"),
    [
        ("hé", text_frame("hé")),
        (b"\x00", binary_frame(b"\x00")),
        (bytearray(b"x"), binary_frame(b"x")),
        (memoryview(b"x"), binary_frame(b"x")),
        ({"a": [1]}, text_frame('{"a":[1]}')),
        (Struct(date(2024, 1, 2)), text_frame('{"day":"2024-01-02"}')),
        (None, text_frame("null")),
        (7, text_frame("7")),
    ],
)
def test_messages_become_one_frame(message: object, frame: bytes) -> None:
    assert frame_of(message) == frame


class Kind(enum.Enum):
    A = "a"


def circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (Struct, r"room 'lobby' is a value, and not the class Struct: write Struct\(\.\.\.\)"),
        (Kind, r"not the class Kind: write Kind\(\.\.\.\)"),
        (circle, r"not the function circle: write circle\(\.\.\.\)"),
        (object(), r"room 'lobby' is text, bytes, .* <object .* cannot: it holds an object of the"),
        ({"a": Struct}, r"\{'a': <class .* cannot: it holds a class, and not a value of it; make"),
        ({"a": [len]}, "it holds a function that was not called"),
        ({(1, 2): 3}, "cannot: Only dicts with"),
        (circle(), "nested too deeply, or holds itself"),
        ((n for n in "x"), "an object of the type generator"),
        ([object()] * 1000, "…"),
    ],
)
def test_a_message_that_cannot_be_one_says_why_and_where(message: object, says: str) -> None:
    with pytest.raises(TypeError, match=says) as caught:
        frame_of(message, "lobby")
    assert len(str(caught.value)) < 400


def test_a_message_to_one_member_says_so() -> None:
    with pytest.raises(TypeError, match=r"a message to a member is a value, and not the class"):
        frame_of(Struct)


@pytest.mark.parametrize("message", ["\ud800", {"a": "x\ud800"}])
def test_text_that_utf8_cannot_say(message: object) -> None:
    with pytest.raises(UnsendableText, match=r"lone surrogate .* errors='replace'"):
        frame_of(message)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (7, r"is text, not 7; write str\(\.\.\.\)"),
        (b"x", r"is text, not b'x'; write it \.decode\(\)"),
        ({"text": "hi"}, r"not \{'text': 'hi'\}; it is rooms\.broadcast\(room, message\), in this"),
        (Kind.A, "not <Kind.A: 'a'>; its .name is 'A'"),
        (None, "not None; it is rooms"),
        ("", "1 to 1024 characters, not 0"),
        ("x" * 1025, "not 1025"),
        ("\ud800", "UTF-8"),
    ],
)
def test_names_that_cannot_be(name: object, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        checked_name(name, "rooms.broadcast(room, message)")


class Unspeakable:
    def __repr__(self) -> str:
        raise LookupError


def test_what_is_shown_is_short_whatever_it_is() -> None:
    assert shown("x") == "'x'"
    assert len(shown("x" * 10_000)) == 100
    assert shown(Unspeakable()) == "<Unspeakable>"


def test_names_that_can() -> None:
    for name in ("a", "x" * 1024, "a room/with: everything ☃"):
        assert checked_name(name) == name
