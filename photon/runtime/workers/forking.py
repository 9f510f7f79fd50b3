"""A fork after which the child is on its own from the first moment on.

What the parent does at signals, and what it has printed and not written yet, is not for the child.

Sources: fork(2); multiprocessing's popen_fork, which flushes as well.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable

from gevent import monkey

_fork: Callable[[], int] = monkey.get_original("os", "fork")
# gevent's own makes a hub for SIGCHLD, which takes descriptors, and a supervisor's children none.
_signal: Callable[..., object] = monkey.get_original("signal", "signal")

# What a supervisor handles, or might have ignored.
_RESET = ("HUP", "INT", "TERM", "QUIT", "USR1", "USR2", "TTIN", "TTOU", "CHLD", "PIPE", "WINCH")


def fork() -> int:
    """Fork this process.

    Signals mean in the child what they mean to any process, but for those of a terminal: its
    parent gets them too, and decides.

    Returns: the child's pid; 0 in the child.   Raises: OSError, when there can be no more.
    """
    _flush_output()
    # A signal that reached the child while it still has the handlers and the pipe of the parent
    # would be written there, and the parent would take it for its own: a SIGTERM for one worker
    # that was just forked would end them all.
    former = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        pid = _fork()
        if not pid:
            _begin_as_child()
        return pid
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _flush_output() -> None:
    """Write what was printed: or each child would write it again at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # there is none, nobody reads it, it is closed


def _begin_as_child() -> None:
    """Have its own signals, or end: what goes on in here as the parent would be a second one."""
    try:
        _have_own_signals()
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _have_own_signals() -> None:
    signal.set_wakeup_fd(-1)
    for name in _RESET:
        _signal(getattr(signal, f"SIG{name}"), signal.SIG_DFL)
    _signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python has it
    for which in (signal.SIGINT, signal.SIGHUP):
        _signal(which, _leave_to_parent)


def _leave_to_parent(number: int, frame: object) -> None:
    """A handler, and not SIG_IGN, which programs that the child starts would inherit."""
