"""`.env`: variables for the application and for Photon, put where the environment has none.

What the application reads of `os.environ` is what Photon reads, so the values are put there, before
the application is imported. A process that goes on as another program (an upgrade, `photon check`)
would take them for its environment, and hold on to them when the file changes; so the names are
left in a variable of ours, and taken out again before the file is read anew.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from photon.cli.exits import CommandError, ExitCode

MARK = "PHOTON_ENV_FILE_READ"
_MOST_BYTES = 1 << 20


class EnvFile(NamedTuple):
    """A file that was read. Attributes: lines: of the variables that came from it, by name."""

    path: Path
    lines: Mapping[str, int]


def find_env_file(folders: list[Path]) -> Path | None:
    """The first `.env` of these folders; a folder of that name, as of a virtualenv, is none."""
    for folder in folders:
        path = folder / ".env"
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):  # tools for secrets hand out pipes
            return path
    return None


def load_env_file(path: Path, environ: MutableMapping[str, str] = os.environ) -> EnvFile:
    """Put its variables into the environment, where they are not set.

    Raises: CommandError (USAGE), when it cannot be read or understood.
    """
    values = _values(_text(path), path)
    unset = {name: found for name, found in values.items() if name not in environ}
    for name, (value, line) in unset.items():
        try:
            environ[name] = value
        except ValueError:  # a zero byte, or no characters of the locale
            raise _malformed(path, line, f"{name} cannot be set to that") from None
    lines = {name: line for name, (_, line) in unset.items()}
    if lines:
        environ[MARK] = msgspec.json.encode([os.path.abspath(path), sorted(lines)]).decode()
    return EnvFile(path, lines)


class Inherited(NamedTuple):
    """What a Photon before this one put into the environment. Attributes: path: from which file."""

    path: str
    values: Mapping[str, str]


def take_inherited(environ: MutableMapping[str, str] = os.environ) -> Inherited:
    """Take it out of the environment, where it may hide what the file says now."""
    try:
        path, names = msgspec.json.decode(environ.pop(MARK, ""), type=tuple[str, list[str]])
    except (msgspec.DecodeError, UnicodeError):
        return Inherited("", {})
    return Inherited(path, {name: environ.pop(name) for name in names if name in environ})


def return_inherited(
    inherited: Inherited, path: Path | None, environ: MutableMapping[str, str] = os.environ
) -> None:
    """Put it back, unless it is of the file that is read now, or of one that is gone.

    Args: path: what is read now.
    """
    same = path is not None and os.path.abspath(path) == inherited.path
    if not same and os.path.exists(inherited.path):
        environ.update(inherited.values)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise _unreadable(path, "it is larger than 1 MiB")
        return data.decode()
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _malformed(path, line, "it is not UTF-8") from None
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from None


def _values(text: str, path: Path) -> dict[str, tuple[str, int]]:
    """Value and line of each variable; a name without "=" says nothing, as for docker."""
    from dotenv.main import resolve_variables
    from dotenv.parser import parse_stream

    lines: dict[str, int] = {}
    pairs = []
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise _malformed(path, _first_line(binding.original), "this is no NAME=value")
        if binding.key is not None and binding.value is not None:
            if "\0" in binding.key:
                raise _malformed(path, _first_line(binding.original), "this is no NAME=value")
            lines[binding.key] = _first_line(binding.original)
            pairs.append((binding.key, binding.value))
    resolved = resolve_variables(pairs, override=False)
    return {name: (value or "", lines[name]) for name, value in resolved.items()}


def _first_line(original: tuple[str, int]) -> int:
    """The parser counts blank lines before a variable as part of it."""
    text, line = original
    return line + text[: len(text) - len(text.lstrip())].count("\n")


def _malformed(path: Path, line: int, what: str) -> CommandError:
    return CommandError(
        f"{shown(path)}:{line}: {what}",
        hint="A line is NAME=value, NAME='a longer value' or # a comment; "
        "--no-env-file goes without the file.",
        exit_code=ExitCode.USAGE,
    )


def _unreadable(path: Path, why: str) -> CommandError:
    return CommandError(
        f"{shown(path)} cannot be read: {why}",
        hint="Name another file with --env-file, or go without one: --no-env-file",
        exit_code=ExitCode.USAGE,
    )


def shown(path: Path) -> str:
    """A path as people would write it here: from the current folder, when that is shorter."""
    absolute = os.path.abspath(path)
    return min(os.path.relpath(absolute), absolute, key=len)
