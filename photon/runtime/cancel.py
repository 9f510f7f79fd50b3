"""Cancel scopes: a block of blocking code that can be told to end where it waits.

A scope belongs to the greenlet that entered it. When its deadline passes, or someone calls
`cancel()`, the hub raises `Cancelled(scope=...)` in that greenlet at the call where it waits, and
the scope that it names catches it on the way out. A scope that was left is out of reach: leaving
takes its deadline back, so nothing of it can hit what the greenlet does next.

`Cancelled` is raised once, so cleanup may wait; only if the block is not left within `RETELL_S` is
it raised again. (trio raises at every checkpoint until the block is left, and cleanup that waits
has to be shielded.)

Each greenlet knows its innermost scope (`cancel_scope`), and each scope the one around it.

Prior art: trio.CancelScope, trio.fail_after, trio.move_on_after.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal

from photon.runtime.clock import now
from photon.runtime.deadlines import Deadline
from photon.runtime.errors import Cancelled, CancelSource, DeadlineExceeded
from photon.runtime.hub import current_hub, getcurrent

if TYPE_CHECKING:
    from typing import Self

RETELL_S: Final = 5.0
"""How long a block may clean up before it is told again; also what a server gives its handlers."""

_ENDLESS: Final = float("inf")


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
        "outer",
    )

    def __init__(self, *, deadline: float | None = None) -> None:
        self.deadline = deadline
        self.cancel_called = False
        self.cancelled_caught = False
        self.outer: CancelScope | None = None
        self._greenlet: Any = None
        self._hub: Any = None
        self._turn = 0
        self._entry: Deadline | None = None
        self._source: CancelSource = "scope"
        self._reason = ""

    def __enter__(self) -> Self:
        if self._hub is not None:
            raise RuntimeError("a CancelScope guards one block; make a new one for the next")
        self._hub = current_hub()
        self._greenlet = greenlet = getcurrent()
        self._turn = getattr(greenlet, "turn", 0)
        self.outer = innermost(greenlet)
        greenlet.cancel_scope = self
        if self.cancel_called:
            self._hub.run_soon(self._deliver)
        elif self.deadline is not None:
            self._entry = self._hub.deadlines.add(self.deadline, self.expire)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._leave()
        if error is None:
            return False
        if isinstance(error, Cancelled):
            self.cancelled_caught = error.scope is self
            return self.cancelled_caught
        if isinstance(error, BaseExceptionGroup):
            rest = self._without_ours(error)
            if rest is None:
                return True
            if rest is not error:
                raise rest from rest.__cause__
        return False

    def _leave(self) -> None:
        """The block is over: from here on nothing of this scope reaches the greenlet."""
        greenlet, self._greenlet = self._greenlet, None
        # A generator may be closed by another greenlet, or out of order.
        if greenlet.cancel_scope is self:
            greenlet.cancel_scope = None if self.outer is None else innermost(greenlet)
        if self._entry is not None:
            self._entry.cancel()

    def _without_ours(
        self, group: BaseExceptionGroup[BaseException]
    ) -> BaseExceptionGroup[BaseException] | None:
        """What is left of `group` without our cancel; None for nothing.

        A nursery adds it to what failed in its children; `except*` raises even one alone so.
        """
        ours, rest = group.split(lambda error: isinstance(error, Cancelled) and error.scope is self)
        if ours is None:
            return group
        self.cancelled_caught = True
        return rest

    def cancel(self, reason: str = "") -> None:
        """Tell the block to end, at the call where it waits or at the next one that does.

        From any greenlet of the same thread; a second call does nothing.
        """
        if not self.cancel_called:
            self.cancel_called = True
            self._reason = reason
            if self._greenlet is not None:
                self._hub.run_soon(self._deliver)

    @property
    def is_open(self) -> bool:
        """Whether the block was entered and not left, nor forgotten in a generator."""
        greenlet = self._greenlet
        if greenlet is None or greenlet.dead:
            return False
        # In a generator that nobody closed a block outlives the job it began in.
        return bool(getattr(greenlet, "turn", 0) == self._turn)

    @property
    def greenlet(self) -> Any:
        """The greenlet whose block this is; None before and after it."""
        return self._greenlet

    def puts_off(self, error: Cancelled) -> bool:
        """Whether `error`, which is for all that the greenlet does, has to wait for a shield.

        Asked of the scope that the greenlet entered last.
        """
        shield = shield_around(self._greenlet) if self.is_open else None
        if shield is not None:
            shield.defer(error)
        return shield is not None

    def expired(self) -> Cancelled:
        """Tell the block to end, as its deadline has passed.

        Returns: what is to be raised in it, by whoever knows that it runs right now.
        """
        self.cancel_called = True
        self._source = "deadline"
        self._tell_again_later()
        return Cancelled(self._source, scope=self)

    def expire(self) -> None:
        """The deadline has passed. In the hub."""
        if not self.cancel_called:
            self.cancel_called = True
            self._source = "deadline"
            self._deliver()

    def _deliver(self) -> None:
        # In the hub, so the greenlet waits somewhere.
        if not self.is_open:
            return
        greenlet = self._greenlet
        error = Cancelled(self._source, self._reason, scope=self)
        shield = shield_around(greenlet, self)
        if shield is not None:
            shield.defer(error)
            return
        greenlet.throw(error)
        if self.is_open:  # it cleans up, or it swallowed what it was told
            self._tell_again_later()

    def _tell_again_later(self) -> None:
        if self._entry is not None:
            self._entry.cancel()  # the deadline
        self._entry = self._hub.deadlines.add(now() + RETELL_S, self._deliver)

    def __repr__(self) -> str:
        state = "new" if self._hub is None else "open" if self.is_open else "over"
        if self.cancel_called:
            state = "cancelled"
        left = "" if self.deadline is None else f", {self.deadline - now():.3f} s left"
        return f"<{type(self).__name__} {state}{left}>"


class Shield(CancelScope):
    """A block in which cancels from outside have to wait; see `shield`.

    Attributes: until: when its budget is over; seconds on the runtime clock.
    """

    __slots__ = ("_deferred", "_is_broken", "until")

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.until = now() + seconds
        self._deferred: list[Cancelled] = []
        self._is_broken = False

    @property
    def holds(self) -> bool:
        """Whether a cancel has to wait."""
        return self.is_open and not self._is_broken and now() < self.until

    def defer(self, error: Cancelled) -> None:
        """Keep a cancel until the block is left, or its budget is over. In the hub."""
        if not self._deferred:
            self._entry = self._hub.deadlines.add(self.until, self._break)
        self._deferred.append(error)

    def _break(self) -> None:
        self._is_broken = True
        deferred, self._deferred = self._deferred, []
        greenlet = self._greenlet
        if self.is_open and (error := _still_meant(deferred)) is not None:
            around = shield_around(greenlet, error.scope)
            if around is not None:
                around.defer(error)
            else:
                greenlet.throw(error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        caught = super().__exit__(kind, error, traceback)
        deferred, self._deferred = self._deferred, []
        waiting = _still_meant(deferred)
        if waiting is not None:
            around = shield_around(getcurrent(), waiting.scope)
            if around is None:
                raise waiting
            around.defer(waiting)
        return caught


class _FailAfter(CancelScope):
    """See `fail_after`."""

    __slots__ = ("_seconds",)

    def __init__(self, seconds: float | None) -> None:
        super().__init__(deadline=_moment_in(seconds))
        self._seconds = seconds or 0.0

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]:
        if super().__exit__(kind, error, traceback):
            raise DeadlineExceeded(self._seconds) from None
        return False


def move_on_after(seconds: float | None) -> CancelScope:
    """Give a block `seconds`; when they are over it is interrupted where it waits and left.

    Args: seconds: None for as long as it takes.
    Returns: the scope; afterwards `scope.cancelled_caught` says whether time ran out.
    """
    return CancelScope(deadline=_moment_in(seconds))


def fail_after(seconds: float | None) -> _FailAfter:
    """Give a block `seconds`, or raise.

    Args: seconds: None for as long as it takes.
    Raises: DeadlineExceeded (a TimeoutError), when the block was interrupted.
    """
    return _FailAfter(seconds)


def shield(seconds: float) -> CancelScope:
    """A block that cancels from outside do not interrupt for `seconds`, counted from its start.

        finally:
            with shield(2):
                payment.roll_back()

    What came meanwhile is raised at its end, or where it waits when its seconds are over. Scopes
    within it work as ever.
    """
    return Shield(seconds)


def time_left() -> float | None:
    """How long the caller may still work: until the first deadline of all that it works within.

    That are its scopes, those of the nurseries it is a child of, and its request.

    Returns: seconds, 0 when it should have ended; None when there is no deadline.
    """
    due = deadline_of(getcurrent())
    return None if due == _ENDLESS else max(0.0, due - now())


def _moment_in(seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if seconds != seconds:  # no comparison with it is ever true, so it would never be over
        raise ValueError("a deadline in nan seconds would never come")
    return now() + seconds


# Whose scope...


def innermost(greenlet: Any) -> CancelScope | None:
    """The scope that a greenlet is in; None when in none."""
    scope: CancelScope | None = getattr(greenlet, "cancel_scope", None)
    while scope is not None and not scope.is_open:
        scope = scope.outer
    return scope


def shield_around(greenlet: Any, limit: CancelScope | None = None) -> Shield | None:
    """The innermost shield that a greenlet is behind, within the scope `limit`."""
    scope = innermost(greenlet)
    while scope is not None and scope is not limit:
        if isinstance(scope, Shield) and scope.holds:
            return scope
        scope = scope.outer
    return None


def _still_meant(deferred: list[Cancelled]) -> Cancelled | None:
    """Of the cancels that had to wait the one that goes furthest; None when all are over."""
    open_ = [error for error in deferred if error.scope is None or error.scope.is_open]
    whole = [error for error in open_ if error.scope is None]
    meant = whole or open_
    return meant[0] if meant else None


def deadline_of(greenlet: Any) -> float:
    """The first deadline of what a greenlet works within, on the runtime clock; inf for none."""
    due = _ENDLESS
    scope = innermost(greenlet)
    while True:
        while scope is not None:
            if isinstance(scope, Shield):
                return min(due, scope.until)
            if scope.is_open and scope.deadline is not None:
                due = min(due, scope.deadline)
            scope = scope.outer
        job = getattr(greenlet, "job", None)
        own: float | None = getattr(job, "deadline", None)
        if own is not None:
            due = min(due, own)
        scope = getattr(job, "parent", None)  # the nursery's: it lasts longer than its children
        if scope is None:
            return due
        greenlet = scope.greenlet
