"""The body of a request, pulled from the wire when somebody reads it and not before.

Nothing is read ahead: a client that waits for `100 Continue` gets it when the handler first
reads, and one that sends faster than the handler reads is held back by TCP.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from photon.http.errors import BodyTooLarge

# One read of the socket gives at most this much; a chunk handed to the user may be smaller.
CHUNK_BYTES = 64 * 1024


class BodySource(Protocol):
    """Where the bytes come from: the connection, or a test."""

    def next_body_chunk(self) -> bytes:
        """The next bytes of the body, waiting for them; b"" when it is complete.

        Raises: BodyTimeout; ClientDisconnected; ProtocolError.
        """
        ...


class NoBody:
    """The source of a request without a body."""

    def next_body_chunk(self) -> bytes:
        return b""


class Whole:
    """The source of a body that came with its head."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def next_body_chunk(self) -> bytes:
        data, self._data = self._data[:CHUNK_BYTES], self._data[CHUNK_BYTES:]
        return data


class Body:
    """The body of one request.

    Args:
        source: gives the bytes.
        length: in bytes, as Content-Length says; None when the request is chunked.
        limit: in bytes; what is larger is refused, before it is read where `length` tells.
    """

    __slots__ = ("_buffered", "_complete", "_length", "_limit", "_source", "_started", "_taken")

    def __init__(self, source: BodySource, length: int | None, limit: int) -> None:
        self._source = source
        self._length = length
        self._limit = limit
        self._started = False
        self._taken = 0
        self._complete = length == 0
        self._buffered: bytes | None = None

    def limit(self, limit_bytes: int) -> None:
        """Take at most so much of this body, instead of what the server takes of any.

        Raises: ValueError, for a negative limit; BodyTooLarge, when somebody read all of it and it
        is larger; RuntimeError, when a part of it was read.
        """
        if limit_bytes < 0:
            raise ValueError(f"the limit of a body is a number of bytes, not {limit_bytes!r}")
        if self._buffered is not None and self._taken > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        if self._started and self._buffered is None:
            raise RuntimeError(
                "the body's limit was set when a part of it was read already; set it before the"
                " first read: at the top of the handler, or in middleware"
            )
        self._limit = limit_bytes

    def read(self) -> bytes:
        """The whole body; the same bytes again when asked again.

        Raises: BodyTooLarge; BodyTimeout; ClientDisconnected; RuntimeError, when a part of it was
        already taken with `chunks()`.
        """
        if self._buffered is None:
            self._start()
            self._buffered = b"".join(self._pull())
        return self._buffered

    def chunks(self) -> Iterator[bytes]:
        """The body as it arrives, in pieces of at most 64 KiB, each given once.

        Raises: as `read`.
        """
        if self._buffered is not None:
            return iter([self._buffered] if self._buffered else [])
        self._start()
        return self._pull()

    def _start(self) -> None:
        if max(self._length or 0, self._taken) > self._limit:
            raise BodyTooLarge(self._limit)
        if self._started:
            raise RuntimeError(
                "the body was already read chunk by chunk and is not kept; read it in one way, once"
            )
        self._started = True

    def _pull(self) -> Iterator[bytes]:
        while not self._complete:
            chunk = self._source.next_body_chunk()
            if not chunk:
                self._complete = True
                break
            self._taken += len(chunk)
            if self._taken > self._limit:
                raise BodyTooLarge(self._limit)
            # PERF: most bodies come in one piece; nobody has to ask for the end of it.
            self._complete = self._taken == self._length
            yield chunk

    def __repr__(self) -> str:
        length = "chunked" if self._length is None else f"{self._length} bytes"
        return f"<Body {length}, {self._taken} read{', complete' if self._complete else ''}>"
