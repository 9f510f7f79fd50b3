"""What brokers on a server have in common: one greenlet that keeps the connection.

It alone speaks with the server, so nothing on the connection overlaps, and what is published goes
out in order, many messages at a time when many wait.

    publish ──▶ queue ──┐
    subscribe, close ───┼──▶ keeper: listen, send, hand out what came; then wait for either side
    the server ─────────┘      │
                               └─ lost: say so once, forget what waits, try again with back-off;
                                  back: say so once, listen to all topics again, call `on_start`

A connection can be dead without a word (a cable, a firewall that forgot it). So when nothing came
for a while the keeper publishes something to itself, and takes it for lost if that does not arrive.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections import deque
from collections.abc import Sequence
from importlib.util import find_spec
from types import TracebackType
from typing import Any, ClassVar, Protocol
from urllib.parse import urlsplit

from photon.runtime.cancel import fail_after, move_on_after
from photon.runtime.clock import now
from photon.runtime.greenlets import Turn
from photon.runtime.guarding import brief
from photon.runtime.handle import Handle
from photon.runtime.hub import READ, current_hub, getcurrent
from photon.runtime.monkey import is_patched
from photon.runtime.region import Region
from photon.ws.brokers.base import BrokerStatistics, OnMessage, OnStart
from photon.ws.brokers.local import call_safely
from photon.ws.waiters import Waiters

logger = logging.getLogger("photon.ws")

Message = tuple[str, bytes]
"""A channel, as the server knows it, and a payload."""

# Beyond this, who publishes waits, or his message is dropped.
QUEUE_MESSAGES = 10_000
QUEUE_BYTES = 16 * 1024 * 1024
# One call to the server, and one unit of what is lost with a connection.
_BATCH_MESSAGES = 100
_BATCH_BYTES = 1024 * 1024
_BATCH_CHANNELS = 500

_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 5.0
_SILENCE_S = 10.0
_FLUSH_S = 2.0


class Link(Protocol):
    """A connection to a server. Only the keeper uses it; any exception means that it is lost."""

    def fileno(self) -> int:
        """Readable when something came."""
        ...

    def listen(self, channels: Sequence[str]) -> None:
        """From when this returns nothing on these is missed."""
        ...

    def unlisten(self, channels: Sequence[str]) -> None: ...

    def send(self, messages: Sequence[Message]) -> None:
        """Publish these, in order."""
        ...

    def receive(self) -> Sequence[Message]:
        """What has come. Does not wait for more."""
        ...

    def close(self) -> None: ...


class LinkLost(Exception):
    """The server does not answer."""


class RemoteBroker:
    """A broker on a server. Subclasses say how to connect.

    Args:
        url: of the server.
        prefix: of all topics on it, so that several applications can share it.
        timeout_s: how long connecting, and any call to the server, may take.
        max_bytes: of one message.
    """

    product: ClassVar[str]
    schemes: ClassVar[tuple[str, ...]]
    package: ClassVar[str]
    extra: ClassVar[str]

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "photon",
        timeout_s: float = 5.0,
        max_bytes: int = 4 * 1024 * 1024,
    ) -> None:
        kind = type(self).__name__
        if find_spec(self.package) is None:
            raise ModuleNotFoundError(
                f"{kind} needs {self.package}, which is not installed:"
                f" pip install 'photon-web[{self.extra}]'"
            )
        scheme = urlsplit(url).scheme
        if scheme not in self.schemes:
            begins = " or ".join(f"{scheme}://" for scheme in self.schemes)
            raise ValueError(
                f"{kind} takes a URL that begins with {begins},"
                f" not {scheme + '://' if scheme else repr(_shown(url))}"
            )
        if not timeout_s > 0:
            raise ValueError(f"timeout_s= is a number of seconds above 0, not {timeout_s!r}")
        self._url = url
        self._prefix = prefix
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._users = 0
        self._region: Region | None = None
        self._keeper: Handle[None] | None = None
        self._keeper_greenlet: Any = None
        self._parked: Any = None
        self._is_awake = False
        self._is_stopping = False
        self._topics: dict[str, list[_Subscription]] = {}
        self._listened: set[str] = set()
        self._unstarted: list[_Subscription] = []
        self._unwanted: set[str] = set()
        self._queue: deque[Message] = deque()
        self._queued_bytes = 0
        self._changed = Waiters()  # room in the queue, or another state of the connection
        self._is_connected = False
        self._attempts = 0
        self._lost_at: float | None = None
        self._own_channel = ""
        self._published = self._received = self._dropped = self._losses = 0

    # For subclasses...

    def _connect(self) -> Link:
        """A new connection."""
        raise NotImplementedError

    def _channel(self, topic: str) -> str:
        """What the server knows a topic by."""
        raise NotImplementedError

    # For those who publish and subscribe...

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection."""
        return self._is_connected

    def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
        """Have a message sent in the background. See `Broker.publish`."""
        if len(payload) > self._max_bytes:
            raise ValueError(
                f"a message of {len(payload)} bytes is more than {self!r} carries; max_bytes="
                f" allows {self._max_bytes}. Store it, and publish where it is"
            )
        self._check_started()
        if self._is_full() and wait_s > 0 and getcurrent() is not self._keeper_greenlet:
            self._changed.wait_for(lambda: not (self._is_full() and self._is_connected), wait_s)
        if not self._is_connected or self._is_full():
            self._dropped += 1
            return False
        self._put(self._channel(topic), payload)
        return True

    def _put(self, channel: str, payload: bytes) -> None:
        self._queue.append((channel, payload))
        self._queued_bytes += len(payload)
        self._wake()

    def _is_full(self) -> bool:
        return len(self._queue) >= QUEUE_MESSAGES or self._queued_bytes >= QUEUE_BYTES

    def subscribe(
        self, topic: str, on_message: OnMessage, on_start: OnStart | None = None
    ) -> _Subscription:
        """Have a topic listened to, soon. See `Broker.subscribe`."""
        self._check_started()
        subscription = _Subscription(self, self._channel(topic), on_message, on_start)
        self._topics.setdefault(subscription.channel, []).append(subscription)
        self._unstarted.append(subscription)
        self._wake()
        return subscription

    def _drop(self, subscription: _Subscription) -> None:
        others = self._topics[subscription.channel]
        others.remove(subscription)
        if not others:
            del self._topics[subscription.channel]
            self._unwanted.add(subscription.channel)
            self._wake()

    def _check_started(self) -> None:
        if self._users == 0:
            raise RuntimeError(
                f"{self!r} was not started: use it within `with broker:`, or give it to Rooms and"
                " start these with app.lifespan(lambda: rooms)"
            )

    # Its life...

    def __enter__(self) -> RemoteBroker:
        if self._users == 0:
            if not is_patched():
                raise RuntimeError(
                    f"{type(self).__name__} would stop every request while it waits, as the"
                    " standard library is not patched: start with `python -m photon run`, or put"
                    " `from photon.runtime import monkey; monkey.patch()` before every other import"
                )
            self._is_stopping = False
            self._lost_at = None
            self._attempts = 0
            self._own_channel = self._channel(f"keeper/{secrets.token_hex(8)}")
            self._region = Region(f"the connection to {self.product}")
            self._users = 1
            try:
                self._keeper = self._region.spawn(self._keep)
                # One that is there is connected before the first request; one that is not is no
                # reason not to serve.
                self._changed.wait_for(lambda: self._attempts, self._timeout_s)
            except BaseException:
                self._users = 0
                self._region.close(0)
                raise
        else:
            self._users += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._users -= 1
        if self._users == 0 and self._region is not None:
            self._is_stopping = True
            self._wake()
            self._changed.wake()
            region, self._region = self._region, None
            region.close(_FLUSH_S if self._is_connected else 0)
            self._keeper = None

    # The keeper...

    def _keep(self) -> None:
        self._keeper_greenlet = getcurrent()
        delay_s = _FIRST_DELAY_S
        try:
            while not self._must_stop():
                began = now()
                try:
                    self._use_connection()
                except Exception as error:
                    self._note_loss(error)
                if now() - began > _LONGEST_DELAY_S:  # it was good for a while
                    delay_s = _FIRST_DELAY_S
                # Not all processes at once.
                self._changed.wait_for(self._must_stop, delay_s * random.uniform(0.5, 1.0))
                delay_s = min(delay_s * 2, _LONGEST_DELAY_S)
        finally:
            self._keeper_greenlet = None

    def _must_stop(self) -> bool:
        return self._is_stopping

    def _use_connection(self) -> None:
        """Connect, and serve until the connection is lost or no longer needed."""
        with fail_after(self._timeout_s):
            link = self._connect()
        try:
            with fail_after(self._timeout_s):
                link.listen([self._own_channel])
            self._is_connected = True
            self._note_return()
            self._serve(link)
        finally:
            self._disconnect()
            try:
                with move_on_after(self._timeout_s):
                    link.close()
            except Exception:
                pass  # it is lost, and there are many ways to say so

    def _serve(self, link: Link) -> None:
        turn = Turn()
        last_sign = now()
        asked_at: float | None = None
        while True:
            self._is_awake = False
            self._listen(link)
            self._send(link)
            with fail_after(self._timeout_s):
                came = link.receive()
            for channel, payload in came:
                self._hand_out(channel, payload)
                turn.give_way()
            if self._is_stopping and not self._queue:
                return
            moment = now()
            if came:
                last_sign, asked_at = moment, None
            elif asked_at is not None and moment - asked_at >= self._timeout_s:
                raise LinkLost(f"{self.product} did not answer for {self._timeout_s:g} s")
            elif asked_at is None and moment - last_sign >= _SILENCE_S:
                asked_at = moment
                self._put(self._own_channel, b"")
            self._wait(link, _SILENCE_S if asked_at is None else self._timeout_s)
            turn.give_way()

    def _listen(self, link: Link) -> None:
        """Have the server's list of channels be ours."""
        turn = Turn()
        while self._unstarted:
            some = self._unstarted[:_BATCH_CHANNELS]
            del self._unstarted[:_BATCH_CHANNELS]
            wanted = {each.channel for each in some if not each.is_closed}
            fresh = sorted(wanted - self._listened)
            if fresh:
                with fail_after(self._timeout_s):
                    link.listen(fresh)
                self._listened.update(fresh)
            for subscription in some:
                subscription.start()
                turn.give_way()
        while self._unwanted:
            unwanted, self._unwanted = self._unwanted, set()
            stale = sorted((unwanted & self._listened) - self._topics.keys())
            for start in range(0, len(stale), _BATCH_CHANNELS):
                gone = stale[start : start + _BATCH_CHANNELS]
                self._listened.difference_update(gone)
                with fail_after(self._timeout_s):
                    link.unlisten(gone)

    def _send(self, link: Link) -> None:
        while self._queue:
            batch: list[Message] = []
            size = 0
            while self._queue and len(batch) < _BATCH_MESSAGES and size < _BATCH_BYTES:
                batch.append(self._queue.popleft())
                size += len(batch[-1][1])
            self._queued_bytes -= size
            try:
                with fail_after(self._timeout_s):
                    link.send(batch)
            except BaseException:
                self._dropped += len(batch)  # some may have arrived; at most once is promised
                raise
            self._published += len(batch)
            self._changed.wake()

    def _hand_out(self, channel: str, payload: bytes) -> None:
        if channel == self._own_channel:
            return
        self._received += 1
        for subscription in tuple(self._topics.get(channel, ())):
            if not subscription.is_closed and subscription.has_started:
                call_safely(subscription.on_message, payload)

    def _wait(self, link: Link, seconds: float) -> None:
        """Wait until something came or is to be sent, or the time is over."""
        hub = current_hub()
        deadline = hub.deadlines.add(now() + seconds, self._wake)
        watcher = hub.loop.io(link.fileno(), READ)
        self._parked = getcurrent()
        try:
            watcher.start(self._wake_now)
            while not self._is_awake:
                hub.park()
        finally:
            self._parked = None
            self._is_awake = False
            deadline.cancel()
            watcher.close()

    def _wake(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            if self._parked is not None:
                current_hub().run_soon(self._wake_now)

    def _wake_now(self) -> None:
        # In the hub.
        if self._parked is not None:
            self._is_awake = True
            self._parked.switch()

    # Losses...

    def _note_loss(self, error: Exception) -> None:
        self._attempts += 1
        if self._lost_at is None:
            self._lost_at = now()
            self._losses += 1
            logger.warning(
                "%s at %s cannot be reached (%s): until it can, rooms are of this process alone",
                self.product,
                _shown(self._url),
                brief(error),
            )
        self._changed.wake()

    def _note_return(self) -> None:
        self._attempts += 1
        if self._lost_at is not None:
            lost_s = now() - self._lost_at
            self._lost_at = None
            logger.warning("%s at %s is back after %.1f s", self.product, _shown(self._url), lost_s)
        self._changed.wake()

    def _disconnect(self) -> None:
        self._is_connected = False
        # Stale when it is back, and nobody listens either: they are lost with it.
        self._dropped += len(self._queue)
        self._queue.clear()
        self._queued_bytes = 0
        self._listened.clear()
        self._unwanted.clear()
        self._unstarted = [each for topic in self._topics.values() for each in topic]
        for subscription in self._unstarted:
            subscription.has_started = False
        self._changed.wake()

    # Seeing inside...

    def statistics(self) -> BrokerStatistics:
        """Whether it is connected, and counts of messages and topics."""
        return BrokerStatistics(
            is_connected=self._is_connected,
            topics=len(self._topics),
            queued=len(self._queue),
            published=self._published,
            received=self._received,
            dropped=self._dropped,
            losses=self._losses,
        )

    def __repr__(self) -> str:
        state = "not started" if not self._users else "lost"
        if self._is_connected:
            state = "connected"
        return f"<{type(self).__name__} {_shown(self._url)} {state}>"


class _Subscription:
    """One subscriber of a channel."""

    __slots__ = ("_broker", "channel", "has_started", "is_closed", "on_message", "on_start")

    def __init__(
        self, broker: RemoteBroker, channel: str, on_message: OnMessage, on_start: OnStart | None
    ) -> None:
        self._broker = broker
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
            self._broker._drop(self)

    def __repr__(self) -> str:
        state = "closed" if self.is_closed else "started" if self.has_started else "waiting"
        return f"<subscription to {self.channel!r} {state}>"


def _shown(url: str) -> str:
    """A URL for logs: without user, password and options."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else "..."
