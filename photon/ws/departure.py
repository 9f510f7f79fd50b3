"""What a handler gets that does something else while its WebSocket comes to an end.

Who receives or sends is told by WebSocketClosed there and then. A handler that waits for something
else, a queue say, would never know, so by default it is cancelled where it waits. Not at once if it
has taken messages: a client may well send the last one and close, and that one shall be worked
through. It has `close_timeout_s` for each of those that came before the end. And who was told, and
goes on, in a nursery whose children wait for something else, say, has `Timeouts.handler_s` for it.

`except Exception` around `receive` in an endless loop is a mistake that is easily made, and would
hold the hub, and all other clients with it, from the first client on that leaves. So who is told
again and again lets others in between, and is cancelled when he does nothing else.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, CancelSource
from photon.runtime.hub import getcurrent
from photon.ws.turns import STREAK

if TYPE_CHECKING:
    from photon.ws.session import OnDisconnect, Session


# Who waits in `receive` is told there, in the hub's next round, and is not to be cancelled before.
_MEANWHILE_S = 0.01

logger = logging.getLogger("photon.ws")

# Who was told so often, each time right after the last, does nothing else.
_MOST_TOLD = 1000
# Right after: before anybody else had a turn, however slow or busy the machine is, or else within
# so many seconds.
_AT_ONCE_S = 0.001

# So many greenlets that were told are looked through for those who did something else since.
_FEW = 16


class Departure:
    """The end of one WebSocket, as its handler sees it.

    Args: handler: its greenlet.
    Attributes:
        source: why it is cancelled.
        is_over: whether the handler has returned.
        due: when `on_due` has something to do; None for never.
    """

    __slots__ = (
        "_handler",
        "_is_told",
        "_listeners",
        "_many",
        "_policy",
        "_session",
        "due",
        "is_over",
        "source",
    )

    def __init__(self, session: Session, policy: OnDisconnect, handler: Any) -> None:
        self._session = session
        self._policy = policy
        self._handler = handler
        self._is_told = False
        # Who was told; more than so many are too many to keep.
        self._listeners: dict[tuple[int, int], _Listener] | None = None
        self._many = _FEW
        self.source: CancelSource = "disconnect"
        self.is_over = False
        self.due: float | None = None

    def begin(self) -> None:
        """The WebSocket is over."""
        if self._policy == "cancel" and not self.is_over and not self._is_told:
            session = self._session
            has_received = session.incoming.received or session.incoming.kept
            self.due = now() + (session.settings.close_timeout_s if has_received else _MEANWHILE_S)
            session.upgrade.look_at(self.due)

    def put_off(self) -> None:
        """The handler has taken one more of the messages that came before the end."""
        if self.due is not None:
            self.due = now() + self._session.settings.close_timeout_s

    def told(self) -> None:
        """Whoever calls this is about to get WebSocketClosed; the handler need not be cancelled.

        Raises: Cancelled, in place of it, for who does not want to hear it.
        """
        me = getcurrent()
        # Greenlets are pooled: once the handler is over, its own belongs to somebody else.
        if me is self._handler and not self._is_told and not self.is_over:
            self._is_told = True
            self._bound_what_follows()
        listener = self._listener((id(me), getattr(me, "turn", 0)))  # a carrier runs many jobs
        listener.told += 1
        try:
            if listener.told >= _MOST_TOLD:
                self._refuse(is_first=listener.told == _MOST_TOLD)
            if listener.told % STREAK == 0:
                self._session.turns.give_way()
        finally:
            listener.at, listener.round = now(), self._session.hub.rounds

    def _listener(self, who: tuple[int, int]) -> _Listener:
        """Who is told, with how often he was in a row."""
        moment, rounds = now(), self._session.hub.rounds
        if self._listeners is None:
            self._listeners = {}
        listener = self._listeners.get(who)
        if listener is None or not listener.is_at_once(moment, rounds):
            if len(self._listeners) >= self._many:
                self._listeners = {
                    each: kept
                    for each, kept in self._listeners.items()
                    if kept.is_at_once(moment, rounds)
                }
                self._many = max(_FEW, 2 * len(self._listeners))
            listener = self._listeners[who] = _Listener(moment, rounds)
        return listener

    def _bound_what_follows(self) -> None:
        """What the handler does after that has the time of any handler; it may wait for ever."""
        seconds = self._session.upgrade.timeouts.handler_s
        if self._policy == "cancel":
            self.due = now() + seconds
            self._session.upgrade.look_at(self.due)

    def _refuse(self, *, is_first: bool) -> None:
        end = self._session.closed_with
        if is_first:
            logger.warning(
                "%s: the handler goes on and on with a WebSocket that is closed (%d), and is"
                " cancelled: let WebSocketClosed pass, or leave the loop",
                self._session,
                end[0],
            )
        self._session.turns.give_way()  # who swallows this, too, lets others in at least
        raise Cancelled("disconnect", f"the WebSocket was closed: {end[0]} {end[1]}".rstrip())

    def on_due(self, moment: float) -> float | None:
        """Cancel the handler, if it is time. In the hub.   Returns: when to look again."""
        if self.due is None or self.is_over:
            return None
        if moment < self.due:
            return self.due
        session = self._session
        code, why = session.closed_with
        reason = f"the WebSocket was closed: {code} {why}".rstrip()
        if self._is_told:
            logger.warning(
                "%s: the handler went on and on after its end, and is cancelled", session
            )
        was_told = session.upgrade.cancel(self.source, reason)
        # Who swallows it is told again. It may have been out of reach, too.
        self.due = moment + (session.upgrade.timeouts.cleanup_s if was_told else 0.1)
        return None if self.is_over else self.due


class _Listener:
    """A greenlet that was told.

    Attributes: told: how often, each time right after the last; at, round: when it went on.
    """

    __slots__ = ("at", "round", "told")

    def __init__(self, at: float, round_: int) -> None:
        self.told = 0
        self.at = at
        self.round = round_

    def is_at_once(self, moment: float, round_: int) -> bool:
        return round_ == self.round or moment - self.at <= _AT_ONCE_S
