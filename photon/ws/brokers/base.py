"""What rooms ask of a broker, so that they span processes and machines.

Any object with these methods will do; there are `LocalBroker`, `RedisBroker` and `PostgresBroker`.

What is promised: a subscriber gets what was published while it was subscribed, at most once, and in
the order in which each publisher published it to that topic. Nothing is kept: what is published
while a process has lost its broker it never gets. It is told, by `on_start`, when it is back.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol

from msgspec import Struct

OnMessage = Callable[[bytes], object]
OnStart = Callable[[], object]


class Subscription(Protocol):
    """What `subscribe` gives."""

    def close(self) -> None:
        """Get nothing more. At once, never waits; may be called twice."""
        ...


class Broker(Protocol):
    """Publishes bytes to topics, and hands on what others publish.

    It works within `with broker:`, which may be entered by several; the last one that leaves stops
    it. Leaving sends what was published before, if that is possible soon.
    """

    @property
    def is_connected(self) -> bool:
        """Whether what is published now would reach others."""
        ...

    def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
        """Hand `payload` to all subscribers of `topic`, this process's own among them.

        Returns at once: it is sent in the background. When more is on its way already than the
        broker keeps, it waits `wait_s` for that to get less.

        Returns: False when it was dropped, as there is no connection or too much on its way.
        Raises: ValueError, when the payload is larger than the broker carries.
        """
        ...

    def subscribe(
        self, topic: str, on_message: OnMessage, on_start: OnStart | None = None
    ) -> Subscription:
        """Have `on_message(payload)` called with all that is published to `topic`. Never waits.

        Args:
            on_start: called each time from when on nothing is missed: soon, and again when the
                connection was lost and is back.
        Both are called in a greenlet, one after the other. While one waits, so does all the rest.
        """
        ...

    def __enter__(self) -> Any: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class BrokerStatistics(Struct, frozen=True, kw_only=True):
    """`topics` (subscribed) and `queued` (to be sent) are now; the others are since the start.

    Attributes:
        published, received: messages; the own ones are received, too.
        dropped: messages that were not sent.
        losses: how often the connection was lost.
    """

    is_connected: bool
    topics: int
    queued: int
    published: int
    received: int
    dropped: int
    losses: int
