"""Markers as other frameworks write them, and how they are written here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import StructMeta

from photon.runtime.hints import meant

_BEHIND = "it stands behind the equals sign: `name: Annotated[int, {}()] = 5`"

_ELSEWHERE = {
    "convert_underscores": "a header's name has `-` for `_`; for another one give alias='...'",
    "dependency": "provider",
    "example": "examples=[...]",
    "gte": "ge",
    "json_schema_extra": "give the route openapi={...}",
    "lte": "le",
    "max": "le",
    "max_items": "max_length",
    "min": "ge",
    "min_items": "min_length",
    "openapi_examples": "examples=[...]",
    "regex": "pattern",
    "strict": "it is said of a route, strict=...",
    "use_cache": "cached",
    "validation_alias": "alias",
}


class Explained(StructMeta):
    """The class of markers: a call that they do not take is answered with the one they do."""

    if not TYPE_CHECKING:  # a checker goes by the fields

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                return super().__call__(*args, **kwargs)
            except TypeError as error:
                raise TypeError(_explained(cls, args, kwargs) or str(error)) from None


def _explained(cls: StructMeta, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    """What is wrong with a call; "" when nobody knows."""
    name, fields = cls.__name__, cls.__struct_fields__
    is_of_a_value = "alias" in fields
    if is_of_a_value and args and args[0] is ...:
        return f"{name}(...): what has no default must be given anyway: write {name}()"
    if is_of_a_value and (args or "default" in kwargs):
        return f"{name} takes no default: {_BEHIND.format(name)}"
    unknown = [given for given in kwargs if given not in fields]
    if not unknown:
        return f"{name} takes {', '.join(fields)}" if args else ""
    if unknown[0] == "default_factory":
        return f"{name} takes no default_factory, and [] is copied: {_BEHIND.format(name)}"
    return f"{name} has no {unknown[0]!r}{meant(unknown[0], fields, _ELSEWHERE)}"
