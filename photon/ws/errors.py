"""What can go wrong on a WebSocket, and whose fault it is.

Exception
└── WebSocketError                 the root of what this room raises on purpose
    ├── WebSocketClosed            it is over: nothing more can be sent or received
    ├── WebSocketProtocolError     the peer broke the protocol or a limit; says how to close
    ├── InvalidMessage             a message is not what the handler asked for
    ├── PingTimeout                the peer did not answer a ping; also a TimeoutError
    ├── InvalidCloseCode           this side wants to close with a code that may not be sent
    └── UnsendableText             this side wants to send text that UTF-8 cannot say
"""

from __future__ import annotations

from typing import Any

from photon.ws.close_codes import name_of


class WebSocketError(Exception):
    """The root of what WebSockets raise on purpose."""


class WebSocketClosed(WebSocketError):
    """The WebSocket is closed, by either side: nothing more can be sent or received.

    Attributes:
        code: why, as in `close_codes`; 1005 when the peer gave no reason, 1006 when it went away
            without a word.
        reason: what it said about that, maybe "".
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        text = f"the WebSocket is closed: {self.code} ({name_of(self.code)})"
        return f"{text}: {self.reason}" if self.reason else text


class WebSocketProtocolError(WebSocketError):
    """The peer broke the protocol, or sent more than it may.

    Attributes:
        code: what to close with: 1002, 1007 or 1009.
        reason: one sentence for the close frame and the log.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code} ({name_of(self.code)}): {self.reason}"


class InvalidMessage(WebSocketError):
    """A message came, and is not what the handler asked for. It may catch this and go on.

    If it does not, the WebSocket is closed with this code, and the reason says the first error.

    Attributes:
        code: 1003, for text where bytes are expected or the other way round; 1007, for all else.
        errors: dicts of `loc` (names and indexes, from "body" in), `msg` and `type`, as in a 422.
    """

    def __init__(self, code: int, errors: list[dict[str, Any]]) -> None:
        super().__init__(code, errors)
        self.code = code
        self.errors = errors

    @property
    def reason(self) -> str:
        """The first error, in one line."""
        first = self.errors[0]
        place = ".".join(map(str, first["loc"][1:]))
        return f"{place}: {first['msg']}" if place else str(first["msg"])

    def __str__(self) -> str:
        more = len(self.errors) - 1
        return f"a message is not what is expected: {self.reason}" + (
            f" (and {more} more)" if more else ""
        )


class PingTimeout(WebSocketError, TimeoutError):
    """The peer did not answer a ping in time. It may be slow, or its answer waits to be read.

    Attributes: seconds: how long the answer was waited for.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"the ping was not answered within {self.seconds:g} s"


class InvalidCloseCode(WebSocketError, ValueError):
    """A WebSocket cannot be closed with this code.   Attributes: code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return (
            f"a WebSocket cannot be closed with code {self.code!r}: use 1000 to 1003, 1007 to 1014,"
            " or 3000 to 4999 (4000 and up are free for applications)"
        )


class UnsendableText(WebSocketError, ValueError):
    """The text holds half of a surrogate pair, which UTF-8 cannot say.

    Attributes: index: where in the text.
    """

    def __init__(self, error: UnicodeEncodeError) -> None:
        super().__init__(error.start)
        self.index = error.start
        self._character = error.object[error.start]

    def __str__(self) -> str:
        return (
            f"the text holds a lone surrogate ({self._character!a} at index {self.index}), which"
            " cannot be sent: where the text came from, decode with errors='replace'"
        )
