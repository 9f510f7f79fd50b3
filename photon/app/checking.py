"""Values that handlers return, held against the types they declare."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
from msgspec import inspect as msgspec_types

from photon.binding import shapes
from photon.binding.errors import HandlerError, fault
from photon.http.response import Response
from photon.http.validation import errors_of

Check = Callable[[Any], Any]
"""Gives the value to send.   Raises: ResponseError."""

_SHOWN = 10


class ResponseError(TypeError):
    """A handler returned what it did not declare. The message shows each difference."""


def converter_of(handler: Any, type_: Any) -> Check:
    """What makes values of the type that is sent: what it does not have is left out.

    Raises: HandlerError, when the type cannot be sent.
    """
    _check_type(handler, type_)

    is_deep = _holds_classes(msgspec_types.type_info(type_))

    def convert(value: Any) -> Any:
        if _is_response(value) or (value.__class__ is type_ and not is_deep):
            return value
        body, *rest = value if _is_answer(value) else (value,)
        if _is_response(body):
            return value
        try:
            made = msgspec.convert(body, type_, from_attributes=True)
            if is_deep:
                # What is of the class already is kept by msgspec as it is, and with it whatever
                # those of its fields have that are of subclasses: a password, say.
                plain = msgspec.to_builtins(made, builtin_types=_BUILTIN, str_keys=True)
                made = msgspec.convert(plain, type_, str_keys=True)
        except (msgspec.ValidationError, TypeError) as error:
            raise ResponseError(
                str(fault("handler", handler, f"returned what is no {_named(type_)}: {error}"))
            ) from error
        return (made, *rest) if rest else made

    return convert


_BUILTIN = (bytes, bytearray, datetime, date, time, timedelta, UUID, Decimal)


def _holds_classes(kind: Any, inside: bool = False) -> bool:
    """Whether there are objects in the fields of objects."""
    if isinstance(kind, _FIELDED):
        return inside or any(_holds_classes(field.type, True) for field in kind.fields)
    if not isinstance(kind, msgspec_types.Type):
        return False
    parts = (getattr(kind, name) for name in kind.__struct_fields__)
    return any(
        _holds_classes(one, inside)
        for part in parts
        for one in (part if isinstance(part, tuple) else (part,))
    )


_FIELDED = (
    msgspec_types.StructType,
    msgspec_types.DataclassType,
    msgspec_types.TypedDictType,
    msgspec_types.NamedTupleType,
)


def checker_of(handler: Any, type_: Any) -> Check | None:
    """What compares values with the type; None for one that says nothing about them."""
    declared = _sent(type_)
    if declared is None:
        return None
    try:
        shapes.check_known(declared)
    except TypeError:
        return None  # an ORM's class, say: msgspec encodes what it cannot read

    def check(value: Any) -> Any:
        if _is_response(value):
            return value
        body = value[0] if _is_answer(value) else value
        found = [] if _is_response(body) else list(_differences(body, declared))
        if found:
            lines = "".join(f"\n  {line}" for line in found[:_SHOWN])
            more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            what = f"returned what is no {_named(declared)}:{lines}{more}"
            raise ResponseError(str(fault("handler", handler, what)))
        return value

    return check


def _sent(type_: Any) -> Any:
    """What of a return annotation is sent as data; None when it may be anything.

    `tuple[Item, int]` is an Item with a status, and responses are sent as they are.
    """
    found: list[Any] = []
    for member in shapes.members(type_):
        base = shapes.bare(member)
        arguments = typing.get_args(base) if typing.get_origin(base) is tuple else ()
        if len(arguments) in (2, 3) and ... not in arguments:
            member = _sent(arguments[0])
            if member is None:
                return None
            found.append(member)
            continue
        origin = typing.get_origin(base) or base
        if base in (Any, object, inspect.Signature.empty) or origin is tuple:
            return None
        if not (isinstance(origin, type) and issubclass(origin, (Response, Iterator))):
            found.append(member)
    return typing.Union[tuple(found)] if found else None  # noqa: UP007  # made of values


def _is_response(value: Any) -> bool:
    return isinstance(value, (Response, Iterator))


def _is_answer(value: Any) -> bool:
    """Whether it is (value, status[, headers])."""
    return value.__class__ is tuple and len(value) in (2, 3) and isinstance(value[1], int)


def _differences(value: Any, type_: Any) -> Iterator[str]:
    try:
        sent = msgspec.to_builtins(value, str_keys=True)
    except (TypeError, ValueError, RecursionError):
        return  # it cannot be sent at all, which is told elsewhere
    for error in errors_of(sent, type_):
        yield f"{_place(error['loc'])}: {error['msg']}"
    yield from _unknown(sent, type_, ())


def _unknown(value: Any, type_: Any, loc: tuple[Any, ...]) -> Iterator[str]:
    """Members that the type does not have: clients would see them all the same."""
    fields = shapes.fields_of(type_)
    if isinstance(value, Mapping) and fields is not None:
        known = {field.name: field.type for field in fields}
        tag_field, named = _tag_field(type_), _named(shapes.without_none(type_))
        for name, member in value.items():
            if name in known:
                yield from _unknown(member, known[name], (*loc, name))
            elif name != tag_field:
                yield f"{_place((*loc, name))}: {named} has nothing of this name"
    elif isinstance(value, Mapping) and (of_values := _type_of_values(type_)) is not None:
        for name, member in value.items():
            yield from _unknown(member, of_values, (*loc, name))
    elif isinstance(value, list) and shapes.shape_of(type_) == "list":
        for index, item in enumerate(value[:100]):
            yield from _unknown(item, shapes.element_of(type_), (*loc, index))


def _tag_field(type_: Any) -> str | None:
    """Where a tagged Struct says which one it is."""
    base = shapes.bare(shapes.without_none(type_))
    config = getattr(typing.get_origin(base) or base, "__struct_config__", None)
    return None if config is None else config.tag_field


def _type_of_values(type_: Any) -> Any:
    """The type of a dict's values; None for what is no dict, or does not say."""
    base = shapes.bare(shapes.without_none(type_))
    origin, arguments = typing.get_origin(base), typing.get_args(base)
    is_dict = isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2
    return arguments[1] if is_dict else None


def _place(loc: Any) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in loc) or "it"


def _named(type_: Any) -> str:
    base = shapes.bare(type_)
    return getattr(base, "__name__", str(base)) if not typing.get_args(base) else str(base)


def _check_type(handler: Any, type_: Any) -> None:
    try:
        shapes.check_known(type_)
    except TypeError as error:
        raise _no_type(handler, type_, error) from error


def _no_type(handler: Any, type_: Any, error: TypeError) -> HandlerError:
    return fault("handler", handler, f"has a response_type that cannot be made, {type_}: {error}")
