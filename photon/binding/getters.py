"""Where each parameter's value is found in a request, as functions made beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from photon.binding import shapes
from photon.binding.defaults import maker_of
from photon.binding.plan import NO_DEFAULT, Parameter
from photon.binding.texts import Read, reader_of, takes_empty
from photon.http.request import Request

Get = Callable[[Request], Any]
"""Raises: msgspec.ValidationError, when the value is missing or is no value of its type."""

ABSENT: Any = object()
"""What a field of an object is that the request does not name: its class knows what then."""

_DELIMITERS = {"form": ",", "simple": ",", "spaceDelimited": " ", "pipeDelimited": "|"}


class Missing(msgspec.ValidationError):
    """A value is not there, and has to be."""


def getter_of(parameter: Parameter) -> Get:
    """What gives the parameter's value."""
    if parameter.shape == "object":
        return _object(parameter)
    raw = _texts(parameter) if parameter.shape == "list" else _text(parameter)
    return _with_default(raw, parameter)


def _with_default(raw: Get, parameter: Parameter) -> Get:
    read: Read | None = reader_of(parameter.type)
    default = parameter.default
    make = maker_of(default)
    keeps_empty = parameter.shape == "value" and takes_empty(parameter.type)

    def get(request: Request) -> Any:
        text = raw(request)
        # Compared, as what a path's converter made may be 0.
        if text is None or (text == "" and not keeps_empty):
            if default is NO_DEFAULT:
                raise Missing("this is missing")
            return default if make is None else make()
        return text if read is None else read(text)

    return get


# One text...


def _text(parameter: Parameter) -> Get:
    alias = parameter.alias
    if parameter.source == "path":
        return lambda request: request.path_values.get(alias)
    if parameter.source == "query":
        return lambda request: request.query.get(alias)
    if parameter.source == "header":
        return lambda request: request.headers.get(alias)
    return lambda request: request.cookies.get(alias)


# Several...


def _texts(parameter: Parameter) -> Get:
    alias = parameter.alias
    delimiter = _DELIMITERS.get(parameter.style, ",")
    if parameter.source == "query":
        if parameter.explode:
            return lambda request: request.query.fields.get(alias)
        return lambda request: _split(request.query.get(alias), delimiter)
    if parameter.source == "header":
        # RFC 9110 §5.3: several fields of one name are one list, and may be joined by commas.
        return lambda request: _trimmed(request.headers.get(alias))
    text = _text(parameter)
    return lambda request: _split(text(request), delimiter)


def _split(text: str | None, delimiter: str) -> list[str] | None:
    return text.split(delimiter) if text else None


def _trimmed(text: str | None) -> list[str] | None:
    if text is None:
        return None
    # RFC 9110 §5.6.1.2: "a recipient MUST parse and ignore a reasonable number of empty list
    # elements".
    return [part for part in (part.strip(" \t") for part in text.split(",")) if part] or None


# The fields of an object...


def _object(parameter: Parameter) -> Get:
    type_ = shapes.without_none(parameter.type)
    default = parameter.default
    make = maker_of(default)
    find = _deep(parameter) if parameter.style == "deepObject" else _fields(parameter)

    def get(request: Request) -> Any:
        found = find(request)
        if not found and default is not NO_DEFAULT:
            return default if make is None else make()
        return msgspec.convert(found, type_, strict=False)

    return get


def _fields(parameter: Parameter) -> Callable[[Request], dict[str, Any]]:
    getters = [(field.name, getter_of(_as_optional(field))) for field in parameter.fields]

    def find(request: Request) -> dict[str, Any]:
        values = ((name, get(request)) for name, get in getters)
        return {name: value for name, value in values if value is not ABSENT}

    return find


def _as_optional(field: Parameter) -> Parameter:
    """The field as its object sees it, which knows its default itself."""
    return msgspec.structs.replace(field, default=ABSENT)


def _deep(parameter: Parameter) -> Callable[[Request], dict[str, Any]]:
    """`filter[name]=x&filter[tag]=a&filter[tag]=b`"""
    prefix = f"{parameter.alias}["
    known = {field.name: field for field in shapes.fields_of(parameter.type) or ()}
    lists = {name for name, field in known.items() if shapes.shape_of(field.type) == "list"}
    readers = {name: reader_of(field.type) for name, field in known.items()}
    not_empty = {name for name, field in known.items() if not takes_empty(field.type)}

    def find(request: Request) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, texts in request.query.fields.items():
            if name.startswith(prefix) and name.endswith("]"):
                inner = name[len(prefix) : -1]
                value: Any = texts if inner in lists else texts[-1]
                if value == "" and inner in not_empty:
                    continue
                read = readers.get(inner)
                found[inner] = value if read is None else _read_at(inner, read, value)
        return found

    return find


def _read_at(name: str, read: Read, value: Any) -> Any:
    try:
        return read(value)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(
            f"{str(error).partition(' - at ')[0]} - at `$.{name}`"
        ) from None
