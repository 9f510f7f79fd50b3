"""Lengths of time as people give them: 30, 0.5, "30s", "5m", "1h 30m", or a timedelta."""

from __future__ import annotations

import math
import re
from datetime import timedelta

from photon.tasks.errors import ScheduleError

Period = float | str | timedelta
"""Seconds as a number; a text such as "30s", "5m", "1h 30m"; or a timedelta."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_NUMBER = r"(\d+(?:\.\d+)?)"
_PART = re.compile(rf"{_NUMBER}\s*(ms|[smhdw])", re.ASCII)
# One part after the other, each with its unit, so that there is one way to read a text.
_WHOLE = re.compile(rf"{_NUMBER}|{_PART.pattern}(?:\s*{_PART.pattern})*", re.ASCII)
_MOST_CHARS = 64
# Beyond that it is a mistake in the unit: milliseconds for seconds, or a Unix time.
_LONGEST_S = 10 * 366 * 86400.0


def seconds_of(value: Period, what: str, *, least: float | None = None) -> float:
    """A length of time in seconds.

    Args:
        what: it is for, the beginning of the message: "every: seconds".
        least: the shortest; None for anything above zero.
    Raises: ScheduleError, with the way out.
    """
    seconds = _read(value, what)
    if not math.isfinite(seconds) or seconds > _LONGEST_S:
        raise ScheduleError(f"{what} is {value!r}, which is longer than ten years")
    if seconds < 0 or (least is None and seconds == 0):
        wanted = "more than zero" if least is None else "zero or more"
        raise ScheduleError(f"{what} is {value!r}, but it must be {wanted}")
    if least is not None and seconds < least:
        raise ScheduleError(f"{what} is {value!r}, but it must be at least {least:g} s")
    return seconds


def _read(value: Period, what: str) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        return _read_text(value, what)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScheduleError(
            f"{what} is {value!r}; give seconds as a number, a text such as '5m', or a timedelta"
        )
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _read_text(text: str, what: str) -> float:
    plain = text.strip().lower()
    # The length is bounded before the pattern sees it.
    if len(plain) > _MOST_CHARS or not _WHOLE.fullmatch(plain):
        shown = text if len(text) <= _MOST_CHARS else f"{text[:_MOST_CHARS]}…"
        raise ScheduleError(
            f"{what} is {shown!r}, which is no length of time; write seconds, or 500ms, 30s, 5m, "
            "1h 30m, 1d"
        )
    parts = _PART.findall(plain)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts) if parts else float(plain)


def spoken(seconds: float) -> str:
    """A length of time for people: "30s", "5m", "1h 30m", "250ms"."""
    if 0 < seconds < 1:
        return f"{float(f'{seconds * 1000:.3g}'):g}ms"
    # With its parts of a second only while these matter.
    left = seconds if seconds < 60 else round(seconds)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count:g}{unit}")
    if left or not parts:
        parts.append(f"{left:.3g}s")
    return " ".join(parts[:2])
