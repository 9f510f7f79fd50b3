"""The frames of one WebSocket on their way to the client: each whole, one after another.

What the socket takes at once goes out in one call and without a lock, for nobody else runs
meanwhile. Only a frame that does not fit makes its sender wait, and keep the stream to itself until
it is out; who wants to send meanwhile waits for his turn, in the order in which they came.

Control frames wait for nobody: they are put down, and go out at once or between two messages.
Those that a client does not take are bounded: of the pongs only the last ones are kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from photon.runtime.carriers import Carrier
from photon.runtime.errors import StreamBroken, StreamError
from photon.runtime.hub import current_hub, getcurrent
from photon.ws.errors import WebSocketClosed

if TYPE_CHECKING:
    from photon.http.server.upgrade import Upgrade
    from photon.ws.session import Session

# RFC 6455 §5.5.3: an endpoint with several pings unanswered "MAY elect to send a Pong frame for
# only the most recently processed Ping frame". Some clients (Autobahn, case 2.10) count on more.
_PONGS = 16

Encode = Callable[[Any], bytes]


class Outgoing:
    """Sends frames, and finishes what it has begun. A carrier's job while a frame is unfinished.

    Args:
        session: is told when the client is lost.
        encode_in_turn: whether frames depend on those sent before, as compressed ones do: then what
            was encoded has to be sent.
    Attributes:
        is_free: whether a frame may be sent at once. PERF: all that a sender has to ask.
        ended: code and reason, once no message may be sent any more.
        sent, sent_bytes: messages, those counted that are on their way; all bytes, on the wire.
    """

    __slots__ = (
        "_control",
        "_encode_in_turn",
        "_hub",
        "_is_cut",
        "_is_finishing",
        "_is_held",
        "_pongs",
        "_raw",
        "_says_goodbye",
        "_session",
        "_tail",
        "_turns",
        "_upgrade",
        "ended",
        "is_free",
        "sent",
        "sent_bytes",
    )

    def __init__(self, session: Session, upgrade: Upgrade, *, encode_in_turn: bool) -> None:
        self._session = session
        self._upgrade = upgrade
        self._raw = upgrade.stream.raw
        self._hub = current_hub()
        self._encode_in_turn = encode_in_turn
        self._is_held = False
        self._is_cut = False
        self._is_finishing = False
        self._says_goodbye = False
        self._turns: deque[Any] | None = None
        self._pongs: deque[bytes] | None = None
        self._control = b""
        self._tail: bytes | memoryview = b""
        self.ended: tuple[int, str] | None = None
        self.is_free = True
        self.sent = 0
        self.sent_bytes = 0

    # Messages...

    def send(self, encode: Encode, message: Any) -> None:
        """Send the frame that `encode` makes of the message, waiting while the client is slow.

        Raises: WebSocketClosed; what `encode` raises. A sender that is interrupted in the middle of
        its frame leaves the WebSocket closed, for nothing could follow.
        """
        if not self.is_free:
            self._send_in_turn(encode, message)
            return
        frame = encode(message)
        self.sent += 1
        try:
            sent = self._raw.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise self._lost(error) from error
        self.sent_bytes += sent
        if sent != len(frame):
            self._is_held = True
            self.is_free = False
            self._finish(frame, sent)

    def send_nowait(self, frame: bytes) -> bool:
        """Send a frame if the client takes it now; False when it has to be tried again later.

        Raises: WebSocketClosed.
        """
        self._check()
        if not self.is_free:
            return False
        try:
            sent = self._raw.send(frame)
        except BlockingIOError:
            return False
        except OSError as error:
            raise self._lost(error) from error
        self.sent += 1
        self.sent_bytes += sent
        if sent != len(frame):
            self._tail = memoryview(frame)[sent:]
            self._finish_later()
        return True

    def _send_in_turn(self, encode: Encode, message: Any) -> None:
        self._hold()
        try:
            self._write_rest()
            self._check()
            frame = encode(message)
        except BaseException:
            self._release()
            raise
        self.sent += 1
        self._finish(frame, 0)

    def _finish(self, frame: bytes, sent: int) -> None:
        """Send what is left of a frame, and let the next one have the stream."""
        try:
            self._tail = memoryview(frame)[sent:]
            self._write_rest()
        except BaseException:
            if self._encode_in_turn or len(self._tail) != len(frame):
                self._is_cut = True
                self._session.lose("a message was cut off, as its sender was interrupted")
            self._tail = b""
            raise
        finally:
            self._release()

    def _write_rest(self) -> None:
        """Send what is left of the frames before, waiting while the client is slow."""
        try:
            while self._tail:
                sent = self._upgrade.stream.send_nowait(self._tail)
                self.sent_bytes += sent
                self._tail = self._tail[sent:]
                if self._tail:
                    self._upgrade.wait_writable()
        except StreamError as error:
            raise self._lost(error) from error

    # Turns...

    def _hold(self) -> None:
        """Wait for the stream, and have it alone until `_release`.   Raises: WebSocketClosed."""
        self._check()
        turns = self._turns
        if turns is None:
            turns = self._turns = deque()
        if self._is_held or turns:
            me = getcurrent()
            turns.append(me)
            try:
                while self._is_held or turns[0] is not me:
                    self._hub.park()
                    self._check()
            except BaseException:
                turns.remove(me)
                self._call_next()
                raise
            turns.popleft()
        self._is_held = True
        self.is_free = False

    def _release(self) -> None:
        self._is_held = False
        self.flush()
        self._call_next()

    def _call_next(self) -> None:
        if self._turns and not self._is_held:
            self._hub.run_soon(self._wake, self._turns[0])

    def _wake(self, waiter: Any) -> None:
        # In the hub. It may have been interrupted since, and wait for something else now.
        if self._turns and waiter in self._turns:
            waiter.switch()

    def _check(self) -> None:
        if self.ended is not None:
            raise WebSocketClosed(*self.ended)

    # Control frames. None of this waits...

    def put_pong(self, frame: bytes) -> None:
        """Have a pong sent with the next `flush`."""
        if frame:
            if self._pongs is None:
                self._pongs = deque(maxlen=_PONGS)
            self._pongs.append(frame)
            self.is_free = False

    def put(self, frame: bytes) -> None:
        """Send a ping or a close frame, if any, as soon as no message is in between."""
        self._control += frame
        self.flush()

    def flush(self) -> None:
        """Send the control frames that wait, as far as the client takes them now."""
        if not self._is_held:
            self._send_tail()
            if not self._tail and (self._pongs or self._control):
                self._tail = b"".join(self._pongs or ()) + self._control
                self._pongs = None
                self._control = b""
                self._send_tail()
            self._settle()

    def _send_tail(self) -> None:
        if self._is_cut:
            self._tail = b""
        if not self._tail:
            return
        try:
            sent = self._upgrade.stream.send_nowait(self._tail)
        except StreamError as error:
            self._tail = b""
            self._lost(error)
            return
        self.sent_bytes += sent
        self._tail = self._tail[sent:]
        if self._tail:
            self._finish_later()

    def _settle(self) -> None:
        self.is_free = not (self._is_held or self._tail or self._turns or self.ended)
        if self._says_goodbye and not (self._is_held or self._tail):
            self._says_goodbye = False
            self._upgrade.stream.close_sending()

    # What the client does not take at once, and nobody waits for...

    def _finish_later(self) -> None:
        self.is_free = False
        if not self._is_finishing:
            self._is_finishing = True
            self._hub.carriers.submit(self)

    def run(self) -> None:
        """Wait until the client has taken all that was put down. A carrier's job."""
        try:
            if not self._is_held:  # else who holds the stream does it
                self._is_held = True
                try:
                    self._write_rest()
                finally:
                    self._is_finishing = False
                    self._release()
        except WebSocketClosed:
            pass  # the session knows
        finally:
            self._is_finishing = False

    def on_parked(self, carrier: Carrier) -> None:
        """Nobody interrupts it: `Timeouts.write_s` does."""

    # The end...

    def end(self, code: int, reason: str, *, goodbye: bool = False) -> None:
        """Send no message any more: who waits for his turn gets WebSocketClosed.

        Args: goodbye: whether to close the sending side behind the last frame.
        """
        if self.ended is None:
            self.ended = (code, reason)
        self._says_goodbye = self._says_goodbye or goodbye
        self.is_free = False
        for waiter in self._turns or ():
            self._hub.run_soon(self._wake, waiter)
        self.flush()

    def drop(self) -> None:
        """The client is lost: nothing goes out any more."""
        self._is_cut = True
        if self._is_held:
            self._hub.run_soon(self._interrupt)

    def _interrupt(self) -> None:
        self._upgrade.stream.interrupt_writer(StreamBroken("the client is gone"))

    def _lost(self, error: StreamError | OSError) -> WebSocketClosed:
        if isinstance(error, OSError):
            why = f"the connection was lost: {error.strerror or error}"
            self._session.lose(why, is_news=False)
        else:  # what was raised by us, as time was over, has no cause
            self._session.lose(str(error), is_news=error.__cause__ is None)
        assert self.ended is not None
        return WebSocketClosed(*self.ended)

    @property
    def is_stuck(self) -> bool:
        """Whether something is to go out that the client did not take yet."""
        return bool(self._is_held or self._tail)

    @property
    def waiting(self) -> int:
        """How many greenlets wait to send, besides the one that does."""
        return len(self._turns or ())
