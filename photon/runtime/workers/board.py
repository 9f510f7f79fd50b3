"""Shared memory in which workers show how they are, so that nobody has to ask one that is busy.

One row of 64-bit numbers for each worker. A worker writes its own row alone; the supervisor, the
other workers and `photon top` read it. A number is written by one instruction, so no lock is needed
and no reader ever sees half of it. The supervisor gives out rows, and clears them.

Source: gunicorn's heartbeat is a file's time for each worker; nginx's slots and counters are alike.
"""

from __future__ import annotations

import mmap
import os
from time import monotonic_ns

ROWS = 4096
"""Workers that there can be at a time, those that drain included."""

# The cells of a row...
PID = 0
STATE = 1
BEAT = 2  # when the hub last moved, us of the monotonic clock, which all processes share
CONNECTIONS = 3  # open ones
ACCEPTED = 4  # connections since the start
BUSY = 5  # requests in progress, as of the last beat
LAG = 6  # how late the last beat was, us
BLOCKED = 7  # how often the hub stood still for too long
ANSWERED = 8  # jobs of carriers, which are requests but for a few
RSS = 9  # bytes, as of the last second
LOAD = 10  # of a core that the last tenths of a second took, in thousandths

_CELLS = 16
_BYTES = (ROWS * _CELLS + 1) * 8

# States...
FREE, BOOTING, READY, DRAINING = range(4)
STATES = ("free", "booting", "ready", "draining")


class Board:
    """All rows. Made by the supervisor before it forks; or taken over by its descriptor.

    Attributes: descriptor: of the memory, to hand it on to another program.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.descriptor = _shared_memory(_BYTES) if descriptor is None else descriptor
        self._memory = mmap.mmap(self.descriptor, _BYTES)
        self._cells = memoryview(self._memory).cast("q")
        # Behind all rows: how many were ever in use, so that nobody looks through all of them.
        self._used = self._cells[ROWS * _CELLS :]

    def row(self, number: int) -> memoryview:
        """The cells of a worker: `row[CONNECTIONS] = 12`."""
        return self._cells[number * _CELLS : (number + 1) * _CELLS]

    def take(self, state: int = BOOTING) -> int:
        """The number of a row that was free, cleared.   Raises: LookupError, if there is none."""
        for number in range(ROWS):
            row = self.row(number)
            if row[STATE] == FREE:
                for cell in range(_CELLS):
                    row[cell] = 0
                row[STATE] = state
                row[BEAT] = now_us()
                self._used[0] = max(self._used[0], number + 1)
                return number
        raise LookupError(f"there can be {ROWS} workers at a time, those that drain included")

    def free(self, number: int) -> None:
        """The worker of this row is no more."""
        self.row(number)[STATE] = FREE

    def rows_of(self, state: int) -> list[memoryview]:
        """The rows of all workers in a state."""
        return [row for row in self.rows() if row[STATE] == state]

    def rows(self) -> list[memoryview]:
        """Those of all workers."""
        used = range(self._used[0])
        return [row for number in used if (row := self.row(number))[STATE] != FREE]


def now_us() -> int:
    """The clock of beats: microseconds since the machine started."""
    return monotonic_ns() // 1000


def _shared_memory(size: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("photon-board")
    else:
        import tempfile  # takes a while to import

        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor
