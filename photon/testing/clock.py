"""A clock that tests move by hand.

    def test_a_reminder_is_sent_after_an_hour(client, clock):
        client.post("/orders", json=...)
        clock.advance("59m")
        assert not mails
        clock.advance("1m")
        assert len(mails) == 1

Time stands still but for `advance`, which runs all that is due on the way, each thing at its own
moment, until everybody waits again. It moves what keeps time by Photon: `sleep` (and `time.sleep`
after the patch), deadlines, time-outs, timers, `every` and `cron`. What reads the clock itself
(`time.time`, `datetime.now`), and other machines, go on as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count
from math import ceil, inf
from types import TracebackType
from typing import Any

from photon.runtime import clock
from photon.runtime.greenlets import checkpoint
from photon.runtime.hub import Hub, current_hub
from photon.tasks.periods import Period, seconds_of

# A wake-up makes others ready, and these more; then nobody is left.
_MOST_ROUNDS = 10_000

# A clock begins at a multiple of this, within a millisecond from now: the sum of that and of whole
# seconds is exact then, so that what is due in ten minutes is due in 600.0 s.
_GRAIN_S = 2.0**-10

# Of floats: Unix time as one has steps of a quarter of a microsecond.
_ROUNDING_S = 1e-6


class Clock:
    """The time of the hub of this thread, for the length of a `with`.

    Args: wall: Unix time to begin with; None for the real one.
    """

    def __init__(self, wall: float | None = None) -> None:
        self._steady = ceil(clock.now() / _GRAIN_S) * _GRAIN_S
        self._ahead = (clock.wall() if wall is None else wall) - self._steady
        self._order = count()
        self._pending: list[tuple[float, int, _Timer]] = []
        self._hub: Hub | None = None
        self._before: tuple[Callable[[], float], Callable[[], float]] | None = None

    # What tests call...

    @property
    def now(self) -> float:
        """Seconds on the runtime clock."""
        return self._steady

    @property
    def wall(self) -> float:
        """Unix time."""
        # Sums of parts of a second are never exact; what is due at 03:00 is due then.
        return round(self._steady + self._ahead, 6)

    def advance(self, period: Period) -> None:
        """Let time pass: what is due runs, earliest first, and what it makes due as well.

        Args: period: seconds; also a text such as "1h 30m", or a timedelta.
        Raises: ScheduleError, for what is no length of time; RuntimeError, when it never ends.
        """
        target = self._steady + seconds_of(period, "advance", least=0.0)
        self.settle()
        while (timer := self._first(target)) is not None:
            self._move_to(timer.when)
            assert self._hub is not None
            self._hub.run_soon(timer.fire)
            self.settle()
        self._move_to(target)
        self.settle()

    @property
    def next_due(self) -> float | None:
        """When the next thing is due, on the runtime clock; None when nothing will be."""
        return min((when for when, _, timer in self._pending if timer.is_active), default=None)

    def advance_to_next(self) -> None:
        """Let time pass until the next thing is due, and run it; nothing when nothing is."""
        timer = self._first(inf)
        if timer is not None:
            self._move_to(timer.when)
            assert self._hub is not None
            self._hub.run_soon(timer.fire)
        self.settle()

    def settle(self) -> None:
        """Let everything run that is ready, until all wait; time stands still."""
        hub = self._hub
        if hub is None:
            raise RuntimeError("the clock is moved inside of its `with`")
        quiet = 0
        for _ in range(_MOST_ROUNDS):
            checkpoint()
            quiet = 0 if _is_busy(hub) else quiet + 1
            if quiet == 3:
                return
        raise RuntimeError(
            "somebody never waits: a greenlet comes back at once each time it is let go"
        )

    def set_wall(self, unix_time: float) -> None:
        """Have the wall clock jump, as by an administrator; no other time passes."""
        self._ahead = unix_time - self._steady

    # What the runtime calls...

    def timer(self, seconds: float) -> _Timer:
        """As libev's loop."""
        return _Timer(self, self._steady + max(seconds, 0.0))

    def enter(self, timer: _Timer) -> None:
        """A timer was started."""
        if timer.when <= self._steady and self._hub is not None:
            self._hub.run_soon(timer.fire)  # for what is due now no time has to pass
            return
        heappush(self._pending, (timer.when, next(self._order), timer))

    def _first(self, target: float) -> _Timer | None:
        """The next timer that is due by then, taken out."""
        while self._pending and self._pending[0][0] <= target + _ROUNDING_S:
            timer = heappop(self._pending)[2]
            if timer.is_active:
                return timer
        return None

    def _move_to(self, moment: float) -> None:
        self._steady = max(moment, self._steady)

    def __enter__(self) -> Clock:
        if self._hub is not None:
            raise RuntimeError("this clock is in use already")
        self._hub = hub = current_hub()
        self._before = clock._read_steady, clock._read_wall
        clock._read_steady = lambda: self._steady
        clock._read_wall = lambda: self.wall
        hub.take_timers_of(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._hub is not None
        assert self._before is not None
        clock._read_steady, clock._read_wall = self._before
        hub, self._hub = self._hub, None
        # What a server keeps for a second more, say, is not to last as long as time was moved.
        hub.deadlines.put_back(self._steady - clock.now())
        hub.take_timers_of(hub.loop)
        # Whoever sleeps still does it by a timer of this clock, which nobody moves any more.
        while self._pending:
            timer = heappop(self._pending)[2]
            if timer.is_active:
                hub.run_soon(timer.fire)

    def __repr__(self) -> str:
        pending = sum(timer.is_active for _, _, timer in self._pending)
        return f"<Clock at {self._steady:.3f}, {pending} timers>"


class _Timer:
    """As a timer of libev."""

    __slots__ = ("_call", "_clock", "when")

    def __init__(self, owner: Clock, when: float) -> None:
        self._clock = owner
        self._call: tuple[Callable[..., object], tuple[Any, ...]] | None = None
        self.when = when

    @property
    def is_active(self) -> bool:
        return self._call is not None

    def start(self, fn: Callable[..., object], *args: Any, update: bool = True) -> None:
        self._call = fn, args
        self._clock.enter(self)

    def close(self) -> None:
        self._call = None

    stop = close

    def fire(self) -> None:
        """In the hub."""
        if self._call is not None:
            (fn, args), self._call = self._call, None
            fn(*args)


def _is_busy(hub: Hub) -> bool:
    return bool(hub.carriers.statistics()["ready"])
