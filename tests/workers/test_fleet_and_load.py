"""The bench of the process tests sees what it is for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL

import pytest

from photon.runtime.greenlets import spawn
from tests.fleet import Log, running
from tests.load import load

APP = """
import os
from photon import Photon
app = Photon()

@app.get("/")
def pid():
    return str(os.getpid())
"""


def test_a_fleet_knows_its_workers(tmp_path: Path) -> None:
    with running(APP, "--workers", "2", folder=tmp_path) as fleet:
        assert sorted(fleet.workers) == [0, 1]
        with load(fleet.port, connections=4) as clients:
            clients.wait_answered(100)
            report = clients.stop()
        assert set(map(int, report.texts)) <= set(fleet.workers.values())
        assert report.failed == 0, report
        assert report.answered == report.statuses["200"] >= 100
        assert 0 < report.p50_s <= report.p99_s <= report.longest_s
        assert fleet.is_left
        assert fleet.stop() == 0
        assert not fleet.is_left


def test_nothing_is_left_of_a_fleet(tmp_path: Path) -> None:
    with running(APP, "--workers", "2", folder=tmp_path) as fleet:
        fleet.kill(SIGKILL)
        assert fleet.is_left
    assert not fleet.is_left


def test_a_log_that_ends_is_no_riddle() -> None:
    log = Log()
    log.feed(b'{"event": "one"}\nnot JSON\n{"event"')
    log.feed(b': "two"}\n')
    log.feed(b"")
    assert [record["event"] for record in log.records] == ["one", "not JSON", "two"]
    assert log.wait_for(lambda record: bool(record.get("plain")))["event"] == "not JSON"
    with pytest.raises(AssertionError, match="the log ended without 'three'"):
        log.wait_for("three")


@contextmanager
def server(*answers: bytes) -> Iterator[int]:
    """Answers the first request of each connection, and then closes; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answer in answers:
                client, _ = listener.accept()
                with client:
                    client.recv(65536)
                    client.sendall(answer)

        spawn(serve)
        yield listener.getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", "reset"),
        (b"HTTP/1.1 200 OK\r\n", "short"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "short"),
        (b"SSH-2.0\r\n\r\n", "wrong"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "raced"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nab", "wrong"),
    ],
)
def test_a_load_tells_failures_apart(answer: bytes, kind: str) -> None:
    close = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"
    )
    with server(answer, close, chunked, close) as port:
        with load(port, connections=1) as clients:
            clients.wait_answered(3)
            report = clients.report()
    assert getattr(report, kind) == 1, report
    assert report.lost - report.refused == 1
    assert report.told_to_close >= 2
    assert report.texts["ok"] >= 2
    assert report.last == ["ok"]


def test_a_load_counts_what_is_refused() -> None:
    with server(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n") as port:
        clients_port = port
        with load(port, connections=1) as clients:
            clients.wait_answered(1)
    with load(clients_port, connections=1) as clients:
        report = clients.report()
        while not report.refused:
            report = clients.report()
    assert report.failed == report.lost == report.refused
