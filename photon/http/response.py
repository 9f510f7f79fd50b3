"""Responses: what a handler gives back, and what goes down to the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from os import PathLike
from types import GeneratorType
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from photon.http.cookies import SameSite, format_set_cookie
from photon.http.headers import Pairs, ResponseHeaders
from photon.http.status import reason_phrase
from photon.runtime.source import place_of

if TYPE_CHECKING:
    from photon.http.request import Request

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
BYTES = "application/octet-stream"

HeaderSource: TypeAlias = Mapping[str, str] | Pairs
encode_json = msgspec.json.Encoder(decimal_format="number").encode


class Response:
    """A response whose body is all there.

    Args:
        body: bytes, or text that is sent as UTF-8.
        status: 200 to 599.
        headers: names and values; `content_type` is one of them, given apart.
        content_type: guessed from `body` when left out: plain text, or octet-stream.
    """

    __slots__ = ("_content_type", "_headers", "body", "status")

    def __init__(
        self,
        body: bytes | str = b"",
        status: int = 200,
        headers: HeaderSource | None = None,
        content_type: str | None = None,
    ) -> None:
        # PERF: one of these per request. `_headers` is made when somebody asks for it, and a
        # response without them is sent with a head that is ready-made.
        if body.__class__ is bytes:
            self.body: bytes = body
            self._content_type: str | None = content_type or BYTES
        else:
            self.body, default = _encode(body)
            self._content_type = content_type or default
        self.status = status
        self._headers: ResponseHeaders | None = None
        if headers is not None:
            for name, value in headers.items() if isinstance(headers, Mapping) else headers:
                if name.lower() == "content-type":
                    self.headers[name] = value  # in place of the default
                else:
                    self.headers.append(name, value)

    # Ways to make one...

    @staticmethod
    def json(value: Any, status: int = 200, headers: HeaderSource | None = None) -> Response:
        """Any value msgspec can encode, as JSON.   Raises: TypeError, for one it cannot."""
        return Response(encode_json(value), status, headers, JSON)

    @staticmethod
    def text(text: str, status: int = 200, headers: HeaderSource | None = None) -> Response:
        """Plain text."""
        return Response(text.encode(), status, headers, TEXT)

    @staticmethod
    def html(text: str, status: int = 200, headers: HeaderSource | None = None) -> Response:
        """An HTML page. What users wrote must have been escaped."""
        return Response(text.encode(), status, headers, HTML)

    @staticmethod
    def redirect(to: str, status: int = 307, headers: HeaderSource | None = None) -> Response:
        """Send the client elsewhere. 307 keeps the method, 303 makes it a GET, 308 is for good.

        Args: to: a URL or a path; never one that came from the request unchecked.
        """
        if status not in (301, 302, 303, 307, 308):
            raise ValueError(f"{status} is no redirect; use 303, 307 or 308")
        response = Response(b"", status, headers, TEXT)
        response.headers["location"] = _quote_location(to)
        return response

    @staticmethod
    def stream(
        chunks: Iterable[bytes | str],
        status: int = 200,
        headers: HeaderSource | None = None,
        content_type: str | None = None,
    ) -> StreamResponse:
        """A body that comes as an iterator gives it, each piece sent at once."""
        return StreamResponse(chunks, status, headers, content_type)

    @staticmethod
    def file(
        path: str | PathLike[str],
        *,
        content_type: str | None = None,
        download_as: str | None = None,
        headers: HeaderSource | None = None,
    ) -> Response:
        """A file, sent by the kernel; knows Range, ETag, Last-Modified and If-*.

        Args:
            content_type: guessed from the name when left out.
            download_as: the name under which a browser shall save it.
        Raises: HTTPError (404), when there is no such file.
        """
        from photon.http.files import FileResponse  # it stands on this module

        return FileResponse(
            path, content_type=content_type, download_as=download_as, headers=headers
        )

    # Headers...

    @property
    def headers(self) -> ResponseHeaders:
        """The header fields, to be changed in place."""
        if self._headers is None:
            self._headers = ResponseHeaders()
            if self._content_type is not None:
                self._headers.append("content-type", self._content_type)
        return self._headers

    @property
    def content_type(self) -> str | None:
        """The media type with its parameters."""
        if self._headers is not None:
            return self._headers.get("content-type")
        return self._content_type

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers["content-type"] = value

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        max_age: int | None = None,
        expires: datetime | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        http_only: bool = True,
        same_site: SameSite | None = "lax",
        partitioned: bool = False,
    ) -> None:
        """Have the client keep a cookie: for `max_age` seconds, or until it is closed.

        Raises: ValueError, for what browsers would refuse or read differently.
        """
        self.headers.append(
            "set-cookie",
            format_set_cookie(
                name,
                value,
                max_age=max_age,
                expires=expires,
                path=path,
                domain=domain,
                secure=secure,
                http_only=http_only,
                same_site=same_site,
                partitioned=partitioned,
            ),
        )

    def delete_cookie(self, name: str, *, path: str = "/", domain: str | None = None) -> None:
        """Have the client forget a cookie; path and domain must be those it was set with."""
        secure = name.lower().startswith(("__secure-", "__host-"))
        self.set_cookie(name, "", max_age=0, path=path, domain=domain, secure=secure)

    # What the server asks...

    def for_request(self, request: Request) -> Response:
        """The response to send to this very request: for a file a part of it, or "not modified"."""
        return self

    def close(self) -> None:
        """Let go of what the response holds. Called once it was sent, or could not be."""

    def __repr__(self) -> str:
        return f"<Response {self.status} {reason_phrase(self.status)} {self._what()}>"

    def _what(self) -> str:
        return f"{len(self.body)} bytes"


class StreamResponse(Response):
    """A response whose body comes piece by piece.

    Each piece is sent at once and a slow client holds the iterator back. If the client goes away
    the iterator is closed where it waits (`GeneratorExit`, or `Cancelled` from the call it waits
    in), so `finally` and `with` in a generator do what they should. A `content-length` in
    `headers` is believed, and checked.

    Attributes: ends_with_server: whether it ends as soon as the server begins to stop, as a stream
        does whose clients come back; others are given time.
    """

    __slots__ = ("chunks",)

    ends_with_server = False

    def __init__(
        self,
        chunks: Iterable[bytes | str],
        status: int = 200,
        headers: HeaderSource | None = None,
        content_type: str | None = None,
    ) -> None:
        super().__init__(b"", status, headers, content_type or BYTES)
        self.chunks = chunks

    def pieces(self) -> Iterator[bytes]:
        """The body as bytes, without empty pieces.   Raises: TypeError for other things."""
        for chunk in self.chunks:
            if chunk.__class__ is not bytes:
                chunk = self._piece(chunk)
            if chunk:
                yield chunk

    def _piece(self, chunk: Any) -> bytes:
        if isinstance(chunk, (str, bytes, bytearray, memoryview)):
            return _encode(chunk)[0]
        who = "the stream"
        if isinstance(self.chunks, GeneratorType):
            who = f"the generator {self.chunks.__qualname__} ({place_of(self.chunks)})"
        raise TypeError(
            f"{who} gives {type(chunk).__name__}, and a body is bytes or str: for JSON, a line for "
            "each item, return NDJSON(items); for events EventStream(items)"
        )

    def close(self) -> None:
        close: Callable[[], None] | None = getattr(self.chunks, "close", None)
        if close is not None:
            close()

    def _what(self) -> str:
        return "streamed"


def _encode(body: Any) -> tuple[bytes, str]:
    """The bytes of a body and the media type they have when nobody says another."""
    if isinstance(body, str):
        return body.encode(), TEXT
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), BYTES
    raise TypeError(
        f"a body is bytes or str, not {type(body).__name__}; for JSON use Response.json(value)"
    )


def _quote_location(to: str) -> str:
    """A URL that fits into a header: what is beyond ASCII, and spaces, percent-encoded."""
    from urllib.parse import quote

    return quote(to, safe="!#$%&'()*+,/:;=?@[]~-._")
