"""A function that can run later (`Task`), and one run of it (`Job`).

    pending ──▶ running ──▶ done | failed | timed out | cancelled
       └──────────────────────────────────────────────▶ cancelled

`run_job` is the one way in which a job runs, whoever asked for it: the scheduler, a queue's worker,
or a request that put something off. It never raises but Cancelled, which is not its to swallow.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from contextvars import Context, ContextVar
from types import FrameType
from typing import Any, Generic, Literal, ParamSpec, Protocol, TypeVar

from photon.http.identity import new_request_id
from photon.runtime.cancel import move_on_after
from photon.runtime.clock import now, wall
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep
from photon.runtime.guarding import brief
from photon.runtime.source import place_of
from photon.tasks.checking import check_function, name_of
from photon.tasks.errors import JobTimedOut
from photon.tasks.options import TaskOptions
from photon.tasks.periods import spoken
from photon.tasks.places import stopped_at

P = ParamSpec("P")
T = TypeVar("T")

__all__ = ["Job", "JobState", "Task", "TaskOptions", "current_job", "run_job"]

JobState = Literal["pending", "running", "done", "failed", "timed out", "cancelled"]

logger = logging.getLogger("photon.tasks")

# What a hook that hangs may hold its job up, and with it what waits for the job.
HOOK_S = 30.0

_PLAIN = TaskOptions()

_current: ContextVar[Job | None] = ContextVar("photon_job", default=None)


def current_job() -> Job | None:
    """The job that the caller is part of; None outside of all jobs."""
    return _current.get()


class Task(Generic[P, T]):
    """A function that can run later; called it runs at once, as the function itself.

    Args:
        fn: a plain function.
        name: what logs and queues call it; "module.qualname" when left out.
    Attributes: name; fn; options.
    """

    def __init__(
        self, fn: Callable[P, T], *, name: str | None = None, options: TaskOptions | None = None
    ) -> None:
        check_function(fn, "a task")
        self.fn = fn
        self.name = name or name_of(fn)
        self.options = options or _PLAIN

    @property
    def place(self) -> str:
        """Where the function is, such as "shop.py:12"."""
        return place_of(self.fn)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.fn(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Task {self.name}>"


class Started(Protocol):
    """What a region gives for a function that it runs."""

    @property
    def where(self) -> str: ...
    def cancel(self, reason: str = "") -> None: ...
    def join(self) -> None: ...


class Job:
    """One run of a task, from when it is asked for to its end.

    Args:
        due: when it was to begin, in Unix seconds; None for as soon as it can.
        context: what it sees of context variables; None for a fresh one.
    Attributes:
        id: names it in logs; state: see above; attempt: the number of the current one, from 1.
        started_at: Unix seconds; None before. duration_s: until now, or until its end.
        result: what the function returned; error: what it raised last.
    """

    def __init__(
        self,
        task: Task[..., Any],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
        *,
        id: str | None = None,
        due: float | None = None,
        context: Context | None = None,
    ) -> None:
        self.task = task
        self.args = args
        self.kwargs = kwargs or {}
        self.id = id or new_request_id()
        self.due = due
        self.context = context
        self.state: JobState = "pending"
        self.attempt = 0
        self.started_at: float | None = None
        self.result: Any = None
        self.error: BaseException | None = None
        self.on_end: Callable[[Job], object] | None = None
        self.handle: Started | None = None
        self.extra: Mapping[str, object] = {}
        self._began: float | None = None
        self._took: float | None = None

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    @property
    def is_over(self) -> bool:
        return self.state not in ("pending", "running")

    @property
    def duration_s(self) -> float | None:
        """Seconds since it began, back-off included; None before that."""
        if self._took is not None or self._began is None:
            return self._took
        return now() - self._began

    @property
    def where(self) -> str:
        """Where it waits, such as "at shop.py:12 in sweep"; "" when it does not."""
        return "" if self.handle is None else self.handle.where

    def cancel(self, reason: str = "") -> None:
        """Raise `Cancelled` where it waits; before its start: never start it."""
        if self.is_over:
            return
        if self.handle is not None:
            self.handle.cancel(reason)
        if self.state == "pending":
            self.end("cancelled", Cancelled("scope", reason))

    def join(self) -> None:
        """Wait until it is over. Bound it with `move_on_after`."""
        if self.handle is not None:
            self.handle.join()

    def begin(self) -> None:
        """It starts."""
        self.state = "running"
        self.started_at = wall()
        self._began = now()

    def end(self, state: JobState, error: BaseException | None = None) -> None:
        """It is over; whoever wants to know is told, once."""
        if self.is_over:
            return
        self._took = self.duration_s
        self.state = state
        self.error = error
        told, self.on_end = self.on_end, None
        if told is not None:
            told(self)

    def log(
        self, level: int, message: str, *args: object, error: BaseException | bool | None = None
    ) -> None:
        """Write a line about this job, which carries its name and id as fields."""
        if not logger.isEnabledFor(level):
            return
        fields = {"job": self.name, "job_id": self.id, **self.extra}
        said = f"the job %s (%s) {message}"
        try:
            logger.log(level, said, self.name, self.id, *args, exc_info=error, extra=fields)
        except Cancelled:
            raise
        except BaseException:
            # A logger that fails (a full disk, a broken filter) must not take the job along.
            pass

    def described(self, frame: FrameType | None) -> dict[str, Any]:
        """For dumps: see `runtime.debug.who.Described`."""
        known: dict[str, Any] = {"kind": "job", "name": f"job {self.name}", "job_id": self.id}
        if self.attempt > 1:
            known["attempt"] = self.attempt
        if self.duration_s is not None:
            known["age_s"] = round(self.duration_s, 3)
        return known

    def __repr__(self) -> str:
        attempt = f", attempt {self.attempt}" if self.attempt > 1 else ""
        took = self.duration_s
        lasted = "" if took is None else f", {took:.3f} s"
        return f"<Job {self.name} {self.id} {self.state}{attempt}{lasted}>"


# Running one...


def run_job(job: Job) -> Job:
    """Run `job` to its end: its attempts, their deadlines and the waits between them.

    What the function raises is logged once and kept in the job, SystemExit too.

    Returns: the job.   Raises: Cancelled, when it was told to end; it is over then, too.
    """
    if job.state == "pending":
        (job.context or Context()).run(_run, job, _try_until_it_works)
    return job


def run_attempt(job: Job) -> float | None:
    """Run one attempt of `job`, for a queue that keeps jobs between their attempts.

    The number of attempts that were before it is set in `job.attempt` by the caller.

    Returns: seconds until the next attempt; None when the job is over.
    Raises: Cancelled, as `run_job`.
    """
    return (job.context or Context()).run(_run, job, _try_once)


def _run(job: Job, attempts: Callable[[Job], float | None]) -> float | None:
    _current.set(job)
    _tell_structlog(job)
    job.begin()
    try:
        return attempts(job)
    except Cancelled as error:
        if not job.is_over:  # else it was the hook that was stopped
            job.log(logging.INFO, "was stopped at %s: %s", stopped_at(error), error)
            job.end("cancelled", error)
        raise


def _try_until_it_works(job: Job) -> None:
    while (delay := _try_once(job)) is not None:
        sleep(delay)


def _try_once(job: Job) -> float | None:
    """One attempt.   Returns: how long to wait before the next one; None when it is over."""
    job.attempt += 1
    try:
        job.result = _attempt(job)
    except Cancelled:
        raise
    except BaseException as error:
        delay = _delay_after(job, error)
        if delay is None:
            fail_job(job, error)
        return delay
    job.end("done")
    job.log(logging.DEBUG, "took %s", spoken(job.duration_s or 0.0))
    return None


def _attempt(job: Job) -> Any:
    timeout_s = job.task.options.timeout_s
    if timeout_s is None:
        return job.task.fn(*job.args, **job.kwargs)
    with move_on_after(timeout_s) as scope:
        try:
            return job.task.fn(*job.args, **job.kwargs)
        except Cancelled as error:
            if error.scope is not scope:
                raise
            raise JobTimedOut(timeout_s, stopped_at(error)) from error


def _delay_after(job: Job, error: BaseException) -> float | None:
    """How long to wait before the next attempt; None when there is none."""
    options = job.task.options
    is_worth_it = isinstance(error, (options.retry_on, JobTimedOut))
    if job.attempt > options.retries or not is_worth_it:
        return None
    from photon.runtime.retry import Retry

    policy = Retry(on=options.retry_on, backoff=options.backoff, max_delay_s=options.max_backoff_s)
    try:
        delay = max(0.0, float(policy.delay_after(job.attempt, error)))
    except Exception:
        # A back-off of the user's that fails costs its job the further attempts, nothing else.
        job.log(logging.ERROR, "is not tried again: its backoff failed", error=True)
        return None
    job.log(
        logging.WARNING,
        "failed in attempt %d of %d, the next one in %s: %s",
        job.attempt,
        options.retries + 1,
        spoken(delay),
        brief(error),
    )
    return delay


def fail_job(job: Job, error: BaseException) -> None:
    """No attempt is left: log it, note it, and tell whoever wants to know."""
    timed_out = isinstance(error, JobTimedOut)
    attempts = f" after {job.attempt} attempts" if job.attempt > 1 else ""
    said = f"{'timed out' if timed_out else 'failed'}{attempts}: %s"
    job.log(logging.ERROR, said, brief(error), error=error)
    job.end("timed out" if timed_out else "failed", error)
    hook = job.task.options.on_failure
    if hook is not None:
        _call_hook(hook, job, error)


def _call_hook(hook: Callable[..., object], job: Job, error: BaseException) -> None:
    with move_on_after(HOOK_S) as scope:
        try:
            hook(job, error)
        except Cancelled:
            raise
        except BaseException as second:
            name = name_of(hook)
            job.log(logging.ERROR, "failed, and its on_failure %s did, too", name, error=second)
    if scope.cancelled_caught:
        job.log(logging.ERROR, "failed, and its on_failure took over %s", spoken(HOOK_S))


def _tell_structlog(job: Job) -> None:
    """Have what the job logs by structlog carry its name and id, where it is in use."""
    # Not `structlog` itself, which may be about to be imported.
    contextvars = sys.modules.get("structlog.contextvars")
    bind = getattr(contextvars, "bind_contextvars", None)
    if bind is not None:
        bind(job=job.name, job_id=job.id)
