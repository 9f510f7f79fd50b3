"""Waiting in line: what locks, channels and `select` share.

A greenlet that cannot go on takes a place in a line and parks. Whoever can let it go on ends the
place that has waited longest: from that moment the place is won and out of every line, though its
greenlet runs only when the hub comes to it.

    Wait ── join ──▶ Line: Place, Place, Place      one Wait may stand in several lines (select);
                       │ end(place): won            the first place that is ended wins, and the
                       ▼                            others leave their lines in the same breath
    hub.run_soon(wake) ──▶ the greenlet goes on

A cancel may arrive between these two, and then what was handed over must not get lost: the owner
of the place takes it back and hands it to the next in line. Where that is impossible (an item that
was sent and received cannot be unsent), the wait counts as done, and the cancel is told again at
the next one.

Prior art: trio's ParkingLot; the sudog of Go's channels (runtime/chan.go, select.go).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any, Protocol

from photon.runtime.cancel import CancelScope, shield_around
from photon.runtime.carriers import Carrier, Job
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, MustNotWait, WaitTimedOut, WrongThread
from photon.runtime.hub import Hub, existing_hub, getcurrent

WAY_OUT = (
    "from another thread call hub.run_threadsafe(fn, *args) of the hub it belongs to, return the"
    " value from offload(), or set an Event, which any thread may do"
)


class Owner(Protocol):
    """Who hands things to those who wait in line for it."""

    def _take_back(self, place: Place) -> bool:
        """The place was won, and its greenlet interrupted before it ran: hand on what it got.

        Returns: False when that is impossible, so that the wait counts as done.
        """
        ...


class Place:
    """A place in a line.

    Attributes:
        item: what is handed over, in either direction.
        error: what the wait ends with instead.
    """

    __slots__ = ("error", "item", "line", "owner", "wait")

    def __init__(self, wait: Wait, line: Line, owner: Owner, item: Any) -> None:
        self.wait = wait
        self.line = line
        self.owner = owner
        self.item = item
        self.error: BaseException | None = None

    def end(self) -> None:
        """Let its greenlet go on.   Raises: WrongThread, and then nothing has changed."""
        wait = self.wait
        if existing_hub() is not wait.hub:
            raise WrongThread(
                f"{self.owner!r} is waited for in another thread, whose greenlets cannot be woken"
                f" from here; {WAY_OUT}"
            )
        wait.won = self
        wait.leave()
        wait.hub.run_soon(wait.wake)

    def fail(self, error: BaseException) -> None:
        """Have the wait raise `error`."""
        self.end()
        self.error = error


class Line:
    """Those who wait for the same thing, in the order in which they came.

    Attributes: places: true while anybody waits; whoever was handed something waits no more.
    """

    __slots__ = ("places",)

    def __init__(self) -> None:
        # An OrderedDict, because thousands of deadlines in one moment take places out of the
        # middle: O(n) each in a deque. A dict finds its first entry in O(n) after many deletions.
        self.places: OrderedDict[Place, None] = OrderedDict()

    def first(self) -> Place:
        """Who has waited longest."""
        return next(iter(self.places))

    def __iter__(self) -> Iterator[Place]:
        """All who wait now, except for those who are let go on meanwhile."""
        for place in list(self.places):
            if place in self.places:
                yield place

    def __len__(self) -> int:
        return len(self.places)

    def __str__(self) -> str:
        return f"{len(self.places)} waiting"


class Wait:
    """One greenlet's wait, for one thing or for the first of several.

    Args: what: is waited for; only for the messages.
    Raises: MustNotWait, in the hub; WrongThread, where nobody could ever end the wait.
    """

    __slots__ = ("greenlet", "hub", "is_over", "places", "won")

    def __init__(self, what: object) -> None:
        hub = existing_hub()
        if hub is None:
            raise WrongThread(
                f"{what!r} would wait for ever: this thread has no hub, so nothing else runs in"
                f" it; {WAY_OUT}"
            )
        if getcurrent() is hub.native:
            raise MustNotWait(
                f"{what!r} was waited for in a callback of the hub, which would stop every"
                " greenlet; use its _nowait twin there, or spawn() a function that waits"
            )
        self.hub: Hub = hub
        self.greenlet: Any = None  # while it is parked here, and not elsewhere
        self.places: list[Place] = []
        self.won: Place | None = None
        self.is_over = False

    def join(
        self, line: Line, owner: Owner, item: Any = None, *, any_thread: bool = False
    ) -> Place:
        """Take the last place in `line`.

        Args: any_thread: greenlets of several threads may stand in this line.
        Raises: WrongThread.
        """
        places = line.places
        if places and not any_thread and line.first().wait.hub is not self.hub:
            self.leave()
            raise WrongThread(f"greenlets of another thread wait for {owner!r}; {WAY_OUT}")
        place = Place(self, line, owner, item)
        places[place] = None
        self.places.append(place)
        return place

    def leave(self) -> None:
        """Give up all places."""
        for place in self.places:
            place.line.places.pop(place, None)
        self.places.clear()

    def park(self, timeout: float | None) -> Place:
        """Wait until one of the places was ended.

        Returns: that place.   Raises: its error; WaitTimedOut, after `timeout` seconds; Cancelled.
        """
        hub = self.hub
        deadline = None
        if timeout is not None:
            if timeout != timeout:
                self.leave()
                raise ValueError("timeout= is a number of seconds or None, not nan")
            deadline = hub.deadlines.add(now() + max(timeout, 0.0), self._expire)
        self.greenlet = getcurrent()
        try:
            while self.won is None and not self.is_over:
                hub.park()
        except BaseException as error:
            if self._must_raise(error):
                self.won = None  # no cycle
                raise
        finally:
            self.greenlet = None
            self.leave()
            if deadline is not None:
                deadline.cancel()
        won, self.won = self.won, None
        if won is None:
            raise WaitTimedOut(timeout or 0.0)
        if won.error is not None:
            try:
                raise won.error
            finally:
                del won  # the error's traceback leads here
        return won

    def _must_raise(self, error: BaseException) -> bool:
        """The wait was interrupted: whether it ends with that, and not with what it was handed."""
        won = self.won
        if won is None or won.error is not None or won.owner._take_back(won):
            return True
        return not tell_again(error, self.hub)

    # In the hub...

    def wake(self) -> None:
        # It may have been interrupted since, and wait for something else now.
        if self.greenlet is not None:
            self.greenlet.switch()

    def _expire(self) -> None:
        if self.won is None:
            self.is_over = True
            self.leave()
            self.wake()


def tell_again(error: BaseException, hub: Hub) -> bool:
    """Have a cancel that came too late for one wait raised in the next one.

    If by then the scope was left, or the job is over, it reaches nobody, as always.
    Returns: whether that is possible.
    """
    if not isinstance(error, Cancelled):
        return False
    if error.scope is not None:
        hub.run_soon(_tell_scope, error.scope, error)
        return True
    me = getcurrent()
    if not isinstance(me, Carrier):
        return False
    hub.run_soon(_tell_job, hub, me, me.job, me.turn, error)
    return True


def _tell_scope(scope: CancelScope, error: Cancelled) -> None:
    if scope.is_open:
        shield = shield_around(scope.greenlet, scope)
        if shield is not None:
            shield.defer(error)
        else:
            scope.greenlet.throw(error)


def _tell_job(hub: Hub, carrier: Carrier, job: Job, turn: int, error: Cancelled) -> None:
    if carrier.turn == turn:
        hub.carriers.interrupt(carrier, job, error)
