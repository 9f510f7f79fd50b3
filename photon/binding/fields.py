"""The fields and files of a form as the values that a handler asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from photon.binding import shapes
from photon.binding.defaults import maker_of
from photon.binding.getters import ABSENT, Missing
from photon.binding.markers import File
from photon.binding.plan import NO_DEFAULT, BodyPart
from photon.binding.texts import Read, reader_of, takes_empty
from photon.http.errors import HTTPError
from photon.http.forms import Form
from photon.http.uploads import UploadFile

GetField = Callable[[Form], Any]
"""Raises: msgspec.ValidationError, when the field is missing or is no value of its type."""


def field_getter(part: BodyPart) -> GetField:
    """What gives the value of one parameter that comes from a form."""
    if part.kind in ("file", "files"):
        return _files(part)
    if part.kind == "object":
        return _object(part)
    find = _list if part.kind == "list" else _last
    return _with_default(part.alias, find, part.type, part.default, part.kind == "value")


def fields_of(part: BodyPart) -> list[tuple[str, GetField]]:
    """The fields of an object, each with what gives its value; they know their defaults."""
    found = []
    for field in shapes.fields_of(part.type) or ():
        is_list = shapes.shape_of(field.type) == "list"
        find = _list if is_list else _last
        # One that is left out is the class's business: a default may be made anew each time.
        default = NO_DEFAULT if field.default is NO_DEFAULT else ABSENT
        get = _with_default(field.name, find, field.type, default, not is_list)
        found.append((field.name, get))
    return found


Find = Callable[[Form, str], Any]


def _last(form: Form, name: str) -> Any:
    value = form.get(name)
    if isinstance(value, UploadFile):
        raise msgspec.ValidationError("Expected a field, got a file")
    return value


def _list(form: Form, name: str) -> Any:
    values = form.get_all(name)
    if any(isinstance(value, UploadFile) for value in values):
        raise msgspec.ValidationError("Expected fields, got a file")
    return values or None


def _with_default(name: str, find: Find, type_: Any, default: Any, is_value: bool) -> GetField:
    read: Read | None = reader_of(type_)
    make = maker_of(default)
    keeps_empty = is_value and takes_empty(type_)

    def get(form: Form) -> Any:
        value = find(form, name)
        if value is None or (not value and not keeps_empty):
            if default is NO_DEFAULT:
                raise Missing("this is missing")
            return default if make is None else make()
        return value if read is None else read(value)

    return get


def _object(part: BodyPart) -> GetField:
    type_ = shapes.without_none(part.type)
    getters = fields_of(part)
    names = [name for name, _ in getters]
    make = maker_of(part.default)

    def get(form: Form) -> Any:
        if part.default is not NO_DEFAULT and not any(name in form for name in names):
            return part.default if make is None else make()
        values = ((name, read(form)) for name, read in getters)
        there = {name: value for name, value in values if value is not ABSENT}
        return msgspec.convert(there, type_, strict=False)

    return get


# Files...


def _files(part: BodyPart) -> GetField:
    element = shapes.element_of(part.type) if part.kind == "files" else part.type
    is_bytes = shapes.bare(shapes.without_none(element)) is bytes
    limit = part.marker.max_bytes if isinstance(part.marker, File) else None
    make = maker_of(part.default)

    def get(form: Form) -> Any:
        found = [_checked(part.alias, value, limit) for value in form.get_all(part.alias)]
        # A browser sends an empty file without a name where none was chosen.
        files = [file for file in found if file.filename or file.size]
        if not files:
            if part.default is NO_DEFAULT:
                raise Missing("this is missing")
            return part.default if make is None else make()
        values: list[Any] = [file.read() for file in files] if is_bytes else files
        return values if part.kind == "files" else values[-1]

    return get


def _checked(name: str, value: Any, limit: int | None) -> UploadFile:
    if not isinstance(value, UploadFile):
        raise msgspec.ValidationError("Expected a file, got a field")
    if limit is not None and value.size > limit:
        detail = f"the file {name!r} is larger than the limit of {limit} bytes"
        raise HTTPError(413, detail, limit=limit)
    return value
