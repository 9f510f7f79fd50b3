"""Small servers that are asked when things go badly, for whatever loop is there to drive them.

They stand on non-blocking sockets and nothing else: no hub, no greenlet, no thread. So the same
server runs in the supervisor's loop over poll, in the hub of a process that has no supervisor
(`control_hub`), and in a native thread (`health`). In a loop over poll:

    while True:
        for fd, events in server.watched():
            poll.register(fd, events)
        for fd, events in poll.poll(1000):
            server.handle(fd, events)        # False, if the descriptor is none of its own
        server.tick()                        # time-outs; at least once a second

    server.close()     # at the end
    server.forget()    # in a forked child, which must not hold what its parent listens on

What a client says and gets is a `Session`, a machine without I/O; one for each connection.

Each connection has its time, so none lives for ever: the session says when (`due`). When all was
said the connection lingers, as in RFC 9112 §9.6: a close with unread bytes resets it, and the
client would lose the answer.
"""

from __future__ import annotations

import _socket
import errno
import logging
import select
from collections.abc import Callable
from socket import SHUT_WR
from typing import Generic, Protocol, TypeVar

from photon.runtime.clock import now

logger = logging.getLogger("photon.runtime")

READABLE, WRITABLE = select.POLLIN, select.POLLOUT
_HUNG_UP, _BROKEN = select.POLLHUP, select.POLLERR | select.POLLNVAL

_RECEIVE_BYTES = 64 * 1024
_SEND_BYTES = 256 * 1024
_ACCEPTS_A_ROUND = 16
_LINGER_S = 1.0
_PAUSE_S = 0.5

# accept(2) says of them that the next attempt may succeed at once.
_NEXT_PLEASE = {errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EINTR}


class Session(Protocol):
    """One client: bytes in, bytes out.

    Attributes: on_output: called when there is more to send; the server sets it.
    """

    on_output: Callable[[], object]

    @property
    def due(self) -> float | None:
        """When its time is over, on the runtime clock; None for no time-out."""
        ...

    @property
    def is_reading(self) -> bool:
        """Whether it wants bytes now."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether it ends as soon as all was sent."""
        ...

    def to_send(self) -> memoryview:
        """Bytes for the client, empty when there are none."""
        ...

    def sent(self, count: int) -> None:
        """So many of them are gone."""
        ...

    def on_due(self) -> None:
        """Its time is over: it may say a last word. What it does not get rid of is dropped."""
        ...


S = TypeVar("S", bound=Session)


class Connection(Generic[S]):
    """A socket and its session.   Attributes: lingers_until: all was said; None before that."""

    __slots__ = ("events", "fd", "lingers_until", "session", "socket")

    def __init__(self, socket: _socket.socket, session: S) -> None:
        self.socket = socket
        self.fd = socket.fileno()
        self.session = session
        self.events = 0
        self.lingers_until: float | None = None


class PolledServer(Generic[S]):
    """Accepts, reads and sends, whenever it is told that it can.

    Args:
        listener: a non-blocking socket that listens; the server owns it from here on.
        most: connections at a time. Then the oldest one is dropped for the next, so that nobody
            keeps others out by doing nothing.
    Attributes:
        on_interest: called with (descriptor, events) when what is waited for changes; with 0
            before a descriptor is closed or when it is left alone. For loops that keep watchers.
    """

    def __init__(self, listener: _socket.socket, *, most: int) -> None:
        self._listener = listener
        self._kind = (listener.family, listener.type, listener.proto)
        self._most = most
        self._connections: dict[int, Connection[S]] = {}
        self._paused_until: float | None = None
        self.on_interest: Callable[[int, int], object] | None = None

    # What a kind of server has to say...

    def meet(self, socket: _socket.socket) -> S:
        """The session of a new client."""
        raise NotImplementedError

    def on_data(self, session: S, data: bytes) -> None:
        """Bytes came; none: the client will send no more."""
        raise NotImplementedError

    def on_paused(self, error: OSError) -> None:
        """It cannot accept for a while."""
        logger.warning("%r cannot accept: %s; it tries again", self, error.strerror)

    # For the loop...

    @property
    def listening_fd(self) -> int:
        return self._listener.fileno()

    @property
    def sessions(self) -> list[S]:
        """Those that are not over."""
        return [c.session for c in self._connections.values() if not c.session.is_over]

    @property
    def is_idle(self) -> bool:
        """Whether `tick` has nothing to do until somebody connects."""
        return not self._connections and self._paused_until is None

    def watched(self) -> list[tuple[int, int]]:
        """Pairs of descriptor and events of poll(2)."""
        pairs = [(c.fd, c.events) for c in self._connections.values()]
        if self._listener.fileno() >= 0 and self._paused_until is None:
            pairs.append((self._listener.fileno(), READABLE))
        return pairs

    def handle(self, fd: int, events: int) -> bool:
        """What poll(2) found; whether the descriptor is one of this server."""
        if fd == self._listener.fileno():
            self._accept_some()
            return True
        connection = self._connections.get(fd)
        if connection is None:
            return False
        if events & _BROKEN:
            self._drop(connection)
        elif events & READABLE:
            self._read(connection)
        elif events & _HUNG_UP:
            self._drop(connection)
        else:
            self._settle(connection)
        return True

    def tick(self) -> None:
        """Keep the time-outs."""
        moment = now()
        for connection in list(self._connections.values()):
            lingers_until, due = connection.lingers_until, connection.session.due
            if lingers_until is not None:
                if moment >= lingers_until:
                    self._drop(connection)
            elif due is not None and moment >= due:
                connection.session.on_due()
                self._settle(connection)
                if connection.lingers_until is None:
                    self._drop(connection)
        if self._paused_until is not None and moment >= self._paused_until:
            self._paused_until = None
            self._tell_interest(self._listener.fileno(), READABLE)

    def close(self) -> None:
        """Stop listening, and drop all clients; a second call does nothing."""
        if self._listener.fileno() >= 0:
            self._tell_interest(self._listener.fileno(), 0)
            self.forget()

    def forget(self) -> None:
        """Close what a child got by a fork, and leave everything else to the parent."""
        self._listener.close()
        for connection in list(self._connections.values()):
            self._drop(connection)

    # One round...

    def _accept_some(self) -> None:
        for _ in range(_ACCEPTS_A_ROUND):
            try:
                fd, _ = self._listener._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NEXT_PLEASE:
                    continue
                self._pause(error)
                return
            accepted = _socket.socket(*self._kind, fileno=fd)
            accepted.setblocking(False)
            if len(self._connections) >= self._most:
                self._drop(next(iter(self._connections.values())))
            self._welcome(accepted)

    def _pause(self, error: OSError) -> None:
        """Descriptors or memory ran out: a loop that tried at once again would never rest."""
        self._paused_until = now() + _PAUSE_S
        self._tell_interest(self._listener.fileno(), 0)
        self.on_paused(error)

    def _welcome(self, accepted: _socket.socket) -> None:
        session = self.meet(accepted)
        connection = Connection(accepted, session)
        self._connections[connection.fd] = connection
        session.on_output = lambda: self._settle(connection)
        self._settle(connection)

    def _read(self, connection: Connection[S]) -> None:
        try:
            data = connection.socket.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            return self._drop(connection)
        if connection.lingers_until is None:
            self.on_data(connection.session, data)
            self._settle(connection)
        elif not data:
            self._drop(connection)

    def _settle(self, connection: Connection[S]) -> None:
        """Send what can be sent, end what is over, and say what is waited for now."""
        if connection.fd not in self._connections:
            return  # dropped, and its session answers still
        session = connection.session
        while piece := session.to_send()[:_SEND_BYTES]:
            try:
                count = connection.socket.send(piece)
            except BlockingIOError:
                break
            except OSError:
                return self._drop(connection)
            session.sent(count)
        is_sending = bool(session.to_send())
        if session.is_over and not is_sending and connection.lingers_until is None:
            connection.lingers_until = now() + _LINGER_S
            try:
                connection.socket.shutdown(SHUT_WR)
            except OSError:
                return self._drop(connection)
        is_reading = connection.lingers_until is not None or session.is_reading
        events = (READABLE if is_reading else 0) | (WRITABLE if is_sending else 0)
        if events != connection.events:
            connection.events = events
            self._tell_interest(connection.fd, events)

    def _drop(self, connection: Connection[S]) -> None:
        if self._connections.pop(connection.fd, None) is not None:
            self._tell_interest(connection.fd, 0)
            connection.socket.close()

    def _tell_interest(self, fd: int, events: int) -> None:
        if self.on_interest is not None:
            self.on_interest(fd, events)
