"""The pulse: whether the hub of a thread moves, and how late it is.

A timer of the hub notes every 20 ms that it moves. A native thread looks whether it did, when it
has been silent for longer than it should, and not before: a hub that moves is looked at some ten
times a second, which costs nothing that can be measured.

    hub timer ── ticked, lag ──▶ on_beat, in the hub
    native thread: silent for `stuck_s`? ── yes ──▶ on_stuck, in that thread, every 50 ms
                   it moves again        ─────────▶ on_freed, in that thread, once

While C code holds the GIL no thread of Python's runs. Then the native thread comes too late itself,
and is told so by the clock.

Prior art: gevent's monitor thread, which costs 30 % of every switch as it counts switches; Go's
sysmon.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, NamedTuple

from gevent import monkey

from photon.runtime.hub import Hub, current_hub

logger = logging.getLogger("photon.runtime")

TICK_S = 0.02
"""How often the hub says that it moves."""

STUCK_S = 0.1
"""How long it may be silent before somebody is told."""

# How often those who wait for a hub to move are told again that it does not.
_AGAIN_S = 0.05

# The longest lag of the last minute is kept in so many buckets of so many seconds.
_BUCKETS, _BUCKET_S = 6, 10.0

_start_thread = monkey.get_original("_thread", "start_new_thread")
_allocate_lock = monkey.get_original("_thread", "allocate_lock")
_get_ident = monkey.get_original("_thread", "get_ident")


class Silence(NamedTuple):
    """A hub that does not move.

    Attributes:
        seconds: since it last moved.
        unseen_s: how much of that not even the native thread could run: C code held the GIL, or
            the whole process stood still.
        computing: the share of it in which the thread of the hub had a processor, 0 to 1, as far
            as it was looked at; less on a machine that is busy.
        since: when it last moved, in seconds of the monotonic clock; names this silence.
    """

    seconds: float
    unseen_s: float
    computing: float
    since: float


class Pulse:
    """The pulse of one hub; made by `pulsing`.

    Those who listen are called one after the other; who raises is logged and not called again.

    Attributes:
        thread: native number of the hub's thread.
        ticked: when the hub last moved, in seconds of the monotonic clock.
        lag_s: how late the last tick was.
        blocked: how often the hub stood still for longer than `stuck_s`; blocked_s: for how long
            in all.
        stuck_s: what is too long; at least 50 ms, as a tick is 20 ms.
        on_beat: called in the hub with the lag in seconds, 50 times a second: it must be cheap.
        on_stuck: called in a native thread with a `Silence`, while it lasts.
        on_freed: called in a native thread with the seconds that the hub had stood still.
        users: how many need it.
    """

    def __init__(self, hub: Hub) -> None:
        self.thread: int = _get_ident()
        self.stuck_s = STUCK_S
        self.lag_s = 0.0
        self.blocked = 0
        self.blocked_s = 0.0
        self.on_beat: list[Callable[[float], object]] = []
        self.on_stuck: list[Callable[[Silence], object]] = []
        self.on_freed: list[Callable[[float], object]] = []
        self.users = 0
        self._hub = hub
        self._timer: Any = None
        self._ending: Any = None
        self.ticked = monotonic()
        self._last_silence_s = 0.0
        self._worst_s = 0.0
        self._worsts: deque[float] = deque(maxlen=_BUCKETS - 1)
        self._bucket_ends = self.ticked + _BUCKET_S

    def begin(self) -> None:
        """Tick and look."""
        self.ticked = monotonic()
        self._timer = self._hub.loop.timer(TICK_S, TICK_S, ref=False)
        self._timer.start(self._tick)
        self._ending = _allocate_lock()
        self._ending.acquire()
        _start_thread(self._watch, (self._ending,))

    def leave(self) -> None:
        """One user less; with the last one it ends."""
        self.users -= 1
        if not self.users:
            self._hub.pulse = None
            self._ending.release()
            self._timer.close()

    @property
    def longest_lag_s(self) -> float:
        """The longest lag of the last minute, seconds; of a hub that is stuck, how long it is."""
        return max(self._worst_s, *self._worsts, self.silent_s - TICK_S, 0.0)

    @property
    def silent_s(self) -> float:
        """How long ago the hub last moved."""
        return monotonic() - self.ticked

    def forget(self, listener: Callable[[Any], object]) -> None:
        """Call `listener` no more, whatever it listened to; does nothing the second time."""
        # Other lists, for those that are gone through now, maybe in another thread.
        self.on_beat = [each for each in self.on_beat if each != listener]
        self.on_stuck = [each for each in self.on_stuck if each != listener]
        self.on_freed = [each for each in self.on_freed if each != listener]

    # In the hub...

    def _tick(self) -> None:
        moment = monotonic()
        silent_s = moment - self.ticked
        lag_s = silent_s - TICK_S
        self.lag_s = lag_s = lag_s if lag_s > 0.0 else 0.0
        if lag_s > self._worst_s:
            self._worst_s = lag_s
        if moment > self._bucket_ends:
            self._worsts.append(self._worst_s)
            self._worst_s = 0.0
            self._bucket_ends = moment + _BUCKET_S
        if silent_s > self.stuck_s:
            self.blocked += 1
            self.blocked_s += silent_s
            self._last_silence_s = silent_s
        # Last of all, as the native thread goes by it.
        self.ticked = moment
        for listener in self.on_beat:
            try:
                listener(lag_s)
            except Exception:
                self._drop(listener)

    # In the native thread...

    def _watch(self, ending: Any) -> None:
        wait_s = self.stuck_s
        woke = monotonic()
        stuck_since = 0.0
        unseen_s = 0.0
        try:
            looked, cpu_s = woke, self._computed_s()
            while not ending.acquire(timeout=wait_s):
                before, woke = woke, monotonic()
                ticked = self.ticked
                silent_s = woke - ticked
                if stuck_since and ticked != stuck_since:
                    stuck_since = 0.0
                    self._tell(self.on_freed, self._last_silence_s)
                if silent_s <= self.stuck_s:
                    # Not before it could be stuck is there anything to see.
                    wait_s = max(self.stuck_s - silent_s, 0.0) + 0.001
                    looked, cpu_s = woke, self._computed_s()
                    unseen_s = 0.0
                    continue
                unseen_s += max(0.0, woke - before - wait_s - _AGAIN_S)
                stuck_since = ticked
                share = (self._computed_s() - cpu_s) / max(woke - looked, 0.001)
                news = Silence(silent_s, unseen_s, min(share, 1.0), ticked)
                self._tell(self.on_stuck, news)
                wait_s = _AGAIN_S
        except OSError:
            pass  # the thread of the hub is gone

    def _computed_s(self) -> float:
        """What the hub's thread has computed since it began, where the system tells.

        Raises: OSError, when it is gone.
        """
        if not hasattr(time, "pthread_getcpuclockid"):  # macOS
            return 0.0
        return time.clock_gettime(time.pthread_getcpuclockid(self.thread))

    def _tell(self, listeners: list[Callable[[Any], object]], news: object) -> None:
        for listener in listeners:
            try:
                listener(news)
            except Exception:
                self._drop(listener)

    def _drop(self, listener: Callable[[Any], object]) -> None:
        logger.exception("%r failed, and is not told of the hub's pulse any more", listener)
        self.forget(listener)

    def statistics(self) -> dict[str, float]:
        """`lag_ms`, `longest_lag_ms` of the last minute, `blocked` times, `blocked_s` in all."""
        return {
            "lag_ms": round(max(self.lag_s, self.silent_s - TICK_S) * 1000, 2),
            "longest_lag_ms": round(self.longest_lag_s * 1000, 2),
            "blocked": self.blocked,
            "blocked_s": round(self.blocked_s, 3),
        }

    def __repr__(self) -> str:
        return f"<Pulse lag {self.lag_s * 1000:.1f} ms, blocked {self.blocked} times>"


@contextmanager
def pulsing() -> Iterator[Pulse]:
    """The pulse of this thread's hub while the block runs; there is one for all who want it."""
    hub = current_hub()
    pulse = hub.pulse
    if pulse is None:
        pulse = hub.pulse = Pulse(hub)
        pulse.begin()
    pulse.users += 1
    try:
        yield pulse
    finally:
        pulse.leave()
