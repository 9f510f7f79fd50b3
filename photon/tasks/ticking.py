"""What makes runs begin: `Ticker` for each period, and one `Watch` for all cron expressions.

Periods are kept by the steady clock, each with a deadline of its own. What a calendar says is kept
by the wall clock, which may jump: nobody is told of that, so it is looked at every `look_s`, and
for the rest one deadline waits for the next run of all.

- It went forward: runs were missed; their policy says what is done.
- It went back: what ran stays so, and runs go on when the clock is where it was. After a jump of
  more than three hours the clock was wrong before, and its new time counts at once, as in cron(8).
- It was the process that was late, being busy or stopped: as if the clock had gone forward.
"""

from __future__ import annotations

import logging

from photon.runtime.clock import now, wall
from photon.runtime.deadlines import Deadline
from photon.runtime.hub import Hub
from photon.tasks.cron import Cron
from photon.tasks.periods import spoken
from photon.tasks.schedule import CORRECTION_S, Every
from photon.tasks.scheduled import ScheduledTask
from photon.tasks.settings import TaskSettings

logger = logging.getLogger("photon.tasks")

_MOST_MISSED = 100
_SHORTEST_S = 0.0005


class Ticker:
    """Offers the runs of one task with a period.

    Args: start: the moment from which periods are counted, on the runtime clock.
    """

    def __init__(self, hub: Hub, entry: ScheduledTask, every: Every, start: float) -> None:
        self._hub = hub
        self._entry = entry
        self._every = every
        self._start = start
        self._number = every.first()
        self._deadline: Deadline | None = None
        self._arm()

    def _arm(self) -> None:
        due = self._every.moment(self._start, self._number)
        self._entry.next_due = wall() + (due - now())
        self._deadline = self._hub.deadlines.add(due, self._tick)

    def _tick(self) -> None:
        assert self._deadline is not None
        moment = now()
        due = wall() - (moment - self._deadline.when)
        following = self._every.next_number(self._start, self._number, moment)
        self._entry.note_missed(following - self._number - 1)
        self._number = following
        # First, so that the schedule goes on whatever the run does.
        self._arm()
        self._entry.offer(due)

    def stop(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()


class Watch:
    """Offers the runs of all tasks with a cron expression."""

    def __init__(self, hub: Hub, settings: TaskSettings) -> None:
        self._hub = hub
        self._settings = settings
        self._crons: dict[ScheduledTask, Cron] = {}
        self._deadline: Deadline | None = None
        self._is_looking = False
        self._wall = wall()
        self._steady = now()

    def add(self, entry: ScheduledTask, cron: Cron, since: float) -> None:
        """Offer the runs that are due after `since`, Unix seconds; again: from an earlier one."""
        self._crons[entry] = cron
        entry.next_due = cron.next_after(since)
        if not self._is_looking:
            self._arm()

    def remove(self, entry: ScheduledTask) -> None:
        self._crons.pop(entry, None)

    def stop(self) -> None:
        self._crons.clear()
        if self._deadline is not None:
            self._deadline.cancel()

    def _arm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        dues = [entry.next_due for entry in self._crons if entry.next_due is not None]
        if dues:
            wait = min(max(min(dues) - wall(), _SHORTEST_S), self._settings.look_s)
            self._deadline = self._hub.deadlines.add(now() + wait, self._look)

    def _look(self) -> None:
        """In the hub."""
        moment, steady = wall(), now()
        jump = (moment - self._wall) - (steady - self._steady)
        self._wall, self._steady = moment, steady
        if jump < -CORRECTION_S:
            logger.warning(
                "the clock was set back by %s: cron tasks go by its new time at once",
                spoken(-jump),
            )
            for entry, cron in self._crons.items():
                entry.next_due = cron.next_after(moment)
        self._is_looking = True
        try:
            for entry, cron in list(self._crons.items()):
                if entry in self._crons:
                    self._offer_due(entry, cron, moment)
        finally:
            self._is_looking = False
            self._arm()

    def _offer_due(self, entry: ScheduledTask, cron: Cron, moment: float) -> None:
        """Offer what is due, and what the task's policy says of what was missed."""
        dues: list[float] = []
        due = entry.next_due
        while due is not None and due <= moment and len(dues) < _MOST_MISSED:
            dues.append(due)
            due = cron.next_after(due)
        if not dues:
            return
        are_more = due is not None and due <= moment
        if are_more:  # than anybody counts
            due = cron.next_after(moment)
        entry.next_due = due
        on_time = (
            [dues.pop()] if not are_more and moment - dues[-1] <= self._settings.late_s else []
        )
        self._catch_up(entry, dues, are_more, superseded=bool(on_time))
        for each in on_time:
            entry.offer(each, may_wait=bool(dues) and entry.missed == "all")

    def _catch_up(
        self, entry: ScheduledTask, missed: list[float], are_more: bool, *, superseded: bool
    ) -> None:
        if not missed:
            return
        chosen = missed if entry.missed == "all" else []
        if entry.missed == "once" and not superseded:
            chosen = missed[-1:]
        entry.note_missed(len(missed) - len(chosen))
        logger.info(
            "%s: %s%d runs were due while nothing could run them, %d of them run now",
            entry.name,
            "more than " if are_more else "",
            len(missed),
            len(chosen),
            extra={"job": entry.name},
        )
        for due in chosen:
            entry.offer(due, may_wait=True)
