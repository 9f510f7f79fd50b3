"""Tracebacks that begin where the user's code does."""

from __future__ import annotations

import contextlib
import importlib
import os
from traceback import FrameSummary, StackSummary, TracebackException

import photon

_HOUSE = os.path.dirname(os.path.abspath(photon.__file__)) + os.sep
# What stands between Photon and the user's code: importing a module, entering a lifespan, and
# the functions that are compiled for a route and for all routes.
_MACHINERY = (
    "<frozen importlib",
    importlib.__file__,
    contextlib.__file__,
    "<endpoint of ",
    "<photon ",
)


def users_traceback(error: BaseException, *, tools: tuple[str, ...] = ()) -> str:
    """The traceback of `error` without the frames of Photon and of what it calls users by.

    When nothing of the user's is left, as for a fault in Photon itself, it is the whole one.

    Args: tools: folders whose frames are left out too.
    Returns: lines that end with a newline each.
    """
    told = TracebackException.from_exception(error)
    hidden = (_HOUSE, *(tool + os.sep for tool in tools))
    if isinstance(error, SyntaxError) or any(not _is_hidden(f, hidden) for f in told.stack):
        _trim(told, hidden)
    return "".join(told.format())


def _trim(told: TracebackException, hidden: tuple[str, ...]) -> None:
    left, seen = [told], set[int]()  # no recursion: a chain of exceptions may be of any length
    while left:
        told = left.pop()
        seen.add(id(told))
        kept = [frame for frame in told.stack if not _is_hidden(frame, hidden)]
        # None, not an empty list, leaves the headline out too: a SyntaxError shows its place.
        told.stack = StackSummary.from_list(kept) if kept else None  # type: ignore[assignment]
        others = (told.__cause__, told.__context__, *(getattr(told, "exceptions", None) or ()))
        left.extend(other for other in others if other is not None and id(other) not in seen)


def _is_hidden(frame: FrameSummary, hidden: tuple[str, ...]) -> bool:
    name = frame.filename
    return name.startswith((*_MACHINERY, *hidden))
