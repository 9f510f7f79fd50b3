"""The clocks: one that only goes forward, for every deadline in the process, and the wall's.

All that keeps time asks here, so that tests can move both by hand (`photon.testing.clock`).
"""

from __future__ import annotations

from time import monotonic, time

_read_steady = monotonic
_read_wall = time


def now() -> float:
    """Seconds that only go forward; their zero means nothing."""
    return _read_steady()


def wall() -> float:
    """Unix time in seconds, which may jump: for what a calendar says, never for a time-out."""
    return _read_wall()
