"""Is the client there still? It is pinged when it was silent, and lost when it stays so.

Any byte is a sign of life, not only the pong. The hub's sweep asks, so no greenlet waits for this.

    heard ── ping_interval_s of silence ──▶ ping ── ping_timeout_s of silence ──▶ lost

Source: RFC 6455 §5.5.2 (Ping), §5.5.3 (Pong).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from photon.runtime.clock import now

if TYPE_CHECKING:
    from photon.ws.session import Session
    from photon.ws.settings import WebSocketSettings

_NEVER = float("inf")


class Pinged:
    """A ping that was sent.   Attributes: seconds: what its pong took; None when there is none."""

    __slots__ = ("at", "seconds")

    def __init__(self) -> None:
        self.at = now()
        self.seconds: float | None = None


class KeepAlive:
    """The pings of one WebSocket.

    Attributes:
        heard_at: when something came last; seconds on the runtime clock.
        latency_s: what the last pong took; None before the first one.
    """

    __slots__ = ("_interval_s", "_last", "_number", "_pinged_at", "_timeout_s", "_under_way",
                 "heard_at", "latency_s")  # fmt: skip

    def __init__(self, settings: WebSocketSettings) -> None:
        self._interval_s = settings.ping_interval_s
        self._timeout_s = settings.ping_timeout_s
        self.heard_at = now()
        self.latency_s: float | None = None
        self._pinged_at: float | None = None
        self._last = b""  # of those that keep alive, and that nobody waits for
        self._number = 0
        # By payload, in the order in which they were sent.
        self._under_way: dict[bytes, Pinged] | None = None

    @property
    def due(self) -> float:
        """When `on_due` has something to do."""
        if not self._interval_s:
            return _NEVER
        if self._pinged_at is not None and self._pinged_at > self.heard_at:
            return self._pinged_at + self._timeout_s
        return self.heard_at + self._interval_s

    def on_due(self, moment: float, session: Session) -> None:
        """Ping a client that is silent, or give it up."""
        if moment < self.due:
            return
        if self._pinged_at is not None and self._pinged_at > self.heard_at:
            silent = moment - self.heard_at
            session.lose(f"nothing came for {silent:.0f} s, not even the answer to a ping")
            return
        self._pinged_at = moment
        if self._under_way:
            self._under_way.pop(self._last, None)  # it is alive, but answers no pings
        self._last = self.new_payload()
        self._remember(self._last, Pinged())
        session.out.put(session.protocol.ping(self._last))

    def probe(self, moment: float, session: Session) -> None:
        """Ping a client that is not read: no answer can be seen, but that it is gone will be.

        The end of what it sends stands behind what nobody takes. But where it is gone, its kernel
        answers what is sent to it with a reset.
        """
        self._pinged_at = None
        if self._interval_s and moment >= self.heard_at + self._interval_s:
            self.heard_at = moment
            session.out.put(session.protocol.ping(self.new_payload()))

    def new_payload(self) -> bytes:
        """One that no other ping has that is under way."""
        self._number += 1
        return b"photon-%d" % self._number

    @contextmanager
    def sent(self, payload: bytes) -> Iterator[Pinged]:
        """A ping that is about to be sent, for as long as its pong is waited for.

        Raises: ValueError, when another one with this payload is under way.
        """
        if self._under_way and payload in self._under_way:
            raise ValueError(f"a ping with the payload {payload!r} is under way already")
        pinged = Pinged()
        self._remember(payload, pinged)
        try:
            yield pinged
        finally:
            if self._under_way and self._under_way.get(payload) is pinged:
                del self._under_way[payload]

    def _remember(self, payload: bytes, pinged: Pinged) -> None:
        if self._under_way is None:
            self._under_way = {}
        self._under_way[payload] = pinged

    def answered(self, payload: bytes) -> bool:
        """A pong came; false when it answers no ping that is under way.

        RFC 6455 §5.5.3: who has not answered earlier pings may answer the last one alone.
        """
        under_way = self._under_way
        if not under_way or payload not in under_way:
            return False
        moment = now()
        for earlier in list(under_way):
            pinged = under_way.pop(earlier)
            pinged.seconds = self.latency_s = moment - pinged.at
            if earlier == payload:
                break
        if not under_way:
            self._under_way = None
        return True
