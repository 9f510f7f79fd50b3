"""The lines on which the keys of a TOML file stand, for messages and origins.

`tomllib` tells none. But a text that is TOML is a series of statements, each of which is TOML when
it stands alone: so each is read alone, and tells its keys itself. No second parser is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]


def lines_of(text: str) -> dict[Path, int]:
    """The line, from 1, of each key and table: the first that names it.

    Args: text: one that `tomllib.loads` takes.
    """
    import tomllib

    found: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        if statement.lstrip().startswith("["):
            (table,) = _leaves(tomllib.loads(statement))
            paths = [table]
        else:
            paths = [table + path for path in _leaves(tomllib.loads(statement))]
        for path in paths:
            for length in range(1, len(path) + 1):
                found.setdefault(path[:length], line)
    return found


def leaves_of(table: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Path and value of each key that is no table; of an empty table, too."""
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            for path, inner in leaves_of(value):
                yield (key, *path), inner
        else:
            yield (key,), value


def _leaves(table: Mapping[str, Any]) -> Iterator[Path]:
    for path, _ in leaves_of(table):
        yield path


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Line and text of each; those of several lines are texts and lists."""
    import tomllib

    statement, first = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        if not statement:
            first = number
        statement += f"{line}\n"
        try:
            is_whole = bool(tomllib.loads(statement)) or not statement.strip(" \t\r\n")
        except tomllib.TOMLDecodeError:
            continue
        if is_whole:
            if statement.strip():
                yield first, statement
            statement = ""
        elif statement.lstrip().startswith("#"):  # a comment: nothing was said
            statement = ""
