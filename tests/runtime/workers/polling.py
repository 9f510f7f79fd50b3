"""A loop over poll for polled servers, one round after the other, and its clients."""

from __future__ import annotations

import _socket
import json
from collections.abc import Callable
from typing import Any

from gevent import monkey

from photon.runtime.workers.polled import PolledServer

_poll = monkey.get_original("select", "poll")

PATIENCE_MS = 5000
"""How long a round waits for something to happen; only a test that fails takes so long."""


def go_round(*servers: PolledServer[Any], wait_ms: int = PATIENCE_MS) -> int:
    """Wait until something can be done, and do it; how much was done."""
    poll = _poll()
    for server in servers:
        for fd, events in server.watched():
            poll.register(fd, events)
    found = poll.poll(wait_ms)
    for fd, events in found:
        assert any(server.handle(fd, events) for server in servers)
    return len(found)


def go_on(server: PolledServer[Any], until: Callable[[], object]) -> None:
    """Rounds until something is so."""
    while not until():
        assert go_round(server), "nothing happens any more"


class RawClient:
    """A client that never waits; the server's rounds are made between its attempts."""

    def __init__(self, server: PolledServer[Any], address: str | tuple[str, int]) -> None:
        self.server = server
        family = _socket.AF_UNIX if isinstance(address, str) else _socket.AF_INET
        self.socket = _socket.socket(family, _socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_MS / 1000)
        self.socket.connect(address)
        self.socket.setblocking(False)
        self.got = b""

    def send(self, data: bytes) -> None:
        while data:
            try:
                data = data[self.socket.send(data) :]
            except BlockingIOError:
                assert go_round(self.server)

    def say(self, **message: Any) -> None:
        self.send(json.dumps(message).encode() + b"\n")

    def _receive(self) -> bytes:
        while True:
            try:
                return self.socket.recv(1 << 20)
            except BlockingIOError:
                assert go_round(self.server), "the server says nothing"

    def hear(self) -> Any:
        """The next message; None at the end."""
        while b"\n" not in self.got:
            piece = self._receive()
            if not piece:
                return None
            self.got += piece
        line, _, self.got = self.got.partition(b"\n")
        return json.loads(line)

    def hear_all(self) -> bytes:
        """Everything up to the end."""
        while piece := self._receive():
            self.got += piece
        return self.got

    def close(self) -> None:
        self.socket.close()
