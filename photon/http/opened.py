"""Regular files, opened: whose descriptor is closed once, whoever forgets it."""

from __future__ import annotations

import errno
import os
import stat

# O_NONBLOCK: a pipe that took the file's place would be waited for. O_NOCTTY: a terminal that did
# would become ours.
READING = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

# No reason to tell the client, and whatever caches our answers, that there is no such file.
_OUR_FAULT = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE))


class OpenFile:
    """A regular file, open for reading.

    Closed at the latest when nobody holds it any more: a thread that opens a file for a greenlet
    that was cancelled meanwhile gives it into nobody's hands.

    Attributes: fd: -1 when closed; status: as it was when it was opened.
    Raises: FileNotFoundError, when it is a directory, a pipe, or a device.
    """

    __slots__ = ("fd", "status")

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.status = os.fstat(fd)
        if not stat.S_ISREG(self.status.st_mode):
            self.close()
            raise FileNotFoundError(errno.ENOENT, "no regular file")

    @staticmethod
    def at(path: str, *, dir_fd: int | None = None, flags: int = 0) -> OpenFile:
        """Open a file by its name.   Raises: OSError; ValueError: there can be no such name."""
        return OpenFile(os.open(path, READING | flags, dir_fd=dir_fd))

    def twin(self) -> OpenFile:
        """The same file under a descriptor of its own."""
        return OpenFile(os.dup(self.fd))

    def close(self) -> None:
        """Let go of the descriptor. May be called twice."""
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<OpenFile {self.fd}, {self.status.st_size} bytes>"


def is_our_fault(error: Exception) -> bool:
    """Whether a file could not be opened for a reason that says nothing about the file."""
    return isinstance(error, OSError) and error.errno in _OUR_FAULT
