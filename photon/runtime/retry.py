"""Trying again: `retry`, with exponential back-off and full jitter.

    @retry(on=ConnectionError)
    def load(id: int) -> Item: ...

    retry(on=ConnectionError, attempts=3).call(load, 7)     # the same for one call

    for attempt in retry(on=ConnectionError):               # and for a block
        with attempt:
            send(message)

What is tried again is named, always: to try again after a TypeError only hides it. A `Cancelled`
is never tried again, and no attempt is waited for that would begin after the caller's deadline
(`time_left`): then the last error is raised at once, while there is time to answer with it.

Prior art: stamina, whose defaults these are; Marc Brooker, "Exponential Backoff And Jitter" (AWS,
2015), for full jitter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps
from random import random
from typing import ParamSpec, TypeVar, overload

from photon.runtime.attempts import Attempt, Course, Retrying, log_attempt
from photon.runtime.clock import now
from photon.runtime.guarding import Errors, exception_classes, need_plain_function

P = ParamSpec("P")
T = TypeVar("T")


@overload
def retry(
    fn: Callable[P, T],
    *,
    on: Errors,
    attempts: int | None = 10,
    backoff: float | Callable[[int], float] = 0.1,
    max_delay_s: float = 5.0,
    jitter: float = 1.0,
    budget_s: float | None = 45.0,
    should_retry: Callable[[Exception], bool] | None = None,
    on_retry: Callable[[Retrying], object] = log_attempt,
) -> Callable[P, T]: ...
@overload
def retry(
    fn: None = None,
    *,
    on: Errors,
    attempts: int | None = 10,
    backoff: float | Callable[[int], float] = 0.1,
    max_delay_s: float = 5.0,
    jitter: float = 1.0,
    budget_s: float | None = 45.0,
    should_retry: Callable[[Exception], bool] | None = None,
    on_retry: Callable[[Retrying], object] = log_attempt,
) -> Retry: ...
def retry(
    fn: Callable[P, T] | None = None,
    *,
    on: Errors = (),
    attempts: int | None = 10,
    backoff: float | Callable[[int], float] = 0.1,
    max_delay_s: float = 5.0,
    jitter: float = 1.0,
    budget_s: float | None = 45.0,
    should_retry: Callable[[Exception], bool] | None = None,
    on_retry: Callable[[Retrying], object] = log_attempt,
) -> Callable[P, T] | Retry:
    """Try again what failed.

    An exception with an attribute `retry_after` (seconds) is believed: that is waited, and the
    back-off on top, so that not everybody comes back in the same moment.

    Args:
        on: the exceptions after which another attempt is worth it. A group of exceptions, as a
            nursery raises it, counts when all in it do.
        attempts: how many at most, the first one included; None: any number.
        backoff: seconds before the second attempt, doubled before each further one; or a function
            that gives the seconds to wait after the attempt of that number.
        max_delay_s: the longest back-off.
        jitter: the share of the back-off that is left to chance: 1 is full jitter, 0 none.
        budget_s: no attempt begins later than this after the first one began; None: no limit. It
            does not interrupt an attempt: `fail_after` in the function does.
        should_retry: asked about each exception of `on`; a false answer raises it.
        on_retry: told of each attempt that another one will follow; without it that is logged.
    Returns: with `fn` the function that tries again; else a `Retry`: a decorator that can also be
        called (`.call(fn, ...)`) and looped over.
    Raises: what the last attempt raised, with notes on all of them.
    """
    policy = Retry(
        on=on,
        attempts=attempts,
        backoff=backoff,
        max_delay_s=max_delay_s,
        jitter=jitter,
        budget_s=budget_s,
        should_retry=should_retry,
        on_retry=on_retry,
    )
    return policy if fn is None else policy(fn)


class Retry:
    """When to try again, and how long to wait before; `retry` makes it. Use it any number of times.

    Args: as of `retry`.
    """

    __slots__ = (
        "attempts",
        "backoff",
        "budget_s",
        "jitter",
        "max_delay_s",
        "on",
        "on_retry",
        "should_retry",
    )

    def __init__(
        self,
        *,
        on: Errors,
        attempts: int | None = 10,
        backoff: float | Callable[[int], float] = 0.1,
        max_delay_s: float = 5.0,
        jitter: float = 1.0,
        budget_s: float | None = 45.0,
        should_retry: Callable[[Exception], bool] | None = None,
        on_retry: Callable[[Retrying], object] = log_attempt,
    ) -> None:
        self.on = exception_classes(on, "on", "@retry(on=ConnectionError)")
        if attempts is not None and attempts < 1:
            raise ValueError(f"attempts is {attempts}, but the first call is one, too: at least 1")
        if not 0 <= jitter <= 1:
            raise ValueError(f"jitter is a share of the back-off, from 0 to 1, not {jitter!r}")
        for name, seconds in (("max_delay_s", max_delay_s), ("budget_s", budget_s)):
            if seconds is not None and not seconds >= 0:
                raise ValueError(f"{name} is {seconds!r}, but a time to wait cannot be negative")
        if not callable(backoff) and not backoff >= 0:
            raise ValueError(f"backoff is {backoff!r}, but a time to wait cannot be negative")
        self.attempts = attempts
        self.backoff = backoff
        self.max_delay_s = max_delay_s
        self.jitter = jitter
        self.budget_s = budget_s
        self.should_retry = should_retry
        self.on_retry = on_retry

    def __call__(self, fn: Callable[P, T]) -> Callable[P, T]:
        """The function that tries again; it has the name and the signature of `fn`."""
        need_plain_function(fn, "retry")

        @wraps(fn)
        def tries_again(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.call(fn, *args, **kwargs)

        return tries_again

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `fn(*args, **kwargs)` returns, in the end.   Raises: what it raised last."""
        began = now()
        course = None
        while True:
            try:
                return fn(*args, **kwargs)
            except Exception as error:
                if course is None:
                    course = Course(self, fn, began)
                delay = course.delay_after(error)
                if delay is None:
                    raise
            course.wait(delay)

    def __iter__(self) -> Iterator[Attempt]:
        """Attempts at a block, each to be entered by `with`; the loop ends after one that works."""
        course = Course(self, None, now())
        while True:
            attempt = Attempt(course)
            yield attempt
            if not attempt.waits_for_next():
                return

    def delay_after(self, attempt: int, error: BaseException) -> float:
        """Seconds to wait when the attempt of this number (the first is 1) failed with `error`."""
        if callable(self.backoff):
            longest = min(self.backoff(attempt), self.max_delay_s)
            if not longest >= 0:
                raise ValueError(f"backoff gave {longest!r}, but a time to wait cannot be negative")
        else:
            # An exponent of 1024 is no number any more.
            longest = min(self.backoff * 2.0 ** min(attempt - 1, 1000), self.max_delay_s)
        return longest * (1.0 - self.jitter * random()) + _asked_for(error)

    def __repr__(self) -> str:
        names = " ".join(kind.__qualname__ for kind in self.on)
        attempts = "any number of" if self.attempts is None else self.attempts
        budget = "" if self.budget_s is None else f" within {self.budget_s:g} s"
        return f"<Retry on {names}: {attempts} attempts{budget}>"


def _asked_for(error: BaseException) -> float:
    """The seconds that an exception asks for in `retry_after`; 0.0 when it does not."""
    asked = getattr(error, "retry_after", None)
    if isinstance(asked, timedelta):
        asked = asked.total_seconds()
    if isinstance(asked, int | float) and math.isfinite(asked) and asked > 0:
        return float(asked)
    return 0.0
