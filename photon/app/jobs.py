"""What an application does beside answering: timers, cron jobs, and tasks that can be sent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photon.runtime.region import Region
    from photon.tasks.queue import Queue
    from photon.tasks.registry import Tasks
    from photon.tasks.scheduler import Scheduler
    from photon.tasks.settings import TaskSettings


class Jobs:
    """What has a schedule and sends tasks. Both are made when somebody asks for them."""

    _scheduler: Scheduler | None
    _tasks: Tasks | None
    _queue_given: Queue | str | None
    _task_settings: TaskSettings | None

    @property
    def scheduler(self) -> Scheduler:
        """What runs the functions of `every` and `cron`; list, run and cancel them here."""
        if self._scheduler is None:
            from photon.tasks.scheduler import Scheduler
            from photon.tasks.settings import TaskSettings

            self._scheduler = Scheduler(self._task_settings or TaskSettings())
        return self._scheduler

    @property
    def tasks(self) -> Tasks:
        """The functions of `task` by name, and their queue."""
        if self._tasks is None:
            from photon.tasks.registry import Tasks

            self._tasks = Tasks(self._queue_given)
        return self._tasks

    @property
    def every(self) -> Callable[..., Any]:
        """Have a function called again and again: `@app.every(30)`; see `Scheduler.every`."""
        return self.scheduler.every

    @property
    def cron(self) -> Callable[..., Any]:
        """Have a function called by a calendar: `@app.cron("*/5 * * * *")`; see
        `Scheduler.cron`."""
        return self.scheduler.cron

    @property
    def task(self) -> Callable[..., Any]:
        """Make a function one that can be sent: `@app.task`, `fn.send(1)`; see `Tasks.task`."""
        return self.tasks.task

    def _open_jobs(self, region: Region, stack: ExitStack) -> None:
        """Start what has a schedule, until `stack` is left."""
        if self._tasks is not None:
            self._tasks.check()
        if self._scheduler is not None:
            stack.enter_context(self._scheduler.running(region))
