"""What a handler and its providers take from the body, together."""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Callable
from typing import Any

import msgspec

from photon.binding import shapes
from photon.binding.defaults import maker_of
from photon.binding.errors import Unfit, fault
from photon.binding.markers import Body, File, Form, Marker
from photon.binding.parameters import constrained_type
from photon.binding.plan import BodyPart, BodyPlan
from photon.http.uploads import UploadFile

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

STREAMS = (collections.abc.Iterator, collections.abc.Iterable, collections.abc.Generator)


class Bodies:
    """Collects the parts, and says at last what is read."""

    def __init__(self) -> None:
        self._parts: dict[str, BodyPart] = {}
        self._raw: list[tuple[BodyPart, str]] = []

    def take(
        self, name: str, alias: str, annotation: Any, default: Any, marker: Marker
    ) -> BodyPart:
        type_ = shapes.bare(shapes.without_none(annotation))
        if isinstance(marker, Body):
            kind: Any = "value"
            is_stream = typing.get_origin(type_) in STREAMS
            is_text = type_ is str and marker.media_type is not None
            if type_ is bytes or is_text or is_stream:
                part = BodyPart(name=name, alias=alias, type=type_, default=default, marker=marker)
                self._raw.append((part, "stream" if is_stream else "bytes"))
                return part
        else:
            kind = self._kind_in_form(name, annotation, marker)
        is_file = kind in ("file", "files")
        full = annotation if is_file else constrained_type(name, annotation, marker)
        part = BodyPart(
            name=name,
            alias=alias,
            type=full,
            default=default,
            kind=kind,
            marker=marker,
        )
        known = self._parts.get(alias)
        if known is not None and (str(known.type), known.kind) == (str(full), kind):
            return known
        if known is not None:
            raise Unfit(
                f"has a parameter {name!r} of the body, and so has another one, with another type; "
                "give one of them another name"
            )
        self._parts[alias] = part
        return part

    def _kind_in_form(self, name: str, annotation: Any, marker: Marker) -> Any:
        type_ = shapes.bare(shapes.without_none(annotation))
        element = shapes.bare(shapes.element_of(annotation))
        shape = shapes.shape_of(annotation)
        if isinstance(marker, File):
            if type_ in (UploadFile, bytes):
                return "file"
            if shape == "list" and element in (UploadFile, bytes):
                return "files"
            raise Unfit(f"has a file {name!r} that is neither UploadFile nor bytes")
        if shape == "object":
            if shapes.fields_of(annotation) is None:
                raise Unfit(f"has a form {name!r} whose fields are not known; take a Struct")
            return "object"
        return shape

    def plan(self, handler: Callable[..., Any], media_types: tuple[str, ...]) -> BodyPlan | None:
        parts = tuple(self._parts.values())
        in_form = [part for part in parts if isinstance(part.marker, (Form, File))]
        if self._raw:
            (part, kind), *others = self._raw
            if others or parts:
                raise fault("handler", handler, "takes the body raw and in another way, too")
            assert isinstance(part.marker, Body)
            media = (part.marker.media_type,) if part.marker.media_type else ()
            return BodyPlan(
                kind=kind,  # type: ignore[arg-type]
                parts=(part,),
                media_types=media,
                type=part.type,
                required=part.required,
            )
        if not parts:
            return None
        if in_form and len(in_form) < len(parts):
            other = next(part for part in parts if part not in in_form)
            raise fault(
                "handler",
                handler,
                f"takes fields of a form and {other.name!r} from a JSON body; a request has one "
                f"body: make it `{other.name}: Annotated[..., Form()]`",
            )
        if in_form:
            types = FORMS[1:] if any(p.kind in ("file", "files") for p in parts) else FORMS
            required = any(part.required for part in parts)
            return BodyPlan(kind="form", parts=parts, media_types=types, required=required)
        return _data(handler, parts, media_types)


def _default(part: BodyPart) -> Any:
    make = maker_of(part.default)
    return part.default if make is None else msgspec.field(default_factory=make)


def _data(
    handler: Callable[..., Any], parts: tuple[BodyPart, ...], media_types: tuple[str, ...]
) -> BodyPlan:
    markers = [part.marker for part in parts if isinstance(part.marker, Body)]
    media = tuple(dict.fromkeys(m.media_type for m in markers if m.media_type)) or media_types
    required = any(part.required for part in parts)
    if len(parts) == 1 and not any(marker.embed for marker in markers):
        (part,) = parts
        return BodyPlan(
            kind="data", parts=parts, media_types=media, type=part.type, required=required
        )
    fields: list[Any] = [
        (part.name, part.type) if part.required else (part.name, part.type, _default(part))
        for part in sorted(parts, key=lambda part: not part.required)
    ]
    rename = {part.name: part.alias for part in parts}
    name = f"{getattr(handler, '__name__', 'handler').strip('<>')}_body"
    type_ = msgspec.defstruct(name, fields, rename=rename, module=handler.__module__)
    return BodyPlan(
        kind="data", parts=parts, media_types=media, embedded=True, type=type_, required=required
    )
