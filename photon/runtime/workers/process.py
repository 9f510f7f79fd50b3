"""A worker as a process: forked, and from the first moment on its own.

Forked and not started anew, so that what the supervisor has imported, the whole of Photon, is there
at once and its pages are shared. What the parent had open is not for the child.

Prior art: gunicorn's workers/base.py `init_process`; multiprocessing's popen_fork.
"""

from __future__ import annotations

import _socket
import atexit
import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from photon.runtime.debug.faults import register_traceback
from photon.runtime.workers.board import Board
from photon.runtime.workers.forking import fork
from photon.runtime.workers.link import Link


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
    try:
        pid = fork()
    except OSError:
        ours.close()
        theirs.close()
        os.close(traces)
        os.close(their_traces)
        raise
    if pid:
        theirs.close()
        os.close(their_traces)
        return pid, ours, traces
    code = 1
    try:
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
