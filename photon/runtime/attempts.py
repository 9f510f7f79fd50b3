"""The attempts at one call or block: what became of them, and whether there is another one."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

import msgspec

from photon.runtime.cancel import time_left
from photon.runtime.clock import now
from photon.runtime.greenlets import sleep
from photon.runtime.guarding import brief, is_wholly, name_of, tell

if TYPE_CHECKING:
    from photon.runtime.retry import Retry

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


def log_attempt(what: Retrying) -> None:
    """What is done with it when no hook was given."""
    of = "" if what.attempts is None else f" of {what.attempts}"
    logger.warning(
        "%s: attempt %d%s failed, the next one in %.3g s: %s",
        what.name,
        what.attempt,
        of,
        what.delay_s,
        brief(what.error),
    )


class Attempt:
    """One attempt at a block.   Attributes: number: the first is 1."""

    __slots__ = ("_course", "_delay", "_state", "number")

    def __init__(self, course: Course) -> None:
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

    def waits_for_next(self) -> bool:
        """Wait, if there is to be another one.   Raises: RuntimeError, if this was not entered."""
        if self._state == "new":
            raise RuntimeError("an attempt was not entered; write `with attempt:` in the loop")
        if self._delay is not None:
            self._course.wait(self._delay)
        return self._delay is not None

    def __repr__(self) -> str:
        return f"<Attempt {self.number} {self._state}>"


class Course:
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
