"""`photon.toml`, or `[tool.photon]` of `pyproject.toml`: where it is, and what it says."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from photon.cli.dotenv import shown
from photon.cli.exits import CommandError, ExitCode

_OWN, _SHARED = "photon.toml", "pyproject.toml"
_MOST_BYTES = 1 << 20

# Whether it is worth while to read it as TOML: most say nothing of Photon but that it is needed.
_MENTIONS = re.compile(rb"\btool\b[^\n]*\bphoton\b|^\s*\[\s*tool\s*\]", re.MULTILINE)


class SettingsFile:
    """A file of settings.

    Attributes: table: what it says of Photon; prefix: the keys above that, such as tool, photon.
    """

    def __init__(self, path: Path, text: str, table: Mapping[str, Any], prefix: tuple[str, ...]):
        self.path = path
        self.table = table
        self._text = text
        self._prefix = prefix

    @property
    def name(self) -> str:
        """Such as "photon.toml", or "[tool.photon] of pyproject.toml"."""
        return f"[tool.photon] of {shown(self.path)}" if self._prefix else shown(self.path)

    @property
    def folder(self) -> Path:
        return self.path.parent

    def place(self, path: tuple[str, ...] = ()) -> str:
        """Such as "photon.toml:12"; without the line where it is not known."""
        line = self.line(path)
        return f"{self.name}:{line}" if line else self.name

    def line(self, path: tuple[str, ...]) -> int | None:
        """That of a key, or of the nearest above it."""
        whole = self._prefix + path
        for length in range(len(whole), len(self._prefix), -1):
            if whole[:length] in self._lines:
                return self._lines[whole[:length]]
        return None

    @cached_property
    def _lines(self) -> dict[tuple[str, ...], int]:
        from photon.cli.toml_lines import lines_of

        return lines_of(self._text)


def find_settings_file(folders: list[Path]) -> tuple[SettingsFile | None, str]:
    """The first that there is, and a note when it hides another one beside it.

    Raises: CommandError (USAGE).
    """
    for folder in folders:
        own, shared = folder / _OWN, folder / _SHARED
        if os.path.lexists(own):
            found = read_settings_file(own)
            hidden = _mentions(shared) and _shared(shared) is not None
            note = f"{shown(own)} is read, so [tool.photon] of {shown(shared)} is not"
            return found, note if hidden else ""
        if _mentions(shared) and (settings := _shared(shared)) is not None:
            return settings, ""
    return None, ""


def read_settings_file(path: Path) -> SettingsFile:
    """What that file says; of a `pyproject.toml`, `[tool.photon]`.   Raises: CommandError."""
    if path.name != _SHARED:
        text = _text(path)
        return SettingsFile(path, text, _table(path, text), ())
    settings = _shared(path)
    if settings is None:
        raise _wrong(f"{shown(path)} has no [tool.photon]", "Settings of Photon stand under that.")
    return settings


def folders_for(start: Path) -> list[Path]:
    """Where files are looked for: a folder, and those above it up to that of its project.

    A project begins where there is a `pyproject.toml` or a `.git`; where there is none, with the
    current folder. Folders that anybody may write to, or that somebody else owns, are no part of
    one: what stands there would say what this process runs.
    """
    first, here = start.resolve(), Path.cwd()
    folders: list[Path] = []
    for folder in (first, *first.parents):
        if folders and not _is_ours(folder, first):
            break
        folders.append(folder)
        if (folder / _SHARED).exists() or (folder / ".git").exists():
            return folders
    return folders[: folders.index(here) + 1] if here in folders else folders[:1]


def _is_ours(folder: Path, first: Path) -> bool:
    try:
        status = folder.stat()
        return not status.st_mode & 0o002 and status.st_uid == first.stat().st_uid
    except OSError:
        return False


def _mentions(path: Path) -> bool:
    """Whether a pyproject.toml may have settings of Photon."""
    try:
        return _MENTIONS.search(path.read_bytes()) is not None
    except OSError:
        return False


def _shared(path: Path) -> SettingsFile | None:
    text = _text(path)
    tools = _table(path, text).get("tool")
    table = tools.get("photon") if isinstance(tools, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise _wrong(f"{shown(path)}: tool.photon is no table", "Write [tool.photon] above it.")
    return SettingsFile(path, text, table, ("tool", "photon"))


def _table(path: Path, text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, line = str(error), ""
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", what)
        if found is not None:
            what, line = found[1], f":{found[2] or text.count(chr(10)) + 1}"
        what = what[:1].lower() + what[1:]
        raise _wrong(f"{shown(path)}{line}: this is no TOML: {what}", "") from None
    except RecursionError:
        raise _wrong(f"{shown(path)}: it is too deeply nested", "") from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise _wrong(f"{shown(path)} is larger than 1 MiB", "")
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _wrong(f"{shown(path)}:{line}: it is not UTF-8, as TOML is", "") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise _wrong(
            f"{shown(path)} cannot be read: {reason}", "Name another one with --config."
        ) from None


def _wrong(message: str, hint: str) -> CommandError:
    return CommandError(message, hint=hint, exit_code=ExitCode.USAGE)
