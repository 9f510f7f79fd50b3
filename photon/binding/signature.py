"""A handler's signature, read into a plan when the handler is registered.

Where a parameter comes from, the first that holds:

    Depends, Security              a provider
    Request, WebSocket             the request itself, or what it became
    BackgroundTasks                those of the request
    Query, Path, Header, ...       what the marker says
    a name in the path             the path
    UploadFile                     a form
    a Struct, dataclass, TypedDict, attrs class, mapping, or a list of them
                                   the body
    anything else                  the query
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import FrameType
from typing import Any

from photon.binding import shapes
from photon.binding.bodies import STREAMS, Bodies
from photon.binding.elsewhere import is_websocket, own_provider
from photon.binding.errors import Unfit, check_kind, fault
from photon.binding.markers import (
    Body,
    Depends,
    File,
    Form,
    Header,
    Marker,
    Path,
    Query,
    SecurityScopes,
)
from photon.binding.parameters import (
    are_same,
    constrained_type,
    path_parameter,
    text_parameter,
)
from photon.binding.plan import NO_DEFAULT, NO_HINTS, Argument, BindingPlan, LocalHints, Parameter
from photon.binding.providers import Providers
from photon.http.request import Request
from photon.http.uploads import UploadFile

EMPTY = inspect.Parameter.empty

# What a handler that talks may say of what it returns.
_NOTHING = (None, type(None), EMPTY, Any, object, typing.NoReturn, typing.Never)


def read_plan(
    handler: Callable[..., Any],
    path_types: Mapping[str, type] = {},
    *,
    guards: Iterable[Depends] = (),
    media_types: tuple[str, ...] = ("application/json",),
    overrides: Mapping[Any, Callable[..., Any]] = {},
    is_websocket: bool = False,
    local_hints: LocalHints = NO_HINTS,
) -> BindingPlan:
    """How the arguments of `handler` come from a request.

    Args:
        path_types: the names in the route's template, and the types that their converters make.
        guards: providers to call before all else.
        media_types: of bodies that are decoded.
        overrides: providers to take in the place of others.
        is_websocket: whether the request becomes a WebSocket.
        local_hints: of the plan that was made before this one.
    Raises: HandlerError.
    """
    if isinstance(handler, type):
        what = "is a class; register a function, or an object that can be called"
        raise fault("handler", handler, what)
    check_kind("handler", handler)
    return _Reader(path_types, overrides, is_websocket, local_hints).plan(
        handler, guards, media_types
    )


class _Reader:
    """Reads one handler with all its providers."""

    def __init__(
        self,
        path_types: Mapping[str, type],
        overrides: Mapping[Any, Callable[..., Any]],
        is_websocket: bool,
        local_hints: LocalHints,
    ) -> None:
        self._path_types = path_types
        self._is_websocket = is_websocket
        self._local_hints = dict(local_hints)
        self._takes_websocket = False
        self._parameters: list[Parameter] = []
        self._bodies = Bodies()
        self._providers = Providers(self._arguments_of_provider, overrides)

    def plan(
        self, handler: Callable[..., Any], guards: Iterable[Depends], media_types: tuple[str, ...]
    ) -> BindingPlan:
        try:
            for guard in guards:
                provider = EMPTY if guard.provider is None else guard.provider
                self._providers.take(guard, provider, is_guard=True)
        except Unfit as error:
            raise fault("handler", handler, error) from error.__cause__
        arguments, returns = self._arguments("handler", handler)
        self._check_path(handler)
        if self._is_websocket:
            self._check_websocket(handler, returns)
        return BindingPlan(
            handler=handler,
            arguments=arguments,
            dependencies=self._providers.all,
            guards=self._providers.guards,
            parameters=tuple(self._parameters),
            body=self._bodies.plan(handler, media_types),
            returns=returns,
            local_hints=self._local_hints,
        )

    def _check_path(self, handler: Callable[..., Any]) -> None:
        taken = {p.alias for p in self._parameters if p.source == "path"}
        names = sorted(set(self._path_types) - taken)
        if names:
            raise fault(
                "handler",
                handler,
                f"does not take {', '.join(map(repr, names))} from the path; "
                f"add it as a parameter, such as `{names[0]}: str`",
            )

    def _check_websocket(self, handler: Callable[..., Any], returns: Any) -> None:
        if self._bodies.plan(handler, ()) is not None:
            what = "asks for a body, and a WebSocket has none: receive it, `ws.receive_json(Type)`"
            raise fault("handler", handler, what)
        if not self._takes_websocket:
            what = "does not take the WebSocket; add it as a parameter: `ws: WebSocket`"
            raise fault("handler", handler, what)
        if inspect.isgeneratorfunction(handler):
            what = "is a generator, whose items nobody would take: send them, `ws.send(item)`"
            raise fault("handler", handler, what)
        if returns not in _NOTHING:
            shown = getattr(returns, "__name__", str(returns))
            what = (
                f"says that it returns {shown}, which nobody would take: send it, "
                "`ws.send_json(value)`, and write `-> None`"
            )
            raise fault("handler", handler, what)

    # The parameters of one function...

    def _arguments_of_provider(self, provider: Callable[..., Any]) -> tuple[Argument, ...]:
        arguments, _ = self._arguments("provider", provider)
        return arguments

    def _arguments(self, role: str, fn: Callable[..., Any]) -> tuple[tuple[Argument, ...], Any]:
        try:
            signature, hints = self._signature(fn)
            bound = _bound_by_partial(fn)
            arguments = []
            for parameter in signature.parameters.values():
                if parameter.name in bound:
                    continue  # it has its value, which is no client's to change
                source = self._source(parameter, hints.get(parameter.name, parameter.annotation))
                is_positional = parameter.kind is inspect.Parameter.POSITIONAL_ONLY
                arguments.append(Argument(parameter.name, source, is_positional))
        except Unfit as error:
            raise fault(role, fn, error) from error.__cause__
        return tuple(arguments), hints.get("return", signature.return_annotation)

    def _signature(self, fn: Callable[..., Any]) -> tuple[inspect.Signature, Mapping[str, Any]]:
        try:
            signature = inspect.signature(fn)
        except (ValueError, TypeError) as error:
            raise Unfit(
                "does not say what its parameters are; call it in a function of your own"
            ) from error
        called = inspect.unwrap(fn)
        while isinstance(called, partial):
            called = inspect.unwrap(called.func)
        if isinstance(called, type):
            target: Any = vars(called).get("__init__", called)
        else:
            target = called if inspect.isroutine(called) else type(called).__call__
        try:
            return signature, self._hints(inspect.unwrap(target))
        except (NameError, AttributeError, SyntaxError, TypeError) as error:
            raise Unfit(
                f"has an annotation that is not defined where it stands: {error}"
            ) from error

    def _hints(self, fn: Any) -> Mapping[str, Any]:
        try:
            return typing.get_type_hints(fn, include_extras=True)
        except NameError:
            if fn not in self._local_hints:
                names = _names_around(fn)
                if names is None:
                    raise
                hints = typing.get_type_hints(fn, localns=names, include_extras=True)
                self._local_hints[fn] = hints
            return self._local_hints[fn]

    def _source(self, parameter: inspect.Parameter, annotation: Any) -> Any:
        """What fills a parameter."""
        name = parameter.name
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise Unfit(f"takes *{name}; name its parameters, so that each can be filled")
        base, notes = shapes.split_annotation(annotation)
        marker = _marker(parameter, annotation, notes)
        if isinstance(marker, Depends):
            if marker.provider is None:
                _check_makes_itself(name, annotation, base, type(marker).__name__)
                return self._providers.take(marker, base)
            return self._providers.take(marker, marker.provider)
        if isinstance(base, type) and issubclass(base, Request):
            return "request"
        if base is SecurityScopes:
            return "scopes"
        if self._is_for_websocket(name, base):
            return "websocket"
        if own_provider(base) is not None:
            return self._providers.take(Depends(), own_provider(base))
        if base is EMPTY:
            if name == "request" and name not in self._path_types:
                return "request"
            annotation = str if marker is None and name not in self._path_types else Any
        default = NO_DEFAULT if parameter.default is EMPTY else parameter.default
        return self._value(name, annotation, default, marker or self._implied(name, annotation))

    def _is_for_websocket(self, name: str, base: Any) -> bool:
        is_bare = base is EMPTY or base is Any
        by_name = is_bare and name in ("ws", "websocket") and name not in self._path_types
        if is_websocket(base) or (self._is_websocket and by_name):
            if not self._is_websocket:
                raise Unfit("takes a WebSocket, which only a route of `@app.websocket(path)` has")
            self._takes_websocket = True
            return True
        return False

    def _implied(self, name: str, annotation: Any) -> Marker:
        """The marker that a parameter without one has."""
        if name in self._path_types:
            return Path()
        type_ = shapes.bare(shapes.without_none(annotation))
        if type_ is UploadFile or shapes.bare(shapes.element_of(annotation)) is UploadFile:
            return File()
        if type_ in (bytes, bytearray, memoryview) or typing.get_origin(type_) in STREAMS:
            raise Unfit(
                f"has a parameter {name!r} of bytes, and nothing says where they come from: "
                f"`{name}: Annotated[..., Body()]` is the body, `Annotated[bytes, File()]` a file"
            )
        return Body() if shapes.is_body(annotation) else Query()

    def _value(self, name: str, annotation: Any, default: Any, marker: Marker) -> Any:
        alias = marker.alias or name
        if isinstance(marker, (Body, Form, File)):
            return self._bodies.take(name, alias, annotation, default, marker)
        if isinstance(marker, Path):
            if alias not in self._path_types:
                raise Unfit(
                    f"has a parameter {name!r} that nothing fills: {alias!r} is not in the path. "
                    f"Put {{{alias}}} into the path, or drop Path()"
                )
            made = self._path_types[alias]
            return self._add(path_parameter(name, alias, annotation, marker, made))
        if isinstance(marker, Header) and marker.alias is None:
            alias = name.replace("_", "-")
        type_ = constrained_type(name, annotation, marker)
        return self._add(text_parameter(name, alias, type_, default, marker))

    def _add(self, parameter: Parameter) -> Parameter:
        for known in self._parameters:
            if are_same(known, parameter):
                return known
        self._parameters.append(parameter)
        return parameter


def _names_around(fn: Any) -> dict[str, Any] | None:
    """The names where a function was defined within another, while that one runs: as in a test.

    Under `from __future__ import annotations` an annotation is text, and knows of no such names.
    """
    code = getattr(fn, "__code__", None)
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if code in frame.f_code.co_consts:
            return dict(frame.f_locals)
        frame = frame.f_back
    return None


def _bound_by_partial(fn: Any) -> set[str]:
    """The names that `functools.partial` gave values to."""
    bound: set[str] = set()
    while isinstance(fn, partial):
        bound |= fn.keywords.keys()
        fn = fn.func
    return bound


def _marker(
    parameter: inspect.Parameter, annotation: Any, notes: tuple[Any, ...]
) -> Marker | Depends | None:
    name = parameter.name
    found = [note() if _is_marker_class(note) else note for note in notes]
    found = [note for note in found if isinstance(note, (Marker, Depends))]
    if isinstance(parameter.default, (Marker, Depends)):
        kind = type(parameter.default).__name__
        shown = "..." if annotation is EMPTY else getattr(annotation, "__name__", "...")
        raise Unfit(
            f"has {kind}(...) as the default of {name!r}; it stands in the annotation: "
            f"`{name}: Annotated[{shown}, {kind}(...)]`"
        )
    if len(found) > 1:
        kinds = " and ".join(type(note).__name__ for note in found)
        raise Unfit(f"has a parameter {name!r} with {kinds}: keep one of them")
    return found[0] if found else None


def _check_makes_itself(name: str, annotation: Any, base: Any, marker: str) -> None:
    """Raises: Unfit, for a type that is no provider of its own values, as a user's class is."""
    cls = typing.get_origin(base) or base
    is_of_users = isinstance(cls, type) and cls.__module__ not in ("builtins", "types", "typing")
    if is_of_users or base is EMPTY or base is Any:  # of the last two more can be said
        return
    shown = base.__name__ if isinstance(base, type) else str(base)
    raise Unfit(
        f"has {marker} at {name!r} without a provider, and the type {shown} makes none of its "
        f"values: name the function that does, `{name}: Annotated[{shown}, {marker}(function)]`"
    )


def _is_marker_class(note: Any) -> bool:
    return isinstance(note, type) and issubclass(note, (Marker, Depends))
