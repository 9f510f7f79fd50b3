"""Permits: so many greenlets at a time. What holds for all of `sync.py` holds here.

A `Semaphore` counts permits and does not care who has them; a `CapacityLimiter` knows who, and its
total may change while it is in use.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import inf
from types import TracebackType
from typing import Any

from photon.runtime.errors import LockError, WouldBlock
from photon.runtime.hub import getcurrent
from photon.runtime.parking import Line, Place, Wait


class Semaphore:
    """So many permits: `with semaphore: ...` takes one and gives it back.

    Args: value: permits that are free at first; max_value: never more than these are free, which
        finds a release too many.
    """

    __slots__ = ("_line", "_max_value", "_value")

    def __init__(self, value: int, *, max_value: int | None = None) -> None:
        _check_count(value, "value")
        if max_value is not None and max_value < value:
            raise ValueError(f"max_value={max_value!r} is less than value={value!r}")
        self._line = Line()
        self._value = value
        self._max_value: float = inf if max_value is None else max_value

    @property
    def value(self) -> int:
        """Permits that are free; 0 while anybody waits."""
        return self._value

    def acquire(self, *, timeout: float | None = None) -> None:
        """Wait until a permit is free, and take it."""
        if self._value > 0:
            self._value -= 1
            return
        wait = Wait(self)
        wait.join(self._line, self)
        wait.park(timeout)

    def acquire_nowait(self) -> None:
        """Take a permit.   Raises: WouldBlock, when none is free."""
        if self._value <= 0:
            raise WouldBlock("no permit is free; acquire() waits for one")
        self._value -= 1

    def release(self) -> None:
        """Give a permit back, to who has waited longest. Any greenlet may.

        Raises: LockError, when more than `max_value` would be free.
        """
        if self._line.places:
            self._line.first().end()
        elif self._value >= self._max_value:
            raise LockError(f"{self!r} was released more often than it was acquired")
        else:
            self._value += 1

    def __enter__(self) -> Semaphore:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _take_back(self, place: Place) -> bool:
        self.release()
        return True

    def statistics(self) -> dict[str, float]:
        """Counts: `value` (free), `max_value` (inf when there is none), `waiting`."""
        return {"value": self._value, "max_value": self._max_value, "waiting": len(self._line)}

    def __repr__(self) -> str:
        most = "" if self._max_value == inf else f" of {self._max_value}"
        return f"<Semaphore {self._value}{most} free, {self._line}>"


class CapacityLimiter:
    """So many at a time, and it is known who: `with limiter: ...`.

    A borrower is the current greenlet, or any token given in its place (say the key of a customer,
    who may have one), and holds one permit at most.

    Args: total: how many may borrow at once; may be set at any time, and `math.inf` is allowed.
    """

    __slots__ = ("_borrowers", "_line", "_total", "_waiting")

    def __init__(self, total: float) -> None:
        self._line = Line()
        self._borrowers: set[Hashable] = set()
        self._waiting: set[Hashable] = set()
        self._total = _check_count(total, "total")

    @property
    def total(self) -> float:
        """How many may borrow at once. With less than `borrowed`, that falls as they give back."""
        return self._total

    @total.setter
    def total(self, total: float) -> None:
        self._total = _check_count(total, "total")
        self._lend()

    @property
    def borrowed(self) -> int:
        """How many borrow."""
        return len(self._borrowers)

    @property
    def available(self) -> float:
        """How many more may borrow at once; 0 while anybody waits."""
        return max(self._total - len(self._borrowers), 0)

    def acquire(self, token: Hashable = None, *, timeout: float | None = None) -> None:
        """Wait for a permit, for `token` or for the current greenlet.

        Raises: LockError, when that borrows already, or waits to.
        """
        borrower = self._new_borrower(token)
        if len(self._borrowers) < self._total:
            self._borrowers.add(borrower)
            return
        wait = Wait(self)
        wait.join(self._line, self, borrower)
        self._waiting.add(borrower)
        try:
            wait.park(timeout)
        finally:
            self._waiting.discard(borrower)

    def acquire_nowait(self, token: Hashable = None) -> None:
        """Take a permit.   Raises: WouldBlock, when none is available; LockError."""
        borrower = self._new_borrower(token)
        if len(self._borrowers) >= self._total:
            raise WouldBlock("nothing is available; acquire() waits for it")
        self._borrowers.add(borrower)

    def release(self, token: Hashable = None) -> None:
        """Give the permit of `token`, or of the current greenlet, back.

        Raises: LockError, when that borrows none.
        """
        borrower = _me() if token is None else token
        if borrower not in self._borrowers:
            who = "this greenlet" if token is None else repr(token)
            raise LockError(f"{who} has borrowed nothing from {self!r}; give the token it took")
        self._borrowers.discard(borrower)
        if self._line.places:
            self._lend()

    def __enter__(self) -> CapacityLimiter:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _new_borrower(self, token: Hashable) -> Hashable:
        borrower = _me() if token is None else token
        if borrower in self._borrowers or borrower in self._waiting:
            who = "this greenlet" if token is None else repr(token)
            raise LockError(
                f"{who} borrows from {self!r} already; give each of its borrows a token"
            )
        return borrower

    def _lend(self) -> None:
        while self._line.places and len(self._borrowers) < self._total:
            place = self._line.first()
            place.end()
            self._borrowers.add(place.item)

    def _take_back(self, place: Place) -> bool:
        self._borrowers.discard(place.item)
        self._lend()
        return True

    def statistics(self) -> dict[str, float]:
        """Counts: `total`, `borrowed`, `available`, `waiting`."""
        return {
            "total": self._total,
            "borrowed": self.borrowed,
            "available": self.available,
            "waiting": len(self._line),
        }

    def __repr__(self) -> str:
        return f"<CapacityLimiter {self.borrowed} of {self._total} borrowed, {self._line}>"


def _me() -> Hashable:
    """Who runs: on a carrier each job is somebody else."""
    me = getcurrent()
    return me, getattr(me, "turn", 0)


def _check_count(number: float, name: str) -> Any:
    if number != inf and (not isinstance(number, int) or number < 0):
        raise ValueError(f"{name}= is a whole number from 0 on, not {number!r}")
    return number
