"""What a block leaves behind: greenlets, timers, connections, threads.

    with no_leaks():
        page = client.get("/")

What is there before the block is no business of it. At its end all that came since must be over;
what is just ending is given some rounds of the hub, and then half a second. The message has a line
for each thing that is left: what it is, where it waits, where it came from, and the way out.

    kind          found in
    greenlet      hub.carriers: those that run a job; and what gevent started since
    timer         photon.tasks.timers, hub.deadlines, hub.sweep
    connection    hub.sweep, since each has a time-out; and sockets, where there is /proc/self/fd
    thread        threading

For pytest there is the ini option `photon_leaks`, and a fixture: see `plugin`.
"""

from __future__ import annotations

import _socket
import gc
import os
import threading
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakSet

from photon.http.protocol.fast import ReadyHeads
from photon.http.server.connection import Connection
from photon.runtime.carriers import Carrier
from photon.runtime.deadlines import Deadline
from photon.runtime.greenlets import checkpoint, sleep
from photon.runtime.handle import Handle
from photon.runtime.hub import Hub, existing_hub, getcurrent
from photon.runtime.source import place_of, shown_path
from photon.runtime.tracing import telling_starts
from photon.runtime.whereabouts import where
from photon.tasks.periods import spoken
from photon.tasks.timers import Timer, pending_timers

__all__ = ["LeakWatch", "no_leaks"]

# What is ending ends within some rounds of the hub, or when the kernel has told the other side.
_ROUNDS = 20
_PAUSES = 50
_PAUSE_S = 0.01

# One thing that could be left: what tells it from others, and what makes its line.
Found = tuple[Any, Callable[[], str]]


@contextmanager
def no_leaks() -> Iterator[LeakWatch]:
    """A block that must leave nothing behind in this thread.

    Raises: AssertionError, which names what is left; not when the block itself raised.
    """
    __tracebackhide__ = True
    with watching_leaks() as watch:
        yield watch
        watch.check()


@contextmanager
def watching_leaks() -> Iterator[LeakWatch]:
    """As `no_leaks`, for who looks by himself."""
    watch = LeakWatch()
    with telling_starts(watch.note_start):
        yield watch


class LeakWatch:
    """What was there at a moment, and what came since."""

    def __init__(self) -> None:
        self._started: WeakSet[Any] = WeakSet()
        # Held, so that no other thing can come by the same identity.
        self._before: dict[Hashable, object] = dict(self._look())

    def note_start(self, greenlet: Any) -> None:
        """gevent started one."""
        self._started.add(greenlet)

    def forget(self) -> None:
        """What is there now is no business of the block."""
        self._before.update(self._look())

    def check(self) -> None:
        """Raises: AssertionError, which names what is left."""
        __tracebackhide__ = True
        left = self.left()
        if left:
            lines = "\n".join(f"  {line}" for line in left)
            raise AssertionError(f"{len(left)} left behind:\n{lines}")

    def left(self) -> list[str]:
        """A line for each thing that is left, after some time to end."""
        for turn in range(_ROUNDS + _PAUSES):
            if not self._new():
                return []
            if turn == _ROUNDS:
                gc.collect()  # what is held by a cycle alone
            hub = existing_hub()
            if turn < _ROUNDS and hub is not None:
                checkpoint()
            else:
                pause(hub, _PAUSE_S)
        return [line() for line in self._new()]

    def _new(self) -> list[Callable[[], str]]:
        new: dict[Hashable, Callable[[], str]] = {}
        for key, line in self._look():
            if key not in self._before:
                new.setdefault(key, line)  # a connection with a handler is one thing
        return list(new.values())

    def _look(self) -> Iterator[Found]:
        threads = [thread for thread in threading.enumerate() if _is_made(thread)]
        yield from ((thread, partial(_tell_thread, thread)) for thread in threads)
        # After the patch a thread is a greenlet, whose identity is the thread's.
        idents = {thread.ident for thread in threads}
        for greenlet in list(self._started):
            if not greenlet.dead and id(greenlet) not in idents:
                yield greenlet, partial(_tell_gevents, greenlet)
        raw: set[int] = set()
        hub = existing_hub()
        if hub is not None:
            yield from _greenlets(hub)
            yield from _timers(hub)
            for connection in _connections(hub):
                raw.add(_fileno(connection))
                yield connection, partial(_tell_connection, connection)
        yield from _sockets(raw)

    def __repr__(self) -> str:
        return f"<LeakWatch new={len(self._new())}>"


def pause(hub: Hub | None, seconds: float) -> None:
    """Let real time pass, though a clock may be moved by hand."""
    if hub is None:
        sleep(seconds)
        return
    timer = hub.loop.timer(seconds)
    timer.start(getcurrent().switch, update=True)
    try:
        hub.park()
    finally:
        timer.close()


# Greenlets...


def _greenlets(hub: Hub) -> Iterator[Found]:
    for carrier in hub.carriers.all:
        job = carrier.job
        if job is not None:
            tell = _tell_handler if isinstance(job, Connection) else _tell_greenlet
            yield job, partial(tell, carrier)

    for job in [*hub.carriers.ready, *hub.carriers._submitted]:
        yield job, partial("greenlet: {!r} has not begun; join() or cancel() it".format, job)


def _tell_greenlet(carrier: Carrier) -> str:
    job: Any = carrier.job
    spawned = ""
    if isinstance(job, Handle) and job.spawned_at:
        file, line, function = job.spawned_at[0]
        spawned = f", spawned at {shown_path(file)}:{line} in {function}"
    return (
        f"greenlet: {getattr(job, 'name', repr(job))} waits{_at(carrier)}{spawned};"
        " join() or cancel() its handle, or spawn it in a nursery"
    )


def _tell_handler(carrier: Carrier) -> str:
    return (
        f"greenlet: the handler of {carrier.job!r} waits{_at(carrier)};"
        " read the whole response, or close the client"
    )


def _tell_gevents(greenlet: Any) -> str:
    return f"greenlet: {greenlet!r} of gevent's waits{_at(greenlet)}; join() or kill() it"


def _at(greenlet: Any) -> str:
    place = where(greenlet)
    return f" at {place}" if place else ""


# Timers...


def _timers(hub: Hub) -> Iterator[Found]:
    for timer in pending_timers():
        yield timer, partial(_tell_timer, timer)
    for deadline in hub.deadlines.pending:
        owner = _owner_of(deadline)
        # Those of a greenlet that waits, of a timer or a handle go with them, and a server's Date
        # with its second.
        waits = getattr(owner, "greenlet", None) is not None and getattr(owner, "is_open", True)
        if not waits and not isinstance(owner, (Timer, Handle, ReadyHeads)):
            yield deadline, partial(_tell_deadline, deadline)
    for subject in hub.sweep.subjects:
        if not isinstance(subject, Connection):
            yield subject, partial(_tell_subject, subject)


def _owner_of(deadline: Deadline) -> object:
    callback: Any = deadline.callback
    while isinstance(callback, partial):
        callback = callback.func
    return getattr(callback, "__self__", None)


def _tell_timer(timer: Timer) -> str:
    due = spoken(timer.due_in_s)
    return f"timer: {timer.name} is due in {due}, asked for at {timer._place!r}; cancel() it"


def _tell_deadline(deadline: Deadline) -> str:
    callback: Any = deadline.callback
    while isinstance(callback, partial):
        callback = callback.func
    name = getattr(callback, "__qualname__", type(callback).__qualname__)
    return f"timer: {deadline!r} calls {name} ({place_of(callback)}); cancel() it"


def _tell_subject(subject: object) -> str:
    return f"timer: {subject!r} has a time-out that is not over; close it"


# Connections...


_CLOSE = "close it, or use it in a `with`"


def _connections(hub: Hub) -> list[Connection]:
    return [subject for subject in hub.sweep.subjects if isinstance(subject, Connection)]


def _fileno(connection: Connection) -> int:
    fileno = getattr(connection.raw, "fileno", None)  # one in memory has none
    return -1 if fileno is None else int(fileno())


def _tell_connection(connection: Connection) -> str:
    return f"connection: {connection!r} is open; close its client, or its server"


def _sockets(without: set[int]) -> Iterator[Found]:
    try:
        names = os.listdir("/proc/self/fd")
    except OSError:  # another system
        return
    for name in names:
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # it was that of the list itself
            continue
        if target.startswith("socket:") and int(name) not in without:
            yield target, partial(_tell_socket, int(name))


def _tell_socket(number: int) -> str:
    try:
        # A copy of the descriptor, since this one closes what it is given.
        twin = _socket.socket(fileno=os.dup(number))
    except OSError:
        return f"connection: the socket {number} was open; {_CLOSE}"
    try:
        if twin.getsockopt(_socket.SOL_SOCKET, _socket.SO_ACCEPTCONN):
            place = _name(twin.getsockname)
            return f"connection: the socket {number} listens{place}; stop its server"
        names = _name(twin.getsockname), _name(twin.getpeername, " to")
    finally:
        twin.close()
    return f"connection: the socket {number}{''.join(names)} is open; {_CLOSE}"


def _name(ask: Callable[[], Any], word: str = " at") -> str:
    try:
        address = ask()
    except OSError:
        return ""
    if isinstance(address, tuple):
        return f"{word} {address[0]}:{address[1]}"
    return f"{word} {address!r}" if address else ""


# Threads...


def _is_made(thread: threading.Thread) -> bool:
    """Whether somebody started it who can be asked to end it."""
    # A greenlet that asked for its name (logging does) gets one that stands for it; pytest-timeout
    # has one per test.
    is_dummy = isinstance(thread, threading._DummyThread)
    return not is_dummy and not thread.name.startswith("pytest_timeout ")


def _tell_thread(thread: threading.Thread) -> str:
    kind = "daemon thread" if thread.daemon else "thread"
    return f"{kind}: {thread.name} still runs; join() it"
