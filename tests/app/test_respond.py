"""What a handler's value is sent as."""

from __future__ import annotations

import enum
from collections import namedtuple
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from typing import Any, NamedTuple, TypedDict

import msgspec
import pytest

from photon.app.respond import respond
from photon.http.response import BYTES, JSON, TEXT, Response, StreamResponse


class Item(msgspec.Struct):
    name: str


@dataclass
class Point:
    x: int


class Movie(TypedDict):
    title: str


class Pair(NamedTuple):
    value: int
    status: int


Old = namedtuple("Old", "value status")


class Colour(str, enum.Enum):  # noqa: UP042  # StrEnum is the other kind
    RED = "red"


class Text(str):
    pass


TABLE: list[tuple[Any, int, str | None, bytes]] = [
    (None, 204, None, b""),
    ("text", 200, TEXT, b"text"),
    ("h\N{LATIN SMALL LETTER E WITH ACUTE}", 200, TEXT, b"h\xc3\xa9"),
    ("", 200, TEXT, b""),
    (Text("mine"), 200, TEXT, b"mine"),
    (Colour.RED, 200, TEXT, b"red"),
    (b"bytes", 200, BYTES, b"bytes"),
    (bytearray(b"array"), 200, BYTES, b"array"),
    (memoryview(b"view"), 200, BYTES, b"view"),
    ({"a": 1}, 200, JSON, b'{"a":1}'),
    ([1, 2], 200, JSON, b"[1,2]"),
    ({1}, 200, JSON, b"[1]"),
    ([], 200, JSON, b"[]"),
    (0, 200, JSON, b"0"),
    (False, 200, JSON, b"false"),
    (1.5, 200, JSON, b"1.5"),
    (Decimal("1.10"), 200, JSON, b"1.10"),
    (date(2025, 1, 31), 200, JSON, b'"2025-01-31"'),
    (Item("x"), 200, JSON, b'{"name":"x"}'),
    (Point(1), 200, JSON, b'{"x":1}'),
    (Movie(title="M"), 200, JSON, b'{"title":"M"}'),
    (Pair(1, 200), 200, JSON, b"[1,200]"),
    (Old(1, 200), 200, JSON, b"[1,200]"),
    # With a status...
    (("made", 201), 201, TEXT, b"made"),
    (({"a": 1}, 202), 202, JSON, b'{"a":1}'),
    ((None, 404), 404, None, b""),
    ((None, 200), 200, None, b""),
    (("made", HTTPStatus.CREATED), 201, TEXT, b"made"),
    ((Response("r", 200), 203), 203, TEXT, b"r"),
    ((("inner", 201), 202), 202, TEXT, b"inner"),
    (("made", 201, {"content-type": "text/css"}), 201, "text/css", b"made"),
    # Tuples that only look like it...
    ((1, 2), 200, JSON, b"[1,2]"),
    ((1, 199), 200, JSON, b"[1,199]"),
    ((1, 600), 200, JSON, b"[1,600]"),
    ((1, True), 200, JSON, b"[1,true]"),
    ((1, "200"), 200, JSON, b'[1,"200"]'),
    ((1,), 200, JSON, b"[1]"),
    ((), 200, JSON, b"[]"),
    ((1, 200, {}, 4), 200, JSON, b"[1,200,{},4]"),
]


@pytest.mark.parametrize(("value", "status", "media_type", "body"), TABLE)
def test_a_value_is_sent_as_the_table_says(
    value: Any, status: int, media_type: str | None, body: bytes
) -> None:
    response = respond(value)
    assert (response.status, response.content_type, response.body) == (status, media_type, body)


@pytest.mark.parametrize("value", [None, "x", b"x", {"x": 1}, iter([b"x"])])
def test_the_status_of_the_route_holds_where_the_value_says_none(value: Any) -> None:
    assert respond(value, 202).status == 202


def test_a_response_is_sent_as_it_is() -> None:
    response = Response("x", 418)
    assert respond(response) is response
    assert respond(response, 201).status == 418
    stream = Response.stream([b"x"])
    assert respond(stream) is stream


def numbers() -> Any:
    yield "1"
    yield b"2"


@pytest.mark.parametrize("make", [numbers, lambda: iter(["1", b"2"]), lambda: map(str, (1, 2))])
def test_an_iterator_is_streamed(make: Any) -> None:
    response = respond(make())
    assert isinstance(response, StreamResponse)
    assert b"".join(response.pieces()) == b"12"
    assert respond((make(), 206)).status == 206


def test_headers_are_a_mapping_or_pairs_and_one_name_may_come_twice() -> None:
    response = respond(("x", 200, {"X-A": "1", "Content-Type": "text/css"}))
    assert list(response.headers) == [("content-type", "text/css"), ("x-a", "1")]
    pairs = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("Content-Type", "text/css")]
    response = respond(("x", 200, pairs))
    assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert response.headers.get_all("content-type") == ["text/css"]


def test_headers_of_a_value_replace_those_of_its_response() -> None:
    inner = Response("x", headers={"x-a": "old", "x-b": "kept"})
    response = respond((inner, 200, {"x-a": "new"}))
    assert (response.headers["x-a"], response.headers["x-b"]) == ("new", "kept")


@pytest.mark.parametrize("value", [object(), lambda: None, {"a": object()}, range(3)])
def test_what_cannot_be_sent_is_an_error_that_says_what_can(value: Any) -> None:
    with pytest.raises(TypeError, match=r"which cannot be sent as JSON.*Return a Response"):
        respond(value)


def test_a_header_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(ValueError, match="line break"):
        respond(("x", 200, {"x-a": "1\r\nx-b: 2"}))
