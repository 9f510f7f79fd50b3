"""Starting work beside the caller: `spawn`, `sleep`, `checkpoint`."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Generic, Literal, ParamSpec, TypeVar

from gevent import monkey

from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, HandleCancelled
from photon.runtime.hub import current_hub, existing_hub, getcurrent

P = ParamSpec("P")
T = TypeVar("T")

_block = monkey.get_original("time", "sleep")

State = Literal["pending", "running", "done", "failed", "cancelled"]


class Handle(Generic[T]):
    """A function that was spawned: ask for its state or result, wait for it, or cancel it.

    Attributes: name: of the function; state: pending, running, done, failed or cancelled.
    """

    __slots__ = (
        "_call",
        "_carrier",
        "_context",
        "_error",
        "_hub",
        "_result",
        "_waiters",
        "name",
        "state",
    )

    def __init__(self, call: Callable[[], T], name: str) -> None:
        self.name = name
        self.state: State = "pending"
        self._call: Callable[[], T] | None = call
        # As asyncio does, and gevent does not: what was set before is seen by the child.
        self._context = copy_context()
        self._hub = current_hub()
        self._carrier: Carrier | None = None
        self._result: T | None = None
        self._error: BaseException | None = None
        self._waiters: list[Any] = []

    @property
    def result(self) -> T:
        """What the function returned.

        Raises: what the function raised; HandleCancelled; RuntimeError while it still runs.
        """
        if isinstance(self._error, Cancelled):
            # Not the Cancelled itself: it was meant for that function, and not for who asks.
            raise HandleCancelled(f"{self!r} has no result: {self._error}") from self._error
        if self._error is not None:
            raise self._error
        if self.state != "done":
            raise RuntimeError(f"{self!r} has no result yet; join() waits for it")
        return self._result  # type: ignore[return-value]  # set when done

    @property
    def error(self) -> BaseException | None:
        """What the function raised; None while it runs and when it returned."""
        return self._error

    def join(self) -> None:
        """Wait until the function is over, however it ended. Bound it with `move_on_after`."""
        if self.state in ("pending", "running"):
            me = getcurrent()
            self._waiters.append(me)
            try:
                while self.state in ("pending", "running"):
                    self._hub.park()
            finally:
                self._waiters.remove(me)

    def cancel(self, reason: str = "") -> None:
        """Raise `Cancelled` in the function where it waits; nothing when it is over."""
        if self.state == "pending":
            self._end("cancelled", Cancelled("scope", reason))
        elif self.state == "running":
            self._hub.run_soon(self._interrupt, Cancelled("scope", reason))

    def _interrupt(self, error: Cancelled) -> None:
        if self._carrier is not None:
            self._hub.carriers.interrupt(self._carrier, self, error)

    def run(self) -> None:
        """Run the function. A carrier's job."""
        if self.state != "pending":  # cancelled before it began
            return
        self.state = "running"
        self._carrier = getcurrent()
        assert self._call is not None
        try:
            self._result = self._context.run(self._call)
        except Cancelled as error:
            self._end("cancelled", error)
        except BaseException as error:
            self._end("failed", error)
            raise
        else:
            self._end("done", None)

    def on_parked(self, carrier: Carrier) -> None:
        """It waits; `cancel` finds the carrier by itself."""

    def _end(self, state: State, error: BaseException | None) -> None:
        self.state = state
        self._error = error
        self._call = self._carrier = None
        for waiter in self._waiters:
            self._hub.run_soon(self._wake, waiter)

    def _wake(self, waiter: Any) -> None:
        # It may have been interrupted since, and wait for something else now.
        if waiter in self._waiters:
            waiter.switch()

    def __repr__(self) -> str:
        return f"<Handle {self.name} {self.state}>"


def spawn(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Handle[T]:
    """Run `fn(*args, **kwargs)` in a greenlet of its own, from the next time the caller waits.

    It sees the caller's context variables as they are now. What it raises is logged, and kept in
    the handle. A server that stops does not wait for it.

    Returns: a `Handle`.
    """

    def call() -> T:
        return fn(*args, **kwargs)

    handle = Handle(call, getattr(fn, "__qualname__", repr(fn)))
    handle._hub.carriers.submit(handle)
    return handle


def sleep(seconds: float) -> None:
    """Wait `seconds`, while everything else goes on. Interruptible.

    After the patch this is `time.sleep`, too.   Raises: ValueError, for a negative number.
    """
    if not seconds > 0:
        if seconds != 0:  # less, or nan
            raise ValueError(f"sleep length must be a non-negative number, not {seconds!r}")
        return checkpoint()
    hub = existing_hub()
    if hub is None:
        # A native thread: there is nobody else to let in, and a loop of its own costs two
        # descriptors, without which libev aborts the process.
        _block(seconds)
        return None
    # PERF: a libev timer of its own: 6 us a round trip, where an entry in `Deadlines` takes 7
    # (Python's heap is slower than libev's) and gevent.sleep 8.
    timer = hub.loop.timer(seconds)
    # update: libev counts from its cached time, which a busy hub lets grow old.
    timer.start(getcurrent().switch, update=True)
    try:
        hub.park()
    finally:
        timer.close()


def sleep_forever() -> None:
    """Wait until interrupted."""
    while True:
        current_hub().park()


def checkpoint() -> None:
    """Let every other greenlet that is ready run first, and be interruptible for a moment.

    For long computations: call it every few milliseconds.
    """
    # A timer, and no callback: gevent runs up to 50 callbacks that were added meanwhile before it
    # looks at sockets and timers again, so that one checkpoint after the other would let nobody in.
    hub = current_hub()
    timer = hub.loop.timer(0.0)
    timer.start(getcurrent().switch, update=True)
    try:
        hub.park()
    finally:
        timer.close()


class Turn:
    """Keeps a loop that may never wait from keeping the hub to itself.

    turn = Turn()
    for piece in pieces:
        send(piece)
        turn.give_way()
    """

    __slots__ = ("_began",)

    # Nobody notices a pause of 5 ms; it is also how long CPython lets a thread run.
    LONGEST_S = 0.005

    def __init__(self) -> None:
        self._began = now()

    @property
    def is_over(self) -> bool:
        """Whether others should be let in."""
        return now() - self._began > self.LONGEST_S

    def give_way(self) -> None:
        """Let others in, if this turn was a long one."""
        if self.is_over:
            checkpoint()
            self._began = now()
