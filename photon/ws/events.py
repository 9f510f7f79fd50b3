"""What came over a WebSocket, besides messages: those are a plain `str` or `bytes`."""

from __future__ import annotations

from msgspec import Struct


class Ping(Struct, frozen=True):
    """The peer asks whether we are there: answer with `pong(payload)`."""

    payload: bytes = b""


class Pong(Struct, frozen=True):
    """The answer to a ping of ours, or an unasked sign of life."""

    payload: bytes = b""


class CloseReceived(Struct, frozen=True):
    """The last event: the peer closes, or is gone.

    Attributes:
        code: as in `close_codes`; 1005 when the frame held none, 1006 when the connection ended
            without a close frame.
        reason: maybe "".
    """

    code: int
    reason: str = ""


class Unfinished(Struct, frozen=True):
    """Some more fragments of a message came, and it is still not whole.

    Comes only in between many of them, so that whoever reads gets to breathe: a client may put
    ten thousand fragments into one piece of the network. There may be more to read: ask again.
    """


UNFINISHED = Unfinished()

# What `WebSocketProtocol.next_event` gives.
Event = str | bytes | Ping | Pong | CloseReceived | Unfinished
