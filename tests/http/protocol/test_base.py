"""What both protocols share: the framing of a response head."""

from __future__ import annotations

import pytest

from photon.http.protocol.base import CONTINUE, Fields, complete_fields, join_head
from tests.protocol_contract.driver import fast


@pytest.mark.parametrize(
    ("request_line", "status", "body_bytes", "framing", "length"),
    [
        (b"GET / HTTP/1.1", 200, 5, [(b"content-length", b"5")], 5),
        (b"GET / HTTP/1.1", 200, 0, [(b"content-length", b"0")], 0),
        (b"GET / HTTP/1.1", 200, None, [(b"transfer-encoding", b"chunked")], None),
        (b"GET / HTTP/1.1", 204, 5, [], 0),
        (b"GET / HTTP/1.1", 304, None, [], 0),
        (b"GET / HTTP/1.0", 200, None, [(b"connection", b"close")], -1),
        (b"GET / HTTP/1.0", 200, 5, [(b"content-length", b"5"), (b"connection", b"close")], 5),
        (None, 400, 5, [(b"content-length", b"5")], 5),
        (None, 400, None, [(b"connection", b"close")], -1),
    ],
)
def test_a_response_is_framed(
    request_line: bytes | None, status: int, body_bytes: int | None, framing: Fields, length: int
) -> None:
    protocol = fast()
    if request_line is not None:
        protocol.receive_data(request_line + b"\r\nHost: a\r\n\r\n")
        assert protocol.next_request() is not None
    assert complete_fields(protocol, status, [(b"x", b"y")], body_bytes) == (
        [(b"x", b"y"), *framing],
        length,
    )


def test_a_head_is_joined() -> None:
    assert join_head(404, b"now", [(b"a", b"b"), (b"a", b"c")]) == (
        b"HTTP/1.1 404 Not Found\r\ndate: now\r\na: b\r\na: c\r\n\r\n"
    )
    assert CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"


def test_the_end_is_noted_once_and_for_all() -> None:
    protocol = fast()
    assert not fast().has_ended
    protocol.receive_data(b"")
    protocol.receive_data(b"")
    assert protocol.has_ended
    assert protocol.next_request() is None


def test_any_number_of_empty_lines_is_dropped_at_once() -> None:
    protocol = fast()
    protocol.receive_data(b"\r\n" * 50_000 + b"\r")
    assert protocol.next_request() is None
    assert protocol.pending == b"\r"
    protocol.receive_data(b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert protocol.next_request() is not None
