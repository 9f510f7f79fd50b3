"""Where in the user's source something is, for messages that lead there."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import partial
from types import CodeType, GeneratorType
from typing import Any


def place_of(fn: Callable[..., Any] | GeneratorType[Any, Any, Any]) -> str:
    """Such as "shop/items.py:12", of a generator that of its function; "?" without source."""
    if isinstance(fn, GeneratorType):
        return _place_in(fn.gi_code)
    fn = inspect.unwrap(fn)
    while isinstance(fn, partial):
        fn = inspect.unwrap(fn.func)
    code = getattr(fn, "__code__", None) or getattr(type(fn).__call__, "__code__", None)
    return "?" if code is None else _place_in(code)


def shown_path(path: str) -> str:
    """A path as one reads it: seen from the working directory, if it is below that."""
    try:
        seen = os.path.relpath(path)
    except (OSError, ValueError):  # the working directory is gone, or is on another drive
        return path
    return path if seen.startswith("..") else seen


def _place_in(code: CodeType) -> str:
    return f"{shown_path(code.co_filename)}:{code.co_firstlineno}"
