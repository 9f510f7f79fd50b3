"""What a handler's value is sent as."""

from __future__ import annotations

import copy
import enum
import functools
from collections import namedtuple
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import msgspec
import pytest

from photon.app.respond import Responders
from photon.app.unsendable import Unsendable
from photon.http.errors import HTTPError
from photon.http.response import BYTES, JSON, TEXT, Response, StreamResponse
from tests.app.requests import make_request


def respond(value: Any, status: int | None = None) -> Response:
    return Responders().respond(value, status, make_request("GET", "/"))


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


@pytest.mark.parametrize("value", [object(), {"a": object()}, range(3)])
def test_what_cannot_be_sent_is_an_error_that_says_what_can(value: Any) -> None:
    with pytest.raises(TypeError, match=r"which cannot be sent as JSON.*Return a Response"):
        respond(value)


def test_a_header_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(Unsendable, match="line break"):
        respond(("x", 200, {"x-a": "1\r\nx-b: 2"}))


@pytest.mark.parametrize("headers", ["text", 5, None, [("a",)], {"a": 1}])
def test_headers_of_another_shape_are_an_error(headers: Any) -> None:
    with pytest.raises(Unsendable, match="Headers are a mapping, or pairs"):
        respond(("x", 200, headers))


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        (1, 199),
        (1, 600),
        (1, True),
        ("x", "200"),
        ("x", {"x-a": "1"}),
        (1,),
        (),
        (1, 200, {}, 4),
    ],
)
def test_a_tuple_is_a_value_and_a_status_and_nothing_else(value: Any) -> None:
    with pytest.raises(Unsendable) as caught:
        respond(value)
    assert "a tuple is (value, status) or (value, status, headers), not (" in str(caught.value)
    assert str(caught.value).endswith("for a JSON array return a list")


def test_a_response_in_a_tuple_is_copied_for_it_may_be_shared(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("x")
    for shared in (
        Response("x", headers={"x-a": "1"}),
        Response("x"),
        Response.stream([b"x"], headers={"x-a": "1"}),
        Response.file(tmp_path / "page.txt"),
    ):
        before = list(copy.deepcopy(shared.headers)) if shared._headers else None
        response = respond((shared, 202, {"x-b": "2"}))
        assert type(response) is type(shared)
        assert (response.status, response.headers["x-b"]) == (202, "2")
        assert shared.status == 200
        assert (shared._headers and list(shared._headers)) == before


def text() -> str:
    return "x"


class Closing:
    def close(self) -> None: ...


async def waiting() -> None: ...


async def many() -> AsyncIterator[bytes]:
    yield b""


MISTAKES: list[tuple[Any, str]] = [
    (Closing().close, "the method Closing.close: call it"),
    (text, "the function text: call it"),
    (len, "the function len: call it"),
    (functools.partial(text), "the function text: call it"),
    (HTTPError(404), r"HTTPError\(404\): raise it"),
    (ValueError("oh"), r"ValueError\('oh'\): raise it"),
    (HTTPError, "the class HTTPError: raise it"),
    (Closing, "the class Closing: make an object of it"),
    (many(), r"many \(async_generator\): drop async and await"),
]


@pytest.mark.parametrize(("value", "says"), MISTAKES)
def test_a_mistake_is_an_error_that_says_what_was_meant(value: Any, says: str) -> None:
    for _ in range(2):  # the first one of a class is chosen for, the second one is looked up
        with pytest.raises(Unsendable, match=f"^returned {says}$"):
            respond(value)


def test_a_coroutine_is_an_error_and_no_warning_besides() -> None:
    with pytest.raises(Unsendable, match=r"waiting \(coroutine\): drop async and await"):
        respond(waiting())


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"], [[]]])
def test_what_the_encoder_refuses_is_an_error(value: Any) -> None:
    if isinstance(value, list) and value == [[]]:
        value[0] = value
    with pytest.raises(Unsendable, match="cannot be sent as"):
        respond(value)
