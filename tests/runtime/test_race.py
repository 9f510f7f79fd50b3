"""Several ways to the same thing: who wins, what becomes of the others, what is raised."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import assert_type

import pytest

from photon.runtime.cancel import fail_after, move_on_after, time_left
from photon.runtime.errors import Cancelled, DeadlineExceeded
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.race import first_ok, race
from photon.runtime.sync import Event
from tests.clients import wait_until

Fn = Callable[..., str]


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    busy = current_hub().carriers.busy
    yield
    wait_until(lambda: current_hub().carriers.busy <= busy)
    assert len(current_hub().deadlines) == 0


class Story:
    """Functions that note what happens to them."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def waiting(self, name: str = "waiting", cleanup: Callable[[], object] = checkpoint) -> str:
        self.log.append(f"{name} began")
        try:
            sleep_forever()
        except Cancelled as error:
            self.log.append(f"{name} {error.source}")
            cleanup()
            raise
        finally:
            self.log.append(f"{name} over")
        raise AssertionError

    def giving(self, value: str, steps: int = 1) -> str:
        self.log.append(f"{value} began")
        for _ in range(steps):
            checkpoint()
        return value

    def failing(self, message: str, steps: int = 1) -> str:
        self.giving(message, steps)
        raise ValueError(message)


def fail(error: BaseException) -> str:
    raise error


# race...


def test_the_first_value_wins_and_the_others_are_over_before_it_returns() -> None:
    story = Story()
    value = race(story.waiting, partial(story.giving, "won"), partial(story.waiting, "third"))
    assert value == "won"
    assert story.log[:3] == ["waiting began", "won began", "third began"]
    assert sorted(story.log[3:]) == ["third over", "third scope", "waiting over", "waiting scope"]


def test_the_first_exception_wins_as_itself() -> None:
    story = Story()
    with pytest.raises(ValueError, match="won") as caught:
        race(story.waiting, partial(story.failing, "won"))
    assert caught.value.__context__ is None
    assert story.log[-1] == "waiting over"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), Cancelled("scope", "mine")])
def test_any_exception_wins(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        race(Story().waiting, lambda: fail(error))
    assert caught.value is error


def test_one_alone_runs_too_and_in_a_greenlet_of_its_own() -> None:
    assert race(getcurrent) is not getcurrent()


def test_one_that_had_no_turn_never_begins() -> None:
    began: list[int] = []
    assert race(lambda: 1, lambda: began.append(2)) == 1
    assert began == []


def test_a_loser_that_returns_in_spite_of_its_cancel_has_lost() -> None:
    def stubborn() -> str:
        try:
            sleep_forever()
        except Cancelled:
            checkpoint()
        return "stubborn"

    assert race(stubborn, partial(Story().giving, "won")) == "won"


def test_what_a_loser_raises_in_its_cleanup_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    story = Story()
    loser = partial(story.waiting, cleanup=lambda: fail(ValueError("in cleanup")))
    assert race(loser, partial(story.giving, "won")) == "won"
    assert caplog.messages == ["Story.waiting lost a race, and failed"]
    assert "in cleanup" in caplog.text


def test_two_that_finish_in_one_moment_have_one_winner() -> None:
    event = Event()

    def wait(value: str) -> str:
        event.wait()
        return value

    def go() -> str:
        checkpoint()
        event.set()
        sleep_forever()
        raise AssertionError

    assert race(partial(wait, "a"), partial(wait, "b"), go) == "a"


def test_a_cancel_from_outside_reaches_all_and_passes_when_they_are_over() -> None:
    story = Story()
    with move_on_after(0.005) as scope:
        race(story.waiting, story.waiting)
    assert scope.cancelled_caught
    assert story.log.count("waiting over") == 2


def test_the_deadline_of_the_caller_is_theirs() -> None:
    with fail_after(50):
        left = race(time_left, sleep_forever)
    assert left is not None
    assert 40 < left <= 50


def test_a_deadline_in_one_of_them_is_an_exception_like_others() -> None:
    def slow() -> None:
        with fail_after(0.001):
            sleep_forever()

    with pytest.raises(DeadlineExceeded):
        race(slow, sleep_forever)


def test_races_in_races() -> None:
    story = Story()

    def inner() -> str:
        return race(partial(story.waiting, "inner"), story.waiting)

    assert race(inner, partial(story.giving, "won", 3)) == "won"
    assert story.log.count("inner over") == 1


def test_nothing_of_what_was_raised_is_kept_alive() -> None:
    class Big:
        pass

    def failing() -> None:
        big = Big()
        kept.append(weakref.ref(big))
        raise ValueError

    kept: list[weakref.ref[Big]] = []
    gc.disable()
    try:
        with pytest.raises(ValueError, match=r"^$") as caught:
            race(failing, sleep_forever)
        del caught
        with pytest.raises(ExceptionGroup) as group:
            first_ok(failing, failing)
        del group
        wait_until(lambda: not any(ref() for ref in kept))
    finally:
        gc.enable()
    assert len(kept) == 3


def test_types_are_inferred() -> None:
    assert_type(race(lambda: 1, lambda: "a"), int | str)
    assert_type(first_ok(partial(int, 1), lambda: None), int | None)
    assert_type(race(*[lambda: 1] * 9), int)
    assert_type(first_ok(lambda: 1, lambda: "", lambda: b"", delay=1), int | str | bytes)


# first_ok...


def test_the_first_value_counts_and_failures_do_not() -> None:
    story = Story()
    value = first_ok(
        partial(story.failing, "bad", 0), story.waiting, partial(story.giving, "good", 3)
    )
    assert value == "good"
    assert story.log[-1] == "waiting over"


def test_if_all_fail_their_exceptions_come_in_one_group_in_their_order() -> None:
    story = Story()
    with pytest.raises(ExceptionGroup, match="all 3 functions failed") as caught:
        first_ok(
            *[partial(story.failing, name, steps) for name, steps in [("a", 3), ("b", 0), ("c", 1)]]
        )
    assert [str(error) for error in caught.value.exceptions] == ["a", "b", "c"]


def test_one_that_fails_alone_comes_in_a_group_too() -> None:
    with pytest.raises(ExceptionGroup, match="all 1 functions failed"):
        first_ok(lambda: fail(ValueError()))


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), Cancelled("scope", "mine")])
def test_what_is_no_exception_is_raised_at_once(error: BaseException) -> None:
    story = Story()
    with pytest.raises(type(error)) as caught:
        first_ok(story.waiting, lambda: fail(error))
    assert caught.value is error
    assert story.log[-1] == "waiting over"


def test_failing_while_another_has_won_changes_nothing() -> None:
    story = Story()
    loser = partial(story.waiting, cleanup=lambda: fail(ValueError("in cleanup")))
    assert first_ok(loser, partial(story.giving, "won")) == "won"


def test_a_cancel_from_outside_passes_first_ok() -> None:
    story = Story()
    with move_on_after(0.005) as scope:
        first_ok(story.waiting, partial(story.failing, "bad"))
    assert scope.cancelled_caught
    assert story.log[-1] == "waiting over"


# The delay...


def test_the_next_one_starts_after_the_delay() -> None:
    story = Story()
    value = first_ok(story.waiting, partial(story.giving, "second"), story.waiting, delay=0.005)
    assert value == "second"
    assert story.log[:2] == ["waiting began", "second began"]
    assert story.log.count("waiting began") == 1


def test_the_next_one_does_not_start_before_the_delay() -> None:
    story = Story()
    assert first_ok(partial(story.giving, "first", 5), story.waiting, delay=50) == "first"
    assert story.log == ["first began"]


def test_a_failure_starts_the_next_one_at_once() -> None:
    story = Story()
    contenders = [partial(story.failing, name) for name in "abc"]
    assert first_ok(*contenders, partial(story.giving, "d"), story.waiting, delay=50) == "d"
    assert story.log == ["a began", "b began", "c began", "d began"]
    with pytest.raises(ExceptionGroup):
        first_ok(*contenders, delay=50)


def test_a_delay_of_nought_lets_each_have_a_turn_before_the_next() -> None:
    assert first_ok(lambda: 1, sleep_forever, delay=0) == 1


def test_a_cancel_while_the_next_one_is_put_off() -> None:
    story = Story()
    with move_on_after(0.005) as scope:
        first_ok(story.waiting, story.waiting, delay=50)
    assert scope.cancelled_caught
    assert story.log == ["waiting began", "waiting scope", "waiting over"]


# What people get wrong...


def test_functions_are_to_be_given() -> None:
    with pytest.raises(TypeError, match="race needs at least one function"):
        race()
    with pytest.raises(TypeError, match=r"not 7: first_ok\(lambda: load\(1\), "):
        first_ok(lambda: 1, 7)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="delay is -1"):
        first_ok(lambda: 1, delay=-1)
    with pytest.raises(ValueError, match="delay is nan"):
        first_ok(lambda: 1, delay=float("nan"))


def test_thousands_at_once() -> None:
    story = Story()
    assert race(*[partial(sleep, 50)] * 2000, partial(story.giving, "won", 20)) == "won"
