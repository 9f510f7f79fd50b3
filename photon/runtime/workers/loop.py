"""A loop over poll(2) with signals and time: for a process that must not have a hub.

Only the unpatched originals are called: no greenlet is ever switched, so whoever has such a loop
can fork at any moment.
"""

from __future__ import annotations

import logging
import os
import select
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Any

from gevent import monkey

from photon.runtime.workers.polled import PolledServer

logger = logging.getLogger("photon.workers")

_poll: Callable[[], Any] = monkey.get_original("select", "poll")

TICK_S = 0.1
"""How often `Loop.tick` is called."""

OnSignal = Callable[[], object]


class Loop:
    """Attributes: close_in_child: what a forked child must not keep open: has `close()`."""

    def __init__(self) -> None:
        self.close_in_child: list[Any] = []
        self._poll = _poll()
        self._callbacks: dict[int, Callable[[int], object]] = {}
        self._on_tick: list[Callable[[float], object]] = []
        self._ticked = 0.0

    def watch(self, descriptor: int, callback: Callable[[int], object], events: int = 0) -> None:
        """Call `callback(events)` when a descriptor is ready; until `unwatch`."""
        self._poll.register(descriptor, events or select.POLLIN)
        self._callbacks[descriptor] = callback

    def unwatch(self, descriptor: int) -> None:
        """Look at a descriptor no more."""
        if self._callbacks.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)

    def attach(self, server: PolledServer[Any]) -> None:
        """Have the loop drive a small server."""

        def on_interest(descriptor: int, events: int) -> None:
            if events:
                self.watch(descriptor, lambda found: server.handle(descriptor, found), events)
            else:
                self.unwatch(descriptor)

        for descriptor, events in server.watched():
            on_interest(descriptor, events)
        server.on_interest = on_interest
        self.on_tick(lambda now: server.tick())
        self.close_in_child.append(_Forget(server))

    def on_tick(self, callback: Callable[[float], object]) -> None:
        """Call `callback(now)` about ten times a second."""
        self._on_tick.append(callback)

    def tick(self, now: float) -> None:
        """About ten times a second, before what `on_tick` was given.   Args: now: monotonic."""

    def turn(self) -> None:
        """Wait until something is ready, or it is time for a tick, and do it."""
        for descriptor, events in self._poll.poll(TICK_S * 1000):
            callback = self._callbacks.get(descriptor)
            if callback is not None:
                _guarded(callback, events)
        now = monotonic()
        if now - self._ticked >= TICK_S:
            self._ticked = now
            _guarded(self.tick, now)
            for on_tick in self._on_tick:
                _guarded(on_tick, now)

    def set_interest(self, descriptor: int, events: int) -> None:
        """Wait for these events of a descriptor that is watched."""
        self._poll.modify(descriptor, events)

    @contextmanager
    def signals(self, meanings: Mapping[int, OnSignal]) -> Iterator[None]:
        """Have signals call what they mean, in the loop, while the block runs."""
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        os.set_blocking(write_end, False)
        former_fd = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        former = {which: signal.signal(which, _note) for which in meanings}
        # They may have been blocked while another program took this one's place.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, meanings)
        pipe = _Pipe(read_end, write_end)
        self.close_in_child.append(pipe)

        def on_signals(events: int) -> None:
            for number in os.read(read_end, 512):
                meaning = meanings.get(number)
                if meaning is not None:
                    _guarded(meaning)  # each of them, as the others are still to be heard

        self.watch(read_end, on_signals)
        try:
            yield
        finally:
            self.unwatch(read_end)
            for which, handler in former.items():
                signal.signal(which, signal.SIG_DFL if handler is None else handler)
            signal.set_wakeup_fd(former_fd)
            self.close_in_child.remove(pipe)
            pipe.close()


def _guarded(callback: Callable[..., object], *arguments: object) -> None:
    """A fault in one thing that is looked after must not leave all others without anybody."""
    try:
        callback(*arguments)
    except Exception:
        logger.exception("%r failed", callback)


class _Forget:
    """What a child does to a server of its parent's."""

    def __init__(self, server: PolledServer[Any]) -> None:
        self.close = server.forget


class _Pipe:
    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors

    def close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)


def _note(number: int, frame: object) -> None:
    """Python writes the number of the signal into the pipe; nothing else is to be done."""
