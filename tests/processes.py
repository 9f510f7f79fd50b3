"""The command line as users have it: a process, its stderr, its exit code."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from photon.runtime.cancel import fail_after

ROOT = Path(__file__).resolve().parent.parent

PATIENCE_S = 15.0
"""How long anything is waited for; no test takes that long unless it fails."""


class Photon:
    """A `photon` that runs. Its stderr is read as the test asks for lines."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.stderr = ""

    def wait_line(self, *parts: str) -> str:
        """Read stderr up to the line that has all of `parts`."""
        assert self.process.stderr is not None
        with fail_after(PATIENCE_S):
            while line := self.process.stderr.readline().decode():
                self.stderr += line
                if all(part in line for part in parts):
                    return line
        raise AssertionError(f"stderr ended without {parts}:\n{self.stderr}")

    def wait_port(self) -> int:
        """Wait until it listens; the port."""
        found = re.search(r"http://[^ ]+:(\d+)", self.wait_line("serves"))
        assert found is not None, self.stderr
        return int(found[1])

    def kill(self, which: signal.Signals) -> None:
        self.process.send_signal(which)

    def wait(self) -> int:
        """Read the rest of stderr, and wait for the end; the exit code."""
        assert self.process.stderr is not None
        with fail_after(PATIENCE_S):
            self.stderr += self.process.stderr.read().decode()
            return self.process.wait()

    def stop(self) -> int:
        self.kill(signal.SIGTERM)
        return self.wait()


@contextmanager
def photon(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
    stderr: int = subprocess.PIPE,
    pass_fds: tuple[int, ...] = (),
) -> Iterator[Photon]:
    """Run `python -m photon` with `arguments` in `folder`, and end it with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "photon", *arguments],
        cwd=folder,
        env=environment(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        pass_fds=pass_fds,
    )
    try:
        yield Photon(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stderr is not None:
            process.stderr.close()


@contextmanager
def serving(
    *arguments: str, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[tuple[Photon, int]]:
    """As `photon run app:app`, on a free port, which it waits for."""
    with photon("run", "app:app", "--port", "0", *arguments, folder=folder, env=env) as process:
        yield process, process.wait_port()


class Ended:
    """What a command left: `code`, `out` and `err`."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err


def photon_ends(
    *arguments: str,
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """Run `python -m photon` with `arguments` in `folder` to its end."""
    with fail_after(PATIENCE_S):
        done = subprocess.run(
            [sys.executable, "-m", "photon", *arguments],
            cwd=folder,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of this process without what would configure Photon."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PHOTON_") and name not in ("PORT", "NO_COLOR")
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **(more or {})}


def get(port: int, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """The status and body that a GET (a POST with `body`) on this machine gets."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
