"""Which files `photon dev` watches, and what a change of them is for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Literal

Kind = Literal["code", "styles", "assets"]

# What an application reads when it starts, or what its pages are made of. Not what many write
# while they run: JSON, databases, uploaded pictures.
INCLUDED = (
    *("*.py", "*.html", "*.htm", "*.jinja", "*.jinja2", "*.j2", "*.toml", "*.ini", "*.cfg"),
    *("*.yaml", "*.yml", ".env", ".env.*", "*.env", "*.css", "*.js", "*.mjs", "*.svg"),
)

_STYLES = (".css",)
_ASSETS = (".js", ".mjs", ".svg")

_PASSED_OVER = frozenset(
    ("__pycache__", "node_modules", "site-packages", "dist-packages", "venv", "env.bak")
)
# What editors write beside a file while they save it.
_OF_EDITORS = ("*~", ".#*", "#*#", "*.sw?", "*.tmp", "4913", "*___jb_???___", "flycheck_*")

_MOST_FILES = 20_000


class Watched:
    """Tells which paths below some folders are watched.

    Args:
        folders: absolute.
        include, exclude: globs, in addition to what is watched anyway, and against it. One
            without a slash is of a file's name or of a folder's, one with a slash of a path
            below a watched folder.
    """

    def __init__(
        self, folders: Sequence[str], include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> None:
        self.folders = [os.path.realpath(folder) for folder in folders]
        self._include = (*INCLUDED, *include)
        self._exclude = (*_OF_EDITORS, *exclude)
        self._asked_for = tuple(include)

    def has(self, path: str) -> bool:
        """Whether a change of this file matters."""
        inside = self.inside(path)
        if inside is None:
            return False
        *folders, name = inside.split("/")
        if self._matches(inside, self._exclude):
            return False
        if self._matches_itself(inside, name, self._asked_for):
            return True
        if any(_is_passed_over(folder) for folder in folders):
            return False
        return self._matches_itself(inside, name, self._include)

    def inside(self, path: str) -> str | None:
        """The path below its watched folder, with slashes; None for one that is not in any."""
        for folder in self.folders:
            if path.startswith(folder + os.sep):
                return path[len(folder) + 1 :].replace(os.sep, "/")
        return None

    def files(self) -> Iterator[str]:
        """All that is watched; at most 20,000 files are looked at."""
        seen = 0
        for folder in self.folders:
            for place, folders, names in os.walk(folder):
                folders[:] = [
                    name
                    for name in folders
                    if not _is_passed_over(name) and not self._matches(name, self._exclude)
                ]
                for name in names:
                    seen += 1
                    path = os.path.join(place, name)
                    if self.has(path):
                        yield path
                if seen > _MOST_FILES:
                    return

    def _matches(self, inside: str, patterns: Iterable[str]) -> bool:
        """Whether a path, a folder above it or its name matches."""
        parts = inside.split("/")
        for pattern in patterns:
            if "/" not in pattern:
                if any(fnmatchcase(part, pattern) for part in parts):
                    return True
            elif any(
                fnmatchcase("/".join(parts[:end]), pattern.strip("/"))
                for end in range(1, len(parts) + 1)
            ):
                return True
        return False

    def _matches_itself(self, inside: str, name: str, patterns: Iterable[str]) -> bool:
        return any(
            fnmatchcase(inside if "/" in pattern else name, pattern.lstrip("/"))
            for pattern in patterns
        )


def kind_of(paths: Iterable[str]) -> Kind:
    """What changes of these files ask for: new code, or new pages only."""
    endings = {os.path.splitext(path)[1].lower() for path in paths}
    if endings <= set(_STYLES):
        return "styles"
    return "assets" if endings <= {*_STYLES, *_ASSETS} else "code"


def _is_passed_over(folder: str) -> bool:
    return folder in _PASSED_OVER or folder.startswith(".")
