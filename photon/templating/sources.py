"""Where the text of templates comes from: folders, or a mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Protocol, TypeAlias

from photon.templating.errors import TemplateBroken, TemplateNotFound
from photon.templating.names import did_you_mean, is_template

Stamps: TypeAlias = Mapping[str, object]
"""A value for each name that is another one when the template has changed."""

Given: TypeAlias = str | PathLike[str] | Sequence[str | PathLike[str]] | Mapping[str, str]


class Sources(Protocol):
    """The sources of templates, by name."""

    def scan(self) -> Stamps:
        """The templates that are there now."""
        ...

    def read(self, name: str) -> str:
        """One of them.   Raises: TemplateBroken; FileNotFoundError, when it has gone since."""
        ...

    def place(self, name: str) -> str:
        """Where it stands, for messages: a path."""
        ...

    def why_missing(self, name: str) -> str:
        """Why a name is none of them, and the way out."""
        ...


def sources_of(given: Given, encoding: str) -> Sources:
    """Sources for what `Templates` was given.

    Raises: TypeError; ValueError; FileNotFoundError, NotADirectoryError: a folder is not there.
    """
    if isinstance(given, Mapping):
        return Texts(given)
    if isinstance(given, (str, PathLike)):
        return Folders([given], encoding)
    if not isinstance(given, (list, tuple)):
        raise TypeError(
            "templates come from a folder, a list of folders, or a mapping of names to their "
            f"text, not from {type(given).__name__}"
        )
    return Folders(given, encoding)


def missing(name: str, known: list[str], sources: Sources) -> TemplateNotFound:
    """The error for a name that is not there, with names like it."""
    if ".." in name.replace("\\", "/").split("/"):
        problem = f"{name!r} leaves the templates' folder: a name is a path inside of it"
        return TemplateNotFound(name, problem)
    why = sources.why_missing(name) or did_you_mean(name, known)
    return TemplateNotFound(name, f"there is no template {name!r}{why}")


class Texts:
    """Templates from a mapping of names to their text. It is looked at again when they reload."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        for name, text in texts.items():
            if not isinstance(name, str) or not isinstance(text, str):
                raise TypeError(
                    "a mapping of templates has a name and a text each, not "
                    f"{name!r}: {type(text).__name__}"
                )
        self._texts = texts

    def scan(self) -> Stamps:
        return dict(self._texts)

    def read(self, name: str) -> str:
        try:
            return self._texts[name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def place(self, name: str) -> str:
        return name

    def why_missing(self, name: str) -> str:
        return ""


class Folders:
    """Templates from folders; of two with one name, that of the first folder counts.

    A relative folder is one of the current directory. Names are paths inside a folder, with `/`.
    """

    def __init__(self, folders: Sequence[str | PathLike[str]], encoding: str) -> None:
        if not folders:
            raise ValueError("no folder of templates was given; write Templates('templates')")
        self._encoding = encoding
        # As they were when this was made: a later chdir does not move them.
        self._folders = [_existing(os.fspath(folder)) for folder in folders]
        "".encode(encoding)  # LookupError, with the name of what is no encoding

    def scan(self) -> Stamps:
        stamps: dict[str, object] = {}
        for folder in reversed(self._folders):
            for name, path in _templates_in(folder):
                try:
                    status = os.stat(path)
                except OSError:  # it has gone, or points nowhere
                    continue
                # The inode too: an editor may put another file of the same size and time there.
                stamp = (path, status.st_mtime_ns, status.st_size, status.st_ino)
                stamps[name] = stamp
        return stamps

    def read(self, name: str) -> str:
        path = self.place(name)
        try:
            with open(path, encoding=self._encoding) as file:
                return file.read().removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            problem = (
                f"byte {error.start} is not {self._encoding}; save the file as {self._encoding}, "
                "or say which encoding it has: Templates(..., encoding='latin-1')"
            )
            raise TemplateBroken(name, problem, place=path) from None
        except FileNotFoundError:
            raise
        except OSError as error:
            raise TemplateBroken(name, f"cannot be read: {error.strerror}", place=path) from None

    def place(self, name: str) -> str:
        for folder in self._folders:
            path = os.path.join(folder, *name.split("/"))
            if os.path.isfile(path):
                return _shortened(path)
        return name

    def why_missing(self, name: str) -> str:
        if "\\" in name:
            return "; write '/' between folders"
        if os.path.isabs(name):
            return f"; a name is a path inside {_shortened(self._folders[0])}"
        if os.path.isfile(os.path.join(self._folders[0], name)) and not is_template(name):
            return ": the file is there, but its extension is none of a template; add '.j2' to it"
        return ""


def _existing(folder: str) -> str:
    whole = os.path.abspath(folder)
    if os.path.isdir(whole):
        return whole
    if os.path.exists(whole):
        raise NotADirectoryError(f"templates are looked for in {folder!r}, which is a file")
    where = "" if os.path.isabs(folder) else f", looked for in {os.getcwd()}"
    raise FileNotFoundError(
        f"there is no folder {folder!r} of templates{where}; make it, or name another one by "
        "its whole path, as Path(__file__).parent / 'templates'"
    )


def _templates_in(folder: str) -> list[tuple[str, str]]:
    """Pairs of (name, path)."""
    found = []
    for where, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        within = os.path.relpath(where, folder).replace(os.sep, "/")
        prefix = "" if within == "." else f"{within}/"
        found += [
            (prefix + file, os.path.join(where, file))
            for file in files
            if is_template(file) and os.path.isfile(os.path.join(where, file))
        ]
    return found


def _shortened(path: str) -> str:
    """A path from the current directory, if it lies below it."""
    try:
        short = os.path.relpath(path)
    except (OSError, ValueError):
        return path
    return path if short.startswith("..") else short
