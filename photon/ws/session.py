"""An open WebSocket below what handlers see: who reads, what is kept, and how it comes to an end.

There is no greenlet of its own. Whoever wants a message waits in the stream himself. While the
handler does something else, a carrier takes what comes: pings are answered, the client's leaving is
seen, and messages are kept, up to a bound. Then reading stops, and TCP holds the client back.

    next_message ─┬─ kept messages
                  └─ waits in the stream ──▶ protocol ──▶ message
    on_readable ────── a carrier ──────────▶ protocol ──▶ kept messages, control frames

It ends once, with a code and a reason: `end`. From then on nothing is received, and what is sent
raises WebSocketClosed.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from photon.runtime.clock import now
from photon.runtime.errors import StreamBroken, StreamError
from photon.runtime.greenlets import Turn
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.sync import Event
from photon.ws.close_codes import ABNORMAL, GOING_AWAY
from photon.ws.departure import Departure
from photon.ws.errors import PingTimeout, WebSocketClosed, WebSocketProtocolError
from photon.ws.events import CloseReceived, Ping, Pong
from photon.ws.keepalive import KeepAlive
from photon.ws.outgoing import Outgoing
from photon.ws.protocol import WebSocketProtocol
from photon.ws.waiters import Waiters

if TYPE_CHECKING:
    from photon.http.server.upgrade import Upgrade
    from photon.ws.settings import WebSocketSettings

OnDisconnect: TypeAlias = Literal["cancel", "notify", "ignore"]
"""What happens to a handler that does something else when its client leaves."""

# PERF: as `connection._HEAD_READ_BYTES`; who fills it is read in larger pieces.
_READ_BYTES = 4 * 1024
_LARGE_READ_BYTES = 64 * 1024
# While the handler does something else. A piece of pings holds the hub for 5 ms at most.
_AHEAD_READ_BYTES = 16 * 1024

# What is kept for a handler that does something else. One message more may be there, since its
# size is known only when it is.
_AHEAD_MESSAGES = 32
_AHEAD_BYTES = 64 * 1024

# How often a client that is not read is asked whether it is there still, as `connection._ASK_S`.
_ASK_S = 5.0

# So many messages without a wait, until somebody else has a turn.
STREAK = 64


class Session:
    """The `Upgraded` of one WebSocket.

    Args:
        upgrade: the connection.
        protocol: has not seen what came with the head, `upgrade.pending`.
        handler: the greenlet that is told when the client leaves.
    Attributes:
        end: code and reason, once it is over; the client may still be told.
        received, kept_bytes: messages that handlers took; bytes of those that wait for one.
        received_bytes: all that came, as on the wire.
    """

    __slots__ = (
        "_close_due",
        "_has_rest",
        "_is_begun",
        "_is_draining",
        "_is_paused",
        "_is_receiving",
        "_kept",
        "_limit",
        "_raw",
        "_turn",
        "_will_look",
        "closed_event",
        "departure",
        "end",
        "hub",
        "is_lost",
        "keepalive",
        "kept_bytes",
        "out",
        "protocol",
        "received",
        "received_bytes",
        "settings",
        "streak",
        "stream",
        "upgrade",
        "waiters",
    )

    def __init__(self, settings: WebSocketSettings, protocol: WebSocketProtocol) -> None:
        self.settings = settings
        self.protocol = protocol
        self.hub = current_hub()
        self.end: tuple[int, str] | None = None
        self.is_lost = False
        self.received = 0
        self.received_bytes = 0
        self.kept_bytes = 0
        self.streak = 0
        self._kept: deque[str | bytes] | None = None
        self.waiters: Waiters | None = None
        self.closed_event: Event | None = None
        self._is_begun = False
        # PERF: whether there may be an event without more bytes; to ask for nothing takes 0.5 us.
        self._has_rest = False
        self._is_draining = False
        self._is_paused = False
        self._is_receiving = False
        self._will_look = False
        self._limit = _READ_BYTES
        self._close_due = 0.0
        self._turn: Turn | None = None

    def begin(self, upgrade: Upgrade, on_disconnect: OnDisconnect, *, is_deflated: bool) -> None:
        """The head of the 101 is out: take what came with the request, and keep time."""
        self.upgrade = upgrade
        self.stream = upgrade.stream
        self._raw = upgrade.stream.raw
        self.out = Outgoing(self, upgrade, encode_in_turn=is_deflated)
        self.keepalive = KeepAlive(self.settings)
        self.departure = Departure(self, on_disconnect, getcurrent())
        self._is_begun = True
        if upgrade.pending:
            self._came(upgrade.pending)
            upgrade.pending = b""
            self._take_events()
        self._look_again()
        if self._is_draining:
            self.drain()

    # For the handler...

    def next_message(self) -> str | bytes:
        """The next message, waiting for it.   Raises: WebSocketClosed; RuntimeError."""
        if self.streak >= STREAK:
            self.give_way()
        if self._is_paused and not self._kept:
            self._resume()
        if self._kept:
            return self._take_kept()
        if self._is_receiving:
            raise RuntimeError(
                "another greenlet receives from this WebSocket already: let one of them receive, "
                "and hand the messages to the others"
            )
        if self.end is not None:
            raise self.closed()
        protocol = self.protocol
        self._is_receiving = True
        try:
            while True:
                event = protocol.next_event() if self._has_rest else None
                kind = event.__class__
                if kind is str or kind is bytes:
                    self.received += 1
                    self.streak += 1
                    if protocol.is_behind:
                        self._look_at_rest()
                    else:
                        self._has_rest = False
                    return event  # type: ignore[return-value]
                if event is None:
                    self._receive()
                else:
                    self._take_in_between(event)
                if self.end is not None:
                    raise self.closed()
        except WebSocketProtocolError as error:
            self.fail(error)
            raise self.closed() from error
        finally:
            self._is_receiving = False

    def closed(self) -> WebSocketClosed:
        """The exception that says why nothing more can be sent or received."""
        end = self.end or self.out.ended
        assert end is not None
        self.departure.told()
        return WebSocketClosed(*end)

    def _receive(self) -> None:
        """Wait until something comes, and give it to the protocol."""
        self.streak = 0
        if self._is_paused:
            self._is_paused = False
            self.upgrade.listen(True)
        limit = self._limit
        try:
            self.stream.wait_readable()
            data = self._raw.recv(limit)
        except BlockingIOError:
            return
        except (StreamError, OSError) as error:
            if self.end is None:
                self.lose(_why(error))
            return
        self._limit = _LARGE_READ_BYTES if len(data) == limit else _READ_BYTES
        if data:  # PERF: `_came` without the call
            self.keepalive.heard_at = now()
            self.received_bytes += len(data)
            self._has_rest = True
            self.protocol.receive_data(data)
        else:
            self._came(data)

    def _came(self, data: bytes) -> None:
        self.keepalive.heard_at = now()
        self.received_bytes += len(data)
        self._has_rest = True
        if not data:
            self.upgrade.listen(False)  # the end would be readable for ever
        self.protocol.receive_data(data)

    def _take_in_between(self, event: Any) -> None:
        """What stands between two messages, for a greenlet that waits for the next one."""
        self._take_control(event)
        self.out.flush()
        self.streak += 1
        if self.streak >= STREAK:  # pings, or fragments, without end
            self.give_way()

    def _look_at_rest(self) -> None:
        """See to what came behind a message, should the handler now do something else."""
        if not self._will_look:
            self._will_look = True
            self.hub.run_soon(self._look)

    def _look(self) -> None:
        self._will_look = False
        if not (self._is_receiving or self._is_paused):
            self._take_events()

    def give_way(self) -> None:
        """Let others have a turn: who sends as fast as we read, or reads as we send, keeps us."""
        self.streak = 0
        if self._turn is None:
            self._turn = Turn()
        self._turn.give_way()

    # On a carrier, while the handler does something else...

    def on_readable(self) -> None:
        """Take what came, as far as there is room for it."""
        if self._is_receiving or self._is_paused or self.end is not None or not self._is_begun:
            return
        try:
            data = self.stream.receive_nowait(_AHEAD_READ_BYTES)
        except StreamError as error:
            self.lose(_why(error))
            return
        if data is not None:
            self._came(data)
            self._take_events()

    def _take_events(self) -> None:
        """Keep the messages that are here, up to the bound, and see to control frames."""
        protocol = self.protocol
        try:
            while self.end is None:
                if self._is_full:
                    self._pause()
                    break
                event = protocol.next_event()
                if event is None:
                    break
                if isinstance(event, (str, bytes)):
                    self._keep(event)
                elif not self._take_control(event):
                    self._pause()  # the rest of it in another round
                    self.hub.deadlines.add(now(), self._resume)
                    break
        except WebSocketProtocolError as error:
            self.fail(error)
        self.out.flush()

    @property
    def _is_full(self) -> bool:
        kept = self._kept
        return kept is not None and (
            len(kept) >= _AHEAD_MESSAGES or self.kept_bytes >= _AHEAD_BYTES
        )

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
        self.streak += 1
        self.departure.put_off()
        if not kept:
            self._kept = None
            self._resume()
        return message

    def _pause(self) -> None:
        if not self._is_paused:
            self._is_paused = True
            self.upgrade.listen(False)
            self.upgrade.look_at(now() + _ASK_S)

    def _resume(self) -> None:
        if self._is_receiving:  # who will see to all of it
            return
        if self._is_paused and self.end is None and not self._is_full:
            self._is_paused = False
            self.upgrade.listen(True)
            self._take_events()

    @property
    def kept(self) -> int:
        """How many messages wait for the handler."""
        return len(self._kept or ())

    # Control frames...

    def _take_control(self, event: Any) -> bool:
        """See to a control frame; false when it is none: others shall have a turn first."""
        kind = event.__class__
        if kind is Ping:
            self.out.put_pong(self.protocol.pong(event.payload))
        elif kind is Pong:
            if self.keepalive.answered(event.payload):
                self._wake()
        elif kind is CloseReceived:
            self._take_close(event)
        else:
            return False
        return True

    def _take_close(self, event: CloseReceived) -> None:
        if event.code == ABNORMAL:
            self.lose("the client went away without a close frame")
            return
        self.out.put(self.protocol.answer_close())
        self._end(event.code, event.reason)

    # The end...

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, once; the client's ends the WebSocket. Does not wait.

        Raises: ValueError, for what a close frame cannot hold.
        """
        if self.end is not None or self._close_due:
            return
        frame = self.protocol.close(code, reason)
        self._close_due = now() + self.settings.close_timeout_s
        self.out.put(frame)
        self.out.end(code, reason)
        self._drop_kept()
        self._resume()
        self._look_again()

    def fail(self, error: WebSocketProtocolError) -> None:
        """The client broke the protocol: say so, and read nothing more."""
        if self.end is None:
            self.out.put(self.protocol.close(error.code, error.reason))
            self._end(error.code, error.reason)

    def lose(self, why: str) -> None:
        """The connection is of no use any more, and nobody can be told."""
        if not self.is_lost:
            self.is_lost = True
            self.out.drop()
            self._end(ABNORMAL, why)

    def _end(self, code: int, reason: str) -> None:
        """It is over. Everybody who waits for something of it is told."""
        if self.end is not None:
            return
        # Who closed it first has said why.
        self.end = self.out.ended or (code, reason)
        self.out.end(*self.end, goodbye=not self.is_lost)
        self.upgrade.listen(False)
        if self._is_receiving:
            self.hub.run_soon(self._interrupt_receiver)
        self._wake()
        if self.closed_event is not None:
            self.closed_event.set()
        self.departure.begin()

    def _interrupt_receiver(self) -> None:
        self.stream.interrupt_reader(StreamBroken("the WebSocket is over"))

    def _drop_kept(self) -> None:
        self._kept = None
        self.kept_bytes = 0

    def drain(self) -> None:
        """The server stops. In the hub."""
        self._is_draining = True
        if not self._is_begun:
            return
        self.departure.source = "shutdown"
        self.close(GOING_AWAY, "the server stops")

    def finish(self) -> None:
        """The handler is over, and nothing is to be kept for it. Its connection lingers."""
        self._end(ABNORMAL, "the handler has ended")
        self._drop_kept()
        if self.is_lost or self.out.is_stuck:
            self.out.drop()
            self.upgrade.close()

    # Waiting for what is seen above...

    def wait_for_end(self) -> None:
        """Wait until it is over: after `close`, no longer than that may take."""
        while self.end is None:
            self._the_waiters().wait_for(self._has_ended, self.settings.close_timeout_s)

    def _has_ended(self) -> bool:
        return self.end is not None

    def ping(self, payload: bytes) -> float:
        """Send a ping and wait for its pong.

        Returns: the seconds that took.   Raises: WebSocketClosed; PingTimeout; ValueError.
        """
        if self.end is not None or self._close_due:
            raise self.closed()
        seconds = self.settings.ping_timeout_s
        with self.keepalive.sent(payload) as pinged:
            self.out.put(self.protocol.ping(payload))
            is_over = lambda: pinged.seconds is not None or self.end is not None  # noqa: E731
            self._the_waiters().wait_for(is_over, seconds)
        if pinged.seconds is not None:
            return pinged.seconds
        if self.end is not None:
            raise self.closed()
        raise PingTimeout(seconds)

    def _the_waiters(self) -> Waiters:
        if self.waiters is None:
            self.waiters = Waiters()
        return self.waiters

    def _wake(self) -> None:
        if self.waiters is not None:
            self.waiters.wake()

    # Time. In the hub...

    def on_due(self, moment: float) -> float | None:
        """Do what is due."""
        if not self._is_begun:
            return None
        if self.end is not None:
            return self.departure.on_due(moment)
        if self._close_due and moment >= self._close_due:
            self.lose("the client did not answer the close frame")
            return self.departure.due
        if self._is_paused and not self._close_due:
            # A client that is not read cannot be asked.
            if self.stream.has_hung_up():
                self.lose("the client went away while messages of it waited for the handler")
                return self.departure.due
            self.keepalive.heard_at = moment
        if not self._close_due:
            self.keepalive.on_due(moment, self)
        return None if self.end is not None else self._next_due()

    def _next_due(self) -> float | None:
        due = self._close_due or self.keepalive.due
        if self._is_paused:
            due = min(due, now() + _ASK_S)
        return due if due != float("inf") else None

    def _look_again(self) -> None:
        if self.end is None:
            due = self._next_due()
            if due is not None:
                self.upgrade.look_at(due)


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the connection was lost: {error.strerror or error}"
    return str(error)
