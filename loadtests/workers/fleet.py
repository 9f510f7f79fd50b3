"""`photon run --workers N` as a child process: its cores, its log as it comes, its end."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests.process import HOST, StartFailed, end, free_port, on_cores
from loadtests.servers import ROOT
from photon.runtime.workers.client import ControlClient

APP = "loadtests.apps.photon_workers:app"
PATIENCE_S = 30.0
# `photon run`, and the same with a balance that lets everybody take everything.
PHOTON = ("-m", "photon")
KERNEL_ALONE = ("-m", "loadtests.workers.kernel_alone")


@dataclass
class Entry:
    """A line of the log.   `at`: when it came, by `time.monotonic`."""

    at: float
    text: str
    record: dict[str, Any]


@dataclass
class Fleet:
    """A supervisor that listens, and its workers."""

    process: "subprocess.Popen[bytes]"
    port: int
    control: ControlClient
    log: list[Entry] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    is_over: bool = False

    @property
    def pid(self) -> int:
        return self.process.pid

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.port}{path}"

    def signal(self, which: signal.Signals, pid: int | None = None) -> float:
        """Send a signal to the supervisor or to another one; the moment."""
        moment = time.monotonic()
        os.kill(self.pid if pid is None else pid, which)
        return moment

    def wait_for(self, text: str, *, after: float = 0.0, count: int = 1) -> Entry:
        """The `count`th line with `text` that came after a moment.   Raises: StartFailed."""
        until = time.monotonic() + PATIENCE_S
        with self.news:
            while True:
                found = [e for e in self.log if e.at >= after and text in e.text]
                if len(found) >= count:
                    return found[count - 1]
                left = until - time.monotonic()
                if self.is_over or left <= 0:
                    raise StartFailed(f"the log has no {text!r}:\n{self.printed}")
                self.news.wait(left)

    @property
    def printed(self) -> str:
        return "\n".join(entry.text for entry in self.log[-30:])

    def workers(self) -> list[dict[str, Any]]:
        """What the supervisor knows of each: `pid`, `state`, `board` and more."""
        found: list[dict[str, Any]] = self.control.ask("workers")["workers"]
        return found

    def serving(self) -> list[int]:
        """Process ids of those that serve."""
        return [worker["pid"] for worker in self.workers() if worker["state"] == "ready"]

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            entry = _entry(line.decode(errors="replace").rstrip())
            with self.news:
                self.log.append(entry)
                self.news.notify_all()
        with self.news:
            self.is_over = True
            self.news.notify_all()


def _entry(line: str) -> Entry:
    try:
        record = json.loads(line)
    except ValueError:
        record = None
    if not isinstance(record, dict):
        return Entry(time.monotonic(), line, {})
    return Entry(time.monotonic(), str(record.get("event", "")), record)


@contextmanager
def fleet(
    workers: int,
    *flags: str,
    cores: frozenset[int] | None = None,
    variables: Mapping[str, str] | None = None,
    program: tuple[str, ...] = PHOTON,
) -> Iterator[Fleet]:
    """So many workers that are ready, on these cores; ended with the block.

    Raises: StartFailed.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="photon-workers-") as folder:
        control = str(Path(folder) / "control.sock")
        words = ["run", APP, "--workers", str(workers), "--port", str(port), "--control", control]
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        with on_cores(set(cores) if cores else None):
            process = subprocess.Popen(
                [sys.executable, *program, *words, *flags],
                cwd=ROOT,
                env={**kept, "PHOTON_LOG_FORMAT": "json", **(variables or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
        found = Fleet(process, port, ControlClient(control))
        reader = threading.Thread(target=found._read, daemon=True)
        reader.start()
        try:
            found.wait_for("is ready after", count=workers)
            yield found
        finally:
            end(process)
            reader.join(PATIENCE_S)
            assert process.stderr is not None
            process.stderr.close()
