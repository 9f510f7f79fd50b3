"""What an idle WebSocket costs the server in memory, after its first echo.

As `idle_memory`, of which the rest is told there: 10,000 connections that stay, the server's own
memory before and after. A server that pings its idle clients meanwhile gets no pong; the figure is
taken before it can mind.
"""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from loadtests import ws_clients
from loadtests.process import memory_of, running
from loadtests.scenarios.base import Sample, Settings, WrongAnswer
from loadtests.scenarios.idle_memory import PER_SOURCE, SETTLE_S
from loadtests.servers import Server

# Lazy imports, pools and caches of the server are filled before.
WARM_UP = 200


@dataclass(frozen=True)
class WebSocketIdle:
    connections: int = 10_000
    name: str = "ws-idle"
    unit: str = "bytes"
    more_is_better: bool = False
    max_rounds: int = 1
    yardsticks: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        return f"Memory of an idle WebSocket (of {self.connections:,})"

    def measure(self, server: Server, settings: Settings) -> Sample:
        try:
            return self.weigh(server, settings)
        except ws_clients.WrongEcho as error:
            raise WrongAnswer(str(error)) from None

    def weigh(self, server: Server, settings: Settings) -> Sample:
        connections = settings.connections or self.connections
        with running(server, settings.cores.server) as target:
            with opened(target.port, WARM_UP):
                pass
            time.sleep(SETTLE_S)
            before = memory_of(target.pid)
            with opened(target.port, connections) as sockets:
                time.sleep(SETTLE_S)
                after = memory_of(target.pid)
                closed = count_closed(sockets)
        return Sample(
            (after.rss - before.rss) / connections,
            {
                "by PSS": (after.pss - before.pss) / connections,
                "RSS MB before": before.rss / 1e6,
            },
            {"connections closed by the server": closed} if closed else {},
        )


@contextmanager
def opened(port: int, number: int) -> Iterator[list[socket.socket]]:
    """So many connections, each with an echo behind it."""
    sockets: list[socket.socket] = []
    try:
        for index in range(number):
            sock = ws_clients.connect(port, f"127.0.0.{2 + index // PER_SOURCE}")
            sockets.append(sock)
            ws_clients.echo_once(sock)
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


def count_closed(sockets: list[socket.socket]) -> int:
    """How many of them are over: something else that came is a ping."""
    poll = select.poll()
    for sock in sockets:
        poll.register(sock, select.POLLIN)
    ready = {fd for fd, _ in poll.poll(0)}
    return sum(sock.fileno() in ready and is_over(sock) for sock in sockets)


def is_over(sock: socket.socket) -> bool:
    """Closed, or told so: opcode 8 (RFC 6455 §5.5.1)."""
    try:
        data = sock.recv(4096)
    except OSError:
        return True
    return not data or data[0] & 0x0F == 8
