"""Requests that want to break something: each is a clear 4xx, in bounded time and memory."""

from __future__ import annotations

import functools
import json
import resource
from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any

import pytest
from msgspec import Struct

from photon.app.photon import Photon
from photon.binding.markers import Body, Cookie, Form, Header, Query
from photon.http.server.settings import Limits, ServerSettings
from photon.runtime.greenlets import spawn
from photon.testing.wire import Wire
from tests.binding.asking import (
    JSON,
    Answer,
    Seen,
    ask,
    call,
    message,
    read_answer,
    received,
    refused,
)


class Item(Struct):
    name: str
    size: float = 1.0


class Tree(Struct):
    name: str = ""
    size: int = 0
    children: list[Tree] = []


class Forbidding(Struct, forbid_unknown_fields=True):
    name: str = ""


class Color(Enum):
    RED = "red"


def send(annotation: Any, data: bytes) -> Answer:
    """The answer to a body of JSON."""
    return call(posted(annotation).app, data)


@functools.cache
def posted(annotation: Any) -> Seen:
    return Seen(annotation, method="POST")


TYPES: list[Any] = [Item, list[Item], dict[str, Any], Annotated[Any, Body()], Tree, Item | None]
NUMBER_TYPES = [*TYPES, Annotated[float, Body()], Annotated[int, Body()]]
TEXT_TYPES = [*TYPES, Forbidding, Annotated[Color, Body()], Annotated[str, Body()]]


# JSON within JSON...

DEEP = 10_000
ARRAYS = b"[" * DEEP + b"]" * DEEP
OBJECTS = b'{"a":' * DEEP + b"1" + b"}" * DEEP
CHILDREN = b'{"children":[' * DEEP + b"]}" * DEEP
HALF = b'{"children":[' * DEEP


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize("deep", [ARRAYS, OBJECTS, CHILDREN, HALF, b"[" * DEEP])
@pytest.mark.parametrize("place", [b"%s", b'{"name":%s}', b'{"name":"a","x":%s}', b'[{"x":%s}]'])
def test_json_that_is_nested_without_end(type_: Any, deep: bytes, place: bytes) -> None:
    assert send(type_, place % deep).status in (400, 422)


@pytest.mark.parametrize("levels", [100, 500, 900, 950, 960, 970, 980, 990, 1000])
def test_json_that_is_nested_as_far_as_it_is_read(levels: int) -> None:
    for inner in (b"{}", b'{"size":"x"}', b'{"\\u0061":1,"a":2}', b'{"x":1e999}'):
        body = b'{"children":[' * levels + inner + b"]}" * levels
        assert send(Tree, body).status in ((204, 400) if inner == b"{}" else (400, 422))
        body = b'{"a":' * levels + inner + b"}" * levels
        assert send(dict[str, Any], body).status in (204, 400, 422)


# Numbers and texts...

DIGITS = b"9" * 5000


@pytest.mark.parametrize(
    "number",
    [
        *(b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1e-999999999", b"0x1", b"+1"),
        *(DIGITS, b"-" + DIGITS, DIGITS + b".5", b"0." + DIGITS, b"1e" + DIGITS, b"01", b"1_0"),
    ],
)
@pytest.mark.parametrize(
    "place", [b"%s", b'{"name":"a","size":%s}', b'{"name":"a","x":%s}', b'{"x":[{"y":%s}]}']
)
def test_numbers_that_are_none(number: bytes, place: bytes) -> None:
    for type_ in NUMBER_TYPES:
        assert send(type_, place % number).status in (204, 400, 422)


@pytest.mark.parametrize(
    "text",
    [
        *(rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"\ud800x", rb"\ud83d", rb"\u12", rb"\x"),
        *(b"\xed\xa0\x80", b"\xff", b"\xc3", b"\xf4\x90\x80\x80", b"\x00", b"\n", b"\x7f"),
    ],
)
@pytest.mark.parametrize(
    "place",
    [b'"%s"', b'{"name":"%s"}', b'{"%s":1}', b'{"name":"a","%s":1}', b'{"name":"a","x":{"%s":1}}',
     b'{"name":"a","x":"%s"}', b'{"name":"a\\u003a","x":"%s"}', b'{"a\\u003a":1,"%s":1,"%s":2}'],
)  # fmt: skip
def test_texts_that_are_none(text: bytes, place: bytes) -> None:
    for type_ in TEXT_TYPES:
        assert send(type_, place.replace(b"%s", text)).status in (204, 400, 422)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"name":"a"}'.encode("utf-16"), 400),
        ('{"name":"a"}'.encode("utf-16-le"), 400),
        ('{"name":"a"}'.encode("utf-32"), 400),
        (b'\xef\xbb\xbf{"name":"a"}', 400),
        ('{"name":"é"}'.encode("latin-1"), 400),
        (b"", 422),
        (b" ", 400),
        (b"{", 400),
        (b'{"name":"a"}}', 400),
        (b'{"name":"a"}\x00', 400),
        (b"{'name':'a'}", 400),
        (b'{"name":"a",}', 400),
        (b"null", 422),
    ],
)
def test_bodies_that_are_no_json_of_ours(body: bytes, status: int) -> None:
    assert send(Item, body).status == status


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "nonsense", "\xff", "punycode"])
def test_a_charset_that_is_not_ours(charset: str) -> None:
    header = f"Content-Type: application/json; charset={charset}"
    answer = Seen(Item, method="POST").ask("/", header, body=b'{"name":"a"}')
    assert answer.status == 415


# Keys that stand twice...


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        (b'{"name":"a","name":"b"}', ["name"]),
        (b'{"name":"a","size":1,"size":2}', ["size"]),
        (b'{"name":"a","n\\u0061me":"b"}', ["name"]),
        (b'{"name" : "a" , "name"\n:"b"}', ["name"]),
        (b'{"name":"a:b","name":"c:d"}', ["name"]),
        (b'{"name":"\\u003a","name":":"}', ["name"]),
        (b'{"name":"\\u003A","x":1,"x":":"}', ["x"]),
        (b'{"name":"\\\\u003a","x":1,"x":1}', ["x"]),
        (b'{"name":"\\u005cu003a","x":1,"x":1}', ["x"]),
        (b'{"name":"\\u005Cu003a\\\\u003a","x":1,"x":1}', ["x"]),
        (b'{"name":"a","x":{"y":1,"y":2}}', ["x", "y"]),
        (b'{"name":"a","x":[0,{"y":{"":1,"":2}}]}', ["x", 1, "y", ""]),
        (b'{"name":"a","x":{"y":1,"y":2},"x":{}}', ["x"]),
        (b'{"name":"a","a":[{"b":1,"b":2},{"c":1,"c":2}]}', ["a", 0, "b"]),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_place(body: bytes, loc: list[Any]) -> None:
    answer = send(Item, body)
    assert answer.status == 400
    assert answer.json["loc"] == ["body", *loc]
    assert f"{loc[-1]!r} stands twice" in answer.json["detail"]
    lenient = Annotated[Item, Body(unique_keys=False)]
    assert send(lenient, body).status == 204


def test_a_key_that_stands_twice_in_a_large_body() -> None:
    for escaped in (b"", b"\\u003a", b"\\n"):
        body = b"[" + b'{"name":"%s","x":1},' % escaped * 30_000 + b'{"name":"a","x":1,"x":2}]'
        answer = send(list[Item], body)
        assert answer.status == 400
        assert answer.json["loc"] == ["body", 30_000, "x"]


# Large ones...


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.parametrize("type_", [Item, list[Item], Tree, Item | None])
def test_sixteen_mebibytes_of_integers_where_an_object_belongs(type_: Any) -> None:
    body = b"[" + b"1," * (8 * 1024 * 1024 - 1) + b"1]"
    seen = Seen(type_, method="POST")
    settings = ServerSettings(limits=Limits(body_bytes=32 << 20))
    data = message("POST", "/", JSON, body=body)
    before = peak_bytes()
    with Wire(seen.app, settings) as wire:
        wire.send(data)
        answer = read_answer(received(wire))
    assert len(refused(answer)) == 1
    # The body, and the pieces that it came in; as objects it would be four times as much.
    assert peak_bytes() - before < 4 * len(body)


def test_a_body_that_is_walked_at_many_levels_lets_others_in() -> None:
    # Each level that is tried on its own tries all that is below it.
    levels, width = 100, 20_000
    inner = b'{"children":[' + b'{"size":0},' * width + b'{"size":"x"}]}'
    body = b'{"children":[' * levels + inner + b"]}" * levels
    assert len(body) < 256 * 1024
    (loc,) = refused(send(Tree, body))
    assert loc[-2:] == (width, "size")


LONG = "x" * 200_000


@pytest.mark.parametrize(
    ("type_", "sent"),
    [
        (Annotated[Color, Body()], LONG),
        (Forbidding, {LONG: 1}),
        (dict[str, list[str]], {LONG: [1] * 200}),
        (dict[str, int], {LONG: "x"}),
        (list[Forbidding], [{LONG: 1}]),
    ],
)
def test_what_is_long_is_not_repeated_at_length(type_: Any, sent: Any) -> None:
    answer = Seen(type_, method="POST").ask(json=sent)
    assert refused(answer)
    assert len(answer.body) < 40_000
    twice = json.dumps(sent).encode()[:-1] + b"," + json.dumps(sent).encode()[1:]
    if isinstance(sent, dict):
        answer = send(dict[str, Any], twice)
        assert answer.status == 400
        assert len(answer.body) < 1000


# Targets and headers...


@pytest.mark.parametrize("target", ["/%ff", "/%c3%28", "/%ed%a0%80", "/%", "/%zz", "/%00"])
def test_a_path_that_does_not_decode(target: str) -> None:
    for annotation in (str, int):
        assert Seen(annotation, path="/{value}").ask(target).status in (204, 400, 404, 422)
    assert Seen(int, path="/{value}").ask(target).status in (400, 404, 422)


@pytest.mark.parametrize("query", ["%ff", "%c3%28", "%ed%a0%80", "%f4%90%80%80"])
@pytest.mark.parametrize("place", ["value=%s", "%s=1", "value=1&x=%s", "value[x]=%s"])
def test_a_query_that_does_not_decode(query: str, place: str) -> None:
    target = "/?" + place.replace("%s", query)
    for annotation in (str, list[str], Annotated[dict[str, str], Query(style="deepObject")]):
        assert Seen(annotation).ask(target).status == 400


def test_a_query_of_ten_thousand_fields() -> None:
    settings = ServerSettings(limits=Limits(target_bytes=1 << 20, head_bytes=2 << 20))
    seen = Seen(list[int])
    with Wire(seen.app, settings) as wire:
        wire.send(message("GET", "/?" + "&".join(["value=1"] * 10_000)))
        answer = read_answer(received(wire))
    assert answer.status == 400
    assert "more than 1000 fields" in answer.json["detail"]


def test_a_thousand_values_that_are_all_wrong() -> None:
    answer = Seen(list[int]).ask("/?" + "&".join(["value=x"] * 900))
    assert refused(answer) == [("query", "value", 0)]


def test_cookies_of_eight_kilobytes() -> None:
    cookies = "; ".join(f"c{n}={n}" for n in range(800))
    assert 7000 < len(cookies) < 8192
    seen = Seen(Annotated[int, Cookie(alias="c799")])
    assert seen.value("/", f"Cookie: {cookies}") == 799
    assert refused(seen.ask("/", "Cookie: " + ";" * 8000)) == [("cookie", "c799")]
    assert refused(seen.ask("/", "Cookie: " + "=" * 8000)) == [("cookie", "c799")]


@pytest.mark.parametrize("value", ["\xff", "\x80\x81", "\t x \t", "é", '"', "%ff", "=?utf-8?q?x?="])
def test_header_values_of_odd_bytes(value: str) -> None:
    for annotation in (Annotated[int, Header()], Annotated[list[int], Header()]):
        locs = refused(Seen(annotation).ask("/", f"Value: {value}"))
        assert locs[0][:2] == ("header", "value")
    assert Seen(Annotated[str, Header()]).value("/", f"Value: {value}") == value.strip("\t ")
    assert Seen(Annotated[str, Cookie()]).ask("/", f"Cookie: value={value}").status == 204
    assert refused(Seen(Annotated[Color, Header()]).ask("/", f"Value: {value}"))


@pytest.mark.parametrize("body", [b"%ff=1", b"value=%ff", b"\xff\xfe", b"&" * 5000, b"=" * 5000])
def test_forms_that_are_broken(body: bytes) -> None:
    seen = Seen(Annotated[int, Form()], method="POST")
    header = "Content-Type: application/x-www-form-urlencoded"
    assert seen.ask("/", header, body=body).status in (400, 422)
    header = "Content-Type: multipart/form-data; boundary=x"
    assert seen.ask("/", header, body=body).status == 400
    assert seen.ask("/", "Content-Type: multipart/form-data", body=body).status == 400


# Clients that leave...


def test_a_client_that_leaves_within_a_body_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen(Item, method="POST")
    data = message("POST", "/", JSON, body=b'{"name":"a"}')
    with Wire(seen.app) as wire:
        wire.send(data[:-5])
        wire.reset()
    assert not seen.values
    assert "failed" not in caplog.text


def test_a_guarded_route_reads_no_body_for_strangers() -> None:
    app = Photon()

    @app.post("/")
    def handler(pieces: Annotated[Iterator[bytes], Body()], n: int) -> None: ...

    with Wire(app) as wire:
        wire.send(message("POST", "/?n=x", "Expect: 100-continue", body=b"x" * 10)[:-10])
        assert read_answer(received(wire)).status == 422


def test_others_are_answered_while_a_large_body_is_looked_through() -> None:
    story: list[str] = []
    body = b"[" + b'{"name":"\\u003a"},' * 100_000 + b'{"name":""}]'
    seen = Seen(list[Item], method="POST")
    with Wire(seen.app) as wire:
        spawn(lambda: story.append("other"))
        wire.send(message("POST", "/", JSON, body=body))
        assert read_answer(received(wire)).status == 204
    assert story == ["other"]
    assert ask(seen.app, "GET", "/").status == 405
