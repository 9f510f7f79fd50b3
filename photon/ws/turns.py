"""Nobody keeps the hub to himself: not a client that sends as fast as we read, nor one that reads
as fast as we send."""

from __future__ import annotations

from photon.runtime.greenlets import Turn

STREAK = 16
"""So many messages without a wait, until it is asked whether others have waited long enough.

PERF: asking takes 0.2 us. Each may be a broadcast to a room of fifty, which takes half a
millisecond.
"""

SIZE_BITS = 12
"""A message counts once more for every 4 KiB (2 to this power) of it: a kilobyte that comes may
inflate to a megabyte, for which zlib takes 2 ms, and to deflate one takes up to 30 ms."""


class Turns:
    """Counts what is received and sent without a wait.

    Attributes: streak: PERF: counted by those who receive and send; at STREAK they `give_way`.
    """

    __slots__ = ("_turn", "streak")

    def __init__(self) -> None:
        self.streak = 0
        self._turn: Turn | None = None

    def give_way(self) -> None:
        """Let others in, if this turn was a long one."""
        self.streak = 0
        if self._turn is None:
            self._turn = Turn()
        self._turn.give_way()
