"""All errors of a value: each place, each kind, and the bounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from types import SimpleNamespace
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    TypedDict,
    TypeVar,
)

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from photon.http.validation import (
    MAX_BYTES,
    MAX_CHARS,
    MAX_CHOICES,
    MAX_ERRORS,
    clipped,
    errors_in,
    errors_of,
    failure_of,
)

T = TypeVar("T")
Name = NewType("Name", str)


class Item(Struct):
    name: Annotated[str, Meta(min_length=2)]
    size: int = 0


class Renamed(Struct, rename="camel", forbid_unknown_fields=True):
    first_name: str
    all_items: list[Item] = []


class Cat(Struct, tag_field="kind", tag="cat"):
    lives: int


class Dog(Struct, tag_field="kind", tag="dog", forbid_unknown_fields=True):
    tricks: list[str]


class Row(Struct, array_like=True):
    a: int
    b: str


class Box(Struct, Generic[T]):
    item: T
    items: list[T] = []


class WithRaw(Struct):
    raw: msgspec.Raw
    size: int


@dataclass
class Place:
    street: str
    number: int = 1
    notes: list[str] = field(default_factory=list)
    key: str = field(init=False, default="")


class Account(TypedDict):
    name: str
    age: NotRequired[int]


class Pair(NamedTuple):
    a: int
    b: str


class Color(Enum):
    RED = "red"


class Even(Struct):
    value: int

    def __post_init__(self) -> None:
        if self.value % 2:
            raise ValueError("value is odd")


Loc = tuple[str | int, ...]

CASES: list[tuple[Any, Any, list[Loc]]] = [
    (int, 1, []),
    (int, "1", [()]),
    (Item, {"name": "ab"}, []),
    (Item, {"name": "a", "size": "x"}, [("name",), ("size",)]),
    (Item, {}, [("name",)]),
    (Item, [], [()]),
    (Item, None, [()]),
    (Item | None, {"name": 1}, [("name",)]),
    (Annotated[Item, Meta(title="x")], {"name": 1}, [("name",)]),
    (list[Item], [{"name": "ab"}, 5, {}], [(1,), (2, "name")]),
    (list[Item] | None, [{}], [(0, "name")]),
    (Sequence[int], [1, "a", 2, "b"], [(1,), (3,)]),
    (AbstractSet[int], ["a"], [(0,)]),
    (frozenset[int], ["a", 1], [(0,)]),
    (tuple[int, str], ["a", 1], [(0,), (1,)]),
    (tuple[int, str], [1], [()]),
    (tuple[int, ...], [1, "a"], [(1,)]),
    (dict[str, int], {"a": "x", "b": 1, "c": "y"}, [("a",), ("c",)]),
    (Mapping[str, list[int]], {"a": ["x"]}, [("a", 0)]),
    (dict[int, int], {"1": 1}, []),
    (dict[int, int], {"1": "x"}, [("1",)]),
    (dict[int, int], {"x": 1}, [()]),
    (dict[str, int], [1], [()]),
    (list[int], {"a": 1}, [()]),
    (Renamed, {"firstName": 1, "allItems": [{}]}, [("firstName",), ("allItems", 0, "name")]),
    (Renamed, {"first_name": "a"}, [("firstName",), ("first_name",)]),
    (Cat | Dog, {"kind": "dog", "tricks": [1], "x": 1}, [("tricks", 0), ("x",)]),
    (Cat | Dog, {"kind": "cow"}, [("kind",)]),
    (Cat | Dog, {"kind": 1}, [("kind",)]),
    (Cat | Dog | None, {"lives": "x"}, [()]),
    (Cat | list[int], ["x", "y"], [(0,), (1,)]),
    (Item | list[Item] | None, [{}], [(0, "name")]),
    (Row, [1, 2], [(1,)]),
    (Row, ["a"], [()]),
    (Box[int], {"item": "x", "items": [1, "y"]}, [("item",), ("items", 1)]),
    (Box[Item], {"item": {}}, [("item", "name")]),
    (WithRaw, {"raw": {"a": 1}, "size": "x"}, [("size",)]),
    (Place, {"number": "x", "notes": [1]}, [("street",), ("number",), ("notes", 0)]),
    (Account, {"age": "x"}, [("name",), ("age",)]),
    (Account, {"name": "a"}, []),
    (Account, {"name": 1}, [("name",)]),
    (Pair, ["x", 1], [(0,)]),
    (Color, "blue", [()]),
    (list[Color], ["blue", "red", "green"], [(0,), (2,)]),
    (list[Even], [{"value": 1}, {"value": 2}, {"value": 3}], [(0,), (2,)]),
    (list[Name], [1, "a"], [(0,)]),
    (Any, object(), []),
]


@pytest.mark.parametrize(("type_", "value", "locs"), CASES)
def test_each_place_is_told(type_: Any, value: Any, locs: list[Loc]) -> None:
    assert [tuple(error["loc"]) for error in errors_of(value, type_)] == locs
    prefixed = errors_of(value, type_, ("body", 0))
    assert [tuple(error["loc"]) for error in prefixed] == [("body", 0, *loc) for loc in locs]


@pytest.mark.parametrize(
    ("type_", "value", "kind"),
    [
        (int, "x", "type"),
        (Item, {}, "missing"),
        (Renamed, {"firstName": "a", "x": 1}, "unknown_field"),
        (Annotated[str, Meta(min_length=2)], "a", "length"),
        (Annotated[str, Meta(max_length=2)], "abc", "length"),
        (Annotated[list[int], Meta(max_length=1)], [1, 2], "length"),
        (Annotated[str, Meta(pattern="^a$")], "b", "pattern"),
        (Annotated[int, Meta(ge=2)], 1, "range"),
        (Annotated[float, Meta(lt=2)], 3.0, "range"),
        (Annotated[int, Meta(multiple_of=2)], 1, "range"),
        (Color, "blue", "choice"),
        (Cat | Dog, {"kind": "cow"}, "choice"),
        (Even, {"value": 1}, "value"),
    ],
)
def test_each_error_has_a_kind(type_: Any, value: Any, kind: str) -> None:
    (error,) = errors_of(value, type_)
    assert error["type"] == kind


def test_text_may_be_a_number_where_nobody_is_strict() -> None:
    assert errors_of(["1"], list[int]) != []
    assert errors_of(["1"], list[int], strict=False) == []


# Bounds...


def test_a_hundred_errors_are_enough() -> None:
    assert len(errors_of(["x"] * 1000, list[int])) == MAX_ERRORS


def test_of_what_is_deep_the_first_error_is_told() -> None:
    value = [[["x", "y"], ["z"]]]
    type_ = list[list[list[int]]]
    locs = [tuple(error["loc"]) for error in errors_of(value, type_, depth=2)]
    assert locs == [(0, 0, 0), (0, 1, 0)]
    assert len(errors_of(value, type_)) == 3
    assert [tuple(e["loc"]) for e in errors_of(value, type_, depth=0)] == [(0, 0, 0)]


def fails(data: bytes, type_: Any) -> list[Loc]:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(data, type=type_)
    found = errors_in(data, type_, caught.value, msgspec.json.decode)
    return [tuple(error["loc"]) for error in found]


def test_of_a_large_body_one_error_is_told() -> None:
    small, large = (b'["x", "y", 1' + b" " * n + b"]" for n in (0, MAX_BYTES))
    assert fails(small, list[int]) == [("body", 0), ("body", 1)]
    assert fails(large, list[int]) == [("body", 0)]


def test_a_body_that_is_broken_behind_its_first_error() -> None:
    assert fails(b'{"name": 1, "size": 1e999}', Item) == [("body", "name")]
    assert fails(b'{"name": 1, "x"', Item) == [("body", "name")]
    assert fails(b'{"name": 1, "x": ' + b"[" * 10_000, Item) == [("body", "name")]


def test_a_long_name_is_clipped() -> None:
    long = "x" * 100_000
    (error,) = errors_of({long: "x"}, dict[str, int])
    assert len(error["loc"][0]) == MAX_CHARS
    (error,) = errors_of(long, Color)
    assert len(error["msg"].partition(";")[0]) == MAX_CHARS
    assert clipped("short") == "short"


@pytest.mark.parametrize(
    ("message", "loc"),
    [
        ("Expected `int`, got `str`", ()),
        ("Expected `int`, got `str` - at `$`", ()),
        ("Expected `int`, got `str` - at `$.a[2].b_c`", ("a", 2, "b_c")),
        ("Expected `int`, got `str` - at `$[...]`", ("...",)),
        ("Expected `int`, got `str` - at `key` in `$.a`", ("a",)),
    ],
)
def test_the_place_that_msgspec_names(message: str, loc: Loc) -> None:
    found = failure_of(msgspec.ValidationError(message), ("body",))
    assert found["loc"] == ["body", *loc]
    assert found["msg"] == message.partition(" - at ")[0]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "size", "kind", "item", "a"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values, st.sampled_from([case[0] for case in CASES]))
def test_there_are_errors_exactly_where_it_does_not_fit(value: Any, type_: Any) -> None:
    try:
        msgspec.convert(value, type_, str_keys=True)
    except msgspec.ValidationError:
        assert errors_of(value, type_)
    else:
        assert errors_of(value, type_) == []


# What it may be...


class Room(Enum):
    CELLAR = "cellar"
    HALL = "hall"


class Rank(IntEnum):
    LOW = 1
    HIGH = 2


Many = Enum("Many", {f"M{n}": f"m{n}" for n in range(10_000)})  # type: ignore[misc]


class Say(Struct, tag=True):
    room: Room


class Move(Struct, tag=True):
    x: int


class Nested(Struct):
    what: Say | Move | None = None
    room: Room | None = None


ROOMS = "; it is one of 'cellar', 'hall'"


@pytest.mark.parametrize(
    ("type_", "value", "says"),
    [
        (Room, "Attic", f"Invalid enum value 'Attic'{ROOMS}"),
        (Room | None, "Attic", ROOMS),
        (Rank, 3, "Invalid enum value 3; it is one of 1, 2"),
        (Literal["a", "b"], "c", "; it is one of 'a', 'b'"),
        (Annotated[Room | Literal[3], "note"], "c", "; it is one of 'cellar', 'hall', 3"),
        (list[Room], ["hall", "attic"], ROOMS),
        (dict[Room, int], {"attic": 1}, ROOMS),
        (Nested, {"room": "attic"}, ROOMS),
        (Nested, {"what": {"type": "Say", "room": "attic"}}, ROOMS),
        (Say | Move, {"type": "Jump"}, "Invalid value 'Jump'; it is one of 'Move', 'Say'"),
        (Nested, {"what": {"type": "Jump"}}, "Invalid value 'Jump'; it is one of 'Move', 'Say'"),
        (list[Say | Move], [{"type": "Jump"}], "; it is one of 'Move', 'Say'"),
        (Say, {"type": "Jump", "room": "hall"}, "Invalid value 'Jump'; it is one of 'Say'"),
    ],
)
def test_what_it_may_be_is_told(type_: Any, value: Any, says: str) -> None:
    (error,) = errors_of(value, type_, ("body",))
    assert error["msg"].replace("'Say', 'Move'", "'Move', 'Say'").endswith(says)
    assert error["type"] == "choice"


def test_of_many_choices_some_are_told_behind_a_value_of_any_length() -> None:
    (error,) = errors_of("x" * 1000, Many)
    value, _, choices = error["msg"].partition("; it is one of ")
    assert len(value) == MAX_CHARS
    assert choices == ", ".join(f"'m{n}'" for n in range(MAX_CHOICES)) + ", …"


def test_a_type_without_an_end_has_no_choices() -> None:
    endless: Any = SimpleNamespace()
    endless.__supertype__ = list[endless]
    assert failure_of("Invalid enum value 'x'", (), endless)["msg"] == "Invalid enum value 'x'"
