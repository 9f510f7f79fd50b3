"""The sockets that a supervisor listens on: inherited, in the file system, kept through it all."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet import PATIENCE_S, Fleet, running
from tests.load import load
from tests.processes import get, photon_ends
from tests.workers.apps import PIDS


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name is short: the path of a socket has 107 bytes at the most."""
    with tempfile.TemporaryDirectory(prefix="photon-") as folder:
        yield Path(folder)


def ask_unix(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(str(path))
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while piece := client.recv(65536):
            answer += piece
        return answer


def replaced(fleet: Fleet, which: signal.Signals) -> None:
    """Have all workers replaced."""
    before = fleet.log.here
    fleet.kill(which)
    fleet.log.wait_for("has left", after=before, count=2)


def test_a_unix_socket_is_kept_until_the_end(short: Path) -> None:
    path = short / "s"
    flags = ("--workers", "2", "--uds", str(path))
    with running(PIDS, *flags, folder=short, port=None) as fleet:
        assert ask_unix(path).startswith(b"HTTP/1.1 200")
        for which in (signal.SIGHUP, signal.SIGUSR2):
            replaced(fleet, which)
            assert ask_unix(path).startswith(b"HTTP/1.1 200")
        fleet.kill(signal.SIGKILL, fleet.workers[0])
        fleet.log.wait_for("ended by SIGKILL")
        assert stat.S_ISSOCK(path.stat().st_mode)
        assert fleet.stop() == 0
    assert not path.exists()


def test_a_unix_socket_of_one_that_was_killed_is_taken_over(short: Path) -> None:
    path = short / "s"
    flags = ("--workers", "1", "--uds", str(path))
    for _ in range(2):
        with running(PIDS, *flags, folder=short, port=None) as fleet:
            assert ask_unix(path).startswith(b"HTTP/1.1 200")
            fleet.kill(signal.SIGKILL)
            fleet.wait()
            assert path.exists()


def test_a_unix_socket_that_another_one_has(short: Path) -> None:
    flags = ("--workers", "1", "--uds", str(short / "s"))
    with running(PIDS, *flags, folder=short, port=None) as first:
        with running(PIDS, *flags, folder=short, port=None, workers=0) as second:
            assert second.wait() == 69
            assert second.log.count("is in use") == 1
        assert ask_unix(short / "s").startswith(b"HTTP/1.1 200")
        assert first.stop() == 0


def test_an_inherited_socket_outlives_the_server(tmp_path: Path) -> None:
    """As systemd does it: whoever connects while nobody serves waits for the next one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        flags = ("--workers", "2", "--fd", str(fd))
        with load(port, connections=4, rate=400) as clients:
            for which in (signal.SIGHUP, signal.SIGUSR2):
                with running(PIDS, *flags, folder=tmp_path, port=None, pass_fds=(fd,)) as fleet:
                    assert fleet.port == port
                    clients.wait_answered(50)
                    replaced(fleet, which)
                    clients.wait_answered(50)
                    assert fleet.stop() == 0
            with running(PIDS, *flags, folder=tmp_path, port=None, pass_fds=(fd,)) as fleet:
                clients.wait_answered(50)
                report = clients.stop()
                assert fleet.stop() == 0
        assert report.failed == 0, report


def test_operators_ask_by_the_control_socket(short: Path) -> None:
    control = str(short / "control")
    flags = ("--workers", "2", "--control", control)
    with running(PIDS, *flags, folder=short) as fleet:
        assert stat.S_IMODE(os.stat(control).st_mode) == 0o600

        def ctl(*words: str) -> str:
            ended = photon_ends("ctl", "--server", control, *words, folder=short)
            assert ended.code == 0, ended.err
            return ended.out

        workers = json.loads(ctl("workers", "--json"))
        assert {w["pid"] for w in workers["workers"]} == set(fleet.workers.values())
        with load(fleet.port, connections=8, rate=400) as clients:
            before, old = fleet.log.here, set(fleet.workers.values())
            ctl("reload", "--wait")
            fleet.log.wait_for("has left", after=before, count=2)
            assert not old & set(fleet.workers.values())
            before = fleet.log.here
            ctl("scale", "3")
            fleet.wait_ready(1, after=before)
            report = clients.stop()
        assert report.failed == 0, report
        assert get(fleet.port, "/")[0] == 200
        ctl("stop")
        assert fleet.wait() == 0
    assert not os.path.exists(control)
