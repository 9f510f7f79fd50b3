"""One HTTP/1 connection: who has it at any moment, and for how long.

Between requests nobody has it: it is a socket and a read watcher in the hub. When bytes come, a
carrier takes it, reads, and answers; if they are only a part of a head the carrier lets go again,
so a client that drips a byte a second holds no greenlet.

    IDLE ⇄ HEAD ──▶ HANDLING ⇄ READING          the handler waits for the body
                        │  ⇅                    the response does not fit the socket:
                        ├─ STREAMING ⇄ WRITING
                        ├─ UPGRADED ⇄ WRITING   another protocol, such as WebSocket
                        ├─ FINISHING            what was put off until the response was written
                        ▼
                    IDLE | LINGERING ──▶ CLOSED

The watcher is never stopped while a handler runs, which costs nothing: a handler that does not
wait is done before the hub looks again. If it waits and the socket becomes readable, that is
either the next request (left in the kernel until this one is answered) or the client going away.

How long each phase may last, and what happens when that is over, is in `timing`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from math import inf
from types import FrameType
from typing import TYPE_CHECKING, Any

from photon.http.body import CHUNK_BYTES, Body
from photon.http.errors import ProtocolError
from photon.http.problems import problem
from photon.http.protocol.base import Http1
from photon.http.protocol.events import RequestHead
from photon.http.request import Request
from photon.http.server.exchange import finish
from photon.http.server.intake import Intake
from photon.http.server.phases import (
    CLOSED,
    FINISHING,
    HANDLING,
    HEAD,
    IDLE,
    LINGERING,
    NAMES,
    READING,
    WRITING,
)
from photon.http.server.timing import Timed
from photon.http.server.upgrade import Upgrade, Upgraded, upgrade
from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, CancelSource, StreamError
from photon.runtime.greenlets import Turn
from photon.runtime.hub import getcurrent
from photon.runtime.net.stream import ByteStream, PeerState

if TYPE_CHECKING:
    from photon.http.server.server import Server

logger = logging.getLogger("photon.http")

# Heads are small. PERF: a read of 16 KiB costs 1 us more, for CPython allocates first and shrinks
# afterwards; and it would let one client's pipelined requests hold the hub for longer.
_HEAD_READ_BYTES = 4 * 1024


class Connection(Timed):
    """A client's connection, from accept to close.

    Attributes:
        response_begun: whether bytes of the current response may be out.
        ends_early: whether it waits for a piece of a stream that ends when the server begins to
            stop: then `drain` is called in the hub.
        began: when the handler of the request in progress first waited.
        phase, since, session: see `Timed`.
    """

    __slots__ = (
        "_again",
        "_turn",
        "began",
        "ends_early",
        "raw",
        "response_begun",
    )

    def __init__(self, server: Server, stream: ByteStream, protocol: Http1) -> None:
        super().__init__(server, stream, protocol)
        self.raw = stream.raw
        self.response_begun = False
        self.ends_early = False
        self._again = False
        self._turn: Turn | None = None
        self.began = 0.0
        self.enter(IDLE)
        stream.watch(self)

    @property
    def peer(self) -> str:
        """The other side as `host:port`; "" when it has no name."""
        return self.stream.peer

    @property
    def scheme(self) -> str:
        """ "http" or "https"."""
        return self.server.scheme

    @property
    def peer_certificate(self) -> Mapping[str, Any] | None:
        """What the client proved to be by TLS; None when it was not asked."""
        certificate: Mapping[str, Any] | None = getattr(self.stream, "peer_certificate", None)
        return certificate

    @property
    def client_has_left(self) -> bool:
        """Whether the client of the request in progress closed its side."""
        return self.phase >= LINGERING or self.stream.has_hung_up()

    # On a carrier: requests...

    def run(self) -> bool:
        """Take what came, and answer one request if it is complete. A carrier's job.

        Returns: whether bytes of a next request are here already.
        """
        if self.phase > HEAD:
            self._on_readable_while_busy()
            return False
        protocol = self.protocol
        try:
            if self._again:
                self._again = False
                self.listen_again()
            else:
                data = self.raw.recv(_HEAD_READ_BYTES)
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
            self._carrier = self._turn = None  # the rest of the head may find another
            self._wait_for_head()
            return False
        self.phase = HANDLING
        self.response_begun = False
        if self._carrier is not None:  # an earlier request of this round waited already
            self.on_parked(self._carrier)
        if protocol.body_is_complete:
            request = Request(head, None, self)
            self.server.answer(self, request)
            if request._after is not None:
                finish(self, request)
        else:
            self._answer_with_body(head)
        if self.phase >= LINGERING:
            return False
        if not protocol.next_cycle():
            self.close_gently()
            return False
        self.phase = IDLE
        self.since = now()
        if self._carrier is None and not self._is_unwatched and not protocol.pending:
            return False  # PERF: the common case, in one line
        return self._follow_up()

    def _answer_with_body(self, head: RequestHead) -> None:
        length, limit = head.fields.body_bytes, self.server.limits.body_bytes
        if length is not None and length <= limit and (data := self.protocol.take_body()):
            request = Request(head, data, self)
            self.server.answer(self, request)
            if request._after is not None:
                finish(self, request)
            return
        intake = Intake(self, expects_continue=head.fields.expects_continue)
        body = Body(intake, length, limit)
        request = Request(head, body, self)
        try:
            self.server.answer(self, request)
        finally:
            intake.end()
        if request._after is not None:
            finish(self, request)

    def _wait_for_head(self) -> None:
        if self.protocol.has_ended:
            self.close()
        elif self.phase == IDLE and (self.protocol.pending or not self.protocol.body_is_complete):
            self.enter(HEAD)

    def _follow_up(self) -> bool:
        """After a request that waited, or was followed by more bytes."""
        self.listen_again()
        self.enter(IDLE)  # while it waited the sweep may have been told a later moment
        self._again = bool(self.protocol.pending)
        if not self._again:
            self._carrier = self._turn = None
            return False
        if self._turn is None:
            self._turn = Turn()
        elif self._turn.is_over:  # thousands of requests in one packet: others have theirs
            self._carrier = self._turn = None
            # Unwatched, or each round would queue it once more, for what the kernel has of it.
            self.stream.unwatch()
            self._is_unwatched = True
            self.server.carriers.submit(self)
            return False
        return True

    # For the exchange...

    def wait(self, phase: int) -> None:
        """Wait in the stream, until more can be read (READING) or written (WRITING).

        Raises: StreamClosed; what `on_due` interrupts it with when the phase takes too long.
        """
        before = self.phase
        self.enter(phase)
        try:
            if phase == READING:
                self.stream.wait_readable()
            else:
                self.stream.wait_writable()
        finally:
            if self.phase == phase:
                self.enter(before)

    def listen_again(self) -> None:
        """Watch the stream again, if it was not watched while bytes waited for their turn."""
        if self._is_unwatched:
            self._is_unwatched = False
            self.stream.watch(self)

    def upgrade(self, head: bytes, session: Upgraded) -> Upgrade:
        """Send the head of the 101 and hand the connection over.   Raises: as `upgrade.upgrade`."""
        return upgrade(self, head, session)

    def hand_over(self, session: Upgraded) -> None:
        """From here on the stream is the session's, until its handler returns."""
        self.response_begun = True
        self.session = session
        if self._carrier is None:  # it did not wait before
            self._carrier = getcurrent()
        self.listen_again()

    # In the hub: what happens while a handler works...

    def on_parked(self, carrier: Carrier) -> None:
        """The handler waits for something: from here on its time is kept. Called in the hub."""
        if self.session is not None:
            return  # it is known already, and this may be the carrier that took what came
        if self.is_busy:
            self._carrier = carrier
            self.began = now()
            if self.phase == HANDLING or self.phase == FINISHING:
                self.enter(self.phase)

    def _on_readable_while_busy(self) -> None:
        """The socket is readable while somebody has the connection, or is done with it."""
        if self.phase == LINGERING:
            self._drop_input()
        elif self.session is not None and self.phase < FINISHING:
            self.session.on_readable()
        elif self.phase != CLOSED:
            self.server.hub.run_soon(self._check_client)

    def _check_client(self) -> None:
        """More bytes, or the end of the client? In the hub."""
        # A reader has borrowed the watcher, and will see for itself.
        if self._is_unwatched or self.phase == READING or not self.is_busy:
            return
        peer = self.stream.look()
        if peer is PeerState.QUIET:
            return
        self.stream.unwatch()
        self._is_unwatched = True
        self._ask_for_client()
        if peer is PeerState.GONE:
            self._client_left()

    def _client_left(self) -> bool:
        """Do what was agreed.   Returns: whether the handler ended at once."""
        if self.server.settings.half_close != "gone":
            return False
        terms = self.terms
        if terms is None or terms.on_disconnect == "cancel":
            self.cancel("disconnect", "the client went away")
        elif terms.on_disconnect == "notify" and terms.on_left is not None:
            terms.on_left()
        return self.phase >= LINGERING

    def cancel(self, source: CancelSource, reason: str) -> bool:
        """Raise `Cancelled` in the handler where it waits. Only in the hub.

        Returns: whether there was one.
        """
        if self._carrier is None or not self.is_busy:
            return False
        if source == "disconnect" and self.phase in (WRITING, FINISHING):
            # A client may close its sending side and read on; the write will tell. And what comes
            # after the response, a commit say, is no longer the client's business.
            return False
        error = Cancelled(source, reason)
        error.where = self._place(self._carrier)
        return self.server.carriers.interrupt(self._carrier, self, error)

    def _drop_input(self) -> None:
        try:
            data = self.stream.receive_nowait(CHUNK_BYTES)
        except StreamError:
            data = b""
        if data == b"":
            self.close()

    # The end...

    def refuse(self, error: ProtocolError) -> None:
        """Answer what is no proper request, as far as the socket takes it at once, and close."""
        self.phase = LINGERING  # whatever comes now is no request
        peer = self.stream.peer or "a client"
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
        else:
            if self.stream.look() is PeerState.GONE:
                self.close()
            else:
                self._linger()  # it was about to send more
        # Last of all: in the hub, where a 408 comes from, a log handler that waits fails.
        logger.info("refused %s: %s (%s)", peer, error.detail, error.rule)

    def close_if_idle(self) -> bool:
        """Close unless a request is in progress, or has begun to come.

        Returns: whether it did.
        """
        if self.phase != IDLE or self._again or self.stream.look() is PeerState.TALKING:
            return False
        self.close()
        return True

    def drain(self, active_since: float = inf) -> None:
        """The server stops: end at once if idle, after the current response otherwise.

        Args: active_since: if it was active after that, it may have one more request.
        """
        if self.since < active_since and self.close_if_idle():
            return
        if self.phase <= HEAD:  # a request that has come, or begun to come, is answered still
            self.enter(self.phase)
        elif self.session is not None:
            self.session.drain()
        else:
            self.protocol.keep_alive = False
            if self.ends_early:  # else it ends after what it writes
                self.cancel("shutdown", "the server stops")

    def close_gently(self) -> None:
        """Close so that the client gets all that was sent.

        RFC 9112 §9.6: closing while input is unread makes the kernel send a reset, which may
        erase our last response before the client has read it.
        """
        if self.protocol.body_is_complete and self.stream.look() is not PeerState.TALKING:
            self.close()
        else:
            self._linger()

    def _linger(self) -> None:
        self.stream.close_sending()
        self._carrier = None
        self.enter(LINGERING)
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

    def described(self, frame: FrameType | None) -> dict[str, Any]:
        """For dumps: see `describing`."""
        from photon.http.server.describing import describe  # hardly ever asked for

        return describe(self, frame)

    def __repr__(self) -> str:
        what = f" {self.protocol.request.target}" if self.protocol.request is not None else ""
        return (
            f"<Connection {self.stream.peer} {NAMES[self.phase]} for "
            f"{now() - self.since:.1f} s{what}>"
        )
