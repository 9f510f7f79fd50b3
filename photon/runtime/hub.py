"""The seam to gevent: the hub, the loop of one OS thread, and what hangs on it.

Everything that Photon asks of gevent passes through this room, most of it through this file. A hub
runs callbacks; a callback may switch into a greenlet, and comes back when that greenlet waits
(parks) or ends: it sees at once whether the greenlet it woke is done.

    hub callback ──switch──▶ greenlet runs ──park()──▶ back in the callback

One hub per OS thread, made at first use; nothing that hangs on it may be used from another thread
but `run_threadsafe`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from gevent import get_hub
from gevent._hub_local import get_hub_if_exists
from greenlet import getcurrent, greenlet

from photon.runtime.carriers import Carriers
from photon.runtime.deadlines import Deadlines, Sweep

__all__ = ["READ", "WRITE", "Hub", "current_hub", "existing_hub", "getcurrent", "greenlet"]

READ = 1
WRITE = 2


class Hub:
    """The loop of this OS thread, with its carriers and its two kinds of time-outs."""

    def __init__(self, native: Any) -> None:
        self.native = native
        self.loop = native.loop
        # PERF: greenlet's own switch; gevent's Hub.switch looks for a switch_out on every
        # greenlet first (0.2 us), which only gevent.Greenlet has.
        self.park: Callable[[], Any] = greenlet.switch.__get__(native)
        self.timers: Any = self.loop
        self.deadlines = Deadlines(self.loop)
        self.sweep = Sweep(self.loop)
        self.carriers = Carriers(native)
        self.regions: list[Any] = []
        self.region: Any = None  # the last one of them, see `region.region_of`
        self.waiting_for_end: set[Any] = set()  # see `patience`
        self.is_hurried = False  # see `patience.hurry`
        self.pulse: Any = None  # see `debug.pulse.pulsing`
        self.watchdog: Any = None  # see `watchdog.watching`
        self._inbox: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._mail: Any = None

    def take_timers_of(self, timers: Any) -> None:
        """Have time kept by something else than the loop: by a clock that tests move by hand.

        Args: timers: has `timer(seconds)`, which gives what has `start(fn, *args)` and `close()`.
        """
        self.timers = timers
        self.deadlines.take_timers_of(timers)
        self.sweep.take_timers_of(timers)

    def run_soon(self, fn: Callable[..., object], *args: Any) -> None:
        """Call `fn(*args)` in the hub, in its next round. From this thread only."""
        self.loop.run_callback(fn, *args)

    def run_threadsafe(self, fn: Callable[..., object], *args: Any) -> None:
        """Call `fn(*args)` in the hub, soon; the one method that any OS thread may call.

        The hub must have called `accept_mail()` before.
        """
        self._inbox.append((fn, args))
        self._mail.send()

    def accept_mail(self) -> None:
        """Make `run_threadsafe` work; it also keeps the loop from ending for want of watchers."""
        if self._mail is None:
            self._mail = self.loop.async_()
            self._mail.start(self._open_mail)

    @property
    def rounds(self) -> int:
        """How often the loop has polled: between two that are the same no socket had a turn."""
        return self.loop.iteration

    @property
    def is_here(self) -> bool:
        """Whether it is the hub of the calling OS thread."""
        return get_hub_if_exists() is self.native

    @property
    def accepts_mail(self) -> bool:
        """Whether `run_threadsafe` works."""
        return self._mail is not None

    def refuse_mail(self) -> None:
        """Let go of the watcher that `accept_mail` holds."""
        if self._mail is not None:
            self._mail.close()
            self._mail = None

    def _open_mail(self) -> None:
        # One send() may stand for many appends: libev folds them.
        while self._inbox:
            fn, args = self._inbox.popleft()
            self.loop.run_callback(fn, *args)

    def __repr__(self) -> str:
        return f"<Hub {self.carriers!r} {self.deadlines!r} {self.sweep!r}>"


def has_hub() -> bool:
    """Whether this OS thread has a hub, so that a fork would take its greenlets along."""
    return get_hub_if_exists() is not None


def existing_hub() -> Hub | None:
    """The hub of the calling OS thread; None when it has none yet."""
    return None if get_hub_if_exists() is None else current_hub()


def current_hub() -> Hub:
    """The hub of the calling OS thread; made at the first call."""
    native = get_hub()
    try:
        hub: Hub = native.photon_hub
    except AttributeError:
        hub = native.photon_hub = Hub(native)
    return hub
