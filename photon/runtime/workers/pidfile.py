"""A file that says which process it is, and keeps a second one from starting.

    with pid_file("/run/shop/shop.pid"):
        serve()

Whoever has the file holds a lock on it (flock(2)), which the kernel gives back however the process
ends: a file without a holder is stale, whatever number is in it, and a number that another program
has by now is no obstacle. The lock belongs to the open descriptor, so it stays through execve when
the descriptor is inherited, and children do not share it: the descriptor is closed at their exec.

Prior art: pidfile(3) of BSD's libutil. gunicorn asks whether the number is alive, which a number
that was given out again after a restart of the machine is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROUNDS = 10  # of finding a file, locking it, and finding another one in its place


class PidFileError(Exception):
    """There can be no pid file: the message says why, and the way out."""


class PidFileHeld(PidFileError):
    """Another process has it.   Attributes: pid: that process; 0 if the file does not say."""

    def __init__(self, message: str, pid: int) -> None:
        super().__init__(message)
        self.pid = pid


@contextmanager
def pid_file(path: str | os.PathLike[str], *, descriptor: int | None = None) -> Iterator[PidFile]:
    """Hold the file while the block runs, with the number of this process in it.

    Args: descriptor: of the file, if the program that was here before execve held it.
    Raises: PidFileHeld; PidFileError.
    """
    held = PidFile.held(path) if descriptor is None else PidFile.inherited(path, descriptor)
    try:
        yield held
    finally:
        held.remove()


class PidFile:
    """A pid file that is ours.   Attributes: path, absolute; descriptor, which holds the lock."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._pid = os.getpid()

    @classmethod
    def held(cls, path: str | os.PathLike[str]) -> PidFile:
        """Take it, from nobody or from a process that is gone.   Raises: PidFileError."""
        # The folder that is current may be another one by the end.
        path = Path(path).absolute()
        try:
            descriptor = _locked(path)
        except OSError as error:
            raise PidFileError(_why(path, error)) from error
        try:
            _write(path, descriptor)
        except OSError as error:
            # Nobody shall find a file that says nothing.
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(descriptor)
            raise PidFileError(_why(path, error)) from error
        return cls(path, descriptor)

    @classmethod
    def inherited(cls, path: str | os.PathLike[str], descriptor: int) -> PidFile:
        """Go on holding it, in the program that took our place: the process is the same."""
        os.set_inheritable(descriptor, False)
        return cls(Path(path).absolute(), descriptor)

    def remove(self) -> None:
        """Take it away, if it is still ours and this is still the process that took it."""
        if self.descriptor < 0:
            return
        if os.getpid() == self._pid and _is_at(self.path, self.descriptor):
            with contextlib.suppress(OSError):  # the folder is gone, or not ours to write any more
                self.path.unlink()
        os.close(self.descriptor)
        self.descriptor = -1

    def __repr__(self) -> str:
        return f"<PidFile {self.path} of {self._pid}>"


# Taking it...


def _locked(path: Path) -> int:
    """A descriptor of the file at `path`, locked.   Raises: PidFileHeld; OSError."""
    for _ in range(_ROUNDS):
        # O_NOFOLLOW: in a folder where others may write a link could lead to any file of ours.
        # O_NONBLOCK: a pipe would wait for a reader.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(path, flags, 0o644)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PidFileError(f"the pid file {path} is no file: choose another path")
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, descriptor):
                return descriptor
            # Its holder removed it between our open and our lock.
            os.close(descriptor)
        except BlockingIOError:
            pid = _pid_in(descriptor)
            os.close(descriptor)
            who = f"process {pid}" if pid else "another process"
            raise PidFileHeld(
                f"{path} is the pid file of {who}, which runs. Stop it, or choose another path",
                pid,
            ) from None
        except BaseException:
            os.close(descriptor)
            raise
    raise PidFileError(f"the pid file {path} is made and removed by others all the time")


def _write(path: Path, descriptor: int) -> None:
    # In place, since the lock is of this file. It is one write of few bytes, and after it no
    # reader finds half a number.
    line = b"%d\n" % os.getpid()
    if os.pwrite(descriptor, line, 0) != len(line):
        raise OSError(28, os.strerror(28), str(path))  # a full disk may take a part
    os.ftruncate(descriptor, len(line))


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether the file at `path` is the one that is open."""
    try:
        there, ours = os.lstat(path), os.fstat(descriptor)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _pid_in(descriptor: int) -> int:
    text = os.pread(descriptor, 32, 0).strip()
    return int(text) if text.isdigit() else 0


def _why(path: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    hint = ""
    if not path.parent.is_dir():
        hint = f": there is no folder {path.parent}"
    elif isinstance(error, PermissionError):
        hint = ": choose a folder that this user may write, such as systemd's RuntimeDirectory="
    elif path.is_symlink():
        reason, hint = "it is a symbolic link", ": choose another path"
    return f"the pid file {path} cannot be written: {reason}{hint}"
