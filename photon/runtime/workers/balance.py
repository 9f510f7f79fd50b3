"""Which of several workers takes the next connection: the one that has room.

All of them listen on one socket, and the kernel wakes whoever it likes: with 64 connections that
are kept alive over 4 workers, some have twice as many as others. So each shows on the board how
many it has, and leaves a new one to the others while it has more than its share. Who is left out
of that share: those that are busy all the time, and those whose hub stands still. What nobody
takes within some milliseconds is taken by anyone (`net.listener`).

Prior art: nginx's accept_mutex and `ngx_accept_disabled`.
"""

from __future__ import annotations

from photon.runtime.workers.board import BEAT, CONNECTIONS, LOAD, READY, STATE, Board, now_us

# A hub that has not moved for so long takes nothing soon.
_FRESH_US = 100_000

# Of a core, in thousandths: who has less to do than that has room whatever others have.
_BUSY = 800

# The rows are looked for so often; they change when workers come and go.
_LOOK_US = 50_000


class Balance:
    """One worker's share.   Args: row: its own on the board."""

    def __init__(self, board: Board, row: memoryview) -> None:
        self._board = board
        self._row = row
        self._rows: list[memoryview] = []
        self._looked = -_LOOK_US

    def has_room(self) -> bool:
        """Whether this worker has hardly more connections than the mean of those with room."""
        now = now_us()
        if now - self._looked >= _LOOK_US:
            self._rows = self._board.rows_of(READY)
            self._looked = now
        row = self._row
        mine, load = row[CONNECTIONS], row[LOAD]
        total, workers = 0, 0
        for other in self._rows:
            if (
                other[STATE] == READY
                and now - other[BEAT] < _FRESH_US
                and (other[LOAD] < _BUSY or other[LOAD] <= load)
            ):
                total += other[CONNECTIONS]
                workers += 1
        # A little more than the mean: those who come and go at once would stop each other else.
        return mine * workers <= total + total // 8 + workers

    def __repr__(self) -> str:
        return f"<Balance {self._row[CONNECTIONS]} connections>"
