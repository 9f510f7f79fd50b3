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

from photon.app.culprit import culprit_in
from photon.app.unsendable import Unsendable, is_never_sent, refuse
from photon.binding.parameters import is_of_pydantic
from photon.http.formats import JSON, Format, negotiate
from photon.http.headers import ResponseHeaders
from photon.http.request import Request
from photon.http.response import BYTES, TEXT, Response, StreamResponse, encode_json
from photon.http.response import JSON as JSON_TYPE
from photon.runtime.source import place_of
from photon.templating.response import TemplateResponse

if TYPE_CHECKING:
    from photon.templating.engine import Templates

_new = Response.__new__

Responder = Callable[[Any, int | None, Request], Response]
"""Gets a handler's value, the status of its route, None if it has none, and the request.

Raises: Unsendable, a TypeError, when the value is nothing that can be sent.
"""


Convert = Callable[[Any], Any]
"""Gives for a value of some class what a handler may return."""


class Responders(dict[type, Responder]):
    """What makes a response of a value, by its class, decided when a class comes first.

    Args:
        formats: that values are sent in: JSON alone, or the one that the client prefers.
        templates: what renders a `TemplateResponse`; called when one comes first.
        own: of the application's own classes what gives another value to send; it holds for
            subclasses, too.
    """

    def __init__(
        self,
        formats: Sequence[Format] = (JSON,),
        templates: Callable[[], Templates] | None = None,
        own: Mapping[type, Convert] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self._formats = tuple(formats)
        self._templates = templates
        self._own = own
        self.forget()

    def respond(self, value: Any, status: int | None, request: Request) -> Response:
        """The response that a handler's value stands for.

        Args: status: the route's own; None when it was not given one.
        Raises: Unsendable.
        """
        return self[value.__class__](value, status, request)

    def forget(self) -> None:
        """Decide anew for each class: there are new ones of the application's own."""
        self.clear()
        self.update({kind: each for kind, each in _FIXED.items() if kind not in self._own})
        self[tuple] = self._tuple

    def __missing__(self, kind: type) -> Responder:
        responder = self[kind] = self._choose(kind)
        return responder

    def _choose(self, kind: type) -> Responder:
        convert = self._own_for(kind)
        if convert is not None:
            return self._by(convert)
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

    def _own_for(self, kind: type) -> Convert | None:
        return next((self._own[base] for base in kind.__mro__ if base in self._own), None)

    def _by(self, convert: Convert) -> Responder:
        def respond(value: Any, status: int | None, request: Request) -> Response:
            made = convert(value)
            sent = made[0] if made.__class__ is tuple and made else made
            if self._own_for(sent.__class__) is convert:
                raise Unsendable(
                    f"returned {value.__class__.__name__}, whose responder {_place(convert)} gives "
                    f"{sent.__class__.__name__} again, and would be asked without end; it shall "
                    "give something else, such as a dict or a Response"
                )
            try:
                return self.respond(made, status, request)
            except RecursionError:
                raise Unsendable(
                    f"returned {value.__class__.__name__}, whose responder {_place(convert)} gives "
                    "what other responders turn into that again, without end"
                ) from None

        return respond

    def _template(self, value: TemplateResponse, status: int | None, request: Request) -> Response:
        if self._templates is None:
            return value  # it says itself what is missing
        response = value.render(self._templates(), request)
        if status is not None and value.status == 200:
            response.status = status  # not of the page itself, which others may be given, too
        return response

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


def _place(convert: Convert) -> str:
    return f"{getattr(convert, '__qualname__', repr(convert))} ({place_of(convert)})"


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
    try:
        response.body = encode_json(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        response.body = _encoded(encode_json, "JSON", value)  # it says what is wrong
    response.status = status or 200
    response._content_type = JSON_TYPE
    response._headers = None
    return response


def _encoded(encode: Callable[[Any], bytes], name: str, value: Any) -> bytes:
    try:
        return encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        place, way_out = "", "Return a Response, or a dict, list, dataclass or msgspec.Struct"
        if not isinstance(error, RecursionError):
            culprit = culprit_in(value, encode)
            place = f", at {culprit.place}" if culprit.place else ""
            if is_of_pydantic(type(culprit.value)):
                way_out = _of_pydantic(culprit.place)
        raise Unsendable(
            f"returned {type(value).__name__}, which cannot be sent as {name}: {error}{place}. "
            f"{way_out}"
        ) from None


def _of_pydantic(place: str) -> str:
    if place:
        return "Put its model_dump() there"
    return "Return its model_dump(), or have @app.responder(BaseModel) above a function do so"


_FIXED: Mapping[type, Responder] = {type(None): _nothing, Response: _as_it_is}
