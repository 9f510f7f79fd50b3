"""Events, locks and permits (`permits.py`) for greenlets.

Our own, because gevent's cannot promise that what was handed to a greenlet which is cancelled at
that very moment reaches the next in line, and say nothing when greenlets of two threads meet.

All are fair: who has waited longest comes first, and nobody overtakes those who wait. What can be
done at once never touches the hub. They may be made anywhere, before there is a hub, too, and are
used by the greenlets of one thread; only `Event.set` may be called from every thread.

The `_nowait` twins may be called in callbacks of the hub. What waits is interrupted by a cancel,
and then has acquired nothing. `timeout=` is in seconds and raises `WaitTimedOut` (a TimeoutError);
for more than one call there is `move_on_after`.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from gevent.lock import RLock

from photon.runtime.errors import LockError, WaitTimedOut, WouldBlock
from photon.runtime.hub import Hub, current_hub, existing_hub, getcurrent
from photon.runtime.parking import Line, Place, Wait
from photon.runtime.permits import CapacityLimiter, Semaphore

__all__ = ["CapacityLimiter", "Event", "Lock", "RLock", "Semaphore"]


class Event:
    """Something that happens once: `wait` ends when it is `set`, and at once from then on.

    It is never unset, since that is a race with those who wait: for the next time make a new one.
    Any thread may set it, and greenlets of several threads may wait for it. In `select` it is an
    operation that gives True.
    """

    __slots__ = ("_is_set", "_line")

    def __init__(self) -> None:
        self._is_set = False
        self._line = Line()

    @property
    def is_set(self) -> bool:
        """Whether it has happened."""
        return self._is_set

    def set(self) -> None:
        """It has happened: let go on who waits for it. From any thread; again does nothing."""
        self._is_set = True
        if self._line.places:
            here = existing_hub()
            for hub in {place.wait.hub for place in list(self._line.places)}:
                if hub is here:
                    self._release(hub)
                elif hub.accepts_mail:  # else it was stopped, with those who wait in it
                    hub.run_threadsafe(self._release, hub)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has happened, at most `timeout` seconds.   Returns: whether it has."""
        if not self._is_set:
            current_hub()  # another thread can end this wait, even where nothing else runs
            wait = Wait(self)
            self._join(wait)
            try:
                wait.park(timeout)
            except WaitTimedOut:
                pass
        return self._is_set

    def _release(self, hub: Hub) -> None:
        for place in self._line:
            if place.wait.hub is hub:
                place.end()

    def _join(self, wait: Wait) -> None:
        # What other threads send does not keep the loop alive by itself.
        wait.hub.accept_mail()
        place = wait.join(self._line, self, True, any_thread=True)
        # Another thread may have set it a moment ago, and seen nobody wait.
        if self._is_set and wait.won is None:
            place.end()

    def _take_back(self, place: Place) -> bool:
        return True  # it has happened for everybody

    def _is_ready(self) -> bool:
        return self._is_set

    def _complete(self) -> bool:
        return True

    @property
    def _which(self) -> Event:
        return self

    def statistics(self) -> dict[str, int]:
        """Counts: `is_set` (0 or 1), `waiting`."""
        return {"is_set": int(self._is_set), "waiting": len(self._line)}

    def __repr__(self) -> str:
        return f"<Event {'set' if self._is_set else 'not set'}, {self._line}>"


class Lock:
    """For one greenlet at a time: `with lock: ...`.

    Who released it and wants it again stands in line. It does not nest; `RLock` does.
    """

    __slots__ = ("_line", "_owner", "_turn")

    def __init__(self) -> None:
        self._line = Line()
        self._owner: Any = None
        self._turn = 0  # of the carrier: its next job is somebody else

    @property
    def is_held(self) -> bool:
        """Whether some greenlet holds it, or was just handed it."""
        return self._owner is not None

    def acquire(self, *, timeout: float | None = None) -> None:
        """Wait until it is free, and hold it.   Raises: LockError, when you hold it already."""
        if self._owner is None:
            self._owner = me = getcurrent()
            self._turn = getattr(me, "turn", 0)
            return
        self._refuse_nesting()
        wait = Wait(self)
        wait.join(self._line, self)
        wait.park(timeout)

    def acquire_nowait(self) -> None:
        """Hold it.   Raises: WouldBlock, when another greenlet does; LockError, when you do."""
        if self._owner is not None:
            self._refuse_nesting()
            raise WouldBlock("the lock is held; acquire() waits for it")
        self._owner = me = getcurrent()
        self._turn = getattr(me, "turn", 0)

    def release(self) -> None:
        """Hand it to who has waited longest.   Raises: LockError, when you do not hold it."""
        if self._owner is not getcurrent():
            self._check_release()
        if self._line.places:
            self._hand_on()
        else:
            self._owner = None

    def __enter__(self) -> Lock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _hand_on(self) -> None:
        place = self._line.first()
        place.end()
        # It is parked, in the job that it acquires for.
        self._owner = place.wait.greenlet
        self._turn = getattr(self._owner, "turn", 0)

    def _take_back(self, place: Place) -> bool:
        if self._line.places:
            self._hand_on()
        else:
            self._owner = None
        return True

    def _owner_is_gone(self) -> bool:
        owner = self._owner
        is_idle = getattr(owner, "job", owner) is None  # a carrier between two jobs
        return is_idle or owner.dead or getattr(owner, "turn", 0) != self._turn

    def _refuse_nesting(self) -> None:
        if self._owner is getcurrent() and not self._owner_is_gone():
            raise LockError(f"this greenlet holds {self!r} already; an RLock may be nested")

    def _check_release(self) -> None:
        if self._owner is None:
            raise LockError(f"{self!r} was released, but nobody holds it")
        # What a job left behind may be put right by who cleans up after it: a provider's generator
        # can begin in one greenlet and end in another.
        if not self._owner_is_gone():
            raise LockError(
                f"{self!r} was released by a greenlet that does not hold it; if one acquires and"
                " another releases, take a Semaphore(1)"
            )

    def statistics(self) -> dict[str, int]:
        """Counts: `held` (0 or 1), `waiting`."""
        return {"held": int(self._owner is not None), "waiting": len(self._line)}

    def __repr__(self) -> str:
        if self._owner is None:
            state = "free"
        elif self._owner_is_gone():
            state = "left behind by a job that is over"
        else:
            state = f"held by {self._owner!r}"
        return f"<Lock {state}, {self._line}>"
