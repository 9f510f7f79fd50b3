"""Circuit breakers: whom they let through, what they count, what they say."""

from __future__ import annotations

import gc
import inspect
import logging
from collections.abc import Callable, Iterator

import pytest

from photon.runtime import clock
from photon.runtime.breaker import CircuitBreaker
from photon.runtime.cancel import fail_after, move_on_after
from photon.runtime.circuit import CircuitState
from photon.runtime.errors import BreakerOpen, DeadlineExceeded
from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.runtime.offload import offload
from tests.clients import wait_until

CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN


class Clock:
    """Moments that a test sets."""

    def __init__(self) -> None:
        self.moment = 1000.0

    def __call__(self) -> float:
        return self.moment


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The breaker's clock; nothing that waits is bounded by it."""
    of_test = Clock()
    monkeypatch.setattr("photon.runtime.breaker.now", of_test)
    return of_test


def failing(error: BaseException | None = None) -> None:
    raise error or ConnectionError("refused")


def fail(breaker: CircuitBreaker, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError):
            breaker.call(failing)


def opened(time: Clock, *, half_open: int = 1) -> CircuitBreaker:
    breaker = CircuitBreaker("payments", failures=1, half_open=half_open)
    fail(breaker)
    assert breaker.state is OPEN
    return breaker


# Calls...


def by_call(breaker: CircuitBreaker, fn: Callable[[], object]) -> object:
    return breaker.call(fn)


def by_decorator(breaker: CircuitBreaker, fn: Callable[[], object]) -> object:
    return breaker(fn)()


def by_block(breaker: CircuitBreaker, fn: Callable[[], object]) -> object:
    with breaker:
        return fn()


WAYS = [by_call, by_decorator, by_block]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_calling_counts_and_is_refused(
    way: Callable[[CircuitBreaker, Callable[[], object]], object], time: Clock
) -> None:
    breaker = CircuitBreaker("payments", failures=2)
    assert way(breaker, lambda: 7) == 7
    for _ in range(2):
        with pytest.raises(ConnectionError):
            way(breaker, failing)
    with pytest.raises(BreakerOpen):
        way(breaker, lambda: 7)
    time.moment += 30
    assert way(breaker, lambda: 7) == 7
    assert breaker.state is CLOSED
    assert breaker.statistics() == {
        "calls": 0,
        "failures": 0,
        "probes": 0,
        "refused": 1,
        "opened": 1,
    }


def test_a_decorated_function_stays_what_it_is() -> None:
    breaker = CircuitBreaker("payments")

    @breaker
    def charge(amount: int, *, currency: str = "EUR") -> str:
        """Charge it."""
        return f"{amount} {currency}"

    assert charge(7, currency="CHF") == "7 CHF"
    assert (charge.__name__, charge.__doc__) == ("charge", "Charge it.")
    assert list(inspect.signature(charge).parameters) == ["amount", "currency"]


def test_parameters_may_have_any_name() -> None:
    def load(self: int, fn: int) -> int:
        return self - fn

    assert CircuitBreaker("service")(load)(self=7, fn=3) == 4


def test_the_error_says_since_when_why_and_when_again(time: Clock) -> None:
    breaker = CircuitBreaker("payments", failures=2)
    breaker.call(lambda: None)
    fail(breaker, 2)
    time.moment += 3.2
    with pytest.raises(BreakerOpen) as caught:
        breaker.call(failing)
    assert str(caught.value) == (
        "the circuit breaker 'payments' has refused calls for 3.2 s, because 2 of 3 calls within "
        "10 s failed, the last one with ConnectionError: refused; it tries again in 26.8 s"
    )
    error = caught.value
    assert error.name == "payments"
    assert error.since_s == pytest.approx(3.2)
    assert error.retry_after == breaker.retry_after == pytest.approx(26.8)
    assert error.reason == breaker.reason


def test_while_it_is_probed_the_error_says_when_another_probe_may_go(time: Clock) -> None:
    breaker = opened(time)
    time.moment += 30
    with breaker:
        time.moment += 10
        with pytest.raises(BreakerOpen) as caught:
            breaker.call(failing)
    assert caught.value.retry_after == 20
    assert breaker.state is CLOSED
    assert breaker.reason == ""


# What counts...


def test_other_exceptions_are_answers(time: Clock) -> None:
    breaker = CircuitBreaker("payments", failures=1, counts=(ConnectionError, TimeoutError))
    with pytest.raises(KeyError):
        breaker.call(failing, KeyError())
    assert breaker.statistics()["calls"] == 1
    fail(breaker)
    time.moment += 30
    with pytest.raises(KeyError):
        breaker.call(failing, KeyError())
    assert breaker.state is CLOSED


@pytest.mark.parametrize(
    ("group", "state"),
    [
        (ExceptionGroup("", [KeyError(), ConnectionError()]), OPEN),
        (ExceptionGroup("", [KeyError(), ExceptionGroup("", [ConnectionError()])]), OPEN),
        (BaseExceptionGroup("", [SystemExit(), ConnectionError()]), OPEN),
        (ExceptionGroup("", [KeyError()]), CLOSED),
    ],
)
def test_a_group_counts_when_any_in_it_does(
    group: BaseExceptionGroup[BaseException], state: CircuitState
) -> None:
    breaker = CircuitBreaker("payments", failures=1, counts=ConnectionError)
    with pytest.raises(BaseExceptionGroup):
        breaker.call(failing, group)
    assert breaker.state is state


@pytest.mark.parametrize("error", [SystemExit(), KeyboardInterrupt(), GeneratorExit()])
def test_what_is_broken_off_says_nothing(error: BaseException) -> None:
    breaker = CircuitBreaker("payments", failures=1)
    with pytest.raises(type(error)):
        breaker.call(failing, error)
    assert breaker.statistics()["calls"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_cancel_from_outside_is_no_failure_and_a_deadline_within_is(
    way: Callable[[CircuitBreaker, Callable[[], object]], object],
) -> None:
    breaker = CircuitBreaker("payments", failures=1)
    with move_on_after(0.001) as scope:
        way(breaker, sleep_forever)
    assert scope.cancelled_caught
    assert (breaker.state, breaker.statistics()["calls"]) == (CLOSED, 0)

    def slow() -> None:
        with fail_after(0.001):
            sleep_forever()

    with pytest.raises(DeadlineExceeded):
        way(breaker, slow)
    assert breaker.state is OPEN


@pytest.mark.parametrize("way", WAYS)
def test_a_cancelled_probe_gives_its_place_back(
    way: Callable[[CircuitBreaker, Callable[[], object]], object], time: Clock
) -> None:
    breaker = opened(time)
    time.moment += 30
    with move_on_after(0.001):
        way(breaker, sleep_forever)
    assert breaker.state is HALF_OPEN
    way(breaker, lambda: None)
    assert breaker.state is CLOSED


def test_of_a_crowd_as_many_get_through_as_there_are_places(time: Clock) -> None:
    breaker = opened(time, half_open=3)
    time.moment += 30
    called: list[int] = []

    def probe(number: int) -> None:
        called.append(number)
        sleep_forever()

    def ask(number: int) -> str:
        try:
            if number % 2:
                breaker.call(probe, number)
            else:
                with breaker:
                    probe(number)
        except BreakerOpen:
            return "refused"
        return "asked"

    handles = [spawn(ask, number) for number in range(20)]
    wait_until(lambda: breaker.statistics()["refused"] == 17)
    assert len(called) == 3  # whoever came first
    handles[called[0]].cancel()
    handles[called[0]].join()
    handles.append(spawn(ask, 20))
    wait_until(lambda: len(called) == 4)
    for handle in handles:
        handle.cancel()
        handle.join()
    assert breaker.state is HALF_OPEN
    assert breaker.statistics()["probes"] == 0


def test_a_breaker_within_itself_does_not_count_its_own_refusal(time: Clock) -> None:
    breaker = opened(time)
    time.moment += 30

    with pytest.raises(BreakerOpen), breaker, breaker:
        raise AssertionError
    assert breaker.state is HALF_OPEN
    breaker.call(lambda: None)
    with breaker, breaker:
        pass
    assert (breaker.state, breaker.statistics()["calls"]) == (CLOSED, 2)


# Blocks...


def test_blocks_of_many_greenlets_do_not_mix(time: Clock) -> None:
    breaker = CircuitBreaker("payments", failures=100)

    def ask(number: int) -> None:
        with breaker:
            checkpoint()
            with breaker:
                checkpoint()
                if number % 2:
                    raise ConnectionError

    handles = [spawn(ask, number) for number in range(20)]
    for handle in handles:
        handle.join()
    assert breaker.statistics()["calls"] == 40
    assert breaker.statistics()["failures"] == 20
    assert len(breaker._inside) == 0


def test_a_block_in_a_generator_that_others_close_or_nobody_does(time: Clock) -> None:
    breaker = opened(time)
    time.moment += 30
    kept: list[Iterator[int]] = []

    def generator() -> Iterator[int]:
        with breaker:
            yield 1

    def begin() -> None:
        kept.append(generator())
        next(kept[-1])

    for _ in range(2):
        spawn(begin).join()
        time.moment += 30  # the probe is lost, and another may go
    assert len(breaker._inside) == 1  # of one carrier
    spawn(kept.clear).join()
    breaker.call(lambda: None)
    assert breaker.state is CLOSED
    with breaker:
        pass
    gc.collect()


def test_native_threads_use_it_too(time: Clock) -> None:
    breaker = CircuitBreaker("payments", failures=1000)

    def ask() -> None:
        for _ in range(100):
            with breaker:
                pass

    for handle in [spawn(offload, ask) for _ in range(8)]:
        handle.join()
        assert handle.error is None
    assert breaker.statistics()["calls"] == 800


# What it tells...


def test_changes_are_logged_and_told(time: Clock, caplog: pytest.LogCaptureFixture) -> None:
    story: list[str] = []

    def note(breaker: CircuitBreaker, old: CircuitState, new: CircuitState) -> None:
        assert breaker.state is new
        story.append(f"{breaker.name}: {old.value} -> {new.value}")

    caplog.set_level(logging.INFO)
    breaker = CircuitBreaker("payments", failures=1, on_change=note)
    fail(breaker)
    time.moment += 30
    fail(breaker)
    time.moment += 30
    breaker.call(lambda: None)
    breaker.reset()
    assert story == [
        "payments: closed -> open",
        "payments: open -> half-open",
        "payments: half-open -> open",
        "payments: open -> half-open",
        "payments: half-open -> closed",
    ]
    assert [record.levelname for record in caplog.records] == [
        "WARNING",
        "INFO",
        "WARNING",
        "INFO",
        "INFO",
    ]
    assert "a probe failed with ConnectionError: refused" in caplog.messages[2]


def test_a_hook_that_fails_is_logged_and_harms_nobody(
    time: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    breaker = CircuitBreaker("payments", failures=1, on_change=lambda *_: 1 / 0)
    fail(breaker)
    assert breaker.state is OPEN
    assert "the hook" in caplog.messages[-1]


def test_a_cancel_in_a_hook_that_waits_gives_the_place_of_the_probe_back(time: Clock) -> None:
    def wait(breaker: CircuitBreaker, old: CircuitState, new: CircuitState) -> None:
        if new is HALF_OPEN:
            sleep_forever()

    breaker = CircuitBreaker("payments", failures=1, on_change=wait)
    fail(breaker)
    time.moment += 30
    with move_on_after(0.001) as scope:
        breaker.call(lambda: None)
    assert scope.cancelled_caught
    assert breaker.statistics()["probes"] == 0


def test_reset_closes_it(time: Clock) -> None:
    breaker = opened(time)
    breaker.reset()
    assert (breaker.state, breaker.retry_after, breaker.reason) == (CLOSED, 0.0, "")
    breaker.call(lambda: None)


def test_its_repr_tells_its_state(time: Clock) -> None:
    breaker = CircuitBreaker("payments", failures=2)
    breaker.call(lambda: None)
    fail(breaker)
    assert repr(breaker) == "<CircuitBreaker 'payments' closed, 1 of 2 calls failed>"
    fail(breaker)
    time.moment += 10
    assert repr(breaker) == (
        "<CircuitBreaker 'payments' open, tries again in 20 s, not closed for 10 s: "
        "2 of 3 calls within 10 s failed, the last one with ConnectionError: refused>"
    )
    time.moment += 20
    with breaker:
        assert "half-open, 1 of 1 probes taken, not closed for 30 s" in repr(breaker)


# What people get wrong...


def test_a_decorator_without_a_name_is_told_so() -> None:
    def charge() -> None: ...

    with pytest.raises(TypeError, match=r'has a name.*CircuitBreaker\("payments"\)'):
        CircuitBreaker(charge)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"failures": 0}, "failures is 0"),
        ({"half_open": 0}, "half_open is 0"),
        ({"window_s": 0}, "window_s is 0"),
        ({"reset_s": float("nan")}, "reset_s is nan"),
        ({"share": 50}, "from 0 to 1, not 50"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CircuitBreaker("payments", **options)  # type: ignore[arg-type]


def test_counts_are_classes_of_exceptions() -> None:
    with pytest.raises(TypeError, match="means also what was cancelled"):
        CircuitBreaker("payments", counts=BaseException)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="takes classes of exceptions, not 503"):
        CircuitBreaker("payments", counts=503)  # type: ignore[arg-type]


def test_generator_functions_and_async_functions_are_refused() -> None:
    def items() -> Iterator[int]:
        yield 1

    async def load() -> None: ...

    breaker = CircuitBreaker("payments")
    with pytest.raises(TypeError, match=r"'payments' cannot guard .*items, a generator function"):
        breaker(items)
    with pytest.raises(TypeError, match=r"load, an async function.*plain def"):
        breaker(load)
    with pytest.raises(TypeError, match="not 7; pass it without calling it"):
        breaker(7)  # type: ignore[arg-type]


def test_the_clock_of_the_runtime_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = CircuitBreaker("payments", failures=1)
    fail(breaker)
    then = clock.now() + 30
    monkeypatch.setattr(clock, "_read_steady", lambda: then)
    breaker.call(lambda: None)
    assert breaker.state is CLOSED
