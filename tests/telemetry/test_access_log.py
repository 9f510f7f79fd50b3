"""The access log: a line for each request, in batches."""

from __future__ import annotations

import json
import os
import socket

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import Server
from photon.http.server.serving import serve
from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep
from photon.telemetry.access_log import AccessLog, Entry, access_log, console_line, json_line
from photon.telemetry.lines import local_time
from tests.processes import PATIENCE_S, get

ENTRY = Entry(1_700_000_000.25, "127.0.0.1:4711", "GET", "/items?q=1", 200, 0.0012345, None)


class Written:
    """What was written: one item for each call."""

    def __init__(self) -> None:
        self.batches: list[bytes] = []

    def write(self, lines: bytes) -> None:
        self.batches.append(lines)

    def wait(self) -> bytes:
        with fail_after(PATIENCE_S):
            while not self.batches:
                sleep(0.005)
        return b"".join(self.batches)


@pytest.fixture
def written() -> Written:
    return Written()


def hello(request: Request) -> Response:
    return Response("hello")


# One line...


def test_a_json_line_has_the_names_of_other_log_lines() -> None:
    assert json.loads(json_line(ENTRY)) == {
        "timestamp": "2023-11-14T22:13:20.250000Z",
        "level": "info",
        "logger": "photon.access",
        "event": "answered",
        "peer": "127.0.0.1:4711",
        "method": "GET",
        "target": "/items?q=1",
        "status": 200,
        "duration_ms": 1.234,
        "pid": os.getpid(),
    }


def test_a_console_line_is_for_people() -> None:
    expected = f"{local_time(ENTRY.moment)} 127.0.0.1:4711 GET /items?q=1 200 1.2 ms"
    assert console_line(ENTRY).decode() == expected


def test_an_id_is_written_where_one_was_made() -> None:
    entry = Entry(0.0, "", "GET", "/", 500, 0.0, "k-1")
    assert json.loads(json_line(entry))["request_id"] == "k-1"
    assert console_line(entry).endswith(b"- GET / 500 0.0 ms request_id=k-1")


@pytest.mark.parametrize("target", ["/a\r\nforged", "/\x1b[2J", "/\x9b", "/\x00", "/\ud800"])
def test_control_characters_are_escaped(target: str) -> None:
    entry = Entry(0.0, "", "GET", target, 200, 0.0, None)
    assert console_line(entry).decode().isprintable()
    assert json_line(entry).decode().isprintable()


# A server's requests...


def test_each_request_has_its_line(written: Written) -> None:
    log = AccessLog(written.write, console_line)
    with serve(hello, on_answer=log) as server:
        get(server.port, "/one")
        get(server.port, "/two?x=%0A")
    log.flush()
    first, second = b"".join(written.batches).decode().splitlines()
    assert " 127.0.0.1:" in first
    assert " GET /one 200 " in first
    assert " GET /two?x=%0A 200 " in second


def test_no_id_is_made_for_the_log(written: Written) -> None:
    with access_log(written.write, "json") as log, serve(hello, on_answer=log) as server:
        get(server.port, "/")
    assert b"request_id" not in written.wait()


def test_an_id_that_was_asked_for_is_in_the_line(written: Written) -> None:
    def name(request: Request) -> Response:
        return Response(request.id)

    with access_log(written.write, "json") as log, serve(name, on_answer=log) as server:
        _, body = get(server.port, "/")
    assert json.loads(written.wait())["request_id"] == body.decode()


def test_a_client_that_went_away_is_499(written: Written) -> None:
    def wait(request: Request) -> Response:
        sleep(PATIENCE_S)
        return hello(request)

    with access_log(written.write, "json") as log, serve(wait, on_answer=log) as server:
        _ask_and_leave(server)
        line = json.loads(written.wait())
    assert (line["status"], line["target"]) == (499, "/left")


def _ask_and_leave(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /left HTTP/1.1\r\nHost: x\r\n\r\n")
        with fail_after(PATIENCE_S):
            while not server.carriers.busy:
                sleep(0.005)


# Batches...


def test_lines_are_written_a_moment_later_together(written: Written) -> None:
    log = AccessLog(written.write, console_line)
    with serve(hello, on_answer=log) as server:
        get(server.port, "/one")
        assert written.batches == []
        get(server.port, "/two")
        assert written.wait().count(b"\n") == 2
    assert len(written.batches) == 1


def test_lines_are_written_without_waiting_for_others(written: Written) -> None:
    log = AccessLog(written.write, console_line, within_s=0.0)
    with serve(hello, on_answer=log) as server:
        for _ in range(2):
            get(server.port, "/one")
            assert written.wait().count(b"\n") == 1
            written.batches.clear()


def test_many_lines_are_written_at_once(written: Written) -> None:
    log = AccessLog(written.write, console_line)
    asks = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 300
    with (
        serve(hello, on_answer=log) as server,
        socket.create_connection(("127.0.0.1", server.port), PATIENCE_S) as client,
    ):
        client.sendall(asks)
        while b"".join(written.batches).count(b"\n") < 256:
            assert client.recv(65536)
    assert written.batches[0].count(b"\n") == 256


def test_the_last_lines_are_written_at_the_end(written: Written) -> None:
    with access_log(written.write, "console") as log:
        with serve(hello, on_answer=log) as server:
            get(server.port, "/last")
        assert "1 entries" in repr(log)
    assert b"/last" in b"".join(written.batches)
