"""The health endpoint: its HTTP as a table, and both of its drivers with real sockets."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from gevent import monkey
from hypothesis import given
from hypothesis import strategies as st

from photon.runtime.errors import ListenError
from photon.runtime.net.address import TcpAddress
from photon.runtime.net.listener import open_socket
from photon.runtime.workers import board as cells
from photon.runtime.workers.health import (
    MOST_BYTES,
    MOST_CONNECTIONS,
    REQUEST_S,
    HealthServer,
    HealthSession,
    Report,
    answer,
    health_thread,
    report_of,
)
from photon.testing.clock import Clock
from tests.runtime.workers.polling import RawClient, go_on

LOCAL = TcpAddress("127.0.0.1", 0)
PATIENCE_S = 10.0
WELL = Report(workers=4, ready=3, blocked=1)
BOOTING = Report(workers=2, ready=0, blocked=0, booting=1, draining=1)
STUCK = Report(workers=2, ready=0, blocked=2)
NONE = Report(workers=0, ready=0, blocked=0)


def get(path: str, *, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


def read(response: bytes) -> tuple[int, dict[str, str], bytes]:
    head, _, body = response.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines)
    return int(first.split(" ")[1]), fields, body


@pytest.mark.parametrize(
    ("path", "report", "status", "text"),
    [
        ("/", WELL, 200, "ok"),
        ("/ready", WELL, 200, "ok"),
        ("/live", WELL, 200, "ok"),
        ("/live?from=kubelet", WELL, 200, "ok"),
        ("http://127.0.0.1:9000/live", WELL, 200, "ok"),
        ("http://127.0.0.1:9000", WELL, 200, "ok"),
        ("/live", BOOTING, 200, "ok"),
        ("/ready", BOOTING, 503, "no worker is ready (1 boot, 1 drain)"),
        (
            "/ready",
            Report(workers=2, ready=0, blocked=1),
            503,
            "no worker is ready (1 stand still)",
        ),
        ("/ready", Report(workers=2, ready=0, blocked=0), 503, "no worker is ready"),
        ("/live", STUCK, 503, "every hub stands still"),
        ("/ready", STUCK, 503, "every hub stands still"),
        ("/live", Report(workers=1, ready=0, blocked=1), 503, "the hub stands still"),
        ("/live", NONE, 503, "there is no worker"),
        ("/ready", NONE, 503, "there is no worker"),
    ],
)
def test_what_it_says(path: str, report: Report, status: int, text: str) -> None:
    got, fields, body = read(answer(get(path), report))
    assert (got, json.loads(body)) == (status, {"status": text, **report})
    assert fields["content-type"] == "application/json"
    assert fields["content-length"] == str(len(body))
    assert (fields["connection"], fields["cache-control"]) == ("close", "no-store")


def test_head_is_a_get_without_content() -> None:
    with_content = answer(get("/ready"), WELL)
    assert answer(get("/ready", method="HEAD"), WELL) == with_content.partition(b"\r\n\r\n")[0] + (
        b"\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/metrics"), 404),
        (get("/live/"), 404),
        (get("/live", method="POST"), 405),
        (b"GET /live HTTP/1.0\r\n\r\n", 200),
        (b"GET /live HTTP/1.0\r\nUser-Agent: HAProxy/2.8 \xe9\r\n\r\n", 200),
        (b"GET /live HTTP/1.1\r\n\r\n", 400),
        (b"GET /live HTTP/1.1\r\nHost: a\r\nHOST: b\r\n\r\n", 400),
        (b"GET /live HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET /live HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
        (b"GET /live HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400),
        (b"GET /live HTTP/1.1\nHost: a\r\n\r\n", 400),
        (b"GET  /live HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /live HTTP/2.0\r\nHost: a\r\n\r\n", 400),
        (b"GET /live\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"\r\n\r\n", 400),
    ],
)
def test_other_requests(request_: bytes, status: int) -> None:
    got, fields, body = read(answer(request_, WELL))
    assert got == status
    assert isinstance(json.loads(body)["status"], str)
    assert ("allow" in fields) == (status == 405)


def test_a_report_that_fails_is_a_500() -> None:
    def broken() -> Report:
        raise OSError("the board is gone")

    status, _, body = read(answer(get("/live"), broken))
    assert (status, json.loads(body)["status"]) == (500, "not known: OSError: the board is gone")


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    status, _, body = read(answer(data, WELL))
    assert status in (200, 400, 404, 405)
    json.loads(body)


# One connection...


def session() -> HealthSession:
    return HealthSession(lambda: WELL)


def test_a_request_in_pieces() -> None:
    one = session()
    for byte in get("/live"):
        assert not one.to_send()
        one.receive(bytes([byte]))
    assert read(bytes(one.to_send()))[0] == 200
    assert one.is_over
    one.receive(get("/live"))  # one request a connection
    one.sent(len(one.to_send()))
    assert not one.to_send()


def test_an_empty_line_before_a_request_is_ignored() -> None:
    one = session()
    one.receive(b"\r\n")
    one.receive(b"\r\n" + get("/live"))
    assert read(bytes(one.to_send()))[0] == 200


def test_a_head_without_an_end() -> None:
    one = session()
    one.receive(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(MOST_BYTES // 1024):
        one.receive(b"x" * 1024)
    assert read(bytes(one.to_send()))[0] == 431


def test_who_leaves_before_his_request_gets_nothing() -> None:
    one = session()
    one.receive(b"GET /")
    one.receive(b"")
    assert one.is_over
    assert not one.to_send()


def test_a_request_that_trickles_has_five_seconds_in_all() -> None:
    with Clock() as clock:
        one, silent = session(), session()
        due = clock.now + REQUEST_S
        clock.advance(4)
        one.receive(b"GET")
        assert one.due == due
        one.on_due()
        assert read(bytes(one.to_send()))[0] == 408
        silent.on_due()
        assert silent.is_over
        assert not silent.to_send()


# The board...


def test_what_a_board_says() -> None:
    board = cells.Board()
    assert report_of(board) == {**NONE, "booting": 0, "draining": 0}
    numbers = [board.take(state) for state in (cells.READY, cells.READY, cells.DRAINING)]
    board.take()
    board.row(numbers[1])[cells.BEAT] -= 5_000_000
    assert report_of(board) == {
        "workers": 4,
        "ready": 1,
        "blocked": 1,
        "booting": 1,
        "draining": 1,
    }


# In a loop over poll...


@pytest.fixture
def server() -> Iterator[HealthServer]:
    server = HealthServer(open_socket(LOCAL, 128), lambda: WELL)
    yield server
    server.close()


def ask(server: HealthServer, data: bytes) -> tuple[int, dict[str, str], bytes]:
    client = RawClient(server, ("127.0.0.1", server.port))
    try:
        client.send(data)
        return read(client.hear_all())
    finally:
        client.close()


def test_it_answers_and_closes(server: HealthServer) -> None:
    assert ask(server, get("/ready"))[0] == 200
    assert ask(server, b"POST / HTTP/1.1\r\nHost: a\r\n\r\n" + b"x" * 100_000)[0] == 405
    assert ask(server, b"x" * 100_000)[0] == 431


def test_nobody_keeps_others_out(server: HealthServer) -> None:
    """As slowloris does: many connections that send a little."""
    slow = [RawClient(server, ("127.0.0.1", server.port)) for _ in range(MOST_CONNECTIONS)]
    for client in slow:
        client.send(b"G")
    go_on(server, lambda: len(server.sessions) == MOST_CONNECTIONS)
    assert ask(server, get("/ready"))[0] == 200
    assert len(server.sessions) < MOST_CONNECTIONS + 1
    for client in slow:
        client.close()


def test_time_is_up(server: HealthServer) -> None:
    with Clock() as clock:
        client = RawClient(server, ("127.0.0.1", server.port))
        client.send(b"GET /")
        go_on(server, lambda: server.sessions and server.sessions[0]._head)
        clock.advance(REQUEST_S)
        server.tick()
        assert read(client.hear_all())[0] == 408
        client.close()


# In a native thread...


def fetch(port: int, path: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_a_thread_answers() -> None:
    reports = [WELL, NONE]
    with health_thread(LOCAL, lambda: reports.pop(0)) as server:
        assert fetch(server.port, "/ready") == (200, {"status": "ok", **WELL})
        assert fetch(server.port, "/ready")[0] == 503
        port = server.port
    with pytest.raises(OSError, match="refused"):
        fetch(port, "/ready")


def test_a_thread_answers_while_the_hub_stands_still() -> None:
    plain_socket = monkey.get_original("socket", "socket")
    with health_thread(LOCAL, lambda: STUCK) as server, plain_socket() as client:
        client.settimeout(PATIENCE_S)
        client.connect(("127.0.0.1", server.port))
        client.sendall(get("/live"))  # nothing but this thread's C code runs: no hub, no greenlet
        assert read(client.recv(65536))[0] == 503


def test_an_address_in_use_is_told() -> None:
    with health_thread(LOCAL, lambda: WELL) as server:
        with pytest.raises(ListenError, match="is in use"):
            with health_thread(TcpAddress("127.0.0.1", server.port), lambda: WELL):
                pass


def test_a_thread_ends_while_somebody_is_connected() -> None:
    with health_thread(LOCAL, lambda: WELL) as server:
        client = socket.create_connection(("127.0.0.1", server.port), PATIENCE_S)
        client.sendall(b"GET")
    with suppress(ConnectionResetError):  # or an end, depending on what it had read
        assert client.recv(1) == b""
    client.close()
