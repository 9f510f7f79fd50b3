"""A broker within one process: for tests, and for several `Rooms` that shall hear each other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import TracebackType
from typing import Any

from photon.runtime.carriers import Carrier
from photon.runtime.hub import current_hub
from photon.ws.brokers.base import BrokerStatistics, OnMessage, OnStart

logger = logging.getLogger("photon.ws")


class LocalBroker:
    """Hands what is published to the subscribers of this process, in the publisher's greenlet."""

    def __init__(self) -> None:
        self._topics: dict[str, list[_Subscription]] = {}
        self._published = 0
        self._received = 0

    @property
    def is_connected(self) -> bool:
        """Always."""
        return True

    def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
        """Hand it on at once."""
        self._published += 1
        for subscription in tuple(self._topics.get(topic, ())):
            if not subscription.is_closed:
                self._received += 1
                call_safely(subscription.on_message, payload)
        return True

    def subscribe(
        self, topic: str, on_message: OnMessage, on_start: OnStart | None = None
    ) -> _Subscription:
        """Hand on what is published to `topic` from now on."""
        subscription = _Subscription(self, topic, on_message, on_start)
        self._topics.setdefault(topic, []).append(subscription)
        if on_start is not None:
            current_hub().carriers.submit(subscription)
        return subscription

    def _drop(self, subscription: _Subscription) -> None:
        others = self._topics[subscription.topic]
        others.remove(subscription)
        if not others:
            del self._topics[subscription.topic]

    def statistics(self) -> BrokerStatistics:
        """Counts of messages and topics."""
        return BrokerStatistics(
            is_connected=True,
            topics=len(self._topics),
            queued=0,
            published=self._published,
            received=self._received,
            dropped=0,
            losses=0,
        )

    def __enter__(self) -> LocalBroker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    def __repr__(self) -> str:
        return f"<LocalBroker topics={len(self._topics)}>"


class _Subscription:
    """One subscriber of a topic. A carrier's job: it says when it starts."""

    __slots__ = ("_broker", "is_closed", "on_message", "on_start", "topic")

    def __init__(
        self, broker: LocalBroker, topic: str, on_message: OnMessage, on_start: OnStart | None
    ) -> None:
        self._broker = broker
        self.topic = topic
        self.on_message = on_message
        self.on_start = on_start
        self.is_closed = False

    def run(self) -> None:
        if self.on_start is not None and not self.is_closed:
            call_safely(self.on_start)

    def on_parked(self, carrier: Carrier) -> None:
        """It may wait."""

    def close(self) -> None:
        """Get nothing more."""
        if not self.is_closed:
            self.is_closed = True
            self._broker._drop(self)

    def __repr__(self) -> str:
        return f"<subscription to {self.topic!r}{' closed' if self.is_closed else ''}>"


def call_safely(callback: Callable[..., object], *args: Any) -> None:
    """Call a subscriber; what it raises is logged, and is nobody else's trouble."""
    try:
        callback(*args)
    except Exception:
        logger.exception("a subscriber failed: %r", callback)
