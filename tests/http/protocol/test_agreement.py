"""The fast path against the referee: whatever it accepts, h11 reads as the same.

Requests here are nearly valid: good ones with odd bytes in odd places, doubled and mangled header
lines, and white space where none belongs. What is made up wholly at random finds little.
"""

from __future__ import annotations

import re
from itertools import pairwise

import h11
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from photon.http.errors import ProtocolError
from photon.http.protocol.base import Http1
from photon.http.protocol.chunked import ChunkedReader, State
from photon.http.protocol.fast import KnownFields, read_plain_fields
from photon.http.protocol.h1 import FastHttp1
from photon.http.protocol.limits import HeadLimits
from photon.http.status import has_content
from tests.protocol_contract.driver import (
    IMPLEMENTATIONS,
    LIMITS,
    Driver,
    Read,
    fast,
    ready_heads,
    referee,
    singly,
)

often = settings(
    derandomize=True,
    max_examples=600,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

CHUNKED = b"POST /d HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

# Nearly valid requests...


def mostly(
    good: st.SearchStrategy[bytes], odd: st.SearchStrategy[bytes]
) -> st.SearchStrategy[bytes]:
    """Good ones, and an odd one now and then: of many oddities only the first is looked at."""
    return st.sampled_from([False] * 7 + [True]).flatmap(lambda is_odd: odd if is_odd else good)


METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"PROPFIND", b"get", b"G"]
TARGETS = [b"/", b"/a/b?c=d", b"*", b"http://a/b", b"//", b"/\xe9", b"", b"a", b"/%00", b"/#"]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"http/1.1", b""]
NAMES = [
    b"Host", b"host", b"Content-Length", b"content-length", b"Transfer-Encoding", b"Connection",
    b"Expect", b"Upgrade", b"Cookie", b"X", b"X-Host", b"x-content-length", b"", b"a b",
]  # fmt: skip
VALUES = [
    b"a", b"photon.example:80", b"[::1]", b"", b"0", b"3", b"3, 3", b"+3", b"0x3", b"03", b"4",
    b"chunked", b"gzip, chunked", b"close", b"keep-alive", b"Keep-Alive, Upgrade", b"upgrade",
    b"100-continue", b"websocket", b"x: y", b"\xe9\xff", b"a\tb", b"host: b", b"a;b=c",
]  # fmt: skip
ODD = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\x00", b"\x0b", b"\x0c", b"\x85", b"\xa0", b"\x7f",
    b" ", b"\t", b":", b",", b";", b"0", b"5", b"\xff", b"\r\n ", b"Host: a\r\n", b"\x1c",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1", b"GET ",
]  # fmt: skip
BODIES = [b"", b"", b"abc", b"abcd", b"3\r\nabc\r\n0\r\n\r\n", b"0\r\n\r\n", b"GET / HTTP/1.1\r\n"]

header_lines = st.builds(
    lambda name, colon, value, end: name + colon + value + end,
    st.sampled_from(NAMES),
    st.sampled_from([b": "] * 6 + [b":", b":\t ", b" :", b""]),
    st.sampled_from(VALUES),
    st.sampled_from([b"\r\n"] * 12 + [b" \r\n", b"\t\r\n", b"\n", b"\r\r\n"]),
)
good_lines = st.sampled_from(
    [
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: Keep-Alive\r\n",
        b"Accept: */*\r\n",
        b"Cookie: a=b; c=d\r\n",
        b"X: \xe9\r\n",
        b"Y:\r\n",
        b"A-long_name!#$: \t\x80 b \t\r\n",
        b"Host2: b\r\n",
    ]
)
hosts = st.sampled_from([b"Host: a\r\n"] * 3 + [b"HOST:\tphoton.example:8000 \r\n", b""])
many_lines = st.lists(mostly(good_lines, header_lines), max_size=5).map(b"".join)
blocks = st.builds(lambda a, host, b: a + host + b, many_lines, hosts, many_lines)


def mutated(data: bytes, mutations: list[tuple[int, bytes, bool]]) -> bytes:
    """`data` with odd bytes put in, or put in place of others."""
    for place, odd, replaces in mutations:
        at = place % (len(data) + 1)
        data = data[:at] + odd + data[at + len(odd) * replaces :]
    return data


mutations = st.lists(
    st.tuples(st.integers(0, 400), st.sampled_from(ODD), st.booleans()), max_size=2
)
odd_blocks = mostly(blocks, st.builds(mutated, blocks, mutations))

request_lines = st.builds(
    lambda method, target, version, end: method + b" " + target + b" " + version + end,
    st.sampled_from(METHODS),
    st.sampled_from(TARGETS),
    st.sampled_from(VERSIONS),
    st.sampled_from([b"\r\n"] * 9 + [b"\n"]),
)
good_request_lines = st.sampled_from(
    [b"GET / HTTP/1.1\r\n", b"POST /a?b HTTP/1.1\r\n", b"HEAD /c HTTP/1.1\r\n"]
)
good_requests = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        CHUNKED + b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nt: u\r\n\r\n",
        b"POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        b"GET /f HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ]
)
made_up = st.builds(
    lambda line, block, body: line + block + b"\r\n" + body,
    mostly(good_request_lines, request_lines),
    odd_blocks,
    st.sampled_from(BODIES),
)
requests = st.lists(st.one_of(good_requests, made_up), min_size=1, max_size=3).map(b"".join)
odd_requests = st.one_of(requests, st.builds(mutated, requests, mutations))
cuts = st.lists(st.integers(0, 500), max_size=8)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces."""
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[a:b] for a, b in pairwise(borders)]


def outcome(protocol: Http1, pieces: list[bytes]) -> tuple[list[Read], Read | None, str]:
    """What was read, what was begun, and by which rule the rest was refused, if it was."""
    driver = Driver(protocol)
    try:
        driver.feed(*pieces)
    except ProtocolError as error:
        return driver.read, driver.begun, error.rule
    return driver.read, driver.begun, ""


def without_keep_alive(reads: list[Read]) -> list[tuple[object, ...]]:
    return [(one.method, one.target, one.headers, one.body, one.version) for one in reads]


# h11, with nothing before it...


def bare_h11(data: bytes, count: int) -> list[tuple[str, str, list[tuple[str, str]], bytes]]:
    """The first `count` requests in `data`, as h11 reads them.   Raises: RemoteProtocolError."""
    read = []
    for _ in range(count):
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        connection.receive_data(re.sub(rb"\A(\r\n)+", b"", data))
        request = connection.next_event()
        assert isinstance(request, h11.Request), request
        body = b""
        while isinstance(piece := connection.next_event(), h11.Data):
            body += piece.data
        assert isinstance(piece, h11.EndOfMessage), piece
        headers = sorted((k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers)
        read.append((request.method.decode(), request.target.decode("latin-1"), headers, body))
        data = connection.trailing_data[0]
    return read


@often
@given(block=odd_blocks)
def test_a_plain_header_block_is_what_h11_reads(block: bytes) -> None:
    fields = read_plain_fields(block + b"\r\n", LIMITS)
    event("plain" if fields is not None else "not plain")
    if fields is None:
        return
    length = fields.body_bytes
    assert length is not None
    body = b"x" * min(length, 100)
    data = b"GET / HTTP/1.1\r\n" + block + b"\r\n" + body
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    request = connection.next_event()
    assert isinstance(request, h11.Request)
    pairs = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers]
    assert sorted(fields.headers.pairs()) == sorted(pairs)
    read = b""
    while isinstance(piece := connection.next_event(), h11.Data):
        read += piece.data
    assert read == body
    assert isinstance(piece, h11.EndOfMessage) is (length <= 100)
    if isinstance(piece, h11.EndOfMessage):
        assert (connection.their_state is h11.DONE) is fields.keep_alive


@often
@given(data=odd_requests)
def test_what_the_fast_protocol_accepts_h11_reads_the_same(data: bytes) -> None:
    read, _, rule = outcome(fast(), [data])
    event(f"{len(read)} requests, {rule or 'no refusal'}")
    assert [(r.method, r.target, r.headers, r.body) for r in read] == bare_h11(data, len(read))


# Both protocols...


@often
@given(data=odd_requests, places=cuts)
def test_both_protocols_read_and_refuse_the_same(data: bytes, places: list[int]) -> None:
    pieces = [*cut(data, places), b""]
    fast_read, fast_begun, fast_rule = outcome(fast(), pieces)
    read, begun, rule = outcome(referee(), pieces)
    event(rule or "no refusal")
    if any(one.version == "1.0" and one.keep_alive for one in fast_read):
        fast_read = fast_read[: len(read)]  # h11 closes here
        assert without_keep_alive(fast_read) == without_keep_alive(read)
        return
    assert fast_rule == rule
    assert fast_read == read
    assert fast_begun == begun


@often
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(data=odd_requests, places=cuts)
def test_pieces_make_no_difference(name: str, data: bytes, places: list[int]) -> None:
    fresh = IMPLEMENTATIONS[name]
    whole = outcome(fresh(), [data])
    for pieces in (cut(data, places), singly(data)):
        read, begun, rule = outcome(fresh(), pieces)
        assert read == whole[0]
        # Of two faults the one that comes first is told, and that depends on what came when.
        assert bool(rule) is bool(whole[2])
        if not rule:
            assert begun == whole[1]


@often
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(pieces=st.lists(st.binary(min_size=1, max_size=200), max_size=10))
def test_no_bytes_do_worse_than_being_refused(name: str, pieces: list[bytes]) -> None:
    outcome(IMPLEMENTATIONS[name](), [*pieces, b""])


@often
@pytest.mark.parametrize("name", IMPLEMENTATIONS)
@given(tail=st.binary(max_size=200), places=cuts, is_chunked=st.booleans())
def test_no_bytes_in_a_body_do_worse_than_being_refused(
    name: str, tail: bytes, places: list[int], is_chunked: bool
) -> None:
    framing = b"Transfer-Encoding: chunked" if is_chunked else b"Content-Length: 100"
    head = b"POST / HTTP/1.1\r\nHost: a\r\n" + framing + b"\r\n\r\n"
    outcome(IMPLEMENTATIONS[name](), [head, *cut(tail, places), b""])


@often
@given(data=odd_requests, line=good_request_lines)
def test_a_block_that_is_known_is_read_as_one_that_is_not(data: bytes, line: bytes) -> None:
    limits = HeadLimits(head_bytes=120, target_bytes=20, headers=4)
    known = KnownFields(limits)

    def once_more() -> Http1:
        return FastHttp1(limits, known, ready_heads())

    outcome(once_more(), [data])
    longer = line.replace(b"/", b"/12345", 1) + data.partition(b"\r\n")[2]
    for bytes_ in (data, longer):
        assert outcome(once_more(), [bytes_]) == outcome(fast(limits), [bytes_])


# Chunks...

CHUNK_PARTS = [
    b"3\r\nabc\r\n", b"0A\r\n0123456789\r\n", b"1;a=b\r\nx\r\n", b"0\r\n\r\n", b"0\r\n",
    b"\r\n", b"t: u\r\n", b"3", b"abc", b" ", b";", b"\n", b"\r", b"f", b"-", b"+", b"_",
    b"\x00", b"\xb2", b"t:\r\n", b"t : u\r\n", b" u\r\n", b"000\r\n",
]  # fmt: skip
good_chunks = st.lists(st.sampled_from(CHUNK_PARTS[:3]), max_size=4).map(b"".join)
odd_chunks = st.lists(st.sampled_from(CHUNK_PARTS), max_size=4).map(b"".join)
chunk_parts = st.builds(lambda good, odd: good + odd, good_chunks, odd_chunks)


@often
@given(data=chunk_parts, places=cuts)
def test_what_the_chunked_reader_accepts_h11_reads_the_same(data: bytes, places: list[int]) -> None:
    data += b"0\r\n\r\n"
    reader = ChunkedReader()
    body, buffer = b"", b""
    for piece in cut(data, places):
        buffer += piece
        try:
            pieces, used = reader.read(buffer)
        except ProtocolError:
            event("refused")
            return
        body += b"".join(pieces)
        buffer = buffer[used:]
    event(reader.state.value)
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(CHUNKED + data)
    assert isinstance(connection.next_event(), h11.Request)
    read = b""
    while isinstance(last := connection.next_event(), h11.Data):
        read += last.data
    assert read == body
    assert isinstance(last, h11.EndOfMessage) is (reader.state is State.DONE)
    if reader.state is State.DONE:
        assert connection.trailing_data[0] == buffer


# Responses...

field_values = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=20
)
field_names = st.sampled_from(
    ["x", "etag", "set-cookie", "connection", "date", "transfer-encoding", "keep-alive", "vary"]
)


@often
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "PROPFIND"]),
    version=st.sampled_from(["1.1", "1.1", "1.0"]),
    status=st.sampled_from([200, 204, 206, 301, 304, 404, 500, 599]),
    fields=st.lists(st.tuples(field_names, field_values), max_size=4),
    pieces=st.lists(st.binary(max_size=30), max_size=4),
    is_counted=st.booleans(),
)
def test_what_the_fast_protocol_writes_an_h11_client_reads(
    method: str,
    version: str,
    status: int,
    fields: list[tuple[str, str]],
    pieces: list[bytes],
    is_counted: bool,
) -> None:
    protocol = fast()
    protocol.receive_data(f"{method} / HTTP/{version}\r\nHost: a\r\n\r\n".encode())
    assert protocol.next_request() is not None
    wire = [(name.encode(), value.encode()) for name, value in fields]
    length = sum(map(len, pieces)) if is_counted else None
    data = protocol.head(status, wire, length)
    for piece in pieces:
        data += protocol.data(piece)
    data += protocol.end()

    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    client.receive_data(b"")
    response = client.next_event()
    assert isinstance(response, h11.Response)
    assert response.status_code == status
    ours = {"connection", "date", "transfer-encoding", "keep-alive", "content-length"}
    assert [
        (name.decode(), value.decode())
        for name, value in response.headers
        if name.decode() not in ours
    ] == [(name, value) for name, value in fields if name not in ours]
    names = [name for name, _ in response.headers]
    assert names.count(b"date") == 1
    assert {names.count(name) for name in (b"connection", b"content-length")} <= {0, 1}
    body = b""
    while isinstance(last := client.next_event(), h11.Data):
        body += last.data
    assert isinstance(last, h11.EndOfMessage)
    has_body = method != "HEAD" and has_content(status)
    assert body == (b"".join(pieces) if has_body else b"")
    assert client.trailing_data[0] == b""
    assert protocol.next_cycle() is ((b"connection", b"close") not in list(response.headers))
