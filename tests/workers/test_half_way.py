"""What is half-way when a worker leaves is finished by that worker: heads, bodies, answers."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fleet import PATIENCE_S, Fleet, running
from tests.processes import get

APP = """
import logging, os, time
from photon import Photon

app = Photon()
log = logging.getLogger("shop")

@app.get("/")
def pid():
    return str(os.getpid())

@app.post("/upload")
def upload(request):
    log.info("reads")
    size = sum(len(piece) for piece in request.chunks())
    return f"{os.getpid()} {size}"

@app.get("/stream")
def stream():
    def pieces():
        yield b"first "
        while not os.path.exists("open"):
            time.sleep(0.01)
        yield b"last"
    return pieces()
"""


@pytest.fixture(params=[signal.SIGHUP, signal.SIGTTOU, signal.SIGTERM])
def which(request: pytest.FixtureRequest) -> signal.Signals:
    found: signal.Signals = request.param
    return found


def leaves(fleet: Fleet, which: signal.Signals) -> None:
    """Have the worker in slot 1, or all of them, begin to leave."""
    before = fleet.log.here
    fleet.kill(which)
    fleet.log.wait_for("leaving", after=before, count=1 if which == signal.SIGTTOU else 2)


@contextmanager
def client_of(fleet: Fleet, slot: int) -> Iterator[socket.socket]:
    """A connection that the worker in a slot has, and keeps."""
    while True:
        client = socket.create_connection(("127.0.0.1", fleet.port), timeout=PATIENCE_S)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        if client.recv(65536).endswith(b"\r\n\r\n%d" % fleet.workers[slot]):
            break
        client.close()
    with client:
        yield client


def rest_of(client: socket.socket) -> bytes:
    """All that comes until the end."""
    data = b""
    while piece := client.recv(65536):
        data += piece
    return data


def test_a_head(tmp_path: Path, which: signal.Signals) -> None:
    with running(APP, "--workers", "2", folder=tmp_path) as fleet:
        with client_of(fleet, 1) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHo")
            get(fleet.port, "/")
            owner = fleet.workers[1]
            leaves(fleet, which)
            client.sendall(b"st: x\r\n\r\n")
            answer = rest_of(client)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"\r\nconnection: close\r\n" in answer.lower()
        assert answer.endswith(b"%d" % owner)
        assert (fleet.wait() if which == signal.SIGTERM else fleet.stop()) == 0


def test_a_body(tmp_path: Path, which: signal.Signals) -> None:
    with running(APP, "--workers", "2", folder=tmp_path) as fleet:
        with client_of(fleet, 1) as client:
            client.sendall(b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
            client.sendall(b"x" * 50_000)
            fleet.log.wait_for("reads")
            leaves(fleet, which)
            client.sendall(b"x" * 50_000)
            answer = rest_of(client)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b" 100000")
        assert (fleet.wait() if which == signal.SIGTERM else fleet.stop()) == 0


def test_an_answer(tmp_path: Path, which: signal.Signals) -> None:
    with running(APP, "--workers", "2", folder=tmp_path) as fleet:
        with client_of(fleet, 1) as client:
            client.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            begun = b""
            while b"first " not in begun:
                begun += client.recv(65536)
            leaves(fleet, which)
            (tmp_path / "open").touch()
            assert rest_of(client).endswith(b"\r\nlast\r\n0\r\n\r\n")
        assert (fleet.wait() if which == signal.SIGTERM else fleet.stop()) == 0


def test_several_requests_at_once(tmp_path: Path, which: signal.Signals) -> None:
    with running(APP, "--workers", "2", folder=tmp_path) as fleet:
        with client_of(fleet, 1) as client:
            client.sendall(
                b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            begun = b""
            while b"first " not in begun:
                begun += client.recv(65536)
            leaves(fleet, which)
            (tmp_path / "open").touch()
            answers = rest_of(client)
        # The first was begun. The second is answered, or the end says that it was not looked at.
        assert b"last\r\n0\r\n\r\n" in answers
        after = answers.partition(b"last\r\n0\r\n\r\n")[2]
        assert after == b"" or after.startswith(b"HTTP/1.1 200 ")
        assert (fleet.wait() if which == signal.SIGTERM else fleet.stop()) == 0
