"""The body of a request as the value that a handler asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import inspect as msgspec_types

from photon.binding.defaults import maker_of
from photon.binding.getters import Missing
from photon.binding.markers import Body
from photon.binding.plan import BodyPlan
from photon.binding.whole_numbers import with_whole_numbers
from photon.http.errors import BadBody, HTTPError
from photon.http.formats import JSON, Format, format_of, too_deep
from photon.http.request import Request
from photon.http.validation import MAX_BYTES, clipped
from photon.runtime.offload import offload

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
    make_default = _default_of(body)
    decode = msgspec.json.Decoder(type_, strict=strict).decode
    takes_json = JSON in formats
    markers = [part.marker for part in body.parts if isinstance(part.marker, Body)]
    has_twice = _Twice(type_) if all(marker.unique_keys for marker in markers) else None

    def read(request: Request) -> Any:
        data = request.body()
        if not data:
            if make_default is None:
                raise Missing("this is missing")
            return make_default()
        # PERF: what nearly all clients write, before anything is taken apart.
        if request.head.fields.headers.get("content-type") != "application/json" or not takes_json:
            format_ = format_in(request, formats)
            if format_ is not JSON:
                return format_.decode(data, type_, strict)
        try:
            value = decode(data)
        except msgspec.ValidationError:
            whole = with_whole_numbers(data)
            if whole == data:
                raise
            value = decode(whole)
        except (ValueError, RecursionError):
            return JSON.decode(data, type_, strict)  # it says where
        if has_twice is not None and has_twice.might(data):
            # Reading 16 MiB with a function for each object takes a second and more.
            (has_twice.refuse if len(data) <= MAX_BYTES else has_twice.refuse_beside)(data)
        return value

    return read


def _default_of(body: BodyPlan) -> Callable[[], Any] | None:
    """What makes the value of a body that is missing; None when there has to be one."""
    if body.required:
        return None
    if body.embedded:
        return body.type  # type: ignore[no-any-return]  # a Struct whose fields all have defaults
    default = body.parts[0].default
    return maker_of(default) or (lambda: default)


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
        bytes: what comes out has fewer colons, if a member was dropped. Where colons, or the
        backslashes before what looks like one, are written as escapes, counting proves nothing.

        Raises: BadBody, when what the type ignores cannot be read.
        """
        colons = data.count(b":")
        if colons == self._fields or not colons:
            return False
        if b"\\" in data and _ESCAPES.search(data):
            return True
        try:
            whole = JSON.decode(data)
        except msgspec.ValidationError as error:  # such as 1e999 in a member that is ignored
            raise BadBody(f"the body cannot be read: {error}") from error
        return msgspec.json.encode(whole).count(b":") != colons

    def refuse(self, data: bytes) -> None:
        """Raises: BadBody, with the place, if a key does stand twice."""
        try:
            whole = json.loads(data.decode(), object_pairs_hook=_noting_twice, **_AS_TEXT)
        except RecursionError as error:
            raise too_deep("JSON") from error
        except ValueError as error:
            # msgspec took it, but did not look into what the type ignores.
            raise BadBody(f"the body is not JSON: {error}") from error
        found = _first_twice(whole)
        if found is not None:
            *_, key = loc = [clipped(step) if isinstance(step, str) else step for step in found]
            raise BadBody(f"the key {key!r} stands twice in one object", loc=["body", *loc])

    def refuse_beside(self, data: bytes) -> None:
        """The same in a thread, while the hub goes on."""
        offload(self.refuse, data)


# A colon, or a backslash.
_ESCAPES = re.compile(rb"\\u00(?:3[aA]|5[cC])")

# Numbers do not matter, and Python's limits for them do not either; msgspec has read the rest.
_AS_TEXT: Any = {"parse_int": str, "parse_float": str, "strict": False}


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


def _first_twice(value: Any) -> list[str | int] | None:
    """The names and indexes that lead to a key that stands twice; None when there is none.

    A loop, as what the JSON reader nests is more than Python's functions may.
    """
    waiting: list[tuple[Any, _Trail]] = [(value, None)]
    while waiting:
        value, trail = waiting.pop()
        if isinstance(value, _Noted):
            if value.twice is not None:
                return _steps((value.twice, trail))
            waiting += [(member, (key, trail)) for key, member in reversed(value.items())]
        elif isinstance(value, list):
            waiting += reversed([(member, (index, trail)) for index, member in enumerate(value)])
    return None


_Trail = tuple[str | int, Any] | None
"""A step, and the trail that leads there."""


def _steps(trail: _Trail) -> list[str | int]:
    steps: list[str | int] = []
    while trail is not None:
        step, trail = trail
        steps.insert(0, step)
    return steps


def _flat_fields(type_: Any) -> int:
    """How many fields an object has that has nothing but required scalars; -1 for others."""
    kind = msgspec_types.type_info(type_)
    while isinstance(kind, msgspec_types.Metadata):
        kind = kind.type
    fielded = (msgspec_types.StructType, msgspec_types.DataclassType, msgspec_types.TypedDictType)
    if not isinstance(kind, fielded) or getattr(kind, "tag", None) is not None:
        return -1
    if getattr(kind, "array_like", False):  # and what stands behind the last field is ignored
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
