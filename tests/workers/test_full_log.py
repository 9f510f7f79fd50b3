"""A log that nobody reads for a while: nothing waits for it, and all comes when it is read."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep
from tests.processes import PATIENCE_S, environment
from tests.workers.apps import PIDS


def fill(write_end: int) -> None:
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(write_end, True)


def test_a_supervisor_writes_what_waits_though_nothing_happens_any_more(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PIDS)
    read_end, write_end = os.pipe()
    fill(write_end)
    os.set_blocking(read_end, False)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        where = ["--fd", str(listening.fileno()), "--control", "none"]
        process = subprocess.Popen(
            [sys.executable, "-m", "photon", "run", "app:app", "--workers", "1", *where],
            cwd=tmp_path,
            env=environment(),
            stderr=write_end,
            pass_fds=[listening.fileno()],
        )
        os.close(write_end)
        try:
            with socket.create_connection(listening.getsockname(), PATIENCE_S) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.recv(4096).startswith(b"HTTP/1.1 200")
            log = b""
            with fail_after(PATIENCE_S):
                while b" serves " not in log:
                    try:
                        log += os.read(read_end, 65536)
                    except BlockingIOError:
                        sleep(0.01)
        finally:
            process.terminate()
            process.wait()
            os.close(read_end)
    assert log.count(b"is ready after") == 1
