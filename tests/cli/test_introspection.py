"""Real servers, looked into by the commands that users have."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from photon.cli.exits import ExitCode
from tests.processes import Ended, get, photon_ends, serving

APP = """
import time
from photon import Photon

app = Photon()

@app.get("/hi")
def hi(): return "hi"

@app.get("/computes")
def computes():
    while True:
        pass

@app.get("/computes-in-c")
def computes_in_c():
    sum(range(10**12))  # one call, which lets no other thread of its process run
"""

Ask = Callable[..., Ended]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def control(folder: Path) -> str:
    return str(folder / "control.sock")


@pytest.fixture
def ask(folder: Path, control: str) -> Ask:
    def ask(*arguments: str) -> Ended:
        return photon_ends(*arguments, folder=folder, env={"PHOTON_CONTROL": control})

    return ask


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_with_workers(folder: Path, control: str, ask: Ask) -> None:
    with serving("--workers", "2", "--control", control, folder=folder) as (server, port):
        assert get(port, "/hi") == (200, b"hi")
        assert os.stat(control).st_mode & 0o777 == 0o600

        view = json.loads(ask("top", "--json", "--once", "--interval", "100ms").out)
        assert (view["app"], view["pid"], view["lost"]) == ("app:app", server.process.pid, None)
        assert [row["state"] for row in view["workers"]] == ["ready", "ready"]

        told = ask("dump")
        assert (told.code, told.out.count("the main greenlet")) == (0, 2)

        assert ask("ctl", "reload", "--wait").out == "reloaded: generation 2 serves\n"
        pids = {row["pid"] for row in view["workers"]}
        workers = json.loads(ask("ctl", "workers", "--json").out)["workers"]
        assert not pids & {one["pid"] for one in workers}

        (folder / "app.py").write_text("broken(")
        failed = ask("ctl", "reload", "--wait")
        assert failed.code == ExitCode.FAILURE
        assert "the reload failed, the old workers go on" in failed.err
        assert get(port, "/hi") == (200, b"hi")

        assert ask("ctl", "stop", "--wait").code == 0
        assert server.wait() == 0
    assert "there is no such socket" in ask("ctl", "workers").err


def test_a_process_alone(folder: Path, control: str, ask: Ask) -> None:
    with serving("--control", control, folder=folder) as (server, _):
        assert ask("ctl", "health").code == 0
        assert "the main greenlet" in ask("dump").out
        assert json.loads(ask("top", "--json", "--once", "--interval", "100ms").out)["workers"]
        assert "start it with --workers" in ask("ctl", "scale", "3").err
        assert ask("ctl", "stop").code == 0
        assert server.wait() == 0


@pytest.mark.parametrize(
    ("arguments", "path"), [([], "/computes"), (["--workers", "1"], "/computes-in-c")]
)
def test_a_stuck_server_is_seen_from_outside(
    folder: Path, control: str, ask: Ask, arguments: list[str], path: str
) -> None:
    health = free_port()
    flags = [*arguments, "--control", control, "--health-port", str(health)]
    with serving(*flags, folder=folder) as (server, port):
        assert get(health, "/ready")[0] == 200
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            while get(health, "/live")[0] == 200:
                pass
            status, body = get(health, "/ready")
            assert (status, json.loads(body)["status"]) == (503, "the hub stands still")
            if arguments:  # the supervisor answers, and knows for how long
                assert ask("ctl", "health").code == ExitCode.FAILURE
                told = ask("dump")
                assert told.code == ExitCode.FAILURE
                assert "its hub has stood still for" in told.out
        if arguments:  # or it would hang on when its supervisor is gone
            (worker,) = json.loads(ask("ctl", "workers", "--json").out)["workers"]
            os.kill(worker["pid"], signal.SIGKILL)
        else:
            server.kill(signal.SIGKILL)
