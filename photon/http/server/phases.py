"""The phases of a connection.

PERF: plain numbers and not an Enum, since they are compared several times per request; up to
HEAD nobody works for the connection, from LINGERING on nobody does any more. UPGRADED is a
handler that speaks another protocol; FINISHING is what a request has put off until its response
was written.
"""

from __future__ import annotations

(
    IDLE,
    HEAD,
    HANDLING,
    READING,
    STREAMING,
    WRITING,
    UPGRADED,
    FINISHING,
    LINGERING,
    CLOSED,
) = range(10)

NAMES = (
    "idle",
    "head",
    "handling",
    "reading",
    "streaming",
    "writing",
    "upgraded",
    "finishing",
    "lingering",
    "closed",
)

ENDLESS = float("inf")
"""How long a phase may last that has no time-out."""
