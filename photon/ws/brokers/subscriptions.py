"""Who listens to which channel, and what the server is to be told of that."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import Turn
from photon.ws.brokers.base import OnMessage, OnStart
from photon.ws.brokers.link import Link
from photon.ws.brokers.local import call_safely

_BATCH_CHANNELS = 500


class Subscriptions:
    """Those of one connection. Anybody adds and closes them, at once; the keeper tells the server.

    Args: on_change: called when there is something to tell it.
    """

    def __init__(self, on_change: Callable[[], object]) -> None:
        self._on_change = on_change
        self._by_channel: dict[str, list[RemoteSubscription]] = {}
        self._listened: set[str] = set()
        self._unstarted: dict[RemoteSubscription, None] = {}
        self._unwanted: set[str] = set()

    def add(
        self, channel: str, on_message: OnMessage, on_start: OnStart | None
    ) -> RemoteSubscription:
        """One more subscriber of a channel."""
        subscription = RemoteSubscription(self, channel, on_message, on_start)
        self._by_channel.setdefault(channel, []).append(subscription)
        self._unstarted[subscription] = None
        self._on_change()
        return subscription

    def drop(self, subscription: RemoteSubscription) -> None:
        """It was closed."""
        channel = subscription.channel
        self._unstarted.pop(subscription, None)
        others = self._by_channel[channel]
        others.remove(subscription)
        if not others:
            del self._by_channel[channel]
            if channel in self._listened:
                self._unwanted.add(channel)
                self._on_change()

    # For the keeper...

    def tell(self, link: Link, timeout_s: float) -> None:
        """Have the server's list of channels be ours.   Args: timeout_s: for each call."""
        turn = Turn()
        while self._unstarted:
            some = list(islice(self._unstarted, _BATCH_CHANNELS))
            for subscription in some:
                del self._unstarted[subscription]
            fresh = sorted({each.channel for each in some} - self._listened)
            if fresh:
                with fail_after(timeout_s):
                    link.listen(fresh)
                self._listened.update(fresh)
                # Closed while the server was told.
                self._unwanted.update(each for each in fresh if each not in self._by_channel)
            for subscription in some:
                subscription.start()
                turn.give_way()
        while self._unwanted:
            unwanted, self._unwanted = self._unwanted, set()
            stale = sorted((unwanted & self._listened) - self._by_channel.keys())
            for start in range(0, len(stale), _BATCH_CHANNELS):
                gone = stale[start : start + _BATCH_CHANNELS]
                self._listened.difference_update(gone)
                with fail_after(timeout_s):
                    link.unlisten(gone)

    def hand_out(self, channel: str, payload: bytes) -> None:
        """Something came."""
        for subscription in tuple(self._by_channel.get(channel, ())):
            if not subscription.is_closed and subscription.has_started:
                call_safely(subscription.on_message, payload)

    def forget(self) -> None:
        """The connection is lost: the next server knows of none of them."""
        self._listened.clear()
        self._unwanted.clear()
        self._unstarted = {each: None for some in self._by_channel.values() for each in some}
        for subscription in self._unstarted:
            subscription.has_started = False

    def __len__(self) -> int:
        return len(self._by_channel)

    def __repr__(self) -> str:
        return f"<Subscriptions to {len(self)} channels, {len(self._unstarted)} to be started>"


class RemoteSubscription:
    """One subscriber of a channel."""

    __slots__ = ("_all", "channel", "has_started", "is_closed", "on_message", "on_start")

    def __init__(
        self,
        all: Subscriptions,
        channel: str,
        on_message: OnMessage,
        on_start: OnStart | None,
    ) -> None:
        self._all = all
        self.channel = channel
        self.on_message = on_message
        self.on_start = on_start
        self.has_started = False
        self.is_closed = False

    def start(self) -> None:
        """From now on nothing is missed."""
        if not self.is_closed:
            self.has_started = True
            if self.on_start is not None:
                call_safely(self.on_start)

    def close(self) -> None:
        """Get nothing more."""
        if not self.is_closed:
            self.is_closed = True
            self._all.drop(self)

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else "started" if self.has_started else "waiting"
        return f"<subscription to {self.channel!r} {state}>"
