"""The socket file of the control socket: who may reach it, and how a dead one is replaced.

Three doors, each of which would do. The folder: by default one of our own, which nobody else may
enter. The file: of mode 0600 from its birth on, so that there is no moment in which others could
connect. The client: the kernel says which user it is (SO_PEERCRED, unix(7)).
"""

from __future__ import annotations

import _socket
import errno
import os
import stat
import struct
from contextlib import suppress

from photon.runtime.errors import RuntimeFault

_BACKLOG = 64
_IS_LINUX = os.uname().sysname == "Linux"

# sockaddr_un: 108 bytes on Linux, 104 elsewhere, one of them for the zero at the end.
MOST_PATH_BYTES = (108 if _IS_LINUX else 104) - 1

_SO_PEERCRED = getattr(_socket, "SO_PEERCRED", None)
_CREDENTIALS = struct.Struct("3i")


class ControlError(RuntimeFault):
    """A control socket cannot be opened, reached or understood; says the way out."""


class ControlSocket:
    """A socket that listens at `path`, for this user alone.

    Raises: ControlError.
    """

    def __init__(self, path: str) -> None:
        check_length(path)
        self.path = path
        _check_folder(os.path.dirname(path) or ".")
        _clear_way(path)
        self.socket = _open(path)
        self._identity = _identity(path)

    def remove_file(self) -> None:
        """Remove the file, unless another process has put its own there."""
        try:
            if _identity(self.path) == self._identity:
                os.unlink(self.path)
        except OSError:
            pass  # gone already, or not ours to remove


def check_length(path: str) -> None:
    """Raises: ControlError, if no socket can have such a path."""
    if len(os.fsencode(path)) > MOST_PATH_BYTES:
        raise ControlError(
            f"{path}: the path of a Unix socket has {MOST_PATH_BYTES} bytes at the most, this one "
            f"has {len(os.fsencode(path))}; choose a shorter one: --control PATH"
        )
    if "\0" in path:
        raise ControlError(f"{path!r}: a path has no zero byte")


def make_private_folder(folder: str) -> None:
    """Make a folder that is ours alone, or see that it is.

    Raises: ControlError, for one that somebody else made, or may look into.
    """
    try:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        found = os.lstat(folder)
    except OSError as error:
        raise ControlError(
            f"cannot make the folder {folder} for the control socket: {error.strerror}; "
            "choose a place: --control PATH, or have none: --control none"
        ) from None
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        raise _unsafe(folder, "is no folder, or a link to one, so somebody else may have put it")
    if found.st_uid != os.geteuid():
        raise _unsafe(folder, f"belongs to another user ({found.st_uid})")
    if found.st_mode & 0o077:
        raise _unsafe(folder, f"can be entered by others (its mode is {_mode(found)}, not 0700)")


def _unsafe(folder: str, why: str) -> ControlError:
    return ControlError(
        f"{folder} {why}; the control socket is for this user alone. Remove the folder, choose "
        "another place: --control PATH, or have none: --control none"
    )


def _mode(found: os.stat_result) -> str:
    return f"{stat.S_IMODE(found.st_mode):04o}"


def _check_folder(folder: str) -> None:
    """In a folder where others may rename files they could put theirs in the place of ours."""
    try:
        found = os.stat(folder)
    except OSError as error:
        raise ControlError(
            f"no control socket can be in {folder}: {error.strerror}; make the folder, or choose "
            "another place: --control PATH"
        ) from None
    if found.st_uid not in (os.geteuid(), 0):
        raise _unsafe(folder, f"belongs to another user ({found.st_uid})")
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise _unsafe(folder, f"can be written by others (its mode is {_mode(found)})")


def _clear_way(path: str) -> None:
    """Remove the file of a process that is no more.   Raises: ControlError, for anything else."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ControlError(f"{path}: {error.strerror}; choose another: --control PATH") from None
    if not stat.S_ISSOCK(found.st_mode):
        raise ControlError(f"{path} exists and is no socket; choose another: --control PATH")
    if found.st_uid != os.geteuid():
        raise ControlError(
            f"{path} is a socket of another user ({found.st_uid}); choose another: --control PATH"
        )
    if is_alive(path):
        raise ControlError(
            f"{path} is in use: another process listens there. Stop it, or choose another: "
            "--control PATH"
        )
    with suppress(FileNotFoundError):
        os.unlink(path)


def is_alive(path: str) -> bool:
    """Whether somebody listens there, however busy."""
    probe = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    probe.setblocking(False)
    try:
        probe.connect(path)
    except OSError as error:
        return error.errno not in (errno.ECONNREFUSED, errno.ENOENT)
    finally:
        probe.close()
    return True


def _open(path: str) -> _socket.socket:
    opened = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        _bind_private(opened, path)
        opened.listen(_BACKLOG)
        opened.setblocking(False)
    except OSError as error:
        opened.close()
        raise ControlError(
            f"cannot open the control socket {path}: {error.strerror or error}; choose another "
            "place: --control PATH, or have none: --control none"
        ) from None
    return opened


def _bind_private(opened: _socket.socket, path: str) -> None:
    if _IS_LINUX:
        # The file gets the mode that the socket has (unix_bind_bsd in net/unix/af_unix.c). The
        # umask would do as well, but it is the whole process's, other threads' files included.
        os.fchmod(opened.fileno(), 0o600)
        opened.bind(path)
        return
    former = os.umask(0o177)
    try:
        opened.bind(path)
    finally:
        os.umask(former)


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino


def user_of(client: _socket.socket) -> int | None:
    """The user at the other end; None where the kernel does not say, and the folder must do."""
    if _SO_PEERCRED is None:
        return None
    raw = client.getsockopt(_socket.SOL_SOCKET, _SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(raw)[1]
    return user
