"""The plan of a handler: everything that its signature says, as data that never changes.

It is made once, when a handler is registered (`signature`), compiled into the function that fills
its arguments (`compile`), and read by whoever wants to know: the OpenAPI document, `photon routes`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from photon.binding.markers import Marker, Scope, Source, Style

# A sentinel of our own: msgspec.NODEFAULT as a default would mean that there is none.
NO_DEFAULT: Any = inspect.Parameter.empty


class Parameter(Struct, frozen=True, kw_only=True, eq=False):
    """One value of the request that somebody asks for.

    Attributes:
        name: the parameter's, in Python.
        alias: its name on the wire.
        type: what it becomes, constraints included (`Annotated[int, msgspec.Meta(ge=1)]`).
        default: what it is when the request does not say; NO_DEFAULT when it has to.
        style, explode: how a list or an object is written (OpenAPI, Parameter Object).
        shape: "value" is one text, "list" several, "object" one value of several names.
        fields: of an object whose fields stand singly in the request, each as a parameter;
            () for deepObject, which is one parameter.
        marker: what its author said about it, if anything.
    """

    name: str
    alias: str
    source: Literal["path", "query", "header", "cookie"]
    type: Any
    default: Any = NO_DEFAULT
    style: Style = "form"
    explode: bool = True
    shape: Literal["value", "list", "object"] = "value"
    fields: tuple[Parameter, ...] = ()
    marker: Marker | None = None

    @property
    def required(self) -> bool:
        if self.fields and not any(field.required for field in self.fields):
            return False
        return self.default is NO_DEFAULT


class BodyPart(Struct, frozen=True, kw_only=True, eq=False):
    """A parameter that comes from the body.

    Attributes:
        name, alias, type, default, marker: as of a `Parameter`.
        kind: "value" of a JSON body or a form's field, "list" of fields of one name, "object"
            for all fields of a form as one, "file", "files".
    """

    name: str
    alias: str
    type: Any
    default: Any = NO_DEFAULT
    kind: Literal["value", "list", "object", "file", "files"] = "value"
    marker: Marker | None = None

    @property
    def required(self) -> bool:
        return self.default is NO_DEFAULT


class BodyPlan(Struct, frozen=True, kw_only=True, eq=False):
    """What is read from the body.

    Attributes:
        kind: "data": decoded by its content type. "form". "bytes": as it is. "stream": as it
            comes.
        parts: the parameters that it fills. Of "data" there is one, unless embedded.
        embedded: whether the body is an object with a member for each part.
        media_types: that are taken; () for any.
        type: of "data": what is decoded, with embedded parts a Struct made of them. Of "form":
            None.
        required: whether there has to be one.
    """

    kind: Literal["data", "form", "bytes", "stream"]
    parts: tuple[BodyPart, ...]
    media_types: tuple[str, ...] = ()
    embedded: bool = False
    type: Any = None
    required: bool = True

    @property
    def has_files(self) -> bool:
        """Whether only multipart/form-data will do."""
        return any(part.kind in ("file", "files") for part in self.parts)


class Dependency(Struct, frozen=True, kw_only=True, eq=False):
    """A provider, and what it needs itself.

    Attributes:
        provider: the function; key: what makes two uses of it one (the provider, or a mark of its
            own when it is not cached).
        kind: "value", or "generator" or "context" for one that is closed when its scope is over.
        arguments: what fills its parameters, by name.
        scopes: what `Security` asked of it.
        is_guard: whether it decides if the request may go on.
    """

    provider: Callable[..., Any]
    key: Any
    kind: Literal["value", "generator", "context"] = "value"
    scope: Scope = "request"
    concurrent: bool = False
    scopes: tuple[str, ...] = ()
    is_guard: bool = False
    arguments: tuple[Argument, ...] = ()

    @property
    def name(self) -> str:
        return getattr(self.provider, "__qualname__", None) or repr(self.provider)


class Argument(Struct, frozen=True, eq=False):
    """A parameter of a function and what fills it.

    Attributes: of: "request" for the request itself, "websocket" for what it became, "scopes" for
        what `Security` asks for.
    """

    name: str
    of: Parameter | BodyPart | Dependency | Literal["request", "websocket", "scopes"]
    positional: bool = False


LocalHints = Mapping[Any, Mapping[str, Any]]
"""By function its annotations."""

NO_HINTS: LocalHints = {}


class BindingPlan(Struct, frozen=True, kw_only=True, eq=False):
    """How a handler's arguments come from a request.

    Attributes:
        handler: the function.
        arguments: what fills its parameters, in their order.
        dependencies: all providers that are called, each after those it needs; guards first.
        guards: those of them that decide whether the request may go on: they are called before
            invalid input is told, so that strangers learn nothing.
        parameters: of the handler and of all its providers, each once.
        body: None when nobody asks for it.
        returns: the annotation of what it returns; `inspect.Signature.empty` when there is none.
        local_hints: the annotations of functions that were read where they are defined, within
            another function: nobody can read those later.
    """

    handler: Callable[..., Any]
    arguments: tuple[Argument, ...]
    dependencies: tuple[Dependency, ...] = ()
    guards: tuple[Dependency, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: BodyPlan | None = None
    returns: Any = None
    local_hints: LocalHints = NO_HINTS

    def from_source(self, source: Source) -> Iterator[Parameter]:
        """The parameters of one source."""
        return (parameter for parameter in self.parameters if parameter.source == source)
