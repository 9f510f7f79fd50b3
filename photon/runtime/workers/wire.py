"""The supervisor's end of a link to a worker."""

from __future__ import annotations

import _socket
import os

from photon.runtime.workers.messages import Lines

# Of an answer: a dump of 100,000 greenlets has some 50 MB.
_MOST_ANSWER_BYTES = 256 * 1024 * 1024


class Wire:
    """The supervisor's end of a link.

    Attributes:
        traces: where the worker writes at a signal what it does; -1 for nowhere.
        asked_at: when it was sent that signal, because it stands still; 0 for not.
        place: what it wrote.
    """

    def __init__(self, end: _socket.socket, traces: int = -1) -> None:
        self.end = end
        self.traces = traces
        self.asked_at = 0.0
        self.place = ""
        self.lines = Lines(_MOST_ANSWER_BYTES)
        self.pending = bytearray()

    def flush(self) -> None:
        """Send what the worker takes.   Raises: OSError, when it has gone."""
        try:
            while self.pending:
                del self.pending[: self.end.send(self.pending)]
        except (BlockingIOError, InterruptedError):
            pass

    def close(self) -> None:
        """Say no more."""
        self.end.close()
        if self.traces >= 0:
            os.close(self.traces)
            self.traces = -1
