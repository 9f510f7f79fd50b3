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

import logging
import math
from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps
from random import random
from types import TracebackType
from typing import ParamSpec, TypeVar, overload

import msgspec

from photon.runtime.cancel import time_left
from photon.runtime.clock import now
from photon.runtime.greenlets import sleep
from photon.runtime.guarding import (
    Errors,
    brief,
    exception_classes,
    is_wholly,
    name_of,
    need_plain_function,
    tell,
)

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("photon.runtime")


class Retrying(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that failed and that another one will follow, as `on_retry` is told.

    Attributes:
        name: of the function, or "block".
        attempt: the number of the attempt that failed; the first is 1.
        attempts: how many there may be; None: any number.
        error: what it raised.
        delay_s: how long is waited before the next one.
        elapsed_s: since the first one began.
    """

    name: str
    attempt: int
    attempts: int | None
    error: Exception
    delay_s: float
    elapsed_s: float


def _log(what: Retrying) -> None:
    of = "" if what.attempts is None else f" of {what.attempts}"
    logger.warning(
        "%s: attempt %d%s failed, the next one in %.3g s: %s",
        what.name,
        what.attempt,
        of,
        what.delay_s,
        brief(what.error),
    )


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
    on_retry: Callable[[Retrying], object] = _log,
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
    on_retry: Callable[[Retrying], object] = _log,
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
    on_retry: Callable[[Retrying], object] = _log,
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
        on_retry: Callable[[Retrying], object] = _log,
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
                    course = _Course(self, fn, began)
                delay = course.delay_after(error)
                if delay is None:
                    raise
            course.wait(delay)

    def __iter__(self) -> Iterator[Attempt]:
        """Attempts at a block, each to be entered by `with`; the loop ends after one that works."""
        course = _Course(self, None, now())
        while True:
            attempt = Attempt(course)
            yield attempt
            if attempt._state == "new":
                raise RuntimeError("an attempt was not entered; write `with attempt:` in the loop")
            if attempt._delay is None:
                return
            course.wait(attempt._delay)

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


class Attempt:
    """One attempt at a block.   Attributes: number: the first is 1."""

    __slots__ = ("_course", "_delay", "_state", "number")

    def __init__(self, course: _Course) -> None:
        self._course = course
        self._state = "new"
        self._delay: float | None = None
        self.number = course.failed + 1

    def __enter__(self) -> Attempt:
        if self._state != "new":
            raise RuntimeError("an attempt is entered once; the loop gives the next one")
        self._state = "running"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._state = "done" if error is None else "failed"
        if isinstance(error, Exception):
            self._delay = self._course.delay_after(error)
        return self._delay is not None

    def __repr__(self) -> str:
        return f"<Attempt {self.number} {self._state}>"


class _Course:
    """The attempts at one call, and what became of them."""

    __slots__ = ("_attempt_began", "_began", "_fn", "_policy", "_story", "failed")

    # The last ones are enough to tell the story; any number of attempts must not be kept.
    LONGEST_STORY = 20

    def __init__(self, policy: Retry, fn: Callable[..., object] | None, began: float) -> None:
        self._policy = policy
        self._fn = fn
        self._began = self._attempt_began = began
        self._story: deque[str] = deque(maxlen=self.LONGEST_STORY)
        self.failed = 0

    def delay_after(self, error: Exception) -> float | None:
        """How long to wait before the next attempt; None when `error` is to be raised.

        Then it carries notes on the attempts, unless there is no more to say than it says itself.
        """
        self.failed += 1
        moment = now()
        delay = 0.0
        why_not = self._why_no_more(error)
        if why_not is None:
            delay = self._policy.delay_after(self.failed, error)
            why_not = self._why_too_late(moment, delay)
        elif self.failed == 1:
            return None
        if why_not is not None:
            self._note(moment, error, "raised")
            self._add_notes(error, f"given up after {moment - self._began:.3g} s: {why_not}")
            return None
        self._note(moment, error, f"waited {delay:.3g} s")
        self._tell(error, delay, moment)
        return delay

    def wait(self, delay: float) -> None:
        """Wait until the next attempt begins."""
        sleep(delay)
        self._attempt_began = now()

    def _why_no_more(self, error: Exception) -> str | None:
        policy = self._policy
        if not is_wholly(error, policy.on):
            return "this is not tried again"
        if policy.attempts is not None and self.failed >= policy.attempts:
            return "no attempt is left"
        if policy.should_retry is not None and not policy.should_retry(error):
            return "should_retry said no"
        return None

    def _why_too_late(self, moment: float, delay: float) -> str | None:
        begin = f"the next attempt would begin in {delay:.3g} s"
        budget = self._policy.budget_s
        if budget is not None and moment - self._began + delay > budget:
            return f"{begin}, after the budget of {budget:g} s"
        left = time_left()
        if left is not None and delay >= left:
            return f"{begin}, and the deadline is in {max(left, 0.0):.3g} s"
        return None

    def _tell(self, error: Exception, delay: float, moment: float) -> None:
        what = Retrying(
            name=self._name(),
            attempt=self.failed,
            attempts=self._policy.attempts,
            error=error,
            delay_s=delay,
            elapsed_s=moment - self._began,
        )
        tell(self._policy.on_retry, what)

    # The story, for whoever reads the last traceback...

    def _add_notes(self, error: Exception, end: str) -> None:
        left_out = self.failed - len(self._story)
        if left_out:
            error.add_note(f"({left_out} earlier attempts are left out)")
        for line in self._story:
            error.add_note(line)
        error.add_note(f"{self._name()}: {end}")

    def _note(self, moment: float, error: Exception, then: str) -> None:
        attempts = self._policy.attempts
        of = "" if attempts is None else f" of {attempts}"
        took = moment - self._attempt_began
        self._story.append(
            f"attempt {self.failed}{of} failed after {took:.3g} s, {then}: {brief(error)}"
        )

    def _name(self) -> str:
        return "block" if self._fn is None else name_of(self._fn)


def _asked_for(error: BaseException) -> float:
    """The seconds that an exception asks for in `retry_after`; 0.0 when it does not."""
    asked = getattr(error, "retry_after", None)
    if isinstance(asked, timedelta):
        asked = asked.total_seconds()
    if isinstance(asked, int | float) and math.isfinite(asked) and asked > 0:
        return float(asked)
    return 0.0
