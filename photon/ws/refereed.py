"""The protocol with wsproto reading every byte: what `WebSocketProtocol` is measured against.

Ten times slower, and not strict about memory while it inflates. Both give the same events and the
same refusals for the same bytes; only what comes after our own close frame, and is dropped, is
held against the rules here and not there.
"""

from __future__ import annotations

from wsproto.frame_protocol import (
    CloseReason,
    Frame,
    FrameDecoder,
    FrameProtocol,
    Opcode,
    ParseFailed,
)

from photon.ws.deflate import Inflater
from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import UNFINISHED, Event, Ping, Pong
from photon.ws.frames import COMPRESSED, scan
from photon.ws.message import too_big
from photon.ws.protocol import WebSocketProtocol
from photon.ws.referee import AgreedDeflate, close_event, refusal
from photon.ws.settings import Deflate, WebSocketLimits
from photon.ws.states import State, Step


class RefereedProtocol(WebSocketProtocol):
    """As `WebSocketProtocol`, which writes for both."""

    __slots__ = ("_fed", "_pieces", "_wsproto")

    def __init__(self, limits: WebSocketLimits, deflate: Deflate | None = None) -> None:
        super().__init__(limits, deflate)
        extensions = [] if deflate is None else [_BoundedDeflate(deflate, limits.message_bytes)]
        self._wsproto = FrameProtocol(client=False, extensions=list(extensions))
        self._fed = 0  # bytes of the next frame's header that wsproto has already
        self._pieces: list[str | bytes] = []

    def _usual_glance(self) -> int:
        return -1

    def _step(self) -> Event | None:
        if self._left < 0:
            if self._at == len(self._data):
                return None
            event, is_complete = self._feed_header()
            if not is_complete or event is not None:
                return event
        piece = self._data[self._at : self._at + self._left]
        if not piece:
            return None
        self._at += len(piece)
        self._left -= len(piece)
        if not self._left:
            self._left = -1
        return self._feed(piece)

    def _feed_header(self) -> tuple[Event | None, bool]:
        """What came of it, which is something only when the frame is empty; and if it is whole."""
        data, at = self._data, self._at
        length, start = scan(data, at)
        if length < 0:
            start = min(at + 14, len(data))
        fresh = data[at + self._fed : start]
        if length < 0:
            self._fed += len(fresh)
            return self._feed(fresh), False
        self._fed = 0
        self._at = start
        self._left = length or -1
        over = None if data[at] & 8 else self._count_frame(data[at], length)
        event = self._feed(fresh)
        if over is not None:  # and nothing that is worse, which wsproto would have raised
            raise over
        return event, True

    def _count_frame(self, first: int, length: int) -> WebSocketProtocolError | None:
        """The limit that this data frame breaks."""
        if self.state is State.OPEN:
            try:
                self._check_limits(length, first & COMPRESSED != 0)
            except WebSocketProtocolError as error:
                return error
        if first & COMPRESSED:
            self._is_compressed = True
        self._frames += 1
        self._received += length
        return None

    def _feed(self, data: bytes) -> Event | None:
        """Give wsproto bytes that are of one frame only.   Raises: WebSocketProtocolError."""
        self._wsproto.receive_bytes(data)
        try:
            frames = list(self._wsproto.received_frames())
        except ParseFailed as error:
            raise refusal(error) from None
        return self._event_of(frames[0]) if frames else None

    def _event_of(self, frame: Frame) -> Event | None:
        payload = frame.payload
        if frame.opcode is Opcode.CLOSE:
            closing = close_event(payload)
            self._note_close(closing.code, closing.reason)
            self._move(Step.CLOSE_RECEIVED)
            return closing
        assert not isinstance(payload, tuple)
        if frame.opcode.iscontrol():
            assert isinstance(payload, bytes | bytearray)
            data = bytes(payload)
            return Ping(data) if frame.opcode is Opcode.PING else Pong(data)
        if self.state is State.OPEN:
            self._pieces.append(payload if isinstance(payload, str) else bytes(payload))
        if not frame.frame_finished:
            return None
        if not frame.message_finished:
            return UNFINISHED
        pieces = self._pieces
        self._pieces = []
        self._received = self._frames = 0
        self._is_compressed = False
        if self.state is not State.OPEN:
            return UNFINISHED
        if frame.opcode is Opcode.TEXT:
            return "".join(piece for piece in pieces if isinstance(piece, str))
        return b"".join(piece for piece in pieces if isinstance(piece, bytes))


class _BoundedDeflate(AgreedDeflate):
    """Inflates within the limit of a message."""

    def __init__(self, deflate: Deflate, limit: int) -> None:
        super().__init__()
        self._inflater = Inflater(deflate)
        self._limit = self._room = limit

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        # `effective_opcode` is that of the first piece of a frame; a control frame has only one.
        opcode = proto.effective_opcode if isinstance(proto, FrameDecoder) else None
        is_control = opcode is not None and opcode.iscontrol()
        if is_control or not self._inbound_compressed:
            return data
        return self._counted(list(self._inflater.inflate(data)))

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        opcode = proto.effective_opcode if isinstance(proto, FrameDecoder) else None
        is_control = opcode is not None and opcode.iscontrol()
        if is_control or not fin:
            return None
        data = self._counted(list(self._inflater.finish())) if self._inbound_compressed else None
        self._inbound_compressed = None
        self._room = self._limit
        return data

    def _counted(self, pieces: list[bytes]) -> bytes:
        data = b"".join(pieces)
        self._room -= len(data)
        if self._room < 0:
            raise too_big(self._limit)
        return data
