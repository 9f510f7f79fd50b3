"""A file that came with a form, as handlers see it."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from os import PathLike
from types import TracebackType
from typing import BinaryIO

from photon.http.body import CHUNK_BYTES
from photon.http.filenames import safe_name
from photon.http.headers import Headers
from photon.http.spool import AnonymousFile, save


class UploadFile:
    """One file of a form: small ones are in memory, others in a file that no directory names.

    It is closed, and gone, when its request is over. False where a form's file field was left
    empty: browsers send that as a file without a name and without content.

    Args: file: its content: a `BytesIO`, or an `AnonymousFile`.
    Attributes:
        name: of the form's field.
        filename: as the client sent it, which is any text at all: never a path to write to.
        content_type: lower-case, without parameters; what the client says, checked by nobody.
        headers: of this part of the form.
        size: in bytes.
    """

    __slots__ = ("_file", "content_type", "filename", "headers", "name", "size")

    def __init__(
        self,
        name: str,
        filename: str,
        file: BytesIO | AnonymousFile,
        size: int,
        *,
        content_type: str = "application/octet-stream",
        headers: Headers | None = None,
    ) -> None:
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self.headers = headers if headers is not None else Headers()
        self.size = size
        self._file: BytesIO | AnonymousFile | None = file

    @property
    def safe_name(self) -> str:
        """The file's name without directories and all that is dangerous in one; "file" if none."""
        return safe_name(self.filename)

    @property
    def is_in_memory(self) -> bool:
        """Whether the content is in memory; else it is on disk."""
        return isinstance(self._open_file, BytesIO)

    @property
    def file(self) -> BinaryIO:
        """The content as a binary file, for libraries that read one: it may wait for the disk.

        Raises: ValueError, when it is closed.
        """
        return self._open_file

    def read(self, n: int = -1) -> bytes:
        """The next `n` bytes, or all that are left; b"" at the end."""
        file = self._open_file
        if isinstance(file, BytesIO):
            return file.read(n)
        return file.beside(AnonymousFile.read, n)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Have `read` go on elsewhere, as a file's `seek`; `seek(0)` is the beginning."""
        return self._open_file.seek(offset, whence)

    def chunks(self, size: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The whole content from its beginning, in pieces of `size` bytes."""
        if size < 1:
            raise ValueError(f"chunks are of one byte or more, not {size!r}")
        return self._chunks(size)

    def _chunks(self, size: int) -> Iterator[bytes]:
        self.seek(0)
        while piece := self.read(size):
            yield piece

    def save_to(self, path: str | PathLike[str]) -> int:
        """Put the whole content into the file `path`, in place of what is there.

        It is there as a whole or not at all. A large one that lies in the same file system is
        not copied. The path is yours: build it with a name of your own, or with `safe_name`.

        Returns: the size, in bytes.
        Raises: OSError: no such directory, not allowed, no space, or `path` is a directory.
        """
        save(self._open_file, path)
        return self.size

    def close(self) -> None:
        """Drop the content. Done when the request is over, at the latest."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except BufferError:  # a thread that nobody waits for any more saves it still
                pass

    @property
    def closed(self) -> bool:
        """Whether its content was dropped."""
        return self._file is None

    @property
    def _open_file(self) -> BytesIO | AnonymousFile:
        if self._file is None:
            raise ValueError(
                f"the file {self.filename!r} is closed: read or save it before its request is over"
            )
        return self._file

    def __bool__(self) -> bool:
        return bool(self.filename or self.size)

    def __enter__(self) -> UploadFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "closed" if self.closed else "in memory" if self.is_in_memory else "on disk"
        return f"<UploadFile {self.name!r} {self.filename!r}, {self.size} bytes, {where}>"
