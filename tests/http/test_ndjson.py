"""One JSON value a line, out and in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.body import Body
from photon.http.errors import BadBody, BodyTooLarge, HTTPError, InvalidBody
from photon.http.ndjson import NDJSON, read_ndjson
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.testing.wire import Wire
from tests.clients import Client, expect_no_leaks, request, wait_until
from tests.http.requests import Pieces, make_request


class Item(msgspec.Struct):
    name: str
    count: int = 0


# Out...


def test_each_item_is_a_line() -> None:
    response = NDJSON([{"a": "ä\n"}, Item("x"), None, Decimal("1.5")], 201, {"X": "y"})
    assert response.content_type == "application/x-ndjson"
    assert (response.status, response.headers["x"]) == (201, "y")
    assert b"".join(response.pieces()) == (
        '{"a":"ä\\n"}\n{"name":"x","count":0}\nnull\n1.5\n'.encode()
    )


def test_one_value_is_not_several() -> None:
    with pytest.raises(TypeError, match="a list with that one item"):
        NDJSON({"a": 1})


def test_each_line_is_sent_at_once() -> None:
    go: list[int] = []

    def items() -> Iterator[int]:
        for number in range(3):
            wait_until(lambda: len(go) > number)  # noqa: B023  # it is called at once
            yield number

    with serve(lambda request: NDJSON(items())) as server, Client(server) as client:
        client.get("/")
        for number in range(3):
            go.append(number)
            client.read_until(b"%d\n" % number)
        client.read_until(b"0\r\n\r\n")
        client.close()
        expect_no_leaks(server)


def test_what_cannot_be_encoded_cuts_the_stream_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended = []

    def items() -> Iterator[object]:
        try:
            yield 1
            yield object()
        finally:
            ended.append(True)

    with caplog.at_level(logging.ERROR), Wire(lambda request: NDJSON(items())) as wire:
        wire.send(request("GET", "/"))
        assert wire.receive().endswith(b"2\r\n1\n\r\n")
        assert wire.is_closed
    assert ended == [True]
    assert len(caplog.records) == 1


# In...


def body_of(*pieces: bytes, limit: int = 1 << 20) -> Request:
    request = make_request(method="POST")
    request._body = Body(Pieces(*pieces), None, limit)
    return request


def test_lines_are_read_as_they_come() -> None:
    source = Pieces(b'{"name":"a"}\n{"na', b'me":"b","count":2}\r\n\n \n', b'{"name":"c"}')
    request = make_request(method="POST")
    request._body = Body(source, None, 1000)
    items = read_ndjson(request, Item)
    assert source.asked == 0
    assert next(items) == Item("a")
    assert source.asked == 1
    assert list(items) == [Item("b", 2), Item("c")]
    assert list(read_ndjson(body_of())) == []
    assert list(read_ndjson(body_of(b"1\n2"))) == [1, 2]


@given(st.lists(st.text() | st.integers() | st.none(), max_size=8), st.data())
def test_where_the_pieces_end_does_not_matter(values: list[Any], data: st.DataObject) -> None:
    text = b"".join(NDJSON(values).pieces())
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert list(read_ndjson(body_of(*filter(None, pieces)))) == values


BROKEN = [
    ([b"1\n\n[1,}\n"], "invalid character at line 3, column 4 (byte 6)"),
    ([b'1\n"\xc3\xa4" ', b"x\n"], "trailing characters at line 2, column 5 (byte 7)"),
    ([b'1\n"\xff"\n'], "bytes that are not UTF-8 at line 2, column 2 (byte 3)"),
    ([b"1\n[1\n2]\n"], "it ends too early at line 2, column 3 (byte 4)"),
    ([b"[1"], "it ends too early at line 1, column 3 (byte 2)"),
]


@pytest.mark.parametrize(("pieces", "says"), BROKEN)
def test_a_broken_line_is_named(pieces: list[bytes], says: str) -> None:
    with pytest.raises(BadBody) as refused:
        list(read_ndjson(body_of(*pieces)))
    assert refused.value.detail == f"the body is not NDJSON: {says}"
    extra = refused.value.extra
    assert f"line {extra['line']}, column {extra['column']} (byte {extra['byte']})" in says


def test_a_line_of_another_shape_is_named() -> None:
    items = read_ndjson(body_of(b'{"name":"a"}\n\n{"name":1}\n'), Item)
    assert next(items) == Item("a")
    with pytest.raises(InvalidBody) as refused:
        next(items)
    (error,) = refused.value.extra["errors"]
    assert (error["loc"], error["line"]) == (["body", 1, "name"], 3)
    assert "Expected `str`" in error["msg"]


def test_nesting_without_end_is_refused() -> None:
    deep = b"[" * 10_000 + b"]" * 10_000
    with pytest.raises(BadBody, match="nested too deeply, in line 2") as refused:
        list(read_ndjson(body_of(b"1\n" + deep)))
    assert refused.value.extra == {"line": 2}


LONG = [
    [b"1\n", b'"', b"aaa", b"aaa", b"aaa", b"aaa"],
    [b'1\n"aaaaaaaaaaaa"\n2'],
    [b'1\n"aaaaaaaaaaaa"'],
    [b"1\n", b'"aaaaaaaa', b'aaaa"\n'],
]


@pytest.mark.parametrize("pieces", LONG)
def test_a_line_has_a_limit(pieces: list[bytes]) -> None:
    items = read_ndjson(body_of(*pieces), line_bytes=10)
    with pytest.raises(HTTPError, match="line 2 is longer than the limit of 10 bytes") as refused:
        list(items)
    assert (refused.value.status, refused.value.extra) == (413, {"line": 2, "limit": 10})
    assert list(read_ndjson(body_of(b'"aaaaaaaa"\n'), line_bytes=10)) == ["a" * 8]


def test_a_line_that_comes_byte_by_byte_costs_no_more_than_it_is_long() -> None:
    text = b'"' + b"a" * 200_000 + b'"\n'
    pieces = [text[at : at + 1] for at in range(len(text))]
    request = make_request(method="POST")
    request._body = Body(Chunks(pieces), None, 1 << 20)
    assert list(read_ndjson(request)) == ["a" * 200_000]


class Chunks:
    """A source of a body that gives many pieces quickly."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._next: Callable[[], bytes] = iter([*pieces, b""]).__next__

    def next_body_chunk(self) -> bytes:
        return self._next()


def test_the_body_has_its_limit_all_the_same() -> None:
    with pytest.raises(BodyTooLarge):
        list(read_ndjson(body_of(b"1\n" * 60, b"1\n" * 60, limit=200)))


def test_what_comes_line_by_line_is_answered_line_by_line() -> None:
    def double(request: Request) -> Response:
        return NDJSON(item * 2 for item in read_ndjson(request, int))

    with serve(double) as server, Client(server) as client:
        client.send(request("POST", "/", "Transfer-Encoding: chunked"))
        for number in (3, 4):
            client.send(b"2\r\n%d\n\r\n" % number)
            client.read_until(b"%d\n\r\n" % (number * 2))
        client.send(b"0\r\n\r\n")
        client.read_until(b"0\r\n\r\n")
        client.close()
        expect_no_leaks(server)
