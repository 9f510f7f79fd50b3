"""Workers that cannot begin: the reason is told once, and the exit code says whose fault it is."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from photon.cli.exits import ExitCode
from tests.fleet import running
from tests.processes import get
from tests.workers.apps import PIDS

LIFESPAN = """
from photon import Photon
app = Photon()

@app.lifespan
def lifespan():
    raise RuntimeError("the database is down")
    yield
"""


@pytest.mark.parametrize(
    ("app", "code", "reason"),
    [
        (
            "raise RuntimeError('the shelf is empty')",
            ExitCode.NOT_LOADED,
            "\nRuntimeError: the shelf is",
        ),
        ("def broken(:", ExitCode.NOT_LOADED, "SyntaxError"),
        ("import nowhere", ExitCode.NOT_LOADED, "\nModuleNotFoundError: "),
        ("", ExitCode.NOT_LOADED, "no attribute 'app'"),
        (LIFESPAN, ExitCode.NOT_STARTED, "\nRuntimeError: the database is"),
        ("import os; os._exit(7)", 7, "ended with"),
        ("import os; os.kill(os.getpid(), 9)", ExitCode.NOT_STARTED, "SIGKILL"),
    ],
)
def test_what_cannot_boot(tmp_path: Path, app: str, code: int, reason: str) -> None:
    with running(app, "--workers", "4", folder=tmp_path, workers=0) as fleet:
        assert fleet.wait() == code, fleet.log
        assert str(fleet.log).count(reason) == 1, fleet.log


# A library that was imported before the patch has such threads.
NATIVE_THREAD = """
from gevent import monkey
from photon import Photon

wait = monkey.get_original("time", "sleep")
runs = monkey.get_original("_thread", "allocate_lock")()

def watch():
    runs.release()
    wait(600)

runs.acquire()
monkey.get_original("_thread", "start_new_thread")(watch, ())
runs.acquire()
app = Photon()
"""


def test_threads_that_no_worker_would_have_are_told_of(tmp_path: Path) -> None:
    with running(NATIVE_THREAD, "--workers", "1", "--preload", folder=tmp_path) as fleet:
        told = fleet.log.wait_for("starts native threads while it is imported (1)")
        assert "leave --preload away" in told["event"]
        assert fleet.stop() == 0
    with running(PIDS, "--workers", "1", "--preload", folder=tmp_path) as fleet:
        assert fleet.stop() == 0
        assert not fleet.log.count("native threads")


def test_a_boot_that_takes_too_long(tmp_path: Path) -> None:
    app = "import ctypes; ctypes.CDLL(None).sleep(600)"
    flags = ("--workers", "2", "--boot-timeout", "1s")
    with running(app, *flags, folder=tmp_path, workers=0) as fleet:
        assert fleet.wait() == ExitCode.NOT_STARTED
        assert str(fleet.log).count("was not ready after 1 s") == 1


def test_a_reload_that_cannot_boot_changes_nothing(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path) as fleet:
        before, workers = fleet.log.here, fleet.workers
        (tmp_path / "app.py").write_text("raise RuntimeError('the shelf is empty')")
        fleet.kill(signal.SIGHUP)
        fleet.log.wait_for("the reload has failed", after=before)
        assert get(fleet.port, "/")[0] == 200
        assert fleet.workers == workers
        told = "\n".join(map(str, fleet.log.records[before:]))
        assert told.count("RuntimeError: the shelf is empty") == 1
        (tmp_path / "app.py").write_text(PIDS)
        fleet.kill(signal.SIGHUP)
        fleet.wait_ready(2, after=before)
        assert fleet.stop() == 0


def test_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with running(PIDS, "--workers", "2", folder=tmp_path, workers=0, port=port) as fleet:
            assert fleet.wait() == ExitCode.CANNOT_LISTEN
            assert fleet.log.count("is in use: another process listens there") == 1


def test_a_pid_file_that_another_one_holds(tmp_path: Path) -> None:
    flags = ("--workers", "1", "--pid-file", "shop.pid")
    with running(PIDS, *flags, folder=tmp_path) as first:
        assert (tmp_path / "shop.pid").read_text() == f"{first.pid}\n"
        with running(PIDS, *flags, folder=tmp_path, workers=0) as second:
            assert second.wait() == ExitCode.CANNOT_LISTEN
            assert second.log.count(f"the pid file of process {first.pid}, which runs") == 1
        before = first.log.here
        first.kill(signal.SIGHUP)
        first.log.wait_for("has left", after=before)
        assert (tmp_path / "shop.pid").read_text() == f"{first.pid}\n"
        assert first.stop() == 0
    assert not (tmp_path / "shop.pid").exists()


def test_a_pid_file_outlives_nobody(tmp_path: Path) -> None:
    flags = ("--workers", "1", "--pid-file", "shop.pid")
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        fleet.kill(signal.SIGKILL)
        fleet.wait()
    with running(PIDS, *flags, folder=tmp_path) as fleet:
        assert (tmp_path / "shop.pid").read_text() == f"{fleet.pid}\n"
        assert fleet.stop() == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no full device")
def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    for path, reason in (("/dev/full", "is no file"), ("no/shop.pid", "there is no folder")):
        flags = ("--workers", "1", "--pid-file", path)
        with running(PIDS, *flags, folder=tmp_path, workers=0) as fleet:
            assert fleet.wait() == ExitCode.CANNOT_LISTEN
            assert fleet.log.count(reason) == 1


# Descriptors...


def test_workers_without_descriptors_serve_those_they_have(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path, files=64) as fleet:
        before = fleet.log.here
        idle = []
        try:
            for _ in range(160):
                idle.append(socket.create_connection(("127.0.0.1", fleet.port), timeout=10))
            fleet.log.wait_for("cannot accept", after=before)
            idle[0].sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle[0].recv(1000).startswith(b"HTTP/1.1 200")
        finally:
            for each in idle:
                each.close()
        assert get(fleet.port, "/")[0] == 200
        assert fleet.stop() == 0


def test_a_supervisor_without_descriptors_keeps_what_it_has(tmp_path: Path) -> None:
    with running(PIDS, "--workers", "2", folder=tmp_path, files=20) as fleet:
        before = fleet.log.here
        for _ in range(16):
            fleet.kill(signal.SIGTTIN)
            fleet.log.wait_for(" instead of ", after=before)
            before = fleet.log.here
        fleet.log.wait_for("cannot be started: ")
        assert get(fleet.port, "/")[0] == 200
        assert fleet.stop() == 0
