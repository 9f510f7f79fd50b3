"""A listening socket that hands accepted sockets to a callback, in the hub.

Accepting never waits and never gives up: when descriptors or memory run out it backs off and
tries again, while the connections that exist are served on.
"""

from __future__ import annotations

import _socket
import errno
import logging
import os
import socket
import stat
from collections.abc import Callable
from typing import Any

from gevent import monkey

from photon.runtime.clock import now
from photon.runtime.errors import ListenError
from photon.runtime.forks import children_may_have, keep_from_children
from photon.runtime.hub import READ, Hub
from photon.runtime.net.address import Address, FdAddress, TcpAddress, UnixAddress

logger = logging.getLogger("photon.runtime")

# gevent's would make a hub, which who only opens sockets for others must not have.
_getaddrinfo = monkey.get_original("socket", "getaddrinfo")

OnAccept = Callable[[_socket.socket], None]

HasRoom = Callable[[], bool]
"""Whether the next connection should be taken here; others listen on the same socket."""

# So long a connection is left to others. Then it is taken: they may be stuck. What shorter times
# do to the balance stands in docs/architecture.md.
_LEAVE_S = 0.01

# A round of the hub takes so many at the most, so that a flood of new connections leaves time for
# those that exist. Nginx takes all (multi_accept on) or one (off); 64 cost a round below 1 ms.
_ACCEPTS_A_ROUND = 64

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 1.0

# accept(2): "ECONNABORTED A connection has been aborted", and, on Linux, pending network errors
# of the new socket, which "should be treated like EAGAIN by retrying".
_NOT_OUR_FAULT = {
    errno.ECONNABORTED,
    errno.EPROTO,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENOPROTOOPT,
    errno.EOPNOTSUPP,
    errno.EPERM,
}


class Listener:
    """One listening socket; `start()` begins to accept, `close()` ends it.

    Args:
        hub: the hub that accepts.
        address: where to listen.
        on_accept: called in the hub with each new non-blocking socket, which it owns then. It is
            a plain `_socket.socket`: 48 bytes, a tenth of what the standard library's class takes.
        backlog: connections the kernel may hold that were not accepted yet.
        opened: the socket, if another process opened it and listens on it as well.
        has_room: asked before each connection is taken, if others listen on the same socket.
    Raises: ListenError.
    """

    def __init__(
        self,
        hub: Hub,
        address: Address,
        on_accept: OnAccept,
        *,
        backlog: int = 2048,
        opened: _socket.socket | None = None,
        has_room: HasRoom | None = None,
    ) -> None:
        self._hub = hub
        self._on_accept = on_accept
        self._is_shared = opened is not None
        self._has_room = has_room
        self._left_since = 0.0
        self._left_round = 0
        self._socket = opened if opened is not None else open_socket(address, backlog)
        self._kind = (self._socket.family, self._socket.type, self._socket.proto)
        self._given = address
        self.address = bound_address(address, self._socket)
        self._watcher: Any = hub.loop.io(self._socket.fileno(), READ)
        self._retry: Any = None
        self._pause_s = 0.0
        self.accepted = 0
        keep_from_children(self, lambda listener: listener._socket.close())

    def start(self) -> None:
        """Accept from the next round of the hub on. Harmless when it already does."""
        if not self._watcher.active:
            self._watcher.start(self._accept_some)

    def pause(self) -> None:
        """Leave new connections in the kernel's backlog until `start()`."""
        self._watcher.stop()
        self._forget_retry()

    def accept_all(self) -> None:
        """Accept what waits in the kernel now; a close would reset it, if it is the last one."""
        self._has_room = None
        while self._watcher.active and self._accept_some():
            pass

    def close(self) -> None:
        """Stop listening; what was accepted lives on. A second call does nothing."""
        if self._socket.fileno() < 0:
            return
        self._watcher.close()
        self._forget_retry()
        self._socket.close()
        children_may_have(self)
        if isinstance(self._given, UnixAddress) and not self._is_shared:
            remove_socket_file(self._given.path)

    def _accept_some(self) -> bool:
        """Take a round of connections; whether there may be more."""
        for _ in range(_ACCEPTS_A_ROUND):
            if not self._watcher.active:  # `on_accept` may have paused or closed us
                return False
            if self._has_room is not None and not self._has_room() and self._leave_to_others():
                return False
            try:
                fd, _ = self._socket._accept()  # type: ignore[attr-defined]
            except BlockingIOError:
                self._pause_s = 0.0
                self._left_since = 0.0
                return False
            except OSError as error:
                if error.errno in _NOT_OUR_FAULT:
                    continue
                self._back_off(error)
                return False
            # PERF: with all three given no system call is made to find them out.
            accepted = _socket.socket(*self._kind, fileno=fd)
            accepted.setblocking(False)
            self.accepted += 1
            self._on_accept(accepted)
        self._pause_s = 0.0
        return True

    def _leave_to_others(self) -> bool:
        """Whether the next connection is left to others, until the loop polls again."""
        moment = now()
        # While it waits each round of the loop comes here: if one did not, others took it.
        former_round, self._left_round = self._left_round, self._hub.loop.iteration
        if not self._left_since or self._left_round - former_round > 1:
            self._left_since = moment
        elif moment - self._left_since > _LEAVE_S:
            self._left_since = 0.0
            return False
        return True

    def _start_after(self, seconds: float) -> None:
        self.pause()
        self._retry = self._hub.loop.timer(seconds)
        self._retry.start(self.start, update=True)

    def _back_off(self, error: OSError) -> None:
        is_first = not self._pause_s
        self._pause_s = min(self._pause_s * 2 or _FIRST_PAUSE_S, _LONGEST_PAUSE_S)
        self._start_after(self._pause_s)
        if is_first:  # last of all: a handler of the log that waits fails here, in the hub
            logger.warning(
                "cannot accept on %s: %s. The connections that exist are served on, new ones wait "
                "in the kernel. Raise the limit of open files (ulimit -n) or lower "
                "--limit-connections.",
                self.address,
                error.strerror,
            )

    def _forget_retry(self) -> None:
        if self._retry is not None:
            self._retry.close()
            self._retry = None

    def __repr__(self) -> str:
        state = "accepting" if self._watcher.active else "not accepting"
        return f"<Listener {self.address} {state} accepted={self.accepted}>"


# Opening the socket...


def open_socket(address: Address, backlog: int) -> _socket.socket:
    """A non-blocking socket that listens on `address`.

    It is the C class: `socket.socket` is gevent's after the patch, and its accept would wait.

    Raises: ListenError, saying what is in the way and the way out.
    """
    try:
        if isinstance(address, FdAddress):
            opened = _adopt(address)
        elif isinstance(address, UnixAddress):
            opened = _bind_unix(address)
        else:
            opened = _bind_tcp(address)
        opened.listen(backlog)
    except OSError as error:
        if isinstance(error, ListenError):
            raise
        raise ListenError(error.errno, _why(address, error)) from error
    opened.setblocking(False)
    return opened


def _bind_tcp(address: TcpAddress) -> _socket.socket:
    family, kind, protocol, _, place = _getaddrinfo(
        address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    opened = _socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Linux and the BSDs hand this on to accepted sockets, which saves a call for each.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.bind(place)
    except OSError:
        opened.close()
        raise
    return opened


def _bind_unix(address: UnixAddress) -> _socket.socket:
    _clear_stale_socket(address)
    opened = _socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.bind(address.path)
    except OSError:
        opened.close()
        raise
    return opened


def _adopt(address: FdAddress) -> _socket.socket:
    fd = os.dup(address.fd)
    try:
        opened = _socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        raise
    if opened.type != socket.SOCK_STREAM:
        opened.close()
        raise ListenError(errno.EINVAL, f"{address} is not a stream socket")
    if opened.family in (socket.AF_INET, socket.AF_INET6):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def _clear_stale_socket(address: UnixAddress) -> None:
    """Remove a socket file that nobody listens on any more; refuse to touch anything else."""
    try:
        mode = os.stat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(
            errno.EEXIST, f"{address.path} exists and is no socket: choose another path"
        )
    probe = _socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe.setblocking(False)  # whoever listens there may be too busy to accept
    try:
        probe.connect(address.path)
    except (ConnectionRefusedError, FileNotFoundError):
        remove_socket_file(address.path)
        return
    except OSError:
        pass  # full, or of another kind, or not for us: somebody's in any case
    finally:
        probe.close()
    raise ListenError(errno.EADDRINUSE, _why(address, OSError(errno.EADDRINUSE, "")))


def remove_socket_file(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # gone already, or not ours to remove


def bound_address(address: Address, bound: _socket.socket) -> Address:
    """The address with the real port, which the system chose when 0 was asked for."""
    if bound.family in (socket.AF_INET, socket.AF_INET6):
        name = bound.getsockname()
        host = address.host if isinstance(address, TcpAddress) and address.host else name[0]
        return TcpAddress(host, name[1])
    return address


def _why(address: Address, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"{address} is in use: another process listens there. Stop it, or choose another "
            + ("path" if isinstance(address, UnixAddress) else "port")
        )
    if error.errno == errno.EACCES:
        return f"{address}: permission denied" + (
            "; ports below 1024 need privileges, choose a higher one"
            if isinstance(address, TcpAddress) and 0 < address.port < 1024
            else ""
        )
    if error.errno == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror):
        return f"{address}: this machine has no such address; 127.0.0.1 and 0.0.0.0 always work"
    return f"cannot listen on {address}: {error.strerror or error}"
