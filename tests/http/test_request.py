"""A request as handlers see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from photon.http.errors import BadBody, BodyTooLarge, HTTPError, InvalidBody
from photon.http.server.terms import OnDisconnect
from photon.http.server.upgrade import Upgrade, Upgraded
from tests.http.requests import make_request


class Item(msgspec.Struct):
    name: str
    price: float = 0.0


def test_the_head_is_at_hand() -> None:
    request = make_request("/a%20b?c=d", {"X": "y"}, method="PUT", version="1.0")
    assert request.method == "PUT"
    assert request.target == "/a%20b?c=d"
    assert (request.raw_path, request.path) == ("/a%20b", "/a b")
    assert request.query_string == "c=d"
    assert request.query["c"] == "d"
    assert request.headers["x"] == "y"
    assert request.http_version == "1.0"
    assert request.path_values == {}
    assert repr(request) == "<Request PUT /a%20b?c=d>"


def test_what_costs_something_is_made_once() -> None:
    request = make_request("/?a=b", {"Cookie": "c=d"})
    assert request.query is request.query
    assert request.cookies is request.cookies
    assert request.cookies == {"c": "d"}
    assert request.state is request.state
    request.state.user = "me"
    assert request.state.user == "me"
    assert make_request().cookies == {}


def test_it_has_a_name_when_asked() -> None:
    request = make_request()
    unnamed = make_request()
    assert request.id == request.id != unnamed.id
    assert request.has_id
    assert not make_request().has_id
    request.id = "mine"
    assert request.id == "mine"


def test_it_knows_what_it_came_by() -> None:
    class Tls:
        peer = "192.0.2.1:4711"
        scheme = "https"

        client_has_left = False

        def allow(self, seconds: float) -> None: ...

        def agree_on_leaving(
            self, policy: OnDisconnect, on_left: Callable[[], object] | None = None
        ) -> None: ...

        def upgrade(self, head: bytes, session: Upgraded) -> Upgrade:
            raise NotImplementedError

    request = make_request(headers={"Host": "a"}, link=Tls())
    assert (request.peer, request.scheme) == ("192.0.2.1:4711", "https")
    assert request.url == "https://a/"
    assert (make_request().peer, make_request().scheme) == ("", "http")


def test_who_knows_better_sets_where_it_came_from() -> None:
    request = make_request("http://b/c", headers={"Host": "b"})
    request.scheme, request.host, request.peer = "https", "shop.example", "192.0.2.1:0"
    assert request.url == "https://shop.example/c"
    assert request.peer == "192.0.2.1:0"


@pytest.mark.parametrize(
    ("target", "headers", "host", "url"),
    [
        ("/", {"Host": "a:80"}, "a:80", "http://a:80/"),
        ("/b%20c?d=%20", {"Host": "a"}, "a", "http://a/b%20c?d=%20"),
        ("/http://b/", {"Host": "a"}, "a", "http://a/http://b/"),
        ("/", {}, "", "http:///"),
        # RFC 9112 §3.2.2: the target's host wins
        ("http://b:81/c?d", {"Host": "a"}, "b:81", "http://b:81/c?d"),
        ("http://b?d", {"Host": "a"}, "b", "http://b/?d"),
        ("http://[::1]", {"Host": "a"}, "[::1]", "http://[::1]/"),
        # RFC 9110 §7.1: the asterisk is no path
        ("*", {"Host": "a"}, "a", "http://a"),
    ],
)
def test_host_and_url(target: str, headers: dict[str, str], host: str, url: str) -> None:
    request = make_request(target, headers, method="OPTIONS")
    assert request.host == host
    assert request.url == url


@pytest.mark.parametrize(
    ("header", "media_type"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (" text/html ;", "text/html"),
        ("", ""),
    ],
)
def test_the_media_type(header: str, media_type: str) -> None:
    assert make_request(headers={"Content-Type": header}).content_type == media_type
    assert make_request().content_type == ""


def test_too_many_query_fields_are_the_client_s_fault() -> None:
    with pytest.raises(HTTPError) as refused:
        make_request("/?" + "a&" * 2_000).query  # noqa: B018
    assert refused.value.status == 400


# The body...


def test_the_body_is_read_whole_or_in_pieces() -> None:
    assert make_request(body=b"abc").body() == b"abc"
    assert list(make_request(body=b"abc").chunks()) == [b"abc"]
    assert make_request().body() == b""
    assert list(make_request().chunks()) == []


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("", "é".encode(), "é"),
        ("text/plain", "é".encode(), "é"),
        ("text/plain; charset=latin-1", b"\xe9", "é"),
        ('text/plain; Charset="ISO-8859-1"', b"\xe9", "é"),
        ("text/plain; boundary=x; charset=UTF-8", "é".encode(), "é"),
        ("text/plain; charset=", "é".encode(), "é"),
        ("text/plain; charset=windows-1252", b"\x80", "€"),
        ("text/plain; charset=utf-8-sig", b"\xef\xbb\xbfa", "a"),
        ("text/plain; charset=utf-16", "é".encode("utf-16"), "é"),
        ("text/plain; charset=Shift_JIS", b"\x82\xa0", "あ"),
    ],
)
def test_the_body_as_text(content_type: str, body: bytes, text: str) -> None:
    assert make_request(headers={"Content-Type": content_type}, body=body).text() == text


@pytest.mark.parametrize(
    ("charset", "why"),
    [
        ("utf-8", "not utf-8"),
        ("ascii", "not ascii"),
        ("klingon", "nothing here reads"),
        ("a" * 1000, "nothing here reads"),
        # Of Python's own encodings none is for the wire: this one raises what no other does,
        ("undefined", "nothing here reads"),
        # these take quadratic time,
        ("punycode", "nothing here reads"),
        ("idna", "nothing here reads"),
        # these warn,
        ("unicode_escape", "nothing here reads"),
        ("raw-unicode-escape", "nothing here reads"),
        # and these give no text.
        ("hex", "nothing here reads"),
        ("rot13", "nothing here reads"),
        ("zlib", "nothing here reads"),
    ],
)
def test_a_body_that_is_not_its_text_is_the_client_s_fault(charset: str, why: str) -> None:
    request = make_request(
        headers={"Content-Type": f"text/plain; charset={charset}"}, body=b"\\q \xff"
    )
    with pytest.raises(BadBody, match=why) as refused:
        request.text()
    assert refused.value.status == 400


def test_the_body_as_json() -> None:
    body = b'{"name": "a", "price": 2}'
    assert make_request(body=body).json() == {"name": "a", "price": 2}
    assert make_request(body=body).json(Item) == Item("a", 2.0)
    assert make_request(body=b"[1]").json(list[int]) == [1]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"nul", b"{'a': 1}", b"\xff", b'"\xff"', b'"\\ud800"', b"1 2", b"NaN"]
)
def test_broken_json_is_the_client_s_fault(body: bytes) -> None:
    with pytest.raises(BadBody, match="not JSON"):
        make_request(body=body).json()


def test_json_as_deep_as_the_client_likes_is_its_fault() -> None:
    with pytest.raises(BadBody, match="not JSON"):
        make_request(body=b"[" * 100_000).json()


@pytest.mark.parametrize(
    ("body", "type_", "loc"),
    [
        ({"price": 1}, Item, ["body", "name"]),
        ({"name": 1}, Item, ["body", "name"]),
        ([{"name": "a"}, {"name": "a", "price": "b"}], list[Item], ["body", 1, "price"]),
        ({"a": [1, "b"]}, dict[str, list[int]], ["body", "a", 1]),
        (1, str, ["body"]),
    ],
)
def test_json_of_another_shape_says_where(body: Any, type_: Any, loc: list[Any]) -> None:
    with pytest.raises(InvalidBody) as refused:
        make_request(body=json.dumps(body).encode()).json(type_)
    assert refused.value.status == 422
    (error,) = refused.value.extra["errors"]
    assert error["loc"] == loc
    assert error["msg"]


def test_the_limit_of_its_body_can_be_set() -> None:
    request = make_request(body=b"abc", method="POST")
    request.limit_body(2)
    with pytest.raises(BodyTooLarge, match="limit of 2 bytes"):
        request.body()
    request.limit_body(3)
    assert request.body() == b"abc"
    make_request().limit_body(1)


def test_a_limit_holds_for_a_body_that_was_read_already() -> None:
    request = make_request(body=b"abc", method="POST")
    request.limit_body(5)
    request.body()
    request.limit_body(3)
    assert request.body() == b"abc"
    with pytest.raises(BodyTooLarge, match="limit of 2 bytes"):
        request.limit_body(2)


def test_a_limit_comes_too_late_for_a_body_that_is_taken_in_pieces() -> None:
    request = make_request(body=b"abc", method="POST")
    request.limit_body(5)
    next(request.chunks())
    with pytest.raises(RuntimeError, match="before the first read"):
        request.limit_body(4)
