"""Greenlets that wait until something is so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from photon.runtime.clock import now
from photon.runtime.hub import current_hub, getcurrent


class Waiters:
    """Those who wait for conditions that the same thing changes; who changes it calls `wake`.

    A condition is looked at again by each of them, in the order in which they came.
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: list[Any] = []

    def wait_for(self, condition: Callable[[], object], seconds: float) -> bool:
        """Wait until `condition()` is true, at most `seconds`.   Returns: whether it is."""
        if condition():
            return True
        if not seconds > 0:
            return False
        hub = current_hub()
        me = getcurrent()
        due: list[bool] = []

        def give_up() -> None:  # in the hub
            due.append(True)
            self._wake(me)

        deadline = hub.deadlines.add(now() + seconds, give_up)
        self._waiters.append(me)
        try:
            while not (due or condition()):
                hub.park()
        finally:
            self._waiters.remove(me)
            deadline.cancel()
        return bool(condition())

    def wake(self) -> None:
        """Have all of them look again."""
        if self._waiters:
            hub = current_hub()
            for waiter in self._waiters:
                hub.run_soon(self._wake, waiter)

    def _wake(self, waiter: Any) -> None:
        # It may have been interrupted since, and wait for something else now.
        if waiter in self._waiters:
            waiter.switch()

    def __len__(self) -> int:
        return len(self._waiters)

    def __repr__(self) -> str:
        return f"<Waiters {len(self)}>"
