"""`spawn_after`: functions that run once, later."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import pytest

from photon.runtime.greenlets import sleep_forever
from photon.runtime.hub import current_hub
from photon.runtime.region import Region, opened
from photon.tasks.errors import ScheduleError, TaskError
from photon.tasks.task import current_job
from photon.tasks.timers import drop_timers, pending_timers, spawn_after
from tests.clients import wait_until
from tests.tasks.clock import HandClock, clocks, settle

__all__ = ["clocks"]

variable = ContextVar("variable", default="nothing")


@pytest.fixture(autouse=True)
def region() -> Iterator[Region]:
    with opened(Region("the shop", limit=3), drain_s=0.0) as region:
        yield region
        drop_timers(region)


def fail() -> None:
    raise ValueError("oh")


def test_a_timer_runs_once_when_it_is_due(clocks: HandClock) -> None:
    ran: list[int] = []
    timer = spawn_after("1m", ran.append, 1)
    assert (timer.state, timer.due_in_s, timer.job) == ("pending", 60.0, None)
    assert repr(timer).startswith("<Timer list.append pending, due in 1m")
    clocks.advance(59.9)
    assert (timer.state, ran) == ("pending", [])
    clocks.advance(0.1)
    assert (timer.state, ran, pending_timers()) == ("done", [1], [])
    clocks.advance(120)
    assert ran == [1]


def test_timers_come_in_their_order(clocks: HandClock) -> None:
    story: list[str] = []
    spawn_after(3, story.append, "third")
    spawn_after(timedelta(seconds=1), story.append, "first")
    spawn_after(2, story.append, "second")
    clocks.advance(5)
    assert story == ["first", "second", "third"]


def test_nothing_from_now_is_soon() -> None:
    ran: list[int] = []
    spawn_after(0, ran.append, 1)
    assert ran == []
    wait_until(lambda: ran)


def test_a_timer_sees_the_context_of_who_asked_for_it(clocks: HandClock) -> None:
    seen: list[str] = []
    variable.set("then")
    spawn_after(1, lambda: seen.append(variable.get()))
    variable.set("nothing")
    clocks.advance(1)
    assert seen == ["then"]


def test_arguments_by_name_are_handed_on(clocks: HandClock) -> None:
    def fn(seconds: int, *, fn: int) -> object:
        return seconds, fn, current_job()

    timer = spawn_after(1, fn, 5, fn=3)
    clocks.advance(1)
    assert timer.job is not None
    assert timer.job.result == (5, 3, timer.job)


def test_a_timer_is_cancelled_before_it_is_due(clocks: HandClock) -> None:
    ran: list[int] = []
    timer = spawn_after(1, ran.append, 1)
    timer.cancel()
    timer.cancel()
    clocks.advance(5)
    assert (timer.state, ran, pending_timers()) == ("cancelled", [], [])
    assert len(current_hub().deadlines) == 0


def test_a_timer_is_cancelled_while_it_runs(clocks: HandClock) -> None:
    timer = spawn_after(1, sleep_forever)
    clocks.advance(1)
    states = [timer.state]
    timer.cancel("enough")
    settle()
    assert [*states, timer.state] == ["running", "cancelled"]


def test_what_it_raises_is_logged_once_with_the_place_of_the_call(
    clocks: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    timer = spawn_after(1, fail)
    clocks.advance(1)
    assert timer.state == "failed"
    (record,) = caplog.records
    assert "failed: ValueError: oh" in record.getMessage()
    assert "test_timers.py:" in str(record.asked_at)  # type: ignore[attr-defined]


def test_timers_that_are_not_due_when_the_region_ends_are_named(
    clocks: HandClock, region: Region, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    timers = [spawn_after(5, ran.append, 1), spawn_after(3, fail), spawn_after(4, fail)]
    assert pending_timers(region) == [timers[1], timers[2], timers[0]]
    assert drop_timers(Region("another one")) == []
    assert len(drop_timers(region)) == 3
    clocks.advance(10)
    assert ({timer.state for timer in timers}, ran) == ({"dropped"}, [])
    (record,) = caplog.records
    assert "the shop stops: 3 timers never ran:" in record.getMessage()
    assert f"{__name__}.fail (2)" in record.getMessage()
    assert "the next one was due in 3s" in record.getMessage()


def test_a_region_that_is_full_or_closed_is_told(
    clocks: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    timers = [spawn_after(1, sleep_forever) for _ in range(4)]
    clocks.advance(1)
    assert sorted(timer.state for timer in timers) == ["failed", "running", "running", "running"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "was due and could not begin" in record.getMessage()


def test_pending_timers_cost_nothing_but_their_entries(region: Region) -> None:
    hub = current_hub()
    made = hub.carriers.statistics()["made"]
    timers = [spawn_after(3600 + n, int) for n in range(10_000)]
    assert region.statistics().alive == 0
    assert hub.carriers.statistics()["made"] == made
    for timer in timers:
        timer.cancel()
    assert len(hub.deadlines) == 0


async def waits() -> None: ...


WRONG: list[tuple[Any, Any, type[Exception], str]] = [
    (-1, fail, ScheduleError, "spawn_after: seconds is -1, but it must be zero or more"),
    ("soon", fail, ScheduleError, "no length of time"),
    (1, waits, TaskError, "is async"),
    (1, fail.__name__, TaskError, "'fail' is none"),
    (fail, 1, ScheduleError, "give seconds"),
]


@pytest.mark.parametrize(("seconds", "fn", "kind", "says"), WRONG)
def test_what_is_wrong_is_told_at_once(
    seconds: Any, fn: Any, kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind) as caught:
        spawn_after(seconds, fn)
    assert says in str(caught.value)
