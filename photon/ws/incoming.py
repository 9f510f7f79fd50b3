"""What comes from the client of one WebSocket: who reads it, and what is kept of it.

There is no greenlet of its own. Whoever wants a message waits in the stream himself. While the
handler does something else, a carrier takes what comes: control frames are seen to, and messages
are kept, up to a bound. Then reading stops, and TCP holds the client back.

    next_message ─┬─ kept messages
                  └─ waits in the stream ──▶ protocol ──▶ message
    on_readable ────── a carrier ──────────▶ protocol ──▶ kept messages, control frames
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from photon.runtime.clock import now
from photon.runtime.errors import StreamBroken, StreamError
from photon.ws.errors import WebSocketProtocolError
from photon.ws.turns import SIZE_BITS, STREAK

if TYPE_CHECKING:
    from photon.http.server.upgrade import Upgrade
    from photon.ws.protocol import WebSocketProtocol
    from photon.ws.session import Session

# PERF: as `connection._HEAD_READ_BYTES`; who fills it is read in larger pieces.
_READ_BYTES = 4 * 1024
_LARGE_READ_BYTES = 64 * 1024
# While the handler does something else. A piece of pings holds the hub for 5 ms at most.
_AHEAD_READ_BYTES = 16 * 1024

# What is kept for a handler that does something else. One message more may be there, since its
# size is known only when it is.
AHEAD_MESSAGES = 32
AHEAD_BYTES = 64 * 1024


class Incoming:
    """The reading side.

    Args: session: is told of control frames, violations, and of a client that is lost.
    Attributes:
        is_receiving: whether a greenlet is in `next_message`.
        is_paused: whether nothing is read, as the handler has not taken what was kept.
        kept_bytes: of the messages that wait for the handler; of text its characters.
        received, received_bytes: messages that the handler took; all bytes, as on the wire.
    """

    __slots__ = (
        "_has_rest",
        "_kept",
        "_limit",
        "_protocol",
        "_raw",
        "_session",
        "_stream",
        "_upgrade",
        "_will_look",
        "is_paused",
        "is_receiving",
        "kept_bytes",
        "received",
        "received_bytes",
    )

    def __init__(self, session: Session, upgrade: Upgrade, protocol: WebSocketProtocol) -> None:
        self._session = session
        self._upgrade = upgrade
        self._stream = upgrade.stream
        self._raw = upgrade.stream.raw
        self._protocol = protocol
        self._kept: deque[str | bytes] | None = None
        self._limit = _READ_BYTES
        # PERF: whether there may be an event without more bytes; to ask for nothing takes 0.5 us.
        self._has_rest = False
        self._will_look = False
        self.is_paused = False
        self.is_receiving = False
        self.kept_bytes = 0
        self.received = 0
        self.received_bytes = 0

    # For the handler...

    def next_message(self) -> str | bytes:
        """The next message, waiting for it.   Raises: WebSocketClosed; RuntimeError."""
        session = self._session
        if session.turns.streak >= STREAK:
            session.turns.give_way()
        if self.is_paused and not self._kept:
            self.resume()
        if self._kept:
            return self._take_kept()
        if self.is_receiving:
            raise RuntimeError(
                "another greenlet receives from this WebSocket already: let one of them receive, "
                "and hand the messages to the others"
            )
        if session.end is not None:
            raise session.closed()
        protocol = self._protocol
        self.is_receiving = True
        try:
            while True:
                event = protocol.next_event() if self._has_rest else None
                kind = event.__class__
                if kind is str or kind is bytes:
                    self.received += 1
                    session.turns.streak += 1 + (len(event) >> SIZE_BITS)  # type: ignore[arg-type]
                    if protocol.is_behind:
                        self._look_soon()
                    else:
                        self._has_rest = False
                    return event  # type: ignore[return-value]
                if event is None:
                    self._receive()
                else:
                    self._take_in_between(event)
                if session.end is not None:
                    raise session.closed()
        except WebSocketProtocolError as error:
            session.fail(error)
            raise session.closed() from error
        finally:
            self.is_receiving = False

    def _receive(self) -> None:
        """Wait until something comes, and give it to the protocol."""
        session = self._session
        session.turns.streak = 0
        if self.is_paused:
            self.is_paused = False
            self._upgrade.listen(True)
        limit = self._limit
        try:
            self._stream.wait_readable()
            data = self._raw.recv(limit)
        except BlockingIOError:
            return
        except (StreamError, OSError) as error:
            if session.end is None:
                session.lose(_why(error), is_news=False)
            return
        self._limit = _LARGE_READ_BYTES if len(data) == limit else _READ_BYTES
        self.take(data)

    def take(self, data: bytes) -> None:
        """Give the protocol what came; b"" is the end."""
        self._session.keepalive.heard_at = now()
        self.received_bytes += len(data)
        self._has_rest = True
        if not data:
            self._upgrade.listen(False)  # the end would be readable for ever
        self._protocol.receive_data(data)

    def _take_in_between(self, event: Any) -> None:
        """What stands between two messages, for a greenlet that waits for the next one."""
        session = self._session
        turns = session.turns
        if session.take_control(event):
            session.out.flush()
            turns.streak += 1
            if turns.streak >= STREAK:  # pings without end
                turns.give_way()
        else:  # many fragments of a message
            turns.give_way()

    def _look_soon(self) -> None:
        """See to what came behind a message, should the handler now do something else."""
        if not self._will_look:
            self._will_look = True
            self._session.hub.run_soon(self._look)

    def _look(self) -> None:
        self._will_look = False
        if not (self.is_receiving or self.is_paused):
            self.take_events()

    # On a carrier, or in the hub, while the handler does something else...

    def on_readable(self) -> None:
        """Take what came, as far as there is room for it."""
        session = self._session
        if self.is_receiving or self.is_paused or session.end is not None:
            return
        try:
            data = self._stream.receive_nowait(_AHEAD_READ_BYTES)
        except StreamError as error:
            session.lose(_why(error), is_news=False)
            return
        if data is not None:
            self.take(data)
            self.take_events()

    def take_events(self) -> None:
        """Keep the messages that are here, up to the bound, and see to control frames."""
        session = self._session
        protocol = self._protocol
        try:
            while session.end is None:
                if self._is_full:
                    self._pause()
                    break
                event = protocol.next_event()
                if event is None:
                    break
                if isinstance(event, (str, bytes)):
                    self._keep(event)
                elif not session.take_control(event):
                    self._pause()  # the rest of it in another round
                    session.hub.deadlines.add(now(), self.resume)
                    break
        except WebSocketProtocolError as error:
            session.fail(error)
        session.out.flush()

    def _pause(self) -> None:
        if not self.is_paused:
            self.is_paused = True
            self._upgrade.listen(False)
            self._session.look_again()

    def resume(self) -> None:
        """Read on, if there is room."""
        if self.is_receiving:  # who will see to all of it
            return
        if self.is_paused and self._session.end is None and not self._is_full:
            self.is_paused = False
            self._upgrade.listen(True)
            self.take_events()

    # Messages that wait for the handler...

    @property
    def kept(self) -> int:
        """How many there are."""
        return len(self._kept or ())

    @property
    def _is_full(self) -> bool:
        kept = self._kept
        return kept is not None and (len(kept) >= AHEAD_MESSAGES or self.kept_bytes >= AHEAD_BYTES)

    def _keep(self, message: str | bytes) -> None:
        if self._kept is None:
            self._kept = deque()
        self._kept.append(message)
        self.kept_bytes += len(message)

    def _take_kept(self) -> str | bytes:
        kept = self._kept
        assert kept
        message = kept.popleft()
        self.kept_bytes -= len(message)
        self.received += 1
        self._session.turns.streak += 1 + (len(message) >> SIZE_BITS)
        self._session.departure.put_off()
        if not kept:
            self._kept = None
            self.resume()
        return message

    def drop(self) -> None:
        """Forget those that were kept: nobody will ask for them."""
        self._kept = None
        self.kept_bytes = 0

    # The end...

    def end(self) -> None:
        """Nothing more is read; who waits for a message is told."""
        self._upgrade.listen(False)
        if self.is_receiving:
            self._session.hub.run_soon(self._interrupt)

    def _interrupt(self) -> None:
        self._stream.interrupt_reader(StreamBroken("the WebSocket is over"))


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the connection was lost: {error.strerror or error}"
    return str(error)
