"""Values that handlers return, held against the types they declare."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

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

    def convert(value: Any) -> Any:
        if value.__class__ is type_ or _is_response(value):
            return value
        body, *rest = value if _is_answer(value) else (value,)
        try:
            made = msgspec.convert(body, type_, from_attributes=True)
        except msgspec.ValidationError as error:
            raise ResponseError(
                str(fault("handler", handler, f"returned what is no {_named(type_)}: {error}"))
            ) from error
        return (made, *rest) if rest else made

    return convert


def checker_of(handler: Any, type_: Any) -> Check | None:
    """What compares values with the type; None for one that says nothing about them."""
    sent = [member for member in shapes.members(type_) if not _says_nothing(shapes.bare(member))]
    if not sent or len(sent) < len(shapes.members(type_)):
        return None
    try:
        shapes.check_known(type_)
    except TypeError:
        return None  # an ORM's class, say: msgspec encodes what it cannot read

    def check(value: Any) -> Any:
        if _is_response(value):
            return value
        body = value[0] if _is_answer(value) else value
        found = list(_differences(body, type_))
        if found:
            lines = "".join(f"\n  {line}" for line in found[:_SHOWN])
            more = f"\n  and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            what = f"returned what is no {_named(type_)}:{lines}{more}"
            raise ResponseError(str(fault("handler", handler, what)))
        return value

    return check


def _says_nothing(type_: Any) -> bool:
    origin = typing.get_origin(type_) or type_
    if type_ in (Any, object):
        return True
    return isinstance(origin, type) and (
        issubclass(origin, (Response, Iterator)) or origin is tuple
    )


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
    fields = shapes.fields_of(type_) if shapes.members(type_) else None
    if isinstance(value, Mapping) and fields is not None:
        known = {field.name: field.type for field in fields}
        tag = getattr(shapes.bare(type_), "__struct_config__", None)
        for name, member in value.items():
            if name in known:
                yield from _unknown(member, known[name], (*loc, name))
            elif tag is None or name != tag.tag_field:
                yield f"{_place((*loc, name))}: {_named(type_)} has nothing of this name"
    elif isinstance(value, list) and shapes.shape_of(type_) == "list":
        for index, item in enumerate(value[:100]):
            yield from _unknown(item, shapes.element_of(type_), (*loc, index))


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
