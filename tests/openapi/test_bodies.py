from __future__ import annotations

from typing import Any

import pytest
from msgspec import Struct

from photon.binding.markers import Body, Form
from photon.binding.plan import BodyPlan
from photon.openapi.bodies import body_object
from photon.openapi.components import Components
from tests.openapi.plans import data, form, part

BINARY = {"type": "string", "format": "binary"}
FILE = {**BINARY, "contentMediaType": "application/octet-stream"}


class Item(Struct):
    name: str
    note: str | None = None


def shown(body: BodyPlan) -> dict[str, Any]:
    components = Components()
    made = body_object(body, components)
    components.as_object()
    return made


def test_a_value_in_all_its_formats() -> None:
    made = shown(data(Item, media_types=("application/json", "application/msgpack")))
    reference = {"schema": {"$ref": "#/components/schemas/Item"}}
    assert made == {
        "required": True,
        "content": {"application/json": reference, "application/msgpack": reference},
    }


def test_json_when_nothing_is_said() -> None:
    assert list(shown(data(Item, required=False))["content"]) == ["application/json"]
    assert shown(data(Item, required=False))["required"] is False


def test_what_a_marker_says() -> None:
    marker = Body(title="T", description="D", examples=[{"name": "x"}, {"name": "y"}])
    made = shown(data(dict[str, str], marker=marker))
    assert made["description"] == "D"
    content = made["content"]["application/json"]
    assert content["schema"]["title"] == "T"
    assert content["examples"] == {
        "example 1": {"value": {"name": "x"}},
        "example 2": {"value": {"name": "y"}},
    }


def test_several_values_are_members_of_an_object() -> None:
    body = BodyPlan(
        kind="data",
        parts=(
            part("item", Item, marker=Body(description="The new one.")),
            part("count", int, alias="n", default=1),
            part("note", str | None, default=None),
        ),
        embedded=True,
    )
    assert shown(body)["content"]["application/json"]["schema"] == {
        "type": "object",
        "properties": {
            "item": {"$ref": "#/components/schemas/Item", "description": "The new one."},
            "n": {"type": "integer", "default": 1},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["item"],
    }


def test_a_form_is_taken_both_ways() -> None:
    made = shown(form(part("a", int), part("b", list[str], kind="list", default=[])))
    properties = {
        "a": {"type": "integer"},
        "b": {"type": "array", "items": {"type": "string"}, "default": []},
    }
    schema = {"type": "object", "properties": properties, "required": ["a"]}
    assert made["content"] == {
        "application/x-www-form-urlencoded": {
            "schema": schema,
            "encoding": {"b": {"style": "form", "explode": True}},
        },
        "multipart/form-data": {"schema": schema},
    }


def test_files_are_binary_and_come_in_multipart_only() -> None:
    made = shown(
        form(
            part("one", bytes, kind="file", marker=Form(description="It.")),
            part("many", list[bytes], kind="files", default=()),
        )
    )
    ((media_type, content),) = made["content"].items()
    assert media_type == "multipart/form-data"
    assert content == {
        "schema": {
            "type": "object",
            "properties": {
                "one": {**FILE, "description": "It."},
                "many": {"type": "array", "items": FILE},
            },
            "required": ["one"],
        },
        "encoding": {
            "one": {"contentType": "application/octet-stream"},
            "many": {"contentType": "application/octet-stream"},
        },
    }


def test_a_struct_that_is_a_form_gives_its_fields() -> None:
    made = shown(form(part("item", Item, kind="object"), part("more", str, default="x")))
    assert made["content"]["multipart/form-data"]["schema"] == {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "note": {"type": "string"},
            "more": {"type": "string", "default": "x"},
        },
        "required": ["name"],
    }


def test_a_field_may_be_hidden() -> None:
    hidden = part("a", str, default="", marker=Form(include_in_schema=False))
    assert shown(form(hidden))["content"]["multipart/form-data"]["schema"]["properties"] == {}


@pytest.mark.parametrize("kind", ["bytes", "stream"])
def test_raw_bytes(kind: Any) -> None:
    body = BodyPlan(kind=kind, parts=(part("raw", bytes),))
    assert shown(body)["content"] == {"application/octet-stream": {"schema": BINARY}}
    csv = BodyPlan(kind=kind, parts=(part("raw", bytes),), media_types=("text/csv", "image/png"))
    assert shown(csv)["content"] == {
        "text/csv": {"schema": {"type": "string"}},
        "image/png": {"schema": BINARY},
    }


def test_a_list_that_has_to_be_there_is_not_empty() -> None:
    made = shown(form(part("a", list[int], kind="list"), part("b", list[bytes], kind="files")))
    properties = made["content"]["multipart/form-data"]["schema"]["properties"]
    assert [properties[name]["minItems"] for name in "ab"] == [1, 1]


def test_a_stream_may_be_empty() -> None:
    assert shown(BodyPlan(kind="stream", parts=(part("raw", bytes),)))["required"] is False
