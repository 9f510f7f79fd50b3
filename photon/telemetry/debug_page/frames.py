"""Frames of a stack: whose they are, and the lines around where they stand."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

from photon.runtime.source import shown_path
from photon.runtime.whereabouts import is_users

AROUND = 5
"""Lines shown above and below the one in question."""

_LONGEST_FUNCTION = 200
_LONGEST_LINE = 240
_FIRST, _LAST = 20, 40

_GENERATED = ("<endpoint of ", "<photon ", "<frozen importlib")
HOUSE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) + os.sep


class Line(NamedTuple):
    """A line of source. Args: is_near: it is shown without asking for the whole function."""

    number: int
    text: str
    is_near: bool


class Frame(NamedTuple):
    """A frame as the page shows it.

    Args:
        path: as one reads it; file: as the system knows it.
        whose: "yours", "photon", or "library".
        lines: of the function, or around the line; empty without source.
        marked: from where to where on its line, in characters; None for all of it.
        variables: what it holds, by name, for those who look at values.
    """

    file: str
    path: str
    line: int
    function: str
    whose: str
    lines: list[Line]
    marked: tuple[int, int] | None
    variables: dict[str, Any]

    @property
    def text(self) -> str:
        """The line itself."""
        return next((line.text.strip() for line in self.lines if line.number == self.line), "")

    @property
    def place(self) -> str:
        return f"{self.path}:{self.line}"


def frames_of(traceback: TracebackType | None) -> tuple[list[Frame], int]:
    """The frames of a traceback, the outermost first, and how many in its middle are left out."""
    entries = list(_entries(traceback))
    left_out = max(0, len(entries) - _FIRST - _LAST)
    if left_out:
        entries = entries[:_FIRST] + entries[-_LAST:]
    return [_frame(frame, line, instruction) for frame, line, instruction in entries], left_out


def _entries(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int, int]]:
    while traceback is not None:
        frame = traceback.tb_frame
        line = traceback.tb_lineno or frame.f_code.co_firstlineno
        if not frame.f_code.co_filename.startswith(_GENERATED[2]):
            yield frame, line, traceback.tb_lasti
        traceback = traceback.tb_next


def _frame(frame: FrameType, line: int, instruction: int) -> Frame:
    code = frame.f_code
    whose = whose_is(code)
    last, columns = _columns(code, line, instruction)
    near = (line - AROUND, max(line, min(last, line + AROUND)) + AROUND)
    span = _span(code, line) if whose == "yours" else near
    source = linecache.getlines(code.co_filename, frame.f_globals)
    marked = _in_characters(source, line, columns)
    return Frame(
        code.co_filename,
        shown_path(code.co_filename),
        line,
        getattr(code, "co_qualname", code.co_name),
        whose,
        _lines(source, span, near),
        marked,
        _variables(frame) if whose == "yours" else {},
    )


def whose_is(code: CodeType) -> str:
    """Whose code it is: "yours", "photon" or "library"."""
    if code.co_filename.startswith((HOUSE, *_GENERATED)):
        return "photon"
    return "yours" if is_users(code) else "library"


def excerpt(file: str, line: int) -> list[Line]:
    """The lines around one of a file."""
    near = (line - AROUND, line + AROUND)
    return _lines(linecache.getlines(file), near, near)


def _lines(source: list[str], span: tuple[int, int], near: tuple[int, int]) -> list[Line]:
    first = max(1, min(span[0], near[0]))
    end = min(len(source), max(span[1], near[1]))
    return [
        Line(number, source[number - 1].rstrip()[:_LONGEST_LINE], near[0] <= number <= near[1])
        for number in range(first, end + 1)
    ]


def _span(code: CodeType, line: int) -> tuple[int, int]:
    """The lines of a function, if they are not too many; no others of a module."""
    if code.co_name == "<module>":
        return line, line
    first = code.co_firstlineno
    last = max((at for _, _, at in code.co_lines() if at is not None), default=line)
    return (first, last) if last - first < _LONGEST_FUNCTION else (line, line)


def _columns(code: CodeType, line: int, instruction: int) -> tuple[int, tuple[int, int] | None]:
    """The last line of what is being done, and where on its line that stands, in bytes."""
    if instruction < 0:
        return line, None
    for number, position in enumerate(code.co_positions()):
        if number == instruction // 2:
            start_line, end_line, start, end = position
            if start_line != line or start is None or end is None or end_line is None:
                return line, None
            return end_line, (start, end) if end_line == line else None
    return line, None


def _in_characters(
    source: list[str], line: int, columns: tuple[int, int] | None
) -> tuple[int, int] | None:
    """What Python counts in bytes of UTF-8, in characters; None when it is the whole line."""
    if columns is None or not 1 <= line <= len(source):
        return None
    text = source[line - 1].rstrip()
    data = text.encode("utf-8", "replace")
    start = len(data[: columns[0]].decode("utf-8", "replace"))
    end = len(data[: columns[1]].decode("utf-8", "replace"))
    if text[:start].strip() == "" and text[end:].strip() == "":
        return None
    return start, end


def _variables(frame: FrameType) -> dict[str, Any]:
    found = {name: value for name, value in frame.f_locals.items() if not _is_hidden(name)}
    if frame.f_code.co_name == "<module>":  # where all that is defined would be listed
        used = set(frame.f_code.co_names)
        found = {n: v for n, v in found.items() if n in used and not _is_definition(v)}
    return found


def _is_hidden(name: str) -> bool:
    return name.startswith(("__", "@", "."))


def _is_definition(value: Any) -> bool:
    return isinstance(value, type) or type(value).__name__ in (
        "module",
        "function",
        "builtin_function_or_method",
    )
