"""What those who run it are told: systemd by its socket, probes by HTTP, clients by close codes."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Event, Request

from photon.runtime.cancel import fail_after
from tests.fleet import PATIENCE_S, running
from tests.processes import get
from tests.workers.apps import PIDS

SOCKETS = """
from photon import Photon, WebSocket
app = Photon()

@app.websocket("/")
def talk(ws: WebSocket):
    for message in ws:
        ws.send(message)
"""

VARIABLES = """
import os
from photon import Photon
app = Photon()

@app.get("/")
def known():
    return os.environ.get("NOTIFY_SOCKET", "none")
"""


class Manager:
    """systemd's end of its socket.   Attributes: path: for NOTIFY_SOCKET."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)

    def wait_told(self, word: str) -> dict[str, str]:
        """The next message that has `word`."""
        with fail_after(PATIENCE_S):
            while True:
                lines = self.socket.recv(4096).decode().split("\n")
                told = dict(line.split("=", 1) for line in lines)
                if word in told:
                    return told


@pytest.fixture
def manager() -> Iterator[Manager]:
    # A folder of pytest's may be longer than the 107 bytes that a socket's path has.
    with tempfile.TemporaryDirectory(prefix="photon-") as folder:
        there = Manager(f"{folder}/notify")
        with there.socket:
            yield there


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["alone", "2 workers"])
def test_systemd_is_told_when_it_serves(
    tmp_path: Path, manager: Manager, workers: tuple[str, ...]
) -> None:
    env = {"NOTIFY_SOCKET": manager.path}
    with running(PIDS, *workers, folder=tmp_path, env=env) as fleet:
        manager.wait_told("READY")
        assert get(fleet.port, "/")[0] == 200
        if workers:
            fleet.kill(signal.SIGHUP)
            assert manager.wait_told("RELOADING")["MONOTONIC_USEC"].isdecimal()
            manager.wait_told("READY")
            fleet.kill(signal.SIGUSR2)
            fleet.log.wait_for("has taken over")
            manager.wait_told("READY")
        fleet.kill(signal.SIGTERM)
        manager.wait_told("STOPPING")
        assert fleet.wait() == 0


@pytest.mark.parametrize("workers", [(), ("--workers", "1")], ids=["alone", "1 worker"])
def test_what_an_application_starts_cannot_tell_systemd_anything(
    tmp_path: Path, manager: Manager, workers: tuple[str, ...]
) -> None:
    env = {"NOTIFY_SOCKET": manager.path}
    with running(VARIABLES, *workers, folder=tmp_path, env=env) as fleet:
        manager.wait_told("READY")
        assert get(fleet.port, "/") == (200, b"none")
        if workers:  # the next program has them, and its workers have not
            old = set(fleet.workers.values())
            fleet.kill(signal.SIGUSR2)
            fleet.log.wait_for("reloaded: generation")
            assert not old & set(fleet.workers.values())
            assert get(fleet.port, "/") == (200, b"none")
        assert fleet.stop() == 0


def test_the_watchdog_of_systemd_hears_the_supervisor(tmp_path: Path, manager: Manager) -> None:
    env = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "300000"}
    with running(PIDS, "--workers", "1", folder=tmp_path, env=env) as fleet:
        for _ in range(3):
            manager.wait_told("WATCHDOG")
        fleet.kill(signal.SIGUSR2)
        fleet.log.wait_for("has taken over")
        for _ in range(3):
            manager.wait_told("WATCHDOG")
        assert fleet.stop() == 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["alone", "2 workers"])
def test_health_is_told_while_every_hub_stands_still(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    port = free_port()
    flags = (*workers, "--health-port", str(port))
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        assert get(port, "/ready")[0] == 200
        before, waiting = fleet.log.here, []
        count = 2 if workers else 1
        with fail_after(PATIENCE_S):
            while get(port, "/live")[0] == 200:  # until each of them has one
                client = http.client.HTTPConnection("127.0.0.1", fleet.port, timeout=PATIENCE_S)
                client.request("GET", "/blocked")
                waiting.append(client)
                if len(waiting) <= count:
                    fleet.log.wait_for("blocks", after=before, count=len(waiting))
                while len(waiting) >= count and get(port, "/live")[0] == 200:
                    pass
        status, told = get(port, "/live")
        assert status == 503
        assert json.loads(told)["blocked"] == count
        for client in waiting:
            client.close()


def test_websockets_are_told_that_it_restarts_or_ends(tmp_path: Path) -> None:
    with running(SOCKETS, "--workers", "1", folder=tmp_path) as fleet:
        for which, code in ((signal.SIGHUP, 1012), (signal.SIGTERM, 1001)):
            with WebSocketClient(fleet.port) as client:
                fleet.kill(which)
                event = client.next_event()
                assert isinstance(event, CloseConnection)
                assert event.code == code
        assert fleet.wait() == 0


class WebSocketClient:
    """One that is connected."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._socket.sendall(self._protocol.send(Request(host="x", target="/")))
        assert isinstance(self.next_event(), AcceptConnection)

    def next_event(self) -> Event:
        while True:
            for event in self._protocol.events():
                return event
            self._protocol.receive_data(self._socket.recv(65536) or None)

    def __enter__(self) -> WebSocketClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
