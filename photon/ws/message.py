"""A message that is put together of pieces: fragments, or what came so far of one large frame.

It takes the memory of what it holds and little more, however small the pieces are, and never more
than the limit. Text is read as UTF-8 piece by piece, so that a message that is no text is refused
as soon as that shows.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from io import BytesIO
from typing import Protocol

from photon.ws.close_codes import INVALID_DATA, MESSAGE_TOO_BIG
from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import UNFINISHED, Unfinished

_Utf8 = getincrementaldecoder("utf-8")


class Message(Protocol):
    """One that has begun."""

    def add(self, piece: bytes) -> None:
        """Raises: WebSocketProtocolError: 1007, 1009."""
        ...

    def finish(self) -> str | bytes | Unfinished:
        """All of it.   Raises: WebSocketProtocolError: 1007."""
        ...


class BinaryMessage:
    """Args: limit: in bytes."""

    __slots__ = ("_data", "_left", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = self._left = limit
        self._data = BytesIO()

    def add(self, piece: bytes) -> None:
        self._left -= len(piece)
        if self._left < 0:
            raise too_big(self._limit)
        self._data.write(piece)

    def finish(self) -> str | bytes:
        return self._data.getvalue()  # the very bytes it holds, not a copy of them


class TextMessage(BinaryMessage):
    """Held as UTF-8, though every piece is decoded once to see that it is: a `str` for each of many
    small pieces would take thirty times what it says.
    """

    __slots__ = ("_utf8",)

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self._utf8 = _Utf8()

    def add(self, piece: bytes) -> None:
        super().add(piece)
        try:
            self._utf8.decode(piece)
        except UnicodeDecodeError as error:
            raise not_utf8(error) from None

    def finish(self) -> str:
        try:
            return self._data.getvalue().decode()
        except UnicodeDecodeError as error:  # it ends within a character
            raise not_utf8(error) from None


class DroppedMessage:
    """One that came after we closed: it is read to its end and forgotten, whatever it holds."""

    __slots__ = ()

    def add(self, piece: bytes) -> None:
        pass

    def finish(self) -> Unfinished:
        return UNFINISHED


def too_big(limit: int) -> WebSocketProtocolError:
    return WebSocketProtocolError(MESSAGE_TOO_BIG, f"a message is over {limit} bytes")


def not_utf8(error: UnicodeDecodeError) -> WebSocketProtocolError:
    return WebSocketProtocolError(INVALID_DATA, f"text is not UTF-8: {error.reason}")
