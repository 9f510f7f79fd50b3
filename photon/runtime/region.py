"""Regions: what was spawned and belongs to nobody in particular, until its owner is over.

An application has one. `spawn` hands a function over to it: the request that spawned it may end
before, and when the application stops the region waits for its functions, then cancels them, and
says which ones it cut off.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import msgspec

from photon.runtime.cancel import RETELL_S
from photon.runtime.clock import now
from photon.runtime.errors import RegionClosed, RegionFull, WrongThread
from photon.runtime.handle import Handle, start
from photon.runtime.hub import Hub, current_hub, getcurrent
from photon.runtime.patience import patience

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("photon.runtime")

LIMIT = 100_000
_MOST_NAMES = 20


def region_of(hub: Hub) -> Region:
    """The region that `spawn` hands over to: the one that was opened last, or one of the hub."""
    if hub.region is None:
        # Not by `threading`, for which after the patch a greenlet is a thread of its own.
        if not (hub.accepts_mail or hub.native.main_hub):
            raise WrongThread(
                "this native thread has no hub that would run what is spawned here; in a function "
                "for `offload` return the value, and spawn where you called it"
            )
        hub.region = Region("no application", limit=1_000_000_000)
        hub.regions.append(hub.region)
    region: Region = hub.region
    return region


@contextmanager
def opened(region: Region, drain_s: float) -> Iterator[Region]:
    """The time in which `region` gets what `spawn` is given; at its end it is closed."""
    hub = current_hub()
    region_of(hub)  # the hub's own comes first
    hub.regions.append(region)
    hub.region = region
    hub.is_hurried = False  # what was hurried is over
    try:
        yield region
    finally:
        try:
            region.close(drain_s)
        finally:  # a cancel, or a KeyboardInterrupt, may end its waiting
            hub.regions.remove(region)
            hub.region = hub.regions[-1]


class RegionStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """Counts. `alive` are pending or running; the others are since the region was made."""

    alive: int
    limit: int
    spawned: int
    failed: int
    cancelled: int
    waiting: int


class Region:
    """Functions that run until they are over, or their owner is.

    Args:
        name: whose it is, for messages.
        limit: how many there may be at a time; who spawns more waits.
    """

    __slots__ = (
        "_alive",
        "_cancelled",
        "_failed",
        "_hub",
        "_is_closed",
        "_limit",
        "_spawned",
        "_waiters",
        "name",
    )

    def __init__(self, name: str, limit: int = LIMIT) -> None:
        self.name = name
        self._limit = limit
        self._hub: Hub = current_hub()
        self._alive: set[Handle[Any]] = set()
        self._waiters: list[Any] = []
        self._spawned = self._failed = self._cancelled = 0
        self._is_closed = False

    def spawn(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
        """Run `fn(*args, **kwargs)` in a greenlet of its own, from the next time the caller waits.

        When there are `limit` of them already it waits until some are over.

        Raises: RegionClosed; RegionFull, in a function of this region, and where nobody can wait.
        """
        return self.start(fn, args, kwargs)

    def start(
        self, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Handle[T]:
        """As `spawn`."""
        if len(self._alive) >= self._limit and not self._is_closed:
            self._wait_for_room()
        if self._is_closed:  # perhaps while the caller waited
            raise RegionClosed(f"{self!r} is closed, so it starts nothing")
        handle = start(self._hub, self, fn, args, kwargs, None, 3)
        self._alive.add(handle)
        self._spawned += 1
        self._hub.carriers.submit(handle)
        return handle

    def _wait_for_room(self) -> None:
        me = getcurrent()
        if me is self._hub.native or getattr(me, "job", None) in self._alive:
            # All of them may be about to wait for each other.
            raise RegionFull(f"{self!r} is full; start fewer, or wait for some of them: join()")
        self._waiters.append(me)
        try:
            while len(self._alive) >= self._limit and not self._is_closed:
                self._hub.park()
        finally:
            self._waiters.remove(me)

    def on_ended(self, handle: Handle[Any]) -> None:
        """A function is over. Called by its handle."""
        self._alive.discard(handle)
        if handle.state != "done":
            self._count_loss(handle)
        # Not at each of them: who spawns many gets room for some at a time.
        if self._waiters and len(self._alive) * 4 <= self._limit * 3:
            for waiter in self._waiters:
                self._hub.run_soon(self._wake, waiter)

    def _count_loss(self, handle: Handle[Any]) -> None:
        if handle.state == "failed":
            self._failed += 1
            self._report(handle)
        else:
            self._cancelled += 1

    def _wake(self, waiter: Any) -> None:
        if waiter in self._waiters:
            waiter.switch()

    def _report(self, handle: Handle[Any]) -> None:
        try:
            logger.error(
                "%s failed, which was spawned at\n%s",
                handle.name,
                "\n".join(f"  {file}:{line} in {name}" for file, line, name in handle.spawned_at),
                exc_info=handle.error,
            )
        except BaseException:
            pass  # a logger that fails must not take the carrier along

    def close(
        self, drain_s: float, *, since: float | None = None, cleanup_s: float | None = None
    ) -> list[Handle[Any]]:
        """Wait for all of them, at most `drain_s`; then cancel those that are left.

        Those that run may spawn others until then. What does not even end when it is cancelled is
        given up, and logged.

        Args:
            since: when `drain_s` began, on the runtime clock; now when left out.
            cleanup_s: what those that are cancelled get; a little more than `RETELL_S` when left
                out, so that they are told twice.
        Returns: those that were cut off.
        """
        if self._is_closed:
            return []
        began = now() if since is None else since
        with patience(max(0.0, began + drain_s - now())):
            self._wait_until_over()
        self._is_closed = True
        cut_off = sorted(self._alive, key=lambda handle: handle.name)
        if cut_off:
            logger.warning(
                "%s stops: %d spawned functions are cut off after %g s:\n%s",
                self.name,
                len(cut_off),
                min(drain_s, round(now() - began, 2)),  # less, if it was hurried
                "\n".join(f"  {handle.name} {handle.where}" for handle in cut_off[:_MOST_NAMES]),
            )
        for handle in cut_off:
            handle.cancel(f"{self.name} stops")
        for waiter in self._waiters:
            self._hub.run_soon(self._wake, waiter)
        with patience(RETELL_S + 1 if cleanup_s is None else cleanup_s, for_cleanup=True):
            self._wait_until_over()
        for handle in self._alive:
            logger.error(
                "%s does not end though it was cancelled; it is given up %s",
                handle.name,
                handle.where,
            )
        return cut_off

    def _wait_until_over(self) -> None:
        while self._alive:
            next(iter(self._alive)).join()

    def statistics(self) -> RegionStatistics:
        """How many there are, and were."""
        return RegionStatistics(
            alive=len(self._alive),
            limit=self._limit,
            spawned=self._spawned,
            failed=self._failed,
            cancelled=self._cancelled,
            waiting=len(self._waiters),
        )

    @property
    def handles(self) -> list[Handle[Any]]:
        """Those that are pending or running."""
        return list(self._alive)

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open"
        return f"<Region of {self.name}: {state}, {len(self._alive)} of {self._limit}>"
