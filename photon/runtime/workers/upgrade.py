"""Another program takes the supervisor's place: same process, same sockets, same workers.

`execve` keeps the process id, so systemd, a pid file and whoever waits for it see nothing of it;
and the children stay its children. What the new program needs to know is written into memory that
it inherits. The signals that might come in between are held back until it handles them.

Before that the new program has to show that it can: it is started beside, loads the application,
and says so by its exit code.

Prior art: nginx's and gunicorn's USR2, which start a second master beside the first.
"""

from __future__ import annotations

import _socket
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import IO

import msgspec
from gevent import monkey

from photon.runtime.workers.board import READY, Board
from photon.runtime.workers.orders import Member
from photon.runtime.workers.settings import TRIAL
from photon.runtime.workers.supervisor import Supervisor

_TAKE_OVER = "PHOTON_TAKE_OVER"

_HELD = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


# gevent's would make a hub to wait for the child, which ends the process if descriptors ran out.
_spawn: Callable[..., int] = monkey.get_original("os", "posix_spawn")


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""  # it was removed


# What is on the command line is relative to it; an application that is preloaded may leave it.
_began_in = _current_folder()


class _Kept(msgspec.Struct):
    """A worker.   Attributes: link: a descriptor; -1 for one that was cut off, and is leaving."""

    pid: int
    slot: int
    row: int
    generation: int
    budget_s: float
    link: int
    state: int = READY
    why: str = ""
    kill_in_s: float | None = None


class Inheritance(msgspec.Struct):
    """What the program before left.

    Attributes: sockets, board, others: descriptors; size: workers that were wanted.
    """

    sockets: list[int]
    board: int
    size: int
    workers: list[_Kept]
    others: dict[str, int] = {}


def start_trial() -> int:
    """Start this program anew, as a trial.   Returns: its pid."""
    environment = {**os.environ, TRIAL: "1"}
    with _where_we_began():
        # Its signals shall be as if nobody had meant anything by them.
        return _spawn(sys.executable, _arguments(), environment, setsigdef=_HELD, setsigmask=())


def inheritance() -> Inheritance | None:
    """What the program before left; None for the first of all."""
    descriptor = os.environ.pop(_TAKE_OVER, "")
    if not descriptor:
        return None
    with os.fdopen(int(descriptor), "rb") as file:
        file.seek(0)
        return msgspec.json.decode(file.read(), type=Inheritance)


def become_new(
    supervisor: Supervisor,
    sockets: Iterable[_socket.socket],
    others: dict[str, int],
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run this program anew in the place of this one; returns only if that fails.

    Args: others: descriptors by name; environment: variables that only it is to have.
    Raises: OSError.
    """
    links = {pid: wire.end.fileno() for pid, wire in supervisor.wires.items()}
    kept = [
        _kept(member, links.get(member.pid, -1), monotonic())
        for member in supervisor.fleet.members.values()
    ]
    left = Inheritance(
        [each.fileno() for each in sockets],
        supervisor.board.descriptor,
        supervisor.fleet.size,
        kept,
        others,
    )
    with _memory() as file, _where_we_began():
        file.write(msgspec.json.encode(left))
        file.flush()
        inherited = [
            file.fileno(),
            left.board,
            *left.sockets,
            *links.values(),
            *others.values(),
        ]
        for descriptor in inherited:
            os.set_inheritable(descriptor, True)
        former = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        its = {**os.environ, **(environment or {}), _TAKE_OVER: str(file.fileno())}
        try:
            os.execve(sys.executable, _arguments(), its)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
            for descriptor in inherited:
                os.set_inheritable(descriptor, False)


def _kept(member: Member, link: int, now: float) -> _Kept:
    return _Kept(
        pid=member.pid,
        slot=member.slot,
        row=member.row,
        generation=member.generation,
        budget_s=member.budget_s,
        link=link,
        state=member.state,
        why=member.why,
        kill_in_s=None if member.kill_at is None else member.kill_at - now,
    )


@contextmanager
def _where_we_began() -> Iterator[None]:
    left = _current_folder()
    try:
        if _began_in:
            os.chdir(_began_in)
        yield
    finally:
        if left:
            os.chdir(left)


def _memory() -> IO[bytes]:
    """A file that needs no folder: a container may have none that can be written."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("photon-inheritance"), "w+b")
    return tempfile.TemporaryFile()


def _arguments() -> list[str]:
    return [sys.executable, *sys.orig_argv[1:]]


def take_over(left: Inheritance, supervisor: Supervisor, now: float) -> None:
    """Have `supervisor` go on with the workers of the program before."""
    for kept in left.workers:
        member = Member(
            pid=kept.pid,
            slot=kept.slot,
            row=kept.row,
            generation=kept.generation,
            state=kept.state,
            since=now,
            budget_s=kept.budget_s,
            why=kept.why,
            kill_at=None if kept.kill_in_s is None else now + kept.kill_in_s,
        )
        supervisor.adopt(member, None if kept.link < 0 else _inherited_link(kept.link))


def _inherited_link(descriptor: int) -> _socket.socket:
    os.set_inheritable(descriptor, False)
    end = _socket.socket(fileno=descriptor)
    end.setblocking(False)
    return end


def inherited_board(left: Inheritance) -> Board:
    """The board of the program before."""
    os.set_inheritable(left.board, False)
    return Board(left.board)
