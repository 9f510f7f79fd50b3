"""What a handler gets that does something else while its WebSocket comes to an end.

Who receives or sends is told by WebSocketClosed there and then. A handler that waits for something
else, a queue say, would never know, so by default it is cancelled where it waits. Not at once if it
has taken messages: a client may well send the last one and close, and that one shall be worked
through. It has `close_timeout_s` for each of those that came before the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from photon.runtime.clock import now
from photon.runtime.errors import CancelSource
from photon.runtime.hub import getcurrent

if TYPE_CHECKING:
    from photon.ws.session import OnDisconnect, Session


# Who waits in `receive` is told there, in the hub's next round, and is not to be cancelled before.
_MEANWHILE_S = 0.01


class Departure:
    """The end of one WebSocket, as its handler sees it.

    Args: handler: its greenlet.
    Attributes:
        source: why it is cancelled.
        is_over: whether the handler has returned.
        due: when `on_due` has something to do; None for never.
    """

    __slots__ = ("_handler", "_is_told", "_policy", "_session", "due", "is_over", "source")

    def __init__(self, session: Session, policy: OnDisconnect, handler: Any) -> None:
        self._session = session
        self._policy = policy
        self._handler = handler
        self._is_told = False
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
        """Whoever calls this is about to get WebSocketClosed; the handler need not be cancelled."""
        if getcurrent() is self._handler:
            self._is_told = True

    def on_due(self, moment: float) -> float | None:
        """Cancel the handler, if it is time. In the hub.   Returns: when to look again."""
        if self.due is None or self.is_over or self._is_told:
            return None
        if moment < self.due:
            return self.due
        session = self._session
        assert session.end is not None
        reason = f"the WebSocket was closed: {session.end[0]} {session.end[1]}".rstrip()
        was_told = session.upgrade.cancel(self.source, reason)
        # Who swallows it is told again. It may have been out of reach, too.
        self.due = moment + (session.upgrade.timeouts.cleanup_s if was_told else 0.1)
        return None if self.is_over else self.due
