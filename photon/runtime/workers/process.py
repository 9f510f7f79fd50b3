"""A worker as a process: forked, and from the first moment on its own.

Forked and not started anew, so that what the supervisor has imported, the whole of Photon, is there
at once and its pages are shared. What the parent had open, and its handlers of signals, are not for
the child.

Sources: fork(2); gunicorn's workers/base.py `init_process`; multiprocessing's popen_fork.
"""

from __future__ import annotations

import _socket
import atexit
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from gevent import monkey
from msgspec import Struct

from photon.runtime.debug.faults import register_traceback
from photon.runtime.workers.board import Board
from photon.runtime.workers.link import Link

_fork = monkey.get_original("os", "fork")

# What the supervisor handles, or might have ignored.
_RESET = ("HUP", "INT", "TERM", "QUIT", "USR1", "USR2", "TTIN", "TTOU", "CHLD", "PIPE", "WINCH")


class Post(Struct, eq=False):
    """What a worker is given.

    Attributes:
        slot, generation: see `fleet.Member`.
        row: its cells on the board.
        board: everybody's.
        broken: why it should only show an error; "" for a worker that serves.
    """

    slot: int
    generation: int
    link: Link
    board: Board
    row: memoryview
    broken: str = ""


Work = Callable[[Post], int]
"""What a worker does, until it returns its exit code."""


def fork_worker(
    work: Work,
    board: Board,
    row: int,
    slot: int,
    generation: int,
    *,
    broken: str = "",
    close: Iterable[Any] = (),
    cpu: int | None = None,
) -> tuple[int, _socket.socket, int]:
    """Fork a worker. In the child this never returns.

    Args:
        close: what the parent has open and the child must not: has `close()`.
        cpu: the one it shall stay on.
    Returns: its pid, the parent's end of the link, and a pipe for `debug.faults`: there the worker
        writes where it is, at a signal.
    Raises: OSError, when there can be no more processes or descriptors.
    """
    ours, theirs = _pair()
    traces, their_traces = os.pipe()
    os.set_blocking(traces, False)
    # A signal that reached the child while it still has the handlers and the pipe of the parent
    # would be written there, and the parent would take it for its own: a SIGTERM for one worker
    # that was just forked would end them all.
    former = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = _fork()
    except OSError:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
        ours.close()
        theirs.close()
        os.close(traces)
        os.close(their_traces)
        raise
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
        theirs.close()
        os.close(their_traces)
        return pid, ours, traces
    code = 1
    try:
        _have_own_signals(former)
        ours.close()
        os.close(traces)
        for each in close:
            each.close()
        register_traceback(their_traces)
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        code = work(Post(slot, generation, Link(theirs), board, board.row(row), broken))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1 if error.code else 0
    except BaseException:
        traceback.print_exc()
    finally:
        _leave(code)
    raise AssertionError("unreachable")


def _have_own_signals(mask: set[Any]) -> None:
    signal.set_wakeup_fd(-1)
    for name in _RESET:
        signal.signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has it
    for which in (signal.SIGINT, signal.SIGHUP):  # a terminal's, which the supervisor gets too
        signal.signal(which, _leave_to_supervisor)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _leave_to_supervisor(number: int, frame: object) -> None:
    """A handler, and not SIG_IGN, which programs that the application starts would inherit."""


def _leave(code: int) -> None:
    """End this process, and not what is around the fork in the parent's code."""
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        pass  # a pipe that nobody reads any more
    finally:
        os._exit(code)


def _pair() -> tuple[_socket.socket, _socket.socket]:
    # The C class: `socket.socketpair` is gevent's after the patch, and would make a hub.
    ours, theirs = _socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    return ours, theirs
