"""`cancel_everywhere`: a function is run once per place where it waits, and cancelled there.

    def transfer():
        with account.lock:
            payment.book(50)

    cancel_everywhere(transfer, before=account.reset, check=account.must_balance)

Whoever waits can be interrupted: a client leaves, a deadline passes, a nursery fails. Few programs
are ever tested for that, since nobody can write a test per line. Here the first run, which nobody
disturbs, counts the moments at which something waits; then the function is run again for each of
them, and at that moment `Cancelled` is raised where it waits, as by a client that leaves.

A moment is when any greenlet of this thread parks or ends while `fn` is on its way: `fn`
itself, a child in its nursery, the handler that serves its request, who holds the lock it
waits for. So a function that waits once, for a lock that changes hands three times meanwhile, is
cancelled at each of these. The cancel comes before whatever was about to wake `fn`: in that gap
permits get lost.

Time is what it is: a run that sleeps for a second takes a second, and the next one, too. With a
`Clock` (or the fixture `clock`) it takes none: whenever all wait the clock is moved to the next
moment at which something is due. What comes from outside of the hub (the network, native threads)
is not waited for then, so functions that use it are tested without.

Runs have to be alike. `before` makes the state that they begin with; under `shuffled` each run has
the same order.

Prior art: CHESS (Musuvathi et al.), which tries each schedule; trio's tests of its own channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

from photon.runtime.carriers import Carrier
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint
from photon.runtime.handle import Handle, start
from photon.runtime.hub import Hub, current_hub, getcurrent
from photon.runtime.tracing import telling_switches
from photon.runtime.whereabouts import spot_of, told, where
from photon.testing.clock import Clock
from photon.testing.leaks import pause, watching_leaks
from photon.testing.scheduling import alike

__all__ = ["cancel_everywhere"]

# After it was given up a function is told once more, so that the next test may have some peace.
_ROUNDS_AFTER = 20
_PAUSE_S = 0.01


def cancel_everywhere(
    fn: Callable[..., object],
    /,
    *args: Any,
    before: Callable[[], object] | None = None,
    check: Callable[[], object] | None = None,
    strict: bool = False,
    patience_s: float = 5.0,
    limit: int = 10_000,
) -> list[str]:
    """Run `fn(*args)` once undisturbed, and once for each moment at which it waits, cancelled then.

    After each run all must be well: the function ended, with nothing but the cancel; it left
    nothing behind (`no_leaks`); `check` is content.

    Args:
        before: called before each run, to make the state that it begins with.
        check: called after each run; raises when something is wrong.
        strict: whether a function that swallows the cancel and returns is wrong, too. One may be
            told too late, when its last wait was over.
        patience_s: how long it may take to end once it is cancelled, and how long nothing may
            happen before that; of the clock that is moved by hand, if there is one.
        limit: moments at most.
    Returns: where it was cancelled, such as "shop/pay.py:12 in pay, while shop/pay.py:30 in book",
        one per run.
    Raises: AssertionError, which names the place and what is wrong, with the error as its cause;
        what `fn` raises when nobody disturbs it.
    """
    __tracebackhide__ = True
    name = getattr(fn, "__qualname__", None) or repr(fn)

    def attempt(moment: int) -> _Run:
        __tracebackhide__ = True
        if before is not None:
            before()
        run = _Run(fn, args, moment, patience_s, limit)
        with watching_leaks() as watch:
            run.go()
            run.judge(name, strict)
            left = watch.left()
            if left:
                lines = "\n".join(f"  {line}" for line in left)
                raise AssertionError(f"{run.told(name)} left {len(left)} behind:\n{lines}")
        if check is not None:
            try:
                check()
            except Exception as error:
                why = str(error) or type(error).__name__
                raise AssertionError(f"{run.told(name)} fails its check: {why}") from error
        return run

    undisturbed = attempt(0)
    places = []
    for moment in range(1, undisturbed.moments + 1):
        run = attempt(moment)
        if run.place:
            places.append(run.place)
    return places


class _Run:
    """One run of the function, in a greenlet of its own; the owner of its handle.

    Attributes:
        moments: how many there were.
        place: where it was cancelled; "" when it was not.
    """

    def __init__(
        self,
        fn: Callable[..., object],
        args: tuple[Any, ...],
        moment: int,
        patience_s: float,
        limit: int,
    ) -> None:
        self.moments = 0
        self.place = ""
        self._moment = moment
        self._patience_s = patience_s
        self._limit = limit
        self._hub: Hub = current_hub()
        self._handle: Handle[object] = start(self._hub, self, fn, args, {})
        self._carrier: Carrier | None = None
        self._runner = getcurrent()
        self._is_parked = False
        self._is_due = False
        self._cancelled_at = inf
        self._beside = ""  # who else came to wait at that moment
        self._given_up = ""  # why

    def go(self) -> None:
        """Run it until it is over, or is given up."""
        with (
            alike(self._hub),
            self._run_soon_taken(),
            telling_switches(self._on_switch),
        ):
            self._hub.carriers.submit(self._handle)
            try:
                clock = self._hub.timers
                if isinstance(clock, Clock):
                    self._move(clock)
                else:
                    self._wait()
            except BaseException:
                self._give_up("its test was interrupted")
                raise
            finally:
                if not self._handle.is_over:
                    self._handle.cancel("cancel_everywhere gave it up")
                    for _ in range(_ROUNDS_AFTER):
                        checkpoint()

    def judge(self, name: str, strict: bool) -> None:
        """Raises: AssertionError, when it did not end as it should; what it raised undisturbed."""
        __tracebackhide__ = True
        if self._given_up:
            raise AssertionError(f"{self.told(name)} {self._given_up}")
        handle = self._handle
        if not self.place:
            _ = handle.result
        elif handle.state == "failed":
            error = handle.error
            raise AssertionError(
                f"{self.told(name)} ended with {type(error).__name__}: {error}"
            ) from error
        elif strict and handle.state == "done":
            raise AssertionError(f"{self.told(name)} swallowed that: it returned {handle.result!r}")

    def told(self, name: str) -> str:
        """The begin of a sentence."""
        if not self.place:
            return f"{name}, which nobody cancelled,"
        return f"{name}, cancelled at {self.place} (moment {self._moment}),"

    # Moments...

    def _on_switch(self, origin: Any, target: Any) -> None:
        """After each switch, in the target."""
        if target is not self._hub.native or origin is self._runner:
            return
        if self._handle.state != "running":
            return
        if getattr(origin, "job", None) is self._handle:
            self._carrier = origin
        self.moments += 1
        if self.moments == self._moment:
            self._is_due = True
            self._beside = self._place_beside(origin)
            self._hub.loop.run_callback(self._deliver)
        elif self.moments == self._limit + 1:
            self._give_up(f"waits more often than {self._limit} times, which is the limit")

    def _deliver(self) -> None:
        """In the hub: this is the moment."""
        if not self._is_due:
            return
        self._is_due = False
        carrier = self._carrier
        if carrier is not None and self._handle.state == "running":
            self.place = f"{told(spot_of(carrier))}{self._beside}"
            self._cancelled_at = now()
            error = Cancelled("scope", "by cancel_everywhere")
            self._hub.carriers.interrupt(carrier, self._handle, error)

    def _place_beside(self, origin: Any) -> str:
        if origin is self._carrier or origin.dead:
            return ""
        if isinstance(origin, Carrier) and origin.job is None:
            return ""  # it idles
        return f", while {told(spot_of(origin))}"

    @contextmanager
    def _run_soon_taken(self) -> Iterator[None]:
        """The cancel comes before wake-ups that wait for their turn already."""
        hub: Any = self._hub
        run_soon = hub.run_soon
        was_taken = vars(hub).get("run_soon")
        hub.run_soon = lambda fn, *args: run_soon(self._after_cancel, fn, args)
        try:
            yield
        finally:
            if was_taken is None:
                del hub.run_soon
            else:
                hub.run_soon = was_taken

    def _after_cancel(self, fn: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._deliver()
        fn(*args)

    # Until it is over...

    def on_ended(self, handle: Handle[Any]) -> None:
        """Called by the handle."""
        self._hub.run_soon(self._wake)

    def _wake(self) -> None:
        if self._is_parked:
            self._runner.switch()

    @property
    def _is_over(self) -> bool:
        return self._handle.is_over or bool(self._given_up)

    def _give_up(self, why: str) -> None:
        if not self._is_over:
            self._given_up = why
            self._hub.loop.run_callback(self._wake)

    def _wait(self) -> None:
        """In real time."""
        timer = self._hub.loop.timer(self._patience_s, self._patience_s)
        timer.start(self._on_patience, [None], update=True)
        self._is_parked = True
        try:
            while not self._is_over:
                self._hub.park()
        finally:
            self._is_parked = False
            timer.close()

    def _on_patience(self, seen: list[object]) -> None:
        """Once per `patience_s`.   Args: seen: what was there the last time."""
        # Undisturbed it may take as long as it likes, if only something happens.
        state = self.place or self.moments
        if seen[0] == state:
            self._does_not_end()
        seen[0] = state

    def _move(self, clock: Clock) -> None:
        """With the clock, from one moment at which something is due to the next one."""
        idle_s = 0.0
        while True:
            self._settle(clock)
            if self._is_over:
                return
            due = clock.next_due
            if due is None:  # it may wait for another thread
                pause(self._hub, _PAUSE_S)
                idle_s += _PAUSE_S
            if idle_s > self._patience_s or (due or 0.0) > self._cancelled_at + self._patience_s:
                self._does_not_end()
            elif due is not None:
                clock.advance_to_next()

    def _settle(self, clock: Clock) -> None:
        # A wake-up that leads to another one keeps no carrier ready between them.
        before = -1
        while before != self.moments and not self._is_over:
            before = self.moments
            clock.settle()

    def _does_not_end(self) -> None:
        place = "" if self._carrier is None else f": it waits at {where(self._carrier)}"
        self._give_up(f"does not end within {self._patience_s:g} s{place}")
