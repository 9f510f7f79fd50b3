"""Where in the user's code something waits, was stopped, or was asked for."""

from __future__ import annotations

import os
import sys
import sysconfig
from types import FrameType

import photon

_OTHERS = tuple(
    os.path.abspath(folder) + os.sep
    for folder in {
        os.path.dirname(photon.__file__),
        *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
    }
)


def stopped_at(error: BaseException) -> str:
    """Where the user's code was when `error` was raised, such as "shop.py:12 in sweep".

    The place in a library, when nothing of the user's is on the way to it.
    """
    frames = []
    traceback = error.__traceback__
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return _last_of_users(frames)


def waits_at(frame: FrameType | None) -> str:
    """Where the user's code stands in a stack whose innermost frame is `frame`."""
    frames = []
    while frame is not None:
        frames.append((frame, frame.f_lineno))
        frame = frame.f_back
    return _last_of_users(frames[::-1])


class Place:
    """A line of the user's code; written out only when somebody reads it."""

    __slots__ = ("_file", "_line")

    def __init__(self, file: str, line: int) -> None:
        self._file = file
        self._line = line

    def __repr__(self) -> str:
        return f"{_shown(self._file)}:{self._line}"


def caller(depth: int) -> Place:
    """Where the function so many calls above this one's caller stands."""
    frame = sys._getframe(depth + 1)
    return Place(frame.f_code.co_filename, frame.f_lineno)


def _last_of_users(frames: list[tuple[FrameType, int]]) -> str:
    if not frames:
        return "?"
    users = [each for each in frames if not each[0].f_code.co_filename.startswith(_OTHERS)]
    frame, line = (users or frames)[-1]
    return f"{_shown(frame.f_code.co_filename)}:{line} in {frame.f_code.co_name}"


def _shown(path: str) -> str:
    try:
        relative = os.path.relpath(path)
    except (OSError, ValueError):  # the working directory is gone, or is on another drive
        return path
    return path if relative.startswith("..") else relative
