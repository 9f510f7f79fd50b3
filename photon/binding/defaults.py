"""Defaults of parameters, anew for each request where a handler could change them."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

_CONTAINERS = (list, dict, set, bytearray)


def maker_of(default: Any) -> Callable[[], Any] | None:
    """What makes a copy of a default; None for one that nobody can change.

    Objects that nobody knows stay what they are: they may be marks, compared by `is`.
    """
    return partial(copy.deepcopy, default) if _is_changeable(default) else None


def _is_changeable(value: Any) -> bool:
    if isinstance(value, msgspec.Struct):
        return not value.__struct_config__.frozen
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return not value.__dataclass_params__.frozen  # type: ignore[attr-defined]  # typeshed's gap
    if isinstance(value, tuple):
        return any(map(_is_changeable, value))
    return isinstance(value, _CONTAINERS)
