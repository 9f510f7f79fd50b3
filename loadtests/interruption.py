"""How late a request is stopped that waits past its deadline, when 10,000 others wait as well.

    python -m loadtests.interruption                      [--requests N] [--rate N] [--timeout S]
    python -m loadtests.interruption --rate 4000 --kinds sleep,socket

A Photon on a core of its own, a client on another: the requests come at a rate that the machine
can answer, each kind in its turn (a sleep, a socket, locks, queues), and all wait at the same time
before the first is due. Their handlers note how late their `finally` ran, counted from their own
first line; the client sees that each got its 504. Told apart from it: the burst, in which all
deadlines are the same moment, and the last is stopped when all others were.

How long others had the server's core meanwhile is told as well (the kernel counts it): on a shared
machine that is what makes a figure bad.

Exit code 1 if the goal is missed, or one cleanup did not run, or one answer is wrong.
"""

import argparse
import json
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from loadtests import machine
from loadtests.process import HOST, Running, StartFailed, exit_on_sigterm, on_cores, running
from loadtests.scenarios.idle_memory import PER_SOURCE
from loadtests.scenarios.upload import at
from loadtests.servers import HERE, Server

KINDS = ("sleep", "socket", "lock", "own-lock", "queue", "channel")
GOAL_MS = 20.0
TICK_S = 0.001
PATIENCE_S = 20.0
SPARE_FILES = 200

SERVER = Server(
    "photon",
    HERE,
    "photon run loadtests.apps.photon_waiting:app --host 127.0.0.1 --port {port}"
    " --log-level critical",
    ("photon-web", "gevent", "greenlet"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    exit_on_sigterm()
    machine.raise_file_limit()
    cores = machine.share_cores()
    server = replace(SERVER, environment=(("WAITING_TIMEOUT_S", str(options.timeout)),))
    for name, value in machine.describe(cores).items():
        print(f"{name:10}{value}")
    print(f"\n{options.requests:,} requests, {options.rate:,}/s, timeout {options.timeout:g} s\n")
    try:
        with (
            running(server, cores.server) as target,
            on_cores(set(cores.clients) if cores.clients else None),
            connected(target.port, options.requests) as sockets,
        ):
            is_right = staggered(target, sockets, options)
            is_right &= burst(target, sockets, options)
    except StartFailed as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if is_right else 1


def staggered(target: Running, sockets: list[socket.socket], options: argparse.Namespace) -> bool:
    """One after the other, at a rate: for each kind alone, and for all of them in turn."""
    print(HEADER)
    is_right = True
    groups = [(kind,) for kind in options.kinds] if options.each else []
    for kinds in [*groups, tuple(options.kinds)]:
        some = sockets[: room(kinds, len(sockets))]
        requests = [get(f"/wait/{kinds[i % len(kinds)]}") for i in range(len(some))]
        kept_from = kept_from_core_ms(target.pid)
        seen = ask(some, requests, options.rate, options.timeout)
        seen.kept_from_ms = kept_from_core_ms(target.pid) - kept_from
        noted = report_of(target)
        is_right &= tell("+".join(kinds), seen, noted, 504, GOAL_MS)
    return is_right


def burst(target: Running, sockets: list[socket.socket], options: argparse.Namespace) -> bool:
    """All deadlines at one moment, when all have been waiting for a second."""
    sockets = sockets[: room(options.kinds, len(sockets))]
    arrival = len(sockets) / options.rate
    deadline = json.loads(target.ask("GET", "/now", {}, None)[1]) + arrival + 1.0
    kinds = options.kinds
    requests = [
        get(f"/until/{kinds[i % len(kinds)]}?deadline={deadline}") for i in range(len(sockets))
    ]
    kept_from = kept_from_core_ms(target.pid)
    seen = ask(sockets, requests, options.rate, arrival + 1.0)
    seen.kept_from_ms = kept_from_core_ms(target.pid) - kept_from
    print("\nAll deadlines at one moment")
    print(HEADER)
    return tell("+".join(kinds), seen, report_of(target), 200, None)


def room(kinds: Sequence[str], connections: int) -> int:
    """How many requests the server has descriptors for: those for a socket open a pair."""
    pairs = kinds.count("socket") / len(kinds)
    left = machine.raise_file_limit() - connections - SPARE_FILES
    return min(connections, int(left / (2 * pairs))) if pairs else connections


# What is told...

COLUMNS = ("stopped", "p50 ms", "p99 ms", "max ms", "cleanups")
HEADER = f"{'waiting in':44}" + "".join(f"{name:>9}" for name in COLUMNS) + "  answers"


@dataclass
class Seen:
    """What the client saw. `statuses` counts answers."""

    statuses: Counter[int] = field(default_factory=Counter)
    most_waiting: int = 0
    behind_ms: float = 0.0
    kept_from_ms: float = 0.0


def kept_from_core_ms(pid: int) -> float:
    """How long the process was ready to run and others had its core; 0 where nobody tells.

    What is late because of that is not the server's fault: on a quiet machine it is a few ms.
    """
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e6
    except OSError:
        return 0.0


def tell(name: str, seen: Seen, noted: dict[str, Any], status: int, goal: float | None) -> bool:
    late = noted["late_ms"]
    if not late:
        print(f"{name:44} nothing was stopped: {dict(seen.statuses)}")
        return False
    stopped = noted["sources"].get("deadline", 0)
    p99 = at(late, 0.99)
    is_complete = (
        stopped == len(late) == noted["begun"] == seen.statuses[status] == seen.statuses.total()
        and len(late) > 0
        and late[0] >= 0  # none was stopped early
    )
    print(
        f"{name:44}{stopped:>9,}{at(late, 0.5):>9.1f}{p99:>9.1f}{late[-1]:>9.1f}"
        f"{f'{len(late):,}':>9}  "
        + ", ".join(f"{count:,} x {code}" for code, count in seen.statuses.items())
        + f"; {seen.most_waiting:,} waited at once"
        + f"; {seen.kept_from_ms:,.0f} ms kept from its core"
        + (f"; the client was {seen.behind_ms:.0f} ms behind" if seen.behind_ms > 50 else "")
    )
    if not is_complete:
        print(f"  INCOMPLETE: {noted['begun']:,} begun, {noted['sources']}, earliest {late[0]} ms")
    if goal is not None:
        holds = p99 <= goal
        print(f"  p99 of {p99:.1f} ms (goal: {goal:g} or less): {'reached' if holds else 'MISSED'}")
        return holds and is_complete
    return is_complete


def report_of(target: Running) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(target.ask("GET", "/report", {}, None)[1])
    return report


# The client...


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@contextmanager
def connected(port: int, number: int) -> Iterator[list[socket.socket]]:
    """So many connections, from several addresses as ports are few."""
    sockets: list[socket.socket] = []
    try:
        for index in range(number):
            source = (f"127.0.0.{2 + index // PER_SOURCE}", 0)
            sockets.append(socket.create_connection((HOST, port), 10, source))
            sockets[-1].setblocking(False)
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


def ask(
    sockets: Sequence[socket.socket], requests: Sequence[bytes], rate: float, wait_s: float
) -> Seen:
    """Send one request on each connection, `rate` a second, and read all answers."""
    seen = Seen()
    poller = select.epoll()
    answers = {sock.fileno(): b"" for sock in sockets}
    by_fd = {sock.fileno(): sock for sock in sockets}
    for sock in sockets:
        poller.register(sock, select.EPOLLIN)
    began = time.perf_counter()
    limit = began + len(sockets) / rate + wait_s + PATIENCE_S
    sent = 0
    left = set(answers)
    while left and time.perf_counter() < limit:
        due = min(len(sockets), int((time.perf_counter() - began) * rate))
        if due - sent > rate * 0.05:
            seen.behind_ms = max(seen.behind_ms, (due - sent) / rate * 1000)
        while sent < due:
            sockets[sent].send(requests[sent])
            sent += 1
        seen.most_waiting = max(seen.most_waiting, sent - (len(sockets) - len(left)))
        for fd, _ in poller.poll(TICK_S):
            try:
                data = by_fd[fd].recv(65536)
            except OSError:
                data = b""
            answers[fd] += data
            if not data or is_complete(answers[fd]):
                poller.unregister(fd)
                left.discard(fd)
                seen.statuses[int(answers[fd][9:12] or 0)] += 1
    if left:
        seen.statuses[0] += len(left)  # never answered
    poller.close()
    return seen


def is_complete(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
    return len(body) >= int(length or 0)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.interruption", description="How late deadlines are met."
    )
    parser.add_argument("--requests", type=int, default=10_000, metavar="N", help="(10000)")
    parser.add_argument("--rate", type=int, default=2_000, metavar="N", help="a second (2000)")
    parser.add_argument("--timeout", type=float, metavar="S", help="(all have come, and a second)")
    parser.add_argument("--kinds", metavar="KIND,...", help=f"({','.join(KINDS)})")
    parser.add_argument("--each", action="store_true", help="each kind alone as well")
    options = parser.parse_args(arguments)
    options.kinds = options.kinds.split(",") if options.kinds else list(KINDS)
    unknown = [kind for kind in options.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    if options.timeout is None:
        options.timeout = options.requests / options.rate + 1.0
    return options


if __name__ == "__main__":
    sys.exit(main())
