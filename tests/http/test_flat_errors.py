"""Errors of flat JSON objects: found fast, and the same that the walk finds."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from photon.http.flat_errors import flat_errors
from photon.http.validation import errors_of


class Item(Struct):
    name: Annotated[str, Meta(min_length=2)]
    count: Annotated[int, Meta(ge=1)]
    price: float = 1.0
    tags: list[str] = []


class Named(TypedDict):
    name: str


class Strict(Struct, forbid_unknown_fields=True):
    name: str


class Tagged(Struct, tag=True):
    name: str


SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text(max_size=3)
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=2), SCALARS)


@given(st.dictionaries(st.sampled_from(["name", "count", "price", "tags", "other"]), VALUES))
def test_they_are_those_that_the_walk_finds(value: dict[str, Any]) -> None:
    expected = errors_of(value, Item, ("body",))
    found = flat_errors(msgspec.json.encode(value), Item, strict=True)
    assert found is None or found == expected


def test_all_of_them_are_told() -> None:
    found = flat_errors(b'{"name": "a", "price": "b"}', Item, strict=True)
    assert found is not None
    assert [(error["loc"], error["type"]) for error in found] == [
        (["body", "name"], "length"),
        (["body", "count"], "missing"),
        (["body", "price"], "type"),
    ]
    found = flat_errors(b"{}", Named, strict=True)
    assert found is not None
    assert [error["loc"] for error in found] == [["body", "name"]]


@pytest.mark.parametrize(
    ("data", "type_"),
    [
        (b'{"name": "ab", "count": 1}', Item),
        (b'{"name": "ab", "count": 1, "tags": [1, 2]}', Item),
        (b'{"name": "a", ', Item),
        (b"[1]", Item),
        (b'{"name": 1}', Strict),
        (b'{"name": 1}', Tagged),
        (b'{"name": 1}', dict[str, str]),
        (b"1", int),
        (b'{"name": "%b"}' % (b"x" * 300_000), Item),
    ],
)
def test_what_is_not_so_simple_is_left_to_the_walk(data: bytes, type_: Any) -> None:
    assert flat_errors(data, type_, strict=True) is None
