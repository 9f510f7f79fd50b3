"""What an idle keep-alive connection costs the server in memory, after its first request.

10,000 connections are opened one after another, each asks once and stays. Only the server's own
memory counts: the kernel's socket buffers are the same for everyone and in neither figure.
"""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loadtests.process import HOST, Running, memory_of
from loadtests.scenarios.base import Sample, Settings, WrongAnswer, warm
from loadtests.servers import Server

# One source address has about 28,000 ports, some of them still in TIME_WAIT from the run before.
PER_SOURCE = 2_500
SETTLE_S = 1.0


@dataclass(frozen=True)
class IdleMemory:
    connections: int = 10_000
    name: str = "idle"
    title: str = "Memory of an idle keep-alive connection (of 10,000)"
    unit: str = "bytes"
    more_is_better: bool = False
    max_rounds: int = 1
    yardsticks: tuple[tuple[str, str], ...] = ()

    def measure(self, server: Server, settings: Settings) -> Sample:
        with warm(server, settings) as target:
            time.sleep(SETTLE_S)
            before = memory_of(target.pid)
            with keep_alive(target, self.connections) as sockets:
                time.sleep(SETTLE_S)
                after = memory_of(target.pid)
                closed = count_closed(sockets)
        return Sample(
            (after.pss - before.pss) / self.connections,
            {
                "by RSS": (after.rss - before.rss) / self.connections,
                "RSS MB before": before.rss / 1e6,
            },
            {"connections closed by the server": closed} if closed else {},
        )


@contextmanager
def keep_alive(target: Running, number: int) -> Iterator[list[socket.socket]]:
    request = f"GET {target.server.prefix}/json HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
    sockets: list[socket.socket] = []
    try:
        for index in range(number):
            source = f"127.0.0.{2 + index // PER_SOURCE}"
            sock = socket.create_connection((HOST, target.port), 10, (source, 0))
            sockets.append(sock)
            sock.sendall(request)
            read_answer(sock)
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


def read_answer(sock: socket.socket) -> None:
    """Read until the message is complete, however the server cuts it into packets."""
    answer = b""
    while not answer.rstrip().endswith(b'World!"}'):
        data = sock.recv(65536)
        if not data:
            raise WrongAnswer(f"the connection was closed after {answer[:200]!r}")
        answer += data


def count_closed(sockets: list[socket.socket]) -> int:
    """How many have something to read: nothing was asked, so it can only be the end."""
    poll = select.poll()
    for sock in sockets:
        poll.register(sock, select.POLLIN)
    return len(poll.poll(0))
