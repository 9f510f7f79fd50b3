"""A clock that stands still, and is moved by hand from one deadline to the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from photon.runtime import clock
from photon.runtime.greenlets import checkpoint, sleep
from photon.runtime.hub import current_hub


class HandClock:
    """Both clocks of the runtime. Attributes: steady, wall: what they say."""

    def __init__(self) -> None:
        self.steady = 1000.0
        self.wall = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC).timestamp()

    def advance(self, seconds: float) -> None:
        """Let time pass, and all happen that is due on the way."""
        end = self.steady + seconds
        while True:
            due = self._next_due()
            if due is None or due > end:
                break
            self._move(max(0.0, due - self.steady))
            current_hub().run_soon(current_hub().deadlines._fire)
            settle()
        self._move(end - self.steady)
        settle()

    def late(self, seconds: float) -> None:
        """Let time pass in which nothing happens, as when the hub is busy, or the machine sleeps;
        then what became due."""
        self._move(seconds)
        self.advance(0)

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back."""
        self.wall += seconds

    def set_wall(self, text: str) -> None:
        self.wall = datetime.fromisoformat(text).timestamp()

    def _move(self, seconds: float) -> None:
        self.steady += seconds
        self.wall += seconds

    def _next_due(self) -> float | None:
        heap = current_hub().deadlines._heap
        return min((when for when, _, deadline in heap if deadline.callback), default=None)


def settle() -> None:
    """Let all greenlets run that can."""
    for _ in range(5):
        checkpoint()


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    # Deadlines that others left are of the real time.
    hub = current_hub()
    hand = HandClock()
    hand.steady = max([hand.steady, *(each[0] for each in hub.deadlines._heap)]) + 1.0
    monkeypatch.setattr(clock, "_read_steady", lambda: hand.steady)
    monkeypatch.setattr(clock, "_read_wall", lambda: hand.wall)
    return hand


def wait_until(condition: Callable[[], object]) -> None:
    """As that of `tests.clients`, for a clock that stands still."""
    for _ in range(2000):
        if condition():
            return
        sleep(0.002)
    raise AssertionError("what was waited for did not happen")
