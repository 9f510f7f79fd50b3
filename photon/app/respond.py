"""What a handler returned, as a response.

Response          as it is
None              204, or the route's status with nothing in it
str               text/plain
bytes             application/octet-stream
an iterator       streamed, piece by piece
(value, status)   the value by these same rules, with a status
(value, status, headers)
                  any other plain tuple is refused; a named tuple is JSON
anything else     JSON, by msgspec, or what the client prefers of the formats of its route
"""

from __future__ import annotations

import copy
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from photon.app.unsendable import Unsendable, is_never_sent, refuse
from photon.http.formats import JSON, Format, negotiate
from photon.http.headers import ResponseHeaders
from photon.http.request import Request
from photon.http.response import BYTES, TEXT, Response, StreamResponse, encode_json
from photon.http.response import JSON as JSON_TYPE
from photon.templating.response import TemplateResponse

if TYPE_CHECKING:
    from photon.templating.engine import Templates

_new = Response.__new__

Responder = Callable[[Any, int | None, Request], Response]
"""Gets a handler's value, the status of its route, None if it has none, and the request.

Raises: Unsendable, a TypeError, when the value is nothing that can be sent.
"""


class Responders(dict[type, Responder]):
    """What makes a response of a value, by its class, decided when a class comes first.

    Args:
        formats: that values are sent in: JSON alone, or the one that the client prefers.
        templates: what renders a `TemplateResponse`; called when one comes first.
        own: the application's own, by class; they hold for subclasses, too.
    """

    def __init__(
        self,
        formats: Sequence[Format] = (JSON,),
        templates: Callable[[], Templates] | None = None,
        own: Mapping[type, Responder] = MappingProxyType({}),
    ) -> None:
        super().__init__(_FIXED)
        self[tuple] = self._tuple
        self._formats = tuple(formats)
        self._templates = templates
        self._own = own

    def respond(self, value: Any, status: int | None, request: Request) -> Response:
        """The response that a handler's value stands for.

        Args: status: the route's own; None when it was not given one.
        Raises: Unsendable.
        """
        return self[value.__class__](value, status, request)

    def forget(self) -> None:
        """Decide anew for each class: there are new ones of the application's own."""
        self.clear()
        self.update(_FIXED)
        self[tuple] = self._tuple

    def __missing__(self, kind: type) -> Responder:
        responder = self[kind] = self._choose(kind)
        return responder

    def _choose(self, kind: type) -> Responder:
        for base in kind.__mro__:
            if base in self._own:
                return self._own[base]
        if issubclass(kind, TemplateResponse):
            return self._template
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
        return _json if self._formats == (JSON,) else self._negotiated

    def _template(self, value: TemplateResponse, status: int | None, request: Request) -> Response:
        if self._templates is None:
            return value  # it says itself what is missing
        if status is not None and value.status == 200:
            value.status = status
        return value.render(self._templates(), request)

    def _negotiated(self, value: Any, status: int | None, request: Request) -> Response:
        chosen = negotiate(request, self._formats)
        response = Response(
            _encoded(chosen.encode, chosen.media_type, value),
            status or 200,
            None,
            chosen.media_type,
        )
        response.headers.add_vary("accept")
        return response

    def _tuple(self, value: tuple[Any, ...], status: int | None, request: Request) -> Response:
        if not 2 <= len(value) <= 3 or not is_status(value[1]):
            # Guessing would make of `return a, b` two things, by the value of b.
            raise Unsendable(
                "returned a tuple; a tuple is (value, status) or (value, status, headers), not "
                f"{reprlib.repr(value)}; for a JSON array return a list"
            )
        given = value[0]
        response = self.respond(given, value[1], request)
        if response is given:
            response = _copy(response)  # it may be one that every request is given
        response.status = value[1]
        if len(value) == 3:
            _set_headers(response, value[2])
        return response


def _as_it_is(value: Response, status: int | None, request: Request) -> Response:
    return value


def _nothing(value: None, status: int | None, request: Request) -> Response:
    response = Response(b"", status or 204)
    response._content_type = None
    return response


def _text(value: str, status: int | None, request: Request) -> Response:
    try:
        return Response(value.encode(), status or 200, None, TEXT)
    except UnicodeEncodeError as error:
        raise Unsendable(f"returned text that cannot be sent as UTF-8: {error}") from None


def _bytes(value: bytes, status: int | None, request: Request) -> Response:
    return Response(bytes(value), status or 200, None, BYTES)


def _stream(value: Iterator[bytes | str], status: int | None, request: Request) -> Response:
    return StreamResponse(value, status or 200)


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


def _json(value: Any, status: int | None, request: Request) -> Response:
    # PERF: what Response(...) would do, without looking at the arguments.
    response = _new(Response)
    response.body = _encoded(encode_json, "JSON", value)
    response.status = status or 200
    response._content_type = JSON_TYPE
    response._headers = None
    return response


def _encoded(encode: Callable[[Any], bytes], name: str, value: Any) -> bytes:
    try:
        return encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unsendable(
            f"returned {type(value).__name__}, which cannot be sent as {name}: {error}. "
            "Return a Response, or a dict, list, dataclass or msgspec.Struct"
        ) from None


_FIXED: Mapping[type, Responder] = {type(None): _nothing, Response: _as_it_is}
