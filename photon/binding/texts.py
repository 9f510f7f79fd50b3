"""Texts of a request as values: what stands in a path, a query, a header, a cookie or a form.

msgspec does it; what it does not know of is what people write in URLs and browsers in forms: "on"
for a box that is ticked, and nothing at all for a number that was left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import msgspec

from photon.binding import shapes

Read = Callable[[Any], Any]
"""A text, or a list of them, as a value.   Raises: msgspec.ValidationError."""

# HTML's value of a ticked box, and the words of YAML 1.1 and of pydantic.
_BOOLS = {
    **dict.fromkeys(("true", "1", "on", "yes", "t", "y"), True),
    **dict.fromkeys(("false", "0", "off", "no", "f", "n"), False),
}


def reader_of(annotation: Any) -> Read | None:
    """What reads a text as a value of the type; None when the text is the value."""
    type_ = shapes.without_none(annotation)
    if type_ is str or type_ is Any:
        return None
    if type_ is int:
        return _read_int
    if shapes.bare(type_) is bool:
        return _read_bool
    if shapes.shape_of(type_) == "list":
        return _list_reader(type_)
    if any(shapes.bare(member) is float for member in shapes.members(type_)):
        return _float_reader(type_)
    return _reader(type_)


def takes_empty(annotation: Any) -> bool:
    """Whether the empty text is a value of the type, and not just nothing."""
    if any(shapes.bare(member) in (str, Any) for member in shapes.members(annotation)):
        return True
    try:
        msgspec.convert("", shapes.without_none(annotation), strict=False)
    except (msgspec.ValidationError, TypeError):
        return False
    return True  # such as of Literal["", "all"]


def _reader(type_: Any) -> Read:
    convert = msgspec.convert

    def read(text: Any) -> Any:
        return convert(text, type_, strict=False)

    return read


def _read_int(text: Any) -> int:
    # PERF: 0.1 us, where msgspec.convert takes 0.2; for what it cannot take it finds the words.
    if text.__class__ is str and len(text) < 19 and text.isdecimal() and text.isascii():
        return int(text)
    return msgspec.convert(text, int, strict=False)


def _read_bool(text: Any) -> bool:
    if isinstance(text, str):
        known = _BOOLS.get(text.lower())
        if known is not None:
            return known
    return msgspec.convert(text, bool, strict=False)


def _float_reader(type_: Any) -> Read:
    convert = msgspec.convert

    def read(text: Any) -> Any:
        value = convert(text, type_, strict=False)
        # JSON has no such numbers either: an answer that repeats them could not be sent.
        if isinstance(value, float) and not math.isfinite(value):
            raise msgspec.ValidationError("Expected a number that is finite")
        return value

    return read


def _list_reader(type_: Any) -> Read:
    readers = [reader_of(element) for element in shapes.elements_of(type_)]
    convert = msgspec.convert

    def read(texts: list[Any]) -> Any:
        # What is more than a tuple has is read as its last, and refused with all of it.
        of_each = chain(readers, repeat(readers[-1]))
        values = [
            text if read_element is None else _element(read_element, index, text)
            for index, (text, read_element) in enumerate(zip(texts, of_each, strict=False))
        ]
        return convert(values, type_, strict=False)

    return read


def _element(read: Read, index: int, text: str) -> Any:
    try:
        return read(text)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{error} - at `$[{index}]`") from None
