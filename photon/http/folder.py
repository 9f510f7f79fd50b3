"""Files below a directory, and none beside it: whatever a path says, wherever a link leads.

A path is walked one name at a time. Each name is looked at without following it, and opened
relative to the directory that the step before opened, with O_NOFOLLOW: there is no moment between
a check and its use in which somebody could put a link, or another directory, in the place of what
was checked; whoever does makes the step fail. A link is followed by hand: the names of its target
are walked in the same way. `..` in it goes back to the directory one came from, never to what the
kernel calls the parent, and never over the root; an absolute target counts from the root when it
begins with it.

That is openat2 with RESOLVE_BENEATH, done with what POSIX has; where Linux offers the call itself
it is used for what can be opened without waiting. What was not seen to be a regular file is not
opened, so that a pipe, a device or a terminal hears nothing of it. All else here waits for the
disk: call it in a native thread.

Prior art: Go's os.Root.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Sequence
from types import TracebackType

from photon.http.cached_names import open_cached
from photon.http.opened import OpenFile

# Linux's own limit (path_resolution(7)); a loop of links ends here.
_MOST_LINKS = 40

# O_PATH: a directory that may be entered need not be readable.
_ENTERING = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC


class Folder:
    """A directory and all below it.

    Args:
        directory: looked up anew at each call, so that a link may be turned to another release.
        follow_symlinks: let links lead out of the directory; the walk is the kernel's then.
    """

    def __init__(self, directory: str, *, follow_symlinks: bool = False) -> None:
        self.path = os.path.abspath(directory)  # of today's working directory
        self._follows = follow_symlinks

    def open_cached(self, names: Sequence[str]) -> OpenFile | None:
        """As `open`, and without waiting; None when only `open` can tell.   Raises: OSError."""
        if self._follows:
            fd = open_cached(self._joined(names))
            return None if fd is None else OpenFile(fd)
        root = open_cached(self.path, flags=_ENTERING)
        if root is None:
            return None
        try:
            # The kernel's own RESOLVE_BENEATH. It refuses absolute links, of which the walk knows
            # whether they lead out.
            fd = open_cached("/".join(names), dir_fd=root, beneath=True)
        finally:
            os.close(root)
        return None if fd is None else OpenFile(fd)

    def open(self, names: Sequence[str]) -> OpenFile:
        """The regular file at a path of plain names, none of them empty, `.` or `..`.

        Raises: OSError; ValueError, when there can be no such name.
        """
        if self._follows:
            path = self._joined(names)
            _check_regular(os.stat(path), path)
            return OpenFile.at(path)
        with _Walk(self.path) as walk:
            _check_regular(walk.go(names), names[-1])
            return walk.open()

    def stat(self, names: Sequence[str], *siblings: str) -> list[os.stat_result | None]:
        """What is at a path, a link's target and not the link, and what is beside it.

        Args: siblings: endings of further names in the same directory, as ".gz".
        Returns: of the path itself, then of each sibling; None for a sibling that is not there.
        Raises: OSError; ValueError: there is nothing at the path itself.
        """
        if self._follows:
            path = self._joined(names)
            return [os.stat(path), *(_stat_or_none(path + ending) for ending in siblings)]
        with _Walk(self.path) as walk:
            walk.enter(names[:-1])
            # One look at each in an open directory; only what is a link needs a walk of its own.
            found = walk.look(names[-1]) if names else os.stat(walk.fds[-1])
            beside = [_stat_or_none(names[-1] + ending, walk.fds[-1]) for ending in siblings]
        first = self._resolved(found, names)
        for place, ending in enumerate(siblings):
            beside[place] = self._beside(beside[place], names, ending)
        return [first, *beside]

    def _beside(
        self, status: os.stat_result | None, names: Sequence[str], ending: str
    ) -> os.stat_result | None:
        if status is None:
            return None
        try:
            return self._resolved(status, [*names[:-1], names[-1] + ending])
        except (OSError, ValueError):
            return None

    def _resolved(self, status: os.stat_result, names: Sequence[str]) -> os.stat_result:
        if not stat.S_ISLNK(status.st_mode):
            return status
        with _Walk(self.path) as walk:
            return walk.go(names)

    def _joined(self, names: Sequence[str]) -> str:
        return "/".join((self.path, *names))


class _Walk:
    """Where one is below a root.   Attributes: fds: the directories on the way, the root first."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.fds = [os.open(root, _ENTERING)]
        self._file = ""  # what one stands at in the last directory; "" for itself

    def go(self, names: Sequence[str]) -> os.stat_result:
        """Go down some names, and along the links on the way.

        Returns: what is there, which is no link.   Raises: OSError: also when a link leads out.
        """
        todo = deque(names)
        links = 0
        status: os.stat_result | None = None
        while todo:
            name = todo.popleft()
            if name in ("", "."):
                continue
            if name == "..":
                self._go_back()
                status = None
                continue
            status = self.look(name)
            if stat.S_ISLNK(status.st_mode):
                links += 1
                if links > _MOST_LINKS:
                    raise OSError(errno.ELOOP, "a loop of links", name)
                todo.extendleft(reversed(self._target(name)))
            elif stat.S_ISDIR(status.st_mode):
                self.fds.append(os.open(name, _ENTERING | os.O_NOFOLLOW, dir_fd=self.fds[-1]))
            elif todo:
                raise NotADirectoryError(errno.ENOTDIR, "no directory", name)
            else:
                self._file = name
                return status
        return status if status is not None else os.stat(self.fds[-1])

    def enter(self, names: Sequence[str]) -> None:
        """Go down to a directory.   Raises: OSError."""
        self.go(names)
        if self._file:
            raise NotADirectoryError(errno.ENOTDIR, "no directory", self._file)

    def look(self, name: str) -> os.stat_result:
        """What has this name in the directory where one is, be it a link.   Raises: OSError."""
        return os.stat(name, dir_fd=self.fds[-1], follow_symlinks=False)

    def open(self) -> OpenFile:
        """The file one stands at.   Raises: OSError: also when a link took its place."""
        return OpenFile.at(self._file, dir_fd=self.fds[-1], flags=os.O_NOFOLLOW)

    def _target(self, name: str) -> list[str]:
        target = os.readlink(name, dir_fd=self.fds[-1])
        if target.startswith("/"):
            for root in (self._root, os.path.realpath(self._root)):
                if f"{target}/".startswith(f"{root.rstrip('/')}/"):
                    target = target[len(root.rstrip("/")) :]
                    break
            else:
                raise _leads_out(name)
            while len(self.fds) > 1:
                self._go_back()
        return target.split("/")

    def _go_back(self) -> None:
        if len(self.fds) == 1:
            raise _leads_out("..")
        os.close(self.fds.pop())

    def __enter__(self) -> _Walk:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for fd in self.fds:
            os.close(fd)


def _stat_or_none(path: str, dir_fd: int | None = None) -> os.stat_result | None:
    try:
        return os.stat(path, dir_fd=dir_fd, follow_symlinks=dir_fd is None)
    except (OSError, ValueError):
        return None


def _check_regular(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise FileNotFoundError(errno.ENOENT, "no regular file", name)


def _leads_out(name: str) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, "a link leads out of the directory", name)
