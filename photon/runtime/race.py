"""Several ways to the same thing, at the same time: `race` and `first_ok`.

    page = race(lambda: cache.get(key), lambda: render(key))
    page = first_ok(*[partial(fetch, mirror) for mirror in mirrors], delay=0.25)

Both run in a nursery: who loses is cancelled where it waits, and is over before they return. They
take functions without arguments, so that a type checker sees what each of them gives.

Prior art: RFC 8305 §5 (Happy Eyeballs), for the delay between starts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.guarding import name_of
from photon.runtime.nursery import Nursery, nursery

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")

logger = logging.getLogger("photon.runtime")


@overload
def race(first: Callable[[], T1], second: Callable[[], T2], /) -> T1 | T2: ...
@overload
def race(
    first: Callable[[], T1], second: Callable[[], T2], third: Callable[[], T3], /
) -> T1 | T2 | T3: ...
@overload
def race(
    first: Callable[[], T1],
    second: Callable[[], T2],
    third: Callable[[], T3],
    fourth: Callable[[], T4],
    /,
) -> T1 | T2 | T3 | T4: ...
@overload
def race(*fns: Callable[[], T]) -> T: ...
def race(*fns: Callable[[], Any]) -> Any:
    """Run all functions at the same time; the first to finish wins, by a value or by an exception.

    The others are cancelled. What one of them raises in spite of that is logged. One that had no
    turn yet when another finished never begins.

    Returns: what the winner returned.
    Raises: what the winner raised, as itself.
    """
    _need_functions("race", fns)
    outcome: _Outcome[Any] = _Outcome()
    with nursery() as n:
        for fn in fns:
            n.spawn(_racer(fn, outcome, n))
    return outcome.get()


def _racer(fn: Callable[[], T], outcome: _Outcome[T], n: Nursery) -> Callable[[], None]:
    def run() -> None:
        try:
            value = fn()
        except BaseException as error:
            if _is_told_to_end(error, n):
                raise
            if not outcome.is_there:
                outcome.fail(error)
            else:
                logger.warning("%s lost a race, and failed", name_of(fn), exc_info=error)
        else:
            if not outcome.is_there:
                outcome.succeed(value)
        n.cancel("another one won the race")

    return _named(run, fn)


@overload
def first_ok(
    first: Callable[[], T1], second: Callable[[], T2], /, *, delay: float | None = None
) -> T1 | T2: ...
@overload
def first_ok(
    first: Callable[[], T1],
    second: Callable[[], T2],
    third: Callable[[], T3],
    /,
    *,
    delay: float | None = None,
) -> T1 | T2 | T3: ...
@overload
def first_ok(
    first: Callable[[], T1],
    second: Callable[[], T2],
    third: Callable[[], T3],
    fourth: Callable[[], T4],
    /,
    *,
    delay: float | None = None,
) -> T1 | T2 | T3 | T4: ...
@overload
def first_ok(*fns: Callable[[], T], delay: float | None = None) -> T: ...
def first_ok(*fns: Callable[[], Any], delay: float | None = None) -> Any:
    """Run functions at the same time until one returns: the others are cancelled then.

    Args: delay: seconds from one start to the next, in the order given, while nothing came; the
        failure of the last one that was started starts the next one at once. None: all start at
        once.
    Returns: the first value.
    Raises: when all fail one ExceptionGroup of their exceptions, in the order of the functions.
        What is no Exception (SystemExit) ends it at once and is raised as itself.
    """
    _need_functions("first_ok", fns)
    if delay is not None and not delay >= 0:
        raise ValueError(f"delay is {delay!r}, but seconds from start to start are not negative")
    outcome: _Outcome[Any] = _Outcome()
    failures: dict[int, Exception] = {}
    try:
        with nursery() as n:
            for index, fn in enumerate(fns):
                handle = n.spawn(_contender(index, fn, outcome, failures, n))
                if delay is not None and index + 1 < len(fns):
                    with move_on_after(delay):
                        handle.join()
        if not outcome.is_there:
            raise ExceptionGroup(
                f"first_ok: all {len(fns)} functions failed",
                [failures[index] for index in sorted(failures)],
            )
        return outcome.get()
    finally:
        # Their tracebacks lead to this frame.
        failures.clear()


def _contender(
    index: int,
    fn: Callable[[], T],
    outcome: _Outcome[T],
    failures: dict[int, Exception],
    n: Nursery,
) -> Callable[[], None]:
    def run() -> None:
        try:
            value = fn()
        except Exception as error:
            failures[index] = error
            return
        except BaseException as error:
            if _is_told_to_end(error, n):
                raise
            if not outcome.is_there:
                outcome.fail(error)
        else:
            if not outcome.is_there:
                outcome.succeed(value)
        n.cancel("another one came first")

    return _named(run, fn)


# What they share...


class _Outcome(Generic[T]):
    """What came first: a value or an exception."""

    __slots__ = ("_error", "_value", "is_there")

    def __init__(self) -> None:
        self.is_there = False
        self._value: T | None = None
        self._error: BaseException | None = None

    def succeed(self, value: T) -> None:
        self.is_there = True
        self._value = value

    def fail(self, error: BaseException) -> None:
        self.is_there = True
        self._error = error

    def get(self) -> T:
        if self._error is not None:
            error, self._error = self._error, None
            try:
                raise error
            finally:
                del error  # its traceback holds this frame
        return self._value  # type: ignore[return-value]  # set by `succeed`


def _is_told_to_end(error: BaseException, n: Nursery) -> bool:
    """Whether it is the nursery's cancel, and not one that the function made up itself."""
    return isinstance(error, Cancelled) and n.cancel_scope.cancel_called


def _named(run: Callable[[], None], fn: Callable[[], object]) -> Callable[[], None]:
    # Handles and logs tell the user's function.
    run.__qualname__ = name_of(fn)
    return run


def _need_functions(name: str, fns: tuple[object, ...]) -> None:
    if not fns:
        raise TypeError(f"{name} needs at least one function to run")
    for fn in fns:
        if not callable(fn):
            raise TypeError(
                f"{name} takes functions without arguments, not {fn!r}: "
                f"{name}(lambda: load(1), lambda: load(2))"
            )
