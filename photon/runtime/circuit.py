"""A circuit: whether to call something that fails, as a state machine that reads no clock.

    state       what happens                                            next
    ---------   -----------------------------------------------------   ---------
    closed      enough failures in the window                           open
    open        somebody asks when `reset_s` are over                   half-open
    half-open   all probes succeeded                                    closed
    half-open   a probe failed                                          open
    any         reset()                                                 closed

A call is let through with a `Pass`, and told of by it when it is over. A pass is of one period, as
a state from one change to the next is called here: what began in an earlier period (a slow call
that was let through when the circuit was closed) says nothing about this one.

A probe that is cancelled, or never heard of again for `reset_s`, gives its place back.

Prior art: Michael Nygard, "Release It!"; Polly, for a share of the calls and not only a number: 5
failures among 10,000 calls are no reason to open.
"""

from __future__ import annotations

from collections import deque
from enum import Enum


class CircuitState(Enum):
    """Whether calls are let through: all, none, or a few to see whether it works again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


Pass = int
"""The number of the period in which a call was let through."""


class Circuit:
    """The state machine; all moments are seconds on one clock.

    Args: as of `CircuitBreaker`.

    Attributes:
        state: of the period that lasts.
        since: the moment since when all calls are let through, or since when they are not.
    """

    __slots__ = (
        "_failures",
        "_opened_at",
        "_period",
        "_probe_began",
        "_probes",
        "_reset_s",
        "_share",
        "_succeeded",
        "_taken",
        "_window",
        "since",
        "state",
    )

    def __init__(
        self,
        *,
        failures: int,
        window_s: float,
        share: float,
        reset_s: float,
        probes: int,
        now: float,
    ) -> None:
        self._failures = failures
        self._share = share
        self._reset_s = reset_s
        self._probes = probes
        self._window = Window(window_s)
        self._period = 0
        self._opened_at = self._probe_began = now
        self._taken = self._succeeded = 0
        self.state = CircuitState.CLOSED
        self.since = now

    # A call...

    def admit(self, now: float) -> Pass | None:
        """Ask to call.   Returns: a pass, to be told of once by `succeed`, `fail` or `release`;
        None when the circuit is open."""
        if self.state is CircuitState.CLOSED:
            return self._period
        if self.retry_after(now) > 0:
            return None
        if self.state is CircuitState.OPEN or self._taken == self._probes:
            # The latter: probes that nobody has heard of again; others take their places.
            self._change(CircuitState.HALF_OPEN, now)
        self._taken += 1
        self._probe_began = now
        return self._period

    def succeed(self, given: Pass, now: float) -> None:
        """The call of this pass worked."""
        if given != self._period:
            return
        if self.state is CircuitState.CLOSED:
            self._window.add(now, failed=False)
        elif self.state is CircuitState.HALF_OPEN:
            self._succeeded += 1
            if self._succeeded == self._probes:
                self._change(CircuitState.CLOSED, now)

    def fail(self, given: Pass, now: float) -> None:
        """The call of this pass failed."""
        if given != self._period:
            return
        if self.state is CircuitState.CLOSED:
            self._window.add(now, failed=True)
            calls, failed = self._window.counts(now)
            if failed >= self._failures and failed >= calls * self._share:
                self._open(now)
        elif self.state is CircuitState.HALF_OPEN:
            self._open(now)

    def release(self, given: Pass) -> None:
        """The call of this pass was broken off, which says nothing."""
        if given == self._period and self.state is CircuitState.HALF_OPEN:
            self._taken -= 1

    def reset(self, now: float) -> None:
        """Close it, and forget what was."""
        self._change(CircuitState.CLOSED, now)

    # What is so...

    def retry_after(self, now: float) -> float:
        """Seconds until a call may be let through, as far as is known; 0.0: at once."""
        if self.state is CircuitState.OPEN:
            return max(0.0, self._opened_at + self._reset_s - now)
        if self.state is CircuitState.HALF_OPEN and self._taken == self._probes:
            return max(0.0, self._probe_began + self._reset_s - now)
        return 0.0

    def counts(self, now: float) -> tuple[int, int]:
        """How many calls ended within the window, and how many of them failed."""
        return self._window.counts(now)

    @property
    def places(self) -> tuple[int, int]:
        """How many probes are under way or were made in this period, and how many there may be."""
        return (self._taken if self.state is CircuitState.HALF_OPEN else 0), self._probes

    # Changes...

    def _open(self, now: float) -> None:
        self._opened_at = now
        self._change(CircuitState.OPEN, now)

    def _change(self, state: CircuitState, now: float) -> None:
        self._period += 1
        self._taken = self._succeeded = 0
        if CircuitState.CLOSED in (state, self.state):
            self.since = now
        self._window.clear()
        self.state = state


class Window:
    """How many calls ended, and failed, in the last seconds, counted in tenths of that time.

    Args: seconds: what is older than that is forgotten, and nothing that is younger than nine
        tenths of it.
    """

    __slots__ = ("_parts", "_width")

    PARTS = 10

    def __init__(self, seconds: float) -> None:
        self._width = seconds / self.PARTS
        self._parts: deque[list[int]] = deque()  # [number of the tenth, calls, failed], in order

    def add(self, now: float, *, failed: bool) -> None:
        part = int(now / self._width)
        parts = self._parts
        if not parts or parts[-1][0] != part:
            self._forget(part)
            parts.append([part, 0, 0])
        last = parts[-1]
        last[1] += 1
        last[2] += failed

    def counts(self, now: float) -> tuple[int, int]:
        self._forget(int(now / self._width))
        return sum(part[1] for part in self._parts), sum(part[2] for part in self._parts)

    def clear(self) -> None:
        self._parts.clear()

    def _forget(self, part: int) -> None:
        while self._parts and self._parts[0][0] <= part - self.PARTS:
            self._parts.popleft()
