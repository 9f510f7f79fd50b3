"""Texts as values."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal, NewType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from photon.binding.texts import reader_of, takes_empty

Flag = NewType("Flag", bool)


class Empty(Enum):
    NOTHING = ""


@pytest.mark.parametrize("type_", [str, Any, str | None])
def test_a_text_is_itself(type_: Any) -> None:
    assert reader_of(type_) is None


@pytest.mark.parametrize("type_", [bool, bool | None, Annotated[bool, "note"], Flag])
def test_boxes_and_words(type_: Any) -> None:
    read = reader_of(type_)
    assert read is not None
    assert [read(text) for text in ("on", "YES", "1", "t", "off", "No", "0", "f")] == [
        *[True] * 4,
        *[False] * 4,
    ]
    for text in ("", "2", "onn", "null"):
        with pytest.raises(msgspec.ValidationError):
            read(text)


@given(st.text(max_size=25))
def test_integers_are_read_as_msgspec_reads_them(text: str) -> None:
    read = reader_of(int)
    assert read is not None

    def outcome(read: Any) -> Any:
        try:
            return read(text)
        except msgspec.ValidationError:
            return None

    assert outcome(read) == outcome(lambda text: msgspec.convert(text, int, strict=False))


@pytest.mark.parametrize(
    "type_", [float, float | None, Annotated[float, Meta(ge=0)], float | int, list[float]]
)
def test_numbers_are_finite(type_: Any) -> None:
    read = reader_of(type_)
    assert read is not None
    for text in ("nan", "NaN", "inf", "Infinity", "1e999"):
        with pytest.raises(msgspec.ValidationError):
            read([text] if type_ == list[float] else text)


def test_each_element_of_a_tuple_has_a_type_of_its_own() -> None:
    read = reader_of(tuple[int, str, bool])
    assert read is not None
    assert read(["1", "2", "on"]) == (1, "2", True)
    for texts in (["1", "2"], ["1", "2", "on", "on"], ["a", "2", "on"]):
        with pytest.raises(msgspec.ValidationError):
            read(texts)


@pytest.mark.parametrize(
    ("type_", "is_taken"),
    [
        (str, True),
        (str | None, True),
        (Any, True),
        (int, False),
        (int | None, False),
        (Empty, True),
        (Literal["", "a"], True),
        (Literal["a"], False),
        (int | str, True),
    ],
)
def test_whether_nothing_is_a_value(type_: Any, is_taken: bool) -> None:
    assert takes_empty(type_) is is_taken
