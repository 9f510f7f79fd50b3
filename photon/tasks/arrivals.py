"""Jobs as an engine's worker brings them: by the task's name, with arguments as JSON.

An engine keeps the jobs, counts their attempts, and waits between them; what an attempt is, with
its deadline, its log lines and the failure hook, is the same for all of them, and for the queue of
this process: `run_attempt`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Never

from photon.runtime.cancel import CancelScope
from photon.runtime.errors import Cancelled
from photon.runtime.sync import Event
from photon.tasks.queue_errors import UnfitArguments
from photon.tasks.task import Job, Task, run_attempt

if TYPE_CHECKING:
    from photon.tasks.queued import QueuedTask


class TryAgain(Exception):
    """The attempt failed, and another one is to follow.   Attributes: delay_s: no sooner."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(f"it is to be tried again in {delay_s:.3f} s")
        self.delay_s = delay_s


class GivenUp(Exception):
    """The job failed, and no attempt is left."""


class CutOff(Exception):
    """The worker stopped, and took the job back before its end: it is to be run again, soon."""


class Arrivals:
    """Runs what arrives, and knows what runs."""

    def __init__(self) -> None:
        self._running: dict[Job, CancelScope] = {}
        self._cut_off: set[Job] | None = None  # those that were; None as long as none is
        self._idle: Event | None = None  # somebody waits for it

    @property
    def busy(self) -> int:
        """How many jobs run now."""
        return len(self._running)

    def run(
        self,
        task: QueuedTask[..., Any],
        id: str,
        arguments: Mapping[str, Any],
        failed_attempts: int,
    ) -> None:
        """One attempt, in the greenlet of the caller.

        What the function raises is logged here; the engine is told what to do with the job.

        Args: id: of the job; failed_attempts: how many there were.
        Raises: TryAgain; GivenUp; CutOff.
        """
        job = _job_of(task, id, arguments)
        job.attempt = failed_attempts
        with CancelScope() as scope:
            if self._cut_off is not None:
                raise CutOff
            self._running[job] = scope
            try:
                delay_s = run_attempt(job)
            except Cancelled as error:
                if error.scope is not scope:
                    raise
                raise CutOff from None
            finally:
                del self._running[job]
                if self._idle is not None and not self._running:
                    self._idle.set()
        if delay_s is not None:
            raise TryAgain(delay_s)
        if job.state != "done":
            raise GivenUp

    def wait_idle(self) -> None:
        """Wait until none runs. Bound it with `move_on_after`."""
        while self._running:
            self._idle = Event()
            self._idle.wait()

    def cut_off(self) -> int:
        """Raise `Cancelled` where each job waits; none begins any more.

        Returns: how many were cut off, by this call and those before.
        """
        if self._cut_off is None:
            self._cut_off = set()
        for job, scope in list(self._running.items()):
            if job not in self._cut_off:
                self._cut_off.add(job)
                job.log(logging.WARNING, "is cut off, as the worker stops; it will be run again")
            scope.cancel("the worker stops")
        return len(self._cut_off)

    def interrupt(self, id: str) -> None:
        """Raise `Cancelled` where the job of this id waits."""
        for job, scope in list(self._running.items()):
            if job.id == id:
                scope.cancel("somebody had it aborted")

    def __repr__(self) -> str:
        return f"<Arrivals: {self.busy} run>"


def _job_of(task: QueuedTask[..., Any], id: str, arguments: Mapping[str, Any]) -> Job:
    try:
        args, kwargs = task.arguments.decode(arguments)
    except UnfitArguments as error:
        # A failure like any other, for another version of the application may be on its way.
        return Job(_failing(task, error), (), arguments, id=id)
    return Job(task, args, kwargs, id=id)


def _failing(task: QueuedTask[..., Any], error: UnfitArguments) -> Task[..., Never]:
    def refuse(**arguments: Any) -> Never:
        raise error

    return Task(refuse, name=task.name, options=task.options)
