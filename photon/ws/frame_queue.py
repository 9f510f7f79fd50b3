"""Frames that wait for one connection, within bounds."""

from __future__ import annotations

from collections import deque

from photon.ws.bounds import Bounds

# So much goes out in one call: what is on its way can no longer be dropped, and is not counted.
_BATCH_BYTES = 16 * 1024


class FrameQueue:
    """Frames in the order in which they were put. No I/O, and nobody waits here.

    Attributes: bytes: of all that wait.
    """

    __slots__ = ("_bounds", "_frames", "bytes")

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._frames: deque[bytes] = deque()
        self.bytes = 0

    def put(self, frame: bytes) -> None:
        """One more, even when that is beyond the bounds."""
        self._frames.append(frame)
        self.bytes += len(frame)

    def has_room(self, more: int) -> bool:
        """Whether so many bytes fit, too. One message fits always, however large."""
        if not self._frames:
            return True
        bounds = self._bounds
        return len(self._frames) < bounds.messages and self.bytes + more <= bounds.bytes

    @property
    def is_within(self) -> bool:
        """Whether what waits is within the bounds."""
        waiting = len(self._frames)
        bounds = self._bounds
        return waiting <= bounds.messages and (self.bytes <= bounds.bytes or waiting <= 1)

    def make_room(self, more: int) -> int:
        """Drop what has waited longest until so many bytes fit.   Returns: how many messages."""
        dropped = 0
        while not self.has_room(more):
            self.bytes -= len(self._frames.popleft())
            dropped += 1
        return dropped

    def take(self) -> tuple[bytes, int]:
        """What is sent next: frames as they are, one after the other, and how many."""
        frames = self._frames
        batch = [frames.popleft()]
        size = len(batch[0])
        while frames and size + len(frames[0]) <= _BATCH_BYTES:
            batch.append(frames.popleft())
            size += len(batch[-1])
        self.bytes -= size
        return b"".join(batch) if len(batch) > 1 else batch[0], len(batch)

    def withdraw(self, frame: bytes) -> bool:
        """Take back a frame that still waits.   Returns: whether it did."""
        frames = self._frames
        for index in range(len(frames) - 1, -1, -1):
            if frames[index] is frame:
                del frames[index]
                self.bytes -= len(frame)
                return True
        return False

    def clear(self) -> int:
        """Forget all.   Returns: how many messages."""
        count = len(self._frames)
        self._frames.clear()
        self.bytes = 0
        return count

    def __len__(self) -> int:
        return len(self._frames)

    def __repr__(self) -> str:
        return f"<FrameQueue {len(self)} messages, {self.bytes} bytes>"
