"""One WebSocket connection as a server sees it, without I/O: bytes become events, sent messages
become bytes.

    protocol.receive_data(bytes)        what came from the network; b"" is its end
    protocol.next_event()               pulled until it gives None, which is: more bytes, please
    protocol.text("hello")              the bytes to send

Nothing is read before it is asked for, so whoever does not ask for more is what slows a client
down. What is not known to be fine by its first two bytes is given to the referee, wsproto, which
says what is wrong with it (`referee.py`). So plain frames, fragments and pings are read here,
close frames and violations there; what is read here wsproto would read the same, which
`tests/ws/test_agreement.py` shows. What is sent is written by `writer.py`.

Limits are held against a frame's header, before any of its payload is taken. What is held in
memory is the message that is not whole yet, and at most one header or control frame of bytes.
"""

from __future__ import annotations

from photon.ws import referee
from photon.ws.close_codes import ABNORMAL, MESSAGE_TOO_BIG
from photon.ws.deflate import Inflater
from photon.ws.errors import WebSocketProtocolError
from photon.ws.events import UNFINISHED, CloseReceived, Event, Ping, Pong, Unfinished
from photon.ws.frames import (
    BINARY,
    COMPRESSED,
    CONTROL_BYTES,
    FIN,
    INCOMPLETE,
    ODD,
    PING,
    PONG,
    SHORT,
    TEXT,
    scan,
    turned,
    unmask,
)
from photon.ws.message import (
    BinaryMessage,
    DroppedMessage,
    Message,
    TextMessage,
    not_utf8,
    too_big,
)
from photon.ws.settings import Deflate, WebSocketLimits
from photon.ws.states import State, Step
from photon.ws.writer import Writer

_SIGNALS = frozenset((FIN | PING, FIN | PONG))
# First bytes of data frames that may come: between messages, and within one.
_BEGINNINGS = frozenset((FIN | TEXT, FIN | BINARY, TEXT, BINARY))
_COMPRESSED_BEGINNINGS = _BEGINNINGS | {first | COMPRESSED for first in _BEGINNINGS}
_CONTINUATIONS = frozenset((FIN, 0))

# Fragments that are read before `next_event` lets its caller breathe: half a millisecond.
_BREATH = 256


class WebSocketProtocol(Writer):
    """The server's side of one connection, from behind the handshake on.

    Args:
        limits: may be shared by all connections, as may `deflate`.
        deflate: what `deflate.agree` gave; None for no compression.
    Attributes: as of `Writer`, whose methods make what is sent.
    """

    __slots__ = (
        "_at",
        "_beginnings",
        "_data",
        "_ended",
        "_expected",
        "_failure",
        "_fin",
        "_frames",
        "_glance",
        "_inflater",
        "_is_compressed",
        "_left",
        "_limits",
        "_mask",
        "_message",
        "_received",
    )

    def __init__(self, limits: WebSocketLimits, deflate: Deflate | None = None) -> None:
        super().__init__(deflate)
        self._limits = limits
        self._inflater: Inflater | None = None

        # What came and is not read yet: `_data` from `_at` on.
        self._data = b""
        self._at = 0
        self._ended = False
        self._failure: WebSocketProtocolError | None = None

        self._beginnings = _BEGINNINGS if deflate is None else _COMPRESSED_BEGINNINGS
        # Which data frames may come next.
        self._expected = self._beginnings
        # PERF: up to this many bytes a plain message is read at a glance; -1 where nothing is
        # plain, since a message has begun or a side has closed: one comparison for all of it.
        self._glance = self._usual_glance()

        # The message that has begun.
        self._message: Message | None = None
        self._is_compressed = False
        self._received = 0
        self._frames = 0

        # The frame of it that has begun.
        self._left = -1  # bytes of it to come; -1: none has begun
        self._fin = False
        self._mask = b""

    def _usual_glance(self) -> int:
        return min(SHORT, self._limits.frame_bytes, self._limits.message_bytes)

    # Reading...

    def receive_data(self, data: bytes) -> None:
        """Take what came from the network; b"" says that nothing more will."""
        if not data:
            self._ended = True
        elif self.state is State.OPEN or self.state is State.LOCAL_CLOSING:
            self._data = self._data[self._at :] + data if self._at < len(self._data) else data
            self._at = 0
        # RFC 6455 §1.4: "After receiving a control frame indicating the connection should be
        # closed, a peer discards any further data received."

    @property
    def is_behind(self) -> bool:
        """Whether bytes came that were not read, be it that they are only a part of a frame."""
        return self._at < len(self._data) or self._ended

    def next_event(self) -> Event | None:
        """What came: a message, or one of the events; None when more bytes are needed first.

        Once it gave `CloseReceived`, nothing else comes.

        Raises: WebSocketProtocolError: send `close(error.code, error.reason)`, then let the
            connection go; it is raised again by every further call.
        """
        # PERF: a short message in one frame that is here, 0.9 us for 32 bytes: by far the most
        # there is, so it is read at a glance and without a call of our own.
        data = self._data
        at = self._at
        if len(data) - at >= 6:
            first = data[at]
            length = data[at + 1] - 128
            if 0 <= length <= self._glance and first in (0x81, 0x82):  # FIN | TEXT, FIN | BINARY
                start = at + 6
                end = start + length
                payload = data[start:end]
                if len(payload) == length:
                    self._at = end
                    mask = (data[at + 2 : start] * (length // 4 + 1))[:length]
                    bits = int.from_bytes(payload, "little") ^ int.from_bytes(mask, "little")
                    payload = bits.to_bytes(length, "little")
                    if first == FIN | BINARY:
                        return payload
                    try:
                        return payload.decode()
                    except UnicodeDecodeError as error:
                        raise self._failed(not_utf8(error)) from None
        return self._next_carefully()

    def _next_carefully(self) -> Event | None:
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        try:
            for _ in range(_BREATH):
                event = self._step()
                if event is not UNFINISHED:
                    break
        except WebSocketProtocolError as error:
            raise self._failed(error) from None
        if event is None:
            if self._at >= len(self._data):  # nothing that was read is held while it waits
                self._data = b""
                self._at = 0
            if self._ended:
                return self._end()
        return event

    def _step(self) -> Event | None:
        """Read at most one frame: UNFINISHED when the next one may be read at once."""
        if self._left >= 0:
            return self._take_payload()
        data, at = self._data, self._at
        if at == len(data):
            return None
        first = data[at]
        if first in _SIGNALS:
            return self._take_signal(first)
        if first not in self._expected:
            return self._ask_referee()
        length, start = scan(data, at)
        if length == INCOMPLETE:
            return None
        if length == ODD:
            return self._ask_referee()
        return self._begin_frame(first, length, start)

    def _ask_referee(self) -> CloseReceived | None:
        """What is at hand is a close frame or a violation; None when it is not all here."""
        within = self._message is not None
        frame = self._data[self._at : self._at + referee.MOST_BYTES]
        closing = referee.judge(frame, within, self._deflate is not None)
        if closing is not None:
            self._note_close(closing.code, closing.reason)
            self._move(Step.CLOSE_RECEIVED)
        return closing

    def _end(self) -> CloseReceived | None:
        """The stream has ended and nothing in it is left to read."""
        was = self.state
        self._move(Step.STREAM_ENDED)
        if was is State.OPEN or was is State.LOCAL_CLOSING:
            return CloseReceived(ABNORMAL)
        return None

    def _failed(self, error: WebSocketProtocolError) -> WebSocketProtocolError:
        self._failure = error
        self._note_close(error.code, error.reason)
        self._move(Step.FAILED)
        return error

    # Control frames...

    def _take_signal(self, first: int) -> Ping | Pong | CloseReceived | None:
        """A ping or a pong; None when it is not all here."""
        data, at = self._data, self._at
        if len(data) - at < 2:
            return None
        length = data[at + 1] - 128
        if not 0 <= length <= CONTROL_BYTES:
            return self._ask_referee()
        start = at + 6
        end = start + length
        if end > len(data):
            return None
        self._at = end
        payload = unmask(data[start:end], data[at + 2 : start]) if length else b""
        return Ping(payload) if first == FIN | PING else Pong(payload)

    # Data frames...

    def _begin_frame(self, first: int, length: int, start: int) -> Event | None:
        """A frame whose header is fine; its payload begins at `start`."""
        fin = first & FIN != 0
        dropping = self.state is not State.OPEN
        if not dropping:
            self._check_limits(length, first & COMPRESSED != 0)
        data = self._data
        mask = data[start - 4 : start]
        if self._message is None:
            end = start + length
            if fin and end <= len(data) and not first & COMPRESSED and not dropping:
                self._at = end
                return _whole(unmask(data[start:end], mask), first)
            self._begin_message(first, dropping)
        self._frames += 1
        self._received += length
        self._at = start
        self._left = length
        self._fin = fin
        self._mask = mask
        self._glance = -1
        return self._take_payload()

    def _check_limits(self, length: int, begins_compressed: bool) -> None:
        limits = self._limits
        if length > limits.frame_bytes:
            raise WebSocketProtocolError(
                MESSAGE_TOO_BIG, f"a frame of {length} bytes; the limit is {limits.frame_bytes}"
            )
        most = limits.message_bytes
        if begins_compressed or self._is_compressed:
            # What counts is what it inflates to. But that may be nothing at all, for ever; and
            # compressing, even done badly, makes nothing twice as long.
            most = 2 * most + 64
        if self._received + length > most:
            raise too_big(limits.message_bytes)
        if self._frames == limits.message_frames:
            raise WebSocketProtocolError(
                MESSAGE_TOO_BIG, f"a message in more than {limits.message_frames} fragments"
            )

    def _begin_message(self, first: int, dropping: bool) -> None:
        limit = self._limits.message_bytes
        if dropping:
            self._message = DroppedMessage()
        else:
            self._message = TextMessage(limit) if first & TEXT else BinaryMessage(limit)
            self._is_compressed = first & COMPRESSED != 0
        self._expected = _CONTINUATIONS

    def _take_payload(self) -> Event | None:
        """As much as is here of the frame that has begun; None when it is not all of it."""
        message = self._message
        assert message is not None
        piece = self._data[self._at : self._at + self._left]
        length = len(piece)
        if length:
            self._at += length
            self._left -= length
            piece = unmask(piece, self._mask)
            self._mask = turned(self._mask, length)
            if self._is_compressed:
                for inflated in self._the_inflater().inflate(piece):
                    message.add(inflated)
            else:
                message.add(piece)
        if self._left:
            return None
        self._left = -1
        return self._finish_message(message) if self._fin else UNFINISHED

    def _finish_message(self, message: Message) -> str | bytes | Unfinished:
        if self._is_compressed:
            for inflated in self._the_inflater().finish():
                message.add(inflated)
            self._is_compressed = False
        self._message = None
        self._expected = self._beginnings
        self._received = self._frames = 0
        if self.state is State.OPEN:
            self._glance = self._usual_glance()
        return message.finish()

    def _the_inflater(self) -> Inflater:
        if self._inflater is None:
            assert self._deflate is not None
            self._inflater = Inflater(self._deflate)
        return self._inflater

    def _moved(self) -> None:
        self._glance = -1
        if self.state is State.LOCAL_CLOSING:
            if self._message is not None:
                self._message = DroppedMessage()
            self._is_compressed = False
        else:  # nothing more is read
            self._data = b""
            self._at = 0
            self._left = -1
            self._message = None
            self._inflater = None

    def __repr__(self) -> str:
        within = " within a message" if self._message is not None else ""
        return f"<{type(self).__name__} {self.state.value}{within}>"


def _whole(payload: bytes, first: int) -> str | bytes:
    """A message that is all there."""
    if first == FIN | BINARY:
        return payload
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(error) from None
