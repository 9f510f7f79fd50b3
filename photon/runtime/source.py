"""Where in the user's source something is, for messages that lead there."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any


def place_of(fn: Callable[..., Any]) -> str:
    """Such as "shop/items.py:12"; "?" for what has no source."""
    fn = inspect.unwrap(fn)
    code = getattr(fn, "__code__", None) or getattr(type(fn).__call__, "__code__", None)
    if code is None:
        return "?"
    path = os.path.relpath(code.co_filename)
    return f"{code.co_filename if path.startswith('..') else path}:{code.co_firstlineno}"
