"""What rooms need of a connection, and how they end one that does not keep up."""

from __future__ import annotations

from typing import Protocol

from photon.runtime.carriers import Carrier
from photon.runtime.errors import StreamError
from photon.runtime.hub import current_hub
from photon.ws.close_codes import TRY_AGAIN_LATER
from photon.ws.errors import WebSocketClosed


class Connection(Protocol):
    """What rooms need of a WebSocket. All raise `WebSocketClosed` when it is over.

    It may have `send_frame_nowait(frame) -> bool`, which takes a frame as a whole or, if it would
    have to wait, not at all; without it every frame is sent by a greenlet. And it may have
    `ready()`, which is called before it joins: it opens the connection, if that is to be done yet.
    """

    def send_frame(self, frame: bytes, /) -> object:
        """Send a ready frame, or several one after the other, waiting while the client is slow."""
        ...

    def close(self, code: int = ..., reason: str = ...) -> object:
        """End it; may wait for the client's answer."""
        ...


def close_soon(connection: Connection, reason: str) -> None:
    """Close it with 1013. That waits for the client, who is slow: not here."""
    current_hub().carriers.submit(_Closing(connection, reason))


class _Closing:
    """Closes a connection. A carrier's job."""

    def __init__(self, connection: Connection, reason: str) -> None:
        self.connection = connection
        self.reason = reason

    def run(self) -> None:
        try:
            self.connection.close(TRY_AGAIN_LATER, self.reason)
        except (WebSocketClosed, StreamError, OSError):
            pass  # it is over, which is what was wanted

    def on_parked(self, carrier: Carrier) -> None:
        """The connection bounds how long a close takes."""

    def __repr__(self) -> str:
        return f"<closing {self.connection!r}>"
