"""Cancel scopes: a block of blocking code that can be told to end where it waits.

A scope belongs to the greenlet that entered it. When its deadline passes, or someone calls
`cancel()`, the hub raises `Cancelled(scope=...)` in that greenlet at the call where it waits, and
the scope that it names catches it on the way out. A scope that was left is out of reach: leaving
takes its deadline back, so nothing of it can hit what the greenlet does next.

Prior art: trio.CancelScope, trio.fail_after, trio.move_on_after.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from photon.runtime.clock import now
from photon.runtime.deadlines import Deadline
from photon.runtime.errors import Cancelled, CancelSource, DeadlineExceeded
from photon.runtime.hub import current_hub, getcurrent


class CancelScope:
    """A block that ends early when its deadline passes or when `cancel()` is called.

    Args: deadline: seconds on the runtime clock; None for no deadline.

    Attributes:
        cancel_called: whether the scope was told to end.
        cancelled_caught: whether the block was in fact interrupted. Read it after the block.
    """

    __slots__ = (
        "_entry",
        "_greenlet",
        "_hub",
        "_reason",
        "_source",
        "_turn",
        "cancel_called",
        "cancelled_caught",
        "deadline",
    )

    def __init__(self, *, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.cancel_called = False
        self.cancelled_caught = False
        self._greenlet: Any = None
        self._hub: Any = None
        self._turn = 0
        self._entry: Deadline | None = None
        self._source: CancelSource = "scope"
        self._reason = ""

    def __enter__(self) -> CancelScope:
        if self._hub is not None:
            raise RuntimeError("a CancelScope guards one block; make a new one for the next")
        self._hub = current_hub()
        self._greenlet = greenlet = getcurrent()
        self._turn = getattr(greenlet, "turn", 0)
        if self.cancel_called:
            self._hub.run_soon(self._deliver)
        elif self.deadline is not None:
            self._entry = self._hub.deadlines.add(self.deadline, self._expire)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._greenlet = None
        if self._entry is not None:
            self._entry.cancel()
        if isinstance(error, Cancelled) and error.scope is self:
            self.cancelled_caught = True
            return True
        return False

    def cancel(self, reason: str = "") -> None:
        """Tell the block to end, at the call where it waits or at the next one that does.

        From any greenlet of the same thread; a second call does nothing.
        """
        if not self.cancel_called:
            self.cancel_called = True
            self._reason = reason
            if self._greenlet is not None:
                self._hub.run_soon(self._deliver)

    def _expire(self) -> None:
        if not self.cancel_called:
            self.cancel_called = True
            self._source = "deadline"
            self._deliver()

    def _deliver(self) -> None:
        # In the hub, so the greenlet waits somewhere; None when the block is over.
        greenlet = self._greenlet
        if greenlet is None or greenlet.dead:
            return
        # In a generator that nobody closed a block outlives the job it began in: the job that
        # the carrier has now is not meant.
        if getattr(greenlet, "turn", 0) == self._turn:
            greenlet.throw(Cancelled(self._source, self._reason, scope=self))

    def __repr__(self) -> str:
        state = "cancelled" if self.cancel_called else "open"
        left = "" if self.deadline is None else f", {self.deadline - now():.3f} s left"
        return f"<CancelScope {state}{left}>"


def move_on_after(seconds: float) -> CancelScope:
    """Give a block `seconds`; when they are over it is interrupted where it waits and left.

    Returns: the scope; afterwards `scope.cancelled_caught` says whether time ran out.
    """
    return CancelScope(deadline=now() + seconds)


@contextmanager
def fail_after(seconds: float) -> Iterator[CancelScope]:
    """Give a block `seconds`, or raise.

    Raises: DeadlineExceeded (a TimeoutError), when the block was interrupted.
    """
    with move_on_after(seconds) as scope:
        yield scope
    if scope.cancelled_caught:
        raise DeadlineExceeded(seconds)
