"""A server: listeners, their connections, and an orderly end.

    RUNNING ─▶ DRAINING ─▶ CANCELLING ─▶ STOPPED

DRAINING: nothing new is accepted, idle connections are closed, busy ones end with their response.
CANCELLING: `Cancelled("shutdown")` is raised in the handlers that still work.
Each has its budget of time; `runtime.patience.hurry` cuts the one that runs short.
"""

from __future__ import annotations

import _socket
import logging
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from photon.http.protocol.base import Http1
from photon.http.protocol.fast import KnownFields, ReadyHeads
from photon.http.protocol.h1 import FastHttp1
from photon.http.protocol.referee import RefereeHttp1
from photon.http.server.connection import Connection
from photon.http.server.exchange import answer, answer_and_tell
from photon.http.server.phases import ENDLESS, FINISHING, HEAD, IDLE, LINGERING, NAMES
from photon.http.server.settings import ServerSettings
from photon.runtime.cancel import CancelScope
from photon.runtime.clock import now, wall
from photon.runtime.greenlets import sleep
from photon.runtime.hub import current_hub
from photon.runtime.net.address import Address, TcpAddress
from photon.runtime.net.listener import Listener
from photon.runtime.net.stream import ByteStream, SocketStream
from photon.runtime.offload import offload
from photon.runtime.patience import patience
from photon.runtime.workers.board import CONNECTIONS

if TYPE_CHECKING:
    from photon.http.application import Application
    from photon.http.request import Request
    from photon.runtime.net.handshakes import Handshakes
    from photon.runtime.net.tls_context import TlsContext, TlsSettings

logger = logging.getLogger("photon.http")

# How long a closed connection listens on, so that a reset does not overtake our last words.
# RFC 9112 §9.6; nginx lingers for 5 s between bytes.
_LINGER_S = 5.0

# How long a server that stops waits for the rest of a head.
_LAST_HEAD_S = 1.0

# Who was active so short a time ago when a server pauses has sent its next request, maybe.
_PAUSE_S = 0.2

# So many connections that are cut off are told of, each in a line.
_MOST_TOLD = 100

# Between two upgraded connections that are told to end, if there is time enough.
_BETWEEN_SESSIONS_S = 0.01


class Shared(Struct, eq=False):
    """A listening socket that other processes accept from as well.

    Attributes:
        opened: the socket, non-blocking.
        row: this process' cells in memory that is shared, see `workers.board`.
        has_room: whether the next connection should be taken here.
    """

    opened: _socket.socket
    row: memoryview
    has_room: Callable[[], bool] | None = None


OnAnswer = Callable[["Request", int, float], None]
"""Called after each exchange with the request, its status and the seconds it took."""


class State(Enum):
    RUNNING = "running"
    DRAINING = "draining"
    CANCELLING = "cancelling"
    STOPPED = "stopped"


class Server:
    """Serves one application, on the hub of the thread that makes it.

    Args:
        application: answers requests.
        settings: limits and time-outs.
        on_answer: such as an access log; None costs nothing.
        tls: makes it an HTTPS server.
    Raises: TlsError.
    Attributes:
        state: where in its life it is.
        answer: the exchange; others may stand in its place for a while, see `recorder`.
        answer_before_stop: what that was, once it is that of a server that stops.
        connections: those that are open.
        row: where others see how many there are, see `Shared`.
        restarts: whether it stops because another one takes its place.
        settle_s: when it stops, who sent a request so short a time ago may send one more, which is
            answered with `Connection: close`, before the connection is closed as idle. A client
            that sends just when we close gets a reset, RFC 9112 §9.5.
        finishing: how many requests do what they put off until their response was written.
        handshakes: those of TLS that are in progress; None without TLS.
        scheme: "http" or "https".
    """

    def __init__(
        self,
        application: Application,
        settings: ServerSettings | None = None,
        *,
        on_answer: OnAnswer | None = None,
        tls: TlsSettings | TlsContext | None = None,
    ) -> None:
        # PERF: what is behind an object's __call__, if it says so, saves a call per request.
        self.application: Application = getattr(application, "composed", application)
        # Whether handlers that compute past their deadline are interrupted, see `watchdog`.
        self.watches = bool(getattr(application, "watchdog", False))
        self.settings = settings = settings or ServerSettings()
        self.on_answer = on_answer
        self.answer = answer if on_answer is None else answer_and_tell
        self.answer_before_stop = self.answer
        self.state = State.RUNNING
        self.hub = hub = current_hub()
        self.carriers = hub.carriers
        self.sweep = hub.sweep
        self.limits = settings.limits
        self.timeouts = timeouts = settings.timeouts
        # How long each phase may last, by its number; see `phases`.
        self.allowances: tuple[float, ...] = (
            timeouts.idle_s,
            timeouts.head_s,
            timeouts.handler_s,
            timeouts.body_s,
            ENDLESS,
            timeouts.write_s,
            ENDLESS,
            timeouts.handler_s,
            _LINGER_S,
            ENDLESS,
        )
        self.connections: set[Connection] = set()
        self.row = _no_row()
        self.restarts = False
        self.settle_s = 0.0
        self._is_paused = False
        self.finishing = 0
        self.listeners: list[Listener] = []
        self._heads = ReadyHeads(self._after_this_second)
        self._known = KnownFields(settings.limits)
        self._last_words: set[CancelScope] = set()
        self.scheme = "http"
        self.handshakes: Handshakes | None = None
        if tls is not None:
            from photon.http.server.tls import handshakes_of  # ssl takes 30 ms to import

            self.scheme = "https"
            self.handshakes = handshakes_of(self, tls)

    # Listening...

    def listen(self, address: Address, shared: Shared | None = None) -> Listener:
        """Open a listening socket; it accepts once `start()` was called.   Raises: ListenError.

        Args: shared: the open socket, if other processes listen on it as well.
        """
        backlog = self.settings.backlog
        if shared is None:
            listener = Listener(self.hub, address, self._accepted, backlog=backlog)
        else:
            listener = Listener(
                self.hub,
                address,
                self._accepted,
                opened=shared.opened,
                has_room=shared.has_room,
            )
            self.row = shared.row
        self.listeners.append(listener)
        return listener

    def start(self) -> None:
        """Accept connections."""
        self._is_paused = False
        for listener in self.listeners:
            listener.start()

    def pause(self) -> None:
        """Leave new connections in the kernel until `start()`, and close those that idle already.

        A successor that listens on the same socket will take them.
        """
        self._is_paused = True
        for listener in self.listeners:
            listener.pause()
        idle_since = now() - _PAUSE_S
        for connection in list(self.connections):
            if connection.since < idle_since:
                connection.close_if_idle()

    @property
    def is_stopping(self) -> bool:
        """Whether it takes no new connections any more."""
        return self.state is not State.RUNNING

    @property
    def busy(self) -> int:
        """How many requests are in progress."""
        return sum(connection.is_busy for connection in self.connections)

    @property
    def port(self) -> int:
        """The port of the first TCP address.   Raises: LookupError, if there is none."""
        for address in self.addresses:
            if isinstance(address, TcpAddress):
                return address.port
        raise LookupError(f"{self!r} listens on no TCP port")

    @property
    def url(self) -> str:
        """The first address, as it is typed into a browser."""
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        """All addresses, as they are typed into a browser."""
        urls = [address.url for address in self.addresses]
        return [url.replace("http", self.scheme, 1) for url in urls]

    @property
    def addresses(self) -> list[Address]:
        """The real addresses, with the ports that the system chose."""
        return [listener.address for listener in self.listeners]

    # Connections...

    def _accepted(self, accepted: _socket.socket) -> None:
        stream = SocketStream(self.hub, accepted)
        if self.on_answer is not None:
            _ = stream.peer  # an access log wants the names of those who left, too
        if self.handshakes is None:
            self.adopt(stream)
        else:
            self.handshakes.begin(stream)

    def adopt(self, stream: ByteStream) -> Connection:
        """Serve a connected stream, whoever made it."""
        connection = Connection(self, stream, self._new_protocol())
        self.connections.add(connection)
        self.count_connections()
        return connection

    def count_connections(self) -> None:
        """There is one more, or one less: tell others, and keep the limit."""
        count = len(self.connections)
        if self.handshakes is not None:
            count += len(self.handshakes)
        self.row[CONNECTIONS] = count
        limit = self.limits.connections
        if not limit:
            return
        if count >= limit:
            for listener in self.listeners:
                listener.pause()
        elif count == limit - 1 and self.state is State.RUNNING and not self._is_paused:
            self.start()

    def _new_protocol(self) -> Http1:
        if self.settings.protocol == "h11":
            return RefereeHttp1(self.limits, self._heads)
        return FastHttp1(self.limits, self._known, self._heads)

    def forget(self, connection: Connection) -> None:
        """A connection was closed."""
        self.connections.discard(connection)
        self.count_connections()

    def reload_tls(self) -> None:
        """Read certificates and keys again, for connections that come from here on. Waits.

        Raises: TlsError: something is wrong with them, and those before stay; RuntimeError.
        """
        if self.handshakes is None:
            raise RuntimeError(f"{self!r} does not speak TLS, so it has no certificates to reload")
        offload(self.handshakes.context.reload)

    def reload_tls_soon(self) -> None:
        """As `reload_tls`, without a wait, also in the hub; the log says what came of it."""
        from photon.http.server.tls import Reload

        self.carriers.submit(Reload(self))

    @contextmanager
    def last_words(self) -> Iterator[None]:
        """The time for what a request put off whose connection is closed, and keeps no time."""
        allowance = self.allowances[FINISHING]
        scope = CancelScope(deadline=now() + allowance if allowance < ENDLESS else None)
        self._last_words.add(scope)
        try:
            with scope:
                yield
        finally:
            self._last_words.discard(scope)
        if scope.cancelled_caught:
            logger.error("cut off: what a request put off, whose client had left")

    def _after_this_second(self, callback: Callable[[], None]) -> None:
        left = 1.0 - wall() % 1.0
        self.hub.deadlines.add(now() + left, callback)

    # The end...

    def stop(self) -> None:
        """Stop in an orderly way; returns when everything is over. Waits, so not in the hub."""
        if self.state is not State.RUNNING:
            return
        self.state = State.DRAINING
        for listener in self.listeners:
            if not self.restarts:  # else another server goes on with what waits in the kernel
                listener.accept_all()
            listener.close()
        self.answer_before_stop, self.answer = self.answer, self._answer_last
        # Who has begun to send a request may end it, if that does not take long.
        self.allowances = (
            max(self.settle_s, min(self.allowances[IDLE], _LAST_HEAD_S)),
            min(self.allowances[HEAD], _LAST_HEAD_S),
            *self.allowances[2:],
        )
        self._drain()
        self._wait_until_over(self.timeouts.drain_s)
        if self._is_in_use:
            self.state = State.CANCELLING
            self._cancel_all()
        self.state = State.STOPPED

    @property
    def _is_in_use(self) -> bool:
        return bool(self.connections or self.finishing or self.handshakes)

    def _drain(self) -> None:
        if self.handshakes is not None:
            self.handshakes.drain(_LAST_HEAD_S, self.settle_s)
        sessions = []
        active_since = now() - self.settle_s
        for connection in list(self.connections):
            if connection.session is None and not connection.ends_early:
                connection.drain(active_since)
            else:
                sessions.append(connection)
        # Not all at once: each of them will come back to another server, and the first ones of
        # many thousands shall not wait there for the last.
        pause = min(_BETWEEN_SESSIONS_S, self.timeouts.drain_s / 2 / max(len(sessions), 1))
        for number, connection in enumerate(sessions):
            self.hub.deadlines.add(now() + number * pause, connection.drain)

    def _answer_last(self, connection: Connection, request: Request) -> int:
        connection.protocol.keep_alive = False
        return self.answer_before_stop(connection, request)

    def _cancel_all(self) -> None:
        busy = [connection for connection in self.connections if connection.is_busy]
        if busy or self.finishing:
            logger.warning(
                "the server stops: requests that did not end in time (--timeout-drain), and are "
                "cancelled: %d",
                len(busy),
            )
            for connection in busy:
                self.hub.run_soon(connection.cancel, "shutdown", "the server stops")
            for scope in self._last_words:
                scope.cancel("the server stops")
            self._wait_until_over(self.timeouts.cleanup_s, for_cleanup=True)
        left = [connection for connection in self.connections if connection.phase < LINGERING]
        if left:
            self._tell_of_left(left)
        for connection in list(self.connections):
            connection.close()
        if self.handshakes is not None:
            self.handshakes.close()

    def _tell_of_left(self, connections: list[Connection]) -> None:
        from photon.http.server.describing import unfinished  # nobody else needs it

        for what in islice(unfinished(connections), _MOST_TOLD):
            logger.error("cut off, it goes on though cancelled (--timeout-cleanup): %s", what)
        if len(connections) > _MOST_TOLD:
            logger.error("cut off: %d more", len(connections) - _MOST_TOLD)

    def _wait_until_over(self, seconds: float, *, for_cleanup: bool = False) -> None:
        with patience(seconds, for_cleanup=for_cleanup):
            while self._is_in_use:
                sleep(0.01)

    def statistics(self) -> dict[str, Any]:
        """Counts: `accepted` since the start, `connections` open, and how many in each phase."""
        phases = dict.fromkeys(NAMES, 0)
        for connection in self.connections:
            phases[NAMES[connection.phase]] += 1
        return {
            "state": self.state.value,
            "accepted": sum(listener.accepted for listener in self.listeners),
            "connections": len(self.connections),
            "phases": {name: count for name, count in phases.items() if count},
            "handshakes": len(self.handshakes or ()),
            "carriers": self.carriers.statistics(),
        }

    def __repr__(self) -> str:
        where: Iterable[str] = map(str, self.addresses)
        return (
            f"<Server {self.state.value} on {', '.join(where) or 'no address'}, "
            f"{len(self.connections)} connections>"
        )


def _no_row() -> memoryview:
    """Cells that nobody else sees."""
    return memoryview(array("q", bytes(8 * (CONNECTIONS + 1))))
