"""A `photon run` of several processes, as operators have it: its log, its workers, its end.

    with running(APP, "--workers", "2", folder=tmp_path) as fleet:
        before = fleet.log.here
        fleet.kill(SIGHUP)
        fleet.log.wait_for("reloaded", after=before)
        assert fleet.stop() == 0

It is a process group of its own, and its log a pipe that all of its processes have: when that ends
nobody is left, and nothing is left after the block whatever happened. Everything that is waited
for is a line of the log, an end, or an answer.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import spawn
from photon.runtime.sync import Event
from tests.processes import environment

PATIENCE_S = 30.0
"""How long anything is waited for; no test takes that long unless it fails."""

Record: TypeAlias = dict[str, Any]

_READY = re.compile(r"worker (\d+) \(pid (\d+)\) is ready")
_GONE = re.compile(r"worker (\d+) \(pid (\d+)\) (?:has left|ended)")


class Log:
    """What the processes of a fleet said, in the order in which it came.

    Attributes: records: a dict each; a line that is no JSON is {"event": line, "plain": True}.
    """

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._news = Event()
        self._rest = b""
        self.is_over = False

    @property
    def here(self) -> int:
        """A place in it: what comes later is after it."""
        return len(self.records)

    def wait_for(
        self, wanted: str | Callable[[Record], bool], *, after: int = 0, count: int = 1
    ) -> Record:
        """The record that is the `count`th of its kind; waits until it comes.

        Args: wanted: a text in its event, or whether a record is one.
        """
        matches = (lambda record: wanted in text_of(record)) if isinstance(wanted, str) else wanted
        left, place = count, after
        try:
            with fail_after(PATIENCE_S):
                while True:
                    while place < len(self.records):
                        record = self.records[place]
                        place += 1
                        if matches(record):
                            left -= 1
                            if not left:
                                return record
                    assert not self.is_over, f"the log ended without {wanted!r}:\n{self}"
                    self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{wanted!r} did not come:\n{self}") from None

    def count(self, text: str, *, after: int = 0) -> int:
        """How many records have a text in their event."""
        return sum(text in text_of(record) for record in self.records[after:])

    def wait_end(self) -> None:
        """Wait until nobody can write to it any more."""
        try:
            with fail_after(PATIENCE_S):
                while not self.is_over:
                    self._news.wait()
        except TimeoutError:
            raise AssertionError(f"somebody has not ended:\n{self}") from None

    def feed(self, data: bytes) -> None:
        """Bytes as they come; b"" at the end."""
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in [*lines, *([self._rest] if not data and self._rest else [])]:
            self.records.append(_record_of(line.decode(errors="replace")))
        self.is_over = self.is_over or not data
        news, self._news = self._news, Event()
        news.set()

    def __str__(self) -> str:
        return "\n".join(text_of(record) for record in self.records)


def text_of(record: Record) -> str:
    """What a record says, its traceback included."""
    return "\n".join(str(record[key]) for key in ("event", "exception", "stack") if key in record)


def _record_of(line: str) -> Record:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    return record if isinstance(record, dict) else {"event": line, "plain": True}


class Fleet:
    """A `photon run` and its workers.   Attributes: process, pid, port, folder, log."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process = process
        self.pid = process.pid
        self.folder = folder
        self.log = Log()
        self.port = 0
        assert process.stderr is not None
        self._reader = spawn(self._read, process.stderr)

    def _read(self, stderr: Any) -> None:
        while line := stderr.readline():
            self.log.feed(line)
        self.log.feed(b"")

    @property
    def workers(self) -> dict[int, int]:
        """Slot -> pid of the workers that are ready, or drain, as far as the log says."""
        found: dict[int, int] = {}
        for record in self.log.records:
            if known := _READY.search(str(record["event"])):
                found[int(known[1])] = int(known[2])
            elif (known := _GONE.search(str(record["event"]))) and (
                found.get(int(known[1])) == int(known[2])
            ):
                del found[int(known[1])]
        return found

    def wait_serving(self, workers: int) -> None:
        """Wait until it listens and so many workers are ready; its port is known then."""
        told = self.log.wait_for(" serves ")["event"]  # and not that a generation serves
        port = re.search(r"https?://[^ ]+:(\d+)", told)
        self.port = int(port[1]) if port else 0
        self.wait_ready(workers)

    def wait_ready(self, workers: int, *, after: int = 0) -> list[int]:
        """Wait until so many workers became ready after a place in the log; their pids."""
        if workers:
            self.log.wait_for("is ready after", after=after, count=workers)
        events = [str(record["event"]) for record in self.log.records[after:]]
        return [int(known[2]) for event in events if (known := _READY.search(event))]

    def kill(self, which: signal.Signals, pid: int | None = None) -> None:
        """Send a signal to the supervisor, or to another process of the group."""
        os.kill(self.pid if pid is None else pid, which)

    def stop(self, which: signal.Signals = signal.SIGTERM) -> int:
        """Ask for an orderly end, and wait until all processes have ended; the exit code."""
        self.kill(which)
        return self.wait()

    def wait(self) -> int:
        """Wait until all processes have ended; the exit code of the supervisor."""
        self.log.wait_end()
        with fail_after(PATIENCE_S):
            return self.process.wait()

    @property
    def is_left(self) -> bool:
        """Whether any of its processes runs; those that nobody has waited for yet do not."""
        return not self.log.is_over

    def end(self) -> None:
        """Kill whatever is left, and wait for it."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.log.wait_end()
        assert self.process.stderr is not None
        self.process.stderr.close()


# In a program of its own: this one has more open than many may have.
_WITH_FILES = """
import os, resource, sys
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), hard))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@contextmanager
def running(
    app: str,
    *flags: str,
    folder: Path,
    workers: int | None = None,
    env: Mapping[str, str] | None = None,
    files: int = 0,
    port: int | None = 0,
    pass_fds: tuple[int, ...] = (),
) -> Iterator[Fleet]:
    """`photon run app:app` with `app` as app.py; it is gone after the block.

    Args:
        workers: how many are waited for; what --workers says, when left out; 0 for nobody.
        port: None when flags say where it listens.
        files: how many descriptors each of its processes may have; 0 for as many as this one.
    """
    (folder / "app.py").write_text(app)
    where = [] if port is None else ["--port", str(port)]
    control = [] if "--control" in flags else ["--control", "none"]
    words = ["run", "app:app", *where, *control, *flags]
    process = subprocess.Popen(
        [
            sys.executable,
            *(["-c", _WITH_FILES, str(files)] if files else []),
            "-m",
            "photon",
            *words,
        ],
        cwd=folder,
        env={**environment(), "PHOTON_LOG_FORMAT": "json", **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=pass_fds,
    )
    fleet = Fleet(process, folder)
    try:
        if workers is None:
            workers = int(flags[flags.index("--workers") + 1]) if "--workers" in flags else 0
            fleet.wait_serving(workers)
        elif workers:
            fleet.wait_serving(workers)
        yield fleet
    finally:
        fleet.end()
