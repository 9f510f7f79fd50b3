"""What a process that serves shows of itself on the board, and when a worker is to be replaced."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable
from time import monotonic, process_time

from photon.runtime.carriers import Carriers
from photon.runtime.debug.pulse import Silence
from photon.runtime.workers.board import ANSWERED, BEAT, BLOCKED, BUSY, LAG, LOAD, RSS, now_us
from photon.runtime.workers.settings import WorkerLimits

_LOOK_S = 0.1
_CHECK_S = 1.0
_ASK_AGAIN_S = 30.0

# Of a limit, at the most: workers that began together shall not all leave together.
_CHANCE = 0.1

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Reporter:
    """Listens to the pulse of a hub (`debug.pulse`) and writes its row.

    Args: retire: called with the reason when one of the limits is reached; and again after a
        while, as a successor may fail to boot.
    """

    def __init__(
        self,
        row: memoryview,
        carriers: Carriers,
        limits: WorkerLimits,
        retire: Callable[[str], object],
    ) -> None:
        self._row = row
        self._retire = retire
        self._carriers = carriers
        more = 1 + random.random() * _CHANCE
        self._max_requests = limits.max_requests * more
        self._max_lifetime_s = limits.max_lifetime_s * more
        self._max_rss_bytes = limits.max_rss_bytes * more
        self._began = monotonic()
        self._looked = self._began
        self._checked = self._began
        self._cpu_s = process_time()
        self._asks_from = 0.0

    def on_beat(self, lag_s: float) -> None:
        """In the hub, 50 times a second."""
        row = self._row
        row[BEAT] = now_us()
        row[LAG] = int(lag_s * 1e6)
        moment = monotonic()
        if moment - self._looked >= _LOOK_S:
            self._look(moment)
        if moment - self._checked >= _CHECK_S:
            self._checked = moment
            self._check(moment)

    def on_freed(self, seconds: float) -> None:
        """In a native thread: the hub had stood still."""
        self._row[BLOCKED] += 1

    def _look(self, moment: float) -> None:
        cpu_s = process_time()
        self._row[LOAD] = int(1000 * (cpu_s - self._cpu_s) / (moment - self._looked))
        self._row[BUSY] = self._carriers.busy
        self._cpu_s, self._looked = cpu_s, moment

    def _check(self, moment: float) -> None:
        row = self._row
        row[ANSWERED] = answered = self._carriers.jobs_run
        row[RSS] = rss = resident_bytes()
        if moment < self._asks_from:
            return
        reason = ""
        if 0 < self._max_requests <= answered:
            reason = f"it has answered {answered} requests (--max-requests)"
        elif 0 < self._max_lifetime_s <= moment - self._began:
            reason = f"it has lived for {moment - self._began:.0f} s (--max-lifetime)"
        elif 0 < self._max_rss_bytes <= rss:
            reason = f"it holds {rss / 2**20:.0f} MiB of memory (--max-rss)"
        if reason:
            self._asks_from = moment + _ASK_AGAIN_S
            self._retire(reason)


class Orphan:
    """Ends a worker that hangs when its supervisor, which would do that, is gone.

    Args: hang_timeout_s: for how long it may hang.
    """

    def __init__(self, hang_timeout_s: float) -> None:
        self._parent = os.getppid()
        self._hang_timeout_s = hang_timeout_s

    def on_stuck(self, silence: Silence) -> None:
        """In a native thread: the hub does not move, see `debug.pulse`."""
        if silence.seconds > self._hang_timeout_s and os.getppid() != self._parent:
            os.kill(os.getpid(), signal.SIGKILL)


def resident_bytes() -> int:
    """The memory that this process holds; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0
