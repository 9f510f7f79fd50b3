"""A request as a line for who develops: short, and with colours where they can be seen."""

from __future__ import annotations

import time

from photon.telemetry.access_log import Entry
from photon.telemetry.lines import escape

_RESET, _DIM, _BOLD = "\x1b[0m", "\x1b[2m", "\x1b[1m"
_BY_CLASS = {2: "\x1b[32m", 3: "\x1b[36m", 4: "\x1b[33m", 5: "\x1b[1;31m"}
_SLOW_S, _VERY_SLOW_S = 0.5, 2.0
_LONGEST_TARGET = 300


def plain_dev_line(entry: Entry) -> bytes:
    """Such as `12:34:56 200 GET    /items?page=2  1.3 ms`."""
    return _line(entry, colours=False)


def coloured_dev_line(entry: Entry) -> bytes:
    """The same with the status in its colour, and the time in one when it is long."""
    return _line(entry, colours=True)


def _line(entry: Entry, *, colours: bool) -> bytes:
    def paint(text: str, colour: str) -> str:
        return f"{colour}{text}{_RESET}" if colours and colour else text

    target = escape(entry.target[:_LONGEST_TARGET])
    if len(entry.target) > _LONGEST_TARGET:
        target += "…"
    # 499, a client that left, is nobody's fault.
    status = _DIM if entry.status == 499 else _BY_CLASS.get(entry.status // 100, "")
    slow = ""
    if entry.seconds >= _SLOW_S:
        slow = _BY_CLASS[5] if entry.seconds >= _VERY_SLOW_S else _BY_CLASS[4]
    parts = (
        paint(time.strftime("%H:%M:%S", time.localtime(entry.moment)), _DIM),
        paint(str(entry.status), status),
        paint(f"{entry.method:<6}", _BOLD),
        target,
        paint(f" {duration(entry.seconds)}", slow or _DIM),
    )
    return " ".join(parts).encode("utf-8", "backslashreplace")


def duration(seconds: float) -> str:
    """Such as "1.3 ms", "240 ms", "2.4 s"."""
    if seconds >= 1:
        return f"{seconds:.1f} s"
    milliseconds = seconds * 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"
