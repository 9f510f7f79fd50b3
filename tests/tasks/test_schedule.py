"""Moments that are a period apart."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.tasks.errors import ScheduleError
from photon.tasks.schedule import Every


def test_moments_are_counted_from_the_start() -> None:
    every = Every("1s")
    assert (every.first(), Every(1, run_on_start=True).first()) == (1, 0)
    assert every.moment(100.0, 86400) == 86500.0


@given(st.floats(0.001, 1e6), st.floats(0, 1e9), st.integers(0, 10**6), st.floats(0, 1e9))
def test_the_next_number_is_to_come(period: float, start: float, number: int, later: float) -> None:
    every = Every(period)
    moment = start + later
    following = every.next_number(start, number, moment)
    assert following > number
    # To the microsecond, which is what a number of that size can tell.
    assert every.moment(start, following) >= moment - 1e-5
    assert following == number + 1 or every.moment(start, following - 1) <= moment + 1e-5


@given(st.floats(0, 0.99), st.lists(st.floats(0, 0.999), min_size=2, max_size=20))
def test_jitter_does_not_add_up_and_never_changes_the_order(
    share: float, chances: list[float]
) -> None:
    every = Every(10, jitter=share * 10)
    moments = [every.moment(0.0, n, lambda c=c: c) for n, c in enumerate(chances)]  # type: ignore[misc]
    assert all(n * 10 <= moment < (n + 1) * 10 for n, moment in enumerate(moments))
    assert all(before < after for before, after in pairwise(moments))


def test_workers_of_different_starts_call_a_run_the_same() -> None:
    every = Every(30)
    assert {every.claimed_as(due) for due in (60.0, 61.5, 89.9)} == {60.0}


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"period": 0}, "more than zero"),
    ({"period": "0s"}, "more than zero"),
    ({"period": 0.0001}, "at least 1 ms"),
    ({"period": "often"}, "no length of time"),
    ({"period": 1, "jitter": 1}, "not shorter than the period"),
    ({"period": 1, "jitter": -1}, "must be zero or more"),
]


@pytest.mark.parametrize(("options", "says"), WRONG)
def test_what_is_wrong_is_told(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ScheduleError, match=says):
        Every(**options)


def test_what_it_is_called() -> None:
    assert str(Every("90s", jitter=5)) == "every 1m 30s + up to 5s"
    assert repr(Every(30)) == "<Every 30s>"
