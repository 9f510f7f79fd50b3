"""One parameter of a path, a query, a header or a cookie, out of its annotation and its marker."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator
from typing import Any

from msgspec import inspect as msgspec_types

from photon.binding import shapes
from photon.binding.errors import Unfit
from photon.binding.markers import CONSTRAINTS, Header, Marker, Path, Query
from photon.binding.plan import Parameter
from photon.http.response import Response


def constrained_type(name: str, annotation: Any, marker: Marker, *, is_path: bool = False) -> Any:
    """The type with the marker's constraints.   Raises: Unfit, when they do not fit it."""
    check_type(name, annotation, is_path=is_path)
    try:
        constraints = marker.constraints()
        if constraints is None:
            return annotation
        type_ = shapes.constrained(annotation, constraints)
        shapes.check_known(type_)
    except (TypeError, ValueError, re.error) as error:
        given = {key: getattr(marker, key) for key in CONSTRAINTS}
        said = ", ".join(f"{key}={value!r}" for key, value in given.items() if value is not None)
        shown = getattr(shapes.bare(annotation), "__qualname__", str(annotation))
        raise Unfit(
            f"has a parameter {name!r} with {type(marker).__name__}({said}), which does not fit "
            f"its type {shown}: {str(error).partition(' - type ')[0]}"
        ) from error
    return type_


def check_type(name: str, annotation: Any, *, is_path: bool = False) -> None:
    """Raises: Unfit, for a type that cannot be read."""
    try:
        if is_path:  # a converter may make what msgspec cannot
            msgspec_types.type_info(annotation)
        else:
            shapes.check_known(annotation)
    except (NameError, AttributeError) as error:  # of a field of a class
        raise Unfit(
            f"has a parameter {name!r} of a type with an annotation that is not defined where it "
            f"stands: {error}"
        ) from error
    except TypeError as error:
        shown = getattr(annotation, "__qualname__", str(annotation))
        is_own = str(error).startswith("Type '")
        if is_own:
            raise Unfit(
                f"has a parameter {name!r} of the type {shown}, which cannot be made from a "
                f"request. {_way_out(annotation)}"
            ) from error
        raise Unfit(f"has a parameter {name!r} of a type that cannot be read: {error}") from error


def _way_out(annotation: Any) -> str:
    for cls in _classes_in(annotation):
        if issubclass(cls, Response):
            return "A handler makes its response: return (value, status, headers), or a Response"
        if is_of_pydantic(cls):
            return "Write a msgspec.Struct or a dataclass in its place"
    return "Take a type that msgspec reads, or Depends(a function that makes it)"


def _classes_in(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _classes_in(argument)


def is_of_pydantic(cls: type) -> bool:
    """Whether it is a model, or another class, of pydantic's; which is not imported to tell."""
    return any(base.__module__.partition(".")[0] == "pydantic" for base in cls.__mro__)


def path_parameter(name: str, alias: str, annotation: Any, marker: Path, made: type) -> Parameter:
    """A value of the path.   Args: made: what its converter makes.   Raises: Unfit."""
    type_ = constrained_type(name, annotation, marker, is_path=True)
    if not shapes.is_made_of(type_, made):
        shown = getattr(shapes.bare(type_), "__qualname__", str(type_))
        raise Unfit(
            f"has a parameter {name!r} of the type {shown}, which cannot be made from the "
            f"text of a path. Take `{name}: str` and make it there, or give the application a "
            f"converter: Photon(converters=[Converter(...)]) and {{{name}:<its name>}}"
        )
    if not shapes.takes_made(type_, made):
        shown = getattr(shapes.bare(type_), "__qualname__", str(type_))
        raise Unfit(
            f"has a parameter {name!r} of the type {shown}, and the path makes {made.__name__} of "
            f"it: write `{name}: {made.__name__}`, or {{{alias}}} in the path"
        )
    return Parameter(
        name=name, alias=alias, source="path", type=type_, style="simple", marker=marker
    )


def are_same(one: Parameter, other: Parameter) -> bool:
    """Whether what one of them reads the other reads as well."""
    return (
        (one.source, one.alias, one.shape) == (other.source, other.alias, other.shape)
        and (one.style, one.explode) == (other.style, other.explode)
        and _are_same_type(one.type, other.type)
        and type(one.default) is type(other.default)
        and repr(one.default) == repr(other.default)
    )


def _are_same_type(one: Any, other: Any) -> bool:
    # By their texts, as two markers are never equal; and two classes may have one name.
    mine, others = ([shapes.bare(m) for m in shapes.members(type_)] for type_ in (one, other))
    return str(one) == str(other) and mine == others


def text_parameter(name: str, alias: str, type_: Any, default: Any, marker: Marker) -> Parameter:
    """A parameter of the query, a header or a cookie.   Raises: Unfit."""
    source: Any = marker.source
    shape = shapes.shape_of(type_)
    style = (
        marker.style if isinstance(marker, Query) else ("simple" if source == "header" else "form")
    )
    explode = style in ("form", "deepObject")
    if isinstance(marker, Query) and marker.explode is not None:
        explode = marker.explode
    fields: tuple[Parameter, ...] = ()
    if shape == "object" and style != "deepObject":
        fields = _fields(name, type_, marker)
    elif shape == "list" and not shapes.is_made_of(shapes.element_of(type_)):
        raise Unfit(
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


def _fields(name: str, type_: Any, marker: Marker) -> tuple[Parameter, ...]:
    """The fields of an object, each a parameter of its own."""
    fields = shapes.fields_of(type_)
    if fields is None:
        raise Unfit(
            f"has a parameter {name!r} whose fields are not known, so it cannot be read from "
            f"the {marker.source}; take a Struct, or Query(style='deepObject')"
        )
    read = []
    for field in fields:
        if shapes.shape_of(field.type) == "object":
            raise Unfit(
                f"has a parameter {name!r} whose field {field.name!r} is an object itself; "
                f"the {marker.source} has no place for it: take it from the body"
            )
        alias = field.name.replace("_", "-") if isinstance(marker, Header) else field.name
        plain = type(marker)()
        read.append(text_parameter(field.name, alias, field.type, field.default, plain))
    return tuple(read)
