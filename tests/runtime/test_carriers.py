"""The pool of greenlets: its barrier, its contexts, and whom an interrupt reaches."""

from __future__ import annotations

import gc
import logging
import weakref
from collections.abc import Callable
from contextvars import ContextVar

import pytest
from greenlet import GreenletExit, getcurrent

from photon.runtime.carriers import Carrier, Carriers
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.runtime.hub import current_hub
from tests.clients import wait_until


class Work:
    """A job that calls a function, and notes what happened to it."""

    def __init__(self, fn: Callable[[], object], times: int = 1) -> None:
        self.fn = fn
        self.times = times
        self.carriers: list[object] = []
        self.parked_on: list[Carrier] = []
        self.ends: list[object] = []

    def run(self) -> object:
        self.carriers.append(getcurrent())
        self.times -= 1
        try:
            self.ends.append(self.fn())
        except BaseException as error:
            self.ends.append(error)
            raise
        return self.times

    def on_parked(self, carrier: Carrier) -> None:
        self.parked_on.append(carrier)


def interrupt(carriers: Carriers, carrier: Carrier, work: Work, error: BaseException) -> bool:
    """As `Carriers.interrupt`, from the hub."""
    answers: list[bool] = []
    current_hub().run_soon(lambda: answers.append(carriers.interrupt(carrier, work, error)))
    wait_until(lambda: answers)
    return answers[0]


@pytest.fixture
def carriers() -> Carriers:
    """A pool of its own on this thread's hub, so that counts are ours."""
    return Carriers(current_hub().native)


def test_a_job_runs_soon_and_its_carrier_is_kept(carriers: Carriers) -> None:
    work = Work(lambda: "done")
    carriers.submit(work)
    assert work.ends == []
    checkpoint()
    assert work.ends == ["done"]
    assert work.parked_on == []
    assert carriers.statistics() == {"made": 1, "busy": 0, "idle": 1, "ready": 0}


def test_one_carrier_works_through_all_jobs_that_do_not_wait(carriers: Carriers) -> None:
    works = [Work(lambda: 1) for _ in range(100)]
    for work in works:
        carriers.submit(work)
    wait_until(lambda: all(work.ends for work in works))  # in rounds, on a slow machine
    assert [work.ends for work in works] == [[1]] * 100
    assert carriers.statistics()["made"] == 1


def test_jobs_that_wait_have_a_carrier_each_and_are_told_so(carriers: Carriers) -> None:
    works = [Work(sleep_forever) for _ in range(10)]
    for work in works:
        carriers.submit(work)
    checkpoint()
    assert carriers.statistics() == {"made": 10, "busy": 10, "idle": 0, "ready": 0}
    assert [work.parked_on for work in works] == [work.carriers for work in works]
    assert len({id(work.carriers[0]) for work in works}) == 10
    for work in works:
        assert interrupt(carriers, work.parked_on[0], work, Cancelled("scope"))
    assert carriers.statistics() == {"made": 10, "busy": 0, "idle": 10, "ready": 0}


def test_a_job_is_called_again_while_it_returns_true(carriers: Carriers) -> None:
    work = Work(checkpoint, times=5)
    carriers.submit(work)
    wait_until(lambda: len(work.ends) == 5)
    assert len(set(map(id, work.carriers))) == 1
    assert len(work.parked_on) == 1


def test_each_run_of_a_job_has_a_context_of_its_own(carriers: Carriers) -> None:
    variable = ContextVar("variable", default="fresh")

    def look_and_set() -> str:
        seen = variable.get()
        variable.set("used")
        return seen

    variable.set("of the caller")
    again, other = Work(look_and_set, times=3), Work(look_and_set)
    carriers.submit(again)
    carriers.submit(other)
    checkpoint()
    assert again.ends + other.ends == ["fresh"] * 4
    assert variable.get() == "of the caller"


# The barrier...


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


PANICS: list[BaseException] = [
    ValueError("oh"),
    SystemExit(1),
    KeyboardInterrupt(),
    GreenletExit(),
    GeneratorExit(),
    MemoryError(),
    RecursionError(),
    SystemError("inside"),
    Cancelled("shutdown"),
    Unspeakable(),
]


@pytest.mark.parametrize("error", PANICS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("waits", [False, True])
def test_whatever_a_job_raises_ends_at_its_carrier_and_is_logged_once(
    error: BaseException, waits: bool, carriers: Carriers, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        if waits:
            checkpoint()
        raise error

    bad, good = Work(fail), Work(lambda: "good")
    carriers.submit(bad)
    carriers.submit(good)
    wait_until(lambda: bad.ends)
    checkpoint()
    assert good.ends == ["good"]
    assert carriers.statistics()["busy"] == 0
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("photon.runtime", logging.ERROR)
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    later = Work(lambda: "later")
    carriers.submit(later)
    checkpoint()
    assert later.ends == ["later"]


def test_a_real_recursion_ends_at_its_carrier(carriers: Carriers) -> None:
    work = Work(recurse)
    carriers.submit(work)
    checkpoint()
    assert isinstance(work.ends[0], RecursionError)
    assert carriers.statistics()["busy"] == 0


def test_a_logger_that_fails_does_not_take_the_carrier_along(
    carriers: Carriers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise SystemExit("the disk is full")

    monkeypatch.setattr(logging.getLogger("photon.runtime"), "error", fail)
    carriers.submit(Work(recurse))
    checkpoint()
    assert carriers.statistics() == {"made": 1, "busy": 0, "idle": 1, "ready": 0}


@pytest.mark.parametrize("fn", [int, recurse])
def test_an_idle_carrier_keeps_nothing_of_its_last_job_alive(
    fn: Callable[[], object], carriers: Carriers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("photon.runtime"), "disabled", True)
    work = Work(fn)
    gone = weakref.ref(work)
    carriers.submit(work)
    checkpoint()
    assert len(work.ends) == 1
    del work
    gc.collect()
    assert gone() is None


# Whom an interrupt reaches...


def test_an_interrupt_reaches_the_call_where_the_job_waits(carriers: Carriers) -> None:
    work = Work(sleep_forever)
    carriers.submit(work)
    checkpoint()
    error = Cancelled("deadline", "too long")
    assert interrupt(carriers, work.parked_on[0], work, error)
    assert work.ends == [error]


def test_an_interrupt_for_a_job_that_is_over_reaches_nobody(carriers: Carriers) -> None:
    first = Work(checkpoint)
    carriers.submit(first)
    wait_until(lambda: first.ends)
    (carrier,) = first.parked_on
    assert not interrupt(carriers, carrier, first, Cancelled("scope"))
    second = Work(sleep_forever)
    carriers.submit(second)
    checkpoint()
    assert second.parked_on == [carrier]
    assert not interrupt(carriers, carrier, first, Cancelled("scope"))
    assert second.ends == []
    assert interrupt(carriers, carrier, second, Cancelled("scope"))


def test_what_is_thrown_or_switched_into_an_idle_carrier_harms_nobody(carriers: Carriers) -> None:
    """As a time-out does that somebody armed and never took back, or a late wake-up."""
    first = Work(lambda: 1)
    carriers.submit(first)
    checkpoint()
    (carrier,) = carriers.idle
    run_soon = current_hub().run_soon
    run_soon(carrier.switch)
    run_soon(carrier.throw, Cancelled("scope"))
    run_soon(carrier.switch)
    run_soon(carrier.throw, ValueError("late"))
    checkpoint()
    assert carriers.idle == [carrier]
    works = [Work(checkpoint) for _ in range(3)]
    for work in works:
        carriers.submit(work)
    wait_until(lambda: all(work.ends for work in works))
    assert [work.ends for work in works] == [[None]] * 3
    assert carriers.statistics() == {"made": 3, "busy": 0, "idle": 3, "ready": 0}


def test_an_idle_carrier_that_is_killed_leaves_the_pool(carriers: Carriers) -> None:
    carriers.submit(Work(lambda: 1))
    checkpoint()
    (carrier,) = carriers.idle
    current_hub().run_soon(carrier.throw, GreenletExit())
    checkpoint()
    assert carriers.statistics() == {"made": 0, "busy": 0, "idle": 0, "ready": 0}


# How many...


def test_no_more_than_max_idle_carriers_are_kept() -> None:
    carriers = Carriers(current_hub().native, max_idle=3)
    works = [Work(checkpoint) for _ in range(10)]
    for work in works:
        carriers.submit(work)
    checkpoint()
    wait_until(lambda: all(work.ends for work in works))
    assert carriers.statistics() == {"made": 3, "busy": 0, "idle": 3, "ready": 0}


def test_jobs_that_make_jobs_do_not_keep_the_hub_from_anything_else() -> None:
    count = 0
    is_over = False

    def again() -> None:
        nonlocal count
        count += 1
        if not is_over and count < 1_000_000:
            spawn(again)

    spawn(again)
    wait_until(lambda: count > 10)
    is_over = True
    checkpoint()
    assert count < 1_000_000


def test_carriers_say_what_they_do(carriers: Carriers) -> None:
    work = Work(sleep_forever)
    carriers.submit(work)
    checkpoint()
    assert repr(carriers) == "<Carriers busy=1 idle=0 ready=0>"
    assert "running" in repr(work.parked_on[0])
    interrupt(carriers, work.parked_on[0], work, Cancelled("scope"))
    assert repr(work.parked_on[0]) == "<Carrier idle>"


def test_jobs_that_compute_let_the_loop_poll_between_them(
    carriers: Carriers, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = 0.0

    ended = 0

    def compute_and_tell() -> None:
        nonlocal moment, ended
        moment += 0.002
        ended += 1

    monkeypatch.setattr("photon.runtime.carriers.now", lambda: moment)
    rounds: list[int] = []
    start = carriers._start_submitted

    def counted() -> None:
        before = ended
        start()
        rounds.append(ended - before)

    monkeypatch.setattr(carriers, "_start_submitted", counted)
    for _ in range(1000):
        carriers.submit(Work(compute_and_tell))
    wait_until(lambda: ended == 1000)
    assert rounds[0] == 128  # who knows before
    assert max(rounds[1:]) <= 4


def test_jobs_that_take_no_time_are_started_many_at_a_time_again(carriers: Carriers) -> None:
    carriers._round_jobs = 1
    ends: list[None] = []
    for _ in range(1000):
        carriers.submit(Work(lambda: ends.append(None)))
    wait_until(lambda: len(ends) == 1000)
    assert carriers._round_jobs == 128
