"""A handler's signature, read into a plan when the handler is registered.

Where a parameter comes from, the first that holds:

    Depends, Security              a provider
    Query, Path, Header, ...       what the marker says
    Request                        the request itself
    a name in the path             the path
    UploadFile                     a form
    a Struct, dataclass, TypedDict, attrs class, mapping, or a list of them
                                   the body
    anything else                  the query
"""

from __future__ import annotations

import collections.abc
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec
from msgspec import inspect as msgspec_types

from photon.binding import shapes
from photon.binding.errors import HandlerError, check_kind, fault, name_of
from photon.binding.markers import (
    Body,
    Depends,
    File,
    Form,
    Header,
    Marker,
    Path,
    Query,
    Security,
    SecurityScopes,
)
from photon.binding.plan import (
    NO_DEFAULT,
    Argument,
    BindingPlan,
    BodyPart,
    BodyPlan,
    Dependency,
    Parameter,
)
from photon.http.request import Request
from photon.http.uploads import UploadFile

EMPTY = inspect.Parameter.empty

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

_STREAMS = (collections.abc.Iterator, collections.abc.Iterable, collections.abc.Generator)


def read_plan(
    handler: Callable[..., Any],
    path_types: Mapping[str, type] = {},
    *,
    guards: Iterable[Depends] = (),
    media_types: tuple[str, ...] = ("application/json",),
    overrides: Mapping[Any, Callable[..., Any]] = {},
) -> BindingPlan:
    """How the arguments of `handler` come from a request.

    Args:
        path_types: the names in the route's template, and the types that their converters make.
        guards: providers to call before all else.
        media_types: of bodies that are decoded.
        overrides: providers to take in the place of others.
    Raises: HandlerError.
    """
    return _Reader(path_types, overrides).plan(handler, tuple(guards), media_types)


class _Reader:
    """Reads one handler with all its providers."""

    def __init__(
        self, path_types: Mapping[str, type], overrides: Mapping[Any, Callable[..., Any]]
    ) -> None:
        self._path_types = path_types
        self._overrides = overrides
        self._parameters: dict[Any, Parameter] = {}
        self._parts: dict[str, BodyPart] = {}
        self._raw: list[tuple[BodyPart, str]] = []
        self._dependencies: dict[Any, Dependency] = {}
        self._trail: list[Any] = []
        self._scopes: list[str] = []

    def plan(
        self,
        handler: Callable[..., Any],
        guards: tuple[Depends, ...],
        media_types: tuple[str, ...],
    ) -> BindingPlan:
        if isinstance(handler, type):
            what = "is a class; register a function, or an object that can be called"
            raise fault("handler", handler, what)
        check_kind("handler", handler)
        self._role, self._fn = "handler", handler
        for guard in guards:
            if guard.provider is None:
                raise self._fault("has a guard `Depends()` that names no provider")
            self._depend(guard, guard.provider, is_guard=True)
        arguments, returns = self._arguments("handler", handler)
        self._check_path(handler)
        dependencies = list(self._dependencies.values())
        first = [d for d in dependencies if d.is_guard]
        needed = _needs_of(first)
        ahead = [d for d in dependencies if d.is_guard or d.key in needed]
        return BindingPlan(
            handler=handler,
            arguments=arguments,
            dependencies=(*ahead, *(d for d in dependencies if d not in ahead)),
            guards=tuple(ahead),
            parameters=tuple(self._parameters.values()),
            body=self._body(handler, media_types),
            returns=returns,
        )

    def _check_path(self, handler: Callable[..., Any]) -> None:
        taken = {p.alias for p in self._parameters.values() if p.source == "path"}
        names = sorted(set(self._path_types) - taken)
        if names:
            raise fault(
                "handler",
                handler,
                f"does not take {', '.join(map(repr, names))} from the path; "
                f"add it as a parameter, such as `{names[0]}: str`",
            )

    def _fault(self, what: object) -> HandlerError:
        return fault(self._role, self._fn, what)

    # The parameters of one function...

    def _arguments(self, role: str, fn: Callable[..., Any]) -> tuple[tuple[Argument, ...], Any]:
        outer = getattr(self, "_role", role), getattr(self, "_fn", fn)
        self._role, self._fn = role, fn
        try:
            signature, hints = self._signature(fn)
            arguments = []
            for parameter in signature.parameters.values():
                annotation = hints.get(parameter.name, parameter.annotation)
                source = self._source(parameter, annotation)
                if source is not None:
                    is_positional = parameter.kind is inspect.Parameter.POSITIONAL_ONLY
                    arguments.append(Argument(parameter.name, source, is_positional))
            return tuple(arguments), hints.get("return", signature.return_annotation)
        finally:
            self._role, self._fn = outer

    def _signature(self, fn: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Any]]:
        try:
            signature = inspect.signature(fn)
        except (ValueError, TypeError) as error:
            raise HandlerError(f"{fn!r} is no function whose parameters can be read") from error
        called = inspect.unwrap(fn)
        while isinstance(called, partial):
            called = inspect.unwrap(called.func)
        if isinstance(called, type):
            target: Any = vars(called).get("__init__", called)
        else:
            target = called if inspect.isroutine(called) else type(called).__call__
        try:
            return signature, typing.get_type_hints(inspect.unwrap(target), include_extras=True)
        except (NameError, AttributeError, SyntaxError, TypeError) as error:
            raise self._fault(
                f"has an annotation that is not defined where it stands: {error}"
            ) from error

    def _source(self, parameter: inspect.Parameter, annotation: Any) -> Any:
        """What fills a parameter; None when its own default does."""
        name = parameter.name
        if parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise self._fault(f"takes *{name}; name its parameters, so that each can be filled")
        base, notes = shapes.split_annotation(annotation)
        marker = self._marker(parameter, annotation, notes)
        if isinstance(marker, Depends):
            return self._depend(marker, base)
        if isinstance(base, type) and issubclass(base, Request):
            return "request"
        if base is SecurityScopes:
            return "scopes"
        if base is EMPTY:
            if name == "request" and name not in self._path_types:
                return "request"
            annotation = str if marker is None and name not in self._path_types else Any
        default = NO_DEFAULT if parameter.default is EMPTY else parameter.default
        marker = marker or self._implied(name, annotation)
        return self._take(name, annotation, default, marker)

    def _marker(
        self, parameter: inspect.Parameter, annotation: Any, notes: tuple[Any, ...]
    ) -> Marker | Depends | None:
        name = parameter.name
        found = [note() if _is_marker_class(note) else note for note in notes]
        found = [note for note in found if isinstance(note, (Marker, Depends))]
        if isinstance(parameter.default, (Marker, Depends)):
            kind = type(parameter.default).__name__
            shown = getattr(annotation, "__name__", "type")
            raise self._fault(
                f"has {kind}(...) as the default of {name!r}; it stands in the annotation: "
                f"`{name}: Annotated[{shown}, {kind}(...)]`"
            )
        if len(found) > 1:
            kinds = " and ".join(type(note).__name__ for note in found)
            raise self._fault(f"has a parameter {name!r} with {kinds}: keep one of them")
        return found[0] if found else None

    def _implied(self, name: str, annotation: Any) -> Marker:
        if name in self._path_types:
            return Path()
        type_ = shapes.bare(shapes.without_none(annotation))
        if type_ is UploadFile or shapes.bare(shapes.element_of(annotation)) is UploadFile:
            return File()
        if type_ in (bytes, bytearray, memoryview) or typing.get_origin(type_) in _STREAMS:
            raise self._fault(
                f"has a parameter {name!r} of bytes, and nothing says where they come from: "
                f"`{name}: Annotated[..., Body()]` is the body, `Annotated[bytes, File()]` a file"
            )
        return Body() if shapes.is_body(annotation) else Query()

    def _take(self, name: str, annotation: Any, default: Any, marker: Marker) -> Any:
        alias = marker.alias or name
        if isinstance(marker, Path) and alias not in self._path_types:
            raise self._fault(
                f"has a parameter {name!r} that nothing fills: {alias!r} is not in the path. "
                f"Put {{{alias}}} into the path, or drop Path()"
            )
        if isinstance(marker, Header) and marker.alias is None:
            alias = name.replace("_", "-")
        if isinstance(marker, (Body, Form, File)):
            return self._take_from_body(name, alias, annotation, default, marker)
        type_ = shapes.constrained(annotation, marker.constraints())
        if isinstance(marker, Path):
            self._check_type(name, type_, annotation, is_path=True)
            return self._add(self._path(name, alias, type_, default, marker))
        self._check_type(name, type_, annotation)
        return self._add(self._read(name, alias, type_, default, marker))

    def _check_type(self, name: str, type_: Any, annotation: Any, *, is_path: bool = False) -> None:
        try:
            if is_path:  # a converter may make what msgspec cannot
                msgspec_types.type_info(type_)
            else:
                shapes.check_known(type_)
        except TypeError as error:
            shown = getattr(annotation, "__qualname__", str(annotation))
            is_own = str(error).startswith("Type '")
            if is_own:
                raise self._fault(
                    f"has a parameter {name!r} of the type {shown}, which cannot be made from a "
                    "request. Take a type that msgspec reads, or Depends(a function that makes it)"
                ) from error
            raise self._fault(
                f"has a parameter {name!r} of a type that cannot be read: {error}"
            ) from error

    def _add(self, parameter: Parameter) -> Parameter:
        key = (parameter.source, parameter.alias, str(parameter.type), repr(parameter.default))
        return self._parameters.setdefault(key, parameter)

    # One parameter...

    def _path(self, name: str, alias: str, type_: Any, default: Any, marker: Path) -> Parameter:
        if not shapes.is_made_of(type_, self._path_types[alias]):
            shown = getattr(shapes.bare(type_), "__qualname__", str(type_))
            raise self._fault(
                f"has a parameter {name!r} of the type {shown}, which cannot be made from the "
                f"text of a path. Take `{name}: str` and make it there, or give the application a "
                f"converter: Photon(converters=[Converter(...)]) and {{{name}:<its name>}}"
            )
        return Parameter(
            name=name, alias=alias, source="path", type=type_, style="simple", marker=marker
        )

    def _read(self, name: str, alias: str, type_: Any, default: Any, marker: Marker) -> Parameter:
        """A parameter of the query, a header or a cookie."""
        source: Any = marker.source
        shape = shapes.shape_of(type_)
        style = (
            marker.style
            if isinstance(marker, Query)
            else ("simple" if source == "header" else "form")
        )
        explode = style in ("form", "deepObject")
        if isinstance(marker, Query) and marker.explode is not None:
            explode = marker.explode
        fields: tuple[Parameter, ...] = ()
        if shape == "object" and style != "deepObject":
            fields = self._fields(name, type_, marker)
        elif shape == "list" and not shapes.is_made_of(shapes.element_of(type_)):
            raise self._fault(
                f"has a parameter {name!r} whose elements cannot be made from text; take them "
                "from the body: Annotated[..., Body()]"
            )
        return Parameter(
            name=name,
            alias=alias,
            source=source,
            type=type_,
            default=default,
            style=style,
            explode=explode,
            shape=shape,
            fields=fields,
            marker=marker,
        )

    def _fields(self, name: str, type_: Any, marker: Marker) -> tuple[Parameter, ...]:
        """The fields of an object, each a parameter of its own."""
        fields = shapes.fields_of(type_)
        if fields is None:
            raise self._fault(
                f"has a parameter {name!r} whose fields are not known, so it cannot be read from "
                f"the {marker.source}; take a Struct, or Query(style='deepObject')"
            )
        read = []
        for field in fields:
            if shapes.shape_of(field.type) == "object":
                raise self._fault(
                    f"has a parameter {name!r} whose field {field.name!r} is an object itself; "
                    f"the {marker.source} has no place for it: take it from the body"
                )
            alias = field.name.replace("_", "-") if isinstance(marker, Header) else field.name
            plain = type(marker)()
            read.append(self._read(field.name, alias, field.type, field.default, plain))
        return tuple(read)

    # The body...

    def _take_from_body(
        self, name: str, alias: str, annotation: Any, default: Any, marker: Marker
    ) -> BodyPart:
        type_ = shapes.bare(shapes.without_none(annotation))
        if isinstance(marker, Body):
            kind: Any = "value"
            is_stream = typing.get_origin(type_) in _STREAMS
            is_text = type_ is str and marker.media_type is not None
            if type_ is bytes or is_text or is_stream:
                part = BodyPart(name=name, alias=alias, type=type_, default=default, marker=marker)
                self._raw.append((part, "stream" if is_stream else "bytes"))
                return part
        else:
            kind = self._kind_in_form(name, annotation, marker)
        full = shapes.constrained(annotation, marker.constraints())
        if kind not in ("file", "files"):
            self._check_type(name, full, annotation)
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
            raise self._fault(
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
            raise self._fault(f"has a file {name!r} that is neither UploadFile nor bytes")
        if shape == "object":
            if shapes.fields_of(annotation) is None:
                raise self._fault(f"has a form {name!r} whose fields are not known; take a Struct")
            return "object"
        return shape

    def _body(self, handler: Callable[..., Any], media_types: tuple[str, ...]) -> BodyPlan | None:
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

    # Providers...

    def _depend(self, marker: Depends, base: Any, *, is_guard: bool = False) -> Dependency:
        provider = marker.provider or base
        if provider in (EMPTY, Any):
            raise self._fault("has a `Depends()` that names no provider: Depends(function)")
        provider = self._overrides.get(provider, provider)
        check_kind("provider", provider)
        scopes = len(self._scopes)
        if isinstance(marker, Security):
            self._scopes += [scope for scope in marker.scopes if scope not in self._scopes]
        mine = tuple(self._scopes)
        key: Any = (provider, mine) if mine else provider
        if not marker.cached:
            key = object()
        try:
            if key in self._trail:
                names = [name_of(k[0] if isinstance(k, tuple) else k) for k in self._trail]
                start = self._trail.index(key)
                cycle = " -> ".join([*names[start:], name_of(provider)])
                raise self._fault(f"depends on itself: {cycle}; break the cycle")
            known = self._dependencies.get(key)
            if known is None or (is_guard and not known.is_guard):
                known = self._new_dependency(marker, provider, key, mine, is_guard)
                self._dependencies[key] = known
            return known
        finally:
            del self._scopes[scopes:]

    def _new_dependency(
        self, marker: Depends, provider: Any, key: Any, scopes: tuple[str, ...], is_guard: bool
    ) -> Dependency:
        self._trail.append(key)
        arguments, _ = self._arguments("provider", provider)
        self._trail.pop()
        needs = [argument.of for argument in arguments if isinstance(argument.of, Dependency)]
        self._check_scope(marker, provider, arguments, needs)
        is_guard = (
            is_guard
            or isinstance(marker, Security)
            or hasattr(provider, "scheme")
            or any(need.is_guard for need in needs)
        )
        return Dependency(
            provider=provider,
            key=key,
            kind=_kind_of(provider),
            scope=marker.scope,
            concurrent=marker.concurrent,
            scopes=scopes,
            is_guard=is_guard,
            arguments=arguments,
        )

    def _check_scope(
        self, marker: Depends, provider: Any, arguments: Any, needs: list[Dependency]
    ) -> None:
        rank = {"handler": 0, "request": 1, "app": 2}
        for need in needs:
            if rank[need.scope] < rank[marker.scope]:
                raise fault(
                    "provider",
                    provider,
                    f"has the scope {marker.scope!r} and depends on {need.name}, which has the "
                    f"scope {need.scope!r} and is over before it: give both the same",
                )
        if marker.scope == "app" and len(needs) != len(arguments):
            raise fault(
                "provider",
                provider,
                "has the scope 'app' and asks for a part of a request; there is none when the "
                "application starts",
            )


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
        (part.name, part.type) if part.required else (part.name, part.type, part.default)
        for part in sorted(parts, key=lambda part: not part.required)
    ]
    rename = {part.name: part.alias for part in parts}
    name = f"{getattr(handler, '__name__', 'handler').strip('<>')}_body"
    type_ = msgspec.defstruct(name, fields, rename=rename, module=handler.__module__)
    return BodyPlan(
        kind="data", parts=parts, media_types=media, embedded=True, type=type_, required=required
    )


def _needs_of(dependencies: Iterable[Dependency]) -> set[Any]:
    """The keys of all that these stand on."""
    keys: set[Any] = set()
    for dependency in dependencies:
        needs = [a.of for a in dependency.arguments if isinstance(a.of, Dependency)]
        keys |= {need.key for need in needs} | _needs_of(needs)
    return keys


def _kind_of(provider: Any) -> Any:
    fn = provider
    while isinstance(fn, partial):
        fn = fn.func
    if inspect.isgeneratorfunction(fn) or inspect.isgeneratorfunction(type(fn).__call__):
        return "generator"
    wrapped = getattr(fn, "__wrapped__", None)
    # A function under contextlib.contextmanager.
    return "context" if inspect.isgeneratorfunction(wrapped) else "value"


def _is_marker_class(note: Any) -> bool:
    return isinstance(note, type) and issubclass(note, (Marker, Depends))
