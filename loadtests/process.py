"""A server as a child process on one core: started, waited for, asked, measured, ended.

What it prints goes to a temporary file, and is shown when it fails to start. It is ended by its
process id, with SIGTERM first and SIGKILL for whoever is left of it.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtests.servers import ROOT, Server

START_LIMIT_S = 20.0
STOP_LIMIT_S = 3.0  # some peers do not end on SIGTERM at all
HOST = "127.0.0.1"


class StartFailed(Exception):
    """The server ended, or did not answer in time; the message holds what it printed."""


@dataclass(frozen=True)
class Running:
    """A server that listens."""

    server: Server
    pid: int
    port: int
    started_at: float

    def url(self, path: str) -> str:
        return f"http://{HOST}:{self.port}{self.server.prefix}{path}"

    def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[int, bytes]:
        """One request on a connection of its own: status and body of the answer."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_LIMIT_S)
        try:
            connection.request(method, self.server.prefix + path, body, dict(headers))
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


@contextmanager
def running(server: Server, core: int | None, *, waits: bool = False) -> Iterator[Running]:
    """The server, listening on a free port and bound to `core`; ended when the block is left.

    Raises: StartFailed.
    """
    port = free_port()
    with tempfile.TemporaryFile() as output:
        started_at = time.perf_counter()
        with on_cores({core} if core is not None else None):
            process = subprocess.Popen(
                server.command(port, waits),
                cwd=ROOT,
                env=_environment(server.variables(port)),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until_listening(process, port)
            yield Running(server, process.pid, port, started_at)
        except StartFailed as error:
            output.seek(0)
            printed = output.read().decode(errors="replace").strip()
            raise StartFailed(f"{server.name}: {error}\n{printed}".strip()) from None
        finally:
            end(process)


def _environment(variables: dict[str, str]) -> dict[str, str]:
    """Ours, but with byte code kept: a package that pip installed brings its own, and an editable
    one, as Photon is here, would be compiled at each start."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **variables}


# Starting...


@contextmanager
def on_cores(cores: set[int] | None) -> Iterator[None]:
    """What is started inside runs on these cores only: a child inherits them with its first step.

    None, and a system that cannot bind a process to a core (macOS), leave everything as it is.
    """
    if cores is None or sys.platform != "linux":
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port: int = sock.getsockname()[1]
        return port


def wait_until_listening(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.perf_counter() + START_LIMIT_S
    while time.perf_counter() < deadline:
        if process.poll() is not None:
            raise StartFailed(f"ended with exit code {process.returncode} while starting")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.001)
        else:
            return
    raise StartFailed(f"does not listen after {START_LIMIT_S:.0f} s")


# Ending...


def exit_on_sigterm() -> None:
    """Let a SIGTERM leave the `running` blocks in order, so that no server is left behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def end(process: "subprocess.Popen[bytes]") -> None:
    """End the process and the workers it started, gently first."""
    pids = family(process.pid)
    process.terminate()
    try:
        process.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid in pids[1:]:
        try:
            os.kill(pid, signal.SIGKILL)  # a worker that outlived its master
        except ProcessLookupError:
            pass


def family(pid: int) -> list[int]:
    """The process and all that descend from it, parents first; Linux only, else just itself."""
    pids = [pid]
    for each in pids:
        for children in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                pids.extend(map(int, children.read_text().split()))
            except OSError:
                pass  # it has just ended
    return pids


@dataclass(frozen=True)
class Memory:
    """What the server's processes hold, in bytes, its workers and master together."""

    rss: int
    pss: int


def memory_of(pid: int) -> Memory:
    """Linux only: /proc/<pid>/smaps_rollup. The kernel's socket buffers are in neither figure."""
    rss = pss = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Rss:"):
                rss += int(line.split()[1]) * 1024
            elif line.startswith("Pss:"):
                pss += int(line.split()[1]) * 1024
    return Memory(rss, pss)


def cpu_seconds_of(pid: int) -> float:
    """What the server's processes have had of their cores so far, together. Linux only.

    A server that is asked as fast as it can and got less than its core shared it with others.
    """
    nanoseconds = 0
    for each in family(pid):
        for thread in Path(f"/proc/{each}/task").glob("*/schedstat"):
            try:
                nanoseconds += int(thread.read_text().split()[0])
            except OSError:
                pass  # it has just ended
    return nanoseconds / 1e9


def peak_memory_of(pid: int) -> int:
    """The most that the server's processes ever held (VmHWM), in bytes, together. Linux only."""
    peak = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                peak += int(line.split()[1]) * 1024
    return peak
