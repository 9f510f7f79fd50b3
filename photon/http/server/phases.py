"""The phases of a connection.

PERF: plain numbers and not an Enum, since they are compared several times per request; up to
HEAD nobody works for the connection, from LINGERING on nobody does any more. FINISHING is what a
request has put off until its response was written.
"""

from __future__ import annotations

IDLE, HEAD, HANDLING, READING, STREAMING, WRITING, FINISHING, LINGERING, CLOSED = range(9)

NAMES = (
    "idle",
    "head",
    "handling",
    "reading",
    "streaming",
    "writing",
    "finishing",
    "lingering",
    "closed",
)

ENDLESS = float("inf")
"""How long a phase may last that has no time-out."""
