"""What an application does beside answering: timers, cron jobs, and tasks that can be sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ParamSpec, TypedDict, TypeVar, Unpack, overload

from msgspec.structs import asdict

from photon.runtime.clock import now

if TYPE_CHECKING:
    from photon.runtime.region import Region
    from photon.tasks.options import OnFailure
    from photon.tasks.periods import Period
    from photon.tasks.queue import Queue
    from photon.tasks.queued import QueuedTask
    from photon.tasks.registry import Tasks
    from photon.tasks.schedule import Missed, OncePer, Overlap
    from photon.tasks.scheduler import Scheduler
    from photon.tasks.settings import TaskSettings


P = ParamSpec("P")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class ScheduleOptions(TypedDict, total=False):
    """What can be said of any function with a schedule; see `Scheduler.every`."""

    overlap: Overlap
    once_per: OncePer
    timeout: Period | None
    retries: int
    backoff: Period | Callable[[int], float]
    on_failure: OnFailure | None
    name: str | None


class QueueOptions(TypedDict, total=False):
    """What can be said of a task; see `Tasks.task`."""

    name: str | None
    queue: str
    priority: int
    timeout: Period | None
    retries: int
    backoff: Period | Callable[[int], float]
    max_backoff: Period
    retry_on: type[Exception] | tuple[type[Exception], ...]
    on_failure: OnFailure | None


class Jobs:
    """What has a schedule and sends tasks. Both are made when somebody asks for them.

    Attributes: runs_schedules: whether timers and cron jobs run here; not in a `photon worker`.
    """

    runs_schedules = True

    _scheduler: Scheduler | None
    _tasks: Tasks | None
    _queue_given: Queue | str | None
    _task_settings: TaskSettings
    _ends_since: float | None = None

    @property
    def scheduler(self) -> Scheduler:
        """What runs the functions of `every` and `cron`; list, run and cancel them here."""
        if self._scheduler is None:
            from photon.tasks.scheduler import Scheduler

            self._scheduler = Scheduler(self._task_settings)
        return self._scheduler

    @property
    def tasks(self) -> Tasks:
        """The functions of `task` by name, and their queue."""
        if self._tasks is None:
            from photon.tasks.registry import Tasks

            self._tasks = Tasks(self._queue_given)
        return self._tasks

    def every(
        self,
        period: Period | None = None,
        *,
        jitter: Period = 0.0,
        run_on_start: bool = False,
        **options: Unpack[ScheduleOptions],
    ) -> Callable[[F], F]:
        """Have a function run every so often: `@app.every(30)`, `@app.every("5m")`.

        Args: see `Scheduler.every`.   Raises: ScheduleError, TaskError, DuplicateTask.
        """
        return self.scheduler.every(period, jitter=jitter, run_on_start=run_on_start, **options)

    def cron(
        self,
        expression: str | None = None,
        *,
        timezone: str | None = None,
        missed: Missed = "skip",
        **options: Unpack[ScheduleOptions],
    ) -> Callable[[F], F]:
        """Have a function run when a cron expression says so: `@app.cron("*/5 * * * *")`.

        Args: see `Scheduler.cron`.   Raises: ScheduleError, TaskError, DuplicateTask.
        """
        return self.scheduler.cron(expression, timezone=timezone, missed=missed, **options)

    @overload
    def task(self, fn: Callable[P, T], /) -> QueuedTask[P, T]: ...
    @overload
    def task(
        self, /, **options: Unpack[QueueOptions]
    ) -> Callable[[Callable[P, T]], QueuedTask[P, T]]: ...
    def task(self, fn: Any = None, /, **options: Any) -> Any:
        """Make a function one that can be sent: `@app.task`, then `fn.send(1)`.

        Args: see `Tasks.task`.   Raises: TaskError, DuplicateTask.
        """
        return self.tasks.task(fn, **options)

    def statistics(self) -> dict[str, Any]:
        """What it does beside answering, in numbers: for `photon top`. Nothing is made for it.

        Returns: "schedules": by name, the counts of `ScheduledTask.statistics`; "queue": those of
            its queue, if that keeps any.
        """
        scheduled = {} if self._scheduler is None else self._scheduler.tasks
        count = None if self._tasks is None else getattr(self._tasks.queue, "statistics", None)
        return {
            "schedules": {name: asdict(entry.statistics()) for name, entry in scheduled.items()},
            "queue": None if count is None else count(),
        }

    def _open_jobs(self, region: Region, stack: ExitStack) -> None:
        """Start what has a schedule, until `stack` is left; then end that, and the queue."""
        if self._tasks is not None:
            self._tasks.check()
        self._ends_since = None
        stack.callback(self._close_region, region)
        stack.callback(self._close_queue)
        if self._scheduler is not None and self.runs_schedules:
            stack.enter_context(self._scheduler.running(region))
        # Left first of all: scheduled, queued and spawned functions have the same time to end in,
        # and not one after the other.
        stack.callback(self._note_end)

    def _note_end(self) -> float:
        """When the end began, on the runtime clock: now, if it has not begun before."""
        if self._ends_since is None:
            self._ends_since = now()
        return self._ends_since

    def _close_queue(self) -> None:
        if self._tasks is not None:
            settings = self._task_settings
            left_s = max(0.0, self._note_end() + settings.drain_s - now())
            self._tasks.queue.close(left_s, settings.cancel_s)

    def _close_region(self, region: Region) -> None:
        settings = self._task_settings
        region.close(settings.drain_s, since=self._note_end(), cleanup_s=settings.cancel_s)
