"""Which bytes of a file are in memory, so that nobody waits for the disk in the hub.

The kernel's sendfile reads what it does not have, and nothing else of this process runs until the
disk has answered. Linux can be asked for a read that takes only what is in the page cache
(RWF_NOWAIT). Three bytes of each piece are asked for: the first, the middle, and the last. What is
missing, a native thread reads before it is sent. Where that cannot be asked (macOS; file systems
without it: tmpfs, NFS, some overlays) a thread reads everything first, in longer pieces.

Three bytes, and not all: a file comes into memory from its beginning on and leaves it in long runs,
so a hole between the three is rare, and costs one read of 128 KiB in the hub. To ask for every byte
means to copy it: 200 us for each MiB, half as much again as sending it takes; for three, 40.
"""

from __future__ import annotations

import errno
import os

from photon.http.opened import OpenFile
from photon.runtime.offload import offload

# How much a thread reads before the first of it is sent: a call costs 40 to 200 us, the bytes 10 us
# per 128 KiB, and a disk gives 1 MiB in 1 to 10 ms.
FETCH_BYTES = 1024 * 1024

_PIECE_BYTES = 128 * 1024

_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)

# Written by everybody and read by nobody, so that threads may share them.
_byte = [bytearray(1)]
_waste = [bytearray(_PIECE_BYTES)]


class Pages:
    """The pages of one open file, asked for in the order in which they are sent."""

    __slots__ = ("_can_tell", "_file", "_until")

    def __init__(self, file: OpenFile) -> None:
        self._file = file
        self._until = 0  # below this offset all is in memory, from where one last asked
        self._can_tell = bool(_NOWAIT)

    def ready(self, offset: int, count: int) -> int:
        """How many of `count` bytes from `offset` on can be sent at once, at least one.

        Waits for the disk, and not in the hub, when there is none. At the end of the file it is
        more than there is: whoever sends will see.   Raises: OSError: the disk cannot be read.
        """
        if offset < self._until:
            return min(count, self._until - offset)
        if self._can_tell:
            piece = min(count, _PIECE_BYTES)
            if self._is_in_memory(offset, piece):
                self._until = offset + piece
                return piece
        # The thread has a descriptor of its own: ours is closed when the waiting is cancelled.
        offload(_fetch, self._file.twin(), offset)
        self._until = offset + FETCH_BYTES
        return min(count, FETCH_BYTES)

    def doubt(self) -> None:
        """The client let us wait: ask again, for the kernel may have needed the memory since."""
        if self._can_tell:
            self._until = 0

    def _is_in_memory(self, offset: int, count: int) -> bool:
        fd = self._file.fd
        try:
            return (
                os.preadv(fd, _byte, offset, _NOWAIT) > 0
                and os.preadv(fd, _byte, offset + count // 2, _NOWAIT) > 0
                and os.preadv(fd, _byte, offset + count - 1, _NOWAIT) > 0
            )
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):
                raise
            self._can_tell = False
            return False


def read_now(file: OpenFile, offset: int, count: int) -> bytes:
    """Bytes of a file, if all of them are in memory; b"" when only the disk can tell."""
    data = bytearray(count)
    try:
        read = os.preadv(file.fd, [data], offset, _NOWAIT) if _NOWAIT else 0
    except OSError:
        return b""
    return bytes(data) if read == count else b""


def _fetch(file: OpenFile, offset: int) -> None:
    """Have the kernel read FETCH_BYTES from `offset` on. In a native thread; closes the file."""
    try:
        for start in range(offset, offset + FETCH_BYTES, _PIECE_BYTES):
            if os.preadv(file.fd, _waste, start) < _PIECE_BYTES:
                break
    finally:
        file.close()
