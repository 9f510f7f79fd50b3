"""The fast protocol: when it takes its own path, and when it asks h11."""

from __future__ import annotations

import h11
import pytest

from photon.http.errors import ProtocolError
from photon.http.protocol import h1, rules
from photon.http.protocol.base import Http1
from photon.http.protocol.events import RequestHead
from photon.http.protocol.h1 import read_with_h11
from photon.http.protocol.limits import HeadLimits
from tests.protocol_contract.driver import fast

HOST = b"Host: a\r\n"


@pytest.fixture
def asked_h11(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The heads that h11 was asked to read."""
    asked: list[bytes] = []

    def note(head: bytes) -> RequestHead:
        asked.append(head)
        return read_with_h11(head)

    monkeypatch.setattr(h1, "read_with_h11", note)
    return asked


def received(data: bytes) -> Http1:
    protocol = fast()
    protocol.receive_data(data)
    assert protocol.next_request() is not None
    return protocol


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"POST /a?b HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc",
        b"DELETE /a HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
        b"HEAD //a HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_the_plain_case_needs_no_h11(asked_h11: list[bytes], data: bytes) -> None:
    received(data)
    assert asked_h11 == []


@pytest.mark.parametrize(
    "data",
    [
        b"\r\nGET / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"PROPFIND / HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET http://a/ HTTP/1.1\r\n" + HOST + b"\r\n",
        b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.0\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: x\r\n\r\n",
    ],
)
def test_all_else_is_left_to_h11(asked_h11: list[bytes], data: bytes) -> None:
    received(data)
    assert len(asked_h11) == 1


def test_requests_that_say_the_same_share_their_fields() -> None:
    protocol = fast()
    protocol.receive_data((b"GET /1 HTTP/1.1\r\n" + HOST + b"\r\n") * 2)
    first = protocol.next_request()
    assert protocol.next_cycle()
    second = protocol.next_request()
    assert first is not None
    assert second is not None
    assert first.fields is second.fields


@pytest.mark.parametrize("head", [b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET"])
def test_what_only_h11_refuses_is_malformed(head: bytes) -> None:
    with pytest.raises(ProtocolError) as refused:
        read_with_h11(head)
    assert (refused.value.rule, refused.value.status) == ("malformed", 400)


@pytest.mark.parametrize("length", [0, 1, 4095, 4096, 100_000])
def test_a_plain_response_of_any_length(length: int) -> None:
    data = received(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n").plain(200, None, b"x" * length)
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.endswith(b"\r\ncontent-length: %d" % length)
    assert body == b"x" * length


def test_a_thousand_pipelined_requests() -> None:
    protocol = fast()
    protocol.receive_data(
        b"".join(b"GET /%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in range(1_000))
    )
    for number in range(1_000):
        head = protocol.next_request()
        assert head is not None
        assert head.target == f"/{number}"
        assert protocol.next_cycle()
    assert protocol.next_request() is None


def test_a_long_head_that_drips_is_not_read_all_over_with_every_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examined: list[int] = []
    examine = rules.examine_beginning

    def note(beginning: bytes, limits: HeadLimits, examined_before: int = 0) -> None:
        examined.append(len(beginning) - examined_before)
        examine(beginning, limits, examined_before)

    monkeypatch.setattr(rules, "examine_beginning", note)
    protocol = fast()
    data = b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 5_000
    for at in range(len(data)):
        protocol.receive_data(data[at : at + 1])
        assert protocol.next_request() is None
    assert set(examined) == {1}


def test_h11_itself_would_take_what_the_rules_refuse() -> None:
    """If this fails h11 has become stricter, and a rule may be its own by now."""
    for head in (
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    ):
        connection = h11.Connection(h11.SERVER)
        connection.receive_data(head)
        assert isinstance(connection.next_event(), h11.Request)
