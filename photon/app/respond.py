"""What a handler returned, as a response.

Response          as it is
None              204, or the route's status with nothing in it
str               text/plain
bytes             application/octet-stream
an iterator       streamed, piece by piece
(value, status)   the value by these same rules, with a status
(value, status, headers)
                  any other plain tuple is refused; a named tuple is JSON
anything else     JSON, by msgspec
"""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Callable, Iterator
from typing import Any

from photon.app.unsendable import Unsendable, is_never_sent, refuse
from photon.http.headers import ResponseHeaders
from photon.http.response import BYTES, JSON, TEXT, Response, StreamResponse, encode_json

_new = Response.__new__

Responder = Callable[[Any, int | None], Response]


def respond(value: Any, status: int | None = None) -> Response:
    """The response that a handler's value stands for.

    Args: status: the route's own; None when it was not given one.
    Raises: Unsendable, a TypeError, when the value is nothing that can be sent.
    """
    # PERF: one look by class; what a class is sent as was decided when it came first.
    return RESPONDERS[value.__class__](value, status)


class _Responders(dict[type, Responder]):
    def __missing__(self, kind: type) -> Responder:
        responder = self[kind] = _choose(kind)
        return responder


def _choose(kind: type) -> Responder:
    if issubclass(kind, Response):
        return _as_it_is
    if issubclass(kind, str):
        return _text
    if issubclass(kind, (bytes, bytearray, memoryview)):
        return _bytes
    if issubclass(kind, Iterator):
        return _stream
    if is_never_sent(kind):
        return refuse
    return _json


def _as_it_is(value: Response, status: int | None) -> Response:
    return value


def _nothing(value: None, status: int | None) -> Response:
    response = Response(b"", status or 204)
    response._content_type = None
    return response


def _text(value: str, status: int | None) -> Response:
    try:
        return Response(value.encode(), status or 200, None, TEXT)
    except UnicodeEncodeError as error:
        raise Unsendable(f"returned text that cannot be sent as UTF-8: {error}") from None


def _bytes(value: bytes, status: int | None) -> Response:
    return Response(bytes(value), status or 200, None, BYTES)


def _stream(value: Iterator[bytes | str], status: int | None) -> Response:
    return StreamResponse(value, status or 200)


def _tuple(value: tuple[Any, ...], status: int | None) -> Response:
    if not 2 <= len(value) <= 3 or not is_status(value[1]):
        # Guessing would make of `return a, b` two things, by the value of b.
        raise Unsendable(
            "returned a tuple; a tuple is (value, status) or (value, status, headers), not "
            f"{reprlib.repr(value)}; for a JSON array return a list"
        )
    given = value[0]
    response = respond(given, value[1])
    if response is given:
        response = _copy(response)  # it may be one that every request is given
    response.status = value[1]
    if len(value) == 3:
        _set_headers(response, value[2])
    return response


def is_status(value: Any) -> bool:
    """Whether it is a status that a handler may answer with."""
    return isinstance(value, int) and 200 <= value <= 599


def _copy(response: Response) -> Response:
    copied = copy.copy(response)
    if response._headers is not None:
        copied._headers = ResponseHeaders(response._headers)
    return copied


def _set_headers(response: Response, headers: Any) -> None:
    """Put a mapping or pairs in place of the fields of the same names; a name may come twice."""
    seen: set[str] = set()
    try:
        for name, text in headers.items() if hasattr(headers, "items") else headers:
            if name.lower() in seen:
                response.headers.append(name, text)
            else:
                response.headers[name] = text
                seen.add(name.lower())
    except (TypeError, ValueError, AttributeError) as error:
        raise Unsendable(
            f"returned headers that cannot be sent, {reprlib.repr(headers)}: {error}. "
            "Headers are a mapping, or pairs of a name and a value"
        ) from None


def _json(value: Any, status: int | None) -> Response:
    try:
        body = encode_json(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unsendable(
            f"returned {type(value).__name__}, which cannot be sent as JSON: {error}. "
            "Return a Response, or a dict, list, dataclass or msgspec.Struct"
        ) from None
    # PERF: what Response(...) would do, without looking at the arguments.
    response = _new(Response)
    response.body = body
    response.status = status or 200
    response._content_type = JSON
    response._headers = None
    return response


RESPONDERS = _Responders({type(None): _nothing, tuple: _tuple, Response: _as_it_is})
