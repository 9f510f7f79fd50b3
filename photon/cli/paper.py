"""Text on standard output: as wide as the terminal, plain where there is none."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Sequence

import click

_LEAST_COLUMNS = 40

# For terminals that know ASCII alone.
_ASCII = str.maketrans(
    {"├": "|", "└": "`", "│": "|", "─": "-", "…": "...", "→": "->", "·": "-", "✗": "x"}
)


def columns_there() -> int | None:
    """How many characters a line may have; None for any, as for what is piped to a file.

    The variable COLUMNS says it for both.
    """
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS", "").isdecimal():
        return None
    return max(shutil.get_terminal_size().columns, _LEAST_COLUMNS)


def has_colours() -> bool:
    """Whether text may be bold and dim. Nothing is said by that alone."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def bold(text: str) -> str:
    return click.style(text, bold=True) if has_colours() else text


def dim(text: str) -> str:
    return click.style(text, dim=True) if has_colours() else text


def say(lines: Iterable[str]) -> None:
    """Print lines, in characters that the terminal has."""
    text = "\n".join(lines)
    encoding = sys.stdout.encoding or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_ASCII).encode(encoding, "backslashreplace").decode(encoding)
    click.echo(text)


def printable(text: str) -> str:
    """A text in which nothing controls a terminal."""
    return "".join(
        c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode()
        for c in text.encode("utf-8", "backslashreplace").decode()
    )


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells, as lines whose columns are as wide as their widest cell."""
    widths = widths_of(rows)
    return [
        "  ".join(f"{cell:<{widths[i]}}" for i, cell in enumerate(row)).rstrip() for row in rows
    ]


def widths_of(rows: Iterable[Sequence[str]]) -> list[int]:
    """The width of each column."""
    widths: list[int] = []
    for row in rows:
        widths += [0] * (len(row) - len(widths))
        for i, cell in enumerate(row):
            widths[i] = max(widths[i], len(cell))
    return widths
