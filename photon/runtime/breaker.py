"""Circuit breakers: what fails is let alone for a while, and its callers fail at once.

    payments = CircuitBreaker("payments", counts=(ConnectionError, TimeoutError))

    @payments
    def charge(order: Order) -> Receipt: ...

    with payments: ...                       # or a block
    payments.call(charge, order)             # or one call

A dependency that hangs would otherwise hang all that ask it, and would be asked by all of them at
once when it comes back. When to let calls through is decided in `circuit`; here are the clock, the
callers, and what people get to see. One breaker is of one process: each worker finds out by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from gevent import monkey

from photon.runtime.circuit import Circuit, CircuitState, Pass
from photon.runtime.clock import now
from photon.runtime.errors import BreakerOpen
from photon.runtime.guarding import (
    Errors,
    brief,
    exception_classes,
    is_partly,
    need_plain_function,
    tell,
)
from photon.runtime.hub import getcurrent

P = ParamSpec("P")
T = TypeVar("T")

OnChange = Callable[["CircuitBreaker", CircuitState, CircuitState], object]

# Native threads (`offload`) use breakers, too. Nothing waits while it holds the lock. It can be
# taken twice, as the garbage collector may close a generator that stands in `with breaker`.
_native_lock: Callable[[], Any] = monkey.get_original("_thread", "RLock")

logger = logging.getLogger("photon.runtime")


class CircuitBreaker:
    """Refuses calls to what has failed too often, and lets some through later, to see.

    Only exceptions of `counts` are failures; any other `Exception` is an answer, and so a success.
    What is cancelled says nothing of the callee, and is never a failure: for slow ones to count,
    have `fail_after` within the call.

    Args:
        name: of what is called, for people.
        failures: how many within the window open it, at least.
        window_s: for how long calls are remembered.
        share: of the calls in the window at least this share must have failed: a number alone would
            open it for a few failures among thousands of calls. 0: the number alone.
        reset_s: how long it stays open before it lets probes through.
        half_open: how many probes it lets through then; all of them must succeed to close it.
        counts: the exceptions that are failures. A group of exceptions is one when any in it is.
        on_change: told of each change of state, with the breaker, the old and the new state;
            changes are logged as well.
    """

    def __init__(
        self,
        name: str,
        *,
        failures: int = 5,
        window_s: float = 10.0,
        share: float = 0.5,
        reset_s: float = 30.0,
        half_open: int = 1,
        counts: Errors = Exception,
        on_change: OnChange | None = None,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError(
                f"a circuit breaker has a name, a text, not {name!r}: "
                'payments = CircuitBreaker("payments"), then @payments'
            )
        for option, number in (("failures", failures), ("half_open", half_open)):
            if number < 1:
                raise ValueError(f"{option} is {number!r}, but a breaker needs at least 1")
        for option, seconds in (("window_s", window_s), ("reset_s", reset_s)):
            if not seconds > 0:
                raise ValueError(f"{option} is {seconds!r}, but it must be more than 0 seconds")
        if not 0 <= share <= 1:
            raise ValueError(f"share is a share of the calls, from 0 to 1, not {share!r}")
        self.name = name
        self._counts = exception_classes(counts, "counts", "counts=(ConnectionError, TimeoutError)")
        self._on_change = on_change
        self._window_s = window_s
        self._circuit = Circuit(
            failures=failures,
            window_s=window_s,
            share=share,
            reset_s=reset_s,
            probes=half_open,
            now=now(),
        )
        self._lock = _native_lock()
        self._inside: WeakKeyDictionary[Any, _Entered] = WeakKeyDictionary()
        self._reason = ""
        self._refused = self._opened = 0

    # Calls...

    def call(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What `fn(*args, **kwargs)` returns.   Raises: what it raises; BreakerOpen."""
        given = self._admit()
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            self._end(given, error)
            raise
        self._end(given, None)
        return result

    def __call__(self, fn: Callable[P, T]) -> Callable[P, T]:
        """The guarded function; it has the name and the signature of `fn`."""
        need_plain_function(fn, f"the circuit breaker {self.name!r}")

        @wraps(fn)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.call(fn, *args, **kwargs)

        return guarded

    def __enter__(self) -> CircuitBreaker:
        given = self._admit()
        me = getcurrent()
        turn = getattr(me, "turn", 0)
        entered = self._inside.get(me)
        if entered is None or entered.turn != turn:
            # Of another turn: a generator was entered in a job that is over, and never closed.
            entered = self._inside[me] = _Entered(turn)
        entered.passes.append(given)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        me = getcurrent()
        entered = self._inside.get(me)
        if entered is None:
            return  # a generator that was entered elsewhere: its place comes back by itself
        given = entered.passes.pop()
        if not entered.passes:
            del self._inside[me]
        self._end(given, error)

    # What is so...

    @property
    def state(self) -> CircuitState:
        """CLOSED: all calls are let through; OPEN: none; HALF_OPEN: probes are."""
        return self._circuit.state

    @property
    def retry_after(self) -> float:
        """Seconds until a call may be let through, as far as is known; 0.0: at once."""
        return self._circuit.retry_after(now())

    @property
    def reason(self) -> str:
        """Why it is not closed; empty when it is."""
        return "" if self._circuit.state is CircuitState.CLOSED else self._reason

    def reset(self) -> None:
        """Close it, and forget what was."""
        with self._lock:
            before = self._circuit.state
            self._circuit.reset(now())
        self._note(before, CircuitState.CLOSED)

    def statistics(self) -> dict[str, int]:
        """Counts: `calls` and `failures` within the window, `probes` of this half-open time;
        `refused` and `opened` since it was made."""
        with self._lock:
            calls, failures = self._circuit.counts(now())
        return {
            "calls": calls,
            "failures": failures,
            "probes": self._circuit.places[0],
            "refused": self._refused,
            "opened": self._opened,
        }

    def __repr__(self) -> str:
        circuit, moment = self._circuit, now()
        text = f"<CircuitBreaker {self.name!r} {circuit.state.value}"
        if circuit.state is CircuitState.CLOSED:
            with self._lock:
                calls, failures = circuit.counts(moment)
            return f"{text}, {failures} of {calls} calls failed>"
        if circuit.state is CircuitState.HALF_OPEN:
            taken, places = circuit.places
            text += f", {taken} of {places} probes taken"
        else:
            text += f", tries again in {circuit.retry_after(moment):.3g} s"
        return f"{text}, not closed for {moment - circuit.since:.3g} s: {self._reason}>"

    # One step of the circuit, and what follows...

    def _admit(self) -> Pass:
        circuit, moment = self._circuit, now()
        with self._lock:
            before = circuit.state
            given = circuit.admit(moment)
            after = circuit.state
        if given is None:
            self._refused += 1
            raise BreakerOpen(
                self.name,
                since_s=moment - circuit.since,
                reason=self._reason,
                retry_after=circuit.retry_after(moment),
            )
        if before is not after:
            try:
                self._note(before, after)
            except BaseException:  # cancelled in a hook that waits
                with self._lock:
                    circuit.release(given)
                raise
        return given

    def _end(self, given: Pass, error: BaseException | None) -> None:
        circuit, moment = self._circuit, now()
        with self._lock:
            before = circuit.state
            if error is None:
                circuit.succeed(given, moment)
            elif isinstance(error, BreakerOpen) and error.name == self.name:
                circuit.release(given)  # it was refused within itself, and has called nobody
            elif is_partly(error, self._counts):
                calls, failures = circuit.counts(moment)
                circuit.fail(given, moment)
                if circuit.state is CircuitState.OPEN is not before:
                    self._opened += 1
                    self._reason = self._why(before, calls + 1, failures + 1, error)
            elif isinstance(error, Exception):
                circuit.succeed(given, moment)
            else:
                circuit.release(given)
            after = circuit.state
        if before is not after:
            self._note(before, after)

    def _why(self, before: CircuitState, calls: int, failures: int, error: BaseException) -> str:
        # A text: the exception itself would keep the frames of its traceback alive.
        if before is CircuitState.HALF_OPEN:
            return f"a probe failed with {brief(error)}"
        return (
            f"{failures} of {calls} calls within {self._window_s:g} s failed, "
            f"the last one with {brief(error)}"
        )

    def _note(self, before: CircuitState, after: CircuitState) -> None:
        if before is after:
            return
        level = logging.WARNING if after is CircuitState.OPEN else logging.INFO
        reason = f": {self._reason}" if after is CircuitState.OPEN else ""
        logger.log(level, "the circuit breaker %r is %s%s", self.name, after.value, reason)
        if self._on_change is not None:
            tell(self._on_change, self, before, after)


class _Entered:
    """The blocks of one greenlet that one breaker guards, the innermost last."""

    __slots__ = ("passes", "turn")

    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.passes: list[Pass] = []
