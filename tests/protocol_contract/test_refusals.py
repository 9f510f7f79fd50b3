"""What every implementation refuses, by which rule, however the bytes come."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from photon.http.errors import ProtocolError
from photon.http.protocol.base import Http1
from photon.http.protocol.limits import HeadLimits
from photon.http.protocol.rules import RULES
from tests.protocol_contract.driver import Driver, drive, singly

Fresh = Callable[..., Http1]

GET = b"GET / HTTP/1.1\r\n"
HOST = b"Host: photon.example\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
END = b"\r\n"
TLS_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(32)) + b"\r\n\r\n"


def field(line: bytes) -> bytes:
    """A request that is good but for one header line."""
    return GET + HOST + line + b"\r\n" + END


# (rule, bytes)
REFUSALS: list[tuple[str, bytes]] = [
    # What is no HTTP/1 at all...
    ("tls", TLS_HELLO),
    ("tls", b"\x16"),
    ("http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("garbage", b"\x00\x01\x02\x03\r\n\r\n"),
    ("garbage", b"\xff\xfe\r\n\r\n"),
    ("garbage", b"{}\r\n\r\n"),
    ("garbage", b" GET / HTTP/1.1\r\n" + HOST + END),
    ("garbage", b"\nGET / HTTP/1.1\r\n" + HOST + END),
    ("garbage", b"\t\r\n\r\n"),
    # Lines...
    ("bare-lf", b"GET / HTTP/1.1\nHost: a\n\n"),
    ("bare-lf", b"GET / HTTP/1.1\nHost: a\r\n\r\n"),
    ("bare-lf", GET + b"Host: a\n\r\n\r\n"),
    ("bare-lf", GET + b"Host: a\r\nX: y\nZ: w\r\n\r\n"),
    ("bare-lf", GET + HOST + b"\n"),
    ("bare-cr", GET + b"Host: a\rX: y\r\n\r\n"),
    ("bare-cr", GET + HOST + b"X: y\r\r\n\r\n"),
    ("bare-cr", b"GET / HTTP/1.1\r" + HOST + END),
    ("bare-cr", b"\rGET / HTTP/1.1\r\n" + HOST + END),
    ("bare-cr", b"\r\r\nGET / HTTP/1.1\r\n" + HOST + END),
    ("control-character", field(b"X: a\x00b")),
    ("control-character", field(b"X: a\x01b")),
    ("control-character", field(b"X: \x0b")),
    ("control-character", field(b"X: \x0c")),
    ("control-character", field(b"X: \x7f")),
    ("control-character", field(b"X\x00: a")),
    ("control-character", field(b"Transfer-Encoding: \x0bchunked")),
    ("control-character", b"GET /\x00 HTTP/1.1\r\n" + HOST + END),
    ("control-character", b"GET /\x7f HTTP/1.1\r\n" + HOST + END),
    ("obs-fold", field(b"X: a\r\n b")),
    ("obs-fold", field(b"X: a\r\n\tb")),
    ("obs-fold", GET + b" X: a\r\n" + HOST + END),
    ("obs-fold", field(b" ")),
    ("obs-fold", POST + b"Content-Length: 1\r\n 2\r\n\r\n"),
    ("obs-fold", POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n"),
    # The request line...
    ("request-line", b"GET  / HTTP/1.1\r\n" + HOST + END),
    ("request-line", b"GET /  HTTP/1.1\r\n" + HOST + END),
    ("request-line", b"GET / HTTP/1.1 \r\n" + HOST + END),
    ("request-line", b"GET / a HTTP/1.1\r\n" + HOST + END),
    ("request-line", b"GET\t/\tHTTP/1.1\r\n" + HOST + END),
    ("request-line", b"GET HTTP/1.1\r\n" + HOST + END),
    ("request-line", b"GET\r\n" + HOST + END),
    ("request-line", b"GET / http/1.1\r\n" + HOST + END),
    ("request-line", b"GET / HTTP/1.10\r\n" + HOST + END),
    ("request-line", b"GET / HTTP/01.1\r\n" + HOST + END),
    ("request-line", b"GET / HTTP/1\r\n" + HOST + END),
    ("request-line", b"GET / HTTPS/1.1\r\n" + HOST + END),
    ("request-line", b"HTTP/1.1 200 OK\r\n" + HOST + END),
    ("request-line", b"SSH-2.0-OpenSSH_9.9\r\n\r\n"),
    ("request-line", HOST + END),
    ("method", b"get / HTTP/1.1\r\n" + HOST + END),
    ("method", b"Get / HTTP/1.1\r\n" + HOST + END),
    ("method", b"GEt / HTTP/1.1\r\n" + HOST + END),
    ("method", b"G(T / HTTP/1.1\r\n" + HOST + END),
    ("method", b"G\xc9T / HTTP/1.1\r\n" + HOST + END),
    ("version", b"GET / HTTP/1.2\r\n" + HOST + END),
    ("version", b"GET / HTTP/0.9\r\n" + HOST + END),
    ("version", b"GET / HTTP/2.0\r\n" + HOST + END),
    ("version", b"GET / HTTP/3.1\r\n" + HOST + END),
    ("version", b"GET /\r\n\r\n"),
    ("version", b"GET /\r\n"),
    ("target", b"GET path HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET * HTTP/1.1\r\n" + HOST + END),
    ("target", b"OPTIONS ** HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET ?a HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET photon.example:80 HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET ftp://photon.example/ HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http:/photon.example/ HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET /caf\xc3\xa9 HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET /a\tb HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http:// HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http:///path HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http://:80/path HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http://user@photon.example/ HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http://a<b>/ HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http://photon.example:port/ HTTP/1.1\r\n" + HOST + END),
    ("target", b"GET http://photon.example#?/ HTTP/1.1\r\n" + HOST + END),
    ("connect", b"CONNECT photon.example:443 HTTP/1.1\r\n" + HOST + END),
    ("target-too-long", b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST + END),
    ("target-too-long", b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + END),
    ("target-too-long", b"A" * 40_000),
    # The header block...
    ("head-too-large", field(b"X: " + b"a" * 32_768)),
    ("head-too-large", GET + HOST + b"X: " + b"a" * 40_000),
    ("too-many-headers", GET + HOST + b"A: b\r\n" * 100 + END),
    ("header-name", field(b": a")),
    ("header-name", field(b"X")),
    ("header-name", field(b"X Y: a")),
    ("header-name", field(b"X(: a")),
    ("header-name", field(b"X\xe9: a")),
    ("header-name", field(b'"X": a')),
    ("space-before-colon", field(b"X : a")),
    ("space-before-colon", field(b"X\t: a")),
    ("space-before-colon", POST + b"Content-Length : 5\r\n\r\nhello"),
    ("space-before-colon", POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("space-before-colon", GET + b"Host : a\r\n\r\n"),
    ("no-host", GET + END),
    ("no-host", GET + b"X-Host: a\r\nX: host: b\r\n\r\n"),
    ("two-hosts", GET + HOST + HOST + END),
    ("two-hosts", GET + HOST + b"X: y\r\nHOST: b\r\n\r\n"),
    ("two-hosts", b"GET / HTTP/1.0\r\n" + HOST + HOST + END),
    ("host", GET + b"Host: a b\r\n\r\n"),
    ("host", GET + b"Host: a, b\r\n\r\n"),
    ("host", GET + b"Host: a/b\r\n\r\n"),
    ("host", GET + b"Host: http://a\r\n\r\n"),
    ("host", GET + b"Host: user@a\r\n\r\n"),
    ("host", GET + b"Host: a:b\r\n\r\n"),
    ("host", GET + b"Host: a:1:2\r\n\r\n"),
    ("host", GET + b"Host: a:999999\r\n\r\n"),
    ("host", GET + b"Host: [::1\r\n\r\n"),
    ("host", GET + b"Host: caf\xe9\r\n\r\n"),
    ("host", b"GET http://photon.example/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
    # Framing...
    ("length-and-chunked", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("length-and-chunked", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"),
    ("length-and-chunked", POST + b"Transfer-Encoding: x\r\nContent-Length: 0\r\n\r\n"),
    ("length", POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
    ("length", POST + b"Content-Length: 5\r\ncontent-length: 6\r\n\r\n"),
    ("length", POST + b"Content-Length: 5, 5\r\n\r\n"),
    ("length", POST + b"Content-Length: 5, 6\r\n\r\n"),
    ("length", POST + b"Content-Length: 5,\r\n\r\n"),
    ("length", POST + b"Content-Length: -5\r\n\r\n"),
    ("length", POST + b"Content-Length: +5\r\n\r\n"),
    ("length", POST + b"Content-Length: 0x5\r\n\r\n"),
    ("length", POST + b"Content-Length: 5.0\r\n\r\n"),
    ("length", POST + b"Content-Length: 5e1\r\n\r\n"),
    ("length", POST + b"Content-Length: 1_0\r\n\r\n"),
    ("length", POST + b"Content-Length: 1 0\r\n\r\n"),
    ("length", POST + b'Content-Length: "5"\r\n\r\n'),
    ("length", POST + b"Content-Length: \xb2\r\n\r\n"),
    ("length", POST + b"Content-Length:\r\n\r\n"),
    ("length", POST + b"Content-Length: nine\r\n\r\n"),
    ("length", POST + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n"),
    ("length", POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: gzip\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: identity\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: chunked;q=1\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding: xchunked\r\n\r\n"),
    ("coding", POST + b'Transfer-Encoding: "chunked"\r\n\r\n'),
    ("coding", POST + b"Transfer-Encoding: ,chunked\r\n\r\n"),
    ("coding", POST + b"Transfer-Encoding:\r\n\r\n"),
    ("coding-1.0", b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"),
    ("expectation", POST + b"Expect: 200-ok\r\n\r\n"),
    ("expectation", POST + b"Expect: 100-continue, 200-ok\r\n\r\n"),
    ("expectation", POST + b"Expect: 100-continue\r\nExpect: 200-ok\r\n\r\n"),
    ("expectation", POST + b"Expect:\r\n\r\n"),
    # Chunks...
    ("chunk-size", CHUNKED + b"\r\n"),
    ("chunk-size", CHUNKED + b"g\r\n"),
    ("chunk-size", CHUNKED + b"-5\r\nhello\r\n"),
    ("chunk-size", CHUNKED + b"+5\r\nhello\r\n"),
    ("chunk-size", CHUNKED + b"0x5\r\nhello\r\n"),
    ("chunk-size", CHUNKED + b" 5\r\nhello\r\n"),
    ("chunk-size", CHUNKED + b"5 \r\nhello\r\n"),
    ("chunk-size", CHUNKED + b"5 ;a\r\nhello\r\n"),
    ("chunk-size", CHUNKED + b"5\nhello\r\n"),
    ("chunk-size", CHUNKED + b"5\rhello\r\n"),
    ("chunk-size", CHUNKED + b"5\xb2\r\nhello\r\n"),
    ("chunk-size", CHUNKED + b"1_0\r\n"),
    ("chunk-size", CHUNKED + b"ffffffffffffffff\r\n"),
    ("chunk-size", CHUNKED + b"ffffffffffffffffff\r\n"),
    ("chunk-size", CHUNKED + b"0000000000000005\r\nhello\r\n"),
    ("chunk-size", CHUNKED + b"0" * 1_000),
    ("chunk-size", CHUNKED + b";a=b\r\n"),
    ("chunk-size", CHUNKED + b"5\r\nhello\r\n\r\n"),
    ("chunk-size", CHUNKED + GET + HOST + END),
    ("chunk-extension", CHUNKED + b"5;a=\x00\r\nhello\r\n"),
    ("chunk-extension", CHUNKED + b"5;a=b\nhello\r\n"),
    ("chunk-extension", CHUNKED + b"5;a=b\rhello\r\n"),
    ("chunk-extension", CHUNKED + b"5;a=" + b"b" * 1_000 + b"\r\nhello\r\n"),
    ("chunk-extension", CHUNKED + (b"1;a=" + b"b" * 150 + b"\r\nx\r\n") * 300),
    ("chunk-end", CHUNKED + b"5\r\nhello!\r\n0\r\n\r\n"),
    ("chunk-end", CHUNKED + b"5\r\nhello\n0\r\n\r\n"),
    ("chunk-end", CHUNKED + b"5\r\nhello\r0\r\n\r\n"),
    ("chunk-end", CHUNKED + b"5\r\nhello0\r\n\r\n"),
    ("trailer", CHUNKED + b"0\r\nGET / HTTP/1.1\r\n\r\n"),
    ("trailer", CHUNKED + b"0\r\na\r\n\r\n"),
    ("trailer", CHUNKED + b"0\r\na : b\r\n\r\n"),
    ("trailer", CHUNKED + b"0\r\na: b\r\n c\r\n\r\n"),
    ("trailer", CHUNKED + b"0\r\na: \x00\r\n\r\n"),
    ("trailer", CHUNKED + b"0\r\na: b\n\r\n"),
    ("trailer", CHUNKED + b"0\r\na: b\r\n\n"),
    ("trailer", CHUNKED + b"0\r\n\n"),
    ("trailer-too-large", CHUNKED + b"0\r\na: " + b"b" * 9_000 + b"\r\n\r\n"),
    ("trailer-too-large", CHUNKED + b"0\r\n" + b"a: b\r\n" * 1_500 + b"\r\n"),
    ("incomplete", b"GET / HTTP/1.1\r\nHost"),
    ("incomplete", POST + b"Content-Length: 5\r\n\r\nhell"),
    ("incomplete", CHUNKED + b"5\r\nhello\r\n0\r\n"),
]  # fmt: skip

CASES = [
    pytest.param(rule, data, id=f"{rule}-{data[:60]!r}-{len(data)}") for rule, data in REFUSALS
]

# h11 has no complaint beyond these rules, as far as is known: test_rules.py tries it directly.
UNREACHED = {"malformed"}


def test_no_rule_is_left_untested() -> None:
    assert {rule for rule, _ in REFUSALS} == RULES.keys() - UNREACHED


def refusal(protocol: Http1, pieces: list[bytes]) -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        drive(protocol, [*pieces, b""])
    return refused.value


@pytest.mark.parametrize(("rule", "data"), CASES)
def test_it_is_refused(fresh: Fresh, rule: str, data: bytes) -> None:
    error = refusal(fresh(), [data])
    assert error.rule == rule
    assert error.status == RULES[rule].status
    assert error.detail.startswith(RULES[rule].says)


@pytest.mark.parametrize(("rule", "data"), CASES)
def test_it_is_refused_byte_by_byte(fresh: Fresh, rule: str, data: bytes) -> None:
    assert refusal(fresh(), singly(data)).rule == rule


@pytest.mark.parametrize(("rule", "data"), CASES)
def test_it_is_refused_after_a_good_request(fresh: Fresh, rule: str, data: bytes) -> None:
    driver = Driver(fresh())
    with pytest.raises(ProtocolError) as refused:
        driver.feed(GET + HOST + END + data, b"")
    assert refused.value.rule == rule
    assert driver.read[0].target == "/"


@pytest.mark.parametrize(
    "data",
    [data for rule, data in REFUSALS if rule != "incomplete" and len(data) < 2_000],
    ids=repr,
)
def test_it_is_refused_without_waiting_for_more(fresh: Fresh, data: bytes) -> None:
    with pytest.raises(ProtocolError):
        drive(fresh(), singly(data))


@pytest.mark.parametrize(("rule", "data"), CASES)
def test_a_refusal_can_be_answered(fresh: Fresh, rule: str, data: bytes) -> None:
    driver = Driver(fresh())
    with pytest.raises(ProtocolError):
        driver.feed(data, b"")
    protocol = driver.protocol
    protocol.request = None
    protocol.keep_alive = False
    status = RULES[rule].status
    answer = protocol.plain(status, "text/plain", b"no")
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close\r\n" in answer.lower()
    assert b"content-length: 2\r\n" in answer.lower()
    assert answer.endswith(b"\r\n\r\nno")
    assert not protocol.next_cycle()


@pytest.mark.parametrize(
    "extension", [b"a" * 1024 * 1024, b"a=b;" * 256 * 1024], ids=["long", "many"]
)
def test_a_megabyte_of_chunk_extensions_is_not_kept(fresh: Fresh, extension: bytes) -> None:
    driver = drive(fresh(), [CHUNKED + b"5;"])
    pieces = [extension[at : at + 100] for at in range(0, len(extension), 100)]
    with pytest.raises(ProtocolError) as refused:
        driver.feed(*pieces)
    assert refused.value.rule == "chunk-extension"
    assert len(driver.protocol.pending) < 1_000


def test_the_limits_of_a_head_are_settings(fresh: Fresh) -> None:
    limits = HeadLimits(head_bytes=300, headers=3, target_bytes=100)
    for rule, data in [
        ("target-too-long", b"GET /" + b"a" * 100 + b" HTTP/1.1\r\n" + HOST + END),
        ("head-too-large", field(b"X: " + b"a" * 300)),
        ("too-many-headers", GET + HOST + b"A: b\r\n" * 3 + END),
    ]:
        assert refusal(fresh(limits), [data]).rule == rule
        assert refusal(fresh(limits), singly(data)).rule == rule


def test_a_long_line_is_refused_the_same_whole_and_split(fresh: Fresh) -> None:
    limits = HeadLimits(target_bytes=100)
    data = b"A" * 100 + b" /" + b"b" * 90 + b" HTTP/1.1\r\n" + HOST + END
    assert refusal(fresh(limits), [data]).rule == "target-too-long"
    assert refusal(fresh(limits), singly(data)).rule == "target-too-long"
