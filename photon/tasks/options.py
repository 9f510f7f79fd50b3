"""How a task is run: its deadline, its further attempts, and who is told when it fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from photon.tasks.checking import shown
from photon.tasks.errors import TaskError
from photon.tasks.periods import Period, seconds_of

if TYPE_CHECKING:
    from photon.tasks.task import Job

Backoff = float | Callable[[int], float]
"""Seconds before the second attempt, doubled before each further one; or a function that gives
the seconds to wait after the attempt of that number (the first is 1)."""

OnFailure = Callable[["Job", BaseException], object]


class TaskOptions(Struct, frozen=True, kw_only=True):
    """How a task is run. `task_options` makes it of what users write, and checks it.

    Attributes:
        timeout_s: what each attempt may take; None for any time.
        retries: how often it is tried again after a failure or a time-out; 0 for never.
        backoff: see `Backoff`; each wait is of a length between 0 and that (full jitter).
        max_backoff_s: the longest of these waits.
        retry_on: what is worth another attempt; a time-out always is.
        on_failure: called as `on_failure(job, error)` when no attempt is left.
    """

    timeout_s: float | None = None
    retries: int = 0
    backoff: Backoff = 1.0
    max_backoff_s: float = 300.0
    retry_on: type[Exception] | tuple[type[Exception], ...] = Exception
    on_failure: OnFailure | None = None


def task_options(
    what: str,
    *,
    timeout: Period | None = None,
    retries: int = 0,
    backoff: Period | Callable[[int], float] = 1.0,
    max_backoff: Period = 300.0,
    retry_on: type[Exception] | tuple[type[Exception], ...] = Exception,
    on_failure: OnFailure | None = None,
) -> TaskOptions:
    """The options, of what a user wrote.

    Args: what: they are of, for messages: "@app.every". Lengths of time as of `Period`.
    Raises: ScheduleError, TaskError.
    """
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise TaskError(f"{what}: retries is {retries!r}; give a whole number, 0 for none")
    if on_failure is not None and not callable(on_failure):
        raise TaskError(
            f"{what}: on_failure is {shown(on_failure)}; give a function of a job and its error"
        )
    return TaskOptions(
        timeout_s=None if timeout is None else seconds_of(timeout, f"{what}: timeout"),
        retries=retries,
        backoff=(
            backoff if callable(backoff) else seconds_of(backoff, f"{what}: backoff", least=0.0)
        ),
        max_backoff_s=seconds_of(max_backoff, f"{what}: max_backoff", least=0.0),
        retry_on=_checked_exceptions(what, retry_on),
        on_failure=on_failure,
    )


def _checked_exceptions(what: str, given: Any) -> tuple[type[Exception], ...]:
    kinds = given if isinstance(given, tuple) else (given,)
    for kind in kinds:
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            raise TaskError(
                f"{what}: retry_on is {given!r}; give an Exception class, or a tuple of them"
            )
    return kinds
