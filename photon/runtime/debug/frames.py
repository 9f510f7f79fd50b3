"""Frames of greenlets as people read them, fast enough for ten thousand of them.

What is asked of a frame is remembered by the name of its file: a code object's hash is made anew
each time, from all that is in it.
"""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import gevent

from photon.runtime.source import shown_path
from photon.runtime.whereabouts import is_users_file

_MOST_FILES = 10_000
_STDLIB = os.path.dirname(os.__file__).replace("\\", "/")

# What all waiting has in common; what it waits for is told better than by these.
_SAYS_NOTHING = (
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep,
    os.path.dirname(os.path.abspath(gevent.__file__)) + os.sep,
)

# By file name: as it is shown, the two last parts of it, and whether it is the user's.
_files: dict[str, tuple[str, str, bool]] = {}


def file_of(code: CodeType) -> tuple[str, str, bool]:
    """The file of some code: as one reads it, the end of its path, whether it is the user's own.

    The end of a path is the folder and the file, "runtime/parking.py"; the file alone where it is a
    module of the standard library, "threading.py".
    """
    name = code.co_filename
    known = _files.get(name)
    if known is None:
        if len(_files) > _MOST_FILES:  # templates and the like make up names
            _files.clear()
        folder, _, file = name.replace("\\", "/").rpartition("/")
        end = file if folder == _STDLIB else f"{folder.rpartition('/')[2]}/{file}"
        known = _files[name] = shown_path(name), end, is_users_file(name)
    return known


def around(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, its caller, and so on."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def spot(frame: FrameType) -> str:
    """Such as "shop/items.py:12 in page"."""
    code = frame.f_code
    return f"{file_of(code)[0]}:{frame.f_lineno} in {code.co_name}"


def users_frame(frame: FrameType | None) -> FrameType | None:
    """The innermost frame of the user's own code; None if there is none."""
    while frame is not None:
        if file_of(frame.f_code)[2]:
            return frame
        frame = frame.f_back
    return None


def place_of(frame: FrameType | None) -> str:
    """Where a greenlet is: the user's line, and the one it got to from there.

    Such as "shop.py:12 in page (psycopg/waiting.py:80 in wait)"; "" for nowhere.
    """
    inner: FrameType | None = frame
    while inner is not None and inner.f_code.co_filename.startswith(_SAYS_NOTHING):
        inner = inner.f_back
    inner = inner or frame
    users = users_frame(frame)
    if users is None:
        return "" if inner is None else spot(inner)
    return spot(users) if inner is users or inner is None else f"{spot(users)} ({spot(inner)})"


def stack_of(frame: FrameType | None, most: int = 100) -> list[str]:
    """All frames, the innermost first: "shop.py:12 in page"."""
    lines: list[str] = []
    for each in around(frame):
        if len(lines) == most:
            lines.append("... and those around them")
            break
        lines.append(spot(each))
    return lines


def source_line(frame: FrameType) -> str:
    """The line that a frame is at, as it is written; "" when nobody has it. May read a file."""
    return linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals).strip()


def local(frame: FrameType | None, file_end: str, function: str, name: str) -> Any:
    """A local variable of the innermost frame of a function; None if that is not there.

    For functions of ours only: up to Python 3.12 whoever asks a frame for its locals leaves a copy
    of them there, which lives as long as the frame.
    """
    for each in around(frame):
        code = each.f_code
        if code.co_name == function and file_of(code)[1] == file_end:
            return each.f_locals.get(name)
    return None
