"""A process that was started without its standard streams."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import PATIENCE_S, environment

TELLS_ITS_STREAMS = """
import os, sys
from photon import Photon

app = Photon()

@app.get("/")
def streams():
    print("to nobody")
    print("to nobody", file=sys.stderr, flush=True)
    return [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]
"""


@contextmanager
def started(folder: Path, closed: str, *flags: str) -> Iterator[socket.socket]:
    """A client of `photon run`, started by a shell that closed some streams."""
    (folder / "app.py").write_text(TELLS_ITS_STREAMS)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        shell = ["sh", "-c", f'exec "$0" "$@" {closed}']
        where = ["--fd", str(listening.fileno()), "--control", "none"]
        process = subprocess.Popen(
            [*shell, sys.executable, "-m", "photon", "run", "app:app", *where, *flags],
            cwd=folder,
            env=environment(),
            pass_fds=[listening.fileno()],
        )
        try:
            with socket.create_connection(listening.getsockname(), PATIENCE_S) as client:
                client.settimeout(PATIENCE_S)
                yield client
        finally:
            process.terminate()
            process.wait()


@pytest.mark.parametrize("flags", [(), ("--workers", "1")])
@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "2>&-"])
def test_what_is_closed_is_no_socket_that_gets_the_log(
    tmp_path: Path, closed: str, flags: tuple[str, ...]
) -> None:
    with started(tmp_path, closed, *flags) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b'/dev/null"]')
