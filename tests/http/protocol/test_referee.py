"""h11 alone: the two points in which it differs from the fast protocol."""

from __future__ import annotations

from tests.protocol_contract.driver import drive, referee

HOST = b"Host: a\r\n"


def test_http_1_0_is_closed_even_with_keep_alive() -> None:
    driver = drive(referee(), [b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"])
    assert not driver.is_open
    assert b"connection: close" in driver.written.lower()


def test_a_file_of_any_size_is_counted_and_not_made() -> None:
    protocol = referee()
    protocol.receive_data(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert protocol.next_request() is not None
    protocol.head(200, [], 1 << 60)
    protocol.count_data(1 << 60)
    assert protocol.end() == b""
    assert protocol.next_cycle()


def test_a_refusal_after_h11_gave_up_can_be_answered() -> None:
    protocol = referee()
    protocol.receive_data(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    assert protocol.next_request() is not None
    protocol.plain(200, None, b"")
    protocol.keep_alive = False
    assert protocol.plain(500, None, b"late").endswith(b"late")
