"""Types, constraints and functions in words."""

from __future__ import annotations

import datetime
import enum
import inspect
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Generic, Literal, NewType, Optional, TypeVar

import msgspec
import pytest
from msgspec import Meta

from photon.binding.wording import (
    constraint_words,
    constraints_of,
    function_name,
    function_place,
    repr_of,
    short_place,
    shortened,
    type_name,
    value_name,
)
from photon.security.basic import HTTPBasic

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    items: list[T]


class Colour(enum.Enum):
    RED = "red"


Id = NewType("Id", int)
Small = NewType("Small", Annotated[int, Meta(lt=10)])


TYPES = [
    (int, "int"),
    (None, "None"),
    (Any, "Any"),
    (int | None, "int | None"),
    (Optional[int], "int | None"),  # noqa: UP045  # people write it
    (list[Page[int]], "list[Page[int]]"),
    (dict[str, int | str], "dict[str, int | str]"),
    (tuple[int, ...], "tuple[int, ...]"),
    (Literal["a", "b"], "'a' | 'b'"),
    (Annotated[int, Meta(ge=1)], "int"),
    (list[Annotated[int, Meta(ge=1)]], "list[int]"),
    (datetime.datetime, "datetime"),
    (Colour, "Colour"),
    (Id, "Id"),
    (T, "T"),
    (Iterator[bytes], "Iterator[bytes]"),
    (Callable[[int], str], "Callable[[int], str]"),
    ("Later", "Later"),
]


@pytest.mark.parametrize(("annotation", "expected"), TYPES)
def test_a_type_is_written_as_people_do(annotation: Any, expected: str) -> None:
    assert type_name(annotation) == expected


def test_no_annotation_is_no_text_and_a_local_class_has_its_own_name() -> None:
    class Local: ...

    assert type_name(inspect.Parameter.empty) == ""
    assert type_name(Local) == "Local"


CONSTRAINTS = [
    (int, []),
    (Annotated[int, Meta(ge=1, lt=1_000_000)], [">= 1", "< 1000000"]),
    (Annotated[int, Meta(ge=1)] | None, [">= 1"]),
    (
        Annotated[str, Meta(min_length=1, max_length=5, pattern="^a")],
        ["length >= 1", "length <= 5", "matches ^a"],
    ),
    (Annotated[list[int], Meta(max_length=5)], ["length <= 5"]),
    (list[Annotated[float, Meta(multiple_of=0.5)]], ["each a multiple of 0.5"]),
    (Annotated[datetime.datetime, Meta(tz=True)], ["with a time zone"]),
    (Small, ["< 10"]),
]


@pytest.mark.parametrize(("annotation", "expected"), CONSTRAINTS)
def test_constraints_are_told(annotation: Any, expected: list[str]) -> None:
    assert constraint_words(annotation) == expected


def test_constraints_by_name() -> None:
    assert constraints_of(Annotated[int, Meta(ge=1)] | None) == {"ge": 1}


class Silent:
    def __call__(self) -> None: ...


def test_functions_and_objects_have_a_name() -> None:
    def local(x: int) -> None: ...

    assert function_name(local) == "local"
    assert function_name(partial(local, 1)) == "local"
    assert function_name(Page) == "Page"
    assert function_name(Silent()) == "Silent"
    assert value_name(Silent()) == "Silent"
    assert value_name(partial(local, 1)) == "local"
    assert value_name(HTTPBasic()) == "<HTTPBasic 'HTTPBasic'>"


def test_places_of_what_is_installed_are_named_as_it_is_imported() -> None:
    assert function_place(HTTPBasic()).startswith("photon/security/basic.py:")
    assert function_place(HTTPBasic).startswith("photon/security/basic.py:")
    assert function_place(len) == ""
    assert short_place("/x/lib/python3.11/site-packages/lib/a.py:3") == "lib/a.py:3"
    assert short_place("shop.py:3") == "shop.py:3"


class Broken:
    def __repr__(self) -> str:
        raise ValueError


def test_a_repr_is_one_line_the_same_in_each_process() -> None:
    assert repr_of(object()) == "<object object>"
    assert repr_of(Broken()) == "<Broken>"
    assert repr_of("a\nb") == r"'a\nb'"
    assert shortened("x" * 100, 5) == "xxxx…"
