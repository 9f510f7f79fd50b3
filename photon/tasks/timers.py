"""`spawn_after`: a function that runs once, some time from now.

A pending timer is an entry in the hub's heap of deadlines and in one set; no greenlet waits for
it, and requests do not notice that it is there. When it is due its function runs in the region
that it was asked for in, as what `spawn` starts does.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, Literal, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from photon.runtime.clock import now
from photon.runtime.errors import RegionClosed, RegionFull
from photon.runtime.hub import Hub, current_hub
from photon.runtime.region import Region, region_of
from photon.tasks.checking import check_function, name_of
from photon.tasks.periods import Period, seconds_of, spoken
from photon.tasks.places import Place, caller
from photon.tasks.task import Job, JobState, Task, run_job

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("photon.tasks")

TimerState = JobState | Literal["dropped"]

_pending: WeakKeyDictionary[Hub, set[Timer]] = WeakKeyDictionary()

_MOST_NAMES = 20


def spawn_after(seconds: Period, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Timer:
    """Run `fn(*args, **kwargs)` once, `seconds` from now.

    It sees the caller's context variables as they are now, as with `spawn`. What it raises is
    logged, with the place of this call, and kept in the timer. When the application stops, timers
    that are not due yet are dropped and named in the log: what must not get lost belongs into a
    queue.

    Args: seconds: zero or more; also a text such as "5m", or a timedelta.
    Returns: a `Timer`, to ask or to cancel.
    Raises: ScheduleError, TaskError.
    """
    delay = seconds_of(seconds, "spawn_after: seconds", least=0.0)
    check_function(fn, "spawn_after: what runs")
    return Timer(now() + delay, fn, args, kwargs, caller(1))


class Timer:
    """A function that will run once.

    Attributes:
        when: seconds on the runtime clock.
        job: the run, once it began.
    """

    __slots__ = (
        "__weakref__",
        "_args",
        "_context",
        "_deadline",
        "_fn",
        "_hub",
        "_kwargs",
        "_place",
        "_region",
        "_state",
        "job",
        "when",
    )

    def __init__(
        self,
        when: float,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        place: Place,
    ) -> None:
        self.when = when
        self.job: Job | None = None
        self._state: TimerState = "pending"
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self._context = copy_context()
        self._place = place
        self._hub = current_hub()
        self._region: Region = region_of(self._hub)
        self._deadline = self._hub.deadlines.add(when, self._start)
        _pending.setdefault(self._hub, set()).add(self)

    @property
    def name(self) -> str:
        """Of the function."""
        return name_of(self._fn)

    @property
    def state(self) -> TimerState:
        """Pending until it is due, then what its job is; cancelled, or dropped at the end."""
        return self._state if self.job is None else self.job.state

    @property
    def due_in_s(self) -> float:
        """Seconds until it is due, to the microsecond; 0 when it was."""
        # Differences of sums are never exact, and nobody wants to read 599.9999999999964.
        return max(0.0, round(self.when - now(), 6))

    def cancel(self, reason: str = "") -> None:
        """Never run it; when it runs already: raise `Cancelled` where it waits."""
        if self.job is not None:
            self.job.cancel(reason)
        else:
            self._give_up("cancelled")

    def _give_up(self, state: TimerState) -> None:
        if self._state == "pending" and self.job is None:
            self._state = state
            self._deadline.cancel()
            _pending[self._hub].discard(self)
            self._args, self._kwargs = (), {}

    def _start(self) -> None:
        """It is due. In the hub."""
        _pending[self._hub].discard(self)
        job = Job(Task(self._fn), self._args, self._kwargs, context=self._context)
        job.extra = {"asked_at": self._place}
        self._args, self._kwargs = (), {}
        self.job = job
        try:
            job.handle = self._region.spawn(run_job, job)
        except (RegionFull, RegionClosed) as error:
            job.log(logging.ERROR, "was due and could not begin: %s", error)
            job.end("failed", error)

    def __repr__(self) -> str:
        due = f", due in {spoken(self.due_in_s)}" if self.state == "pending" else ""
        return f"<Timer {self.name} {self.state}{due}>"


def pending_timers(region: Region | None = None) -> list[Timer]:
    """Those of this thread that are not due yet, the next one first.

    Args: region: None for those of all.
    """
    timers = _pending.get(current_hub(), set())
    return sorted(
        (timer for timer in timers if region is None or timer._region is region),
        key=lambda timer: timer.when,
    )


def drop_timers(region: Region) -> list[Timer]:
    """The region is about to end: its pending timers never run, which is logged.

    Returns: them, the next one first.
    """
    dropped = pending_timers(region)
    for timer in dropped:
        timer._give_up("dropped")
    if dropped:
        counts = Counter(timer.name for timer in dropped)
        names = [f"{name} ({count})" for name, count in counts.most_common(_MOST_NAMES)]
        more = f" and {len(counts) - _MOST_NAMES} others" if len(counts) > _MOST_NAMES else ""
        logger.warning(
            "%s stops: %d timers never ran: %s%s; the next one was due in %s",
            region.name,
            len(dropped),
            ", ".join(names),
            more,
            spoken(dropped[0].due_in_s),
        )
    return dropped
