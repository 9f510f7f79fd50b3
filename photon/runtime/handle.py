"""A function that runs beside whoever started it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from types import CodeType, CoroutineType, FrameType
from typing import Any, Generic, Literal, Protocol, TypeVar

import msgspec

from photon.runtime.cancel import RETELL_S, CancelScope
from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.deadlines import Deadline
from photon.runtime.errors import Cancelled, HandleCancelled, WaitTimedOut, WrongThread
from photon.runtime.hub import Hub
from photon.runtime.parking import WAY_OUT, Line, Place, Wait
from photon.runtime.whereabouts import where

T = TypeVar("T")

State = Literal["pending", "running", "done", "failed", "cancelled"]

Spawner = tuple[Any, ...]
"""Code and instruction of some frames, in turn; the innermost first."""

_HERE = os.path.dirname(__file__)
_MOST_PARENTS = 16


class Owner(Protocol):
    """Whoever is to know when a function is over: a nursery, or a region."""

    def on_ended(self, handle: Handle[Any]) -> None:
        """It returned, failed or was cancelled. On its carrier, or wherever `cancel` was called."""
        ...


class Handle(msgspec.Struct, Generic[T], eq=False):
    """A function that was spawned: ask for its state or result, wait for it, or cancel it.

    In `select` it is an operation that gives True when it is over, however it ended; `result` says
    how.

    Attributes:
        name: of the function.
        state: pending, running, done, failed or cancelled.
        parent: the scope of the nursery that it is a child of; None in a region.
    """

    # PERF: one of these per spawn. A Struct fills its fields in C: 0.2 us, where an __init__ of
    # its own takes 0.8.
    _hub: Hub
    _owner: Owner
    _fn: Callable[..., T]
    _args: tuple[Any, ...]
    _kwargs: dict[str, Any] | None
    _context: Context
    _spawner: Spawner
    parent: CancelScope | None = None
    state: State = "pending"
    _carrier: Carrier | None = None
    _result: T | None = None
    _error: BaseException | None = None
    _retelling: Deadline | None = None
    _line: Line | None = None  # of those who wait for it, if anybody ever did
    _since: float = 0.0  # when it first waited

    @property
    def name(self) -> str:
        fn: Any = self._fn
        return getattr(fn, "__qualname__", None) or repr(fn)

    @property
    def is_over(self) -> bool:
        """Whether it ended, however."""
        return self.state != "pending" and self.state != "running"

    @property
    def result(self) -> T:
        """What the function returned.

        Raises: what the function raised; HandleCancelled; RuntimeError while it still runs.
        """
        if self.state == "cancelled":
            # Not the Cancelled itself: it was meant for that function, and not for who asks.
            raise HandleCancelled(f"{self!r} has no result: {self._error}") from self._error
        if self._error is not None:
            raise self._error
        if self.state != "done":
            raise RuntimeError(f"{self!r} has no result yet; join() waits for it")
        return self._result  # type: ignore[return-value]  # set when done

    @property
    def error(self) -> BaseException | None:
        """What the function raised; None while it runs and when it returned."""
        return self._error

    @property
    def spawned_at(self) -> list[tuple[str, int, str]]:
        """Where it was spawned: triples of (file, line, function), the innermost first."""
        return _places(self._spawner)

    @property
    def where(self) -> str:
        """Where it waits, such as "at shop/items.py:12 in page"; "" when it does not."""
        place = "" if self._carrier is None else where(self._carrier)
        return f"at {place}" if place else ""

    def join(self) -> None:
        """Wait until the function is over, however it ended. Bound it with `move_on_after`."""
        if not self.is_over:
            wait = Wait(self)
            self._join(wait)
            wait.park(None)

    def wait(self, timeout: float | None = None) -> bool:
        """As `join`, for at most `timeout` seconds.   Returns: whether it is over.

        What it has not finished then goes on: `cancel` ends it.
        """
        if not self.is_over:
            wait = Wait(self)
            self._join(wait)
            try:
                wait.park(timeout)
            except WaitTimedOut:
                pass
        return self.is_over

    # For `select`...

    @property
    def _which(self) -> Handle[T]:
        return self

    def _is_ready(self) -> bool:
        return self.is_over

    def _complete(self) -> bool:
        return True

    def _join(self, wait: Wait) -> None:
        if wait.hub is not self._hub:
            wait.leave()
            raise WrongThread(
                f"{self!r} runs in another thread, and is waited for there; {WAY_OUT}"
            )
        if self._line is None:
            self._line = Line()
        wait.join(self._line, self, True)

    def _take_back(self, place: Place) -> bool:
        return True  # it is over for everybody

    # How it ends...

    def cancel(self, reason: str = "") -> None:
        """Raise `Cancelled` in the function where it waits; nothing when it is over."""
        if self.state == "pending":
            self._end("cancelled", Cancelled("scope", reason))
        elif self.state == "running":
            self._hub.run_soon(self._interrupt, reason)

    def _interrupt(self, reason: str) -> None:
        if self._carrier is None:
            return
        self._hub.carriers.interrupt(self._carrier, self, Cancelled("scope", reason))
        if self.state == "running":  # it cleans up, or it swallowed what it was told
            if self._retelling is not None:
                self._retelling.cancel()
            due = now() + RETELL_S
            self._retelling = self._hub.deadlines.add(due, partial(self._interrupt, reason))

    def run(self) -> None:
        """Run the function. A carrier's job."""
        if self.state != "pending":  # cancelled before it began
            return
        self.state = "running"
        try:
            if self._kwargs is None:
                self._result = self._context.run(self._fn, *self._args)
            else:
                self._result = self._context.run(self._fn, *self._args, **self._kwargs)
            if self._result.__class__ is CoroutineType:
                raise _async(self._fn, self._result)
        except Cancelled as error:
            self._end("cancelled", error)
        except BaseExceptionGroup as group:
            # What of it is a cancel was for all of this function, and has done its work.
            cancelled, failed = group.split(Cancelled)
            self._end("failed" if failed is not None else "cancelled", failed or cancelled)
        except BaseException as error:
            self._end("failed", error)
        else:
            if self._line is not None or self._retelling is not None:
                self._end("done", None)
                return
            # PERF: the same in line, 0.3 us less.
            self.state = "done"
            if self._carrier is not None:
                self._carrier = None
            if self._args or self._kwargs:
                self._args, self._kwargs = (), None
            self._owner.on_ended(self)

    def on_parked(self, carrier: Carrier) -> None:
        """It waits for the first time: from here on `cancel` knows whom to interrupt."""
        self._carrier = carrier
        self._since = now()

    def described(self, frame: FrameType | None) -> dict[str, Any]:
        """For dumps: see `debug.who.Described`. What it was given may know better what it is."""
        known: dict[str, Any] = {"kind": "child" if self.parent else "spawned", "name": self.name}
        for owner in (getattr(self._fn, "__self__", None), *self._args[:1]):
            if owner is not None and owner is not self and hasattr(owner, "described"):
                known.update(owner.described(frame))
                break
        if self._since:
            known["age_s"] = round(now() - self._since, 3)
        known["spawned_at"] = [f"{file}:{line} in {name}" for file, line, name in self.spawned_at]
        return known

    def _end(self, state: State, error: BaseException | None) -> None:
        self.state = state
        self._error = error
        if error is not None and error.__traceback__ is not None:
            # The frame of `run` leads back here, and with it this would wait for the collector.
            error.__traceback__ = error.__traceback__.tb_next
            if state == "failed":
                # For who shows it: the traceback begins in the function, and says nothing of who
                # wanted it. The first one counts, for others only hand on what they waited for.
                error.__dict__.setdefault("__spawned_at__", self._lineage())
        self._carrier = None
        # What it was given shall not live as long as who asks for its result.
        self._args, self._kwargs = (), None
        if self._retelling is not None:
            self._retelling.cancel()
        if self._line is not None:
            for place in self._line:
                place.end()
        self._owner.on_ended(self)

    def _lineage(self) -> list[tuple[str, int, str]]:
        """Where it was spawned, then where the function was that did so, and so on."""
        places = self.spawned_at
        handle: Any = self
        for _ in range(_MOST_PARENTS):
            greenlet = None if handle.parent is None else handle.parent.greenlet
            handle = getattr(greenlet, "job", None)
            if not isinstance(handle, Handle):
                break
            places += handle.spawned_at
        return places

    def __repr__(self) -> str:
        return f"<Handle {self.name} {self.state}>"


def start(
    hub: Hub,
    owner: Owner,
    fn: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    parent: CancelScope | None = None,
    depth: int = 2,
) -> Handle[T]:
    """A function that will run soon, for `owner`, with a copy of the caller's context variables.

    As asyncio does, and gevent does not: what was set before is seen by the child.

    Args: depth: how many frames above this one whoever spawns it is.
    Raises: TypeError, for what cannot be called.
    """
    if not callable(fn):
        raise TypeError(
            f"what is spawned is a function and its arguments, not {fn!r}: write spawn(fn, 1) for "
            "spawn(fn(1))"
        )
    # PERF: the code and the instruction of two callers, 0.1 us each. Frames themselves would keep
    # all that they hold alive, and line numbers are only wanted when something failed.
    frame = sys._getframe(depth)
    outer = frame.f_back
    if outer is None:
        spawner: Spawner = (frame.f_code, frame.f_lasti)
    else:
        spawner = (frame.f_code, frame.f_lasti, outer.f_code, outer.f_lasti)
    return Handle(hub, owner, fn, args, kwargs or None, copy_context(), spawner, parent)


def _async(fn: Any, coroutine: Any) -> TypeError:
    coroutine.close()  # or Python says, somewhere else, that nobody awaited it
    name = getattr(fn, "__qualname__", repr(fn))
    return TypeError(f"{name} is async, so calling it does nothing here: write def, and just wait")


def _places(spawner: Spawner) -> list[tuple[str, int, str]]:
    pairs = zip(spawner[::2], spawner[1::2], strict=True)
    return [
        (code.co_filename, _line_of(code, instruction), code.co_name)
        for code, instruction in pairs
        if not code.co_filename.startswith(_HERE)
    ]


def _line_of(code: CodeType, instruction: int) -> int:
    for start, end, line in code.co_lines():
        if start <= instruction < end and line is not None:
            return line
    return code.co_firstlineno
