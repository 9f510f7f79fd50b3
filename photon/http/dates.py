"""Moments as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def http_date(timestamp: float) -> str:
    """A moment in seconds since 1970 as an IMF-fixdate."""
    year, month, day, hour, minute, second, weekday, *_ = time.gmtime(timestamp)
    return (
        f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} "
        f"{hour:02}:{minute:02}:{second:02} GMT"
    )


def parse_http_date(text: str) -> int | None:
    """Seconds since 1970; None when it is no date. Takes the two obsolete forms too."""
    from email.utils import parsedate_tz  # 20 ms, for the few who send conditional requests

    try:
        parts = parsedate_tz(text)
        if parts is None:
            return None
        zone = timezone(timedelta(seconds=parts[9] or 0))
        year, month, day, hour, minute, second = parts[:6]
        # RFC 9110 §5.6.7 has leap seconds; the 61st of a minute is as good as the 60th.
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=zone)
        return int(moment.timestamp())
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
