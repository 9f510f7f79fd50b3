"""Types, constraints and functions in words, for people who read lists of them."""

from __future__ import annotations

import inspect
import os
import re
import typing
from functools import cache, partial
from types import UnionType
from typing import Any, Literal, Union

import msgspec

import photon
from photon.binding import shapes
from photon.binding.markers import CONSTRAINTS
from photon.runtime.source import place_of

_HOUSE = os.path.dirname(os.path.dirname(os.path.abspath(photon.__file__))) + os.sep
# Where packages are installed, and where Python's own are.
_LIBRARIES = re.compile(r".*[/\\](?:site-packages|dist-packages|python3\.\d+)[/\\]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LOCAL = "<locals>."
_MOST_CHARS = 60


# Types...


def type_name(annotation: Any) -> str:
    """A type as people write it, `list[Item] | None`, without constraints; "" for no type."""
    base = annotation if isinstance(annotation, str) else shapes.split_annotation(annotation)[0]
    if base is inspect.Parameter.empty:
        return ""
    if base is None or base is type(None):
        return "None"
    if base is ...:
        return "..."
    if isinstance(base, list):  # of Callable[[int], str]
        return f"[{', '.join(map(type_name, base))}]"
    origin, arguments = typing.get_origin(base), typing.get_args(base)
    if origin is Literal:
        return " | ".join(map(repr, arguments))
    if origin in (Union, UnionType):
        return " | ".join(map(type_name, arguments))
    if origin is not None:
        return f"{type_name(origin)}[{', '.join(map(type_name, arguments)) or '()'}]"
    name = getattr(base, "__qualname__", None) or getattr(base, "__name__", None)
    return shortened(str(name or base).rpartition(_LOCAL)[2])


def constraints_of(annotation: Any) -> dict[str, Any]:
    """What holds of values of a type, by the names that `Meta` has for it, such as {"ge": 1}."""
    found: dict[str, Any] = {}
    for member in shapes.members(annotation):
        while True:
            base, notes = shapes.split_annotation(member)
            for note in notes:
                if isinstance(note, msgspec.Meta):
                    found |= _given(note)
            if not notes and not hasattr(base, "__supertype__"):
                break
            member = getattr(base, "__supertype__", base)
    return found


def constraint_words(annotation: Any) -> list[str]:
    """The same for people: [">= 1", "<= 100"], and of a list's elements "each >= 1"."""
    words = _words(constraints_of(annotation))
    if shapes.shape_of(annotation) == "list":
        words += [f"each {word}" for word in _words(constraints_of(shapes.element_of(annotation)))]
    return words


def _given(meta: msgspec.Meta) -> dict[str, Any]:
    given = {name: getattr(meta, name) for name in (*CONSTRAINTS, "tz")}
    return {name: value for name, value in given.items() if value is not None}


_WORDS = {
    "gt": "> {}",
    "ge": ">= {}",
    "lt": "< {}",
    "le": "<= {}",
    "multiple_of": "a multiple of {}",
    "min_length": "length >= {}",
    "max_length": "length <= {}",
    "pattern": "matches {}",
}


def _words(constraints: dict[str, Any]) -> list[str]:
    words = []
    for name, value in constraints.items():
        if name == "tz":
            words.append("with a time zone" if value else "without a time zone")
        else:
            words.append(_WORDS[name].format(shortened(str(value))))
    return words


# Functions and other values...


def function_name(fn: Any) -> str:
    """What a function or a class is known by; of an object that can be called, its class."""
    while isinstance(fn, partial):
        fn = fn.func
    name = getattr(fn, "__qualname__", None) or type(fn).__qualname__
    return str(name).rpartition(_LOCAL)[2]


def function_place(fn: Any) -> str:
    """Where it is written, such as "shop.py:12"; "" when nobody knows.

    What is installed is named as it is imported: "photon/security/basic.py:20".
    """
    while isinstance(fn, partial):
        fn = fn.func
    if isinstance(fn, type):  # it has no line of its own, its __init__ may have
        fn = vars(fn).get("__init__", fn)
    place = place_of(fn)
    return "" if place == "?" or place.startswith("<") else short_place(place)


@cache
def short_place(place: str) -> str:
    """A place without the folder where packages are installed."""
    if place.startswith(_HOUSE):
        return place[len(_HOUSE) :]
    return _LIBRARIES.sub("", place)


def value_name(value: Any) -> str:
    """A function by its name, and an object as it shows itself, or else by its class."""
    own: Any = type(value).__repr__
    is_silent = own is object.__repr__ or isinstance(value, partial)
    if is_silent or hasattr(value, "__qualname__"):
        return function_name(value)
    return shortened(repr_of(value))


def repr_of(value: Any) -> str:
    """`repr(value)` on one line, the same in each process: without addresses."""
    try:
        text = repr(value)
    except Exception:  # it is somebody else's, and only to be looked at
        text = f"<{type(value).__name__}>"
    return _ADDRESS.sub("", " ".join(text.split()))


def shortened(text: str, most: int = _MOST_CHARS) -> str:
    """A text that is cut where it is too long to be read."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
