"""Files as responses: the kernel copies them to the socket, whole or in part.

What waits for the disk goes through a native thread: to look whether the file is there, to open it,
and, in `sending`, to read it. What the kernel has in memory is taken at once.
"""

from __future__ import annotations

import os
import stat
from os import PathLike
from typing import TYPE_CHECKING
from urllib.parse import quote

from photon.http.cached_names import open_cached
from photon.http.conditional import Decision, decide
from photon.http.dates import http_date
from photon.http.errors import HTTPError
from photon.http.file_types import type_of
from photon.http.headers import ResponseHeaders
from photon.http.opened import OpenFile, is_our_fault
from photon.http.response import HeaderSource, Response
from photon.runtime.offload import offload

if TYPE_CHECKING:
    from photon.http.request import Request

# O_PATH: to ask what it is, not to read it.
_LOOKING = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK) | os.O_CLOEXEC


class FileResponse(Response):
    """A file, named when the response is made and opened when it is sent.

    Args: as `Response.file`.
    """

    __slots__ = ("path",)

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        content_type: str | None = None,
        download_as: str | None = None,
        headers: HeaderSource | None = None,
    ) -> None:
        self.path = os.fspath(path)
        if not _is_file(self.path):
            raise no_such_file()
        super().__init__(b"", 200, headers, content_type or type_of(self.path))
        if download_as is not None:
            self.headers["content-disposition"] = attachment(download_as)

    def for_request(self, request: Request) -> Response:
        """The whole file, one range of it, or no content, as the request's headers ask.

        Raises: HTTPError: 404, 412, 416.
        """
        try:
            opened = self.open_cached() or offload(self.open)
        except (OSError, ValueError) as error:
            if is_our_fault(error):
                raise
            raise no_such_file() from error
        part = FilePart(opened, self)
        try:
            return self._decide(request, part)
        except BaseException:
            part.close()
            raise

    def open_cached(self) -> OpenFile | None:
        """The file as it is now, if it can be had at once.   Raises: OSError."""
        fd = open_cached(self.path)
        return None if fd is None else OpenFile(fd)

    def open(self) -> OpenFile:
        """The file as it is now. In a native thread.   Raises: OSError; ValueError."""
        return OpenFile.at(self.path)

    def etag_of(self, opened: OpenFile) -> str:
        """What names this very state of the file, unless a header of the handler's own does."""
        return etag_of(opened.status)

    def _decide(self, request: Request, part: FilePart) -> Response:
        status = part.opened.status
        size, modified_s = status.st_size, int(status.st_mtime)
        # Of the part, for the file may be another one when this response is sent again.
        etag = part.headers.setdefault("etag", self.etag_of(part.opened))
        part.headers.setdefault("last-modified", http_date(modified_s))
        part.headers.setdefault("accept-ranges", "bytes")
        part.count = size
        if self.status != 200:  # a page for an error, say: it is sent as it is
            return part
        decision = decide(request.method, request.headers, etag, modified_s, size)
        refuse(decision, size)
        if decision.status == 304:
            part.close()
            return not_modified(part.headers)
        part.status, part.offset, end = decision
        part.count = end - part.offset
        if part.status == 206:
            part.headers["content-range"] = content_range(decision, size)
        return part

    def _what(self) -> str:
        return self.path


class FilePart(Response):
    """An open file and the bytes of it to send: what a `FileResponse` becomes for one request.

    Attributes: opened: closed with the response; offset, count: in bytes.
    """

    __slots__ = ("count", "offset", "opened")

    def __init__(self, opened: OpenFile, whole: FileResponse) -> None:
        super().__init__()
        self._headers = whole.headers.copy()
        self.status = whole.status
        self.opened = opened
        self.offset = 0
        self.count = 0

    def close(self) -> None:
        self.opened.close()

    def _what(self) -> str:
        return f"{self.count} bytes of a file"


def _is_file(path: str) -> bool:
    fd = open_cached(path, flags=_LOOKING)
    if fd is None:
        return offload(os.path.isfile, path)
    try:
        return stat.S_ISREG(os.fstat(fd).st_mode)
    finally:
        os.close(fd)


# What every kind of file has in common...


def etag_of(status: os.stat_result) -> str:
    """A strong entity tag, with its quotes: it changes with the length and with what was written.

    As nginx and others do it; of two states that were written within one tick of the file system's
    clock (4 ms of ext4) it tells only those apart that differ in length.
    """
    return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


def refuse(decision: Decision, size: int) -> None:
    """Raise what a refusal stands for.   Raises: HTTPError: 412, 416."""
    if decision.status == 412:
        raise HTTPError(412, "the file is not the one the request is about")
    if decision.status == 416:
        raise HTTPError(
            416,
            f"the file has {size} bytes, none of them in the range asked for",
            headers={"content-range": f"bytes */{size}"},
        )


def content_range(decision: Decision, size: int) -> str:
    """The Content-Range of a 206."""
    return f"bytes {decision.start}-{decision.end - 1}/{size}"


def not_modified(headers: ResponseHeaders) -> Response:
    """A 304, which says again what is not about the content (RFC 9110 §15.4.5)."""
    response = Response(b"", 304)
    response._headers = headers.copy()
    del response.headers["content-type"]
    del response.headers["content-encoding"]
    return response


def no_such_file() -> HTTPError:
    return HTTPError(404, "there is no such file")


def attachment(name: str) -> str:
    """A Content-Disposition that has a browser save the body under `name` (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
    plain = "".join(c if c.isprintable() else "_" for c in plain)
    # A name of the file system may hold bytes that are no UTF-8, as lone surrogates.
    encoded = quote(name, safe="", errors="replace")
    if plain == name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"
