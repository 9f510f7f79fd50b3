"""One JSON value a line, as it comes: NDJSON, in responses and in requests.

    return NDJSON(row for row in db.stream("select ..."))

    for item in read_ndjson(request, Item):
        ...

Source: https://github.com/ndjson/ndjson-spec; https://jsonlines.org.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, overload

import msgspec

from photon.http.errors import BadBody, HTTPError, InvalidBody
from photon.http.formats import fault_in_json, position, too_deep
from photon.http.pieces import Pieces
from photon.http.request import Request
from photon.http.response import HeaderSource, StreamResponse, encode_json
from photon.http.validation import failure_of

T = TypeVar("T")

NDJSON_TYPE = "application/x-ndjson"

LINE_BYTES = 1024 * 1024
"""How long a line may be that `read_ndjson` takes."""


class NDJSON(StreamResponse):
    """A response of one JSON value a line, each sent as soon as it is there.

    Args: items: any values msgspec can encode; a generator is closed when the client goes away.
    Raises: TypeError, when `items` is one value, not several.
    """

    __slots__ = ()

    media_type = NDJSON_TYPE

    def __init__(
        self,
        items: Iterable[Any],
        status: int = 200,
        headers: HeaderSource | None = None,
    ) -> None:
        super().__init__(Pieces(items, encode_line), status, headers, NDJSON_TYPE)


def encode_line(item: Any) -> bytes:
    """One value as a line of JSON, its end included.   Raises: TypeError."""
    return encode_json(item) + b"\n"


# Reading...


@overload
def read_ndjson(request: Request, *, line_bytes: int = LINE_BYTES) -> Iterator[Any]: ...
@overload
def read_ndjson(
    request: Request, type: type[T], *, line_bytes: int = LINE_BYTES
) -> Iterator[T]: ...
def read_ndjson(
    request: Request, type: Any = Any, *, line_bytes: int = LINE_BYTES
) -> Iterator[Any]:
    """The values of a request's body, each as soon as its line is there; empty lines are none.

    The body as a whole has its limit, too.

    Args:
        type: of each value; any type msgspec knows.
        line_bytes: how long a line may be.
    Raises: BadBody (400) for a line that is not JSON, and InvalidBody (422) for JSON of another
        shape, both with the number of the `line`; HTTPError (413) for a line too long; as
        `request.chunks`.
    """
    decode = msgspec.json.Decoder(type).decode
    index = 0
    for number, start, line in _lines(request.chunks(), line_bytes):
        if not line.strip(b" \t\r"):
            continue
        try:
            value = decode(line)
        except msgspec.ValidationError as error:
            found = failure_of(error, ("body", index), type)
            raise InvalidBody([{**found, "line": number}]) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _broken(number, start, line, error) from error
        yield value
        index += 1


def _lines(chunks: Iterator[bytes], line_bytes: int) -> Iterator[tuple[int, int, bytes]]:
    """Triples of (number of the line from 1, its first byte in the body, the line)."""
    number, start = 1, 0
    # What came of a line that is not complete. A bytearray: a client may send byte by byte.
    begun = bytearray()
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        begun += first
        if others:
            *complete, last = others
            for line in (bytes(begun), *complete):
                _check_length(line, number, line_bytes)
                yield number, start, line
                number += 1
                start += len(line) + 1
            begun = bytearray(last)
        _check_length(begun, number, line_bytes)
    if begun:
        yield number, start, bytes(begun)


def _check_length(line: bytes | bytearray, number: int, limit: int) -> None:
    if len(line) > limit:
        raise HTTPError(
            413,
            f"line {number} is longer than the limit of {limit} bytes",
            line=number,
            limit=limit,
        )


def _broken(number: int, start: int, line: bytes, error: Exception) -> BadBody:
    if isinstance(error, RecursionError):
        refusal = too_deep("JSON")
        return BadBody(f"{refusal.detail}, in line {number}", line=number)
    what, byte = fault_in_json(line, error)
    column = position(line, byte)["column"]
    return BadBody(
        f"the body is not NDJSON: {what} at line {number}, column {column} (byte {start + byte})",
        line=number,
        column=column,
        byte=start + byte,
    )
