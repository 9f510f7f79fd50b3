"""A handler as an application: its signature is read once, when it is registered.

What is left for a request is one call of a function that was compiled for this signature.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from msgspec import inspect as msgspec_types

from photon.app.respond import RESPONDERS
from photon.app.unsendable import Unsendable
from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.runtime.source import place_of

Handler = Callable[..., Any]
Read = Callable[[Any], Any]


class HandlerError(TypeError):
    """A handler that cannot serve its route; the message names it and the way out."""


def make_endpoint(
    handler: Handler, path_types: Mapping[str, type], *, status: int | None = None
) -> Application:
    """The application that calls `handler` with what it asks for.

    Args:
        path_types: the names in the route's template, and the types that their converters make.
        status: of what the handler returns, if it does not say.
    Raises: HandlerError.
    """
    _check_kind(handler)
    arguments: list[str] = []
    scope: dict[str, Any] = {
        "handler": handler,
        "responders": RESPONDERS,
        "status": status,
        "Unsendable": Unsendable,
        "fault": partial(_fault, handler),
    }
    for parameter, annotation in _parameters(handler):
        name = parameter.name
        value = _source(handler, parameter, annotation, path_types, scope)
        if value is not None:
            is_positional = parameter.kind is inspect.Parameter.POSITIONAL_ONLY
            arguments.append(value if is_positional else f"{name}={value}")
    names = set(path_types).difference(_accepted(handler))
    if names:
        raise _fault(
            handler,
            f"does not take {', '.join(map(repr, sorted(names)))} from the path; "
            f"add it as a parameter, such as `{sorted(names)[0]}: str`",
        )
    # PERF: compiled once, as attrs does, so that a request pays for no loop over parameters.
    source = (
        "def endpoint(request):\n"
        f"    value = handler({', '.join(arguments)})\n"
        "    try:\n"
        "        return responders[value.__class__](value, status)\n"
        "    except Unsendable as error:\n"
        "        raise fault(error) from None\n"
    )
    exec(compile(source, f"<endpoint of {place_of(handler)}>", "exec"), scope)
    endpoint = scope["endpoint"]
    endpoint.__wrapped__ = handler  # as functools.wraps leaves it, for who wants to know
    return endpoint  # type: ignore[no-any-return]  # the source says it is one


def _check_kind(handler: Handler) -> None:
    if isinstance(handler, type):
        raise _fault(handler, "is a class; register a function, or an object that can be called")
    if not callable(handler):
        raise HandlerError(f"{handler!r} is no handler; register a function")
    if _is_async(handler) or _is_async(type(handler).__call__):
        raise _fault(handler, "is async; handlers here are plain functions: write `def`")


def _is_async(fn: Callable[..., Any]) -> bool:
    return inspect.iscoroutinefunction(fn) or inspect.isasyncgenfunction(fn)


def _parameters(handler: Handler) -> Iterable[tuple[inspect.Parameter, Any]]:
    try:
        signature = inspect.signature(handler)
    except (ValueError, TypeError) as error:
        raise HandlerError(f"{handler!r} is no function whose parameters can be read") from error
    called = inspect.unwrap(handler)
    while isinstance(called, partial):
        called = inspect.unwrap(called.func)
    target = called if inspect.isroutine(called) else type(called).__call__
    try:
        hints = typing.get_type_hints(inspect.unwrap(target), include_extras=True)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise _fault(
            handler, f"has an annotation that is not defined where it stands: {error}"
        ) from error
    for parameter in signature.parameters.values():
        yield parameter, hints.get(parameter.name, parameter.annotation)


def _accepted(handler: Handler) -> list[str]:
    parameters = inspect.signature(handler).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return []
    return [parameter.name for parameter in parameters]


def _source(
    handler: Handler,
    parameter: inspect.Parameter,
    annotation: Any,
    path_types: Mapping[str, type],
    scope: dict[str, Any],
) -> str | None:
    """The expression that gives the parameter its value; puts into `scope` what that needs."""
    name = parameter.name
    if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
        raise _fault(handler, f"takes *{name}; name its parameters, so that each can be filled")
    if isinstance(annotation, type) and issubclass(annotation, Request):
        return "request"
    if name in path_types:
        if annotation in (inspect.Parameter.empty, Any):
            return f'request.path_values["{name}"]'
        scope[f"read_{name}"] = _reader(handler, name, annotation, path_types[name])
        return f'read_{name}(request.path_values["{name}"])'
    if name == "request" and annotation is inspect.Parameter.empty:
        return "request"
    raise _fault(
        handler,
        f"has a parameter {name!r} that nothing fills: it is not in the path, and its type is not "
        f"Request. Put {{{name}}} into the path, or take `request: Request` and read it there",
    )


def _reader(handler: Handler, name: str, annotation: Any, made: type) -> Read:
    """What turns a path value into its annotated type, or raises HTTPError (422)."""
    try:
        msgspec.json.Decoder(annotation)
        kind = msgspec_types.type_info(annotation)
    except TypeError as error:
        raise _fault(
            handler, f"has a parameter {name!r} of a type that cannot be read: {error}"
        ) from (error)
    if not _is_made_of(kind, made):
        type_name = getattr(annotation, "__qualname__", str(annotation))
        raise _fault(
            handler,
            f"has a parameter {name!r} of the type {type_name}, which cannot be made from the "
            f"text of a path. Take `{name}: str` and make it there, or give the application a "
            f"converter: Photon(converters=[Converter(...)]) and {{{name}:<its name>}}",
        )
    plain = annotation if isinstance(annotation, type) else None

    def read(value: Any) -> Any:
        # PERF: the route's converter has often made the type already.
        if value.__class__ is plain:
            return value
        try:
            return msgspec.convert(value, annotation, strict=False)
        except msgspec.ValidationError as error:
            message = str(error)
            detail = {"loc": ["path", name], "msg": message, "type": "value_error"}
            raise HTTPError(422, "the path has an invalid value", errors=[detail]) from error

    return read


_TEXTS = (str, int, float, UUID)  # what the built-in converters make

_NOT_FROM_TEXT = (
    msgspec_types.CustomType,
    msgspec_types.CollectionType,
    msgspec_types.TupleType,
    msgspec_types.DictType,
    msgspec_types.StructType,
    msgspec_types.DataclassType,
    msgspec_types.TypedDictType,
    msgspec_types.NamedTupleType,
)


def _is_made_of(kind: msgspec_types.Type, made: type) -> bool:
    """Whether a value of the annotated type can come of what the converter makes."""
    kinds = kind.types if isinstance(kind, msgspec_types.UnionType) else (kind,)
    for member in kinds:
        if isinstance(member, msgspec_types.CustomType):
            if issubclass(made, member.cls):
                return True
        elif made not in _TEXTS:
            return True  # an application's own converter: msgspec will see
        elif not isinstance(member, (*_NOT_FROM_TEXT, msgspec_types.NoneType)):
            return True
    return False


def _fault(handler: Handler, what: object) -> HandlerError:
    name = getattr(handler, "__qualname__", repr(handler))
    # A class has no line of its own to lead to, its __init__ has.
    source = vars(handler).get("__init__", handler) if isinstance(handler, type) else handler
    return HandlerError(f"the handler {name} ({place_of(source)}) {what}")
