"""Where control sockets are, and which servers run on this machine.

Each server has a file that is named by its process id, in a folder of its user:
`$XDG_RUNTIME_DIR/photon/1234.sock`, or `/tmp/photon-1000/1234.sock` where there is none. A service
of systemd has no XDG_RUNTIME_DIR and the shell of the same user does, so both are looked at.
"""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable

import msgspec

from photon.runtime.workers.client import ControlClient
from photon.runtime.workers.control_socket import ControlError, is_alive, make_private_folder
from photon.runtime.workers.messages import Message

_ASK_S = 1.0
# Not TMPDIR, which the shell of who asks need not share with the server.
_TEMPORARY = "/tmp"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """A server that is there.

    Args: about: what it says of itself; None when it does not answer, being stopped or busy.
    """

    pid: int
    path: str
    about: Message | None

    @property
    def app(self) -> str:
        return str((self.about or {}).get("app", ""))

    @property
    def addresses(self) -> list[str]:
        found = (self.about or {}).get("addresses", ())
        return [str(address) for address in found] if isinstance(found, list) else []


def default_path(pid: int | None = None) -> str:
    """Where the control socket of this process is, or of another one of this user."""
    return os.path.join(folders()[0], f"{os.getpid() if pid is None else pid}.sock")


def prepare_default_path() -> str:
    """As `default_path`, with its folder made, for the server.   Raises: ControlError."""
    path = default_path()
    make_private_folder(os.path.dirname(path))
    return path


def folders(user: int | None = None) -> list[str]:
    """Where sockets of a user are, of this one by default; the first is for new ones."""
    mine = user in (None, os.geteuid())
    user = os.geteuid() if user is None else user
    runtime = os.environ.get("XDG_RUNTIME_DIR", "") if mine else f"/run/user/{user}"
    found = [f"{_TEMPORARY}/photon-{user}"]
    if os.path.isabs(runtime) and _belongs_to(runtime, user):
        found.insert(0, os.path.join(runtime, "photon"))
    return found


def _belongs_to(folder: str, user: int) -> bool:
    """Whether it is this user's: one that `su` left behind is another's, and in /tmp anybody may
    make one.
    """
    try:
        found = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == user


def path_of(pid: int) -> str | None:
    """The socket of a server by its process id, of another user's too, for root."""
    try:
        user = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        user = os.geteuid()
    paths = (os.path.join(folder, f"{pid}.sock") for folder in {*folders(), *folders(user)})
    return next((path for path in paths if os.path.exists(path)), None)


def running(places: Iterable[str] | None = None) -> list[Running]:
    """The servers of this user, in the order of their process ids.

    Files of processes that are no more are removed.   Args: places: folders; the usual ones.
    """
    found = []
    for folder in folders() if places is None else places:
        if not _belongs_to(folder, os.geteuid()):
            continue
        for path in glob.glob(os.path.join(glob.escape(folder), "*.sock")):
            name = os.path.basename(path).removesuffix(".sock")
            if name.isascii() and name.isdecimal():
                found += _look(int(name), path)
    return sorted(found, key=lambda server: server.pid)


def _look(pid: int, path: str) -> list[Running]:
    if not is_alive(path):
        if not _exists(pid):
            _remove(path)
        return []
    try:
        about = ControlClient(path).ask("who", timeout=_ASK_S)
    except ControlError:
        about = None
    return [Running(pid=pid, path=path, about=about if isinstance(about, dict) else None)]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
