"""`photon top` as a command: its lines for programs, and live on a terminal."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from photon.cli.exits import ExitCode
from photon.cli.top import Watching, cpu_of, top
from photon.runtime.cancel import fail_after
from photon.runtime.offload import offload
from photon.runtime.workers.client import ControlClient
from tests.cli.fake_server import answering, run
from tests.cli.top_sample import WHO, look, worker
from tests.processes import PATIENCE_S, environment

Answers = dict[str, Callable[[dict[str, Any]], Any]]


def answers() -> Answers:
    """A server that answers some more at each look."""
    looks = 0

    def stats(message: dict[str, Any]) -> Any:
        nonlocal looks
        looks += 1
        return look([worker(0, 1000 * looks), worker(1, 500 * looks)]).stats

    return {"stats": stats, "watch": lambda message: look([worker(0)]).stats}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = str(tmp_path / "control.sock")
    monkeypatch.setenv("PHOTON_CONTROL", path)
    return path


def test_a_line_for_programs(path: str) -> None:
    with answering(path, answers(), WHO) as came:
        ended = run(top, "--json", "--once", "--interval", "0.1")
    (line,) = ended.output.splitlines()
    view = json.loads(line)
    assert (view["app"], len(view["workers"]), view["lost"]) == ("shop:app", 2, None)
    assert view["per_second"] > 0
    assert view["routes"][0]["route"] == "GET /items/{item_id}"
    # It has the workers measure, for some time more than until its next look.
    watch = {"do": "watch", "timeout": 1.0, "seconds": 5.0}
    assert came == [watch, {"do": "stats", "timeout": 1.0}] * 2


def test_one_look_is_printed(path: str) -> None:
    with answering(path, answers(), WHO):
        ended = run(top, "--once", "--interval", "100ms")
    assert ended.exit_code == 0
    assert "shop:app" in ended.output
    assert "GET /items/{item_id}" in ended.output
    assert "q quit" not in ended.output


def test_a_server_that_goes_and_comes_back(path: str) -> None:
    watching = Watching(ControlClient(path), 0.1)
    with answering(path, answers(), WHO):
        offload(watching.first)
        assert offload(watching.look).lost is None
    view = offload(watching.look)
    assert view.lost is not None
    assert "there is no such socket" in view.lost
    assert view.app == "shop:app"  # what it said last
    with answering(path, answers(), WHO):
        view = offload(watching.look)
        assert (view.lost, view.per_second) == (None, None)
        assert offload(watching.look).per_second is not None


def test_another_process_of_the_same_application_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "photon"
    folder.mkdir(mode=0o700)
    first, second = (str(folder / f"{pid}.sock") for pid in (os.getpid(), os.getppid()))
    watching = Watching(ControlClient(first), 0.1, may_move=True)
    with answering(first, answers(), WHO):
        offload(watching.look)
    with answering(second, answers(), WHO):
        assert offload(watching.look).lost is not None
        assert offload(watching.look).lost is None


def test_what_cannot_be_is_told(path: str) -> None:
    assert "there is no such socket" in run(top, "--json").output
    ended = run(top)
    assert ended.exit_code == ExitCode.USAGE
    assert "--once prints one look, --json a line for each" in ended.output
    for given, why in (("0.01", "from 100ms to 1h"), ("x", "no duration"), ("2h", "to 1h")):
        ended = run(top, "--interval", given)
        assert (ended.exit_code, why in ended.output) == (ExitCode.USAGE, True)


def test_rich_is_asked_for_when_it_is_missing(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    ended = run(top, "--once")
    assert ended.exit_code == ExitCode.FAILURE
    assert "pip install 'photon-web[dev]'" in ended.output
    assert "--json" in ended.output


def test_cpu_is_told_by_the_system() -> None:
    found = cpu_of([os.getpid(), 0, None, "x"])
    if os.path.exists("/proc/self/stat"):
        assert found[os.getpid()] > 0
    assert found.keys() <= {os.getpid()}


# On a terminal...


class Terminal:
    """A terminal with a `photon top` in it."""

    def __init__(self, descriptor: int, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = descriptor
        self.process = process
        self.shown = ""

    def wait(self, *parts: str) -> None:
        """Read until each of `parts` was drawn."""
        with fail_after(PATIENCE_S):
            for part in parts:
                while part not in self.shown:
                    self.shown += offload(os.read, self._descriptor, 65536).decode()
                self.shown = self.shown.partition(part)[2]

    def press(self, key: str) -> None:
        os.write(self._descriptor, key.encode())

    def resize(self, columns: int, lines: int) -> None:
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, size)

    def end(self) -> int:
        """Read to the end; the exit code."""
        with fail_after(PATIENCE_S):
            try:
                while piece := offload(os.read, self._descriptor, 65536):
                    self.shown += piece.decode()
            except OSError:
                pass  # Linux says so that nobody has it open any more
            return self.process.wait()


@contextmanager
def terminal(path: str, *arguments: str) -> Iterator[Terminal]:
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "photon", "top", path, *arguments],
        env=environment({"TERM": "xterm-256color"}),
        stdin=its,
        stdout=its,
        stderr=its,
    )
    os.close(its)
    try:
        yield Terminal(ours, process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(ours)


def test_it_lives_on_a_terminal(path: str) -> None:
    with answering(path, answers(), WHO), terminal(path, "--interval", "100ms") as screen:
        screen.wait("\x1b[?1049h", "shop:app", "GET ", "sort: load")  # on the other screen
        screen.press("s")
        screen.wait("sort: p99")
        screen.press("s")
        screen.wait("sort: waiting")
        screen.resize(160, 40)
        screen.wait("greenlets")  # a column that a narrow one has no room for
        screen.press("q")
        assert screen.end() == 0
        assert "\x1b[?1049l" in screen.shown  # what was there before is there again


def test_it_waits_for_a_server_that_went_away(path: str) -> None:
    with ExitStack() as first:
        first.enter_context(answering(path, answers(), WHO))
        with terminal(path, "--interval", "100ms") as screen:
            screen.wait("shop:app")
            first.close()
            screen.wait("no answer for", "there is no such socket")
            with answering(path, answers(), WHO) as came:
                screen.wait("shop:app", "shop:app")
                assert came
                screen.process.send_signal(signal.SIGINT)  # as Ctrl+C does
                assert screen.end() == 0
