"""Where a greenlet waits: the line of the user's code, and the one it got to from there."""

from __future__ import annotations

import os
import sys
from functools import cache
from types import CodeType
from typing import Any

from photon.runtime.source import shown_path

Spot = tuple[Any, int]
"""Code, and the line in it."""


def is_users(code: CodeType) -> bool:
    """Whether it is the user's own, and not that of Photon or of a library."""
    return is_users_file(code.co_filename)


def is_users_file(name: str) -> bool:
    """The same by the name of the file that the code is from."""
    return not name.startswith(_not_users())


@cache
def _not_users() -> tuple[str, ...]:
    """What the names of all other files begin with."""
    import sysconfig  # PERF: it and its paths take 2.5 ms, and most processes never ask

    return (
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
        *{
            os.path.abspath(folder) + os.sep
            for kind in ("stdlib", "platstdlib", "purelib", "platlib")
            if (folder := sysconfig.get_path(kind))
        },
        "<",  # generated: endpoints, and what importlib is made of
    )


def spot_of(greenlet: Any) -> Spot | None:
    """The innermost line of the user's own code that a parked greenlet is in.

    Returns: code and line; of the innermost frame if none of it is the user's; None if it has none.
    """
    return spot_in(greenlet.gr_frame)


def spot_in(innermost: Any) -> Spot | None:
    """The same for the frames around `innermost`."""
    frame = innermost
    while frame is not None:
        if is_users(frame.f_code):
            return frame.f_code, frame.f_lineno
        frame = frame.f_back
    return None if innermost is None else (innermost.f_code, innermost.f_lineno)


def told(spot: Spot | None) -> str:
    """Such as "shop/items.py:12 in page"; "" for nowhere."""
    if spot is None:
        return ""
    code, line = spot
    return f"{shown_path(code.co_filename)}:{line} in {code.co_name}"


def where(greenlet: Any) -> str:
    """Where a parked greenlet waits, in the user's code and below: for logs and dumps.

    Such as "shop/items.py:12 in page (psycopg/waiting.py:80 in wait)"; "" when it does not wait.
    """
    return where_in(greenlet.gr_frame)


def where_in(frame: Any) -> str:
    """The same for a frame and those around it."""
    spot = spot_in(frame)
    if spot is None:
        return ""
    while frame is not None and frame.f_code.co_filename.startswith(_HUB):
        frame = frame.f_back
    if frame is None or frame.f_code is spot[0]:
        return told(spot)
    return f"{told(spot)} ({told((frame.f_code, frame.f_lineno))})"


# What all waiting has in common says nothing.
_HUB = tuple(
    os.path.dirname(module.__file__) + os.sep
    for name in ("gevent", "greenlet")
    if (module := sys.modules.get(name)) is not None and module.__file__
)
