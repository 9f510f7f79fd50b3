"""Bytes that come piece by piece, kept in memory while they are few and on disk beyond.

Whatever may wait for a disk is done in a native thread, a piece of 1 MiB at a time: a slow disk
holds up who writes to it, and nobody else.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from io import BufferedReader, BytesIO, FileIO
from os import PathLike
from typing import Concatenate, ParamSpec, TypeVar

from photon.runtime.offload import offload

P = ParamSpec("P")
T = TypeVar("T")

# What is written or copied by one call of a native thread.
PIECE_BYTES = 1 << 20

# What a file system says that cannot make a file without a name; open(2), O_TMPFILE.
_CANNOT = (errno.EISDIR, errno.EOPNOTSUPP, errno.EINVAL)


_CLOSED_AT_ONCE_BYTES = 4 * 1024 * 1024


class AnonymousFile(BufferedReader):
    """An open file that no directory names: it is gone when it is closed, or forgotten.

    Whatever may wait for the disk is to be done in a native thread (`beside`).
    """

    def __init__(self, raw: FileIO) -> None:
        super().__init__(raw)
        self._working: list[None] = []

    def beside(
        self, fn: Callable[Concatenate[AnonymousFile, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run `fn(self, *args, **kwargs)` in a native thread and wait for it."""
        self._working.append(None)
        return offload(self._work, fn, args, kwargs)

    def _work(self, fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
        try:
            return fn(self, *args, **kwargs)
        finally:
            self._working.pop()

    def close(self) -> None:
        # Who waited for a thread may have been cancelled, and the thread still be at work: with
        # the descriptor closed below it, it might write into the next file of that number. Then
        # the file is closed when the thread forgets it.
        if self._working or self.closed:
            return
        if os.fstat(self.fileno()).st_size > _CLOSED_AT_ONCE_BYTES:
            offload(super().close)  # the file system gives back its blocks: 70 ms for 1 GiB
        else:
            super().close()

    def __del__(self) -> None:
        super().close()  # before BufferedReader does, which warns that nobody did


def open_anonymous(directory: str) -> AnonymousFile:
    """A new file in `directory`, without a name. Waits for the disk.   Raises: OSError."""
    if hasattr(os, "O_TMPFILE"):
        try:
            # The mode that any new file gets: this one may be given a name (`publish`).
            flags = os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC
            return AnonymousFile(FileIO(os.open(directory, flags, 0o666), "r+"))
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
    import tempfile

    return AnonymousFile(tempfile.TemporaryFile(buffering=0, dir=directory))


class Spool:
    """Takes bytes, keeps them in memory up to a size, and in an anonymous file beyond it.

    Args:
        keep_bytes: what is kept in memory.
        directory: where the file is made; None for that of temporary files (TMPDIR).
    Attributes: size: of all that was written, in bytes.
    """

    def __init__(self, keep_bytes: int, directory: str | None = None) -> None:
        self.size = 0
        self._keep = keep_bytes
        self._directory = directory
        self._memory = BytesIO()
        self._disk: AnonymousFile | None = None

    def write(self, data: bytes) -> None:
        """Take `data`, waiting for the disk when there is enough to be written.

        Raises: OSError, when the disk takes no more.
        """
        self.size += len(data)
        held = self._memory.tell() + len(data)
        self._memory.write(data)
        if held > self._keep if self._disk is None else held >= PIECE_BYTES:
            self._to_disk()

    def finish(self) -> BytesIO | AnonymousFile:
        """All that was written, from its beginning: a BytesIO or an AnonymousFile."""
        if self._disk is None:
            self._memory.truncate()
            self._memory.seek(0)
            return self._memory
        if self._memory.tell():
            self._to_disk()
        self._memory = BytesIO()
        self._disk.seek(0)
        return self._disk

    def close(self) -> None:
        """Drop all of it."""
        if self._disk is not None:
            self._disk.close()
        self._disk = None
        self._memory = BytesIO()

    def _to_disk(self) -> None:
        try:
            if self._disk is None:
                self._disk = offload(_open_temporary, self._directory)
            # PERF: the same buffer is filled again, and nothing copied: truncating it would have
            # it grow from nothing for each piece. Let go of at once, or it could not be written.
            with self._memory.getbuffer() as view, view[: self._memory.tell()] as filled:
                self._disk.beside(_write, filled)
        except OSError as error:
            where = self._directory or "the directory of temporary files (set TMPDIR for another)"
            error.add_note(f"Photon was writing an upload to {where}, after {self.size} bytes")
            raise
        self._memory.seek(0)


def _open_temporary(directory: str | None) -> AnonymousFile:
    if directory is None:
        from tempfile import gettempdir

        directory = gettempdir()
    return open_anonymous(directory)


def _write(file: AnonymousFile, data: memoryview) -> None:
    """Write all of `data`, whose bytes stay where they are until that is done."""
    with memoryview(data) as rest:
        done = 0
        while done < len(rest):
            done += os.write(file.fileno(), rest[done:])


# Giving it a name...


def save(content: BytesIO | AnonymousFile, path: str | PathLike[str]) -> None:
    """Have `path` name a file with all of this content; what had that name before is replaced.

    It is there as a whole or not at all, and a symbolic link at `path` is replaced, not followed.

    Raises: OSError: no such directory, or not allowed, or `path` is anything but a file.
    """
    if isinstance(content, BytesIO):
        offload(_publish, content, path)
    else:
        content.beside(_publish, path)


def _publish(content: BytesIO | AnonymousFile, path: str | PathLike[str]) -> None:
    path = os.fspath(path)
    _check_target(path)
    directory, name = os.path.split(path)
    beside = os.path.join(directory, f".{name[:16]}.{os.urandom(8).hex()}.part")
    try:
        if isinstance(content, BytesIO):
            with content.getbuffer() as view:
                _create(beside, [view])
        elif not _link(content, beside):
            _create(beside, _pieces(content.fileno()))
        os.replace(beside, path)
    except BaseException:
        if os.path.lexists(beside):
            os.unlink(beside)
        raise


def _check_target(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        advice = "save_to needs the path of a file, such as directory / upload.safe_name"
        raise IsADirectoryError(errno.EISDIR, f"this is a directory: {advice}", path)
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise FileExistsError(
            errno.EEXIST, "save_to replaces files only, and this is no file", path
        )


def _link(file: AnonymousFile, path: str) -> bool:
    """Give the file itself a name, where the file system can do that and it has none yet.

    One that has a name is copied: else whoever writes into the one would write into the other.
    """
    fd = file.fileno()
    if os.fstat(fd).st_nlink:
        return False
    try:
        # open(2), O_TMPFILE: so it is done without privileges. Given a directory, which an
        # absolute path leaves unused, Python calls linkat, which can follow the link.
        os.link(f"/proc/self/fd/{fd}", path, src_dir_fd=fd, follow_symlinks=True)
    except (OSError, NotImplementedError):
        return False
    return True


def _create(path: str, pieces: Iterable[bytes | memoryview]) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with FileIO(os.open(path, flags, 0o666), "w") as file:
        for piece in pieces:
            done = 0
            while done < len(piece):
                done += file.write(piece[done:])


def _pieces(fd: int) -> Iterator[bytes]:
    """All of a file, wherever its position is."""
    offset = 0
    while piece := os.pread(fd, PIECE_BYTES, offset):
        offset += len(piece)
        yield piece
