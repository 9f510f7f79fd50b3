"""Files as responses: the kernel copies them to the socket, whole or in part."""

from __future__ import annotations

import errno
import os
import stat
from mimetypes import guess_type
from os import PathLike
from typing import TYPE_CHECKING
from urllib.parse import quote

from photon.http.conditional import evaluate, parse_range, range_applies
from photon.http.dates import http_date
from photon.http.errors import HTTPError
from photon.http.headers import ResponseHeaders
from photon.http.response import BYTES, HeaderSource, Response

if TYPE_CHECKING:
    from photon.http.request import Request


# No reason to tell the client, and whatever caches our answers, that there is no such file.
_OUR_FAULT = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO)


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
        if not os.path.isfile(self.path):
            raise HTTPError(404, "there is no such file")
        super().__init__(b"", 200, headers, content_type or _media_type(self.path))
        if download_as is not None:
            self.headers["content-disposition"] = attachment(download_as)

    def for_request(self, request: Request) -> Response:
        """The whole file, one range of it, or no content, as the request's headers ask.

        Raises: HTTPError: 404, 412, 416.
        """
        try:
            # A pipe that took the file's place would be waited for, by the whole worker.
            fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in _OUR_FAULT:
                raise
            raise HTTPError(404, "there is no such file") from error
        part = FilePart(fd, self)
        try:
            return self._decide(request, part)
        except BaseException:
            part.close()
            raise

    def _decide(self, request: Request, part: FilePart) -> Response:
        status = os.fstat(part.fd)
        if not stat.S_ISREG(status.st_mode):
            raise HTTPError(404, "there is no such file")
        size, modified_s = status.st_size, int(status.st_mtime)
        # Of the part, for the file may be another one when this response is sent again.
        etag = part.headers.setdefault("etag", f'"{status.st_mtime_ns:x}-{size:x}"')
        part.headers.setdefault("last-modified", http_date(modified_s))
        part.headers.setdefault("accept-ranges", "bytes")
        part.count = size
        if self.status != 200:  # a page for an error, say: it is sent as it is
            return part
        verdict = evaluate(request.method, request.headers, etag, modified_s)
        if verdict == "precondition failed":
            raise HTTPError(412, "the file is not the one the request is about")
        if verdict == "not modified":
            part.close()
            return _not_modified(part)
        wanted = request.headers.get("range")
        if wanted and request.method == "GET" and range_applies(request.headers, etag, modified_s):
            return self._ranged(wanted, size, part)
        return part

    def _ranged(self, wanted: str, size: int, part: FilePart) -> Response:
        span = parse_range(wanted, size)
        if span is None:
            return part
        if span == "unsatisfiable":
            raise HTTPError(
                416,
                f"the file has {size} bytes, none of them in the range asked for",
                headers={"content-range": f"bytes */{size}"},
            )
        part.offset, end = span
        part.count = end - part.offset
        part.status = 206
        part.headers["content-range"] = f"bytes {part.offset}-{end - 1}/{size}"
        return part

    def _what(self) -> str:
        return self.path


class FilePart(Response):
    """An open file and the bytes of it to send: what a `FileResponse` becomes for one request.

    Attributes: fd: the descriptor, -1 when closed; offset, count: in bytes.
    """

    __slots__ = ("count", "fd", "offset")

    def __init__(self, fd: int, whole: FileResponse) -> None:
        super().__init__()
        self._headers = ResponseHeaders(whole.headers)
        self.status = whole.status
        self.fd = fd
        self.offset = 0
        self.count = 0

    def close(self) -> None:
        if self.fd >= 0:
            fd, self.fd = self.fd, -1
            os.close(fd)

    def _what(self) -> str:
        return f"{self.count} bytes of a file"


def _not_modified(part: FilePart) -> Response:
    """The same headers and no content (RFC 9110 §15.4.5 lists what a 304 keeps)."""
    response = Response(b"", 304, list(part.headers))
    del response.headers["content-type"]
    return response


def attachment(name: str) -> str:
    """A Content-Disposition that has a browser save the body under `name` (RFC 6266)."""
    plain = name.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
    plain = "".join(c if c.isprintable() else "_" for c in plain)
    # A name of the file system may hold bytes that are no UTF-8, as lone surrogates.
    encoded = quote(name, safe="", errors="replace")
    if plain == name:
        return f'attachment; filename="{plain}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def _media_type(path: str) -> str:
    kind, encoding = guess_type(path)
    if encoding is not None:  # page.tar.gz is no tar, and shall not be unpacked on the way
        return BYTES
    if kind is None:
        return BYTES
    is_text = kind.startswith("text/") or kind in ("application/javascript", "application/json")
    return f"{kind}; charset=utf-8" if is_text and kind != "application/json" else kind
