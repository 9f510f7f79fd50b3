"""What a process that serves is, once the application has forked it: no second server.

`multiprocessing` forks, and so do a pool of processes and `os.fork`. The child has a copy of all:
of the hub with the greenlets of other requests, of the listening socket, of all clients, of the
handlers of signals. If it only slept for a moment, it would accept connections, answer clients of
its parent, do the rest of their handlers once more, and pass on signals that are meant for itself.
So the hub is left behind before anything of that can run, and what belongs to the server is closed.
The greenlet that forked goes on alone, with a new hub as soon as it waits.

    parent:  hub ── greenlets, listener, clients          child:  the greenlet that forked
                                                                  └─ a new hub

Source: gevent only prepares the hub it has (`gevent.hub.reinit`); of libev, `ev_loop_destroy`
closes what the child has of epoll, and leaves the parent's alone.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from gevent import monkey
from gevent._hub_local import get_hub_if_exists, set_hub, set_loop
from greenlet import getcurrent, greenlet

_HANDLED = (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP, signal.SIGINT)

_get_ident: Callable[[], int] = monkey.get_original("_thread", "get_ident")

_masks: dict[int, set[int]] = {}  # of the threads that fork just now
_not_for_children: WeakKeyDictionary[Any, Callable[[Any], object]] = WeakKeyDictionary()
_left_behind: list[object] = []  # never collected: that would end the greenlets, in their handlers


def keep_from_children(owner: object, let_go: Callable[[Any], object]) -> None:
    """Have a child that is forked call `let_go(owner)`, and leave the hub behind.

    Args: let_go: closes descriptors, and does not touch the hub: there is none.
    """
    _not_for_children[owner] = let_go


def children_may_have(owner: object) -> None:
    """It is over: a fork is none of its concern any more."""
    _not_for_children.pop(owner, None)


def _hold_signals() -> None:
    """Until the child has handlers of its own: one that came sooner would be for the parent."""
    if _not_for_children:
        _masks[_get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)


def _go_on_as_parent() -> None:
    mask = _masks.pop(_get_ident(), None)
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _begin_as_child() -> None:
    if not _not_for_children:
        return  # this process serves nobody
    _have_own_signals()
    _go_on_as_parent()
    _leave_hub()
    for owner, let_go in list(_not_for_children.items()):
        _left_behind.append(owner)
        let_go(owner)
    _not_for_children.clear()


def _have_own_signals() -> None:
    # The numbers of signals go into a pipe that the parent reads.
    signal.set_wakeup_fd(-1)
    for which in _HANDLED:
        if callable(signal.getsignal(which)):
            default = signal.default_int_handler if which is signal.SIGINT else signal.SIG_DFL
            signal.signal(which, default)


def _leave_hub() -> None:
    native = get_hub_if_exists()
    if native is None:
        return  # a native thread has forked
    forked = getcurrent()
    hub = getattr(native, "photon_hub", None)
    _left_behind.extend((native, native.loop, forked, hub))
    set_hub(None)
    set_loop(None)
    native.loop.destroy()
    if hub is not None:
        hub.park = _came_back
        hub.carriers.ready.clear()
        hub.carriers.max_idle = -1  # who forked ends with its job
    main = forked
    while main.parent is not None:
        main = main.parent
    if forked is not main:
        # What is behind it is the hub, in the middle of a loop that is no more.
        forked.parent = greenlet(_came_back, main)


def _came_back(*results: object) -> None:
    sys.stderr.write(
        f"process {os.getpid()} was forked by a request, and ends, as it would answer it a second "
        "time: end such a child with os._exit()\n"
    )
    os._exit(1)


os.register_at_fork(
    before=_hold_signals, after_in_parent=_go_on_as_parent, after_in_child=_begin_as_child
)
