"""Default values as JSON, where JSON has them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec


def json_default(value: Any) -> Any:
    """A default as a value of JSON; UNSET for one that JSON cannot hold.

    Decimals are numbers, as Photon sends them.
    """
    try:
        plain = msgspec.json.decode(_encode(value))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return msgspec.UNSET
    # JSON has no infinity and no NaN; msgspec writes null for both.
    if any(isinstance(part, float) and not math.isfinite(part) for part in _parts(value)):
        return msgspec.UNSET
    return plain


_encode = msgspec.json.Encoder(decimal_format="number").encode


def _parts(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple, set, frozenset)):
        return
    for part in value:
        yield from _parts(part)
