"""What waits to be sent to one connection by rooms, and what is done when it does not keep up.

    put(frame) ── the client takes bytes ──▶ sent at once: no queue, no greenlet
        │
        └─ it does not, or others wait before ──▶ queue ──▶ a carrier sends them, if there are any

The queue is bounded by count and by bytes. What happens when it is full is a policy:

    close         the client is closed with 1013 and may come back: it never misses a message
                  without knowing
    drop_oldest   what has waited longest is not sent: for positions, prices, the latest state
    drop_newest   what does not fit is not sent: for what may be left out
    block         whoever broadcasts waits, after all others have been served; if there is still no
                  room when his patience is over, the client is closed

1013 ("try again later", IANA's registry) and not 1008: the client broke no policy, it was too
slow, and libraries that connect again on their own do not after 1008.

An outbox is of one connection, in however many rooms of one `Rooms` it is: what was broadcast in
two of them arrives in that order, and one greenlet at most waits for it.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, Protocol, get_args

from msgspec import Struct

from photon.runtime.carriers import Carrier
from photon.runtime.errors import StreamError
from photon.runtime.hub import current_hub
from photon.ws.close_codes import TRY_AGAIN_LATER
from photon.ws.errors import WebSocketClosed
from photon.ws.waiters import Waiters

logger = logging.getLogger("photon.ws")

Policy = Literal["close", "drop_oldest", "drop_newest", "block"]
POLICIES: tuple[Policy, ...] = get_args(Policy)

# So much goes out in one call: what is on its way can no longer be dropped, and is not counted.
_BATCH_BYTES = 16 * 1024


class Connection(Protocol):
    """What rooms need of a WebSocket. All raise `WebSocketClosed` when it is over.

    It may have `send_frame_nowait(frame) -> bool`, which takes a frame as a whole or, if it would
    have to wait, not at all. Without it every frame is sent by a greenlet.
    """

    def send_frame(self, frame: bytes, /) -> object:
        """Send a ready frame, or several one after the other, waiting while the client is slow."""
        ...

    def close(self, code: int = ..., reason: str = ...) -> object:
        """End it; may wait for the client's answer."""
        ...


class Bounds(Struct, frozen=True):
    """How much may wait for one connection, and what happens beyond.

    Attributes: patience_s: how long whoever broadcasts waits under "block".
    """

    messages: int
    bytes: int
    policy: Policy
    patience_s: float


class OutboxStatistics(Struct, frozen=True, kw_only=True):
    """`queued` and `queued_bytes` are now; `sent` and `dropped` are messages since the start."""

    queued: int
    queued_bytes: int
    sent: int
    dropped: int


class Tally(Protocol):
    """Where an outbox adds what it did to what all of them did."""

    sent: int
    dropped: int
    closed: int


class Outbox:
    """Frames on their way to one connection. A carrier's job while there are any.

    Args:
        on_gone: called once, when nothing can be sent any more.
        on_empty: called when all that had waited is sent.
    Attributes:
        is_open: whether anything can be sent still.
        members: of rooms, by id, that send through it.
    """

    __slots__ = (
        "_bounds",
        "_frames",
        "_is_draining",
        "_on_empty",
        "_on_gone",
        "_queued_bytes",
        "_room",
        "_tally",
        "_try_send",
        "connection",
        "dropped",
        "is_open",
        "members",
        "sent",
    )

    def __init__(
        self,
        connection: Connection,
        bounds: Bounds,
        tally: Tally,
        *,
        on_gone: Callable[[Outbox], object],
        on_empty: Callable[[Outbox], object],
    ) -> None:
        self.connection = connection
        self.is_open = True
        self.members: dict[str, Any] = {}
        self.sent = 0
        self.dropped = 0
        self._bounds = bounds
        self._tally = tally
        self._on_gone = on_gone
        self._on_empty = on_empty
        self._try_send: Callable[[bytes], bool] = getattr(connection, "send_frame_nowait", _never)
        self._frames: deque[bytes] | None = None  # most have never kept a client waiting
        self._queued_bytes = 0
        self._is_draining = False
        self._room: Waiters | None = None

    # For those who send...

    def put(self, frame: bytes, *, can_wait: bool = False) -> bool:
        """Send a frame, now or soon. Never waits.

        Args: can_wait: whether the caller waits when told to; else "block" is as "close".
        Returns: False when the caller has to `wait_for_room` now, under the policy "block".
        """
        if not self.is_open:
            return True
        if not (self._frames or self._is_draining):
            try:
                if self._try_send(frame):
                    self.sent += 1
                    self._tally.sent += 1
                    return True
            except Exception as error:
                self._lose(error)
                return True
        return self._enqueue(frame, can_wait)

    def _enqueue(self, frame: bytes, can_wait: bool) -> bool:
        frames = self._frames
        if frames is None:
            frames = self._frames = deque()
        policy = self._bounds.policy
        must_wait = False
        if self._is_full(len(frame)):
            if policy == "drop_oldest":
                while frames and self._is_full(len(frame)):
                    self._queued_bytes -= len(frames.popleft())
                    self._count_dropped(1)
            elif policy == "drop_newest":
                self._count_dropped(1)
                return True
            elif policy == "block" and can_wait:
                must_wait = True  # PERF: one over the bound for each who waits, who holds it anyway
            else:
                self.close_slow()
                return True
        frames.append(frame)
        self._queued_bytes += len(frame)
        self._drain()
        return not must_wait

    def _is_full(self, more: int) -> bool:
        """Whether so many bytes do not fit. One message fits always, however large."""
        if not self._frames:
            return False
        bounds = self._bounds
        return len(self._frames) >= bounds.messages or self._queued_bytes + more > bounds.bytes

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until the queue is within its bounds.   Returns: whether it is, or over for good."""
        if self._room is None:
            self._room = Waiters()
        return self._room.wait_for(self._has_room, seconds)

    def _has_room(self) -> bool:
        bounds = self._bounds
        waiting = len(self._frames or ())
        return not self.is_open or (
            waiting <= bounds.messages and (self._queued_bytes <= bounds.bytes or waiting <= 1)
        )

    def withdraw(self, frame: bytes) -> None:
        """Take back a frame that still waits, as nobody waits for it any more."""
        frames = self._frames or ()
        for index in range(len(frames) - 1, -1, -1):
            if frames[index] is frame:
                del frames[index]  # type: ignore[union-attr]
                self._queued_bytes -= len(frame)
                self._count_dropped(1)
                return

    def close_slow(self) -> None:
        """Close the connection, since it does not keep up."""
        queued = len(self._frames or ())
        logger.info(
            "%r is closed with 1013: it does not keep up, %d messages (%d bytes) waited for it",
            self.connection,
            queued,
            self._queued_bytes,
        )
        self._tally.closed += 1
        # It waits for the client, who is slow: not here.
        current_hub().carriers.submit(
            _Closing(self.connection, "too slow: messages were piling up")
        )
        self._end()

    # On a carrier...

    def _drain(self) -> None:
        if not self._is_draining:
            self._is_draining = True
            current_hub().carriers.submit(self)

    def run(self) -> None:
        """Send all that waits."""
        try:
            while self._frames:
                batch, count = self._take()
                self.connection.send_frame(batch)
                self.sent += count
                self._tally.sent += count
                if self._room is not None:
                    self._room.wake()
        except Exception as error:
            self._lose(error)
        finally:
            self._is_draining = False
        self._on_empty(self)

    def on_parked(self, carrier: Carrier) -> None:
        """It waits for the client. Nobody interrupts it: a frame would be cut off in the middle.

        It ends with the connection.
        """

    def _take(self) -> tuple[bytes, int]:
        """What is sent next: frames as they are, one after the other, and how many."""
        frames = self._frames
        assert frames
        batch = [frames.popleft()]
        size = len(batch[0])
        while frames and size + len(frames[0]) <= _BATCH_BYTES:
            batch.append(frames.popleft())
            size += len(batch[-1])
        self._queued_bytes -= size
        return b"".join(batch) if len(batch) > 1 else batch[0], len(batch)

    # The end...

    def _lose(self, error: Exception) -> None:
        if not isinstance(error, (WebSocketClosed, StreamError, OSError)):
            logger.error("a message could not be sent to %r", self.connection, exc_info=error)
        self._end()

    def _end(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._frames:
            self._count_dropped(len(self._frames))
            self._frames.clear()
        self._queued_bytes = 0
        if self._room is not None:
            self._room.wake()
        self._on_gone(self)

    def _count_dropped(self, count: int) -> None:
        self.dropped += count
        self._tally.dropped += count

    # Seeing inside...

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is being sent."""
        return not (self._frames or self._is_draining)

    @property
    def queued(self) -> int:
        """Messages that wait."""
        return len(self._frames or ())

    def statistics(self) -> OutboxStatistics:
        """What waits, and what was sent and dropped."""
        return OutboxStatistics(
            queued=self.queued,
            queued_bytes=self._queued_bytes,
            sent=self.sent,
            dropped=self.dropped,
        )

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<Outbox {state}, {self.queued} queued, of {self.connection!r}>"


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


def _never(frame: bytes) -> bool:
    return False
