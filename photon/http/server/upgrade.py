"""A connection that speaks another protocol from here on, such as WebSocket.

The handler that asked for it keeps the connection until it returns: it waits in the stream itself,
and while it does something else the session is told of what comes. The connection goes on keeping
time, and an orderly stop of the server asks the session to end.

Source: RFC 9110 §7.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from photon.http.errors import HTTPError
from photon.http.server.phases import CLOSED, UPGRADED, WRITING
from photon.runtime.errors import CancelSource

if TYPE_CHECKING:
    from photon.http.server.connection import Connection
    from photon.http.server.settings import Timeouts
    from photon.runtime.net.stream import ByteStream


class Upgraded(Protocol):
    """What the other protocol has to have. None of it may wait."""

    def on_readable(self) -> None:
        """Bytes, or the end, can be read, and nobody waits for them. On a carrier."""
        ...

    def on_due(self, moment: float) -> float | None:
        """The moment that `Upgrade.look_at` was told has come, or one before it. In the hub.

        Returns: when to ask again; None for not before `look_at` says so.
        """
        ...

    def drain(self) -> None:
        """The server stops: begin to end, in an orderly way. In the hub."""
        ...


class Upgrade:
    """The connection as the session sees it.

    Attributes:
        stream: the bytes, both ways.
        pending: bytes that came with the head.
    """

    __slots__ = ("_connection", "pending", "stream")

    def __init__(self, connection: Connection, pending: bytes) -> None:
        self._connection = connection
        self.stream: ByteStream = connection.stream
        self.pending = pending

    @property
    def is_open(self) -> bool:
        """Whether the stream was not closed from this side."""
        return self._connection.phase != CLOSED

    @property
    def timeouts(self) -> Timeouts:
        """The server's."""
        return self._connection.server.timeouts

    @property
    def server_restarts(self) -> bool:
        """Whether the server that stops has a successor, so that the client may come back."""
        return self._connection.server.restarts

    def wait_readable(self) -> None:
        """Wait until something can be read, for as long as it takes.   Raises: StreamError."""
        self.stream.wait_readable()

    def wait_writable(self) -> None:
        """Wait until something can be written.

        Raises: StreamBroken, when the other side took nothing for `Timeouts.write_s`; StreamError.
        """
        self._connection.wait(WRITING)

    def look_at(self, moment: float) -> None:
        """Have the session's `on_due` called at this moment of the runtime clock, or soon after."""
        if self.is_open:  # of one that is closed nothing is kept
            self._connection.server.sweep.watch(self._connection, moment)

    def listen(self, on: bool) -> None:
        """Whether `on_readable` is to be called: off while no more can be taken (back-pressure)."""
        if on:
            self.stream.watch(self._connection)
        else:
            self.stream.unwatch()

    def cancel(self, source: CancelSource, reason: str) -> bool:
        """Raise `Cancelled` in the handler where it waits. Only in the hub.

        Returns: whether there was one.
        """
        return self._connection.cancel(source, reason)

    def close(self) -> None:
        """Close at once; whoever waits in the stream gets StreamClosed. May be called twice."""
        self._connection.close()


def upgrade(connection: Connection, head: bytes, session: Upgraded) -> Upgrade:
    """Send the head of the 101 and hand the connection to `session`.

    Raises: StreamError; HTTPError (503), when the server stops; RuntimeError, when the connection
    cannot be handed over any more.
    """
    protocol = connection.protocol
    if connection.session is not None or connection.response_begun:
        raise RuntimeError("this connection was answered already, and cannot be upgraded")
    if not protocol.body_is_complete:
        raise RuntimeError("a request with a body cannot be upgraded: read the body first")
    if connection.server.is_stopping:
        # Those that are open were told to end; a new one would be in the way of the end, and what
        # it is for had better be begun with another server.
        raise HTTPError(503, "the server is stopping", headers={"retry-after": "1"})
    pending, protocol.pending = protocol.pending, b""
    protocol.keep_alive = False
    # No response goes out on it any more: see `send_response`.
    protocol.body_is_complete = False
    connection.hand_over(session)
    from photon.http.server.sending import send_all

    # What comes before the session has the stream waits in the kernel: nobody could take it, and a
    # stream that stays readable would call on him in every round.
    connection.stream.unwatch()
    send_all(connection, head)
    connection.stream.watch(connection)
    connection.enter(UPGRADED)
    return Upgrade(connection, pending)
