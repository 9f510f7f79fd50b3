"""The body of a request as the value that a handler asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect as msgspec_types

from photon.binding.getters import Missing
from photon.binding.markers import Body
from photon.binding.plan import NO_DEFAULT, BodyPlan
from photon.http.errors import BadBody, HTTPError
from photon.http.formats import JSON, Format, format_of
from photon.http.request import Request

Decode = Callable[[Request], Any]
"""Reads a request's body.   Raises: msgspec.ValidationError, when it is of another shape;
HTTPError, when nothing can be read at all."""


def decoder_of(body: BodyPlan, formats: Sequence[Format], *, strict: bool = True) -> Decode:
    """What reads a body that is decoded by its content type.

    Args:
        formats: that are taken.
        strict: whether the text "1" is no number.
    """
    type_ = body.type
    # The one part of a body that may be missing altogether has a default.
    default = NO_DEFAULT if body.embedded else body.parts[0].default
    decode = msgspec.json.Decoder(type_, strict=strict).decode
    takes_json = JSON in formats
    markers = [part.marker for part in body.parts if isinstance(part.marker, Body)]
    has_twice = _Twice(type_) if all(marker.unique_keys for marker in markers) else None

    def read(request: Request) -> Any:
        data = request.body()
        if not data:
            if default is NO_DEFAULT:
                raise Missing("this is missing")
            return default
        # PERF: what nearly all clients write, before anything is taken apart.
        if request.head.fields.headers.get("content-type") != "application/json" or not takes_json:
            format_ = format_in(request, formats)
            if format_ is not JSON:
                return format_.decode(data, type_, strict)
        try:
            value = decode(data)
        except msgspec.ValidationError:
            raise
        except (ValueError, RecursionError):
            return JSON.decode(data, type_, strict)  # it says where
        if has_twice is not None and has_twice.might(data):
            has_twice.refuse(data)
        return value

    return read


def format_in(request: Request, formats: Sequence[Format]) -> Format:
    """The format of a request's body.   Raises: HTTPError (415)."""
    content_type = request.headers.get("content-type", "")
    format_ = format_of(content_type, formats)
    if format_ is None:
        taken = ", ".join(format_.media_types[0] for format_ in formats)
        given = f"is {content_type!r}" if content_type else "has no Content-Type"
        raise HTTPError(
            415,
            f"the body {given}; what is taken here is {taken}",
            headers={"accept": taken},
        )
    return format_


class _Twice:
    """Finds keys that stand twice in an object of a JSON text.

    Readers differ in which of the two they take, so what one of them checked may be another thing
    for the next (RFC 8259 §4). msgspec takes the last and says nothing.
    """

    def __init__(self, type_: Any) -> None:
        self._fields = _flat_fields(type_)

    def might(self, data: bytes) -> bool:
        """Whether a key may stand twice, given that the text was read as the type.

        PERF: where all fields of a flat object have to be there, as many colons as fields are all
        accounted for: 0.1 us. Otherwise the text is read and written once more, 1 us for 200
        bytes: what comes out has fewer colons, if a member was dropped. With a backslash in it a
        colon may be written in two ways, which proves nothing.
        """
        colons = data.count(b":")
        if colons == self._fields or not colons:
            return False
        if b"\\" in data:
            return True
        return msgspec.json.encode(msgspec.json.decode(data)).count(b":") != colons

    def refuse(self, data: bytes) -> None:
        """Raises: BadBody, with the place, if a key does stand twice."""
        text = data.decode()
        whole = json.loads(text, object_pairs_hook=_noting_twice, parse_int=str, parse_float=str)
        for loc, key in _places(whole, ("body",)):
            raise BadBody(f"the key {key!r} stands twice in one object", loc=[*loc, key])


class _Noted(dict[str, Any]):
    twice: str | None = None


def _noting_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    object_ = _Noted(pairs)
    if len(object_) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                object_.twice = key
            seen.add(key)
    return object_


def _places(value: Any, loc: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, _Noted):
        if value.twice is not None:
            yield loc, value.twice
        for key, member in value.items():
            yield from _places(member, (*loc, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places(member, (*loc, index))


def _flat_fields(type_: Any) -> int:
    """How many fields an object has that has nothing but required scalars; -1 for others."""
    kind = msgspec_types.type_info(type_)
    while isinstance(kind, msgspec_types.Metadata):
        kind = kind.type
    fielded = (msgspec_types.StructType, msgspec_types.DataclassType, msgspec_types.TypedDictType)
    if not isinstance(kind, fielded) or getattr(kind, "tag", None) is not None:
        return -1
    # A value that takes anything might hold objects with colons of their own.
    if all(field.required and _is_scalar(field.type) for field in kind.fields):
        return len(kind.fields)
    return -1


def _is_scalar(kind: msgspec_types.Type) -> bool:
    while isinstance(kind, msgspec_types.Metadata):
        kind = kind.type
    scalars = (
        msgspec_types.StrType,
        msgspec_types.IntType,
        msgspec_types.FloatType,
        msgspec_types.BoolType,
        msgspec_types.NoneType,
        msgspec_types.EnumType,
        msgspec_types.LiteralType,
        msgspec_types.UUIDType,
        msgspec_types.DecimalType,
    )
    return isinstance(kind, scalars)
