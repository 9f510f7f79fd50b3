"""The traceback of a worker that answers nobody, written without the GIL.

C code that holds the GIL for ever stops every thread of Python's, the pulse's too. `faulthandler`
writes what the main thread does right in the handler of a signal, in C: so a supervisor can say at
which line a worker hangs before it ends it.

    worker:      register_traceback(fd)
    supervisor:  os.kill(pid, TRACEBACK_SIGNAL); 50 ms later: told(read_traceback(fd))

It is written line by line, so who reads waits a moment; there is no mark for its end.

Nothing in here needs a hub, or makes one.
"""

from __future__ import annotations

import faulthandler
import os
import re
import signal
from typing import NamedTuple

from photon.runtime.source import shown_path
from photon.runtime.whereabouts import is_users_file


def _signal() -> int:
    # Libraries and their users want SIGUSR1 and SIGUSR2 for themselves; nobody a real-time one.
    if hasattr(signal, "SIGRTMIN"):
        return int(signal.SIGRTMIN) + 5
    return int(getattr(signal, "SIGINFO", signal.SIGUSR1))


TRACEBACK_SIGNAL = _signal()
"""What a worker writes its traceback at. One that has not registered would end by it."""

_MOST_BYTES = 64 * 1024
_MOST_LINES = 20

# "  File "shop.py", line 12 in page"; what is not ASCII comes as \xe4.
_LINE = re.compile(r'\s*File "(.*)", line (\d+|\?\?\?) in (.*)')


class Line(NamedTuple):
    """One line of a traceback."""

    file: str
    number: int
    function: str

    def __str__(self) -> str:
        return f"{shown_path(self.file)}:{self.number} in {self.function}"

    @property
    def is_users(self) -> bool:
        """Whether it is the user's own code, and not that of Photon or of a library."""
        return is_users_file(self.file)


def register_traceback(descriptor: int) -> None:
    """Have this process write what its main thread does to `descriptor`, at `TRACEBACK_SIGNAL`.

    Args: descriptor: of a pipe or a file; it has to stay open.
    """
    faulthandler.register(TRACEBACK_SIGNAL, file=descriptor, all_threads=False, chain=False)


def unregister_traceback() -> None:
    """Let the signal do what it did before."""
    faulthandler.unregister(TRACEBACK_SIGNAL)


def read_traceback(descriptor: int) -> list[Line]:
    """What was written, the innermost line first; empty when nothing was. It never waits.

    A pipe is read until it is empty, and set non-blocking for that; a file is emptied.
    """
    return parse_traceback(_read(descriptor).decode("ascii", "backslashreplace"))


def parse_traceback(text: str) -> list[Line]:
    """The lines of the last traceback in what `faulthandler` wrote, the innermost first."""
    lines: list[Line] = []
    for each in text.splitlines():
        match = _LINE.fullmatch(each)
        if match is None:
            if each.endswith("(most recent call first):"):
                lines = []
            continue
        file, number, function = match.groups()
        lines.append(Line(file, 0 if number == "???" else int(number), function))
    return lines


def told(lines: list[Line]) -> str:
    """Where it is, in the user's code and below: "shop.py:12 in page (re/_compiler.py:80 in f)".

    "" for no lines.
    """
    if not lines:
        return ""
    users = next((line for line in lines if line.is_users), lines[0])
    return str(users) if users is lines[0] else f"{users} ({lines[0]})"


def stack(lines: list[Line]) -> str:
    """All of them, one a line, the innermost first."""
    left_out = len(lines) - _MOST_LINES
    more = [f"  ... and {left_out} around them"] if left_out > 0 else []
    return "\n".join([*(f"  {line}" for line in lines[:_MOST_LINES]), *more])


def _read(descriptor: int) -> bytes:
    try:
        size = os.lseek(descriptor, 0, os.SEEK_END)
    except OSError:
        return _read_pipe(descriptor)
    data = os.pread(descriptor, _MOST_BYTES, max(0, size - _MOST_BYTES))
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return data


def _read_pipe(descriptor: int) -> bytes:
    os.set_blocking(descriptor, False)
    data = b""
    while True:
        try:
            piece = os.read(descriptor, _MOST_BYTES)
        except BlockingIOError:
            return data
        if not piece:
            return data
        data = (data + piece)[-_MOST_BYTES:]
