"""Responses, and what of them is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from photon.http.response import BYTES, HTML, JSON, TEXT, Response, StreamResponse
from tests.http.requests import make_request

SPLITTING = ["a\r\nSet-Cookie: b=c", "a\nb", "a\rb", "a\r\n\r\n<html>", "\n", "a\0b"]


@pytest.mark.parametrize(
    ("response", "status", "content_type", "body"),
    [
        (Response(), 200, BYTES, b""),
        (Response("é"), 200, TEXT, "é".encode()),
        (Response(b"a", 201), 201, BYTES, b"a"),
        (Response(bytearray(b"a")), 200, BYTES, b"a"),  # type: ignore[arg-type]
        (Response("<a>", content_type="image/svg+xml"), 200, "image/svg+xml", b"<a>"),
        (Response.json({"a": [1, None]}), 200, JSON, b'{"a":[1,null]}'),
        (Response.json([], 201), 201, JSON, b"[]"),
        (Response.text("é", 404), 404, TEXT, "é".encode()),
        (Response.html("<a>"), 200, HTML, b"<a>"),
    ],
)
def test_ways_to_make_one(response: Response, status: int, content_type: str, body: bytes) -> None:
    assert (response.status, response.content_type, response.body) == (status, content_type, body)
    assert response.headers["content-type"] == content_type
    assert response.content_type == content_type


@pytest.mark.parametrize("body", [None, 1, ["a"], {"a": 1}, object()])
def test_a_body_of_another_type_is_refused(body: Any) -> None:
    with pytest.raises(TypeError, match="a body is bytes or str"):
        Response(body)


@pytest.mark.parametrize("headers", [{"X": "1", "Y": "2"}, [("X", "1"), ("Y", "2")]])
def test_headers_are_a_mapping_or_pairs(headers: Any) -> None:
    assert list(Response("a", headers=headers).headers) == [
        ("content-type", TEXT),
        ("x", "1"),
        ("y", "2"),
    ]


def test_a_content_type_among_the_headers_takes_the_place_of_the_default() -> None:
    response = Response(b"a", headers={"Content-Type": "image/png"})
    assert response.headers.get_all("content-type") == ["image/png"]
    assert response.content_type == "image/png"


def test_the_content_type_can_be_set() -> None:
    response = Response("a")
    response.content_type = "text/csv"
    assert response.headers.get_all("content-type") == ["text/csv"]


# Redirects...


@pytest.mark.parametrize(
    ("to", "location"),
    [
        ("/a", "/a"),
        ("https://photon.example/a?b=c&d=%20#e", "https://photon.example/a?b=c&d=%20#e"),
        ("/a b", "/a%20b"),
        ("/é", "/%C3%A9"),
        ("//[::1]/", "//[::1]/"),
        # Splitting comes to nothing.
        ("/\r\nSet-Cookie: a=b", "/%0D%0ASet-Cookie:%20a=b"),
        ("/\r\n\r\n<html>", "/%0D%0A%0D%0A%3Chtml%3E"),
        ("/\0", "/%00"),
    ],
)
def test_a_redirect(to: str, location: str) -> None:
    response = Response.redirect(to)
    assert (response.status, response.body) == (307, b"")
    assert response.headers["location"] == location


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_kinds_of_redirect(status: int) -> None:
    assert Response.redirect("/", status).status == status


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 404])
def test_what_is_no_redirect(status: int) -> None:
    with pytest.raises(ValueError, match="no redirect"):
        Response.redirect("/", status)


# Cookies...


def test_cookies_are_set_beside_each_other() -> None:
    response = Response()
    response.set_cookie("a", "b", max_age=60)
    response.set_cookie("c", "d", http_only=False, same_site=None)
    response.delete_cookie("e", path="/f")
    response.delete_cookie("__Host-g")
    assert response.headers.get_all("set-cookie") == [
        "a=b; Max-Age=60; Path=/; SameSite=Lax; HttpOnly",
        "c=d; Path=/",
        "e=; Max-Age=0; Path=/f; SameSite=Lax; HttpOnly",
        "__Host-g=; Max-Age=0; Path=/; SameSite=Lax; Secure; HttpOnly",
    ]


# Splitting...


@pytest.mark.parametrize("evil", SPLITTING)
@pytest.mark.parametrize(
    "attempt",
    [
        lambda evil: Response(headers={"x": evil}),
        lambda evil: Response(headers={evil: "x"}),
        lambda evil: Response(headers=[("content-type", evil)]),
        lambda evil: Response().headers.append("x", evil),
        lambda evil: Response().set_cookie("a", evil),
        lambda evil: Response().set_cookie(evil, "a"),
        lambda evil: Response().set_cookie("a", "b", path="/" + evil),
        lambda evil: Response().set_cookie("a", "b", domain=evil),
        lambda evil: Response().set_cookie("a", "b", same_site=evil),
        lambda evil: Response().delete_cookie(evil),
        lambda evil: setattr(Response(), "content_type", evil),
        # Checked where it is written; see also tests/protocol_contract.
        lambda evil: Response(content_type=evil).headers,
        lambda evil: Response.stream([], content_type=evil).headers,
        lambda evil: Response.file(__file__, content_type=evil).headers,
    ],
)
def test_a_response_cannot_be_split(attempt: Callable[[str], object], evil: str) -> None:
    with pytest.raises(ValueError, match=r"line break|cannot be|cannot carry"):
        attempt(evil)


# Streams...


def test_a_stream_gives_bytes_and_no_empty_pieces() -> None:
    response = Response.stream(["é", b"", b"a", "", bytearray(b"b")])  # type: ignore[list-item]
    assert isinstance(response, StreamResponse)
    assert list(response.pieces()) == ["é".encode(), b"a", b"b"]
    assert response.content_type == BYTES
    assert Response.stream([], 201, {"X": "y"}, TEXT).headers["x"] == "y"


def test_a_stream_of_something_else() -> None:
    says = r"the stream gives int, and a body is bytes or str: for JSON, .* NDJSON\(items\)"
    with pytest.raises(TypeError, match=says):
        list(Response.stream([1]).pieces())  # type: ignore[list-item]

    def rows() -> Iterator[Any]:
        yield "a"
        yield {"a": 1}

    pieces = StreamResponse(rows()).pieces()
    assert next(pieces) == b"a"
    says = r"the generator \S*\.rows \(.*test_response.py:\d+\) gives dict, .*EventStream\(items\)"
    with pytest.raises(TypeError, match=says):
        next(pieces)


def test_closing_a_stream_ends_its_generator() -> None:
    ended = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"a"
        finally:
            ended.append(True)

    response = Response.stream(pieces())
    assert next(response.pieces()) == b"a"
    response.close()
    response.close()
    assert ended == [True]
    Response.stream([b"a"]).close()


# What the server asks...


def test_a_response_is_the_same_for_every_request() -> None:
    response = Response("a")
    assert response.for_request(make_request()) is response
    response.close()


def test_json_that_cannot_be_encoded() -> None:
    with pytest.raises(TypeError):
        Response.json(object())
    assert json.loads(Response.json({1: "é"}).body) == {"1": "é"}


def test_responses_tell_what_they_are() -> None:
    assert repr(Response("abc", 404)) == "<Response 404 Not Found 3 bytes>"
    assert repr(Response.stream([])) == "<Response 200 OK streamed>"
    assert repr(Response.file(__file__)) == f"<Response 200 OK {__file__}>"
