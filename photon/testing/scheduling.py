"""The order of ready greenlets, permuted by a seed.

    with shuffled(1234):
        with nursery() as n:
            n.spawn(withdraw, 50)
            n.spawn(withdraw, 80)

What is ready at the same time may run in any order, and programs must not rely on one. In daily
life it is nearly always the same one, so that a race lies in wait until the day of much traffic. A
seed brings up other orders, and the same seed the same order again. Permuted are

    carriers.ready      requests and other jobs whose bytes came in one poll
    carriers.submit     functions that were spawned since the last poll
    hub.run_soon        wake-ups that were asked for in one round of the hub
    select              its choice among several things that are ready

The promises stay: a lock, a channel or a queue hands over in the order in which greenlets came to
it, `checkpoint` still lets all run first that are ready, and time goes forward. What gevent wakes
by itself (its own locks and events, which libraries use after the patch), and the order in which
the kernel has news, are not in our hands.

For pytest there is `--photon-seed`: see `plugin`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from weakref import WeakKeyDictionary

from photon.runtime import select
from photon.runtime.carriers import Carriers
from photon.runtime.hub import Hub, current_hub

__all__ = ["Shuffle", "alike", "shuffled"]

# Of 100,000 that are submitted some hundred begin in each round, and each round permutes again.
_MOST = 1024

_running: WeakKeyDictionary[Hub, Shuffle] = WeakKeyDictionary()


@contextmanager
def shuffled(seed: int) -> Iterator[Shuffle]:
    """Permute the order of ready greenlets of this thread, for the length of the block.

    Args: seed: the same one gives the same order, as long as the program does the same.
    """
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise TypeError(f"a seed is a whole number, not {seed!r}")
    hub = current_hub()
    outer = _running.get(hub)
    shuffle = Shuffle(hub, seed)
    _change(hub, outer, shuffle)
    try:
        yield shuffle
    finally:
        _change(hub, shuffle, outer)


def _change(hub: Hub, former: Shuffle | None, new: Shuffle | None) -> None:
    """The innermost one permutes."""
    if former is not None:
        former._remove()
        del _running[hub]
    if new is not None:
        new._install()
        _running[hub] = new


@contextmanager
def alike(hub: Hub) -> Iterator[None]:
    """What is by chance, or by a seed, is in each such block as in the one before."""
    shuffle = _running.get(hub)
    if shuffle is not None:
        shuffle.restart()
        yield
        return
    chance, select._chance = select._chance, Random(0)
    try:
        yield
    finally:
        select._chance = chance


class Shuffle:
    """What permutes the order of one hub.   Attributes: seed."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.seed = seed
        self._hub = hub
        self._random = Random(seed)
        self._chance = select._chance
        self._wake_ups: list[tuple[Callable[..., object], tuple[Any, ...]]] = []

    def restart(self) -> None:
        """From here on the order is that of the beginning."""
        self._random.seed(self.seed)

    # In place of what the hub does...

    def _run_soon(self, fn: Callable[..., object], *args: Any) -> None:
        if not self._wake_ups:
            self._hub.loop.run_callback(self._run_round)
        self._wake_ups.append((fn, args))

    def _run_round(self) -> None:
        wake_ups, self._wake_ups = self._wake_ups, []
        self._random.shuffle(wake_ups)
        # Each a callback of its own: the loop reports what one of them raises, and goes on.
        for fn, args in wake_ups:
            self._hub.loop.run_callback(fn, *args)

    def _work(self) -> None:
        carriers = self._hub.carriers
        self._permute(carriers.ready)
        Carriers._work(carriers)

    def _start_submitted(self) -> None:
        carriers = self._hub.carriers
        self._permute(carriers._submitted)
        Carriers._start_submitted(carriers)

    def _permute(self, jobs: deque[Any]) -> None:
        window = [jobs.popleft() for _ in range(min(len(jobs), _MOST))]
        self._random.shuffle(window)
        jobs.extendleft(reversed(window))

    # Attributes of the instances, so that nobody else pays for the possibility...

    def _install(self) -> None:
        hub: Any = self._hub
        hub.run_soon = self._run_soon
        hub.carriers._work = self._work
        hub.carriers._start_submitted = self._start_submitted
        self._chance, select._chance = select._chance, self._random
        self._rearm()

    def _remove(self) -> None:
        hub = self._hub
        del hub.run_soon, hub.carriers._work, hub.carriers._start_submitted
        select._chance = self._chance
        self._rearm()
        if self._wake_ups:
            self._run_round()

    def _rearm(self) -> None:
        """The watcher holds the bound method that it was started with."""
        # Not by starting it anew: once the loop would poll without asking it.
        carriers = self._hub.carriers
        carriers._before_poll.callback = carriers._work

    def __repr__(self) -> str:
        return f"<Shuffle seed={self.seed}>"
