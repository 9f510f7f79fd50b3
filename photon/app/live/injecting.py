"""Puts a script element into HTML that passes by: whole bodies, streams and files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from photon.http.errors import HTTPError
from photon.http.files import FilePart, FileResponse
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.http.status import has_content
from photon.middleware.fields import owned
from photon.runtime.offload import offload

_END = re.compile(rb"</body\s*>", re.IGNORECASE)
_MOST_FILE_BYTES = 4 * 1024 * 1024
_PAGES = ("document", "iframe", "frame", "embed", "object")


def wants_page(request: Request) -> bool:
    """Whether a browser is about to show what it gets, and not a script that asks for a part."""
    headers = request.headers
    destination = headers.get("sec-fetch-dest")
    if destination is not None:
        return destination in _PAGES
    # Only sent to what is trusted: http://192.168.1.7 is not.
    asks_script = "hx-request" in headers or "x-requested-with" in headers
    return not asks_script and "text/html" in headers.get("accept", "")


def is_page(response: Response) -> bool:
    """Whether a response is a whole HTML document that can be read here."""
    media_type = (response.content_type or "").partition(";")[0].strip().lower()
    return (
        media_type == "text/html"
        and has_content(response.status)
        and response.status not in (205, 206)
        and not 300 <= response.status < 400
        and "content-encoding" not in response.headers
        and "content-disposition" not in response.headers
    )


def with_script(request: Request, response: Response, element: bytes) -> Response:
    """The response with `element` in it, at its end; the same one if that cannot be done."""
    if isinstance(response, FileResponse):
        read = _read(request, response)
        if read is None:
            return response
        response = read
    response = owned(response)
    headers = response.headers
    if isinstance(response, StreamResponse):
        length = headers.get("content-length")
        if length is not None and length.isdigit():
            headers["content-length"] = str(int(length) + len(element))
        response.chunks = _Followed(response.chunks, response, element)
    else:
        response.body = _inserted(response.body, element)
        del headers["content-length"]
    # They were about a document without it. A browser that asks "is it still the same?" would
    # be told of the page that it has, and that has the script of another generation.
    for name in ("etag", "last-modified", "content-md5", "content-digest", "repr-digest"):
        del headers[name]
    headers["cache-control"] = "no-store"
    return response


def _inserted(body: bytes, element: bytes) -> bytes:
    """Before the last `</body>`; at the end where there is none."""
    place = len(body)
    for found in _END.finditer(body):
        place = found.start()
    return body[:place] + element + body[place:]


class _Followed:
    """The pieces of a stream, and one more behind them; HTML takes it for a part of the body."""

    def __init__(
        self, chunks: Iterable[bytes | str], response: StreamResponse, element: bytes
    ) -> None:
        self._inner = StreamResponse(chunks)
        self._element = element

    def __iter__(self) -> Iterator[bytes]:
        yield from self._inner.pieces()
        yield self._element

    def close(self) -> None:
        self._inner.close()


def _read(request: Request, response: FileResponse) -> Response | None:
    try:
        part = response.for_request(request)
    except HTTPError:
        return None  # whoever sends it gets that as well, and answers
    if not isinstance(part, FilePart) or part.status == 206 or part.count > _MOST_FILE_BYTES:
        # What was opened is opened again when it is sent.
        part.close()
        return None
    try:
        data = offload(os.pread, part.opened.fd, part.count, part.offset)
    finally:
        part.close()
    return Response(data, part.status, list(part.headers))
