"""Calls at the same time: their results, their failures, and whoever is cancelled."""

from __future__ import annotations

import pytest

from photon.binding.together import together
from photon.runtime.cancel import fail_after, move_on_after, time_left
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep_forever
from tests.clients import wait_until


def test_results_are_in_the_order_of_the_calls() -> None:
    there: list[int] = []

    def call(n: int, others: int) -> int:
        wait_until(lambda: len(there) >= others)
        there.append(n)
        return n

    assert together(lambda: call(0, 2), lambda: call(1, 1), lambda: call(2, 0)) == [0, 1, 2]
    assert there == [2, 1, 0]
    assert together() == []


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_the_first_failure_ends_the_others(error: type[BaseException]) -> None:
    story: list[str] = []

    def failing() -> None:
        wait_until(lambda: story)
        raise error("first")

    def waiting() -> None:
        story.append("wait")
        try:
            sleep_forever()
        finally:
            checkpoint()  # it takes its time, and is waited for
            story.append("over")

    with pytest.raises(error, match="first"):
        together(waiting, waiting, failing)
    assert story == ["wait", "wait", "over", "over"]


def test_one_that_fails_before_the_others_begin() -> None:
    story: list[str] = []

    def failing() -> None:
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        together(failing, lambda: story.append("began"))
    assert story == []


def test_a_cancel_of_the_caller_reaches_all() -> None:
    ends: list[str] = []

    def waiting() -> None:
        try:
            sleep_forever()
        except Cancelled:
            ends.append("cancelled")
            raise

    with move_on_after(0.01) as scope:
        together(waiting, waiting)
    assert scope.cancelled_caught
    assert ends == ["cancelled"] * 2


def test_one_that_swallows_its_cancel_is_waited_for() -> None:
    def stubborn() -> str:
        try:
            sleep_forever()
        except Cancelled:
            checkpoint()
        return "swallowed"

    def failing() -> None:
        checkpoint()
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        together(stubborn, failing)


def test_a_cancel_of_the_caller_goes_before_what_fails_in_cleanup() -> None:
    def waiting() -> None:
        try:
            sleep_forever()
        finally:
            raise ValueError("in cleanup")

    with move_on_after(0.01) as scope:
        together(waiting, waiting)
    assert scope.cancelled_caught


def test_a_cancel_that_a_provider_makes_up_is_its_failure() -> None:
    def failing() -> None:
        raise Cancelled("scope", "mine")

    with pytest.raises(Cancelled, match="mine"):
        together(failing, sleep_forever)


def test_they_have_the_time_that_is_left_to_the_caller() -> None:
    with fail_after(50):
        (left,) = together(time_left)
    assert left is not None
    assert 40 < left <= 50
