"""Which part of a value cannot be sent: looked for when it is known that one cannot."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

_DEEPEST = 20
_MOST_TRIES = 10_000  # some milliseconds, in which nobody else gets in


class Culprit(NamedTuple):
    """What cannot be sent. Attributes: place: such as "['items'][3].price"; "" for all of it."""

    value: Any
    place: str


def culprit_in(value: Any, encode: Callable[[Any], object]) -> Culprit:
    """The innermost part of `value` that cannot be encoded, as far as it was looked for.

    Args: encode: raises for what it cannot encode, as it did for `value`.
    """
    found, tries = Culprit(value, ""), 0
    for _ in range(_DEEPEST):
        for place, part in _parts(found.value):
            tries += 1
            if tries > _MOST_TRIES:
                return found
            if not _is_fine(part, encode):
                found = Culprit(part, found.place + place)
                break
        else:
            return found
    return found


def _is_fine(value: Any, encode: Callable[[Any], object]) -> bool:
    try:
        encode(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return False
    return True


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a value is made of, each with the way there."""
    if isinstance(value, Mapping):
        yield from ((f"[{key!r:.60}]", part) for key, part in value.items())
    elif isinstance(value, (list, tuple)):
        yield from ((f"[{index}]", part) for index, part in enumerate(value))
    elif isinstance(value, msgspec.Struct):
        yield from ((f".{name}", getattr(value, name)) for name in value.__struct_fields__)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        yield from ((f".{name}", getattr(value, name)) for name in names if hasattr(value, name))
