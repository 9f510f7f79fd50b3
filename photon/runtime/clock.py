"""The runtime clock: seconds that only go forward, the same for every deadline in the process."""

from __future__ import annotations

from time import monotonic as now

__all__ = ["now"]
