"""Clients that keep their connections, in a process of their own, which count what they get.

    with load(fleet.port, connections=16, rate=500) as clients:
        clients.wait_answered(1000)
        ...
        report = clients.stop()
    assert report.failed == 0, report

Each client is a plain HTTP/1.1 client with one blocking socket: it asks, reads the whole answer,
asks again, and connects anew when it was told `Connection: close`. Nothing is tried twice: what
goes wrong is counted, by its kind, and the next request goes over a new connection.

Run as a program this file is that process; it imports nothing of Photon.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

PATIENCE_S = 30.0


@dataclass
class Report:
    """What the clients of a load got.

    Attributes:
        answered: whole answers, whatever their status; statuses: how many of each.
        refused: connections; reset: of a new connection, before any byte of an answer;
        raced: the same of one that had been used: it was closed while the request was on its way;
        short: answers that were cut; timed_out: no answer within 20 s; wrong: no HTTP.
        told_to_close: answers that said so.
        p50_s, p99_s, longest_s: of an answer, from the request on.
        texts: how many answers had each body; last: the last body of each connection.
        errors: the first of what went wrong.
        certificates: the serial numbers of those that the server showed, and how often.
    """

    answered: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    reset: int = 0
    raced: int = 0
    short: int = 0
    timed_out: int = 0
    wrong: int = 0
    told_to_close: int = 0
    p50_s: float = 0.0
    p99_s: float = 0.0
    longest_s: float = 0.0
    texts: dict[str, int] = field(default_factory=dict)
    last: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    certificates: dict[str, int] = field(default_factory=dict)

    @property
    def lost(self) -> int:
        """Requests without a whole answer."""
        return self.refused + self.reset + self.raced + self.short + self.timed_out + self.wrong

    @property
    def failed(self) -> int:
        """Those, and answers that say that the server has failed."""
        return self.lost + sum(n for status, n in self.statuses.items() if status >= "500")


class Load:
    """The process of the clients."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def wait_answered(self, more: int) -> None:
        """Wait until so many requests more were answered."""
        self._ask({"until": more})

    def report(self) -> Report:
        """What they got until now."""
        return Report(**self._ask({"report": True}))

    def stop(self) -> Report:
        """Let each have its last answer, and count."""
        return Report(**self._ask({"stop": True}))

    def _ask(self, what: dict[str, Any]) -> dict[str, Any]:
        from photon.runtime.cancel import fail_after

        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        self._process.stdin.flush()
        with fail_after(PATIENCE_S):
            answer: dict[str, Any] = json.loads(self._process.stdout.readline() or b"null")
        return answer


@contextmanager
def load(
    port: int, *, connections: int = 16, path: str = "/", rate: float = 0.0, ca: str = ""
) -> Iterator[Load]:
    """Clients of 127.0.0.1, until the end of the block.

    Args:
        rate: requests a second of all together; 0 for as many as they can.
        ca: speak TLS, and believe certificates for "localhost" that are signed by this one.
    """
    arguments = {"port": port, "connections": connections, "path": path, "rate": rate, "ca": ca}
    process = subprocess.Popen(
        [sys.executable, __file__, json.dumps(arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield Load(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


# The process...


class Broken(Exception):
    """An answer did not come as a whole.   Args: kind: a field of `Report`."""

    def __init__(self, kind: str, why: object) -> None:
        super().__init__(str(why))
        self.kind = kind


class Tally:
    """What all clients count together."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self.certificates: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.errors: list[str] = []
        self.is_stopping = False

    def answered(self, status: str, text: str, seconds: float) -> None:
        with self.lock:
            self.counts["answered"] += 1
            self.statuses[status] += 1
            self.texts[text] += 1
            self.latencies.append(seconds)
            self.lock.notify_all()

    def broken(self, error: Broken) -> None:
        with self.lock:
            self.counts[error.kind] += 1
            if len(self.errors) < 20:
                self.errors.append(f"{error.kind}: {error}")

    def report(self, clients: list[Client]) -> dict[str, Any]:
        with self.lock:
            ordered = sorted(self.latencies) or [0.0]
            return {
                **self.counts,
                "statuses": self.statuses,
                "texts": dict(self.texts.most_common(100)),
                "errors": self.errors,
                "certificates": self.certificates,
                "last": [client.last for client in clients],
                "p50_s": ordered[len(ordered) // 2],
                "p99_s": ordered[len(ordered) * 99 // 100],
                "longest_s": ordered[-1],
            }


class Client:
    """One connection after the other."""

    def __init__(
        self,
        tally: Tally,
        port: int,
        path: str,
        pause_s: float,
        first_s: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._tally = tally
        self._tls = tls
        self._port = port
        self._request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        self._pause_s = pause_s
        self._due = time.monotonic() + first_s
        self._socket: socket.socket | None = None
        self._unread = b""
        self.last = ""

    def live(self) -> None:
        while not self._tally.is_stopping:
            if self._pause_s:
                wait_s = self._due - time.monotonic()
                if wait_s > 0:
                    time.sleep(min(wait_s, 0.1))
                    continue
                self._due += self._pause_s
            try:
                self._ask()
            except Broken as error:
                self._tally.broken(error)
                self._close()
                if error.kind == "refused":
                    time.sleep(0.01)  # not as fast as the machine can be refused
        self._close()

    def _ask(self) -> None:
        is_used = self._socket is not None
        began = time.monotonic()
        if self._socket is None:
            self._socket = self._connect()
        before = "raced" if is_used else "reset"
        try:
            self._socket.sendall(self._request)
        except OSError as error:
            raise Broken(before, error) from None
        head = self._read_head(before)
        lines = head.decode("latin-1").split("\r\n")
        version, _, rest = lines[0].partition(" ")
        if not version.startswith("HTTP/1."):
            raise Broken("wrong", lines[0])
        fields = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        body = self._read_body(fields)
        self.last = body.decode(errors="replace")[:100]
        self._tally.answered(rest[:3], self.last, time.monotonic() - began)
        if fields.get("connection", "").lower() == "close":
            with self._tally.lock:
                self._tally.counts["told_to_close"] += 1
            self._close()
        elif self._unread:
            raise Broken("wrong", f"{self._unread[:80]!r} after the end of an answer")

    def _connect(self) -> socket.socket:
        try:
            opened = socket.create_connection(("127.0.0.1", self._port), timeout=20)
        except OSError as error:
            raise Broken("refused", error) from None
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return opened
        try:
            secured = self._tls.wrap_socket(opened, server_hostname="localhost")
        except OSError as error:
            opened.close()
            raise Broken("reset", error) from None
        with self._tally.lock:
            self._tally.certificates[str((secured.getpeercert() or {})["serialNumber"])] += 1
        return secured

    def _read_head(self, before: str) -> bytes:
        while b"\r\n\r\n" not in self._unread:
            self._more("short" if self._unread else before)
        head, _, self._unread = self._unread.partition(b"\r\n\r\n")
        return head

    def _read_body(self, fields: dict[str, str]) -> bytes:
        if fields.get("transfer-encoding") == "chunked":
            body = b""
            while True:
                while b"\r\n" not in self._unread:
                    self._more("short")
                size, _, self._unread = self._unread.partition(b"\r\n")
                piece = self._exactly(int(size, 16) + 2)
                if int(size, 16) == 0:
                    return body
                body += piece[:-2]
        return self._exactly(int(fields.get("content-length", 0)))

    def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            self._more("short")
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def _more(self, kind: str) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(65536)
        except TimeoutError as error:
            raise Broken("timed_out", error) from None
        except OSError as error:
            raise Broken(kind, error) from None
        if not data:
            raise Broken(kind, f"the end, after {self._unread[:80]!r}")
        self._unread += data

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._unread = None, b""


def main(port: int, connections: int, path: str, rate: float, ca: str) -> None:
    tally = Tally()
    tls = ssl.create_default_context(cafile=ca) if ca else None
    pause_s = connections / rate if rate else 0.0
    clients = [
        Client(tally, port, path, pause_s, pause_s * number / connections, tls)
        for number in range(connections)
    ]
    threads = [threading.Thread(target=client.live, daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    for line in sys.stdin:
        command = json.loads(line)
        answer: dict[str, Any] = {}
        if "until" in command:
            with tally.lock:
                goal = tally.counts["answered"] + command["until"]
                while tally.counts["answered"] < goal:
                    tally.lock.wait()
        else:
            if "stop" in command:
                tally.is_stopping = True
                for thread in threads:
                    thread.join()
            answer = tally.report(clients)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
