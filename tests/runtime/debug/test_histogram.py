"""Quantiles to within 3 %, whatever the durations."""

from __future__ import annotations

import json
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.runtime.debug.histogram import Histogram, bucket_of

seconds = st.floats(min_value=0, max_value=4000, allow_nan=False)


@given(st.lists(seconds, min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_quantiles_are_near(durations: list[float], share: float) -> None:
    histogram = Histogram()
    for each in durations:
        histogram.add(each)
    exact = sorted(durations)[ceil(share * len(durations)) - 1]
    told = histogram.quantile(share)
    assert exact * 0.999 - 2e-6 <= told <= exact * 1.04 + 2e-6
    assert histogram.count == len(durations)
    assert histogram.longest_s == max(durations)


@given(st.lists(seconds), st.lists(seconds))
def test_those_of_two_processes_are_added(ours: list[float], theirs: list[float]) -> None:
    first, second, both = Histogram(), Histogram(), Histogram()
    for each in ours:
        first.add(each)
        both.add(each)
    for each in theirs:
        second.add(each)
        both.add(each)
    first.merge(Histogram.from_json(json.loads(json.dumps(second.to_json()))))
    assert first.count == both.count
    assert first.quantile(0.9) == pytest.approx(both.quantile(0.9), abs=1e-6)


@given(seconds, seconds)
def test_buckets_are_in_order(one: float, other: float) -> None:
    if one <= other:
        assert bucket_of(one) <= bucket_of(other)


def test_of_none_and_of_endless_ones() -> None:
    histogram = Histogram()
    assert histogram.quantile(0.99) == 0.0
    histogram.add(-1.0)  # a clock that a test sets back
    histogram.add(1e9)
    assert histogram.quantile(1.0) <= 1e9
    assert repr(histogram).startswith("<Histogram of 2, half within ")


@pytest.mark.parametrize("told", [{}, {"counts": [], "total_s": 0, "longest_s": 0}])
def test_what_is_no_histogram_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError)):
        Histogram.from_json(told)
