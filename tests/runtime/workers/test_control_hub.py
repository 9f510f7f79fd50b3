"""The control socket of a process without supervisor, asked by the client that users have."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from photon.runtime.cancel import fail_after
from photon.runtime.channel import open_channel
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.runtime.offload import offload
from photon.runtime.sync import Event
from photon.runtime.workers.client import ControlClient
from photon.runtime.workers.commanding import Command
from photon.runtime.workers.control import ControlError, ControlServer
from photon.runtime.workers.control_hub import serve_control

PATIENCE_S = 10.0


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "control.sock")


def ask(path: str, do: str, **arguments: Any) -> Any:
    """Ask from a native thread: the client blocks its thread, and the server is in this one."""
    return offload(ControlClient(path).ask, do, timeout=PATIENCE_S, **arguments)


def serving(path: str, **commands: Command) -> Any:
    return serve_control(path, commands, about=lambda: {"app": "app:app"})


def one(answer: Any) -> Any:
    assert answer["supervisor"] is None
    (worker,) = answer["workers"]
    assert (worker["index"], worker["pid"], worker["generation"]) == (0, os.getpid(), 1)
    return worker


def test_a_command_is_a_function_that_may_wait(path: str) -> None:
    go, news = Event(), open_channel[str](1)

    def slow(arguments: dict[str, Any]) -> Any:
        news[0].send("asked")
        go.wait()
        return arguments

    with fail_after(PATIENCE_S), serving(path, slow=slow, quick=lambda arguments: 5):
        first = spawn(ask, path, "slow", x=1)
        assert news[1].receive() == "asked"
        assert one(ask(path, "quick"))["ok"] == 5  # meanwhile
        go.set()
        first.join()
        assert one(first.result)["ok"] == {"x": 1}
        assert one(first.result)["state"] == "ready"


def test_who_and_workers_are_known_here(path: str) -> None:
    with serving(path):
        assert ask(path, "who") == {"pid": os.getpid(), "supervised": False, "app": "app:app"}
        assert one(ask(path, "workers"))["state"] == "ready"


def test_what_a_command_raises_is_its_answer(path: str, caplog: pytest.LogCaptureFixture) -> None:
    def broken(arguments: dict[str, Any]) -> Any:
        raise SystemExit("no more")

    def refusing(arguments: dict[str, Any]) -> Any:
        raise ControlError("LEVEL is debug or info")

    with serving(path, broken=broken, refusing=refusing):
        assert one(ask(path, "broken"))["error"].startswith("'broken' failed: SystemExit: no more")
        assert "'broken' failed" in caplog.text
        assert one(ask(path, "refusing"))["error"] == "LEVEL is debug or info"


@pytest.mark.parametrize(
    ("do", "arguments", "why"),
    [
        ("reload", {}, "no supervisor that could replace its workers: start it with --workers"),
        ("scale", {"workers": 4}, "photon run app:app --workers 4"),
        ("stat", {}, "there is no command 'stat'; did you mean 'stats'?"),
        ("xyz", {}, "there is no command 'xyz'; there are drain, stats, stop, who, workers"),
        ("stats", {"worker": 3}, "no worker 3: this process is the only one, worker 0"),
    ],
)
def test_what_cannot_be_done_is_told(
    path: str, do: str, arguments: dict[str, Any], why: str
) -> None:
    with serving(path, stats=lambda arguments: {}), pytest.raises(ControlError, match=why):
        ask(path, do, **arguments)


@pytest.mark.parametrize("do", ["stop", "drain"])
def test_stop_is_what_sigterm_is(path: str, do: str) -> None:
    seen: list[int] = []
    former = signal.signal(signal.SIGTERM, lambda number, frame: seen.append(number))
    try:
        with serving(path):
            one(ask(path, do))
    finally:
        signal.signal(signal.SIGTERM, former)
    assert seen == [signal.SIGTERM]


def test_a_command_that_waits_is_cut_off_at_the_end(path: str) -> None:
    ended, news = Event(), Event()
    told: list[str] = []

    def endless(arguments: dict[str, Any]) -> Any:
        news.set()
        try:
            sleep_forever()
        except Cancelled as error:
            told.append(error.source)
            ended.set()
            raise

    with fail_after(PATIENCE_S):
        with serving(path, endless=endless):
            asking = spawn(ask, path, "endless")
            news.wait()
        ended.wait()
        assert told == ["shutdown"]
        asking.wait()
        assert isinstance(asking.error, ControlError)
        assert "the server ended before it answered" in str(asking.error)


def test_a_client_that_left_is_forgotten(path: str) -> None:
    def seen(server: ControlServer, condition: Callable[[], object]) -> None:
        while not condition():
            checkpoint()

    asked, go = Event(), Event()

    def slow(arguments: dict[str, Any]) -> Any:
        asked.set()
        go.wait()
        return "x" * 1_000_000

    with fail_after(PATIENCE_S), serving(path, slow=slow) as server:
        with pytest.raises(ControlError, match=r"no answer to 'slow' within 0\.2 s"):
            offload(ControlClient(path).ask, "slow", timeout=0.2)
        asked.wait()
        go.set()
        seen(server, lambda: not server.sessions)


def test_the_file_goes_and_a_second_server_is_refused(path: str) -> None:
    with serving(path):
        with pytest.raises(ControlError, match="is in use"), serving(path):
            pass
        ask(path, "who")
    assert not os.path.exists(path)
