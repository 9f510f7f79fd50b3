"""What a type is like: made of one text, of several, of an object, or of a body."""

from __future__ import annotations

import collections.abc
import dataclasses
import functools
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, ParamSpec, TypeVar
from uuid import UUID

import msgspec
from msgspec import inspect as msgspec_types

from photon.binding.plan import NO_DEFAULT
from photon.http import validation

Shape = Literal["value", "list", "object"]

P = ParamSpec("P")
T = TypeVar("T")

_LISTS = (list, set, frozenset, tuple, collections.abc.Sequence, collections.abc.Iterable)
_OBJECTS = (dict, collections.abc.Mapping)

_PLAIN = (str, int, float, UUID)  # what the built-in converters of paths make

_NOT_OF_NUMBERS = (
    msgspec_types.StrType,
    msgspec_types.BytesType,
    msgspec_types.UUIDType,
    msgspec_types.DateType,
    msgspec_types.TimeType,
)

_NEVER_OF: dict[type, tuple[type, ...]] = {
    int: _NOT_OF_NUMBERS,
    float: _NOT_OF_NUMBERS,
    UUID: (
        *(kind for kind in _NOT_OF_NUMBERS if kind is not msgspec_types.UUIDType),
        msgspec_types.IntType,
        msgspec_types.FloatType,
        msgspec_types.BoolType,
        msgspec_types.DateTimeType,
        msgspec_types.DecimalType,
    ),
}

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


def _remembered(fn: Callable[P, T]) -> Callable[P, T]:
    """PERF: applications of 500 routes ask about the same dozen types 10,000 times."""
    known = functools.lru_cache(maxsize=4096)(fn)

    @functools.wraps(fn)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            hash(args)
        except TypeError:  # a note that cannot be hashed
            return fn(*args, **kwargs)
        return known(*args, **kwargs)  # type: ignore[arg-type]  # they were hashed

    return call


def split_annotation(annotation: Any) -> tuple[Any, tuple[Any, ...]]:
    """The type and the notes of `Annotated[type, note, ...]`."""
    if typing.get_origin(annotation) is Annotated:
        base, *notes = typing.get_args(annotation)
        return base, tuple(notes)
    return annotation, ()


bare = _remembered(validation.bare)


@_remembered
def members(annotation: Any) -> tuple[Any, ...]:
    """The members of a union; of another type itself alone."""
    base = bare(annotation)
    if typing.get_origin(base) in (typing.Union, types.UnionType):
        return tuple(part for member in typing.get_args(base) for part in members(member))
    return (annotation,)


def is_optional(annotation: Any) -> bool:
    """Whether None is one of its values."""
    return type(None) in map(bare, members(annotation))


@_remembered
def without_none(annotation: Any) -> Any:
    """The type without None: a text that is there never means that."""
    if not is_optional(annotation):
        return annotation
    others = [member for member in members(annotation) if bare(member) is not type(None)]
    return typing.Union[tuple(others)] if others else annotation  # noqa: UP007  # made of values


def constrained(annotation: Any, constraints: msgspec.Meta | None) -> Any:
    """The type with constraints on each member of it that is not None."""
    if constraints is None:
        return annotation
    parts = [
        member if bare(member) is type(None) else Annotated[member, constraints]
        for member in members(annotation)
    ]
    return parts[0] if len(parts) == 1 else typing.Union[tuple(parts)]  # noqa: UP007


@_remembered
def shape_of(annotation: Any) -> Shape:
    """Of how many texts a value of this type is made."""
    kinds = {_shape_of(bare(member)) for member in members(without_none(annotation))}
    if "object" in kinds:
        return "object"
    return "list" if kinds == {"list"} else "value"


def _shape_of(type_: Any) -> Shape:
    origin = typing.get_origin(type_) or type_
    if origin in _LISTS:
        return "list"
    if is_fielded(type_) or origin in _OBJECTS:
        return "object"
    return "value"


def is_fielded(type_: Any) -> bool:
    """Whether it is a class whose fields are known: Struct, dataclass, TypedDict, attrs."""
    cls = typing.get_origin(type_) or type_
    return isinstance(cls, type) and (
        issubclass(cls, msgspec.Struct)
        or dataclasses.is_dataclass(cls)
        or typing.is_typeddict(cls)
        or hasattr(cls, "__attrs_attrs__")
    )


class Field(NamedTuple):
    """One field of a class, by its name on the wire."""

    name: str
    type: Any
    default: Any


def fields_of(annotation: Any) -> tuple[Field, ...] | None:
    """The fields of a class that has them; None for other types."""
    found = [member for member in members(without_none(annotation)) if is_fielded(bare(member))]
    if len(found) != 1:
        return None
    kind: Any = msgspec_types.type_info(bare(found[0]))
    hints = typing.get_type_hints(
        typing.get_origin(bare(found[0])) or bare(found[0]), include_extras=True
    )
    return tuple(
        Field(field.encode_name, _without_presence(hints[field.name]), _default_of(field))
        for field in kind.fields
    )


def _without_presence(hint: Any) -> Any:
    """What `Required[...]` and `NotRequired[...]` of a TypedDict hold."""
    is_wrapped = typing.get_origin(hint) in (typing.Required, typing.NotRequired)
    return typing.get_args(hint)[0] if is_wrapped else hint


def _default_of(field: Any) -> Any:
    if field.required:
        return NO_DEFAULT
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return None if field.default is msgspec.NODEFAULT else field.default


@_remembered
def is_body(annotation: Any) -> bool:
    """Whether such a parameter is the body when nobody says where it comes from."""
    for member in members(without_none(annotation)):
        type_ = bare(member)
        if _shape_of(type_) == "object":
            return True
        if _shape_of(type_) == "list" and any(map(is_body, typing.get_args(type_))):
            return True
    return False


@_remembered
def check_known(annotation: Any) -> None:
    """Raises: TypeError, when msgspec cannot read such values."""
    msgspec.json.Decoder(annotation)
    _check_parts(msgspec_types.type_info(annotation), set())


def _check_parts(kind: Any, seen: set[Any]) -> None:
    """Refuse classes that msgspec leaves to a hook: the first request would be a 500."""
    if isinstance(kind, msgspec_types.CustomType):
        raise TypeError(f"Type {kind.cls.__qualname__!r} is not supported")
    if not isinstance(kind, (msgspec_types.Type, msgspec_types.Field)):
        return
    cls = getattr(kind, "cls", None)
    if cls is not None and cls in seen:
        return
    seen.add(cls)
    for name in kind.__struct_fields__:
        part = getattr(kind, name)
        for one in part if isinstance(part, tuple) else (part,):
            _check_parts(one, seen)


@_remembered
def element_of(annotation: Any) -> Any:
    """The type of a list's elements; str when it does not say."""
    return elements_of(annotation)[0]


def elements_of(annotation: Any) -> tuple[Any, ...]:
    """The types of a tuple's elements, or the one of all elements of a list."""
    for member in members(without_none(annotation)):
        if _shape_of(bare(member)) == "list":
            return tuple(a for a in typing.get_args(bare(member)) if a is not ...) or (str,)
    return (str,)


def takes_made(annotation: Any, made: type) -> bool:
    """Whether what a built-in converter made, other than text, may be a value of the type."""
    refused = _NEVER_OF.get(made, ())
    return not all(isinstance(member, refused) for member in _kinds_of(annotation))


def _kinds_of(annotation: Any) -> list[msgspec_types.Type]:
    """The members of a type without None, as msgspec sees them."""
    found = []
    for member in members(without_none(annotation)):
        kind = msgspec_types.type_info(member)
        while isinstance(kind, msgspec_types.Metadata):
            kind = kind.type
        found.append(kind)
    return found


@_remembered
def is_made_of(annotation: Any, made: type = str) -> bool:
    """Whether a value of the type can come of what a converter makes, which is mostly a text."""
    kind = msgspec_types.type_info(annotation)
    kinds = kind.types if isinstance(kind, msgspec_types.UnionType) else (kind,)
    for member in kinds:
        while isinstance(member, msgspec_types.Metadata):
            member = member.type
        if isinstance(member, msgspec_types.CustomType):
            if issubclass(made, member.cls):
                return True
        elif made not in _PLAIN:
            return True  # an application's own converter: msgspec will see
        elif not isinstance(member, (*_NOT_FROM_TEXT, msgspec_types.NoneType)):
            return True
    return False
