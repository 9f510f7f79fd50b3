"""What a server sends over one WebSocket, as bytes, and how it stands with closing."""

from __future__ import annotations

from photon.ws.close_codes import ABNORMAL, NO_STATUS, NORMAL, can_be_sent
from photon.ws.deflate import Compressor
from photon.ws.errors import InvalidCloseCode, WebSocketClosed
from photon.ws.frames import (
    BINARY,
    CLOSE,
    COMPRESSED,
    CONTROL_BYTES,
    FIN,
    PING,
    PONG,
    TEXT,
    binary_frame,
    control_frame,
    head,
    octets,
    text_frame,
    utf8,
)
from photon.ws.settings import Deflate
from photon.ws.states import State, Step

_REASON_BYTES = CONTROL_BYTES - 2


class Writer:
    """The half of a protocol that writes.

    Attributes:
        state: whether it is open.
        close_code, close_reason: of the close frame that came or went first; 1006 and "" before
            there is one.
    """

    __slots__ = ("_compressor", "_deflate", "close_code", "close_reason", "state")

    def __init__(self, deflate: Deflate | None) -> None:
        self.state = State.OPEN
        self.close_code: int = ABNORMAL
        self.close_reason = ""
        self._deflate = deflate
        self._compressor: Compressor | None = None

    # Messages and signals...

    def text(self, text: str) -> bytes:
        """The bytes of a text message.   Raises: WebSocketClosed; UnsendableText."""
        if self.state is not State.OPEN:
            raise self._closed()
        if self._deflate is not None:
            return self._compressed(TEXT, utf8(text))
        return text_frame(text)

    def binary(self, data: bytes | bytearray | memoryview) -> bytes:
        """The bytes of a binary message.   Raises: WebSocketClosed."""
        if self.state is not State.OPEN:
            raise self._closed()
        if self._deflate is not None:
            return self._compressed(BINARY, octets(data))
        return binary_frame(data)

    def _compressed(self, opcode: int, payload: bytes) -> bytes:
        assert self._deflate is not None
        if not payload or len(payload) < self._deflate.smallest_bytes:
            return head(FIN | opcode, len(payload)) + payload
        if self._compressor is None:
            self._compressor = Compressor(self._deflate)
        payload = self._compressor.compress(payload)
        return head(FIN | COMPRESSED | opcode, len(payload)) + payload

    def ping(self, payload: bytes = b"") -> bytes:
        """The bytes of a ping.   Raises: WebSocketClosed; ValueError: it is over 125 bytes."""
        if self.state is not State.OPEN:
            raise self._closed()
        return control_frame(PING, payload)

    def pong(self, payload: bytes = b"") -> bytes:
        """The answer to a ping, with its payload; b"" when none is due since the peer closed.

        RFC 6455 §5.5.2: "Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
        response, unless it already received a Close frame."
        """
        if self.state is State.REMOTE_CLOSING or self.state is State.CLOSED:
            return b""
        return control_frame(PONG, payload)

    def _closed(self) -> WebSocketClosed:
        return WebSocketClosed(self.close_code, self.close_reason)

    # Closing...

    def close(self, code: int = NORMAL, reason: str = "") -> bytes:
        """The bytes of a close frame; b"" when one was sent already, or nobody is left to read it.

        Args: code: 1005 for a frame without one; reason: cut to the 123 bytes it may take.
        Raises: InvalidCloseCode.
        """
        if code == NO_STATUS:
            payload = b""
        elif isinstance(code, int) and can_be_sent(code):
            payload = code.to_bytes(2, "big") + _cut(reason)
        else:
            raise InvalidCloseCode(code)
        if self.state is State.LOCAL_CLOSING or self.state is State.CLOSED:
            return b""
        self._note_close(code, reason)
        self._move(Step.CLOSE_SENT)
        return control_frame(CLOSE, payload)

    def answer_close(self) -> bytes:
        """The close frame that is due when the peer closed: its own code, said back to it.

        b"" when none is due. RFC 6455 §5.5.1: "When sending a Close frame in response, the
        endpoint typically echos the status code it received."
        """
        return self.close(self.close_code) if self.state is State.REMOTE_CLOSING else b""

    def _note_close(self, code: int, reason: str) -> None:
        if self.state is State.OPEN:
            self.close_code = code
            self.close_reason = reason

    def _move(self, step: Step) -> None:
        self.state = self.state.after(step)
        self._compressor = None  # no further message goes out
        self._moved()

    def _moved(self) -> None:
        """The state is another one: for the half that reads."""


def _cut(reason: str) -> bytes:
    """As UTF-8, and as much of it as a close frame holds."""
    payload = reason.encode("utf-8", "replace")
    if len(payload) <= _REASON_BYTES:
        return payload
    return payload[:_REASON_BYTES].decode("utf-8", "ignore").encode()
