"""An open WebSocket below what handlers see: its two sides, its time, and how it comes to an end.

    Incoming  ──▶  Session  ──▶  Outgoing
    messages       pings, ends    frames

It ends once, with a code and a reason: `end`. From then on nothing is received, and what is sent
raises WebSocketClosed. It ends when the client closes, or answers our close frame, or does not in
time; when it breaks the protocol; and when the connection is lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from photon.runtime.clock import now
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.sync import Event
from photon.ws.close_codes import ABNORMAL, GOING_AWAY, MESSAGE_TOO_BIG, SERVICE_RESTART
from photon.ws.departure import Departure
from photon.ws.errors import PingTimeout, WebSocketClosed, WebSocketProtocolError
from photon.ws.events import CloseReceived, Ping, Pong
from photon.ws.incoming import Incoming
from photon.ws.keepalive import KeepAlive
from photon.ws.outgoing import Outgoing
from photon.ws.protocol import WebSocketProtocol
from photon.ws.turns import Turns
from photon.ws.waiters import Waiters

if TYPE_CHECKING:
    from photon.http.request import Request
    from photon.http.server.upgrade import Upgrade
    from photon.ws.settings import WebSocketSettings

logger = logging.getLogger("photon.ws")

OnDisconnect: TypeAlias = Literal["cancel", "notify", "ignore"]
"""What happens to a handler that does something else when its client leaves."""

# How often a client that is not read is asked whether it is there still, as `timing._ASK_S`.
_ASK_S = 5.0

_NEVER = float("inf")


class Session:
    """The `Upgraded` of one WebSocket.

    Args:
        protocol: has not seen what came with the head, `upgrade.pending`.
        request: what asked for it, for the log.
    Attributes:
        end: code and reason, once it is over; the client may still be told.
        is_lost: whether nobody can be told.
        closed_event: set at the end, if somebody wants to know.
    """

    __slots__ = (
        "_close_due",
        "_is_begun",
        "_is_draining",
        "_waiters",
        "closed_event",
        "departure",
        "end",
        "hub",
        "incoming",
        "is_lost",
        "keepalive",
        "out",
        "protocol",
        "request",
        "settings",
        "turns",
        "upgrade",
    )

    def __init__(
        self, settings: WebSocketSettings, protocol: WebSocketProtocol, request: Request
    ) -> None:
        self.settings = settings
        self.protocol = protocol
        self.request = request
        self.hub = current_hub()
        self.turns = Turns()
        self.end: tuple[int, str] | None = None
        self.is_lost = False
        self.closed_event: Event | None = None
        self._waiters: Waiters | None = None
        self._is_begun = False
        self._is_draining = False
        self._close_due = 0.0  # when the client's answer to our close frame is; 0: none is sent

    def begin(self, upgrade: Upgrade, on_disconnect: OnDisconnect, *, is_deflated: bool) -> None:
        """The head of the 101 is out: take what came with the request, and keep time.

        The greenlet that calls this is told when the client leaves.
        """
        self.upgrade = upgrade
        _ = self.request.peer  # those who are gone have no name any more
        self.incoming = Incoming(self, upgrade, self.protocol)
        self.out = Outgoing(self, upgrade, encode_in_turn=is_deflated)
        self.keepalive = KeepAlive(self.settings)
        self.departure = Departure(self, on_disconnect, getcurrent())
        self._is_begun = True
        if upgrade.pending:
            self.incoming.take(upgrade.pending)
            upgrade.pending = b""
            self.incoming.take_events()
        self.look_again()
        if self._is_draining:
            self.drain()

    def closed(self) -> WebSocketClosed:
        """The exception that says why nothing more can be sent or received."""
        self.departure.told()
        return WebSocketClosed(*self.closed_with)

    @property
    def closed_with(self) -> tuple[int, str]:
        """Code and reason, once nothing can be sent any more."""
        end = self.end or self.out.ended
        assert end is not None
        return end

    # Control frames...

    def take_control(self, event: Any) -> bool:
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
            self.lose("the client went away without a close frame", is_news=False)
            return
        self.out.put(self.protocol.answer_close())
        self._end(event.code, event.reason)

    def ping(self, payload: bytes) -> float:
        """Send a ping and wait for its pong.

        Returns: the seconds that took.   Raises: WebSocketClosed; PingTimeout; ValueError.
        """
        if self.end is not None or self._close_due:
            raise self.closed()
        seconds = self.settings.ping_timeout_s
        with self.keepalive.sent(payload) as pinged:
            self.out.put(self.protocol.ping(payload))
            self._wait_for(lambda: pinged.seconds is not None or self.end is not None, seconds)
        if pinged.seconds is not None:
            return pinged.seconds
        if self.end is not None:
            raise self.closed()
        raise PingTimeout(seconds)

    # The end...

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, once; the client's ends the WebSocket. Does not wait.

        Raises: InvalidCloseCode.
        """
        if self.end is not None or self._close_due:
            return
        frame = self.protocol.close(code, reason)
        self._close_due = now() + self.settings.close_timeout_s
        self.out.put(frame)
        self.out.end(code, reason)
        self.incoming.drop()
        self.incoming.resume()
        self.look_again()

    def wait_for_end(self) -> None:
        """Wait until it is over: after `close`, no longer than that may take."""
        while self.end is None:
            self._wait_for(lambda: self.end is not None, self.settings.close_timeout_s)

    def fail(self, error: WebSocketProtocolError) -> None:
        """The client broke the protocol: say so, and read nothing more."""
        if self.end is None:
            self.out.put(self.protocol.close(error.code, error.reason))
            self._end(error.code, error.reason)
            hint = " (see WebSocketSettings)" if error.code == MESSAGE_TOO_BIG else ""
            # Last of all: in the hub a log handler that waits fails.
            logger.info("%s: the client is closed with %s%s", self, error, hint)

    def lose(self, why: str, *, is_news: bool = True) -> None:
        """The connection is of no use any more, and nobody can be told.

        Args: is_news: whether an operator wants to know; that clients just vanish he knows.
        """
        if not self.is_lost:
            self.is_lost = True
            self.out.drop()
            self._end(ABNORMAL, why)
            logger.log(logging.INFO if is_news else logging.DEBUG, "%s: %s", self, why)

    def _end(self, code: int, reason: str) -> None:
        """It is over. Everybody who waits for something of it is told."""
        if self.end is not None:
            return
        # Who closed it first has said why.
        self.end = self.out.ended or (code, reason)
        self.out.end(*self.end, goodbye=not self.is_lost)
        self.incoming.end()
        self._wake()
        if self.closed_event is not None:
            self.closed_event.set()
        self.departure.begin()

    def finish(self) -> None:
        """The handler is over, and nothing is to be kept for it. Its connection lingers."""
        self._end(ABNORMAL, "the handler has ended")
        self.incoming.drop()
        if self.is_lost or self.out.is_stuck:
            self.out.drop()
            self.upgrade.close()

    # Waiting for what is seen above...

    def _wait_for(self, is_so: Callable[[], bool], seconds: float) -> None:
        if self._waiters is None:
            self._waiters = Waiters()
        self._waiters.wait_for(is_so, seconds)

    def _wake(self) -> None:
        if self._waiters is not None:
            self._waiters.wake()

    # For the connection...

    def on_readable(self) -> None:
        """Nobody waits in the stream, and something came. On a carrier."""
        if self._is_begun:
            self.incoming.on_readable()

    def drain(self) -> None:
        """The server stops. In the hub."""
        self._is_draining = True
        if self._is_begun:
            self.departure.source = "shutdown"
            if self.upgrade.server_restarts:
                self.close(SERVICE_RESTART, "the server restarts")
            else:
                self.close(GOING_AWAY, "the server stops")

    def on_due(self, moment: float) -> float | None:
        """Do what is due. In the hub.   Returns: when to look again."""
        if not self._is_begun:
            return None
        if self.end is None:
            self._look(moment)
        return self.departure.on_due(moment) if self.end is not None else self._next_due(moment)

    def _look(self, moment: float) -> None:
        if self._close_due:
            if moment >= self._close_due:
                self.lose("the client did not answer the close frame")
            return
        if self.incoming.is_paused:
            if self.upgrade.stream.has_hung_up():
                why = "the client went away while messages of it waited for the handler"
                self.lose(why, is_news=False)
                return
            self.keepalive.probe(moment, self)
        else:
            self.keepalive.on_due(moment, self)

    def _next_due(self, moment: float) -> float | None:
        due = self._close_due or self.keepalive.due
        if self.incoming.is_paused:
            due = min(due, moment + _ASK_S)
        return due if due != _NEVER else None

    def look_again(self) -> None:
        """Something else is due than before: have `on_due` called in time."""
        if self.end is None:
            due = self._next_due(now())
            if due is not None:
                self.upgrade.look_at(due)

    def __str__(self) -> str:
        return f"{self.request.method} {self.request.path} of {self.request.peer or 'a client'}"
