"""A file that says which process it is, and keeps a second one from starting.

    with pid_file("/run/shop/shop.pid"):
        serve()

Whoever has the file holds a lock on it, which the kernel gives back however the process ends. So a
file without a holder is stale, whatever number is in it, and that another program has that number
by now is no obstacle. It is a POSIX lock, which belongs to the process: children do not get it by
fork, so workers that outlive their supervisor hold up no new one, and it stays through execve.

The file is made elsewhere, written and locked, and then put in its place: no reader ever finds
half a number, and on a full disk nothing is lost.

Source: fcntl(2), "Advisory record locking". Prior art: pidfile(3) of BSD's libutil. gunicorn asks
whether the number is alive, which after a restart of the machine any number may be.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ROUNDS = 100  # of finding a file, locking it, and finding another one in its place


class PidFileError(Exception):
    """There can be no pid file: the message says why, and the way out."""


class PidFileHeld(PidFileError):
    """Another process has it.   Attributes: pid: that process; 0 if the file does not say."""

    def __init__(self, path: Path, pid: int) -> None:
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{path} is the pid file of {who}, which runs. Stop it, or choose another path"
        )
        self.pid = pid


@contextmanager
def pid_file(path: str | os.PathLike[str], *, descriptor: int | None = None) -> Iterator[PidFile]:
    """Hold the file while the block runs, with the number of this process in it.

    Args: descriptor: what `PidFile.pass_on` gave to the program that this process ran before.
    Raises: PidFileHeld; PidFileError.
    """
    held = PidFile.take(path) if descriptor is None else PidFile.inherit(path, descriptor)
    try:
        yield held
    finally:
        held.remove()


class PidFile:
    """A pid file that is ours.

    Attributes:
        path: absolute.
        descriptor: whose lock it is. The file must not be opened and closed elsewhere in this
            process: a POSIX lock goes with the first descriptor that is closed.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._pid = os.getpid()

    @classmethod
    def take(cls, path: str | os.PathLike[str]) -> PidFile:
        """Take it, from nobody or from a process that is gone.   Raises: PidFileError."""
        # By the end another folder may be the current one.
        path = Path(path).absolute()
        try:
            for _ in range(_ROUNDS):
                if (descriptor := _try_to_take(path)) is not None:
                    return cls(path, descriptor)
        except OSError as error:
            raise PidFileError(_why(path, error)) from error
        raise PidFileError(f"the pid file {path} is made and removed by others all the time")

    @classmethod
    def inherit(cls, path: str | os.PathLike[str], descriptor: int) -> PidFile:
        """Go on holding it in another program of the same process, after execve."""
        os.set_inheritable(descriptor, False)
        return cls(Path(path).absolute(), descriptor)

    def pass_on(self) -> int:
        """Let the descriptor, and the lock with it, live through execve; its number."""
        os.set_inheritable(self.descriptor, True)
        return self.descriptor

    def remove(self) -> None:
        """Take it away, if it is still the one that this process put there. Twice is harmless."""
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


def _try_to_take(path: Path) -> int | None:
    """A descriptor of our file at `path`; None, if somebody else was faster: look again."""
    # O_NOFOLLOW: in a folder where others may write, a link could lead to any file of ours.
    # O_NONBLOCK: to open a pipe would wait for its other end.
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        former = os.open(path, flags)
    except FileNotFoundError:
        with _made_beside(path) as made:
            try:
                os.link(made.name, path)  # unlike a renaming it replaces nothing
            except FileExistsError:
                return None
            return made.keep()
    try:
        if not stat.S_ISREG(os.fstat(former).st_mode):
            raise PidFileError(f"{path} is there and is no file: choose another path")
        if not _lock(former):
            raise PidFileHeld(path, _pid_in(former))
        if not _is_at(path, former):
            return None  # its holder took it away before we had the lock
        # Nobody else replaces it while we have the lock of the former one.
        with _made_beside(path) as made:
            os.replace(made.name, path)
            return made.keep()
    finally:
        os.close(former)


class _Made:
    def __init__(self, descriptor: int, name: str) -> None:
        self.descriptor = descriptor
        self.name = name

    def keep(self) -> int:
        """The descriptor, which is the caller's from now on."""
        descriptor, self.descriptor = self.descriptor, -1
        return descriptor


@contextmanager
def _made_beside(path: Path) -> Iterator[_Made]:
    """A file with our number, locked, in the same folder; its name is gone after the block."""
    made = _Made(*tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        line = b"%d\n" % os.getpid()
        if os.write(made.descriptor, line) != len(line):
            raise OSError(
                errno.ENOSPC, os.strerror(errno.ENOSPC)
            )  # a disk that is full may take a part
        os.fchmod(made.descriptor, 0o644)
        _lock(made.descriptor)
        yield made
    finally:
        with contextlib.suppress(FileNotFoundError):  # it was renamed
            os.unlink(made.name)
        if made.descriptor >= 0:
            os.close(made.descriptor)


def _lock(descriptor: int) -> bool:
    """Whether nobody else has it."""
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):  # "EACCES or EAGAIN"
        return False
    return True


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
    reason, way_out = error.strerror or str(error), ""
    if isinstance(error, FileNotFoundError):
        way_out = f": there is no folder {path.parent}"
    elif isinstance(error, PermissionError):
        way_out = ": choose a folder that this user may write, such as RuntimeDirectory= of systemd"
    elif error.errno == errno.ELOOP:
        reason, way_out = "it is a symbolic link", ": choose another path"
    return f"the pid file {path} cannot be written: {reason}{way_out}"
