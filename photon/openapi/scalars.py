"""JSON Schemas of what has no parts: numbers, texts, moments, choices.

A schema says what Photon takes and sends, which is what msgspec reads and writes; where JSON
Schema has no word for it, the word that most tools know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import cleandoc
from typing import Any

from msgspec import inspect as kinds

Schema = dict[str, Any]

_TYPE_NAMES = {str: "string", int: "integer", bool: "boolean", float: "number", type(None): "null"}

# Decimals are read from both, and written as numbers.
_DECIMAL = {
    "type": ["number", "string"],
    "format": "decimal",
    "pattern": r"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,4})?$",
}


def scalar(kind: kinds.Type) -> Schema | None:
    """The schema of a kind without parts; None for one of another kind."""
    writer = _WRITERS.get(type(kind))
    return writer(kind) if writer is not None else None


def choice(values: Iterable[Any]) -> Schema:
    """One of these values."""
    values = list(values)
    types = sorted({_TYPE_NAMES[type(value)] for value in values})
    return {"type": types[0] if len(types) == 1 else types, "enum": values}


def doc_of(cls: type) -> str:
    """What a class says about itself; "" for nothing, or what Python says for it."""
    doc = vars(cls).get("__doc__") or ""
    # Dataclasses and named tuples without a docstring get their signature as one.
    return "" if doc.startswith(f"{cls.__name__}(") and doc.endswith(")") else cleandoc(doc)


def _number(type_name: str) -> Callable[[Any], Schema]:
    limits = (
        ("ge", "minimum"),
        ("gt", "exclusiveMinimum"),
        ("le", "maximum"),
        ("lt", "exclusiveMaximum"),
        ("multiple_of", "multipleOf"),
    )
    return lambda kind: {"type": type_name, **_given(kind, limits)}


def _string(kind: kinds.StrType) -> Schema:
    limits = (("min_length", "minLength"), ("max_length", "maxLength"), ("pattern", "pattern"))
    return {"type": "string", **_given(kind, limits)}


def _bytes(kind: Any) -> Schema:
    schema: Schema = {"type": "string", "format": "byte", "contentEncoding": "base64"}
    for ours, theirs in (("min_length", "minLength"), ("max_length", "maxLength")):
        if (length := getattr(kind, ours)) is not None:
            schema[theirs] = 4 * ((length + 2) // 3)
    return schema


def _datetime(kind: kinds.DateTimeType) -> Schema:
    return {"type": "string", "format": "date-time-local" if kind.tz is False else "date-time"}


def _time(kind: kinds.TimeType) -> Schema:
    return {"type": "string", "format": "time-local" if kind.tz is False else "time"}


def _enum(kind: kinds.EnumType) -> Schema:
    doc = doc_of(kind.cls)
    about = {"title": kind.cls.__name__, **({"description": doc} if doc else {})}
    return {**about, **choice(member.value for member in kind.cls)}


def _given(kind: Any, names: Iterable[tuple[str, str]]) -> Schema:
    pairs = ((theirs, getattr(kind, ours)) for ours, theirs in names)
    return {name: value for name, value in pairs if value is not None}


def _always(**schema: Any) -> Callable[[Any], Schema]:
    return lambda kind: dict(schema)


_WRITERS: dict[type, Callable[[Any], Schema]] = {
    kinds.AnyType: _always(),
    kinds.RawType: _always(),
    kinds.NoneType: _always(type="null"),
    kinds.BoolType: _always(type="boolean"),
    kinds.IntType: _number("integer"),
    kinds.FloatType: _number("number"),
    kinds.StrType: _string,
    kinds.BytesType: _bytes,
    kinds.ByteArrayType: _bytes,
    kinds.MemoryViewType: _bytes,
    kinds.DateTimeType: _datetime,
    kinds.TimeType: _time,
    kinds.DateType: _always(type="string", format="date"),
    kinds.TimeDeltaType: _always(type="string", format="duration"),
    kinds.UUIDType: _always(type="string", format="uuid"),
    kinds.DecimalType: _always(**_DECIMAL),
    kinds.LiteralType: lambda kind: choice(kind.values),
    kinds.EnumType: _enum,
}
