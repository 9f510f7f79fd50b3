"""One WebSocket connection as a server sees it, without I/O: bytes become events, sent messages
become bytes.

    protocol.receive_data(bytes)        what came from the network; b"" is its end
    protocol.next_event()               pulled until it gives None, which is: more bytes, please
    protocol.text("hello")              the bytes to send

Nothing is read before it is asked for, so whoever does not ask for more is what slows a client
down. What is not known to be fine by its first two bytes is given to the referee, wsproto, which
says what is wrong with it (`referee.py`). So plain frames, fragments and pings are read here,
close frames and violations there; what is read here wsproto would read the same, which
`tests/ws/test_agreement.py` shows.

Limits are held against a frame's header, before any of its payload is taken. What is held in
memory is the message that is not whole yet, and at most one header or control frame of bytes.
"""

from __future__ import annotations

from photon.ws import referee
from photon.ws.close_codes import (
    ABNORMAL,
    MESSAGE_TOO_BIG,
    NO_STATUS,
    NORMAL,
    can_be_sent,
)
from photon.ws.deflate import Compressor, Inflater
from photon.ws.errors import InvalidCloseCode, WebSocketClosed, WebSocketProtocolError
from photon.ws.events import UNFINISHED, CloseReceived, Event, Ping, Pong, Unfinished
from photon.ws.frames import (
    BINARY,
    CLOSE,
    COMPRESSED,
    CONTROL_BYTES,
    FIN,
    INCOMPLETE,
    ODD,
    PING,
    PONG,
    SHORT,
    TEXT,
    binary_frame,
    control_frame,
    head,
    octets,
    scan,
    text_frame,
    turned,
    unmask,
    utf8,
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

_SIGNALS = frozenset((FIN | PING, FIN | PONG))
# First bytes of data frames that may come: between messages, and within one.
_BEGINNINGS = frozenset((FIN | TEXT, FIN | BINARY, TEXT, BINARY))
_COMPRESSED_BEGINNINGS = _BEGINNINGS | {first | COMPRESSED for first in _BEGINNINGS}
_CONTINUATIONS = frozenset((FIN, 0))

# Fragments that are read before `next_event` lets its caller breathe: half a millisecond.
_BREATH = 256

_REASON_BYTES = CONTROL_BYTES - 2


class WebSocketProtocol:
    """The server's side of one connection, from behind the handshake on.

    Args:
        limits: may be shared by all connections, as may `deflate`.
        deflate: what `deflate.agree` gave; None for no compression.
    Attributes:
        state: whether it is open.
        close_code, close_reason: of the close frame that came or went first; 1006 and "" before
            there is one.
    """

    __slots__ = (
        "_at",
        "_beginnings",
        "_compressor",
        "_data",
        "_deflate",
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
        "close_code",
        "close_reason",
        "state",
    )

    def __init__(self, limits: WebSocketLimits, deflate: Deflate | None = None) -> None:
        self.state = State.OPEN
        self.close_code: int = ABNORMAL
        self.close_reason = ""
        self._limits = limits
        self._deflate = deflate
        self._compressor: Compressor | None = None
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
        closing = referee.judge(self._data[self._at :], within, self._deflate is not None)
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

    # Sending...

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
        self.state = state = self.state.after(step)
        self._glance = -1
        if state is State.LOCAL_CLOSING:
            if self._message is not None:
                self._message = DroppedMessage()
            self._is_compressed = False
        else:  # nothing more is read
            self._data = b""
            self._at = 0
            self._left = -1
            self._message = None
            self._compressor = self._inflater = None

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


def _cut(reason: str) -> bytes:
    """As UTF-8, and as much of it as a close frame holds."""
    payload = reason.encode("utf-8", "replace")
    if len(payload) <= _REASON_BYTES:
        return payload
    return payload[:_REASON_BYTES].decode("utf-8", "ignore").encode()
