"""Keys that stand twice are found wherever Python's own reader finds them, and nowhere else."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct

from photon.binding.markers import Body
from tests.binding.asking import Seen, call


class Flat(Struct):
    a: str
    b: str


class Loose(Struct):
    a: Any = None


class Rows(Struct, array_like=True):
    a: int
    b: int


keys = st.sampled_from(["a", "b", "", ":", "\\", '"', "é", '":"', "\\u003a"])
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", ":", '":', "\\", "a"])
)


class Pairs(list[tuple[str, Any]]):
    """The members of an object, of which some may have one name."""


values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(st.tuples(keys, inner), max_size=3).map(Pairs)
    ),
    max_leaves=10,
)
objects = st.lists(st.tuples(keys, values), max_size=5).map(Pairs)


def written(value: Any, data: st.DataObject) -> str:
    """JSON of the value, with blanks and escapes where they may be."""
    blank = data.draw(st.sampled_from(["", " ", "\n\t"]))
    if isinstance(value, Pairs):
        members = [f"{_text(key, data)}{blank}:{blank}{written(v, data)}" for key, v in value]
        return "{" + blank + f"{blank},".join(members) + "}"
    if isinstance(value, list):
        return "[" + f",{blank}".join(written(item, data) for item in value) + "]"
    return _text(value, data) if isinstance(value, str) else json.dumps(value)


def _text(text: str, data: st.DataObject) -> str:
    def one(character: str) -> str:
        if data.draw(st.integers(0, 3)) == 0:
            return data.draw(st.sampled_from(["\\u%04x", "\\u%04X"])) % ord(character)
        return json.dumps(character, ensure_ascii=False)[1:-1]

    return '"' + "".join(map(one, text)) + '"'


def stands_twice(text: str) -> bool:
    found = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found.append(len(pairs) != len(dict(pairs)))
        return dict(pairs)

    json.loads(text, object_pairs_hook=note)
    return any(found)


APPS = [
    Seen(type_, method="POST").app
    for type_ in (dict[str, Any], Loose, Annotated[Any, Body()], Flat)
]


@settings(deadline=None, max_examples=300)
@given(objects, st.data())
def test_what_stands_twice_is_found_and_nothing_else(value: Any, data: st.DataObject) -> None:
    text = written(value, data)
    for app in APPS:
        status = call(app, text.encode()).status
        if status != 422:  # of Flat, which wants two texts
            assert status == (400 if stands_twice(text) else 204), text


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"a":"1","b":"2"}', 204),
        (b'{"a":":","b":"2"}', 204),
        (b'{"a":"1","b":"2","c":3}', 204),
        (b'{"a":"1","b":"2","b":"3"}', 400),
        (b'{"a":"1","b":"2","c":{"d":1,"d":1}}', 400),
    ],
)
def test_a_flat_object(body: bytes, status: int) -> None:
    assert call(APPS[-1], body).status == status


def test_what_is_ignored_behind_an_array_is_looked_at_too() -> None:
    app = Seen(Rows, method="POST").app
    assert call(app, b'[1,2,{"a":1,"b":1}]').status == 204
    assert call(app, b'[1,2,{"a":1,"a":1}]').status == 400
