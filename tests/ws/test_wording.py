"""What users give to rooms."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from photon.ws.errors import UnsendableText
from photon.ws.frames import binary_frame, text_frame
from photon.ws.wording import checked_info, checked_name, frame_of


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


def test_a_message_that_cannot_be_one_says_so() -> None:
    with pytest.raises(TypeError):
        frame_of(object())
    with pytest.raises(UnsendableText):
        frame_of("\ud800")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        (7, "is text, not 7"),
        (b"x", "is text, not b'x'"),
        ("", "1 to 1024 characters, not 0"),
        ("x" * 1025, "not 1025"),
        ("\ud800", "UTF-8"),
    ],
)
def test_names_that_cannot_be(name: object, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        checked_name(name)


def test_names_that_can() -> None:
    for name in ("a", "x" * 1024, "a room/with: everything ☃"):
        assert checked_name(name) == name


@pytest.mark.parametrize(
    ("info", "plain"),
    [
        (None, None),
        ({"name": "Ada", "n": 1}, {"name": "Ada", "n": 1}),
        (Struct(date(2024, 1, 2)), {"day": "2024-01-02"}),
        ({1: (2, 3)}, {"1": [2, 3]}),
    ],
)
def test_info_is_as_json_has_it(info: Any, plain: Any) -> None:
    assert checked_info(info) == plain


def test_info_that_cannot_be_told() -> None:
    with pytest.raises(TypeError, match="told to others as JSON"):
        checked_info({"socket": object()})
    with pytest.raises(TypeError, match="told to others as JSON"):
        checked_info({"n": 1 << 70})
    with pytest.raises(TypeError, match="told to others as JSON"):
        checked_info("\ud800")
    with pytest.raises(ValueError, match="8192 are allowed: name the member"):
        checked_info("x" * 9000)
