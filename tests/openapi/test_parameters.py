from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from msgspec import Meta, Struct

from photon.binding.markers import Query
from photon.binding.plan import NO_DEFAULT
from photon.openapi.components import Components
from photon.openapi.parameters import parameter_objects
from photon.routing.converters import Converter, Converters
from photon.routing.template import Template
from tests.openapi.plans import cookie, header, in_path, operation, query


class Slug:
    """A class that msgspec does not know."""

    def __init__(self, text: str) -> None: ...


CONVERTERS = Converters(
    Converter("slug", Slug, Slug),
    Converter("decimal", Decimal, Decimal),
    Converter("hex", str, str),
)


def shown(*parameters: Any, path: str | None = None) -> list[dict[str, Any]]:
    template = None if path is None else Template.parse(path, CONVERTERS)
    return parameter_objects(template, operation(*parameters).plan, Components())


def schema(*parameters: Any, path: str | None = None) -> dict[str, Any]:
    (made,) = shown(*parameters, path=path)
    found: dict[str, Any] = made["schema"]
    return found


@pytest.mark.parametrize(
    ("path", "type_", "expected"),
    [
        ("/{x}", str, {"type": "string"}),
        ("/{x}", int, {"type": "integer"}),
        ("/{x:int}", int, {"type": "integer"}),
        ("/{x:int}", Any, {"type": "integer"}),
        ("/{x:int}", str, {"type": "integer"}),
        (
            "/{x:int}",
            Annotated[int, Meta(ge=1)],
            {"type": "integer", "minimum": 1},
        ),
        ("/{x:uuid}", UUID, {"type": "string", "format": "uuid"}),
        ("/{x:uuid}", Any, {"type": "string", "format": "uuid"}),
        ("/{x:slug}", Any, {"type": "string"}),
        ("/{x:hex}", str, {"type": "string"}),
    ],
)
def test_a_value_of_the_path(path: str, type_: Any, expected: dict[str, Any]) -> None:
    assert shown(in_path("x", type_), path=path) == [
        {"name": "x", "in": "path", "required": True, "schema": expected}
    ]


def test_a_value_that_nobody_asks_for_is_in_the_path_all_the_same() -> None:
    made = shown(path="/{a:int}/{b}.{c:decimal}")
    assert [(p["name"], p["required"]) for p in made] == [("a", True), ("b", True), ("c", True)]
    assert made[0]["schema"] == {"type": "integer"}
    assert made[2]["schema"]["format"] == "decimal"


def test_the_rest_of_a_path_is_told() -> None:
    (made,) = shown(in_path("rest"), path="/files/{rest:path}")
    assert made["description"] == "The rest of the path, which may hold slashes."


def test_a_required_and_an_optional_value() -> None:
    needed, optional, defaulted = shown(
        query("a"), query("b", str | None, default=None), query("c", int, default=3)
    )
    assert needed == {"name": "a", "in": "query", "required": True, "schema": {"type": "string"}}
    assert optional == {"name": "b", "in": "query", "required": False, "schema": {"type": "string"}}
    assert defaulted["schema"] == {"type": "integer", "default": 3}


def test_null_is_nothing_that_a_query_can_say() -> None:
    assert schema(query("a", int | str | None, default=None)) == {
        "anyOf": [{"type": "integer"}, {"type": "string"}]
    }


def test_a_default_that_json_has_not_is_left_out() -> None:
    assert schema(query("a", Any, default=object())) == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, {}),
        ({"explode": False}, {"explode": False}),
        (
            {"style": "spaceDelimited", "explode": False},
            {"style": "spaceDelimited", "explode": False},
        ),
        ({"style": "deepObject", "shape": "object"}, {"style": "deepObject", "explode": True}),
    ],
)
def test_how_a_list_or_an_object_is_written(given: Any, expected: Any) -> None:
    (made,) = shown(query("a", list[int], **{"shape": "list", **given}))
    assert {k: v for k, v in made.items() if k in ("style", "explode")} == expected


class Filters(Struct):
    tag: str
    page: int = 1


def test_an_object_whose_fields_stand_singly() -> None:
    fields = (query("tag", marker=Query()), query("page", int, default=1))
    made = shown(query("filters", Filters, shape="object", fields=fields))
    assert [p["name"] for p in made] == ["tag", "page"]
    hidden = query("f", Filters, fields=fields, marker=Query(include_in_schema=False))
    assert shown(hidden) == []


def test_headers_and_cookies() -> None:
    made = shown(header("x_key"), cookie("session"))
    assert [(p["name"], p["in"]) for p in made] == [("x-key", "header"), ("session", "cookie")]


@pytest.mark.parametrize("name", ["accept", "Content-Type", "AUTHORIZATION"])
def test_headers_that_openapi_ignores(name: str) -> None:
    assert shown(header("a", alias=name)) == []


def test_a_value_that_two_providers_ask_for_is_shown_once() -> None:
    made = shown(
        header("a", alias="X-A", default=""), header("a", alias="x-a"), query("x-a", default="")
    )
    assert [(p["name"], p["in"], p["required"]) for p in made] == [
        ("X-A", "header", True),
        ("x-a", "query", False),
    ]


def test_what_a_marker_says() -> None:
    marker = Query(title="T", description="D", deprecated=True, examples=[1])
    (made,) = shown(query("a", int, marker=marker))
    assert made == {
        "name": "a",
        "in": "query",
        "required": True,
        "description": "D",
        "deprecated": True,
        "examples": {"example": {"value": 1}},
        "schema": {"type": "integer", "title": "T"},
    }


def test_a_description_in_the_type_is_the_parameters() -> None:
    (made,) = shown(query("a", Annotated[str, Meta(description="D")]))
    assert made["description"] == "D"
    assert made["schema"] == {"type": "string"}


def test_a_list_that_has_to_be_there_is_not_empty() -> None:
    assert schema(query("a", list[str], shape="list"))["minItems"] == 1
    assert "minItems" not in schema(query("a", list[str], shape="list", default=[]))


@pytest.mark.parametrize(
    ("type_", "default", "expected"),
    [
        (int, 1, True),
        (int | None, None, True),
        (Literal["a", "b"], "a", True),
        (Literal["", "a"], "a", None),
        (str, "", None),
        (str | None, None, None),
        (int, NO_DEFAULT, None),
    ],
)
def test_a_field_that_was_left_empty_is_not_there(type_: Any, default: Any, expected: Any) -> None:
    (made,) = shown(query("a", type_, default=default))
    assert made.get("allowEmptyValue") is expected
    assert "allowEmptyValue" not in shown(header("a", type_, default=default))[0]
