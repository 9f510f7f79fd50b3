"""Bytes in order, both ways: what a connection needs of a socket.

A stream never hides a wait: `*_nowait` does what is possible at once, `wait_*` parks the calling
greenlet until more is possible. Between the two whoever owns the stream keeps its own time, and
ends a wait that takes too long with `interrupt_reader` or `interrupt_writer`.

Prior art: trio's SocketStream, wait_readable and wait_writable.
"""

from __future__ import annotations

import _socket
import os
import select
from enum import Enum
from socket import MSG_PEEK, SHUT_WR
from typing import Any, Protocol

from gevent import monkey

from photon.runtime.carriers import Job
from photon.runtime.errors import StreamBroken, StreamBusy, StreamClosed
from photon.runtime.hub import READ, WRITE, Hub, getcurrent
from photon.runtime.net.address import TcpAddress

_poll = monkey.get_original("select", "poll")

# Where there is no POLLRDHUP (macOS) a close is seen only by what it does to our side.
_HUNG_UP = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class PeerState(Enum):
    """What a look at the other side shows."""

    QUIET = "quiet"
    """It is there and says nothing."""
    TALKING = "talking"
    """Bytes wait to be read."""
    GONE = "gone"
    """It closed, or at least will send nothing more: from here the two look the same."""


class RawSocket(Protocol):
    """The two calls of a non-blocking socket that a hot path makes itself.

    Both raise BlockingIOError when nothing is possible now, and OSError when nothing is any more.
    """

    def recv(self, limit: int, /) -> bytes: ...
    def send(self, data: bytes, /) -> int: ...


class ByteStream(Protocol):
    """What `http.server` asks of a stream; a socket has it, and so does a wire in memory."""

    @property
    def raw(self) -> RawSocket:
        """What is below the stream, for who reads or writes once per request."""
        ...

    @property
    def peer(self) -> str:
        """The other side as `host:port`; the empty string when it has no name."""
        ...

    def receive_nowait(self, limit: int) -> bytes | None: ...
    def send_nowait(self, data: bytes | memoryview) -> int: ...
    def send_file_nowait(self, fd: int, offset: int, count: int) -> int: ...
    def wait_readable(self) -> None: ...
    def wait_writable(self) -> None: ...
    def interrupt_reader(self, error: BaseException) -> bool: ...
    def interrupt_writer(self, error: BaseException) -> bool: ...
    def watch(self, job: Job) -> None: ...
    def unwatch(self) -> None: ...
    def look(self) -> PeerState: ...
    def has_hung_up(self) -> bool: ...
    def close_sending(self) -> None: ...
    def close(self) -> None: ...


class SocketStream:
    """A connected, non-blocking socket as a `ByteStream`.

    One read watcher lives as long as the stream. While nobody reads it makes the job ready that
    `watch` was given; a greenlet in `wait_readable` borrows it.
    """

    __slots__ = ("_hub", "_peer", "_reader", "_socket", "_watcher", "_writer")

    def __init__(self, hub: Hub, connected: _socket.socket) -> None:
        self._hub = hub
        self._socket = connected
        self._watcher: Any = hub.loop.io(connected.fileno(), READ)
        self._peer: str | None = None
        self._reader: Any = None
        self._writer: Any = None

    @property
    def raw(self) -> _socket.socket:
        return self._socket

    @property
    def peer(self) -> str:
        if self._peer is None:
            try:
                name = self._socket.getpeername()
            except OSError:  # it has gone, and its name with it
                return ""
            self._peer = str(TcpAddress(*name[:2])) if isinstance(name, tuple) else ""
        return self._peer

    # Reading...

    def receive_nowait(self, limit: int) -> bytes | None:
        """At most `limit` bytes that are here; b"" at the end; None when there are none yet.

        Raises: StreamBroken; StreamClosed.
        """
        try:
            return self._socket.recv(limit)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._failed(error) from error

    def wait_readable(self) -> None:
        """Park until bytes, the end or an error can be read.

        Raises: StreamClosed, when another greenlet closes the stream meanwhile; StreamBusy.
        """
        if self._reader is not None:
            raise StreamBusy("another greenlet already reads from this stream")
        self._check_open()  # libev aborts the process when a closed watcher is started
        watcher = self._watcher
        owner = watcher.callback
        self._reader = me = getcurrent()
        if owner is None:
            watcher.start(me.switch)
        else:
            watcher.callback = me.switch
        try:
            self._hub.park()
        finally:
            self._reader = None
            if owner is None:
                watcher.stop()
            else:
                watcher.callback = owner

    # Writing...

    def send_nowait(self, data: bytes | memoryview) -> int:
        """Hand bytes to the kernel; how many it took, maybe 0.

        Raises: StreamBroken; StreamClosed.
        """
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._failed(error) from error

    def send_file_nowait(self, fd: int, offset: int, count: int) -> int:
        """Have the kernel send `count` bytes of a file from `offset` on; how many it took.

        0 means that nothing could be taken now. Raises: StreamBroken; StreamClosed; EOFError when
        the file ends before `offset`.
        """
        try:
            sent = os.sendfile(self._socket.fileno(), fd, offset, count)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._failed(error) from error
        if sent == 0:
            raise EOFError("the file is shorter than when its length was asked for")
        return sent

    def wait_writable(self) -> None:
        """Park until the kernel takes bytes again.

        Raises: StreamClosed, when another greenlet closes the stream meanwhile; StreamBusy.
        """
        if self._writer is not None:
            raise StreamBusy("another greenlet already writes to this stream")
        self._check_open()
        watcher = self._hub.loop.io(self._socket.fileno(), WRITE)
        self._writer = me = getcurrent()
        watcher.start(me.switch)
        try:
            self._hub.park()
        finally:
            self._writer = None
            watcher.close()

    # Watching the other side...

    def watch(self, job: Job) -> None:
        """Run `job` on a carrier whenever there is something to read, until `unwatch`.

        Raises: StreamClosed.
        """
        self._check_open()
        # PERF: the watcher's callback is the C method itself, no line of Python runs in the hub.
        self._watcher.start(self._hub.carriers.ready.append, job)

    def unwatch(self) -> None:
        self._watcher.stop()

    def look(self) -> PeerState:
        """What the other side does, without taking a byte."""
        try:
            return PeerState.TALKING if self._socket.recv(1, MSG_PEEK) else PeerState.GONE
        except BlockingIOError:
            return PeerState.QUIET
        except OSError:
            return PeerState.GONE

    def has_hung_up(self) -> bool:
        """Whether the other side closed, even if bytes it sent before wait to be read."""
        fd = self._socket.fileno()
        if fd < 0:
            return True
        poll = _poll()
        poll.register(fd, _HUNG_UP)
        return bool(poll.poll(0))

    def interrupt_reader(self, error: BaseException) -> bool:
        """Raise `error` in the greenlet that waits to read; False when none does. In the hub."""
        return _throw(self._reader, error)

    def interrupt_writer(self, error: BaseException) -> bool:
        """Raise `error` in the greenlet that waits to write; False when none does. In the hub."""
        return _throw(self._writer, error)

    # Closing...

    def close_sending(self) -> None:
        """Say that nothing more will come (a half-close); what was sent is still delivered."""
        try:
            self._socket.shutdown(SHUT_WR)
        except OSError:
            pass  # the peer was quicker

    def close(self) -> None:
        """Close at once; whoever waits in the stream gets StreamClosed. May be called twice."""
        if self._socket.fileno() < 0:
            return
        self._watcher.close()
        self._socket.close()
        for waiting in (self._reader, self._writer):
            if waiting is not None and waiting is not getcurrent():
                self._hub.run_soon(self._tell_closed, waiting)

    def _tell_closed(self, waiting: Any) -> None:
        if waiting is self._reader or waiting is self._writer:
            waiting.throw(StreamClosed("the stream was closed while this greenlet waited in it"))

    def _check_open(self) -> None:
        if self._socket.fileno() < 0:
            raise StreamClosed("the stream is closed")

    def _failed(self, error: OSError) -> StreamBroken | StreamClosed:
        if self._socket.fileno() < 0:
            return StreamClosed("the stream is closed")
        return StreamBroken(f"the connection was lost: {error.strerror or error}")

    def __repr__(self) -> str:
        state = "closed" if self._socket.fileno() < 0 else "open"
        waits = " reader waits" if self._reader else " writer waits" if self._writer else ""
        return f"<SocketStream {self.peer} {state}{waits}>"


def _throw(waiting: Any, error: BaseException) -> bool:
    if waiting is not None:
        waiting.throw(error)
    return waiting is not None
