"""`Scheduler`: the functions of an application that run again and again, while it runs.

@scheduler.every("30s")
def sweep(): ...

@scheduler.cron("0 4 * * *", timezone="Europe/Berlin")
def back_up(): ...

with scheduler.running():
    ...
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from msgspec import Struct

from photon.runtime.clock import now, wall
from photon.runtime.hints import meant
from photon.runtime.hub import current_hub
from photon.runtime.patience import patience
from photon.runtime.region import Region, region_of
from photon.tasks.checking import check_function, check_no_arguments, known_options, shown
from photon.tasks.cron import Cron
from photon.tasks.errors import DuplicateTask, ScheduleError, TaskError
from photon.tasks.options import OnFailure, task_options
from photon.tasks.periods import Period, spoken
from photon.tasks.schedule import Every, Missed, OncePer, Overlap
from photon.tasks.scheduled import ScheduledTask
from photon.tasks.settings import TaskSettings
from photon.tasks.task import Job, Task
from photon.tasks.ticking import Ticker, Watch
from photon.tasks.timers import Timer, drop_timers

if TYPE_CHECKING:
    from photon.tasks.election import Elector

F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger("photon.tasks")


class CutOff(Struct, frozen=True, kw_only=True):
    """A run that did not end in time.

    Attributes:
        place: where it waited, such as "at shop.py:12 in sweep".
        has_ended: whether it did when it was cancelled.
    """

    name: str
    id: str
    duration_s: float
    place: str
    has_ended: bool

    def __str__(self) -> str:
        ended = "" if self.has_ended else ", and does not end"
        return f"{self.name} {self.place or '(not begun)'} after {spoken(self.duration_s)}{ended}"


class Report(Struct, frozen=True, kw_only=True):
    """What became of an application's tasks when it stopped.

    Attributes:
        cut_off: runs that did not end within `drain_s`.
        never_ran: of each task the number of runs that waited for others.
        timers: of `spawn_after`, that were not due yet.
    """

    cut_off: list[CutOff]
    never_ran: dict[str, int]
    timers: list[Timer]


class SchedulerStatistics(Struct, frozen=True, kw_only=True):
    """Counts: tasks that are registered, runs that go on, and runs that wait for others."""

    tasks: int
    running: int
    waiting: int


class Scheduler:
    """Runs functions by their schedules, in a region.

    Args: settings: of all its tasks.
    Attributes:
        tasks: what is registered, by name, in that order.
        machine: decides among the workers of this machine; None when this is the only one.
        cluster: decides among those of all machines.
        report: what became of the tasks when it last stopped.
    """

    def __init__(self, settings: TaskSettings | None = None) -> None:
        self.settings = settings or TaskSettings()
        self.tasks: dict[str, ScheduledTask] = {}
        self.machine: Elector | None = None
        self.cluster: Elector | None = None
        self.report: Report | None = None
        self._region: Region | None = None
        self._start = 0.0
        self._tickers: dict[ScheduledTask, Ticker] = {}
        self._watch: Watch | None = None

    # Registering...

    @known_options("@app.every")
    def every(
        self,
        period: Period | None = None,
        *,
        jitter: Period = 0.0,
        run_on_start: bool = False,
        overlap: Overlap = "skip",
        once_per: OncePer = "worker",
        timeout: Period | None = None,
        retries: int = 0,
        backoff: Period | Callable[[int], float] = 1.0,
        on_failure: OnFailure | None = None,
        name: str | None = None,
    ) -> Callable[[F], F]:
        """Have a function run every so often, counted from the start of the application.

        Args:
            period: seconds, a text such as "30s" or "5m", or a timedelta.
            jitter: each run is put off by a random time below it, so that many do not run at once.
            run_on_start: whether it runs at the start, too.
            overlap: what is done when the run before still goes on: "skip" this one; "queue" it; or
                run both, "concurrent".
            once_per: "worker": each process runs it; "machine", "cluster": one of them does.
            timeout: what each attempt may take; then it is stopped where it waits.
            retries: how often it is tried again when it failed or timed out.
            backoff: before the second attempt, doubled before each further one; a part of each is
                left to chance. Or a function of the number of the attempt that failed.
            on_failure: called as `on_failure(job, error)` when no attempt is left.
            name: for logs and locks; "module.qualname" when left out.
        Returns: a decorator that gives the function back as it was.
        Raises: ScheduleError, TaskError, DuplicateTask.
        """
        _check_called("every", period, 'every(30), or every("5m")')
        assert period is not None
        schedule = Every(period, jitter, run_on_start)
        options = task_options(
            "@app.every", timeout=timeout, retries=retries, backoff=backoff, on_failure=on_failure
        )
        _check_choices("every", overlap=(overlap, Overlap), once_per=(once_per, OncePer))

        def register(fn: F) -> F:
            _check_fn(fn, "@app.every")
            task = Task(fn, name=name, options=options)
            self._add(task, schedule, overlap=overlap, once_per=once_per)
            return fn

        return register

    @known_options("@app.cron")
    def cron(
        self,
        expression: str | None = None,
        *,
        timezone: str | None = None,
        overlap: Overlap = "skip",
        missed: Missed = "skip",
        once_per: OncePer = "machine",
        timeout: Period | None = None,
        retries: int = 0,
        backoff: Period | Callable[[int], float] = 1.0,
        on_failure: OnFailure | None = None,
        name: str | None = None,
    ) -> Callable[[F], F]:
        """Have a function run when a cron expression says so.

        Args:
            expression: "minute hour day-of-month month day-of-week", see `Cron`.
            timezone: such as "Europe/Berlin"; that of `TaskSettings`, UTC, when left out.
            missed: what is done about runs that were due while nothing could run them, because
                the machine slept, the clock jumped, or, where an elector remembers them, the
                application did not run: "skip" them, run "once" for all of them, or "all".
            once_per: "machine": one of its workers runs it; "cluster": one of all; or "worker".
            overlap, timeout, retries, backoff, on_failure, name: as of `every`.
        Returns: a decorator that gives the function back as it was.
        Raises: ScheduleError, TaskError, DuplicateTask.
        """
        _check_called("cron", expression, 'cron("*/5 * * * *")')
        assert expression is not None
        schedule = Cron(expression, self.settings.timezone if timezone is None else timezone)
        options = task_options(
            "@app.cron", timeout=timeout, retries=retries, backoff=backoff, on_failure=on_failure
        )
        _check_choices(
            "cron",
            overlap=(overlap, Overlap),
            missed=(missed, Missed),
            once_per=(once_per, OncePer),
        )

        def register(fn: F) -> F:
            _check_fn(fn, "@app.cron")
            task = Task(fn, name=name, options=options)
            self._add(task, schedule, overlap=overlap, missed=missed, once_per=once_per)
            return fn

        return register

    def _add(
        self,
        task: Task[..., Any],
        schedule: Every | Cron,
        *,
        overlap: Overlap,
        once_per: OncePer,
        missed: Missed = "skip",
    ) -> None:
        known = self.tasks.get(task.name)
        if known is not None:
            raise DuplicateTask(
                f"two tasks are named {task.name!r}: {shown(known.task.fn)} {known.schedule}, and "
                f"{shown(task.fn)} {schedule}; give one of them another name="
            )
        entry = ScheduledTask(
            task, schedule, self.settings, overlap=overlap, missed=missed, once_per=once_per
        )
        entry.on_cancel = self._on_cancel
        self.tasks[task.name] = entry
        if self._region is not None:
            self._open(entry)

    # Looking at it...

    @property
    def jobs(self) -> list[Job]:
        """The runs that go on."""
        return [job for entry in self.tasks.values() for job in entry.running]

    @property
    def is_running(self) -> bool:
        return self._region is not None

    def statistics(self) -> SchedulerStatistics:
        each = [entry.statistics() for entry in self.tasks.values()]
        return SchedulerStatistics(
            tasks=len(each),
            running=sum(counts.running for counts in each),
            waiting=sum(counts.waiting for counts in each),
        )

    def __repr__(self) -> str:
        state = "running" if self.is_running else "stopped"
        return f"<Scheduler {state}, {len(self.tasks)} tasks, {len(self.jobs)} jobs>"

    # Its life...

    @contextmanager
    def running(self, region: Region | None = None) -> Iterator[Scheduler]:
        """The time in which runs begin.

        At its end nothing new begins, those that go on get `drain_s`, are then cancelled where
        they wait, and what was lost is logged and kept in `report`: runs that were cut off, runs
        that waited for others, and timers of `spawn_after`.

        Args: region: where they run; that of `spawn` when left out.
        Raises: RuntimeError, ScheduleError.
        """
        if self._region is not None:
            raise RuntimeError(f"{self!r} is running already")
        for entry in self.tasks.values():
            self._elector_of(entry)  # refused before anything runs
        try:
            self._begin(region or region_of(current_hub()))
            yield self
        finally:
            self._end()

    def _begin(self, region: Region) -> None:
        self._region = region
        self._start = now()
        self._watch = Watch(current_hub(), self.settings)
        for entry in self.tasks.values():
            self._open(entry)

    def _open(self, entry: ScheduledTask) -> None:
        if entry.is_cancelled:
            return
        assert self._region is not None
        assert self._watch is not None
        elector = self._elector_of(entry)
        entry.open(self._region, elector)
        schedule = entry.schedule
        if isinstance(schedule, Every):
            self._tickers[entry] = Ticker(current_hub(), entry, schedule, self._start)
        else:
            self._watch.add(entry, schedule, wall())
            if elector is not None and entry.missed != "skip":
                self._region.spawn(self._look_back, self._watch, entry, schedule, elector)

    def _elector_of(self, entry: ScheduledTask) -> Elector | None:
        if entry.once_per == "cluster" and self.cluster is None:
            raise ScheduleError(
                f"{shown(entry.task.fn)} runs once per cluster, and nothing decides among its "
                "workers: set the scheduler's `cluster`, such as to PostgresElector(url, 'shop')"
            )
        return {"worker": None, "machine": self.machine, "cluster": self.cluster}[entry.once_per]

    def _look_back(self, watch: Watch, entry: ScheduledTask, cron: Cron, elector: Elector) -> None:
        """Have it catch up with what was due while the application did not run."""
        try:
            last = elector.last(entry.name)
        except Exception:
            logger.exception("%s: the last run is not known, so none is caught up", entry.name)
            return
        if last is not None and last < wall() and watch is self._watch and not entry.is_cancelled:
            watch.add(entry, cron, last)

    def _on_cancel(self, entry: ScheduledTask) -> None:
        ticker = self._tickers.pop(entry, None)
        if ticker is not None:
            ticker.stop()
        if self._watch is not None:
            self._watch.remove(entry)

    def _end(self) -> None:
        assert self._region is not None
        assert self._watch is not None
        region, self._region = self._region, None
        for ticker in self._tickers.values():
            ticker.stop()
        self._tickers.clear()
        self._watch.stop()
        self._watch = None
        never_ran = {entry.name: entry.close() for entry in self.tasks.values()}
        timers = drop_timers(region)
        cut_off = self._drain()
        self.report = Report(
            cut_off=cut_off,
            never_ran={name: count for name, count in never_ran.items() if count},
            timers=timers,
        )
        self._tell(self.report)

    def _drain(self) -> list[CutOff]:
        """Wait for the runs that go on, and cancel those that take too long."""
        jobs = self.jobs
        with patience(self.settings.drain_s):
            for job in jobs:
                job.join()
        late = [(job, job.where) for job in jobs if not job.is_over]
        for job, _ in late:
            job.cancel("the application stops")
        with patience(self.settings.cancel_s, for_cleanup=True):
            for job, _ in late:
                job.join()
        return [
            CutOff(
                name=job.name,
                id=job.id,
                duration_s=job.duration_s or 0.0,
                place=place,
                has_ended=job.is_over,
            )
            for job, place in late
        ]

    def _tell(self, report: Report) -> None:
        if report.cut_off:
            logger.warning(
                "%d jobs were cut off %s after the stop: %s",
                len(report.cut_off),
                spoken(self.settings.drain_s),
                "; ".join(map(str, report.cut_off)),
            )
        if report.never_ran:
            told = ", ".join(f"{name} ({count})" for name, count in report.never_ran.items())
            logger.warning("runs that waited for others never ran: %s", told)


# What is refused at once...


def _check_called(decorator: str, given: object, example: str) -> None:
    """Raises: TaskError, as after `@app.every` without parentheses."""
    if given is None or callable(given):
        above = f" above {shown(given)}" if callable(given) else ""
        raise TaskError(f"@app.{decorator}{above} does not say when: write @app.{example}")


def _check_fn(fn: Any, decorator: str) -> None:
    check_function(fn, f"what {decorator} runs")
    check_no_arguments(fn, decorator)


def _check_choices(decorator: str, **given: tuple[str, Any]) -> None:
    for option, (value, kind) in given.items():
        known = get_args(kind)
        if value not in known:
            raise TaskError(
                f"@app.{decorator}: there is no {option}={value!r}{meant(str(value), known)}"
            )
