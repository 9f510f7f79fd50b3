"""Where the body of one request comes from, for as long as its exchange lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photon.http.body import CHUNK_BYTES
from photon.http.errors import ClientDisconnected, ProtocolError
from photon.http.protocol.base import CONTINUE
from photon.http.server.phases import READING
from photon.http.server.sending import send_all
from photon.runtime.errors import StreamError
from photon.runtime.greenlets import Turn

if TYPE_CHECKING:
    from photon.http.server.connection import Connection


class Intake:
    """The `BodySource` of one request on a connection.

    Who holds on to a request must not be given the body of the next one on its connection.

    Args: expects_continue: whether the client waits for `100 Continue` before it sends.
    """

    __slots__ = ("_connection", "_continue_due", "_is_read", "_turn")

    def __init__(self, connection: Connection, *, expects_continue: bool) -> None:
        self._connection: Connection | None = connection
        self._continue_due = expects_continue
        self._is_read = False
        self._turn = Turn()

    def next_body_chunk(self) -> bytes:
        """The next bytes of the body, waiting for them; b"" when it is complete.

        Raises: BodyTimeout; ClientDisconnected; ProtocolError; RuntimeError, when the request is
        over.
        """
        if self._connection is None:
            raise RuntimeError("the request is over: read its body before its handler returns")
        self._is_read = True
        try:
            return self._next_piece(self._connection)
        finally:
            self._is_read = False

    def end(self) -> None:
        """The response was sent. If a greenlet waits for the body still, nobody else can read."""
        if self._is_read and self._connection is not None:
            self._connection.protocol.keep_alive = False
        self._connection = None

    def _next_piece(self, connection: Connection) -> bytes:
        protocol = connection.protocol
        try:
            self._turn.give_way()
            while (piece := protocol.next_data()) is None:
                protocol.receive_data(self._receive(connection))
        except ProtocolError as error:
            protocol.keep_alive = False
            if protocol.has_ended:
                raise ClientDisconnected("the client ended before its body did") from error
            raise
        if protocol.body_is_complete:
            # What can be read from here on is the next request, or the client leaving.
            connection.listen_again()
        return piece

    def _receive(self, connection: Connection) -> bytes:
        stream = connection.stream
        try:
            data = stream.receive_nowait(CHUNK_BYTES)
            if data is None and self._continue_due and not connection.response_begun:
                self._continue_due = False
                send_all(connection, CONTINUE)
                connection.response_begun = False
            while data is None:
                connection.wait(READING)
                data = stream.receive_nowait(CHUNK_BYTES)
        except StreamError as error:
            raise ClientDisconnected("the client went away while it sent its body") from error
        # RFC 9110 §10.1.1 lets the server leave it out once a part of the body is there.
        self._continue_due = False
        return data
