"""What every implementation writes, read back by a client that is not Photon."""

from __future__ import annotations

from collections.abc import Callable

import h11
import pytest
from msgspec import Struct

from photon.http.protocol.base import Fields, Http1
from photon.http.status import reason_phrase

Fresh = Callable[..., Http1]


class Answer(Struct, frozen=True):
    """A response as h11's client reads it."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


def read_back(
    data: bytes, method: str = "GET", version: str = "1.1", *, ended: bool = False
) -> Answer:
    """The one response in `data`, and nothing behind it."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    if ended:
        client.receive_data(b"")
    response = client.next_event()
    assert isinstance(response, h11.Response), response
    headers: dict[str, str] = {}
    for name, value in response.headers:
        assert name.decode() not in headers, "written twice"
        headers[name.decode()] = value.decode()
    body = b""
    while not isinstance(event := client.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data), event
        body += event.data
    assert client.trailing_data[0] == b""
    return Answer(response.status_code, response.reason.decode(), headers, body)


def asked(fresh: Fresh, method: str = "GET", version: str = "1.1") -> Http1:
    """A protocol that waits for its answer."""
    protocol = fresh()
    protocol.receive_data(f"{method} / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    assert protocol.next_request() is not None
    return protocol


def written(
    protocol: Http1, status: int, fields: Fields, body_bytes: int | None, *pieces: bytes
) -> bytes:
    """A response written piece by piece, as the server does."""
    out = protocol.head(status, fields, body_bytes)
    if protocol.sends_content:
        for piece in pieces:
            out += protocol.data(piece)
        out += protocol.end()
    return out


# Plain ones...


@pytest.mark.parametrize("status", [200, 201, 203, 205, 226, 301, 400, 404, 418, 500, 599])
def test_a_plain_response(fresh: Fresh, status: int) -> None:
    protocol = asked(fresh)
    answer = read_back(protocol.plain(status, "text/plain", b"hello"))
    assert (answer.status, answer.reason) == (status, reason_phrase(status))
    assert answer.body == b"hello"
    assert answer.headers.keys() == {"date", "content-type", "content-length"}
    assert answer.headers["content-type"] == "text/plain"
    assert protocol.next_cycle()


def test_a_plain_response_without_a_media_type(fresh: Fresh) -> None:
    answer = read_back(asked(fresh).plain(200, None, b""))
    assert answer.headers.keys() == {"date", "content-length"}
    assert answer.headers["content-length"] == "0"


@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND", "OPTIONS"])
def test_plain_says_the_same_whatever_the_request(fresh: Fresh, method: str) -> None:
    answer = read_back(asked(fresh, method).plain(200, "text/plain", b"hello"), method)
    assert answer.body == b"hello"
    assert answer.headers.keys() == {"date", "content-type", "content-length"}


def test_head_has_the_headers_of_get_and_no_content(fresh: Fresh) -> None:
    """RFC 9110 §9.3.2: the server "SHOULD send the same header fields"."""
    protocol = asked(fresh, "HEAD")
    answer = read_back(protocol.plain(200, "text/plain", b"hello"), "HEAD")
    assert answer.headers["content-length"] == "5"
    assert answer.body == b""
    assert protocol.next_cycle()


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_has_no_content_says_nothing_of_it(fresh: Fresh, method: str, status: int) -> None:
    """RFC 9110 §8.6: "A server MUST NOT send a Content-Length header field in any response with
    a status code of 1xx (Informational) or 204 (No Content)"."""
    protocol = asked(fresh, method)
    data = protocol.plain(status, "text/plain", b"lost")
    answer = read_back(data, method)
    assert data.endswith(b"\r\n\r\n")
    assert answer.headers.keys() == {"date"}
    assert protocol.next_cycle()


@pytest.mark.parametrize("status", [204, 304])
def test_a_response_with_no_content_can_be_written_in_pieces(fresh: Fresh, status: int) -> None:
    protocol = asked(fresh)
    data = written(protocol, status, [(b"etag", b'"a"')], 4, b"lost")
    assert not protocol.sends_content
    assert read_back(data).headers.keys() == {"date", "etag"}
    assert protocol.next_cycle()
    protocol.receive_data(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert protocol.next_request() is not None
    assert read_back(protocol.plain(200, None, b"again")).body == b"again"


# With headers of their own...


def test_headers_are_sent_in_order(fresh: Fresh) -> None:
    protocol = asked(fresh)
    data = written(
        protocol, 200, [(b"x", b"1"), (b"set-cookie", b"a=b"), (b"set-cookie", b"c=d")], 2, b"ok"
    )
    assert b"x: 1\r\nset-cookie: a=b\r\nset-cookie: c=d\r\n" in data.lower()


@pytest.mark.parametrize(
    "fields",
    [
        [(b"content-length", b"99")],
        [(b"content-length", b"nine")],
        [(b"transfer-encoding", b"gzip")],
        [(b"connection", b"upgrade, x")],
        [(b"keep-alive", b"timeout=5")],
        [(b"date", b"yesterday")],
    ],
)
def test_what_the_protocol_says_no_handler_can_say_otherwise(fresh: Fresh, fields: Fields) -> None:
    protocol = asked(fresh)
    answer = read_back(written(protocol, 200, fields, 2, b"ok"))
    assert answer.headers.keys() == {"date", "content-length"}
    assert answer.headers["content-length"] == "2"
    assert answer.body == b"ok"
    assert protocol.next_cycle()


@pytest.mark.parametrize("said", [b"close", b"Close"])
def test_a_handler_may_ask_to_close(fresh: Fresh, said: bytes) -> None:
    protocol = asked(fresh)
    answer = read_back(written(protocol, 200, [(b"connection", said)], 2, b"ok"))
    assert answer.headers["connection"] == "close"
    assert not protocol.next_cycle()


def test_head_with_fields_has_no_content(fresh: Fresh) -> None:
    protocol = asked(fresh, "HEAD")
    answer = read_back(written(protocol, 200, [(b"x", b"y")], 5, b"hello"), "HEAD")
    assert answer.headers["content-length"] == "5"
    assert not protocol.sends_content
    assert protocol.next_cycle()


# Streams...


def test_a_stream_is_chunked(fresh: Fresh) -> None:
    protocol = asked(fresh)
    data = written(protocol, 200, [], None, b"hello", b"", b" ", b"world" * 1000)
    assert protocol.sends_content
    answer = read_back(data)
    assert answer.body == b"hello " + b"world" * 1000
    assert answer.headers.keys() == {"date", "transfer-encoding"}
    assert protocol.next_cycle()


def test_an_empty_stream(fresh: Fresh) -> None:
    assert read_back(written(asked(fresh), 200, [], None)).body == b""


def test_head_of_a_stream(fresh: Fresh) -> None:
    protocol = asked(fresh, "HEAD")
    answer = read_back(written(protocol, 200, [], None, b"lost"), "HEAD")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert not protocol.sends_content
    assert protocol.next_cycle()


def test_a_stream_to_http_1_0_ends_with_the_connection(fresh: Fresh) -> None:
    """RFC 9112 §6.1: "A server MUST NOT send a response containing Transfer-Encoding unless the
    corresponding request indicates HTTP/1.1 (or later minor revisions)"."""
    protocol = asked(fresh, version="1.0")
    data = written(protocol, 200, [], None, b"hello ", b"world")
    answer = read_back(data, ended=True)
    assert answer.body == b"hello world"
    assert answer.headers == answer.headers | {"connection": "close"}
    assert answer.headers.keys() == {"date", "connection"}
    assert not protocol.next_cycle()


def test_a_stream_may_declare_its_length(fresh: Fresh) -> None:
    protocol = asked(fresh)
    answer = read_back(written(protocol, 200, [(b"content-length", b"5")], None, b"he", b"llo"))
    assert answer.headers["content-length"] == "5"
    assert answer.body == b"hello"


@pytest.mark.parametrize("fields", [[], [(b"content-length", b"4")]])
def test_more_than_was_declared_is_not_sent(fresh: Fresh, fields: Fields) -> None:
    protocol = asked(fresh)
    protocol.head(200, fields, None if fields else 4)
    protocol.data(b"hel")
    with pytest.raises(ValueError, match=r"longer|[Tt]oo much"):
        protocol.data(b"lo")


def test_less_than_was_declared_is_not_an_end(fresh: Fresh) -> None:
    protocol = asked(fresh)
    protocol.head(200, [], 6)
    protocol.data(b"hello")
    with pytest.raises(ValueError, match=r"shorter|[Tt]oo little"):
        protocol.end()


def test_what_is_sent_past_the_protocol_is_counted(fresh: Fresh) -> None:
    protocol = asked(fresh)
    protocol.head(206, [], 1 << 40)
    protocol.count_data(1 << 39)
    protocol.count_data(1 << 39)
    assert protocol.end() == b""
    assert protocol.next_cycle()


def test_too_much_sent_past_the_protocol(fresh: Fresh) -> None:
    protocol = asked(fresh)
    protocol.head(200, [], 4)
    with pytest.raises(ValueError, match=r"longer|[Tt]oo much"):
        protocol.count_data(5)


# One after another...


def test_a_response_may_come_before_the_body_it_answers(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
    assert protocol.next_request() is not None
    assert read_back(protocol.plain(413, None, b"no"), "POST").body == b"no"
    assert protocol.next_cycle()
    protocol.receive_data(b"cdGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert protocol.next_request() is not None
    assert read_back(protocol.plain(200, None, b"ok")).body == b"ok"


@pytest.mark.parametrize("first", ["GET", "HEAD", "PROPFIND"])
@pytest.mark.parametrize("second", ["GET", "HEAD", "PROPFIND"])
def test_a_response_is_shaped_by_its_own_request(fresh: Fresh, first: str, second: str) -> None:
    protocol = fresh()
    for method in (first, second, first):
        protocol.receive_data(f"{method} / HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert protocol.next_request() is not None
        answer = read_back(protocol.plain(200, "text/plain", b"hello"), method)
        assert answer.body == (b"" if method == "HEAD" else b"hello")
        assert protocol.next_cycle()


# Splitting...


@pytest.mark.parametrize("evil", ["a\r\nx: y", "a\nx: y", "a\r\n\r\n<html>", "a\rb", "a\0b"])
def test_a_media_type_cannot_split_the_response(fresh: Fresh, evil: str) -> None:
    for method in ("GET", "HEAD", "PROPFIND"):
        with pytest.raises(ValueError, match="content-type"):
            asked(fresh, method).plain(200, evil, b"")


@pytest.mark.parametrize("status", [0, 99, 600, 1000])
def test_what_is_no_status_is_not_sent(fresh: Fresh, status: int) -> None:
    for method in ("GET", "HEAD", "PROPFIND"):
        with pytest.raises(ValueError, match="no status of a response"):
            asked(fresh, method).plain(status, None, b"")
        with pytest.raises(ValueError, match="no status of a response"):
            asked(fresh, method).head(status, [], None)
