"""A connection in memory: the real server, protocol and application, and no sockets.

    with Wire(app) as wire:
        wire.send(b"GET / HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n")
        assert wire.receive().startswith(b"HTTP/1.1 200 OK")

What the server does, it does before `send` returns, unless a handler waits.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from photon.http.application import Application
from photon.http.server.server import Server
from photon.http.server.serving import lifespan_of
from photon.http.server.settings import ServerSettings
from photon.runtime.carriers import Job
from photon.runtime.clock import now
from photon.runtime.errors import StreamBroken, StreamClosed
from photon.runtime.greenlets import checkpoint
from photon.runtime.hub import Hub, current_hub, getcurrent
from photon.runtime.net.stream import PeerState


class Wire:
    """The client's end of a connection in memory to a server of its own.

    Args:
        application: answers.
        settings: limits and time-outs of the server.
        window_bytes: what the client's side takes unread; None for any amount.
    """

    def __init__(
        self,
        application: Application,
        settings: ServerSettings | None = None,
        *,
        window_bytes: int | None = None,
    ) -> None:
        self._life = ExitStack()
        self._life.enter_context(lifespan_of(application))
        self.server = Server(application, settings)
        self.stream = MemoryStream(current_hub(), window_bytes)
        self.connection = self.server.adopt(self.stream)

    def send(self, data: bytes) -> None:
        """Hand bytes to the server and let it work until it has nothing left to do at once."""
        self.stream.inbox.append(data)
        self.settle()

    def send_end(self) -> None:
        """Close the client's sending side."""
        self.send(b"")

    def receive(self) -> bytes:
        """All that the server sent since the last call; b"" when nothing."""
        data = b"".join(self.stream.outbox)
        self.stream.outbox.clear()
        self.stream.wake_writer()
        self.settle()
        return data

    def reset(self) -> None:
        """Break the connection, as a client that crashes does."""
        self.stream.is_broken = True
        self.stream.wake_writer()
        self.settle()

    def settle(self) -> None:
        """Let the server work until it waits for bytes, time or something else."""
        self.stream.notify()
        for _ in range(3):  # a wake-up may make another greenlet ready, and that one more
            checkpoint()

    @property
    def is_closed(self) -> bool:
        """Whether the server closed the connection."""
        return self.stream.is_closed

    @property
    def is_end_sent(self) -> bool:
        """Whether the server said that it will send nothing more."""
        return self.stream.is_closed or self.stream.is_end_sent

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.server.hub.run_soon(self.connection.cancel, "disconnect", "the wire is cut")
        self.settle()
        self.connection.close()
        self.settle()
        self._life.close()


class MemoryStream:
    """The server's end: a `ByteStream` over two lists."""

    peer = "wire:0"

    def __init__(self, hub: Hub, window_bytes: int | None = None) -> None:
        self._hub = hub
        self._window = window_bytes
        self._job: Job | None = None
        self._reader: Any = None
        self._writer: Any = None
        self.inbox: list[bytes] = []
        self.outbox: list[bytes] = []
        self.is_broken = False
        self.is_closed = False
        self.is_end_sent = False

    # For the client's end...

    def notify(self) -> None:
        """Have the server look, from the hub, as a readable socket does."""
        if (self.inbox or self.is_broken) and not self.is_closed:
            self._hub.run_soon(self._become_readable)

    def wake_writer(self) -> None:
        """The client took bytes: there is room again."""
        if self._writer is not None:
            self._hub.run_soon(self._become_writable)

    def _become_readable(self) -> None:
        if self.is_closed or not (self.inbox or self.is_broken):
            return
        if self._reader is not None:
            self._reader.switch()
        elif self._job is not None:
            self._hub.carriers.submit(self._job)
        # Level-triggered, as epoll is: what was not read is told again, at the next poll. (By
        # callbacks it would be told a hundred times before the job had its turn.)
        if self.inbox and self._job is not None and self.inbox != [b""]:
            self._hub.deadlines.add(now(), self._become_readable)

    def _become_writable(self) -> None:
        if self._writer is not None:
            self._writer.switch()

    # The ByteStream...

    @property
    def raw(self) -> MemoryStream:
        return self

    def recv(self, limit: int, /) -> bytes:
        if self.is_closed or self.is_broken:
            raise ConnectionResetError("reset")
        data = self.receive_nowait(limit)
        if data is None:
            raise BlockingIOError
        return data

    def send(self, data: bytes, /) -> int:
        if self.is_closed or self.is_broken:
            raise ConnectionResetError("reset")
        sent = self.send_nowait(data)
        if not sent:
            raise BlockingIOError
        return sent

    def receive_nowait(self, limit: int) -> bytes | None:
        self._check()
        if not self.inbox:
            return None
        data = self.inbox[0]
        if not data:
            return b""  # the end stays the end
        self.inbox[0] = data[limit:]
        if not self.inbox[0]:
            del self.inbox[0]
        return data[:limit]

    def send_nowait(self, data: bytes | memoryview) -> int:
        self._check()
        room = len(data)
        if self._window is not None:
            room = min(room, self._window - sum(map(len, self.outbox)))
        if room > 0:
            self.outbox.append(bytes(data[:room]))
        return max(room, 0)

    def send_file_nowait(self, fd: int, offset: int, count: int) -> int:
        data = os.pread(fd, count, offset)
        if not data:
            raise EOFError("the file is shorter than when its length was asked for")
        return self.send_nowait(data)

    def wait_readable(self) -> None:
        self._reader = getcurrent()
        self.notify()
        try:
            self._hub.park()
        finally:
            self._reader = None
        self._check()

    def wait_writable(self) -> None:
        self._writer = getcurrent()
        try:
            self._hub.park()
        finally:
            self._writer = None
        self._check()

    def interrupt_reader(self, error: BaseException) -> bool:
        waiting = self._reader
        if waiting is not None:
            waiting.throw(error)
        return waiting is not None

    def interrupt_writer(self, error: BaseException) -> bool:
        waiting = self._writer
        if waiting is not None:
            waiting.throw(error)
        return waiting is not None

    def watch(self, job: Job) -> None:
        self._job = job
        self.notify()

    def unwatch(self) -> None:
        self._job = None

    def look(self) -> PeerState:
        if self.is_broken or (self.inbox and not self.inbox[0]):
            return PeerState.GONE
        return PeerState.TALKING if self.inbox else PeerState.QUIET

    def has_hung_up(self) -> bool:
        return self.is_broken or (bool(self.inbox) and not self.inbox[-1])

    def close_sending(self) -> None:
        self.is_end_sent = True

    def close(self) -> None:
        self.is_closed = True
        self._job = None
        for waiting in (self._reader, self._writer):
            if waiting is not None and waiting is not getcurrent():
                self._hub.run_soon(self._tell_closed, waiting)

    def _tell_closed(self, waiting: Any) -> None:
        if waiting is self._reader or waiting is self._writer:
            waiting.throw(StreamClosed("the stream was closed while this greenlet waited in it"))

    def _check(self) -> None:
        if self.is_closed:
            raise StreamClosed("the stream is closed")
        if self.is_broken:
            raise StreamBroken("the connection was lost: reset")
