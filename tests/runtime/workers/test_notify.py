"""Words for systemd, taken by a real datagram socket in its place."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.runtime.workers.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """What systemd listens on."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(path))
        there.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        yield there


def told(manager: socket.socket) -> list[str]:
    return manager.recv(4096).decode().split("\n")


def test_the_life_of_a_service(manager: socket.socket) -> None:
    notifier = Notifier.from_environment()
    assert notifier.ready("4 workers")
    assert told(manager) == ["READY=1", "STATUS=4 workers"]
    assert notifier.reloading()
    first, second = told(manager)
    assert first == "RELOADING=1"
    assert second.startswith("MONOTONIC_USEC=")
    assert second.partition("=")[2].isdigit()
    assert notifier.ready()
    assert told(manager) == ["READY=1"]
    assert notifier.watchdog()
    assert told(manager) == ["WATCHDOG=1"]
    assert notifier.stopping("drains")
    assert told(manager) == ["STOPPING=1", "STATUS=drains"]
    notifier.close()
    notifier.close()
    assert notifier.watchdog()
    assert told(manager) == ["WATCHDOG=1"]
    notifier.close()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
def test_abstract_names() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0photon-test-{os.getpid()}")
        manager.settimeout(5)
        notifier = Notifier(f"@photon-test-{os.getpid()}")
        assert notifier.ready()
        assert told(manager) == ["READY=1"]
        notifier.close()


def test_without_a_manager_nobody_is_told() -> None:
    notifier = Notifier.from_environment({})
    assert not notifier.ready()
    assert not notifier.watchdog()
    assert notifier.environment == {}
    assert repr(notifier) == "<Notifier nobody>"


def test_what_a_worker_starts_does_not_speak_for_us(manager: socket.socket) -> None:
    os.environ["WATCHDOG_USEC"] = "1"
    assert Notifier.from_environment().address
    assert "NOTIFY_SOCKET" not in os.environ
    assert "WATCHDOG_USEC" not in os.environ
    assert not Notifier.from_environment().address


def test_a_program_in_our_place_goes_on_telling(manager: socket.socket) -> None:
    os.environ.update(WATCHDOG_USEC="30000000", WATCHDOG_PID=str(os.getpid()))
    notifier = Notifier.from_environment()
    assert notifier.watchdog_s == 30
    again = Notifier.from_environment(dict(notifier.environment))
    assert (again.address, again.watchdog_s) == (notifier.address, 30)
    script = (
        "from photon.runtime.workers.notify import Notifier\n"
        "print(Notifier.from_environment().ready())"
    )
    environment = {**os.environ, **notifier.environment}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, check=True
    )
    assert done.stdout == b"True\n"
    assert told(manager) == ["READY=1"]


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "500000"}, 0.5),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "500000", "WATCHDOG_PID": str(os.getpid())}, 0.5),
        ({"WATCHDOG_USEC": "soon"}, 0),
        ({"WATCHDOG_USEC": "-1"}, 0),
    ],
)
def test_the_watchdog_of_systemd(variables: dict[str, str], expected: float) -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", **variables}
    assert Notifier.from_environment(environment).watchdog_s == expected


def test_an_address_of_another_kind_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": "vsock:2:1"})
    assert not notifier.ready()
    assert "'vsock:2:1' is neither a path nor @name" in caplog.text


def test_a_manager_that_is_gone_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notifier = Notifier(str(tmp_path / "gone"))
    assert not notifier.ready()
    assert not notifier.stopping()
    assert notifier.failed == "No such file or directory"
    assert len([r for r in caplog.records if r.levelno == logging.WARNING]) == 1


def test_a_manager_that_does_not_read_is_not_waited_for(manager: socket.socket) -> None:
    notifier = Notifier.from_environment()
    assert not all(notifier.watchdog() for _ in range(10_000))
    while True:  # it is told again as soon as it reads
        manager.setblocking(False)
        try:
            manager.recv(4096)
        except BlockingIOError:
            break
    assert notifier.ready()
    notifier.close()


def test_a_manager_that_came_back_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    notifier = Notifier(str(path))
    for _ in range(2):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(path))
            manager.settimeout(5)
            notifier.tell(STATUS="still here")
            notifier.tell(STATUS="still here")  # the first may meet the socket that went
            assert told(manager) == ["STATUS=still here"]
        path.unlink()
    notifier.close()


def test_a_status_is_one_line(manager: socket.socket) -> None:
    notifier = Notifier.from_environment()
    notifier.tell(STATUS="bad\nMAINPID=1\udcff")
    assert told(manager) == ["STATUS=bad MAINPID=1\\udcff"]
    notifier.close()
