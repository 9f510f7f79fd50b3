"""What every implementation reads: heads, bodies, and where the next request begins."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from photon.http.errors import ProtocolError
from photon.http.protocol.base import Http1
from photon.http.protocol.limits import HeadLimits
from tests.protocol_contract.driver import Driver, drive, singly

Fresh = Callable[..., Http1]

HOST = b"Host: photon.example\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"

# name: (bytes, [(method, target, body), ...])
REQUESTS: dict[str, tuple[bytes, list[tuple[str, str, bytes]]]] = {
    "get": (b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", [("GET", "/", b"")]),
    "query": (b"GET /a/b?c=d&e HTTP/1.1\r\n" + HOST + b"\r\n", [("GET", "/a/b?c=d&e", b"")]),
    "head": (b"HEAD /x HTTP/1.1\r\n" + HOST + b"\r\n", [("HEAD", "/x", b"")]),
    "unusual method": (
        b"PROPFIND / HTTP/1.1\r\n" + HOST + b"\r\n",
        [("PROPFIND", "/", b"")],
    ),
    "method of odd letters": (
        b"M-SEARCH! / HTTP/1.1\r\n" + HOST + b"\r\n",
        [("M-SEARCH!", "/", b"")],
    ),
    "options *": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [("OPTIONS", "*", b"")]),
    "absolute target": (
        b"GET http://photon.example/a?b HTTP/1.1\r\n" + HOST + b"\r\n",
        [("GET", "http://photon.example/a?b", b"")],
    ),
    "absolute target without a path": (
        b"GET HTTPS://[::1]:8443 HTTP/1.1\r\n" + HOST + b"\r\n",
        [("GET", "HTTPS://[::1]:8443", b"")],
    ),
    "empty host": (b"GET / HTTP/1.1\r\nHost:\r\n\r\n", [("GET", "/", b"")]),
    "host of an address": (b"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [("GET", "/", b"")]),
    "http/1.0 without host": (b"GET / HTTP/1.0\r\n\r\n", [("GET", "/", b"")]),
    "white space around values": (
        b"GET / HTTP/1.1\r\nhost:photon.example \t\r\nA:\t b\tc  d \r\n\r\n",
        [("GET", "/", b"")],
    ),
    "octets beyond ascii in a value": (
        b"GET / HTTP/1.1\r\n" + HOST + b"X: caf\xc3\xa9 \x85\xa0\xff\r\n\r\n",
        [("GET", "/", b"")],
    ),
    "odd but visible target": (
        b"GET /<a>\"{b}|\\^`[c]#d HTTP/1.1\r\n" + HOST + b"\r\n",
        [("GET", "/<a>\"{b}|\\^`[c]#d", b"")],
    ),
    "empty lines first": (
        b"\r\n\r\n\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
        [("GET", "/", b"")],
    ),
    "empty line between": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\n\r\nhi\r\nGET /2 HTTP/1.1\r\n"
        + HOST + b"\r\n",
        [("POST", "/", b"hi"), ("GET", "/2", b"")],
    ),
    "length": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello",
        [("POST", "/", b"hello")],
    ),
    "length of nought": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n",
        [("POST", "/", b"")],
    ),
    "length with leading noughts": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 0005\r\n\r\nhello",
        [("POST", "/", b"hello")],
    ),
    "length with get": (
        b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello",
        [("GET", "/", b"hello")],
    ),
    "body that looks like a request": (
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 21\r\n\r\nGET /no HTTP/1.1\r\n\r\nx",
        [("POST", "/", b"GET /no HTTP/1.1\r\n\r\nx")],
    ),
    "chunked": (CHUNKED + b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", [("POST", "/", b"hello!")]),
    "chunked, empty": (CHUNKED + b"0\r\n\r\n", [("POST", "/", b"")]),
    "chunked, sizes of every writing": (
        CHUNKED + b"00A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n",
        [("POST", "/", b"01234567890123456789")],
    ),
    "chunked, extensions": (
        CHUNKED + b'2;a=b;c="d;e"\r\nhi\r\n0;last\r\n\r\n',
        [("POST", "/", b"hi")],
    ),
    "chunked, trailers": (
        CHUNKED + b"2\r\nhi\r\n0\r\nDigest: x\r\nContent-Length: 99\r\n\r\n",
        [("POST", "/", b"hi")],
    ),
    "chunked, line ends in the data": (
        CHUNKED + b"6\r\n\r\n0\r\n\r\r\n0\r\n\r\n",
        [("POST", "/", b"\r\n0\r\n\r")],
    ),
    "Chunked in capitals": (
        CHUNKED.replace(b"chunked", b"CHUNKED") + b"2\r\nhi\r\n0\r\n\r\n",
        [("POST", "/", b"hi")],
    ),
    "pipelined": (
        b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n"
        b"POST /2 HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc"
        + CHUNKED + b"3\r\ndef\r\n0\r\n\r\n"
        b"GET /4 HTTP/1.1\r\n" + HOST + b"\r\n",
        [("GET", "/1", b""), ("POST", "/2", b"abc"), ("POST", "/", b"def"), ("GET", "/4", b"")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_is_read(fresh: Fresh, case: str) -> None:
    data, expected = REQUESTS[case]
    read = drive(fresh(), [data]).read
    assert [(one.method, one.target, one.body) for one in read] == expected


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_is_read_the_same_byte_by_byte(fresh: Fresh, case: str) -> None:
    data, _ = REQUESTS[case]
    assert drive(fresh(), singly(data)).read == drive(fresh(), [data]).read


@pytest.mark.parametrize("case", REQUESTS)
def test_a_request_is_read_the_same_however_it_is_split(fresh: Fresh, case: str) -> None:
    data, _ = REQUESTS[case]
    whole = drive(fresh(), [data]).read
    for at in range(1, len(data)):
        assert drive(fresh(), [data[:at], data[at:]]).read == whole, data[:at]


@pytest.mark.parametrize("case", REQUESTS)
def test_all_that_came_is_taken(fresh: Fresh, case: str) -> None:
    driver = drive(fresh(), [REQUESTS[case][0], b""])
    assert driver.protocol.pending == b""
    assert driver.begun is None


def test_headers_are_read_in_order_without_white_space_around(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(
        b"GET / HTTP/1.1\r\nHOST:\tphoton.example \r\nB:  1\r\na: x\r\nb:\r\nA: \xe9 y\t\r\n\r\n"
    )
    head = protocol.next_request()
    assert head is not None
    headers = head.fields.headers
    assert headers["Host"] == "photon.example"
    assert headers.get_all("b") == ["1", ""]
    assert headers["A"] == "x, é y"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/", "/", ""),
        (b"/a%20b?c=%20", "/a%20b", "c=%20"),
        (b"/a?b?c", "/a", "b?c"),
        (b"//a/../b", "//a/../b", ""),
        (b"http://photon.example", "/", ""),
        (b"http://photon.example?q", "/", "q"),
        (b"https://photon.example/a?q", "/a", "q"),
    ],
)
def test_the_target_is_split(fresh: Fresh, target: bytes, path: str, query: str) -> None:
    protocol = fresh()
    protocol.receive_data(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    head = protocol.next_request()
    assert head is not None
    assert (head.target, head.path, head.query) == (target.decode(), path, query)


# Whether the connection lives on...


@pytest.mark.parametrize(
    ("version", "connection", "lives"),
    [
        (b"1.1", [], True),
        (b"1.1", [b"keep-alive"], True),
        (b"1.1", [b"Keep-Alive"], True),
        (b"1.1", [b"close"], False),
        (b"1.1", [b"CLOSE"], False),
        (b"1.1", [b"foo, close"], False),
        (b"1.1", [b"close, keep-alive"], False),
        (b"1.1", [b"keep-alive", b"close"], False),
        (b"1.1", [b"closed"], True),
        (b"1.1", [b""], True),
        (b"1.0", [], False),
        (b"1.0", [b"close"], False),
        (b"1.0", [b"foo"], False),
        (b"1.0", [b"keep-alive, close"], False),
    ],
)
def test_who_closes(fresh: Fresh, version: bytes, connection: list[bytes], lives: bool) -> None:
    fields = b"".join(b"Connection: %b\r\n" % value for value in connection)
    driver = drive(fresh(), [b"GET / HTTP/" + version + b"\r\n" + HOST + fields + b"\r\n"])
    assert driver.is_open is lives
    assert (b"connection: close" in driver.written.lower()) is not lives


def test_http_1_0_is_kept_alive_when_both_say_so(fresh: Fresh) -> None:
    driver = drive(fresh(), [b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"])
    # h11 closes after every HTTP/1.0 request; whichever it is, the response says so.
    said = b"connection: keep-alive" if driver.is_open else b"connection: close"
    assert said in driver.written.lower()


def test_a_server_that_wants_to_close_says_so(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert protocol.next_request() is not None
    protocol.keep_alive = False
    assert b"connection: close" in protocol.plain(200, "text/plain", b"bye").lower()
    assert not protocol.next_cycle()


def test_nothing_is_read_after_the_last_request(fresh: Fresh) -> None:
    last = b"GET /last HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    driver = drive(fresh(), [last + b"GET /more HTTP/1.1\r\n" + HOST + b"\r\n"])
    assert [one.target for one in driver.read] == ["/last"]


# What it asks for...


@pytest.mark.parametrize(
    ("line", "fields", "expects"),
    [
        (b"POST / HTTP/1.1", b"Expect: 100-continue\r\nContent-Length: 2\r\n", True),
        (b"POST / HTTP/1.1", b"Expect: 100-Continue\r\nContent-Length: 2\r\n", True),
        (b"POST / HTTP/1.1", b"Content-Length: 2\r\n", False),
        # RFC 9110 §10.1.1: "A server that receives a 100-continue expectation in an HTTP/1.0
        # request MUST ignore that expectation."
        (b"POST / HTTP/1.0", b"Expect: 100-continue\r\nContent-Length: 2\r\n", False),
    ],
)
def test_who_waits_for_100_continue(
    fresh: Fresh, line: bytes, fields: bytes, expects: bool
) -> None:
    driver = drive(fresh(), [line + b"\r\n" + HOST + fields + b"\r\n"])
    request = driver.protocol.request
    assert request is not None
    assert request.fields.expects_continue is expects
    driver.feed(b"ok")
    assert [one.body for one in driver.read] == [b"ok"]


@pytest.mark.parametrize(
    ("version", "fields", "upgrade"),
    [
        (b"1.1", b"Connection: Upgrade\r\nUpgrade: WebSocket\r\n", "websocket"),
        (b"1.1", b"Connection: keep-alive, upgrade\r\nUpgrade: h2c\r\n", "h2c"),
        # RFC 9110 §7.8: "A sender of Upgrade MUST also send an Upgrade connection option".
        (b"1.1", b"Upgrade: websocket\r\n", ""),
        (b"1.1", b"Connection: Upgrade\r\n", ""),
        # The same: "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0
        # request."
        (b"1.0", b"Connection: Upgrade\r\nUpgrade: websocket\r\n", ""),
    ],
)
def test_who_wants_to_change_the_protocol(
    fresh: Fresh, version: bytes, fields: bytes, upgrade: str
) -> None:
    protocol = fresh()
    protocol.receive_data(b"GET / HTTP/" + version + b"\r\n" + HOST + fields + b"\r\n")
    head = protocol.next_request()
    assert head is not None
    assert head.fields.upgrade == upgrade


def test_an_upgrade_that_nobody_grants_is_a_plain_request(fresh: Fresh) -> None:
    upgrade = b"GET /1 HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    driver = drive(fresh(), [upgrade, b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n"])
    assert [one.target for one in driver.read] == ["/1", "/2"]


# Pull...


def test_a_body_is_given_as_it_comes(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n")
    assert protocol.next_request() is not None
    assert protocol.next_data() is None
    protocol.receive_data(b"ab")
    assert protocol.next_data() == b"ab"
    assert protocol.next_data() is None
    protocol.receive_data(b"cdGET")
    assert protocol.next_data() == b"cd"
    assert protocol.body_is_complete
    assert protocol.next_data() == b""
    assert protocol.pending == b"GET"


@pytest.mark.parametrize(
    "body",
    [
        b"Content-Length: 5\r\n\r\nhello",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\na: b\r\n\r\n",
    ],
)
@pytest.mark.parametrize("taken", [0, 1, 4])
def test_a_body_that_nobody_reads_is_skipped(fresh: Fresh, body: bytes, taken: int) -> None:
    protocol = fresh()
    data = b"POST /1 HTTP/1.1\r\n" + HOST + body + b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n"
    at = data.index(b"\r\n\r\n") + 4 + taken
    protocol.receive_data(data[:at])
    first = protocol.next_request()
    assert first is not None
    assert first.target == "/1"
    protocol.plain(200, None, b"")
    assert protocol.next_cycle()
    assert protocol.next_request() is None
    for piece in singly(data[at:]):
        assert protocol.request is None
        protocol.receive_data(piece)
        second = protocol.next_request()
    assert second is not None
    assert second.target == "/2"


def test_skip_body_tells_whether_all_of_it_came(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nab")
    assert protocol.next_request() is not None
    assert not protocol.skip_body()
    protocol.receive_data(b"cd")
    assert protocol.skip_body()


# The end...


def test_a_client_may_end_between_requests(fresh: Fresh) -> None:
    driver = drive(fresh(), [b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", b""])
    assert len(driver.read) == 1
    assert driver.protocol.has_ended
    assert driver.protocol.next_request() is None


def test_a_client_may_end_its_side_and_wait_for_the_answer(fresh: Fresh) -> None:
    protocol = fresh()
    protocol.receive_data(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    protocol.receive_data(b"")
    assert protocol.next_request() is not None
    assert protocol.plain(200, None, b"ok").endswith(b"ok")


@pytest.mark.parametrize(
    "data",
    [
        b"G",
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\n" + HOST,
        b"GET / HTTP/1.1\r\n" + HOST + b"\r",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nab",
        CHUNKED,
        CHUNKED + b"5",
        CHUNKED + b"5\r\nhel",
        CHUNKED + b"5\r\nhello",
        CHUNKED + b"5\r\nhello\r\n0\r\n",
        CHUNKED + b"5\r\nhello\r\n0\r\na: b\r\n",
    ],
)
@pytest.mark.parametrize("split", [False, True])
def test_a_truncated_message_is_incomplete(fresh: Fresh, data: bytes, split: bool) -> None:
    driver = drive(fresh(), singly(data) if split else [data])
    with pytest.raises(ProtocolError) as refused:
        driver.feed(b"")
    assert (refused.value.rule, refused.value.status) == ("incomplete", 400)


# Limits...


def test_a_head_may_be_as_large_as_the_limit(fresh: Fresh) -> None:
    start = b"GET / HTTP/1.1\r\n" + HOST + b"X: "
    limits = HeadLimits(head_bytes=500)
    fits = start + b"x" * (500 - len(start) - 4) + b"\r\n\r\n"
    for pieces in ([fits], singly(fits)):
        assert len(drive(fresh(limits), pieces).read) == 1


def test_a_target_may_be_as_long_as_the_limit(fresh: Fresh) -> None:
    limits = HeadLimits(target_bytes=100)
    for method in (b"GET", b"PROPFIND"):
        fits = method + b" /" + b"x" * 99 + b" HTTP/1.1\r\n" + HOST + b"\r\n"
        for pieces in ([fits], singly(fits)):
            assert len(drive(fresh(limits), pieces).read) == 1


def test_as_many_headers_as_the_limit(fresh: Fresh) -> None:
    limits = HeadLimits(headers=5)
    fits = b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 4 + b"\r\n"
    assert len(drive(fresh(limits), [fits]).read) == 1


def test_limits_hold_for_a_head_that_was_seen_before(fresh: Fresh) -> None:
    """A block that is remembered comes back under a longer request line."""
    protocol = fresh(HeadLimits(head_bytes=80))
    block = HOST + b"X: 23456789\r\n\r\n"
    driver = Driver(protocol).feed(b"GET / HTTP/1.1\r\n" + block)
    with pytest.raises(ProtocolError) as refused:
        driver.feed(b"GET /" + b"x" * 50 + b" HTTP/1.1\r\n" + block)
    assert refused.value.rule == "head-too-large"
