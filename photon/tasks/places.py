"""Where in the user's code something was stopped, or was asked for."""

from __future__ import annotations

import sys

from photon.runtime.source import shown_path
from photon.runtime.whereabouts import is_users, told


def stopped_at(error: BaseException) -> str:
    """Where the user's code was when `error` was raised, such as "shop.py:12 in sweep".

    The place in a library, when nothing of the user's is on the way to it; "?" without a traceback.
    """
    users = last = None
    traceback = error.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        last = (code, traceback.tb_lineno)
        if is_users(code):
            users = last
        traceback = traceback.tb_next
    return told(users or last) or "?"


class Place:
    """A line of the user's code; written out only when somebody reads it."""

    __slots__ = ("_file", "_line")

    def __init__(self, file: str, line: int) -> None:
        self._file = file
        self._line = line

    def __repr__(self) -> str:
        return f"{shown_path(self._file)}:{self._line}"


def caller(depth: int) -> Place:
    """Where the function so many calls above this one's caller stands."""
    frame = sys._getframe(depth + 1)
    return Place(frame.f_code.co_filename, frame.f_lineno)
