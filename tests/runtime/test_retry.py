"""Trying again: how often, how long after, and what the last error tells."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.runtime.attempts import Attempt, Retrying
from photon.runtime.breaker import CircuitBreaker
from photon.runtime.cancel import CancelScope, fail_after, move_on_after
from photon.runtime.errors import BreakerOpen, Cancelled, HandleCancelled
from photon.runtime.greenlets import sleep_forever, spawn
from photon.runtime.nursery import nursery
from photon.runtime.retry import Retry, retry


class Clock:
    """A clock that goes on when somebody sleeps, and then only.

    Attributes: sleeps: the seconds of each sleep.
    """

    def __init__(self) -> None:
        self.moment = 1000.0
        self.sleeps: list[float] = []
        self.left: float | None = None

    def now(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.moment += seconds
        if self.left is not None:
            self.left -= seconds

    def time_left(self) -> float | None:
        return self.left


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("photon.runtime.retry.now", clock.now)
    monkeypatch.setattr("photon.runtime.attempts.now", clock.now)
    monkeypatch.setattr("photon.runtime.attempts.sleep", clock.sleep)
    monkeypatch.setattr("photon.runtime.attempts.time_left", clock.time_left)
    return clock


class Service:
    """Raises what it is given, one after the other, and then works."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.calls = 0

    def load(self, number: int = 7) -> int:
        """Load it."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return number


def refused(times: int) -> list[BaseException]:
    return [ConnectionError(f"refused {n}") for n in range(1, times + 1)]


def notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", []))


# The three ways...


def by_decorator(policy: Retry, service: Service) -> int:
    return policy(service.load)(7)


def by_call(policy: Retry, service: Service) -> int:
    return policy.call(service.load, 7)


def by_loop(policy: Retry, service: Service) -> int:
    for attempt in policy:
        with attempt:
            return service.load(7)
    raise AssertionError


WAYS = pytest.mark.parametrize("way", [by_decorator, by_call, by_loop])
Way = Callable[[Retry, Service], int]


@WAYS
def test_what_works_is_done_once(way: Way, time: Clock) -> None:
    service = Service()
    assert way(retry(on=ConnectionError), service) == 7
    assert (service.calls, time.sleeps) == (1, [])


@WAYS
def test_what_fails_is_tried_again_with_growing_pauses(way: Way, time: Clock) -> None:
    service = Service(*refused(4))
    assert way(retry(on=ConnectionError, jitter=0, max_delay_s=0.5), service) == 7
    assert time.sleeps == [0.1, 0.2, 0.4, 0.5]


@WAYS
def test_the_last_error_is_raised_and_tells_of_all(way: Way, time: Clock) -> None:
    service = Service(*refused(9))
    with pytest.raises(ConnectionError, match="refused 3") as caught:
        way(retry(on=OSError, attempts=3, jitter=0), service)
    assert service.calls == 3
    told = notes(caught.value)
    assert told[:3] == [
        "attempt 1 of 3 failed after 0 s, waited 0.1 s: ConnectionError: refused 1",
        "attempt 2 of 3 failed after 0 s, waited 0.2 s: ConnectionError: refused 2",
        "attempt 3 of 3 failed after 0 s, raised: ConnectionError: refused 3",
    ]
    name = "block" if way is by_loop else "Service.load"
    assert told[3:] == [f"{name}: given up after 0.3 s: no attempt is left"]
    assert caught.value.__context__ is None


@WAYS
def test_other_exceptions_are_raised_at_once(way: Way, time: Clock) -> None:
    service = Service(*refused(1), KeyError("mine"), KeyError("never"))
    with pytest.raises(KeyError, match="mine") as caught:
        way(retry(on=ConnectionError), service)
    assert service.calls == 2
    assert notes(caught.value)[-1].endswith("this is not tried again")
    with pytest.raises(KeyError, match="never") as caught:
        way(retry(on=ConnectionError), service)
    assert notes(caught.value) == []


@WAYS
@pytest.mark.parametrize("error", [Cancelled("scope"), SystemExit(), GeneratorExit()])
def test_what_is_told_to_end_is_never_tried_again(
    way: Way, error: BaseException, time: Clock
) -> None:
    service = Service(error)
    with pytest.raises(type(error)):
        way(retry(on=Exception), service)
    assert (service.calls, notes(error)) == (1, [])


def test_a_decorated_function_stays_what_it_is(time: Clock) -> None:
    @retry(on=ConnectionError)
    def load(number: int, *, twice: bool = False) -> int:
        """Load it."""
        return number * (2 if twice else 1)

    assert load(3, twice=True) == 6
    assert (load.__name__, load.__doc__) == ("load", "Load it.")
    assert list(inspect.signature(load).parameters) == ["number", "twice"]
    assert retry(load, on=ConnectionError)(4) == 4


def test_parameters_may_have_any_name(time: Clock) -> None:
    def load(self: int, fn: int) -> int:
        return self - fn

    assert retry(load, on=OSError)(self=7, fn=3) == 4
    assert retry(on=OSError).call(load, self=7, fn=3) == 4


def test_a_policy_is_used_by_many_at_a_time(time: Clock) -> None:
    policy = retry(on=ConnectionError, attempts=3)
    with nursery() as n:
        handles = [n.spawn(policy.call, Service(*refused(2)).load, k) for k in range(10)]
    assert [handle.result for handle in handles] == list(range(10))


# Which exceptions...


def test_a_group_is_tried_again_when_all_in_it_would_be(time: Clock) -> None:
    inner = ExceptionGroup("inner", [ConnectionError()])
    service = Service(ExceptionGroup("", [TimeoutError(), inner]))
    assert retry(on=OSError).call(service.load) == 7
    for group in (
        ExceptionGroup("", [TimeoutError(), KeyError()]),
        BaseExceptionGroup("", [TimeoutError(), SystemExit()]),
    ):
        service = Service(group)
        with pytest.raises(type(group)):
            retry(on=OSError).call(service.load)


def test_a_nursery_within_is_tried_again(time: Clock) -> None:
    service = Service(*refused(3))

    def load_both() -> list[int]:
        with nursery() as n:
            handles = [n.spawn(service.load, 1), n.spawn(service.load, 2)]
        return [handle.result for handle in handles]

    assert retry(on=ConnectionError).call(load_both) == [1, 2]


def test_should_retry_has_a_say(time: Clock) -> None:
    asked: list[Exception] = []

    def should_retry(error: Exception) -> bool:
        asked.append(error)
        return "1" in str(error)

    service = Service(*refused(3))
    with pytest.raises(ConnectionError, match="refused 2") as caught:
        retry(on=ConnectionError, should_retry=should_retry).call(service.load)
    assert len(asked) == 2
    assert notes(caught.value)[-1].endswith("should_retry said no")
    with pytest.raises(KeyError):
        retry(on=ConnectionError, should_retry=should_retry).call(Service(KeyError()).load)
    assert len(asked) == 2


# How long...


@given(st.integers(1, 5000), st.floats(0, 1), st.floats(0, 100), st.floats(0, 100))
def test_the_back_off_is_bounded_and_not_negative(
    attempt: int, jitter: float, backoff: float, max_delay_s: float
) -> None:
    policy = retry(on=OSError, jitter=jitter, backoff=backoff, max_delay_s=max_delay_s)
    assert 0 <= policy.delay_after(attempt, OSError()) <= max_delay_s


def test_full_jitter_is_anything_up_to_the_back_off() -> None:
    delays = [retry(on=OSError).delay_after(4, OSError()) for _ in range(1000)]
    assert 0 < min(delays) < 0.1
    assert 0.7 < max(delays) <= 0.8
    assert all(retry(on=OSError, jitter=0.5).delay_after(1, OSError()) >= 0.05 for _ in range(99))


def test_the_back_off_may_be_a_function(time: Clock) -> None:
    service = Service(*refused(3))
    retry(on=OSError, backoff=lambda attempt: attempt * 3.0, jitter=0).call(service.load)
    assert time.sleeps == [3, 5, 5]


@pytest.mark.parametrize(
    ("asked", "waited"),
    [(2, 2.1), (7.5, 7.6), (timedelta(seconds=3), 3.1), (0, 0.1), (-4, 0.1)]
    + [(bad, 0.1) for bad in (None, "120", float("nan"), float("inf"), object())],
)
def test_what_an_exception_asks_for_is_waited_and_the_back_off_on_top(
    asked: Any, waited: float, time: Clock
) -> None:
    error = ConnectionError()
    error.retry_after = asked  # type: ignore[attr-defined]
    retry(on=OSError, jitter=0).call(Service(error).load)
    assert time.sleeps == [pytest.approx(waited)]


def test_an_open_breaker_is_waited_for(time: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photon.runtime.breaker.now", time.now)
    breaker = CircuitBreaker("service", failures=1, reset_s=4.0)
    service = Service(*refused(1))
    policy = retry(on=(ConnectionError, BreakerOpen), backoff=0.0)
    assert policy.call(breaker(service.load)) == 7
    assert time.sleeps == [0.0, 4.0]


def test_no_attempt_begins_after_the_budget(time: Clock) -> None:
    service = Service(*refused(99))
    with pytest.raises(ConnectionError) as caught:
        retry(on=OSError, attempts=None, budget_s=1.0, jitter=0, backoff=0.3).call(service.load)
    assert time.sleeps == [0.3, 0.6]
    assert notes(caught.value)[-1] == (
        "Service.load: given up after 0.9 s: the next attempt would begin in 1.2 s, "
        "after the budget of 1 s"
    )


def test_nothing_is_waited_for_beyond_the_deadline(time: Clock) -> None:
    time.left = 0.25
    service = Service(*refused(99))
    with pytest.raises(ConnectionError, match="refused 2") as caught:
        retry(on=OSError, jitter=0).call(service.load)
    assert time.sleeps == [0.1]
    assert notes(caught.value)[-1].endswith(
        "the next attempt would begin in 0.2 s, and the deadline is in 0.15 s"
    )


def test_the_deadline_is_that_of_all_scopes_also_of_parents() -> None:
    service = Service(*refused(99))
    policy = retry(on=OSError, backoff=70, max_delay_s=70, jitter=0, budget_s=None)

    def child() -> None:
        with pytest.raises(ConnectionError):
            policy.call(service.load)

    with fail_after(60), nursery() as n, move_on_after(90):
        n.spawn(child)
    assert service.calls == 1


def test_a_cancel_between_two_attempts_ends_it() -> None:
    service = Service(*refused(99))
    told: list[Retrying] = []
    scope = CancelScope()

    def hook(what: Retrying) -> None:
        told.append(what)
        scope.cancel("enough")

    with scope:
        retry(on=OSError, backoff=50, jitter=0, max_delay_s=50, budget_s=None, on_retry=hook).call(
            service.load
        )
    assert scope.cancelled_caught
    assert (service.calls, len(told)) == (1, 1)


def test_a_cancelled_child_is_not_tried_again() -> None:
    handle = spawn(retry(sleep_forever, on=Exception))
    spawn(handle.cancel).join()
    handle.join()
    assert handle.state == "cancelled"
    with pytest.raises(HandleCancelled):
        _ = handle.result


# What is told...


def test_each_attempt_that_another_one_follows_is_logged(
    time: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(*refused(2))
    retry(on=OSError, jitter=0).call(service.load)
    assert caplog.messages == [
        "Service.load: attempt 1 of 10 failed, the next one in 0.1 s: ConnectionError: refused 1",
        "Service.load: attempt 2 of 10 failed, the next one in 0.2 s: ConnectionError: refused 2",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


def test_or_a_hook_is_told_which_may_fail(time: Clock, caplog: pytest.LogCaptureFixture) -> None:
    told: list[Retrying] = []

    def hook(what: Retrying) -> None:
        told.append(what)
        raise ValueError("oh")

    service = Service(*refused(2))
    assert retry(on=OSError, jitter=0, attempts=None, on_retry=hook).call(service.load) == 7
    assert [(what.name, what.attempt, what.attempts, what.delay_s) for what in told] == [
        ("Service.load", 1, None, 0.1),
        ("Service.load", 2, None, 0.2),
    ]
    assert str(told[1].error) == "refused 2"
    assert told[1].elapsed_s == pytest.approx(0.1)
    assert len(caplog.records) == 2
    assert "hook" in caplog.messages[0]


def test_the_story_of_very_many_attempts_is_short(time: Clock) -> None:
    service = Service(*[ConnectionError("x" * 10_000) for _ in range(500)])
    with pytest.raises(ConnectionError) as caught:
        retry(on=OSError, attempts=500, backoff=0, on_retry=id).call(service.load)
    told = notes(caught.value)
    assert told[0] == "(480 earlier attempts are left out)"
    assert len(told) == 22
    assert max(map(len, told)) < 300


def test_an_error_whose_text_cannot_be_made_is_told_of(time: Clock) -> None:
    class Broken(ConnectionError):
        def __str__(self) -> str:
            raise ValueError

    with pytest.raises(Broken) as caught:
        retry(on=OSError, attempts=2).call(Service(Broken(), Broken()).load)
    assert "its text cannot be made" in notes(caught.value)[0]


def test_reprs() -> None:
    policy = retry(on=(OSError, KeyError), attempts=3)
    assert repr(policy) == "<Retry on OSError KeyError: 3 attempts within 45 s>"
    assert repr(retry(on=OSError, attempts=None, budget_s=None)) == (
        "<Retry on OSError: any number of attempts>"
    )
    for attempt in policy:
        assert repr(attempt) == "<Attempt 1 new>"
        with attempt:
            assert repr(attempt) == "<Attempt 1 running>"
    assert repr(attempt) == "<Attempt 1 done>"


# Loops...


def test_attempts_are_numbered_and_what_follows_the_loop_is_reached(time: Clock) -> None:
    service = Service(*refused(2))
    numbers = []
    for attempt in retry(on=OSError):
        with attempt:
            numbers.append(attempt.number)
            service.load()
    assert numbers == [1, 2, 3]


def test_an_attempt_that_is_not_entered() -> None:
    with pytest.raises(RuntimeError, match="write `with attempt:`"):
        for _ in retry(on=OSError):
            pass


def test_an_attempt_is_entered_once() -> None:
    kept: list[Attempt] = []
    for attempt in retry(on=OSError):
        with attempt:
            kept.append(attempt)
    with pytest.raises(RuntimeError, match="entered once"):
        kept[0].__enter__()


# What people get wrong...


def test_what_to_try_again_is_named() -> None:
    def load() -> None: ...

    for wrong in (lambda: retry(load), lambda: retry(ConnectionError), lambda: retry(on=())):  # type: ignore[call-overload]
        with pytest.raises(TypeError, match=r"names no exceptions; write @retry\(on="):
            wrong()
    with pytest.raises(TypeError, match=r"on takes classes of exceptions, not <function"):
        retry(on=load)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match=r"on=BaseException means also what was cancelled"):
        retry(on=BaseException)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attempts": 0}, "at least 1"),
        ({"jitter": 2}, "from 0 to 1, not 2"),
        ({"max_delay_s": -1}, "max_delay_s is -1"),
        ({"budget_s": float("nan")}, "budget_s is nan"),
        ({"backoff": -0.1}, r"backoff is -0\.1"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        retry(on=OSError, **options)


def test_generator_functions_are_refused() -> None:
    def items() -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match=r"retry cannot guard .*items, a generator function"):
        retry(on=OSError)(items)


def test_a_back_off_of_the_users_that_makes_no_sense(time: Clock) -> None:
    with pytest.raises(ValueError, match="backoff gave -1"):
        retry(on=OSError, backoff=lambda attempt: -1.0).call(Service(*refused(2)).load)
