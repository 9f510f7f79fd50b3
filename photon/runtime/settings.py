"""`Settings`: what operators and users set, checked when it is made.

msgspec checks a Struct that it decodes, and none that is made by a call. A wrong setting should be
told where it was written, not by what fails of it an hour later.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args, get_origin

import msgspec
from msgspec import Struct, StructMeta

from photon.runtime.hints import meant


class _Named(StructMeta):
    """Answers keywords that there are not with those that were meant."""

    if not TYPE_CHECKING:  # a checker knows the keywords

        def __call__(cls, *args: Any, **given: Any) -> Any:
            if args:
                first = f"{cls.__name__}({cls.__struct_fields__[0]}=...)"
                raise TypeError(f"{cls.__name__} takes its settings by name: {first}")
            for name in given:
                if name not in cls.__struct_fields__:
                    hint = meant(name, cls.__struct_fields__, cls.elsewhere)
                    raise TypeError(f"{cls.__name__} has no setting {name!r}{hint}")
            return super().__call__(**given)


class Settings(Struct, frozen=True, kw_only=True, metaclass=_Named):
    """The base of settings: fields with a default each, and what they may be as `msgspec.Meta`.

    Attributes: elsewhere: keywords of other frameworks, see `hints.meant`.
    Raises, when one is made: TypeError, ValueError, which say what the setting is.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        # PERF: only what was given: to read the types takes 0.1 ms, and to import shall not.
        fields, defaults = self.__struct_fields__, self.__struct_defaults__
        changed = {
            name
            for name, default in zip(fields[::-1], defaults[::-1], strict=False)
            if getattr(self, name) is not default
        }
        if changed:
            for field in msgspec.structs.fields(type(self)):
                if field.name in changed:
                    _check(self, field)


def _check(settings: Settings, field: msgspec.structs.FieldInfo) -> None:
    value = getattr(settings, field.name)
    try:
        msgspec.convert(value, field.type)
        if value == value:
            return
        fault, wanted = ValueError, "a number"  # a NaN is less than no limit
    except msgspec.ValidationError as error:
        fault = TypeError if ", got" in str(error) else ValueError  # type: ignore[assignment]
        wanted = _spoken(str(error), field.type)
    what = _description(field.type)
    told = f": {what}; it is {wanted}" if what else f": it is {wanted}"
    raise fault(f"{type(settings).__name__}({field.name}={value!r}){told}") from None


_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "True or False",
    "null": "None",
    "array": "a list",
}


def _spoken(message: str, type_: Any) -> str:
    """What msgspec expected in words: "a whole number >= 1" for "Expected `int` >= 1"."""
    if choices := _choices_in(type_):
        return f"one of {choices}"
    wanted = message.removeprefix("Expected ").partition(", got")[0]
    kinds, _, limit = wanted.lstrip("`").partition("`")
    words = (_WORDS.get(kind) or _class_in(type_) for kind in kinds.split(" | "))
    return " or ".join(words) + re.sub(r"\.0$", "", limit)


def _choices_in(type_: Any) -> str:
    """Those of a Literal, as they are written; "" for another type."""
    bare = get_args(type_)[0] if get_origin(type_) is Annotated else type_
    return ", ".join(map(repr, get_args(bare))) if get_origin(bare) is Literal else ""


def _class_in(type_: Any) -> str:
    """The Struct that a setting is, or may be."""
    members = getattr(type_, "__args__", (type_,))
    names = [each.__name__ for each in members if isinstance(each, StructMeta)]
    return " or ".join(f"a {name}(...)" for name in names) or "something else"


def _description(type_: Any) -> str:
    notes = getattr(type_, "__metadata__", ())
    return next((note.description for note in notes if getattr(note, "description", None)), "")
