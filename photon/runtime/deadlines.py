"""Time-outs, two kinds, each on one hub timer.

`Deadlines` is exact: a heap of moments, for `sleep`, `fail_after` and timers (a `gevent.Timeout`
costs 3 us and a libev timer each; an entry here a third of that and no timer of its own).

`Sweep` is coarse and nearly free: connections, of which there may be 100,000, each with one due
moment that moves all the time. A connection stands in one bucket of 10 ms; moving its moment
*later* costs nothing, since a subject is asked only when its bucket comes up, and then says
itself when it wants to be asked again. Prior art: the lazy timer wheel of Varghese and Lauck.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any, Protocol

from photon.runtime.clock import now

Callback = Callable[[], object]

# So long the others of the hub wait when thousands are due at once.
_LONGEST_ROUND_S = 0.005


class Deadline:
    """One moment in `Deadlines`; `cancel()` takes it back, and may be called twice."""

    __slots__ = ("_owner", "callback", "when")

    def __init__(self, owner: Deadlines, when: float, callback: Callback) -> None:
        self._owner = owner
        self.when = when
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        if self.callback is not None:
            self.callback = None
            self._owner._forgotten()

    def __repr__(self) -> str:
        state = "over" if self.callback is None else f"in {self.when - now():.3f} s"
        return f"<Deadline {state}>"


class Deadlines:
    """Callbacks at exact moments of the runtime clock, run in the hub, earliest first."""

    def __init__(self, timers: Any) -> None:
        self._timers = timers
        self._timer: Any = None
        self._armed_for = float("inf")
        self._heap: list[tuple[float, int, Deadline]] = []
        self._order = count()
        self._dead = 0

    def add(self, when: float, callback: Callback) -> Deadline:
        """A deadline that calls `callback()` in the hub at `when`, seconds on the runtime clock."""
        deadline = Deadline(self, when, callback)
        heappush(self._heap, (when, next(self._order), deadline))
        if when < self._armed_for:
            self._arm(when)
        return deadline

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.close()
        self._armed_for = when
        self._timer = self._timers.timer(max(0.0, when - now()))
        # update: libev counts from its cached time, which a busy hub lets grow old.
        self._timer.start(self._fire, update=True)

    def _fire(self) -> None:
        self._timer.close()
        self._timer = None
        self._armed_for = float("inf")
        moment = now()
        newest = next(self._order)
        heap = self._heap
        try:
            # What is added meanwhile has to wait: who always wants to be called at once would
            # keep the loop from polling.
            while heap and heap[0][0] <= moment and heap[0][1] < newest:
                deadline = heappop(heap)[2]
                callback, deadline.callback = deadline.callback, None
                if callback is not None:
                    callback()
                    heap = self._heap  # which may have been cleared of those that are dead
                    if now() - moment > _LONGEST_ROUND_S:
                        break
                elif self._dead:
                    self._dead -= 1
        finally:  # one of them raised, or thousands are due: the next round has the others
            if self._heap and self._heap[0][0] < self._armed_for:
                self._arm(self._heap[0][0])

    def put_back(self, seconds: float) -> None:
        """Have everything come so much earlier: a clock that was ahead is a test's no more."""
        for _, _, deadline in self._heap:
            deadline.when -= seconds
        # All by the same, so the order stays.
        self._heap = [(when - seconds, order, deadline) for when, order, deadline in self._heap]

    def take_timers_of(self, timers: Any) -> None:
        """From here on time is kept by another loop."""
        self._timers = timers
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self._armed_for = float("inf")
        if self._heap:
            self._arm(self._heap[0][0])

    def _forgotten(self) -> None:
        # Entries stay in the heap until they come up; half of them dead is too many.
        self._dead += 1
        if self._dead > 64 and self._dead * 2 > len(self._heap):
            self._heap = [item for item in self._heap if item[2].callback is not None]
            heapify(self._heap)
            self._dead = 0
            if not self._heap and self._timer is not None:
                self._timer.close()
                self._timer = None
                self._armed_for = float("inf")

    @property
    def pending(self) -> list[Deadline]:
        """Those that are neither over nor taken back, in no order."""
        return [item[2] for item in self._heap if item[2].callback is not None]

    def __len__(self) -> int:
        return len(self.pending)

    def __repr__(self) -> str:
        return f"<Deadlines pending={len(self)}>"


class Swept(Protocol):
    """Something that `Sweep` looks at when its moment has come."""

    sweep_tick: int
    """The bucket it stands in; 0 when in none. Written by Sweep only."""

    def on_due(self, moment: float) -> float | None:
        """Act if something is overdue; the moment to be asked again, None for never."""


class Sweep:
    """Coarse time-outs of very many subjects: at most `resolution_s` late, never early."""

    resolution_s = 0.01

    def __init__(self, timers: Any) -> None:
        self._timers = timers
        self._timer: Any = None
        self._armed_tick = 0
        self._buckets: dict[int, set[Swept]] = {}
        self._ticks: list[int] = []

    def watch(self, subject: Swept, due: float) -> None:
        """Have `subject.on_due` called at `due` or soon after, or earlier if that stands."""
        tick = int(due / self.resolution_s) + 1
        current = subject.sweep_tick
        if current:
            if current <= tick:
                return
            self._buckets[current].discard(subject)
        subject.sweep_tick = tick
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = set()
            heappush(self._ticks, tick)
            if not self._armed_tick or tick < self._armed_tick:
                self._arm(tick)
        bucket.add(subject)

    def forget(self, subject: Swept) -> None:
        """Never ask `subject` again."""
        if subject.sweep_tick:
            self._buckets[subject.sweep_tick].discard(subject)
            subject.sweep_tick = 0

    def take_timers_of(self, timers: Any) -> None:
        """From here on time is kept by another loop."""
        self._timers = timers
        if self._timer is not None:
            self._timer.close()
            self._timer = None
        self._armed_tick = 0
        if self._ticks:
            self._arm(self._ticks[0])

    def _arm(self, tick: int) -> None:
        if self._timer is not None:
            self._timer.close()
        self._armed_tick = tick
        self._timer = self._timers.timer(max(0.0, tick * self.resolution_s - now()))
        self._timer.start(self._fire, update=True)

    def _fire(self) -> None:
        self._timer.close()
        self._timer = None
        self._armed_tick = 0
        moment = now()
        ticks = self._ticks
        try:
            while ticks and ticks[0] * self.resolution_s <= moment:
                # What one subject does may take another out of this bucket, or add an earlier one.
                bucket = self._buckets[ticks[0]]
                if not bucket:
                    del self._buckets[heappop(ticks)]
                elif now() - moment > _LONGEST_ROUND_S:
                    break  # thousands are due at once: the others of the hub have their turn
                else:
                    self._ask(bucket.pop(), moment)
        finally:
            if ticks and (not self._armed_tick or ticks[0] < self._armed_tick):
                self._arm(ticks[0])

    def _ask(self, subject: Swept, moment: float) -> None:
        subject.sweep_tick = 0
        try:
            again = subject.on_due(moment)
        except BaseException:
            self.watch(subject, moment + 1.0)  # whatever it was, the subject is overdue still
            raise
        if again is not None:
            # Never into the bucket that is being emptied.
            self.watch(subject, max(again, moment + self.resolution_s))

    @property
    def subjects(self) -> list[Swept]:
        """All that will be asked, in no order."""
        return [subject for bucket in self._buckets.values() for subject in bucket]

    def __len__(self) -> int:
        return sum(map(len, self._buckets.values()))

    def __repr__(self) -> str:
        return f"<Sweep subjects={len(self)} buckets={len(self._buckets)}>"
