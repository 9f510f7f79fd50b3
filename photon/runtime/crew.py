"""The calls of one `map_concurrent`, and those who feed them and take their results.

    items ──next()──▶ feeder ──spawn──▶ calls, each in a greenlet of its own
                         ▲ room            │ results
                         └──── consumer ◀──┘ in order, or as they come

The nursery of the calls is open in a greenlet of its own, the feeder, and never in the consumer's:
a scope belongs to the greenlet that entered it and is left inside out, while who goes through an
iterator may leave any number of scopes, or change, between two results. It would hit the consumer
in the body of its loop, and mix with the consumer's own scopes. So the consumer is only told when
it asks, and the items are made in one and the same greenlet as well.
"""

from __future__ import annotations

import gc
import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar
from weakref import ref

from photon.runtime.cancel import time_left
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, MustNotWait, WrongThread
from photon.runtime.guarding import brief, name_of
from photon.runtime.handle import Handle, start
from photon.runtime.hub import current_hub, existing_hub, getcurrent
from photon.runtime.nursery import Nursery, nursery
from photon.runtime.parking import tell_again

T = TypeVar("T")

logger = logging.getLogger("photon.runtime")


class _Slot(Generic[T]):
    """The place of one result.   Attributes: value: a list of it, empty while it is made."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: list[T] = []


class Crew(Generic[T]):
    """What the feeder, the calls and the consumer share.

    Args: as of `map_concurrent`.

    Attributes:
        pulled: how many items were taken from their iterable.
        running: how many calls have not ended.
        taken: how many results the consumer has.
    """

    def __init__(
        self, fn: Callable[[Any], T], items: Iterator[Any], limit: int, ordered: bool
    ) -> None:
        self.limit = limit
        self.pulled = self.running = self.taken = 0
        self._fn = fn
        self._items: Iterator[Any] | None = items
        self._ordered = ordered
        self._hub = current_hub()
        # In order: those pulled and not taken; else: those with a value.
        self._slots: deque[_Slot[T]] = deque()
        self._error: BaseException | None = None
        self._handle: Handle[None] | None = None  # the feeder's, while it lives
        self._nursery: Nursery | None = None
        if not _gc_watch:
            _gc_watch.append(_GcWatch())
        self._state = "new"  # then: open, closed, cancelled, over
        # Those that wait here now, and not elsewhere.
        self._consumers: list[Any] = []
        self._waiting_feeder: Any = None
        self._due: float | None = None  # when the consumer's time is over
        # Who asked last, and in which turn of its carrier.
        self._asked_by: tuple[Any, int] = (None, 0)

    @property
    def ready(self) -> int:
        """How many results wait to be taken."""
        return sum(1 for slot in self._slots if slot.value)

    # For the consumer...

    def take(self) -> T:
        """The next result.   Raises: StopIteration; what failed first; Cancelled."""
        self._begin()
        try:
            while not self._can_tell():
                self._park_consumer()
        except BaseException:
            self._end("cancelled")
            self._wait_until_over()
            raise
        if self._is_next_there():
            self.taken += 1
            if self._waiting_feeder is not None:
                self._hub.run_soon(self._wake_feeder)
            return self._slots.popleft().value[0]
        if self._state == "open":
            self._state = "over"
        self._raise_error()
        self._refuse_if_cancelled()
        raise StopIteration

    def close(self) -> None:
        """Have it end, and wait for it.   Raises: Cancelled."""
        self._need_greenlet()
        self._refuse_its_own_calls()
        self._end("closed")
        told = self._wait_until_over()
        if told is not None:
            raise told

    def abandon(self) -> None:
        """Nobody can ask any more. Called by a finalizer: anywhere, in any thread."""
        if (self._handle is None and self._error is None) or sys.is_finalizing():
            return
        if existing_hub() is not self._hub:
            try:
                self._hub.loop.run_callback_threadsafe(self._end, "closed")
            except Exception:
                pass  # that hub is gone, and all its greenlets are
            return
        self._end("closed")
        # The collector runs anywhere, also amid what must not wait.
        if self._is_asker(getcurrent()) and not _gc_watch[0].is_collecting:
            told = self._wait_until_over()
            # What a finalizer raises is only printed: a cancel is told again at the next wait.
            if told is not None and not tell_again(told, self._hub):
                raise told

    def _begin(self) -> None:
        self._refuse_if_cancelled()
        self._need_greenlet()
        self._refuse_its_own_calls()
        me = getcurrent()
        self._asked_by = (ref(me), getattr(me, "turn", 0))
        if self._state == "new":
            self._state = "open"
            feed = _named(f"map_concurrent of {name_of(self._fn)}", self._feed)
            self._handle = start(self._hub, self, feed, (), {})
            self._hub.carriers.submit(self._handle)
        self._set_deadline()

    def _refuse_if_cancelled(self) -> None:
        # Its end would look as if all results had been there.
        if self._state == "cancelled":
            raise RuntimeError(f"{self} was cancelled with who asked for its results: some miss")

    def _need_greenlet(self) -> None:
        if existing_hub() is not self._hub:
            raise WrongThread(f"{self} was made in another thread, and is used there")
        if getcurrent() is self._hub.native:
            raise MustNotWait(f"{self} was used in a callback of the hub, which must not wait")

    def _refuse_its_own_calls(self) -> None:
        # They would wait until they are over themselves, and no cancel could end that.
        if self._nursery is None:
            return
        scope = self._nursery.cancel_scope
        greenlet = getcurrent()
        while greenlet is not scope.greenlet:  # the feeder's, in which items are made
            parent = getattr(getattr(greenlet, "job", None), "parent", None)
            if parent is None:
                return
            greenlet = parent.greenlet
        raise RuntimeError(
            f"{self} is used by one of its own calls, which would wait for itself; return what you "
            "found, and have the loop over the results end it"
        )

    def _is_asker(self, greenlet: Any) -> bool:
        asker, turn = self._asked_by
        return asker is not None and asker() is greenlet and getattr(greenlet, "turn", 0) == turn

    def _can_tell(self) -> bool:
        """Whether there is a result, or all calls are over."""
        return self._handle is None or self._is_next_there()

    def _is_next_there(self) -> bool:
        return bool(self._slots and self._slots[0].value)

    def _raise_error(self) -> None:
        error, self._error = self._error, None
        if error is None:
            return
        try:
            if isinstance(error, StopIteration):
                # PEP 479: it would end the consumer's loop as if all had been well.
                raise RuntimeError(f"{name_of(self._fn)} raised StopIteration") from error
            raise error
        finally:
            del error  # its traceback holds this frame

    def _end(self, state: str) -> None:
        """Have the feeder and the calls cancelled, if they are not over."""
        if self._state not in ("new", "open"):
            return
        self._state = state
        self._slots.clear()
        if self._handle is not None:
            self._handle.cancel("nobody takes its results any more")
        else:
            self._items = None
            self._log_error()

    def _wait_until_over(self) -> BaseException | None:
        """Wait for all calls, as a nursery does.   Returns: what interrupted the wait."""
        told: BaseException | None = None
        while self._handle is not None:
            try:
                self._park_consumer()
            except BaseException as error:
                told = error
        return told

    def _park_consumer(self) -> None:
        me = getcurrent()
        self._consumers.append(me)
        try:
            self._hub.park()
        finally:
            self._consumers.remove(me)

    def _set_deadline(self) -> None:
        # Not one that interrupts: that is the consumer's own. It is for `time_left` in the calls.
        left = time_left()
        self._due = None if left is None else now() + left
        if self._nursery is not None:
            self._nursery.cancel_scope.deadline = self._due

    # The feeder, in a greenlet of its own...

    def _feed(self) -> None:
        # Not an argument, which the frames in a traceback would hold: what is to be closed when
        # nobody has it any more (a generator) is closed here.
        items, self._items = self._items, None
        assert items is not None
        call = _named(name_of(self._fn), self._call)
        with nursery() as n:
            self._nursery = n
            n.cancel_scope.deadline = self._due
            try:
                while self._wait_for_room():
                    item = next(items, self)
                    if item is self:
                        break
                    self._start(n, call, item)
                    del item
            except BaseException as error:
                if self._is_told_to_end(error):
                    raise
                self._fail(error)
            finally:
                del items

    def _wait_for_room(self) -> bool:
        """Wait until one more may begin.   Returns: False, when none will."""
        assert self._nursery is not None
        if self._state != "open":  # the iterable swallowed what it was told
            self._nursery.cancel("nobody takes its results any more")
        if self._nursery.cancel_scope.cancel_called:
            return False
        self._waiting_feeder = getcurrent()
        try:
            while self.pulled - self.taken >= self.limit:
                self._hub.park()
        finally:
            self._waiting_feeder = None
        return True

    def _start(self, n: Nursery, call: Callable[..., None], item: Any) -> None:
        slot: _Slot[T] = _Slot()
        self.pulled += 1
        self.running += 1
        if self._ordered:
            self._slots.append(slot)
        n.spawn(call, slot, item)

    # A call, in its own...

    def _call(self, slot: _Slot[T], item: Any) -> None:
        try:
            slot.value.append(self._fn(item))
        except BaseException as error:
            if self._is_told_to_end(error):
                raise
            self._fail(error)
        else:
            if not self._ordered:
                self._slots.append(slot)
            if self._can_tell():
                self._wake_consumers_soon()
        finally:
            self.running -= 1

    def _is_told_to_end(self, error: BaseException) -> bool:
        """Whether it is a cancel of ours, and not one that the function made up itself."""
        if not isinstance(error, Cancelled):
            return False
        assert self._nursery is not None
        return self._state != "open" or self._nursery.cancel_scope.cancel_called

    def _fail(self, error: BaseException) -> None:
        if self._error is None:
            self._error = error
            assert self._nursery is not None
            self._nursery.cancel(f"another call failed: {brief(error)}")
        else:
            self._error.add_note(f"while it was cancelled another call failed: {brief(error)}")

    def on_ended(self, handle: Handle[Any]) -> None:
        """The feeder is over, and all calls are. Called by its handle."""
        self._handle = self._nursery = self._items = None
        self.running = 0  # some never began
        if handle.state == "failed" and self._error is None:
            self._error = handle.error
        if self._state != "open":
            self._slots.clear()
            self._log_error()
        self._wake_consumers_soon()

    def _log_error(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            logger.error("%s failed, and nobody asked for its result", self, exc_info=error)

    def _wake_consumers_soon(self) -> None:
        for consumer in self._consumers:
            self._hub.run_soon(self._wake_consumer, consumer)

    # In the hub...

    def _wake_consumer(self, consumer: Any) -> None:
        if consumer in self._consumers:
            consumer.switch()

    def _wake_feeder(self) -> None:
        if self._waiting_feeder is not None:
            self._waiting_feeder.switch()

    def __str__(self) -> str:
        state = "" if self._state == "open" else f", {self._state}"
        return (
            f"map_concurrent of {name_of(self._fn)}{state}: {self.running} running of "
            f"{self.limit}, {self.taken} results taken"
        )


def _named(name: str, fn: Callable[..., None]) -> Callable[..., None]:
    """A function like `fn` for which handles tell another name."""

    def named(*args: Any) -> None:
        fn(*args)

    named.__qualname__ = name
    return named


class _GcWatch:
    """Knows whether the garbage collector is at work."""

    def __init__(self) -> None:
        self.is_collecting = False
        gc.callbacks.append(self._note)

    def _note(self, phase: str, info: dict[str, int]) -> None:
        self.is_collecting = phase == "start"


_gc_watch: list[_GcWatch] = []
