"""Lines to a descriptor whose reader may be slow, stuck or gone, without ever waiting for it.

A pipe nobody reads is full after 64 KiB, and the next plain write to it stops the process: all of
it, the hub too. So what the descriptor does not take at once is kept and tried again, up to a
bound; beyond that lines are dropped and counted.

The descriptor is not made non-blocking: that would hold for everybody who shares it, such as the
shell in the same terminal. POSIX gives another way, poll before each small write. select(3p):
"The minimum number of bytes which can be written without blocking to a pipe when the pipe has
been reported as ready for writing" is PIPE_BUF.
"""

from __future__ import annotations

import os
import select
import stat
from collections import deque
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from gevent.monkey import get_original

from photon.runtime.clock import now
from photon.runtime.hub import existing_hub

# The real ones: gevent's would switch to the hub, and a line may be written from the hub itself.
_poll = get_original("select", "poll")
_allocate_lock = get_original("_thread", "allocate_lock")
_thread_id = get_original("_thread", "get_ident")

native_rlock: Callable[[], Any] = get_original("_thread", "RLock")
"""A lock that belongs to a native thread, for what is done in the hub, too, and never waits there.

One of gevent's belongs to a greenlet: the hub cannot wait for it while another thread holds it.
"""

_RETRY_S = 0.05

# A regular file takes all at once, and never blocks for want of a reader.
_FILE_WRITE_BYTES = 1024 * 1024


_writers: WeakSet[LineWriter] = WeakSet()


class LineWriter:
    """Writes whole lines to `descriptor`; from any thread, and in the hub.

    Args:
        descriptor: stays its owner's; it is not closed here.
        max_pending_bytes: what is kept for a reader that does not read.
        on_lost: called with the number of lines that were dropped, once lines go out again.
    Attributes: lost: lines dropped and not told of yet.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        max_pending_bytes: int = 1024 * 1024,
        on_lost: Callable[[int], object] | None = None,
    ) -> None:
        self.descriptor = descriptor
        self.lost = 0
        self._on_lost = on_lost
        self._max_pending_bytes = max_pending_bytes
        self._pending: deque[bytes] = deque()
        self._pending_bytes = 0
        self._lock = _allocate_lock()
        self._home_thread = _thread_id()
        self._retry: Any = None
        self._write_bytes = _FILE_WRITE_BYTES if _is_file(descriptor) else select.PIPE_BUF
        self._writable = _poll()
        self._writable.register(descriptor, select.POLLOUT)
        _writers.add(self)

    def write(self, lines: bytes) -> None:
        """Write one or more whole lines, now or when the reader reads. Never raises for I/O."""
        if self._pending_bytes + len(lines) > self._max_pending_bytes:
            self.lost += lines.count(b"\n")
            return
        self._pending.append(lines)
        self._pending_bytes += len(lines)
        self.flush()

    def flush(self) -> None:
        """Write as much as is taken without waiting."""
        # Who comes second leaves its lines to who is at it already.
        if not self._lock.acquire(False):
            return
        try:
            self._write_pending(wait_s=0.0)
        finally:
            self._lock.release()
        if self._pending:
            self._try_again_later()

    def drain(self, seconds: float) -> None:
        """Write the rest, stopping the whole process for it; at its very end."""
        if self._lock.acquire(False):
            try:
                self._write_pending(wait_s=seconds)
            finally:
                self._lock.release()

    def _write_pending(self, wait_s: float) -> None:
        until = now() + wait_s
        while self._pending:
            if not self._writable.poll(max(0.0, until - now()) * 1000 if wait_s else 0):
                return
            piece = self._next_piece()
            try:
                written = os.write(self.descriptor, piece)
            except (BlockingIOError, InterruptedError):
                written = 0
            except OSError:  # the reader is gone, the disk is full: nobody can be told
                continue
            if written < len(piece):
                self._put_back(piece[written:])
                if not written:
                    return
            if self.lost and self._on_lost is not None:
                lost, self.lost = self.lost, 0
                self._on_lost(lost)

    def _next_piece(self) -> bytes:
        """Lines to write in one call, as many as fit; only a longer line is cut."""
        pieces = [self._pending.popleft()]
        length = len(pieces[0])
        while self._pending and length + len(self._pending[0]) <= self._write_bytes:
            pieces.append(self._pending.popleft())
            length += len(pieces[-1])
        piece = b"".join(pieces)
        self._pending_bytes -= length
        if length > self._write_bytes:
            end_of_line = piece.rfind(b"\n", 0, self._write_bytes) + 1
            cut = end_of_line or self._write_bytes
            self._put_back(piece[cut:])
            piece = piece[:cut]
        return piece

    def _put_back(self, rest: bytes) -> None:
        self._pending.appendleft(rest)
        self._pending_bytes += len(rest)

    def _try_again_later(self) -> None:
        # Other threads have no hub, or another: theirs goes out with the next line from here.
        if self._retry is not None or _thread_id() != self._home_thread:
            return
        hub = existing_hub()
        if hub is not None:  # a supervisor has none, and flushes itself
            self._retry = hub.deadlines.add(now() + _RETRY_S, self._try_again)

    def _begin_as_child(self) -> None:
        """In a process that was just forked: what waits is its parent's to write."""
        self._pending.clear()
        self._pending_bytes = self.lost = 0
        self._lock = _allocate_lock()  # another thread may have held it, which is not here
        self._home_thread = _thread_id()
        self._retry = None

    def _try_again(self) -> None:
        self._retry = None
        self.flush()

    def __repr__(self) -> str:
        pending = f"{self._pending_bytes} bytes pending"
        return f"<LineWriter fd={self.descriptor} {pending}, {self.lost} lines lost>"


def _is_file(descriptor: int) -> bool:
    try:
        return stat.S_ISREG(os.fstat(descriptor).st_mode)
    except OSError:
        return False


def _begin_as_child() -> None:
    for writer in _writers:
        writer._begin_as_child()


os.register_at_fork(after_in_child=_begin_as_child)
