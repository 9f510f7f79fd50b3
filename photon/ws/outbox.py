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
from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from photon.runtime.carriers import Carrier
from photon.runtime.errors import StreamError
from photon.runtime.hub import current_hub
from photon.ws.bounds import Bounds
from photon.ws.connection import Connection, close_soon
from photon.ws.errors import WebSocketClosed
from photon.ws.frame_queue import FrameQueue
from photon.ws.waiters import Waiters

logger = logging.getLogger("photon.ws")


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
        "_is_draining",
        "_on_empty",
        "_on_gone",
        "_queue",
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
        self._queue: FrameQueue | None = None  # most have never kept a message waiting
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
        if not (self._queue or self._is_draining):
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
        queue = self._queue
        if queue is None:
            queue = self._queue = FrameQueue(self._bounds)
        policy = self._bounds.policy
        must_wait = False
        if not queue.has_room(len(frame)):
            if policy == "drop_oldest":
                self._count_dropped(queue.make_room(len(frame)))
            elif policy == "drop_newest":
                self._count_dropped(1)
                return True
            elif policy == "block" and can_wait:
                must_wait = True  # PERF: one over the bound for each who waits, who holds it anyway
            else:
                self.close_slow()
                return True
        queue.put(frame)
        self._drain()
        return not must_wait

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until the queue is within its bounds.   Returns: whether it is, or over for good."""
        if self._room is None:
            self._room = Waiters()
        return self._room.wait_for(self._has_room, seconds)

    def _has_room(self) -> bool:
        return not self.is_open or self._queue is None or self._queue.is_within

    def withdraw(self, frame: bytes) -> None:
        """Take back a frame that still waits, as nobody waits for it any more."""
        if self._queue is not None and self._queue.withdraw(frame):
            self._count_dropped(1)

    def close_slow(self) -> None:
        """Close the connection, since it does not keep up."""
        logger.info(
            "%r is closed with 1013: it does not keep up, %d messages (%d bytes) waited for it",
            self.connection,
            self.queued,
            self.queued_bytes,
        )
        self._tally.closed += 1
        close_soon(self.connection, "too slow: messages were piling up")
        self._end()

    # On a carrier...

    def _drain(self) -> None:
        if not self._is_draining:
            self._is_draining = True
            current_hub().carriers.submit(self)

    def run(self) -> None:
        """Send all that waits."""
        try:
            while self._queue:
                batch, count = self._queue.take()
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

    # The end...

    def _lose(self, error: Exception) -> None:
        if not isinstance(error, (WebSocketClosed, StreamError, OSError)):
            logger.error("a message could not be sent to %r", self.connection, exc_info=error)
        self._end()

    def _end(self) -> None:
        if not self.is_open:
            return
        self.is_open = False
        if self._queue is not None:
            self._count_dropped(self._queue.clear())
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
        return not (self._queue or self._is_draining)

    @property
    def queued(self) -> int:
        """Messages that wait."""
        return len(self._queue or ())

    @property
    def queued_bytes(self) -> int:
        """And how many bytes of them."""
        return 0 if self._queue is None else self._queue.bytes

    def statistics(self) -> OutboxStatistics:
        """What waits, and what was sent and dropped."""
        return OutboxStatistics(
            queued=self.queued,
            queued_bytes=self.queued_bytes,
            sent=self.sent,
            dropped=self.dropped,
        )

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<Outbox {state}, {self.queued} queued, of {self.connection!r}>"


def _never(frame: bytes) -> bool:
    return False
