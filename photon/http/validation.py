"""Every place where a value does not fit its type, where msgspec names the first.

msgspec stops at the first error, which is right for speed: all is well with most requests. When
something is not, the value is walked once more along its type, and each part is tried on its own.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import EnumMeta
from typing import Any, NamedTuple

import msgspec

from photon.http.errors import HTTPError

Loc = tuple[str | int, ...]
Failure = dict[str, Any]
"""`loc`: names and indexes from the outside in; `msg`: what is wrong; `type`: its kind."""

MAX_ERRORS = 100
"""Nobody reads more, and a hostile body shall not make us write more."""


def errors_of(
    value: Any, type: Any, loc: Loc = (), *, strict: bool = True, depth: int = 64
) -> list[Failure]:
    """All errors of `value` as a `type`, at most MAX_ERRORS; [] when it fits.

    Args:
        value: made of dicts, lists and scalars, as a decoder without a type gives it.
        loc: where the value itself stands.
        strict: whether the text "1" is no number.
        depth: how far parts of parts are tried on their own; of what is deeper the first error
            is told.
    """
    walk = _Walk(strict, len(loc) + depth)
    try:
        # PERF: whoever asks has seen the whole fail, so its parts are tried first.
        if value.__class__ is dict and depth:
            walk.visit_parts(value, type, loc)
        if not walk.errors:
            walk.visit(value, type, loc)
    except (_Enough, RecursionError):
        pass
    return walk.errors


def errors_in(
    data: bytes,
    type: Any,
    error: msgspec.ValidationError,
    decode: Callable[[bytes], Any],
    *,
    strict: bool = True,
) -> list[Failure]:
    """All errors of a body that failed as a `type`.

    Args:
        error: what it failed with; all there is to tell of a body that is large, for a second
            look at 16 MiB would cost more than it helps.
        decode: reads the body as it is, without a type.
    """
    return errors_of_body(data, type, decode, strict=strict) or [failure_of(error, ("body",), type)]


def errors_of_body(
    data: bytes, type: Any, decode: Callable[[bytes], Any], *, strict: bool = True
) -> list[Failure]:
    """As `errors_in`; [] when the body fits, is broken, or is larger than MAX_BYTES."""
    if len(data) > MAX_BYTES:
        return []
    try:
        value = decode(data)
    except (ValueError, RecursionError, HTTPError):
        return []  # it is broken as well, behind the place where it does not fit
    depth = min(64, _MAX_WORK_BYTES // max(len(data), 1))
    return errors_of(value, type, ("body",), strict=strict, depth=depth)


def failure_of(
    error: msgspec.ValidationError | str,
    loc: Loc = (),
    type: Any = None,
    *,
    shows_value: bool = True,
) -> Failure:
    """The one error that msgspec names: "... - at `$.items[2].price`".

    Args:
        type: what did not fit, to tell what it may be where that is one of some values.
        shows_value: False for a secret, which msgspec repeats when it is none of an enum's values.
    """
    message, _, path = str(error).partition(" - at `")
    choices = _choices_told(message, path, type)
    found = failure(_place(loc, path), message if shows_value else message.partition(" '")[0])
    found["msg"] += choices  # behind a value of any length
    return found


def _place(loc: Loc, path: str) -> Loc:
    start = path.find("$")  # "key in `$.counts`" of the names of a dict
    if start < 0:
        return loc
    path = path[start + 1 :]
    steps = re.findall(r"\.([^.\[`]+)|\[(\d+|\.\.\.)\]", path)
    inner = (int(index) if index.isdecimal() else clipped(name or index) for name, index in steps)
    return (*loc, *inner)


def failure(loc: Loc, message: str, kind: str | None = None) -> Failure:
    """One entry of a problem's `errors`."""
    if len(message) > MAX_CHARS:
        message = clipped(message)
    return {"loc": [*loc], "msg": message, "type": kind or _kind_of(message)}


def clipped(text: str) -> str:
    """A name or a message that may repeat what a client wrote, at no greater length than helps."""
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - 1]}…"


MAX_CHARS = 200
"""Of one name or message: a hundred errors shall not repeat a name of 100 KB a hundred times."""


# By the words of msgspec's messages, the first that is found.
_KINDS = (
    (re.compile("missing required"), "missing"),
    (re.compile("unknown field"), "unknown_field"),
    (re.compile("of length|at most|at least"), "length"),
    (re.compile("matching regex"), "pattern"),
    (re.compile("enum value|Invalid value"), "choice"),
    (re.compile("`(?:int|float|decimal)` (?:[<>]|that's)|out of range"), "range"),
    (re.compile("Expected .*, got"), "type"),
)


@functools.lru_cache(maxsize=256)
def _kind_of(message: str) -> str:
    return next((kind for pattern, kind in _KINDS if pattern.search(message)), "value")


MAX_BYTES = 256 * 1024
"""Of a body that is walked for all its errors."""

# What is inside is tried again at each level: 256 KiB of small objects take some 20 ms for each.
_MAX_WORK_BYTES = 8 * MAX_BYTES


_SCALARS = frozenset((str, int, float, bool, type(None)))


class _Enough(Exception):
    """There are as many errors as anybody reads."""


class _Field(NamedTuple):
    """One field of a class. Attributes: single: a Struct of it alone, read from a list."""

    name: str
    type: Any
    required: bool
    single: Any = None


class _Walk:
    def __init__(self, strict: bool, deepest: int) -> None:
        self.errors: list[Failure] = []
        self._strict = strict
        self._deepest = deepest

    def visit(self, value: Any, type: Any, loc: Loc) -> None:
        """Note what is wrong with the value: of its parts, or, where they fit, of itself."""
        try:
            msgspec.convert(value, type, strict=self._strict, str_keys=True)
            return
        except msgspec.ValidationError as error:
            # PERF: its text, for its traceback holds this frame: a cycle for each error that
            # only the garbage collector would end.
            whole = str(error)
        if value.__class__ in _SCALARS and type is not msgspec.Raw:
            self._add(failure_of(whole, loc, type))  # PERF: there is nothing in it to visit
            return
        if bare(type) is msgspec.Raw:  # which takes anything, and is made by decoders alone
            return
        before = len(self.errors)
        if len(loc) < self._deepest:
            self.visit_parts(value, type, loc)
        if len(self.errors) == before:
            self._add(failure_of(whole, loc, type))

    def visit_parts(self, value: Any, type: Any, loc: Loc) -> None:
        """Note what is wrong with each part of the value, by the kind of its type."""
        type = bare(type)
        if _is_union(type):
            chosen = _choose(value, typing.get_args(type))
            if chosen is not None:
                self.visit_parts(value, chosen, loc)
        elif value.__class__ is dict or isinstance(value, Mapping):
            fields = fields_read(type)
            if fields is not None:
                self._visit_fields(value, type, fields, loc)
            elif (arguments := _arguments(type, dict, Mapping)) is not None:
                for key, item in value.items():
                    self.visit(item, arguments[-1], (*loc, clipped(str(key))))
        elif isinstance(value, (list, tuple)):
            for index, (item, kind) in enumerate(_elements(value, type)):
                self.visit(item, kind, (*loc, index))

    def _visit_fields(
        self, value: Mapping[Any, Any], type: Any, fields: list[_Field], loc: Loc
    ) -> None:
        for field in fields:
            if field.name in value:
                self._visit_field(value[field.name], field, loc)
            elif field.required:
                self._add(failure((*loc, field.name), "this is missing", "missing"))
        config = getattr(typing.get_origin(type) or type, "__struct_config__", None)
        if config is not None and config.forbid_unknown_fields:
            known = {field.name for field in fields} | {config.tag_field}
            for name in value:
                if name not in known:
                    self._add(
                        failure(
                            (*loc, clipped(name)), "nothing here has this name", "unknown_field"
                        )
                    )

    def _visit_field(self, value: Any, field: _Field, loc: Loc) -> None:
        if value.__class__ not in _SCALARS or field.type is msgspec.Raw:
            self.visit(value, field.type, (*loc, field.name))
            return
        # PERF: `visit` of what has no parts, in a third of its time: the type of `convert` is one
        # that msgspec has seen, where it looks at each note of `Annotated` anew.
        try:
            msgspec.convert((value,), field.single, strict=self._strict, str_keys=True)
        except msgspec.ValidationError as error:
            message = str(error).removesuffix(" - at `$[0]`")
            self._add(failure_of(message, (*loc, field.name), field.type))

    def _add(self, error: Failure) -> None:
        self.errors.append(error)
        if len(self.errors) >= MAX_ERRORS:
            raise _Enough


# What a value may be, where that is one of some...


MAX_CHOICES = 12
"""An enum of all currencies is no help in a message."""


def _choices_told(message: str, path: str, type: Any) -> str:
    """Such as "; it is one of 'cellar', 'hall'"; "" where there is no choice, or none is known."""
    if message.startswith("Invalid enum value"):
        keys = _arguments(bare(type), dict, Mapping) if path.startswith("key") else None
        found = _values_of(keys[0] if keys else type)
    elif message.startswith("Invalid value"):  # of the field that tells the members of a union
        found = _tags_of(type) if path.count(".") + path.count("[") == 1 else iter(())
    else:
        return ""
    choices = [repr(value) for value in itertools.islice(found, MAX_CHOICES + 1)]
    if len(choices) > MAX_CHOICES:
        choices[-1] = "…"
    return f"; it is one of {clipped(', '.join(choices))}" if choices else ""


def _values_of(type: Any, depth: int = 8) -> Iterator[Any]:
    """Of an enum or a Literal, or of lists and unions with them."""
    type = bare(type)
    if isinstance(type, EnumMeta):
        yield from (member.value for member in typing.cast("typing.Iterable[Any]", type))
    elif typing.get_origin(type) is typing.Literal:
        yield from (value for value in typing.get_args(type) if value is not None)
    elif depth:  # a list may be one of such lists, without end
        inner = typing.get_args(type) if _is_union(type) else _list_arguments(type) or ()
        for each in inner:
            yield from _values_of(each, depth - 1)


def _tags_of(type: Any) -> Iterator[Any]:
    type = bare(type)
    for member in typing.get_args(type) if _is_union(type) else (type,):
        tag = _tag(bare(member))[1]
        if tag is not None:
            yield tag


# Types taken apart...


def bare(type: Any) -> Any:
    """A type without the names and notes around it."""
    while True:
        origin = typing.get_origin(type)
        if origin is typing.Annotated:
            type = typing.get_args(type)[0]
        elif hasattr(type, "__supertype__"):
            type = type.__supertype__
        elif hasattr(type, "__value__"):  # the `type X = ...` of Python 3.12
            type = type.__value__
        else:
            return type


def _is_union(type: Any) -> bool:
    return typing.get_origin(type) in (typing.Union, types.UnionType)


def _arguments(type: Any, *origins: Any) -> tuple[Any, ...] | None:
    origin = typing.get_origin(type)
    is_one = isinstance(origin, _type) and issubclass(origin, origins)
    return (typing.get_args(type) or None) if is_one else None


def _list_arguments(type: Any) -> tuple[Any, ...] | None:
    """Of anything that is written as an array."""
    return None if _arguments(type, Mapping) else _arguments(type, Collection)


_type = type


def _elements(value: Iterable[Any], type: Any) -> Iterator[tuple[Any, Any]]:
    arguments = _list_arguments(type)
    if arguments is None:
        return
    if typing.get_origin(type) is tuple and arguments[-1:] != (...,):
        yield from zip(value, arguments, strict=False)
    else:
        for item in value:
            yield item, arguments[0]


@functools.lru_cache(maxsize=1024)
def fields_read(type: Any) -> list[_Field] | None:
    """The fields of a class that is read from an object; None for what is none."""
    fields = _read_fields(type)
    return fields and [field._replace(single=_single(field.type)) for field in fields]


def _single(type: Any) -> Any:
    return msgspec.defstruct("Single", [("value", type)], array_like=True)


def _read_fields(type: Any) -> list[_Field] | None:
    cls = typing.get_origin(type) or type
    if not isinstance(cls, _type):
        return None
    if issubclass(cls, msgspec.Struct):
        if cls.__struct_config__.array_like:
            return None
        return [
            _Field(field.encode_name, field.type, field.required)
            for field in msgspec.structs.fields(type)
        ]
    if dataclasses.is_dataclass(cls):
        hints = _hints(cls)
        return [
            _Field(
                field.name,
                hints[field.name],
                field.default is field.default_factory is dataclasses.MISSING,
            )
            for field in dataclasses.fields(cls)
            if field.init
        ]
    if hasattr(cls, "__attrs_attrs__"):
        hints = _hints(cls)
        return [
            _Field(field.name, hints.get(field.name, Any), _is_required(field))
            for field in cls.__attrs_attrs__
            if field.init
        ]
    if typing.is_typeddict(cls):
        required: frozenset[str] = vars(cls)["__required_keys__"]
        return [_key(name, hint, name in required) for name, hint in _hints(cls).items()]
    return None


def _key(name: str, hint: Any, required: bool) -> _Field:
    """One key of a TypedDict. Its class does not know which are required if its hints were text."""
    origin = typing.get_origin(hint)
    if origin is typing.Required or origin is typing.NotRequired:
        return _Field(name, typing.get_args(hint)[0], origin is typing.Required)
    return _Field(name, hint, required)


def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _is_required(attribute: Any) -> bool:
    return type(attribute.default).__name__ in ("_Nothing", "NothingType")


def _choose(value: Any, members: tuple[Any, ...]) -> Any:
    """The member of a union that the value was probably meant for; None when that is not clear."""
    if isinstance(value, Mapping):
        fitting = [m for m in members if fields_read(bare(m)) or _arguments(bare(m), dict)]
        tagged = [m for m in fitting if _tag(bare(m))[0] is not None]
        if tagged:
            tags = (_tag(bare(m)) for m in tagged)
            named = [value.get(field) == tag for field, tag in tags]
            fitting = [m for m, is_named in zip(tagged, named, strict=True) if is_named]
    elif isinstance(value, list):
        fitting = [m for m in members if _list_arguments(bare(m))]
    else:
        return None
    return bare(fitting[0]) if len(fitting) == 1 else None


def _tag(type: Any) -> tuple[str | None, Any]:
    config = getattr(typing.get_origin(type) or type, "__struct_config__", None)
    return (None, None) if config is None else (config.tag_field, config.tag)
