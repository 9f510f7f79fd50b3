"""Signals as calls in the hub, where they may start an orderly end.

A signal may come at any instruction, so its handler only notes it down; what it means is decided
in the hub, between two callbacks. Python writes the number of each signal into a pipe (PEP 475's
wake-up descriptor) and the hub watches that pipe: no signal is lost between a look and a wait.

Not libev's own signal watchers: a hub that is stuck in a computation never runs their callbacks,
and neither Ctrl+C nor SIGTERM could end the process. A Python handler still runs there, between
two bytecodes; it counts, and the last of `ends_at` signals ends the process without the hub.

Prior art: gunicorn's Arbiter.signal, asyncio's add_signal_handler.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType

from photon.runtime.hub import READ, current_hub

logger = logging.getLogger("photon.runtime")

OnSignal = Callable[[signal.Signals], object]


@contextmanager
def watch_signals(
    signals: Iterable[signal.Signals],
    on_signal: OnSignal,
    *,
    ends_at: int = 3,
    harmless: Iterable[signal.Signals] = (),
) -> Iterator[None]:
    """Have signals call `on_signal(which)` in the hub while the block runs.

    In the main thread only, as Python has it. What handled them before is put back.

    Args:
        ends_at: the signal that ends the process at once, as its default action does, whatever
            the process is busy with. The first two can be "stop" and "hurry".
        harmless: those of them that do not count for that, however often they come.
    """
    hub = current_hub()
    watch = _Watch(frozenset(signals), frozenset(harmless), on_signal, ends_at)
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    watcher = hub.loop.io(read_end, READ)
    watcher.start(watch.read, read_end)
    former_descriptor = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    former = {which: signal.signal(which, watch.count) for which in watch.signals}
    try:
        yield
    finally:
        for which, handler in former.items():
            # None: it was not installed from Python, so Python cannot put it back.
            signal.signal(which, signal.SIG_DFL if handler is None else handler)
        signal.set_wakeup_fd(former_descriptor)
        watcher.close()
        os.close(read_end)
        os.close(write_end)


class _Watch:
    def __init__(
        self,
        signals: frozenset[signal.Signals],
        harmless: frozenset[signal.Signals],
        on_signal: OnSignal,
        ends_at: int,
    ) -> None:
        self.signals = signals
        self._harmless = harmless
        self._on_signal = on_signal
        self._ends_at = ends_at
        self._counted = 0

    def count(self, number: int, frame: FrameType | None) -> None:
        """Python's handler: between two bytecodes of whatever runs."""
        if number in self._harmless:
            return
        self._counted += 1
        if self._counted >= self._ends_at:
            _end_by(number)

    def read(self, descriptor: int) -> None:
        """In the hub: some signals came."""
        try:
            numbers = os.read(descriptor, 512)
        except BlockingIOError:
            return
        for number in numbers:
            if number not in self.signals:  # others may have handlers too, which write here as well
                continue
            try:
                self._on_signal(signal.Signals(number))
            except Exception:  # of one signal; the others are still to be heard
                logger.exception("what is done at %s failed", signal.Signals(number).name)


def _end_by(number: int) -> None:
    """End the process so that its parent sees which signal did it."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # The first process of a container is spared by default actions.
    os._exit(128 + number)
