"""One parameter of a path, a query, a header or a cookie, out of its annotation and its marker."""

from __future__ import annotations

from typing import Any

from msgspec import inspect as msgspec_types

from photon.binding import shapes
from photon.binding.errors import Unfit
from photon.binding.markers import Header, Marker, Path, Query
from photon.binding.plan import Parameter


def check_type(name: str, type_: Any, annotation: Any, *, is_path: bool = False) -> None:
    """Raises: Unfit, for a type that cannot be read."""
    try:
        if is_path:  # a converter may make what msgspec cannot
            msgspec_types.type_info(type_)
        else:
            shapes.check_known(type_)
    except TypeError as error:
        shown = getattr(annotation, "__qualname__", str(annotation))
        is_own = str(error).startswith("Type '")
        if is_own:
            raise Unfit(
                f"has a parameter {name!r} of the type {shown}, which cannot be made from a "
                "request. Take a type that msgspec reads, or Depends(a function that makes it)"
            ) from error
        raise Unfit(f"has a parameter {name!r} of a type that cannot be read: {error}") from error


def path_parameter(name: str, alias: str, type_: Any, marker: Path, made: type) -> Parameter:
    """A value of the path.   Args: made: what its converter makes.   Raises: Unfit."""
    check_type(name, type_, type_, is_path=True)
    if not shapes.is_made_of(type_, made):
        shown = getattr(shapes.bare(type_), "__qualname__", str(type_))
        raise Unfit(
            f"has a parameter {name!r} of the type {shown}, which cannot be made from the "
            f"text of a path. Take `{name}: str` and make it there, or give the application a "
            f"converter: Photon(converters=[Converter(...)]) and {{{name}:<its name>}}"
        )
    return Parameter(
        name=name, alias=alias, source="path", type=type_, style="simple", marker=marker
    )


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
