"""A load that comes at a rate, from clients who do as HTTP/1.1 wants it and count what they lose.

    python -m loadtests.steady PORT RATE SECONDS [CONNECTIONS [PATH]]

Requests are due at even distances and go over the connection that has been idle for longest; when
none is idle the request waits, and its latency counts from when it was due, so that a server that
stands still is not spared ("coordinated omission"). A connection is kept until the server says
`Connection: close`, or closes it while it is idle. Nothing is tried twice: a request is answered as
a whole or it has failed. What fails:

    refused   the connection was
    reset     it was closed or reset while a request was on its way, with no byte of an answer
    short     the answer began and did not end
    status    5xx
    late      no answer within 10 s

Each process has its share of connections and of the rate, and imports nothing of Photon.
"""

import errno
import json
import select
import socket
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
FAILURES = ("refused", "reset", "short", "status", "late")
LATE_S = 10.0
ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Steady:
    """What all clients saw.

    `latencies` are pairs of the moment (`time.monotonic`, of when it was due) and milliseconds;
    `failures` are pairs of the moment and its kind. `behind_ms` is how long a request was due that
    found no idle connection; `cpu_share` what the busiest process had of its core.
    """

    answered: int = 0
    latencies: list[tuple[float, float]] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)
    connections: int = 0
    idle_closed: int = 0
    behind_ms: float = 0.0
    cpu_share: float = 0.0

    @property
    def kinds(self) -> dict[str, int]:
        return dict(Counter(kind for _, kind in self.failures))

    def quantile(self, share: float, spans: Sequence[tuple[float, float]] | None = None) -> float:
        """Of the latencies in ms; of those that were due within `spans` only."""
        found = sorted(
            ms
            for at, ms in self.latencies
            if spans is None or any(begin <= at < end for begin, end in spans)
        )
        return found[min(len(found) - 1, int(len(found) * share))] if found else float("nan")


class Running:
    """Processes that make the load. `cores`: where they run."""

    def __init__(
        self,
        port: int,
        rate: float,
        seconds: float,
        *,
        connections: int = 64,
        path: str = "/",
        processes: int = 2,
        cores: frozenset[int] | None = None,
    ) -> None:
        pin = ["taskset", "-c", ",".join(map(str, sorted(cores)))] if cores else []
        self._processes = [
            subprocess.Popen(
                [
                    *pin,
                    *(sys.executable, "-m", "loadtests.steady"),
                    *map(str, (port, rate / processes, seconds, connections // processes, path)),
                ],
                cwd=ROOT,
                stdout=subprocess.PIPE,
            )
            for _ in range(processes)
        ]

    def wait(self) -> Steady:
        """All that was seen, at the end."""
        seen = Steady()
        for process in self._processes:
            printed, _ = process.communicate()
            if process.returncode:
                raise RuntimeError(f"a client ended with exit code {process.returncode}")
            seen = merged(seen, json.loads(printed))
        return seen

    def end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def merged(seen: Steady, one: dict[str, Any]) -> Steady:
    return Steady(
        answered=seen.answered + one["answered"],
        latencies=seen.latencies + [(at, ms) for at, ms in one["latencies"]],
        failures=seen.failures + [(at, kind) for at, kind in one["failures"]],
        connections=seen.connections + one["connections"],
        idle_closed=seen.idle_closed + one["idle_closed"],
        behind_ms=max(seen.behind_ms, one["behind_ms"]),
        cpu_share=max(seen.cpu_share, one["cpu_share"]),
    )


# One process...


class Lane:
    """A connection, and the request that is on its way."""

    def __init__(self) -> None:
        self.sock: socket.socket | None = None
        self.due = 0.0
        self.answer = b""
        self.wants = 0  # bytes of the whole answer, once its head has come
        self.is_busy = False


class Clients:
    """The clients of one process, in one loop over epoll."""

    def __init__(self, port: int, rate: float, connections: int, path: str) -> None:
        self._address = (HOST, port)
        self._pause_s = 1 / rate
        self._request = f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode()
        self._poll = select.epoll()
        self._lanes: dict[int, Lane] = {}
        self._idle = deque(Lane() for _ in range(connections))
        self.seen = Steady()

    def run(self, seconds: float) -> Steady:
        began = time.monotonic()
        due, end = began, began + seconds
        waiting: deque[float] = deque()
        looked = began
        while True:
            moment = time.monotonic()
            while due <= moment and due < end:
                waiting.append(due)
                due += self._pause_s
            while waiting and self._idle:
                self._ask(waiting.popleft())
            if waiting:
                self.seen.behind_ms = max(self.seen.behind_ms, (moment - waiting[0]) * 1000)
            busy = any(lane.is_busy for lane in self._lanes.values()) if due >= end else True
            if not waiting and not busy:
                self.seen.cpu_share = time.process_time() / (moment - began)
                return self.seen
            if moment - looked > 0.5:
                looked = moment
                self._give_up_on_the_late(moment)
            wait_s = LATE_S if waiting or due >= end else max(0.0, due - time.monotonic())
            for fd, _ in self._poll.poll(min(wait_s, 0.1)):
                self._read(self._lanes[fd])

    def _ask(self, due: float) -> None:
        lane = self._idle.popleft()
        lane.due, lane.answer, lane.wants, lane.is_busy = due, b"", 0, True
        if lane.sock is None and not self._connect(lane):
            return
        assert lane.sock is not None
        try:
            lane.sock.send(self._request)
        except OSError:
            self._lost(lane, "reset")

    def _connect(self, lane: Lane) -> bool:
        """Connect at once: to this machine that waits only while the backlog is full."""
        sock = socket.socket()
        sock.settimeout(LATE_S)
        try:
            sock.connect(self._address)
        except OSError as error:
            sock.close()
            self._lost(lane, "late" if isinstance(error, TimeoutError) else "refused")
            return False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setblocking(False)
        lane.sock = sock
        self._lanes[sock.fileno()] = lane
        self._poll.register(sock, select.EPOLLIN)
        self.seen.connections += 1
        return True

    def _read(self, lane: Lane) -> None:
        assert lane.sock is not None
        try:
            data = lane.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            data = b""
            if error.errno == errno.EINTR:
                return
        if not lane.is_busy:
            self._closed_while_idle(lane, data)
            return
        if not data:
            self._lost(lane, "short" if lane.answer else "reset")
            return
        lane.answer += data
        if not lane.wants:
            lane.wants = whole_bytes(lane.answer)
        if lane.wants and len(lane.answer) >= lane.wants:
            self._answered(lane)

    def _answered(self, lane: Lane) -> None:
        moment = time.monotonic()
        if len(lane.answer) > lane.wants:
            self._lost(lane, "short")
            return
        self.seen.answered += 1
        took_ms = round((moment - lane.due) * 1000, 3)
        self.seen.latencies.append((round(lane.due, 4), took_ms))
        if lane.answer[9:10] == b"5":
            self.seen.failures.append((lane.due, "status"))
        lane.is_busy = False
        if b"\r\nconnection: close\r\n" in lane.answer[: lane.wants].lower():
            self._close(lane)
        self._idle.append(lane)

    def _closed_while_idle(self, lane: Lane, data: bytes) -> None:
        """It may do so at any time; the next request goes over a new connection."""
        if data:
            self.seen.failures.append((time.monotonic(), "short"))  # nobody asked for that
        self.seen.idle_closed += 1
        self._close(lane)

    def _lost(self, lane: Lane, kind: str) -> None:
        self.seen.failures.append((lane.due, kind))
        lane.is_busy = False
        self._close(lane)
        self._idle.append(lane)

    def _give_up_on_the_late(self, moment: float) -> None:
        for lane in list(self._lanes.values()):
            if lane.is_busy and moment - lane.due > LATE_S:
                self._lost(lane, "late")

    def _close(self, lane: Lane) -> None:
        if lane.sock is not None:
            self._poll.unregister(lane.sock)
            del self._lanes[lane.sock.fileno()]
            lane.sock.close()
            lane.sock = None


def whole_bytes(answer: bytes) -> int:
    """How long an answer is from its first byte to its last; 0 while its head is not complete."""
    head, end, _ = answer.partition(b"\r\n\r\n")
    if not end:
        return 0
    found = head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0]
    return len(head) + 4 + int(found or 0)


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    port, rate, seconds = int(given[0]), float(given[1]), float(given[2])
    connections = int(given[3]) if len(given) > 3 else 64
    seen = Clients(port, rate, connections, given[4] if len(given) > 4 else "/").run(seconds)
    sys.stdout.write(json.dumps(vars(seen)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
