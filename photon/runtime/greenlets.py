"""Starting work beside the caller: `spawn`, `sleep`, `checkpoint`."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from gevent import monkey

from photon.runtime.clock import now
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub, existing_hub, getcurrent
from photon.runtime.region import Region, region_of

P = ParamSpec("P")
T = TypeVar("T")

_block = monkey.get_original("time", "sleep")


def spawn(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
    """Run `fn(*args, **kwargs)` in a greenlet of its own, from the next time the caller waits.

    It sees the caller's context variables as they are now. It belongs to the application that
    serves in this thread, which waits for it when it stops, and cancels it when that takes too
    long; what it raises is logged with the place of this call, and kept in the handle.

    For functions whose end is to be waited for there is `nursery`.

    Returns: a `Handle`.
    Raises: RegionFull, RegionClosed: see `Region.spawn`.
    """
    hub = current_hub()
    region: Region = hub.region or region_of(hub)  # PERF: hardly ever the call
    return region.start(fn, args, kwargs)


def sleep(seconds: float) -> None:
    """Wait `seconds`, while everything else goes on. Interruptible.

    After the patch this is `time.sleep`, too.   Raises: ValueError, for a negative number.
    """
    if not seconds > 0:
        if seconds != 0:  # less, or nan
            raise ValueError(f"sleep length must be a non-negative number, not {seconds!r}")
        return checkpoint()
    hub = existing_hub()
    if hub is None:
        # A native thread: there is nobody else to let in, and a loop of its own costs two
        # descriptors, without which libev aborts the process.
        _block(seconds)
        return None
    # PERF: a libev timer of its own: 6 us a round trip, where an entry in `Deadlines` takes 7
    # (Python's heap is slower than libev's) and gevent.sleep 8.
    timer = hub.timers.timer(seconds)
    # update: libev counts from its cached time, which a busy hub lets grow old.
    timer.start(getcurrent().switch, update=True)
    try:
        hub.park()
    finally:
        timer.close()


def sleep_forever() -> None:
    """Wait until interrupted."""
    while True:
        current_hub().park()


def checkpoint() -> None:
    """Let every other greenlet that is ready run first, and be interruptible for a moment.

    For long computations: call it every few milliseconds.
    """
    # A timer, and no callback: gevent runs up to 50 callbacks that were added meanwhile before it
    # looks at sockets and timers again, so that one checkpoint after the other would let nobody in.
    hub = existing_hub()
    if hub is None:  # a native thread, which has nobody to let in
        return
    timer = hub.loop.timer(0.0)
    timer.start(getcurrent().switch, update=True)
    try:
        hub.park()
    finally:
        timer.close()


class Turn:
    """Keeps a loop that may never wait from keeping the hub to itself.

    turn = Turn()
    for piece in pieces:
        send(piece)
        turn.give_way()
    """

    __slots__ = ("_began",)

    # Nobody notices a pause of 5 ms; it is also how long CPython lets a thread run.
    LONGEST_S = 0.005

    def __init__(self) -> None:
        self._began = now()

    @property
    def is_over(self) -> bool:
        """Whether others should be let in."""
        return now() - self._began > self.LONGEST_S

    def give_way(self) -> None:
        """Let others in, if this turn was a long one."""
        if self.is_over:
            checkpoint()
            self._began = now()
