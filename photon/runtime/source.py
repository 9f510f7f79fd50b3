"""Where in the user's source something is, for messages that lead there."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from functools import partial
from typing import Any


def place_of(fn: Callable[..., Any]) -> str:
    """Such as "shop/items.py:12"; "?" for what has no source."""
    fn = inspect.unwrap(fn)
    while isinstance(fn, partial):
        fn = inspect.unwrap(fn.func)
    code = getattr(fn, "__code__", None) or getattr(type(fn).__call__, "__code__", None)
    if code is None:
        return "?"
    try:
        path = os.path.relpath(code.co_filename)
    except (OSError, ValueError):  # the working directory is gone, or is on another drive
        path = ".."
    return f"{code.co_filename if path.startswith('..') else path}:{code.co_firstlineno}"
