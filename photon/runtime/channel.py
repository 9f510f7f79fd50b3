"""Channels: items from one greenlet to another, one at a time and with back-pressure.

    sender, receiver = open_channel[int](10)         the type is for the type checker
    sender.send(1)                                   waits while 10 items wait to be received
    for number in receiver: ...                      until all senders are closed

Our own, because no queue of gevent's can be closed, or waited for beside another, or promises that
an item handed to a greenlet which is cancelled at that very moment is not lost.

Both ends can be cloned; a channel ends when the last sender is closed, and breaks when the last
receiver is. What is buffered then is still received, or dropped. With the capacity 0 each send
waits for a receive. Items and those who wait come first in, first out, and nobody overtakes.

A receive that is cancelled has received nothing: what it was handed in that moment goes to the
next receiver, ahead of all other items. A send that is cancelled has sent nothing: if its item was
taken in that moment, the send is done and the cancel comes at the next wait.

Made anywhere; used by the greenlets of one thread, the `_nowait` twins in callbacks of its hub,
too. Prior art: trio's memory channels; Go's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from photon.runtime.errors import BrokenChannel, ClosedChannel, EndOfChannel, WouldBlock
from photon.runtime.parking import Line, Place, Wait

__all__ = ["Receiver", "Sender", "open_channel"]

T = TypeVar("T")


class open_channel(tuple["Sender[T]", "Receiver[T]"]):
    """A new channel: its sender and its receiver.

    Args: capacity: how many items may wait in it: 0, a number, or `math.inf`, which means that a
        sender which is faster than the receiver fills the memory.
    """

    __slots__ = ()

    def __new__(cls, capacity: float) -> open_channel[T]:
        channel = _Channel(capacity)
        return super().__new__(cls, (Sender(channel), Receiver(channel)))

    if not TYPE_CHECKING:  # a checker shall see that it cannot be in a `with`

        def __enter__(self) -> NoReturn:
            raise TypeError(
                "a channel is two ends: `sender, receiver = open_channel(10)`, "
                "then `with sender:` where it is sent into and `with receiver:` where it is read"
            )

        def __exit__(self, *error: object) -> None: ...


class _Channel:
    """What the ends of one channel share.

    While somebody waits to receive, nothing is buffered; while somebody waits to send, the buffer
    is full. It holds more than `capacity` when a cancelled receiver put an item back.
    """

    __slots__ = ("buffer", "capacity", "open_receivers", "open_senders", "receivers", "senders")

    def __init__(self, capacity: float) -> None:
        if capacity != inf and not (isinstance(capacity, int) and capacity >= 0):
            raise ValueError(
                f"a channel's capacity is how many items may wait in it, 0, 1, 2 ... or math.inf;"
                f" not {capacity!r}"
            )
        self.capacity = capacity
        self.buffer: deque[Any] = deque()
        self.senders = Line()  # place.item: what it sends
        self.receivers = Line()  # place.item: what it received
        self.open_senders = 0
        self.open_receivers = 0

    def hand(self, item: Any) -> None:
        """Give `item` to who has waited longest to receive."""
        place = self.receivers.first()
        place.end()
        place.item = item

    def take(self) -> Any:
        """The item of who has waited longest to send."""
        place = self.senders.first()
        place.end()
        return place.item

    def put_back(self, item: Any) -> None:
        """`item` was handed to a receiver that was interrupted."""
        if self.receivers.places:
            self.hand(item)
        elif self.open_receivers:
            self.buffer.appendleft(item)

    def statistics(self) -> dict[str, float]:
        return {
            "buffered": len(self.buffer),
            "capacity": self.capacity,
            "open_senders": self.open_senders,
            "open_receivers": self.open_receivers,
            "waiting_to_send": len(self.senders),
            "waiting_to_receive": len(self.receivers),
        }

    def __str__(self) -> str:
        waiting = ""
        if self.senders.places:
            waiting = f", {len(self.senders)} waiting to send"
        if self.receivers.places:
            waiting += f", {len(self.receivers)} waiting to receive"
        return f"{len(self.buffer)} of {self.capacity} buffered{waiting}"


class Sender(Generic[T]):
    """The end of a channel that items go in. Made by `open_channel`, or by `clone`."""

    __slots__ = ("_channel", "_is_closed")

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._is_closed = False
        channel.open_senders += 1

    def send(self, item: T, *, timeout: float | None = None) -> None:
        """Wait until there is room for `item`, and put it in.

        Raises: ClosedChannel; BrokenChannel, when all receivers are closed; WaitTimedOut.
        """
        try:
            self.send_nowait(item)
        except WouldBlock:
            pass
        else:
            return
        wait = Wait(self)
        wait.join(self._channel.senders, self, item)
        wait.park(timeout)

    def send_nowait(self, item: T) -> None:
        """Put `item` in, now.   Raises: WouldBlock, when there is no room; as `send`."""
        channel = self._channel
        if self._is_closed or not channel.open_receivers:
            self._refuse()
        if channel.receivers.places:
            channel.hand(item)
        elif len(channel.buffer) < channel.capacity:
            channel.buffer.append(item)
        else:
            raise WouldBlock("the channel is full; send() waits for room")

    def sending(self, item: T) -> Sending[T]:
        """The operation of sending `item`, for `select`."""
        return Sending(self, item)

    def clone(self) -> Sender[T]:
        """Another sender of the channel, which is closed on its own.   Raises: ClosedChannel."""
        if self._is_closed:
            self._refuse()
        return Sender(self._channel)

    def close(self) -> None:
        """Send nothing more; who waits in this end gets ClosedChannel. Again does nothing.

        When it is the last sender, who waits to receive gets EndOfChannel.
        """
        if self._is_closed:
            return
        self._is_closed = True
        channel = self._channel
        channel.open_senders -= 1
        _fail_all(channel.senders, self, _closed)
        if not channel.open_senders:
            _fail_all(channel.receivers, None, _ended)

    def __enter__(self) -> Sender[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _is_ready(self) -> bool:
        """Whether send_nowait would not raise WouldBlock."""
        channel = self._channel
        return bool(
            len(channel.buffer) < channel.capacity
            or channel.receivers.places
            or not channel.open_receivers
            or self._is_closed
        )

    def _refuse(self) -> None:
        raise _closed(self) if self._is_closed else _broken(self)

    def _take_back(self, place: Place) -> bool:
        return False  # somebody has received it

    def statistics(self) -> dict[str, float]:
        """Of the channel: `buffered`, `capacity`, `open_senders`, `open_receivers`,
        `waiting_to_send`, `waiting_to_receive`.
        """
        return self._channel.statistics()

    def __repr__(self) -> str:
        return f"<Sender {'closed' if self._is_closed else 'open'}, {self._channel}>"


class Sending(Generic[T]):
    """Sending one item, as one of several things that `select` may do. Made by `Sender.sending`."""

    __slots__ = ("_item", "_sender")

    def __init__(self, sender: Sender[T], item: T) -> None:
        self._sender = sender
        self._item = item

    @property
    def _which(self) -> Sender[T]:
        return self._sender

    def _is_ready(self) -> bool:
        return self._sender._is_ready()

    def _complete(self) -> T:
        self._sender.send_nowait(self._item)
        return self._item

    def _join(self, wait: Wait) -> None:
        wait.join(self._sender._channel.senders, self._sender, self._item)

    def __repr__(self) -> str:
        return f"<Sending {self._item!r} by {self._sender!r}>"


class Receiver(Generic[T]):
    """The end of a channel that items come out of; in `select` it is the operation of receiving.

    Several greenlets may receive, from one end or from clones: each item goes to one of them.
    """

    __slots__ = ("_channel", "_is_closed")

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._is_closed = False
        channel.open_receivers += 1

    def receive(self, *, timeout: float | None = None) -> T:
        """Wait for the next item.

        Raises: EndOfChannel, when all senders are closed and nothing is left; ClosedChannel;
            WaitTimedOut.
        """
        try:
            return self.receive_nowait()
        except WouldBlock:
            pass
        wait = Wait(self)
        wait.join(self._channel.receivers, self)
        item: T = wait.park(timeout).item
        return item

    def receive_nowait(self) -> T:
        """The next item, now.   Raises: WouldBlock, when there is none; as `receive`."""
        if self._is_closed:
            raise _closed(self)
        channel = self._channel
        item: T
        if channel.buffer:
            if channel.senders.places and len(channel.buffer) <= channel.capacity:
                channel.buffer.append(channel.take())
            item = channel.buffer.popleft()
        elif channel.senders.places:
            item = channel.take()
        elif channel.open_senders:
            raise WouldBlock("the channel is empty; receive() waits for an item")
        else:
            raise _ended(self)
        return item

    def clone(self) -> Receiver[T]:
        """Another receiver of the channel, which is closed on its own.   Raises: ClosedChannel."""
        if self._is_closed:
            raise _closed(self)
        return Receiver(self._channel)

    def close(self) -> None:
        """Receive nothing more; who waits in this end gets ClosedChannel. Again does nothing.

        When it is the last receiver, who waits to send gets BrokenChannel, and what is buffered is
        dropped.
        """
        if self._is_closed:
            return
        self._is_closed = True
        channel = self._channel
        channel.open_receivers -= 1
        _fail_all(channel.receivers, self, _closed)
        if not channel.open_receivers:
            channel.buffer.clear()
            _fail_all(channel.senders, None, _broken)

    def __iter__(self) -> Receiver[T]:
        return self

    def __next__(self) -> T:
        try:
            return self.receive()
        except EndOfChannel:
            raise StopIteration from None

    def __enter__(self) -> Receiver[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _is_ready(self) -> bool:
        """Whether receive_nowait would not raise WouldBlock."""
        channel = self._channel
        return bool(
            channel.buffer or channel.senders.places or not channel.open_senders or self._is_closed
        )

    def _complete(self) -> T:
        return self.receive_nowait()

    def _join(self, wait: Wait) -> None:
        wait.join(self._channel.receivers, self)

    @property
    def _which(self) -> Receiver[T]:
        return self

    def _take_back(self, place: Place) -> bool:
        self._channel.put_back(place.item)
        return True

    def statistics(self) -> dict[str, float]:
        """Of the channel: as `Sender.statistics`."""
        return self._channel.statistics()

    def __repr__(self) -> str:
        return f"<Receiver {'closed' if self._is_closed else 'open'}, {self._channel}>"


def _fail_all(line: Line, end: object, make_error: Callable[[object], Exception]) -> None:
    """Fail all who wait in `line`, or those of one `end` of the channel."""
    for place in line:
        if end is None or place.owner is end:
            place.fail(make_error(place.owner))


def _closed(end: object) -> ClosedChannel:
    return ClosedChannel(f"{end!r} was closed on this side; clone() it before, to go on", end)


def _broken(end: object) -> BrokenChannel:
    return BrokenChannel(f"{end!r} has no receiver any more, so nobody takes the item", end)


def _ended(end: object) -> EndOfChannel:
    return EndOfChannel(f"{end!r} has no sender any more, and nothing is left to receive", end)
