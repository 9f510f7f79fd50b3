"""Types as schemas: what msgspec reads and writes is what the schema lets through."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct
from openapi_schema_validator import OAS31Validator

from photon.http.response import encode_json
from photon.openapi.schema import Schemas, Undescribable

T = TypeVar("T")


class Color(enum.Enum):
    """What it looks like."""

    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Cat(Struct, tag=True):
    """An animal.

    It has nine lives.
    """

    lives: int
    mother: Cat | None = None


class Dog(Struct, tag=True):
    name: str


class One(Struct, tag=1):
    x: int


class Two(Struct, tag=2):
    x: int


class Page(Struct, Generic[T]):
    items: list[T]


@dataclass
class Point:
    x: int
    y: float = 0.5


class Options(TypedDict, total=False):
    deep: bool


class Pair(NamedTuple):
    key: str
    value: int = 0


class Row(Struct, array_like=True, forbid_unknown_fields=True):
    id: int
    name: str = ""


class Strict(Struct, forbid_unknown_fields=True, rename="camel"):
    first_name: str


class Money:
    """Nothing that msgspec knows."""


def schema(type_: Any) -> dict[str, Any]:
    return Schemas().schema_of(type_)


def component(type_: Any, **more: Any) -> dict[str, Any]:
    schemas = Schemas(**more)
    reference = schemas.schema_of(type_)
    found: dict[str, Any] = schemas.components()[reference["$ref"].rpartition("/")[2]]
    return found


PLAIN: list[tuple[Any, dict[str, Any]]] = [
    (Any, {}),
    (msgspec.Raw, {}),
    (None, {"type": "null"}),
    (bool, {"type": "boolean"}),
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (bytes, {"type": "string", "format": "byte", "contentEncoding": "base64"}),
    (date, {"type": "string", "format": "date"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (
        Annotated[datetime, Meta(tz=False)],
        {"type": "string", "format": "date-time-local"},
    ),
    (Annotated[time, Meta(tz=True)], {"type": "string", "format": "time"}),
    (timedelta, {"type": "string", "format": "duration"}),
    (UUID, {"type": "string", "format": "uuid"}),
    (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    (Literal["b", "a"], {"type": "string", "enum": ["a", "b"]}),
    (Literal["a", None], {"type": ["null", "string"], "enum": [None, "a"]}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (list, {"type": "array", "items": {}}),
    (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (
        tuple[int, str],
        {
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "items": False,
        },
    ),
    (dict, {"type": "object", "additionalProperties": {}}),
    (Mapping[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (
        dict[int, str],
        {
            "type": "object",
            "propertyNames": {"pattern": "^-?(0|[1-9][0-9]*)$"},
            "additionalProperties": {"type": "string"},
        },
    ),
    (
        dict[Level, str],
        {
            "type": "object",
            "propertyNames": {"enum": ["1", "2"]},
            "additionalProperties": {"type": "string"},
        },
    ),
    (
        dict[UUID, Any],
        {"type": "object", "propertyNames": {"format": "uuid"}, "additionalProperties": {}},
    ),
    (
        Annotated[int, Meta(ge=1, lt=9, multiple_of=2)],
        {"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2},
    ),
    (
        Annotated[str, Meta(min_length=1, max_length=3, pattern="^a")],
        {"type": "string", "minLength": 1, "maxLength": 3, "pattern": "^a"},
    ),
    (
        Annotated[list[int], Meta(max_length=3)],
        {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
    ),
    (
        Annotated[str, Meta(title="T", description="D", examples=["x"])],
        {"type": "string", "title": "T", "description": "D", "examples": ["x"]},
    ),
    (
        Annotated[str, Meta(extra_json_schema={"format": "email", "type": ["string"]})],
        {"type": ["string"], "format": "email"},
    ),
    (Annotated[Money, Meta(extra_json_schema={"type": "string"})], {"type": "string"}),
]


@pytest.mark.parametrize(("type_", "expected"), PLAIN, ids=str)
def test_the_schema_of_a_type(type_: Any, expected: dict[str, Any]) -> None:
    assert schema(type_) == expected


def test_decimals_are_read_from_both_and_written_as_numbers() -> None:
    validator = OAS31Validator(schema(Decimal))
    for good in (1, 1.5, "1.5", "-2", "1e5", ".5"):
        validator.validate(good)
        msgspec.json.decode(msgspec.json.encode(good), type=Decimal)
    for bad in ("x", "", "1.5.", None, "0x1"):
        assert not validator.is_valid(bad)
    validator.validate(msgspec.json.decode(encode_json(Decimal("1.10"))))


def test_a_struct_is_a_component() -> None:
    assert component(Strict) == {
        "title": "Strict",
        "type": "object",
        "properties": {"firstName": {"type": "string"}},
        "required": ["firstName"],
        "additionalProperties": False,
    }


def test_a_recursive_struct_with_a_tag_and_a_docstring() -> None:
    assert component(Cat) == {
        "title": "Cat",
        "description": "An animal.\n\nIt has nine lives.",
        "type": "object",
        "properties": {
            "type": {"type": "string", "const": "Cat"},
            "lives": {"type": "integer"},
            "mother": {
                "anyOf": [{"$ref": "#/components/schemas/Cat"}, {"type": "null"}],
                "default": None,
            },
        },
        "required": ["type", "lives"],
    }


def test_a_dataclass_has_no_docstring_that_python_made() -> None:
    assert component(Point) == {
        "title": "Point",
        "type": "object",
        "properties": {"x": {"type": "integer"}, "y": {"type": "number", "default": 0.5}},
        "required": ["x"],
    }


def test_nothing_required_is_not_said() -> None:
    assert "required" not in component(Options)


@pytest.mark.parametrize("kind", [Pair, Row])
def test_what_is_an_array_in_json(kind: Any) -> None:
    made = component(kind)
    assert (made["type"], made["minItems"], made["maxItems"]) == ("array", 1, 2)
    assert len(made["prefixItems"]) == 2


def test_enums_have_a_type_and_their_order() -> None:
    assert component(Color) == {
        "title": "Color",
        "description": "What it looks like.",
        "type": "string",
        "enum": ["red", "blue"],
    }
    assert component(Level) == {"title": "Level", "type": "integer", "enum": [1, 2]}


def test_tagged_unions_are_told_apart_by_a_discriminator() -> None:
    schemas = Schemas()
    made = schemas.schema_of(Cat | Dog)
    either = schemas.schema_of(list[Cat | Dog | None])
    schemas.components()
    cat, dog = "#/components/schemas/Cat", "#/components/schemas/Dog"
    tagged = {
        "oneOf": [{"$ref": cat}, {"$ref": dog}],
        "discriminator": {"propertyName": "type", "mapping": {"Cat": cat, "Dog": dog}},
    }
    assert made == tagged
    assert either["items"] == {"anyOf": [tagged, {"type": "null"}]}


def test_numbers_as_tags_are_no_discriminator() -> None:
    assert list(schema(One | Two)) == ["oneOf"]


class Defaults(Struct):
    at: datetime = datetime(2024, 1, 2)
    price: Decimal = Decimal("1.50")
    color: Color = Color.RED
    data: bytes = b"\xff"
    point: Point = msgspec.field(default_factory=lambda: Point(1))
    many: list[int] = msgspec.field(default_factory=list)
    limit: float = math.inf
    limits: tuple[float, ...] = (1.0, math.nan)
    raw: msgspec.Raw = msgspec.Raw(b"[1]")
    own: Annotated[Any, Meta(description="x")] = Money()
    unset: int | msgspec.UnsetType = msgspec.UNSET


def test_defaults_are_values_of_json_or_not_there() -> None:
    fields = component(Defaults)["properties"]
    assert {name: f["default"] for name, f in fields.items() if "default" in f} == {
        "at": "2024-01-02T00:00:00",
        "price": 1.5,
        "color": "red",
        "data": "/w==",
        "many": [],
        "raw": [1],
    }
    assert fields["unset"] == {"type": "integer"}


# Names...


def local(name: str, module: str = __name__) -> type[Struct]:
    return msgspec.defstruct(name, [("x", int)], module=module)


def names_of(*types: Any) -> list[str]:
    schemas = Schemas()
    made = [schemas.schema_of(each) for each in types]
    schemas.components()
    return [reference["$ref"].removeprefix("#/components/schemas/") for reference in made]


def test_generic_classes_have_names_that_may_stand_in_a_document() -> None:
    assert names_of(Page[int], Page[list[str]], Page[Cat | None], Page[Page[int]]) == [
        "Page_int",
        "Page_list_str",
        "Page_Cat_or_NoneType",
        "Page_Page_int",
    ]


def test_two_classes_of_one_name_get_their_modules() -> None:
    a, b, alone = local("Item", "shop.a"), local("Item", "shop.b"), local("Alone", "shop.a")
    assert names_of(a, alone, b) == ["shop.a.Item", "Alone", "shop.b.Item"]
    assert names_of(b, a) == ["shop.b.Item", "shop.a.Item"]


def test_two_classes_of_one_name_in_one_module_get_a_number() -> None:
    a, b = local("Item"), local("Item")
    first, second = names_of(a, b)
    assert second == f"{first}_2"


def test_generics_of_two_classes_of_one_name() -> None:
    a, b = local("Item", "shop.a"), local("Item", "shop.b")
    made = names_of(A_PAGE[a], A_PAGE[b])
    assert [name.rpartition("Page_")[2] for name in made] == ["shop.a.Item", "shop.b.Item"]


# What cannot be described...


class Holds(Struct):
    price: Money


@pytest.mark.parametrize("type_", [Money, list[Money], dict[str, Money], Holds, Page[Money]])
def test_a_type_that_msgspec_does_not_know(type_: Any) -> None:
    with pytest.raises(Undescribable) as caught:
        schema(type_)
    assert caught.value.cls is Money


@pytest.mark.parametrize("type_", ["Item", list[int] | set[int], Callable[[], None], 5])
def test_what_is_no_type(type_: Any) -> None:
    with pytest.raises(Undescribable):
        schema(type_)


def test_a_type_may_be_given_a_schema() -> None:
    schemas = Schemas({Money: {"type": "string", "format": "money"}})
    assert schemas.schema_of(list[Money])["items"] == {"type": "string", "format": "money"}

    class Euro(Money): ...

    assert schemas.schema_of(Euro)["format"] == "money"


# Against msgspec itself...

SCALARS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (int, st.integers(-(2**53), 2**53)),
    (str, st.text(max_size=5)),
    (bool, st.booleans()),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bytes, st.binary(max_size=5)),
    (date, st.dates()),
    (Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=2)),
    (UUID, st.uuids()),
    (timedelta, st.timedeltas(timedelta(-5), timedelta(5))),
    (Color, st.sampled_from(Color)),
    (Level, st.sampled_from(Level)),
    (Annotated[int, Meta(ge=0, le=9)], st.integers(0, 9)),
    (Literal["a", 1, None], st.sampled_from(["a", 1, None])),
    (Point, st.builds(Point, st.integers(0, 5), st.floats(0, 1))),
    (Pair, st.builds(Pair, st.text(max_size=3), st.integers(0, 5))),
    (Row, st.builds(Row, st.integers(0, 5), st.text(max_size=3))),
    (Cat | Dog, st.builds(Cat, st.integers(0, 9)) | st.builds(Dog, st.text(max_size=3))),
    (One | Two | None, st.none() | st.builds(One, st.integers()) | st.builds(Two, st.integers())),
]

# Made of types that only a test run knows.
A_LIST: Any = list
A_DICT: Any = dict
A_TUPLE: Any = tuple
A_PAGE: Any = Page

Typed = tuple[Any, st.SearchStrategy[Any]]


def of_a(pair: Typed, number: int) -> Typed:
    """A Struct with a field of a type, twice."""
    type_, values = pair
    cls = msgspec.defstruct(f"S{number}", [("a", type_), ("b", type_ | None, None)])
    return cls, st.builds(cls, values, st.none() | values)


def nested(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.map(lambda pair: (A_LIST[pair[0]], st.lists(pair[1], max_size=2))),
        inner.map(
            lambda pair: (
                A_DICT[str, pair[0]],
                st.dictionaries(st.text(max_size=2), pair[1], max_size=2),
            )
        ),
        st.tuples(inner, inner).map(
            lambda two: (A_TUPLE[two[0][0], two[1][0]], st.tuples(two[0][1], two[1][1]))
        ),
        st.builds(of_a, inner, st.integers(0, 3)),
    )


TYPES = st.recursive(st.sampled_from(SCALARS), nested, max_leaves=4)


@settings(max_examples=150, deadline=None)
@given(TYPES, st.data())
def test_what_is_sent_fits_the_schema(pair: Typed, data: st.DataObject) -> None:
    type_, values = pair
    schemas = Schemas()
    made = schemas.schema_of(type_)
    made["components"] = {"schemas": schemas.components()}
    OAS31Validator.check_schema(made)
    sent = encode_json(data.draw(values))
    OAS31Validator(made).validate(msgspec.json.decode(sent))
