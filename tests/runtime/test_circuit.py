"""The states of a circuit: what moves it, and how many it lets through."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photon.runtime.circuit import Circuit, CircuitState, Pass, Window

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


def circuit(
    *, failures: int = 2, share: float = 0.5, probes: int = 1, window_s: float = 10.0
) -> Circuit:
    return Circuit(
        failures=failures, window_s=window_s, share=share, reset_s=30.0, probes=probes, now=0.0
    )


def admit(it: Circuit, now: float) -> Pass:
    given = it.admit(now)
    assert given is not None
    return given


def opened(*, at: float = 0.0, probes: int = 1) -> Circuit:
    it = circuit(failures=1, probes=probes)
    it.fail(admit(it, at), at)
    assert it.state is OPEN
    return it


# The table...


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ("", CLOSED),
        ("0 ok", CLOSED),
        ("0 fail", CLOSED),
        ("0 fail, 1 fail", OPEN),
        ("0 fail, 1 ok, 1 fail", OPEN),  # two of three
        ("0 fail, 1 ok, 1 ok, 1 ok, 1 fail", CLOSED),  # two of five: not a half
        ("0 fail, 11 fail", CLOSED),  # not in one window
        ("0 fail, 1 free, 1 free", CLOSED),
        ("0 fail, 0 fail, 29.9 no", OPEN),
        ("0 fail, 0 fail, 30 ok", CLOSED),
        ("0 fail, 0 fail, 30 fail", OPEN),
        ("0 fail, 0 fail, 30 fail, 59 no", OPEN),
        ("0 fail, 0 fail, 30 fail, 60 ok", CLOSED),
        ("0 fail, 0 fail, 30 free", HALF_OPEN),
        ("0 fail, 0 fail, 30 free, 30 free, 30 ok", CLOSED),
        ("0 fail, 0 fail, 30 ok, 31 fail", CLOSED),  # what was before is forgotten
        ("0 fail, 0 fail, 1 reset", CLOSED),
        ("0 fail, 0 fail, 1 reset, 2 fail", CLOSED),
        ("0 fail, 0 fail, 30 free, 30 reset, 31 fail, 31 fail", OPEN),
        ("0 fail, 1 reset, 1 fail", CLOSED),
    ],
)
def test_transitions(steps: str, state: CircuitState) -> None:
    it = circuit()
    for step in filter(None, steps.split(", ")):
        moment, what = step.split()
        now = float(moment)
        if what == "reset":
            it.reset(now)
        elif what == "no":
            assert it.admit(now) is None
        else:
            given = admit(it, now)
            if what == "ok":
                it.succeed(given, now)
            elif what == "fail":
                it.fail(given, now)
            else:
                it.release(given)
    assert it.state is state


def test_a_share_of_nought_is_the_number_alone() -> None:
    it = circuit(share=0.0)
    for _ in range(1000):
        it.succeed(admit(it, 0.0), 0.0)
    it.fail(admit(it, 1.0), 1.0)
    it.fail(admit(it, 1.0), 1.0)
    assert it.state is OPEN


# Probes...


def test_as_many_probes_as_there_are_places_and_all_must_succeed() -> None:
    it = opened(probes=3)
    probes = [admit(it, 30.0) for _ in range(3)]
    assert it.admit(30.0) is None
    it.succeed(probes[0], 31.0)
    it.succeed(probes[1], 31.0)
    assert it.admit(31.0) is None
    assert (it.state, it.places) == (HALF_OPEN, (3, 3))
    it.succeed(probes[2], 32.0)
    assert (it.state, it.places) == (CLOSED, (0, 3))


def test_one_failing_probe_opens_it_and_the_others_do_not_matter_any_more() -> None:
    it = opened(probes=3)
    probes = [admit(it, 30.0) for _ in range(3)]
    it.fail(probes[0], 31.0)
    for probe in probes[1:]:
        it.succeed(probe, 61.0)
    assert it.state is OPEN
    assert it.retry_after(31.0) == 30.0


def test_a_probe_that_is_broken_off_gives_its_place_back() -> None:
    it = opened()
    for _ in range(3):
        probe = admit(it, 30.0)
        assert it.admit(30.0) is None
        it.release(probe)
    it.succeed(admit(it, 30.0), 30.0)
    assert it.state is CLOSED


def test_a_probe_that_is_never_heard_of_does_not_keep_it_half_open_for_ever() -> None:
    it = opened()
    lost = admit(it, 30.0)
    assert it.admit(59.0) is None
    assert it.retry_after(59.0) == 1.0
    probe = admit(it, 60.0)
    it.fail(lost, 61.0)  # late, and of no interest
    it.release(lost)
    assert it.admit(61.0) is None
    it.succeed(probe, 62.0)
    assert it.state is CLOSED


def test_calls_of_an_earlier_period_say_nothing() -> None:
    it = circuit(failures=1)
    slow = [admit(it, 0.0) for _ in range(4)]
    it.fail(slow.pop(), 0.0)
    it.succeed(slow.pop(), 1.0)
    it.fail(slow.pop(), 15.0)
    assert it.retry_after(15.0) == 15.0
    probe = admit(it, 30.0)
    it.fail(slow.pop(), 31.0)
    assert it.state is HALF_OPEN
    it.succeed(probe, 31.0)
    it.fail(probe, 31.0)
    assert it.state is CLOSED


def test_since_when_it_lets_nobody_through_includes_the_probes() -> None:
    it = opened(at=5.0)
    assert it.since == 5.0
    it.fail(admit(it, 35.0), 36.0)
    assert it.since == 5.0
    it.succeed(admit(it, 66.0), 67.0)
    assert it.since == 67.0


@settings(max_examples=300)
@given(
    probes=st.integers(1, 3),
    steps=st.lists(st.tuples(st.floats(0, 20), st.sampled_from("aaaasfrl")), max_size=60),
)
def test_never_more_probes_than_places_and_none_before_time(
    probes: int, steps: list[tuple[float, str]]
) -> None:
    it = circuit(probes=probes)
    now = opened_at = 0.0
    admitted = 0  # in this half-open time, and not given back
    out: list[Pass] = []
    for seconds, step in steps:
        now += seconds
        before, retry_after = it.state, it.retry_after(now)
        if step == "a":
            given = it.admit(now)
            assert (given is None) == (retry_after > 0)
            if given is None:
                continue
            if before is OPEN:
                assert now >= opened_at + 30.0
            if it.state is HALF_OPEN:
                renewed = before is OPEN or admitted == probes
                admitted = 1 if renewed else admitted + 1
                assert admitted == it.places[0] <= probes
            out.append(given)
        elif out:
            given = out.pop(0 if step == "l" else -1)
            if step == "s":
                it.succeed(given, now)
            elif step == "r":
                it.release(given)
                if before is HALF_OPEN:
                    admitted = it.places[0]
            else:
                it.fail(given, now)
        if it.state is OPEN and before is not OPEN:
            opened_at = now
        assert it.retry_after(now) < 30.001


# The window...


def test_a_window_forgets_what_is_too_old_and_stays_small() -> None:
    window = Window(10.0)
    for tenth in range(1000):
        window.add(tenth / 10, failed=tenth % 2 == 0)
    calls, failed = window.counts(99.9)
    assert 90 <= calls <= 100
    assert failed == calls / 2
    assert len(window._parts) <= 10
    assert window.counts(108.9)[0] > 0
    assert window.counts(110.0) == (0, 0)
