"""What was published and is still to be sent to the server."""

from __future__ import annotations

from collections import deque

from photon.ws.brokers.link import Message

# Beyond this, who publishes waits, or his message is dropped.
QUEUE_MESSAGES = 10_000
QUEUE_BYTES = 16 * 1024 * 1024
# One call to the server, and one unit of what is lost with a connection.
_BATCH_MESSAGES = 100
_BATCH_BYTES = 1024 * 1024


class Backlog:
    """Messages in the order in which they were published. No I/O."""

    __slots__ = ("_bytes", "_messages")

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether who publishes has to wait."""
        return len(self._messages) >= QUEUE_MESSAGES or self._bytes >= QUEUE_BYTES

    def put(self, channel: str, payload: bytes) -> None:
        """One more; it is for the caller to ask before whether it is full."""
        self._messages.append((channel, payload))
        self._bytes += len(payload)

    def take(self) -> list[Message]:
        """As many of the first as go out in one call; at least one."""
        batch: list[Message] = []
        size = 0
        while self._messages and len(batch) < _BATCH_MESSAGES and size < _BATCH_BYTES:
            batch.append(self._messages.popleft())
            size += len(batch[-1][1])
        self._bytes -= size
        return batch

    def clear(self) -> int:
        """Forget all.   Returns: how many there were."""
        count = len(self._messages)
        self._messages.clear()
        self._bytes = 0
        return count

    def __len__(self) -> int:
        return len(self._messages)

    def __repr__(self) -> str:
        return f"<Backlog {len(self)} messages, {self._bytes} bytes>"
