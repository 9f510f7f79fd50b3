"""An iterator that works in a greenlet of its own, so that who waits for it can do other things.

The two go hand in hand: the iterator begins with the next item when that is asked for, and then
only, so nothing is made ahead and nothing is kept. To wait with a time limit is to ask, give up
for now, and ask again: the iterator goes on working meanwhile.

    consumer ── wait() or next() ──▶ producer: next(items)
             ◀────── the item ──────
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub, existing_hub, getcurrent

T = TypeVar("T")


class Relay(Iterator[T]):
    """The items of an iterable, made in another greenlet.

    The iterable sees the context variables of whoever asks first. One greenlet asks at a time.

    Args: items: what to go through. If it has a `close` (a generator does), it is called at the
        end, however that comes.
    """

    __slots__ = (
        "_consumer",
        "_error",
        "_handle",
        "_hub",
        "_is_asked",
        "_is_closed",
        "_is_over",
        "_items",
        "_producer",
        "_ready",
    )

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self._hub = current_hub()
        self._handle: Handle[None] | None = None
        self._ready: list[T] = []  # the one item that was asked for
        self._error: BaseException | None = None
        self._is_asked = False
        self._is_over = False
        self._is_closed = False
        # Each is set while that side waits here, and not elsewhere.
        self._consumer: Any = None
        self._producer: Any = None

    # For the consumer...

    def wait(self, seconds: float) -> bool:
        """Wait for the next item, and no longer than `seconds`.

        Returns: whether `next(relay)` will give it at once, or the end, or what the iterable
        raised. If not the iterable goes on working.
        """
        if not (self._ready or self._is_over):
            due: list[bool] = []
            timer = self._hub.timers.timer(seconds)
            timer.start(self._give_up, due, update=True)
            try:
                self._wait_for_item(due)
            finally:
                timer.close()
        return bool(self._ready or self._is_over)

    def __next__(self) -> T:
        self._wait_for_item([])
        if self._ready:
            return self._ready.pop()
        self._raise_error()
        raise StopIteration

    def close(self) -> None:
        """Have the iterable end where it is, and wait for it.

        If it waits, `Cancelled` is raised there; if it stands between two items, it is closed.

        Raises: what it raises beside that.
        """
        handle = self._handle
        if handle is None:
            self._end_unbegun()
        elif not self._is_over:
            self.cancel()
            try:
                handle.join()
            except BaseException:
                handle.cancel("nobody waits for its end any more")
                raise
        self._raise_error()

    def cancel(self) -> None:
        """Have the iterable end, as `close` does, and do not wait for it."""
        self._is_closed = True
        handle = self._handle
        # Who drops a relay may be the garbage collector, in any thread.
        if handle is not None and existing_hub() is self._hub:
            handle.cancel("nobody takes its items any more")
            if handle.state == "cancelled":  # before it began
                self._end_unbegun()

    def _end_unbegun(self) -> None:
        if not self._is_over:
            self._is_over = self._is_closed = True
            self._close_items()

    def _ask(self) -> None:
        if self._is_asked:
            return
        self._is_asked = True
        if self._handle is None:
            self._handle = spawn(self._produce)
        else:
            self._hub.run_soon(self._wake_producer)

    def _wait_for_item(self, due: list[bool]) -> None:
        """Wait until there is an item, or the end, or something in `due`."""
        if self._ready or self._is_over:
            return
        self._ask()
        self._consumer = getcurrent()
        try:
            while not (self._ready or self._is_over or due):
                self._hub.park()
        finally:
            self._consumer = None

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    # In the hub...

    def _give_up(self, due: list[bool]) -> None:
        due.append(True)
        self._wake_consumer()

    def _wake_consumer(self) -> None:
        if self._consumer is not None:
            self._consumer.switch()

    def _wake_producer(self) -> None:
        if self._producer is not None:
            self._producer.switch()

    # In the greenlet of the iterable...

    def _produce(self) -> None:
        try:
            try:
                for item in self._items:
                    if self._is_closed:  # it swallowed its Cancelled
                        break
                    self._ready.append(item)
                    self._is_asked = False
                    self._hub.run_soon(self._wake_consumer)
                    self._wait_to_be_asked()
            finally:
                self._close_items()
        except BaseException as error:
            # Not out of here, where it would be reported: it is the consumer's.
            if not (self._is_closed and isinstance(error, Cancelled)):
                self._error = error
        finally:
            self._is_over = True
            self._hub.run_soon(self._wake_consumer)

    def _wait_to_be_asked(self) -> None:
        self._producer = getcurrent()
        try:
            while not self._is_asked:
                self._hub.park()
        finally:
            self._producer = None

    def _close_items(self) -> None:
        close: Callable[[], None] | None = getattr(self._items, "close", None)
        if close is not None:
            close()

    def __repr__(self) -> str:
        state = "over" if self._is_over else "asked" if self._is_asked else "idle"
        return f"<Relay {state} of {self._items!r}>"
