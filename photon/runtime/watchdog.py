"""The watchdog: interrupts a greenlet that computes past its deadline.

Who waits is interrupted by the hub. Who computes keeps the hub from running, so the native thread
of its `pulse` sees that it does not move, and sends the main thread a signal. Python calls the
handler of a signal between two bytecodes *of the greenlet that runs*: there it is known for sure
whose turn it is, and only if that is overdue the handler raises. So no innocent greenlet can be
hit; with `PyThreadState_SetAsyncExc`, the other way to interrupt a computation, the error arrives
at whoever runs by then.

    native thread: has the hub ticked? ── no ──▶ SIGURG ──▶ in the greenlet: overdue? ──▶ raise

What is never interrupted: code of Photon, gevent, logging, threading and imports, whose locks and
lists must not be left half changed (the next knock comes 50 ms later, and finds another line);
what the interpreter calls by itself, `__del__` and the callbacks of the collector, which can raise
nothing to anybody; and C code, which runs no bytecodes.

SIGURG is ignored by default, and so harmless if it comes when nobody expects it. Prior art: the
preemption of goroutines (Go 1.14, runtime/preempt.go and signal_unix.go).
"""

from __future__ import annotations

import _weakrefset
import gc
import logging
import os
import signal
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any

from photon.runtime.cancel import RETELL_S, CancelScope, innermost, shield_around
from photon.runtime.clock import now
from photon.runtime.debug.pulse import STUCK_S, Pulse, Silence, pulsing
from photon.runtime.errors import Cancelled
from photon.runtime.hub import Hub, current_hub, getcurrent
from photon.runtime.whereabouts import where_in

logger = logging.getLogger("photon.runtime")

_NOT_HERE = (
    os.path.dirname(os.path.dirname(__file__)) + os.sep,
    os.sep.join(("", "gevent", "")),
    os.path.dirname(logging.__file__) + os.sep,
    threading.__file__,
    weakref.__file__,
    _weakrefset.__file__,
    "<frozen importlib",
    "<frozen zipimport",
)


class Watchdog:
    """Watches one hub, which has to be the main thread's.

    Attributes: interrupted: how often it did; users: the applications that asked for it.
    """

    def __init__(self, hub: Hub, pulse: Pulse) -> None:
        self._hub = hub
        self._pulse = pulse
        self._knocked: tuple[Any, int, float] | None = None
        self._former: Any = None
        self.interrupted = 0
        self.users = 0

    def begin(self) -> None:
        """Watch, until the last of its users leaves."""
        self._former = signal.signal(signal.SIGURG, self._on_knock)
        # What waits in C code for a file or a lock is to go on with that.
        signal.siginterrupt(signal.SIGURG, False)
        self._pulse.on_stuck.append(self._knock)

    def end(self) -> None:
        """Watch no more."""
        self._hub.watchdog = None
        self._pulse.forget(self._knock)
        signal.signal(signal.SIGURG, signal.SIG_DFL if self._former is None else self._former)

    def _knock(self, silence: Silence) -> None:
        """In a native thread: the hub does not move."""
        if silence.seconds > STUCK_S:
            signal.pthread_kill(self._pulse.thread, signal.SIGURG)

    def _on_knock(self, number: int, frame: FrameType | None) -> None:
        """Python's handler, in the greenlet that runs.   Raises: Cancelled, if it is overdue."""
        stuck_s = self._pulse.silent_s
        if frame is None or stuck_s < STUCK_S or _is_ours(frame):
            return
        greenlet = getcurrent()
        job = getattr(greenlet, "job", None)
        if job is None or self._was_told(job, greenlet.turn) or _is_called_by_nobody(frame):
            return
        place = f"at {where_in(frame)}, which has computed for {stuck_s:.2g} s without a wait"
        error = _overdue(self._hub, greenlet, job, now() - stuck_s, place)
        if error is None:
            return
        self._knocked = (job, greenlet.turn, monotonic())
        self.interrupted += 1
        error.where = place
        _raise_in(frame, error)

    def _was_told(self, job: Any, turn: int) -> bool:
        """Whether it was interrupted already, and has had no time to clean up."""
        if self._knocked is None:
            return False
        last_job, last_turn, moment = self._knocked
        is_same = last_job is job and last_turn == turn
        return is_same and monotonic() - moment < RETELL_S

    def __repr__(self) -> str:
        return f"<Watchdog, {self.interrupted} interrupted>"


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith(_NOT_HERE[0]) or any(part in name for part in _NOT_HERE[1:])


def _is_called_by_nobody(frame: FrameType | None) -> bool:
    """Whether what it raises would be printed, and lost: Python calls it "unraisable"."""
    callbacks = [getattr(callback, "__code__", None) for callback in gc.callbacks]
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_code in callbacks:
            return True
        frame = frame.f_back
    return False


def _overdue(hub: Hub, greenlet: Any, job: Any, stuck_since: float, place: str) -> Cancelled | None:
    """What is to be raised in a greenlet that computes; None if it may go on.

    A child of a nursery is overdue when the nursery's block is, which is told so as well, and where
    the child was: the block itself only waits for it.
    """
    if shield_around(greenlet) is not None:
        return None
    error = _of_job(job, stuck_since)
    if error is not None:
        return error
    scope = _expired_scope(greenlet)
    if scope is not None:
        return scope.expired()
    while (parent := getattr(job, "parent", None)) is not None:
        greenlet, job = parent.greenlet, getattr(parent.greenlet, "job", None)
        if shield_around(greenlet) is not None:
            return None
        error, scope = _of_job(job, stuck_since), _expired_scope(greenlet)
        # Queued before the child's own end, so the block does not take it for done.
        if error is not None:
            error.where = place
            hub.run_soon(hub.carriers.interrupt, greenlet, job, error)
            return Cancelled("deadline", error.reason)
        if scope is not None:
            hub.run_soon(scope.expire)
            return Cancelled("deadline", "the block that it is a child of took too long")
    return None


def _of_job(job: Any, stuck_since: float) -> Cancelled | None:
    ask = getattr(job, "overdue", None)
    return None if ask is None else ask(stuck_since)


def _expired_scope(greenlet: Any) -> CancelScope | None:
    """The outermost of a greenlet's scopes whose time is over."""
    scope, outermost = innermost(greenlet), None
    while scope is not None:
        if scope.is_open and scope.deadline is not None and scope.deadline < now():
            outermost = scope
        scope = scope.outer
    return outermost


def _raise_in(frame: FrameType, error: Cancelled) -> None:
    """Raise `error` at the next instruction of the interrupted frame.

    Raised by the handler of a signal it would count for the instruction before, and CPython looks
    up there which `finally` it has to run: between `try:` and a loop that is none at all.
    """
    if sys.gettrace() is not None:  # a debugger's; raising would take its trace away
        raise error

    def trace(at: FrameType, event: str, argument: object) -> Any:
        if at is not frame:
            return None
        frame.f_trace_opcodes = False
        frame.f_trace = None
        sys.settrace(None)
        raise error

    frame.f_trace = trace
    frame.f_trace_opcodes = True
    sys.settrace(lambda at, event, argument: None)


@contextmanager
def watching() -> Iterator[Watchdog | None]:
    """Have the hub of this thread watched while the block runs.

    Returns: None where signals cannot be handled: not in the main thread, or SIGURG is somebody
        else's. Then who computes is not interrupted.
    """
    hub = current_hub()
    watchdog = hub.watchdog
    if watchdog is None and not _can_be_had():
        logger.info("there is no watchdog: the hub is not in the main thread, or SIGURG is taken")
        yield None
        return
    with pulsing() as pulse:
        if watchdog is None:
            watchdog = hub.watchdog = Watchdog(hub, pulse)
            watchdog.begin()
        watchdog.users += 1
        try:
            yield watchdog
        finally:
            watchdog.users -= 1
            if not watchdog.users:  # of several applications the last one
                watchdog.end()


def _can_be_had() -> bool:
    former = signal.getsignal(signal.SIGURG)
    if former not in (signal.SIG_DFL, signal.SIG_IGN):
        return False
    try:
        signal.signal(signal.SIGURG, former)
    except ValueError:  # not in the main thread
        return False
    return True
