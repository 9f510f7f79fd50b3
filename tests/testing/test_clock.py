"""The clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import pytest

from photon import Photon
from photon.runtime.cancel import move_on_after
from photon.runtime.clock import now, wall
from photon.runtime.greenlets import checkpoint, sleep, spawn
from photon.runtime.hub import current_hub
from photon.tasks.errors import ScheduleError
from photon.tasks.periods import seconds_of
from photon.tasks.timers import spawn_after
from photon.testing.client import TestClient
from photon.testing.clock import Clock


@pytest.fixture
def clock() -> Iterator[Clock]:
    with Clock() as clock:
        yield clock


def test_time_stands_still_until_it_is_moved(clock: Clock) -> None:
    began, date = now(), wall()
    for _ in range(10):
        checkpoint()
    assert (now(), wall()) == (began, date)
    clock.advance("1h 30m")
    assert now() - began == pytest.approx(5400)
    assert wall() - date == pytest.approx(5400)


# Of machines that run for days, and between two powers of two, where sums lose a digit.
ODD_STARTS = [0.1, 1023.999999, 16000.123457, 23456.789123, 32767.7, 1e8 / 3]


@pytest.mark.parametrize("start", ODD_STARTS)
def test_however_long_the_machine_runs_lengths_of_time_are_exact(
    start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photon.runtime.clock._read_steady", lambda: start)
    with Clock() as clock:
        began = clock.now
        assert start <= began <= start + 0.001
        timer = spawn_after("10m", print)
        assert timer.due_in_s == 600
        assert clock.next_due is not None
        assert clock.next_due - began == 600
        for period in ("1m", 0.5, "1h 30m"):
            before = now()
            clock.advance(period)
            assert now() - before == seconds_of(period, "advance")
        assert timer.state == "done"


@pytest.mark.parametrize("start", ODD_STARTS)
def test_parts_of_a_second_add_up_to_what_a_timer_shows(
    start: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photon.runtime.clock._read_steady", lambda: start)
    with Clock() as clock:
        timer = spawn_after(0.3, print)
        assert timer.due_in_s == 0.3
        clock.advance(0.1)
        assert timer.due_in_s == 0.2
        clock.advance("100ms")
        assert timer.due_in_s == 0.1
        clock.advance(0.1)
        assert (timer.state, timer.due_in_s) == ("done", 0.0)


def test_sleepers_wake_in_order_each_at_its_moment(clock: Clock) -> None:
    began, woken = now(), []

    def sleeper(seconds: float) -> None:
        sleep(seconds)
        woken.append(now() - began)

    for seconds in (3600, 60, 86400):
        spawn(sleeper, seconds)
    real = perf_counter()
    clock.advance(100)
    assert woken == [pytest.approx(60)]
    clock.advance("2d")
    assert woken == [pytest.approx(60), pytest.approx(3600), pytest.approx(86400)]
    assert perf_counter() - real < 60


def test_what_is_due_may_make_more_due(clock: Clock) -> None:
    began, ticks = now(), []

    def ticker() -> None:
        while True:
            sleep(1)
            ticks.append(round(now() - began))

    handle = spawn(ticker)
    clock.advance(5.5)
    handle.cancel()
    handle.join()
    assert ticks == [1, 2, 3, 4, 5]


def test_deadlines_and_timers_move_with_it(clock: Clock) -> None:
    ended: list[str] = []

    def job() -> None:
        with move_on_after(30) as scope:
            sleep(3600)
        ended.append(f"caught {scope.cancelled_caught}")

    spawn(job)
    timer = spawn_after("1m", ended.append, "timer")
    clock.advance(29)
    assert ended == []
    clock.advance(2)
    assert ended == ["caught True"]
    clock.advance(60)
    assert ended == ["caught True", "timer"]
    assert timer.state == "done"


def test_what_is_due_now_needs_no_time_to_pass(clock: Clock) -> None:
    ended: list[str] = []
    current_hub().deadlines.add(now(), lambda: ended.append("deadline"))
    clock.settle()
    assert ended == ["deadline"]


def test_a_request_runs_into_its_timeout(clock: Clock) -> None:
    app = Photon()

    @app.get("/slow", timeout=30)
    def slow() -> str:
        sleep(3600)
        return "never"

    with TestClient(app) as client:
        asked = spawn(client.get, "/slow")
        clock.advance(29)
        assert asked.state == "running"
        clock.advance(2)
        asked.join()
        assert asked.result.status == 504


def test_the_wall_clock_may_jump_alone(clock: Clock) -> None:
    began = now()
    clock.set_wall(1_000_000.0)
    assert (wall(), now()) == (1_000_000.0, began)


def test_afterwards_time_is_real_again() -> None:
    with Clock() as clock:
        clock.advance(10)
        late = current_hub().deadlines.add(now() + 1e6, lambda: None)
        sleeper = spawn(sleep, 5)
        checkpoint()
        checkpoint()
    began = perf_counter()
    sleep(0.01)
    assert perf_counter() - began >= 0.0099
    late.cancel()
    sleeper.join()  # woken at the end: nobody would ever wake it


def test_what_is_still_due_afterwards_comes_as_soon_as_it_would_have() -> None:
    deadlines = current_hub().deadlines
    came: list[str] = []
    with Clock() as clock:
        clock.advance("1h")
        deadline = deadlines.add(now() + 0.01, lambda: came.append("came"))
    assert deadline.when - now() <= 0.01
    while not came:
        sleep(0.002)


def test_mistakes_are_told(clock: Clock) -> None:
    with pytest.raises(ScheduleError, match="advance"):
        clock.advance(-1)
    with pytest.raises(ScheduleError, match="5 parsecs"):
        clock.advance("5 parsecs")
    with pytest.raises(RuntimeError, match="inside of its `with`"):
        Clock().settle()
    with pytest.raises(RuntimeError, match="in use already"):
        clock.__enter__()
    assert repr(clock).startswith("<Clock at ")


def test_an_application_stops_while_time_stands_still() -> None:
    app = Photon()
    ended: list[str] = []

    def job(name: str, waits: float) -> None:
        try:
            sleep(waits)
            ended.append(f"{name} done")
        except BaseException as error:
            ended.append(f"{name} {type(error).__name__}")
            raise

    @app.get("/")
    def start() -> str:
        spawn(job, "short", 0)
        spawn(job, "long", 3600)
        return "ok"

    with Clock(), TestClient(app) as client:
        assert client.get("/").text == "ok"
    assert sorted(ended) == ["long Cancelled", "short done"]


def test_what_is_due_at_a_time_of_the_wall_runs_when_that_is_reached() -> None:
    for began in (1763692200.1234567, 1763692199.9999999, 1763690000.3):
        app, ran = Photon(), []

        @app.cron("0 3 * * *")
        def nightly() -> None:
            ran.append(wall())  # noqa: B023

        midnight = began - began % 86400
        due = midnight + 3 * 3600 + (86400 if began % 86400 >= 3 * 3600 else 0)
        with Clock(wall=began) as clock, TestClient(app):
            clock.advance(due - began)
            assert ran == [pytest.approx(due)]
