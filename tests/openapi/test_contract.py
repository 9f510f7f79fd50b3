"""Differences of documents, as they are read at three in the morning."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photon.openapi.contract import difference

OK = {"responses": {"200": {"description": "OK"}}}
BASE: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/items": {
            "get": {
                **OK,
                "tags": ["a", "b"],
                "parameters": [
                    {"name": "q", "in": "query", "schema": {"type": "string"}},
                    {"name": "page", "in": "query", "schema": {"type": "integer"}},
                ],
            }
        },
        "/items/{id}": {"delete": OK, "summary": "One"},
    },
    "webhooks": {"order": {"post": OK}},
    "components": {
        "schemas": {
            "Item": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name", "id"],
            }
        }
    },
}


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """The document with a value put somewhere; `...` takes it away."""
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(BASE))
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    if to is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return made


GET = ("paths", "/items", "get")
ITEM = ("components", "schemas", "Item")

CASES: list[tuple[dict[str, Any], list[str]]] = [
    (changed("info", "title", to="Shop"), []),
    (changed("info", "version", to="2"), ['~ /info/version: "1" -> "2"']),
    (changed("info", "x", to=[1]), ["+ /info/x: [1]"]),
    (changed("paths", "/new", to={"post": OK}), ["+ POST /new"]),
    (changed("paths", "/items/{id}", "delete", to=...), ["- DELETE /items/{id}"]),
    (
        changed("paths", "/items/{id}", to=...),
        [
            "- DELETE /items/{id}",
            "- /paths/~1items~1{id}/summary",
        ],
    ),
    (
        changed("paths", "/items/{id}", "summary", to="It"),
        ['~ /paths/~1items~1{id}/summary: "One" -> "It"'],
    ),
    (changed("webhooks", "order", to=...), ["- webhook POST order"]),
    (
        changed(*GET, "responses", "200", "description", to="Fine"),
        ['~ GET /items: /responses/200/description: "OK" -> "Fine"'],
    ),
    (
        changed(*GET, "responses", "404", to={"description": "No"}),
        ['~ GET /items: + /responses/404: {"description":"No"}'],
    ),
    (changed(*GET, "tags", to=["b", "a"]), []),
    (changed(*GET, "tags", to=["a"]), ['~ GET /items: - /tags/"b": "b"']),
    (changed(*GET, "parameters", to=BASE["paths"]["/items"]["get"]["parameters"][::-1]), []),
    (
        changed(*GET, "parameters", 1, "schema", "type", to="number"),
        ['~ GET /items: /parameters/query page/schema/type: "integer" -> "number"'],
    ),
    (
        changed(*GET, "parameters", to=[]),
        [
            f"~ GET /items: - /parameters/query {name}: {shown}"
            for name, shown in (
                ("q", '{"in":"query","name":"q","schema":{"type":"string"}}'),
                ("page", '{"in":"query","name":"page","schema":{"type":"integer"}}'),
            )
        ],
    ),
    (changed(*ITEM, "required", to=["id", "name"]), []),
    (
        changed(*ITEM, "required", to=["id"]),
        ['~ /components/schemas/Item: - /required/"name": "name"'],
    ),
    (
        changed(*ITEM, "properties", "price", to={"type": "number"}),
        ['~ /components/schemas/Item: + /properties/price: {"type":"number"}'],
    ),
    (changed(*ITEM, to=...), ["- /components/schemas/Item"]),
    (
        changed(*ITEM, "properties", "name", to=True),
        ['~ /components/schemas/Item: /properties/name: {"type":"string"} -> true'],
    ),
]


@pytest.mark.parametrize(("new", "lines"), CASES, ids=range(len(CASES)))
def test_what_changed(new: dict[str, Any], lines: list[str]) -> None:
    assert difference(BASE, new) == lines


@pytest.mark.parametrize(("new", "lines"), CASES, ids=range(len(CASES)))
def test_the_other_way_round_as_much_changed(new: dict[str, Any], lines: list[str]) -> None:
    assert len(difference(new, BASE)) == len(lines)


def test_true_is_not_one() -> None:
    assert difference({"info": {"x": 1}}, {"info": {"x": True}}) == ["~ /info/x: 1 -> true"]
    assert difference({"info": {"x": 1}}, {"info": {"x": 1.0}}) == []


def test_many_differences_are_counted() -> None:
    new = {**BASE, "paths": {f"/{i}": {"get": OK} for i in range(100)}}
    lines = difference(BASE, new, at_most=5)
    assert len(lines) == 6
    assert lines[-1] == "and 98 more"


def test_long_values_are_cut() -> None:
    lines = difference({"info": {"a" * 1000: 1}}, {"info": {"b" * 1000: "c" * 1000}})
    assert all(len(line) <= 400 for line in lines)
    (line,) = difference({"info": {"d": "x" * 1000}}, {"info": {"d": "y" * 1000}})
    assert len(line) < 150


@pytest.mark.parametrize("odd", [{}, {"paths": None}, {"paths": {"/": []}}, {"components": [1]}])
def test_a_file_that_is_no_document(odd: Any) -> None:
    assert difference(odd, BASE)
    assert difference(BASE, odd)
    assert difference(odd, odd) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["a", "b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["get", "parameters", "tags", "a/b"]), inner, max_size=3)
    ),
    max_leaves=12,
)
SECTIONS = st.sampled_from(["info", "paths", "components", "webhooks", "x-a"])


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        items = list(value.items())
        random.Random(1).shuffle(items)
        return {key: shuffled(member) for key, member in items}
    return [shuffled(each) for each in value] if isinstance(value, list) else value


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(SECTIONS, JSON, max_size=3))
def test_the_order_of_members_is_no_difference(document: dict[str, Any]) -> None:
    assert difference(document, shuffled(document)) == []
