"""One HTTP/1 connection: who has it at any moment, and for how long.

Between requests nobody has it: it is a socket and a read watcher in the hub. When bytes come, a
carrier takes it, reads, and answers; if they are only a part of a head the carrier lets go again,
so a client that drips a byte a second holds no greenlet.

    IDLE ⇄ HEAD ──▶ HANDLING ⇄ READING          the handler waits for the body
                        │  ⇅                    the response does not fit the socket:
                        ├─ STREAMING ⇄ WRITING
                        ▼
                    IDLE | LINGERING ──▶ CLOSED

The watcher is never stopped while a handler runs, which costs nothing: a handler that does not
wait is done before the hub looks again. If it waits and the socket becomes readable, that is
either the next request (left in the kernel until this one is answered) or the client going away.

Each phase has its time-out, kept coarsely by the hub's sweep through `on_due`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from photon.http.body import CHUNK_BYTES, Body
from photon.http.errors import BodyTimeout, ClientDisconnected, ProtocolError
from photon.http.problems import problem
from photon.http.protocol.base import CONTINUE, Http1
from photon.http.request import Request
from photon.http.server.phases import (
    CLOSED,
    ENDLESS,
    HANDLING,
    HEAD,
    IDLE,
    LINGERING,
    NAMES,
    READING,
    STREAMING,
    WRITING,
)
from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, CancelSource, StreamBroken, StreamError
from photon.runtime.net.stream import ByteStream, Peer

if TYPE_CHECKING:
    from photon.http.server.server import Server

logger = logging.getLogger("photon.http")

# Heads are small. PERF: a read of 16 KiB costs 1 us more, for CPython allocates first and shrinks
# afterwards; and it would let one client's pipelined requests hold the hub for longer.
_HEAD_READ_BYTES = 4 * 1024

# A body that the handler left is read and dropped up to this size, to keep the connection; beyond
# it closing is cheaper. Go's figure.
_SKIP_BYTES = 256 * 1024

# How long a closed connection listens on, so that a reset does not overtake our last words.
# RFC 9112 §9.6; nginx lingers for 5 s between bytes.
_LINGER_S = 5.0


class Connection:
    """A client's connection, from accept to close.

    Attributes:
        phase: one of `phases`.
        since: when the phase began, or last made progress; seconds on the runtime clock.
        response_begun: whether bytes of the current response may be out.
    """

    __slots__ = (
        "_again",
        "_carrier",
        "_continue_due",
        "_deaf",
        "_raw",
        "phase",
        "protocol",
        "response_begun",
        "server",
        "since",
        "stream",
        "sweep_tick",
    )

    def __init__(self, server: Server, stream: ByteStream, protocol: Http1) -> None:
        self.server = server
        self.stream = stream
        self.protocol = protocol
        self.phase = IDLE
        self.since = now()
        self.response_begun = False
        self.sweep_tick = 0
        self._again = False
        self._deaf = False
        self._continue_due = False
        self._carrier: Carrier | None = None
        self._raw = stream.raw
        server.sweep.watch(self, self.since + server.timeouts.idle_s)
        stream.watch(self)

    @property
    def peer(self) -> str:
        """The other side as `host:port`; "" when it has no name."""
        return self.stream.peer

    @property
    def scheme(self) -> str:
        """ "http" or "https"."""
        return self.server.scheme

    # In the hub: what happens while a handler works...

    def on_parked(self, carrier: Carrier) -> None:
        """The handler waits for something: from here on its time is kept. Called in the hub."""
        if HEAD < self.phase < LINGERING:
            self._carrier = carrier
            if self.phase == HANDLING:
                self.since = now()
                self.server.sweep.watch(self, self.since + self.server.timeouts.handler_s)

    def _look_up(self) -> None:
        """Something to read while the connection is busy: more bytes, or the end of the client."""
        if self._deaf or not HEAD < self.phase < LINGERING:
            return
        peer = self.stream.look()
        if peer is Peer.QUIET:
            return
        self.stream.unwatch()
        self._deaf = True
        if peer is Peer.GONE and self.server.settings.half_close == "gone":
            self.cancel("disconnect", "the client went away")

    def _interfere(self) -> None:
        """The socket is readable while somebody has the connection, or is done with it."""
        if self.phase == LINGERING:
            self._drop_input()
        elif self.phase != CLOSED:
            self.server.hub.run_soon(self._look_up)

    def _drop_input(self) -> None:
        try:
            data = self.stream.receive_nowait(CHUNK_BYTES)
        except StreamError:
            data = b""
        if data == b"":
            self.close()

    # On a carrier: requests...

    def run(self) -> bool:
        """Take what came, and answer one request if it is complete. A carrier's job.

        Returns: whether bytes of a next request are here already.
        """
        if self.phase > HEAD:
            self._interfere()
            return False
        protocol = self.protocol
        try:
            if self._again:
                self._again = False
            else:
                data = self._raw.recv(_HEAD_READ_BYTES)
                if data and not protocol.pending:
                    protocol.pending = data  # PERF: receive_data without the call
                else:
                    protocol.receive_data(data)
            head = protocol.next_request()
        except ProtocolError as error:
            self.refuse(error)
            return False
        except BlockingIOError:
            return False
        except OSError:
            self.close()
            return False
        if head is None:
            self._carrier = None  # the rest of the head may find another
            self._wait_for_head()
            return False
        self.phase = HANDLING
        self.response_begun = False
        server = self.server
        intake = body = None
        if not protocol.body_is_complete:
            intake = _Intake(self)
            body = Body(intake, head.fields.body_bytes, server.limits.body_bytes)
            self._continue_due = head.fields.expects_continue
        if self._carrier is not None:  # an earlier request of this round waited already
            self.on_parked(self._carrier)
        server.answer(self, Request(head, body, self))
        if intake is not None:
            intake.end()
        if self.phase >= LINGERING:
            return False
        if not protocol.next_cycle():
            self.close_gently()
            return False
        self.phase = IDLE
        self.since = now()
        if self._carrier is None and not self._deaf and not protocol.pending:
            return False  # PERF: the common case, in one line
        return self._follow_up()

    def _wait_for_head(self) -> None:
        if self.protocol.has_ended:
            self.close()
        elif self.phase == IDLE and (self.protocol.pending or not self.protocol.body_is_complete):
            self.phase = HEAD
            self.since = now()
            self.server.sweep.watch(self, self.since + self.server.timeouts.head_s)

    def _follow_up(self) -> bool:
        """After a request that waited, or was followed by more bytes."""
        if self._deaf:
            self._deaf = False
            self.stream.watch(self)
        # While it waited the sweep may have been told a later moment.
        self.server.sweep.watch(self, self.since + self.server.timeouts.idle_s)
        self._again = bool(self.protocol.pending)
        if not self._again:
            self._carrier = None
        return self._again

    # For the exchange: the request's body...

    def next_body_chunk(self) -> bytes:
        """The next bytes of the body, waiting for them; b"" when it is complete.

        Raises: BodyTimeout; ClientDisconnected; ProtocolError.
        """
        protocol = self.protocol
        try:
            while (piece := protocol.next_data()) is None:
                protocol.receive_data(self._receive_more())
        except ProtocolError as error:
            protocol.keep_alive = False
            if protocol.has_ended:
                raise ClientDisconnected("the client ended before its body did") from error
            raise
        if self._deaf and protocol.body_is_complete:
            self._deaf = False  # what can be read now is the next request, or the client leaving
            self.stream.watch(self)
        return piece

    def _receive_more(self) -> bytes:
        stream = self.stream
        try:
            data = stream.receive_nowait(CHUNK_BYTES)
            if data is None and self._continue_due and not self.response_begun:
                self._continue_due = False
                self.send(CONTINUE)
                self.response_begun = False
            while data is None:
                self._wait(READING, self.server.timeouts.body_s)
                data = stream.receive_nowait(CHUNK_BYTES)
        except StreamError as error:
            raise ClientDisconnected("the client went away while it sent its body") from error
        # RFC 9110 §10.1.1 lets the server leave it out once a part of the body is there.
        self._continue_due = False
        return data

    def settle_body(self) -> None:
        """Before the response's head is made: what the handler left of the body, decides whether
        the connection can live on."""
        protocol = self.protocol
        if protocol.body_is_complete or not protocol.keep_alive or protocol.request is None:
            return
        fields = protocol.request.fields
        try:
            is_complete = protocol.skip_body()
        except ProtocolError:
            protocol.keep_alive = False
            return
        if not is_complete and (
            fields.expects_continue or fields.body_bytes is None or fields.body_bytes > _SKIP_BYTES
        ):
            protocol.keep_alive = False

    # For the exchange: the response...

    def send(self, data: bytes) -> None:
        """Send all of `data`, waiting while the client does not read.   Raises: StreamError."""
        try:
            sent = self._raw.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise StreamBroken(f"the connection was lost: {error.strerror or error}") from error
        if sent != len(data):
            self._send_rest(memoryview(data)[sent:])

    def _send_rest(self, rest: memoryview) -> None:
        stream = self.stream
        self.response_begun = True
        while rest:
            self._wait(WRITING, self.server.timeouts.write_s)
            rest = rest[stream.send_nowait(rest) :]

    def send_file(self, fd: int, offset: int, count: int) -> None:
        """Send a part of a file.   Raises: StreamError; EOFError when it became shorter."""
        stream = self.stream
        end = offset + count
        while offset < end:
            sent = stream.send_file_nowait(fd, offset, min(end - offset, 1024 * 1024))
            offset += sent
            if not sent:
                self._wait(WRITING, self.server.timeouts.write_s)

    def _wait(self, phase: int, allowance_s: float) -> None:
        """Wait in the stream, under the time-out of another phase."""
        before = self.phase
        self.phase = phase
        self.since = now()
        self.server.sweep.watch(self, self.since + allowance_s)
        try:
            if phase == READING:
                self.stream.wait_readable()
            else:
                self.stream.wait_writable()
        finally:
            if self.phase == phase:
                self.phase = before
                self.since = now()
                if before == HANDLING:
                    self.server.sweep.watch(self, self.since + self.server.timeouts.handler_s)

    # In the hub: time...

    def on_due(self, moment: float) -> float | None:
        """Act if the phase takes too long. Called by the hub's sweep.

        Returns: when to look again; None when the next phase will say.
        """
        due = self.since + self.server.allowances[self.phase]
        if moment < due:
            return due if due < ENDLESS else None
        timeouts = self.server.timeouts
        if self.phase == HEAD:
            detail = f"the request head did not come within {timeouts.head_s:g} s"
            self.refuse(ProtocolError("head-timeout", 408, detail))
        elif self.phase == HANDLING:
            self.cancel("deadline", f"no response within {timeouts.handler_s:g} s")
        elif self.phase == READING:
            # RFC 9110 §15.5.9: with 408 "the server SHOULD send the "close" connection option".
            self.protocol.keep_alive = False
            self.stream.interrupt(BodyTimeout(timeouts.body_s))
        elif self.phase == WRITING:
            self.stream.interrupt(
                StreamBroken(f"the client took nothing for {timeouts.write_s:g} s")
            )
        else:
            self.close()
        if self.phase == CLOSED:
            return None
        # A handler that swallowed its cancel is told again, once it had time to clean up.
        return moment + timeouts.cleanup_s

    def cancel(self, source: CancelSource, reason: str) -> bool:
        """Raise `Cancelled` in the handler where it waits. Only in the hub.

        Returns: whether there was one.
        """
        if self._carrier is None or self.phase not in (HANDLING, READING, STREAMING, WRITING):
            return False
        if self.phase == WRITING and source == "disconnect":
            return False  # a client may close its sending side and read on; the write will tell
        return self.server.carriers.interrupt(self._carrier, self, Cancelled(source, reason))

    # The end...

    def refuse(self, error: ProtocolError) -> None:
        """Answer what is no proper request, as far as the socket takes it at once, and close."""
        self.phase = LINGERING  # whatever comes now is no request
        logger.info("refused %s: %s (%s)", self.stream.peer or "a client", error.detail, error.rule)
        protocol = self.protocol
        protocol.request = None
        protocol.keep_alive = False
        refusal = problem(error.status, error.detail)
        try:
            self.stream.send_nowait(
                protocol.plain(error.status, refusal.content_type, refusal.body)
            )
        except StreamError:
            self.close()
            return
        if self.stream.look() is Peer.GONE:
            self.close()
        else:
            self._linger()  # it was about to send more

    def drain(self) -> None:
        """The server stops: end at once if idle, after the current response otherwise."""
        if self.phase <= HEAD:
            self.close()
        else:
            self.protocol.keep_alive = False

    def close_gently(self) -> None:
        """Close so that the client gets all that was sent.

        RFC 9112 §9.6: closing while input is unread makes the kernel send a reset, which may
        erase our last response before the client has read it.
        """
        if self.protocol.body_is_complete and self.stream.look() is not Peer.TALKING:
            self.close()
        else:
            self._linger()

    def _linger(self) -> None:
        self.stream.close_sending()
        self.phase = LINGERING
        self.since = now()
        self._carrier = None
        self.server.sweep.watch(self, self.since + _LINGER_S)
        self.stream.watch(self)

    def close(self) -> None:
        """Close at once. May be called twice, and from anywhere in the hub's thread."""
        if self.phase == CLOSED:
            return
        self.phase = CLOSED
        self._carrier = None
        self.server.sweep.forget(self)
        self.stream.close()
        self.server.forget(self)

    def __repr__(self) -> str:
        what = f" {self.protocol.request.target}" if self.protocol.request is not None else ""
        return (
            f"<Connection {self.stream.peer} {NAMES[self.phase]} for "
            f"{now() - self.since:.1f} s{what}>"
        )


class _Intake:
    """Where the body of one request comes from, for as long as its exchange lasts.

    Who holds on to a request must not be given the body of the next one on its connection.
    """

    __slots__ = ("_connection", "_is_read")

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._is_read = False

    def next_body_chunk(self) -> bytes:
        if self._connection is None:
            raise RuntimeError("the request is over: read its body before its handler returns")
        self._is_read = True
        try:
            return self._connection.next_body_chunk()
        finally:
            self._is_read = False

    def end(self) -> None:
        """The response was sent. If a greenlet waits for the body still, nobody else can read."""
        if self._is_read and self._connection is not None:
            self._connection.protocol.keep_alive = False
        self._connection = None
