"""Which of several workers does a run that is due in all of them.

    due ──▶ enter(task): does nobody else run it? ──▶ claim(task, due): was it not done yet? ──▶ run

`EveryWorker` is for one process, `FileElector` for the processes of one machine, `PostgresElector`
(in its own file) for those of many.
"""

from __future__ import annotations

import fcntl
import logging
import os
import re
import stat
from collections.abc import Callable
from typing import Protocol

from photon.runtime.clock import now, wall
from photon.runtime.greenlets import sleep
from photon.runtime.offload import offload
from photon.tasks.errors import ElectionError
from photon.tasks.schedule import CORRECTION_S

logger = logging.getLogger("photon.tasks")

Release = Callable[[], object]

_PATIENCE_S = 5.0
_AGAIN_S = 0.01


class Elector(Protocol):
    """Decides among workers. Its methods are called in the greenlet of a run, and may wait.

    What they raise is a failure of that run: it did not take place here.
    """

    def enter(self, task: str) -> Release | None:
        """Begin a run, if no other worker is in one of this task; called unless runs may overlap.

        Returns: what ends the run, also called when it failed; None when another one goes on. When
            this process dies that ends it, too.
        """
        ...

    def claim(self, task: str, due: float) -> bool:
        """Whether this worker shall do the run that is due at `due`, Unix seconds.

        Of all who ask for the same run, or for one before it, one gets True, once.
        """
        ...

    def last(self, task: str) -> float | None:
        """The latest run that was claimed, Unix seconds; None when none is known."""
        ...


class EveryWorker:
    """Each worker does all runs."""

    def enter(self, task: str) -> Release | None:
        return _nothing

    def claim(self, task: str, due: float) -> bool:
        return True

    def last(self, task: str) -> float | None:
        return None

    def __repr__(self) -> str:
        return "<EveryWorker>"


def _nothing() -> None: ...


class FileElector:
    """One of the workers of this machine does a run: locks and notes in files.

    A lock is held by an open file (flock), so the kernel releases it when the process dies. The
    moment of the last run is noted before the run begins: each takes place at most once.

    Args:
        app: names the application among others on this machine; such as its module and folder.
        folder: of this user alone; `runtime_folder()` when left out. It must be on a local disk.
    """

    def __init__(self, app: str, folder: str | os.PathLike[str] | None = None) -> None:
        self.app = app
        self.folder = os.fspath(folder) if folder is not None else None

    def enter(self, task: str) -> Release | None:
        held = _Held()
        try:
            offload(lambda: held.put(self._locked(task, "running")))
        except BaseException:  # a cancel ends the waiting, not the thread
            held.release()
            raise
        return held.release if held else None

    def claim(self, task: str, due: float) -> bool:
        give_up = now() + _PATIENCE_S
        while True:
            won = offload(self._claim, task, due)
            if won is not None:
                return won
            # Another worker is between reading and writing; unless it was stopped just there.
            if now() > give_up:
                raise ElectionError(
                    f"the lock {self._path(task, 'last')} was held for {_PATIENCE_S:g} s: a "
                    "process that was stopped (SIGSTOP, a debugger) may hold it"
                )
            sleep(_AGAIN_S)

    def last(self, task: str) -> float | None:
        return offload(self._last, task)

    # In a native thread...

    def _claim(self, task: str, due: float) -> bool | None:
        """None when somebody else is about to claim."""
        descriptor = self._locked(task, "last")
        if descriptor is None:
            return None
        try:
            last = _read(descriptor)
            # What lies far ahead was noted by a clock that has been corrected since.
            if last is not None and due <= last <= wall() + CORRECTION_S:
                return False
            os.pwrite(descriptor, b"%020.6f\n" % due, 0)
            return True
        finally:
            os.close(descriptor)

    def _last(self, task: str) -> float | None:
        try:
            descriptor = os.open(self._path(task, "last"), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            last = _read(descriptor)
        finally:
            os.close(descriptor)
        return None if last is None or last > wall() + CORRECTION_S else last

    def _locked(self, task: str, kind: str) -> int | None:
        """A file that this process has locked; None when another one has."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path(task, kind), flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def _path(self, task: str, kind: str) -> str:
        if self.folder is None:
            self.folder = runtime_folder()
        import hashlib  # 5 ms, for those who need it

        digest = hashlib.sha256(f"{self.app}\0{task}".encode("utf-8", "replace")).hexdigest()[:16]
        # Readable for who looks into the folder; what tells files apart is the digest.
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", task)[-60:]
        return os.path.join(self.folder, f"{readable}-{digest}.{kind}")

    def __repr__(self) -> str:
        return f"<FileElector {self.app} in {self.folder or 'the runtime folder'}>"


class _Held:
    """A lock that a native thread got for somebody who may have gone meanwhile."""

    def __init__(self) -> None:
        self._descriptors: list[int] = []
        self._is_wanted = True

    def put(self, descriptor: int | None) -> None:
        """In the native thread."""
        if descriptor is not None:
            self._descriptors.append(descriptor)
            if not self._is_wanted:
                self._close()

    def release(self) -> None:
        self._is_wanted = False
        self._close()

    def _close(self) -> None:
        # Both threads may come here at once, and one of them gets it.
        try:
            descriptor = self._descriptors.pop()
        except IndexError:
            return
        os.close(descriptor)

    def __bool__(self) -> bool:
        return bool(self._descriptors)


def _read(descriptor: int) -> float | None:
    text = os.pread(descriptor, 64, 0)
    try:
        return float(text)
    except ValueError:
        if text:
            logger.warning("a note of the last run cannot be read, and is ignored: %r", text)
        return None


def runtime_folder() -> str:
    """The folder for locks: PHOTON_RUNTIME_DIR, or `photon` in XDG_RUNTIME_DIR, or `photon-<uid>`
    in the folder for temporary files. Made if need be.

    Raises: ElectionError, when it is there and somebody else could write in it.
    """
    import tempfile

    given = os.environ.get("PHOTON_RUNTIME_DIR")
    base = os.environ.get("XDG_RUNTIME_DIR")
    if given:
        folder = given
    elif base and os.path.isdir(base):
        folder = os.path.join(base, "photon")
    else:
        folder = os.path.join(tempfile.gettempdir(), f"photon-{os.getuid()}")
    try:
        os.makedirs(folder, 0o700, exist_ok=True)
        found = os.lstat(folder)
    except OSError as error:
        raise ElectionError(f"the folder for locks cannot be made: {error}; {_WAY_OUT}") from error
    # In a folder that everybody may write to, a stranger may have been there first.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise ElectionError(
            f"the folder for locks {folder} is not a folder of this user alone; {_WAY_OUT}"
        )
    return folder


_WAY_OUT = "name another one in PHOTON_RUNTIME_DIR"
