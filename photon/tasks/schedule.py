"""`Every`: when something is due that comes again and again; and what `Cron` has in common."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from photon.tasks.errors import ScheduleError
from photon.tasks.periods import Period, seconds_of, spoken

Overlap = Literal["skip", "queue", "concurrent"]
"""What is done when a run is due while the one before goes on."""

Missed = Literal["skip", "once", "all"]
"""What is done about runs that were due while nobody could run them."""

OncePer = Literal["worker", "machine", "cluster"]
"""Where a run takes place once: in each process, in one of this machine, or in one of all."""

# cron(8) of Debian: "Clock changes of more than 3 hours are considered to be corrections to the
# clock or timezone, and the new time is used immediately"; smaller ones are lived through twice.
CORRECTION_S = 3 * 3600.0


class Every:
    """Moments that are a period apart, counted from one start, so that nothing adds up.

    Args:
        period: between two moments.
        jitter: each moment is put off by a random time below it; shorter than the period.
        run_on_start: whether the start is the first moment.
    Raises: ScheduleError.
    """

    def __init__(self, period: Period, jitter: Period = 0.0, run_on_start: bool = False) -> None:
        self.period_s = seconds_of(period, "every: the period", least=None)
        # Below that the hub does nothing else.
        if self.period_s < 0.001:
            raise ScheduleError(f"every: the period is {period!r}; it is at least 1 ms")
        self.jitter_s = seconds_of(jitter, "every: jitter", least=0.0)
        if self.jitter_s >= self.period_s:
            raise ScheduleError(
                f"every: the jitter of {spoken(self.jitter_s)} is not shorter than the period of "
                f"{spoken(self.period_s)}, so runs would change places"
            )
        self.run_on_start = run_on_start

    def first(self) -> int:
        """The number of the first moment."""
        return 0 if self.run_on_start else 1

    def moment(self, start: float, number: int, chance: Callable[[], float] | None = None) -> float:
        """The moment of a number, seconds on the clock of `start`.

        Args: chance: gives the share of the jitter, from 0 to 1; at random when left out.
        """
        if self.jitter_s and chance is None:
            from random import random as chance
        put_off = self.jitter_s * chance() if self.jitter_s and chance else 0.0
        return start + number * self.period_s + put_off

    def next_number(self, start: float, number: int, moment: float) -> int:
        """The number after `number` whose moment is to come, seen from `moment`."""
        return max(number + 1, math.floor((moment - start) / self.period_s) + 1)

    def claimed_as(self, due: float) -> float:
        """What workers that were started at different moments call the same run, Unix seconds."""
        return math.floor(due / self.period_s) * self.period_s

    def __str__(self) -> str:
        jitter = f" + up to {spoken(self.jitter_s)}" if self.jitter_s else ""
        return f"every {spoken(self.period_s)}{jitter}"

    def __repr__(self) -> str:
        return f"<Every {spoken(self.period_s)}>"
