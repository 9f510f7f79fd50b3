"""Moments as HTTP writes them: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7)."""

from __future__ import annotations

import calendar
from email.utils import formatdate, parsedate


def http_date(timestamp: float) -> str:
    """A moment in seconds since 1970 as an IMF-fixdate."""
    return formatdate(timestamp, usegmt=True)


def parse_http_date(text: str) -> int | None:
    """Seconds since 1970; None when it is no date. Takes the two obsolete forms too."""
    try:
        parts = parsedate(text)
        return None if parts is None else calendar.timegm(parts)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
