"""Lengths of time as people give them."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.tasks.errors import ScheduleError
from photon.tasks.periods import seconds_of, spoken

FINE: list[tuple[Any, float]] = [
    (30, 30.0),
    (0.5, 0.5),
    ("30", 30.0),
    ("30s", 30.0),
    (" 5 M ", 300.0),
    ("500ms", 0.5),
    ("1h30m", 5400.0),
    ("1h 30m", 5400.0),
    ("1.5h", 5400.0),
    ("1d", 86400.0),
    ("2w", 1209600.0),
    (timedelta(minutes=2), 120.0),
]


@pytest.mark.parametrize(("value", "seconds"), FINE)
def test_what_a_length_is(value: Any, seconds: float) -> None:
    assert seconds_of(value, "x") == seconds


WRONG: list[tuple[Any, str]] = [
    (0, "is 0, but it must be more than zero"),
    (-1, "must be more than zero"),
    (timedelta(seconds=-1), "must be more than zero"),
    (math.nan, "longer than ten years"),
    (math.inf, "longer than ten years"),
    (10**400, "longer than ten years"),
    (1_700_000_000, "longer than ten years"),
    (True, "give seconds as a number"),
    (None, "give seconds as a number"),
    ("soon", "'soon', which is no length of time; write seconds, or 500ms"),
    ("", "no length of time"),
    ("5 m 3", "no length of time"),
    ("1" * 63 + "x", "no length of time"),
    ("9" * 1000, "no length of time"),
]


@pytest.mark.parametrize(("value", "says"), WRONG)
def test_what_is_none_is_told(value: Any, says: str) -> None:
    with pytest.raises(ScheduleError, match=r"every: the period is") as caught:
        seconds_of(value, "every: the period")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 600


def test_zero_and_a_least_one_may_be_allowed() -> None:
    assert seconds_of(0, "x", least=0.0) == 0
    with pytest.raises(ScheduleError, match="at least 5 s"):
        seconds_of(1, "x", least=5.0)


@given(st.text(max_size=80))
def test_a_text_is_read_or_refused(text: str) -> None:
    try:
        assert seconds_of(text, "x") > 0
    except ScheduleError:
        pass


SPOKEN = [
    (0.25, "250ms"),
    (0.0102931, "10.3ms"),
    (0.9999, "1000ms"),
    (0, "0s"),
    (1.5, "1.5s"),
    (30, "30s"),
    (59.9, "59.9s"),
    (60, "1m"),
    (90, "1m 30s"),
    (5400, "1h 30m"),
    (86400, "1d"),
    (3599.7, "1h"),
]


@pytest.mark.parametrize(("seconds", "text"), SPOKEN)
def test_how_a_length_is_spoken(seconds: float, text: str) -> None:
    assert spoken(seconds) == text
