"""The client's side of the WebSocket protocol, without I/O: wsproto reads and writes every frame.

It is the referee: nothing here is the server's own code, so what the server frames wrongly is not
read in the same wrong way. Pings and the server's close are answered by who owns this, with what
`receive_data` gives.

Source: RFC 6455 §5 to §7, RFC 7692.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import (
    CloseReason,
    FrameDecoder,
    FrameProtocol,
    Opcode,
    ParseFailed,
    RsvBits,
)
from wsproto.frame_protocol import Frame as Piece

Kind = Literal["text", "binary", "ping", "pong", "close"]

_KINDS: dict[Opcode, Kind] = {
    Opcode.TEXT: "text",
    Opcode.BINARY: "binary",
    Opcode.PING: "ping",
    Opcode.PONG: "pong",
    Opcode.CLOSE: "close",
}


class Frame(NamedTuple):
    """One frame that the server sent.

    Attributes:
        kind: of a fragment, that of its message.
        data: text as str, all else as bytes; of a close its reason.
        is_last: False for a fragment that others follow.
        code: of a close, 1005 when it has none; None for all others.
    """

    kind: Kind
    data: str | bytes
    is_last: bool = True
    code: int | None = None


class ClientProtocol:
    """Turns messages into bytes, and bytes into frames.

    Args: deflate: what was agreed on; None for no compression.
    Attributes:
        frames: those that came and were not taken.
        unread_bytes: of the data frames among them.
        closed: the server's close frame; None before it came.
        said_close: code and reason of our own; None before that.
        fault: what is wrong with what the server sent; "" for nothing.
        answers_pings: whether a ping is answered.
        awaited: payloads of pongs that somebody waits for; they are taken out when they come.
    """

    def __init__(self, deflate: PerMessageDeflate | None = None) -> None:
        self.frames: deque[Frame] = deque()
        self.unread_bytes = 0
        self.closed: Frame | None = None
        self.said_close: tuple[int, str] | None = None
        self.fault = ""
        self.answers_pings = True
        self.awaited: set[bytes] = set()
        self._wsproto = FrameProtocol(client=True, extensions=[] if deflate is None else [deflate])
        self._pieces: list[str | bytes] = []
        self._message: list[str | bytes] = []

    # Writing...

    def message(self, message: str | bytes) -> bytes:
        """A whole message in one frame."""
        return bytes(self._wsproto.send_data(message))

    def fragments(self, pieces: Sequence[str] | Sequence[bytes]) -> bytes:
        """One message in several frames.   Raises: ValueError, TypeError."""
        if not pieces or isinstance(pieces, (str, bytes, bytearray, memoryview)):
            raise ValueError("fragments are a list with at least one piece, as in ['one ', 'two']")
        if not all(type(piece) is type(pieces[0]) for piece in pieces):
            raise TypeError("the fragments of a message are all str or all bytes")
        *first, last = pieces
        frames = [self._wsproto.send_data(piece, fin=False) for piece in first]
        return b"".join([*frames, self._wsproto.send_data(last)])

    def ping(self, payload: bytes) -> bytes:
        return bytes(self._wsproto.ping(payload))

    def close(self, code: int, reason: str) -> bytes:
        """Our close frame, once; 1005 is one without a code."""
        if self.said_close is not None:
            return b""
        self.said_close = code, reason
        # wsproto knows it by its name alone.
        known = CloseReason.NO_STATUS_RCVD if code == CloseReason.NO_STATUS_RCVD else code
        return bytes(self._wsproto.close(known, reason or None))

    # Reading...

    def receive_data(self, data: bytes) -> bytes:
        """Take what came.   Returns: what is to be sent because of it."""
        if self.fault or self.closed is not None:
            return b""  # RFC 6455 §5.5.1: nothing that comes after a close frame means anything
        self._wsproto.receive_bytes(data)
        answers = bytearray()
        try:
            for piece in self._wsproto.received_frames():
                answers += self._take(piece)
        except ParseFailed as error:
            self.fault = str(error)
        return bytes(answers)

    def _take(self, piece: Piece) -> bytes:
        kind = _KINDS[piece.opcode]
        if isinstance(piece.payload, tuple):
            code, reason = piece.payload
            self.closed = Frame("close", reason, code=int(code))
            self.frames.append(self.closed)
            return self.close(int(code), "")
        payload = piece.payload
        self._pieces.append(payload if isinstance(payload, str) else bytes(payload))
        if not piece.frame_finished:
            return b""
        data = _joined(self._pieces)
        self._pieces = []
        if kind == "ping":
            self.frames.append(Frame(kind, data))
            return bytes(self._wsproto.pong(data)) if self._may_answer else b""
        if kind == "pong" and data in self.awaited:
            self.awaited.discard(data)
            return b""
        if kind != "pong":
            self.unread_bytes += len(data)
        self.frames.append(Frame(kind, data, piece.message_finished))
        return b""

    @property
    def _may_answer(self) -> bool:
        return self.answers_pings and self.said_close is None

    def next_frame(self) -> Frame | None:
        """The next frame, whatever it is; None when there is none yet."""
        if not self.frames:
            return None
        frame = self.frames.popleft()
        if frame.kind in ("text", "binary"):
            self.unread_bytes -= len(frame.data)
        return frame

    def next_message(self) -> str | bytes | None:
        """The next whole message; None when there is none yet, or none any more."""
        while (frame := self.next_frame()) is not None:
            if frame.kind not in ("text", "binary"):
                continue
            self._message.append(frame.data)
            if frame.is_last:
                message: str | bytes = _joined(self._message)
                self._message = []
                return message
        return None


def _joined(pieces: list[Any]) -> Any:
    """Args: pieces: all str or all bytes."""
    return pieces[0] if len(pieces) == 1 else type(pieces[0])().join(pieces)


class ClientDeflate(PerMessageDeflate):
    """permessage-deflate.

    wsproto's own forgets that a message is compressed when a ping comes between its fragments.
    """

    def frame_inbound_header(
        self, proto: FrameDecoder | FrameProtocol, opcode: Opcode, rsv: RsvBits, length: int
    ) -> CloseReason | RsvBits:
        if opcode.iscontrol():
            self._inbound_is_compressible = False
            return RsvBits(False, False, False)
        return super().frame_inbound_header(proto, opcode, rsv, length)

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        if not self._inbound_is_compressible:
            return None
        return super().frame_inbound_complete(proto, fin)
