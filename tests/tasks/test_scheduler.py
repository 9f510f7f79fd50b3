"""Functions that run again and again: when, how often at once, and how they end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from photon.app.photon import Photon
from photon.runtime.errors import Cancelled, RegionClosed
from photon.runtime.greenlets import sleep, sleep_forever
from photon.runtime.hub import current_hub
from photon.runtime.region import Region, opened
from photon.tasks import scheduled as module
from photon.tasks.election import EveryWorker, FileElector, Release
from photon.tasks.errors import DuplicateTask, ScheduleError, TaskError
from photon.tasks.schedule import Every
from photon.tasks.scheduler import Scheduler
from photon.tasks.settings import TaskSettings
from photon.tasks.task import Job, current_job
from photon.tasks.timers import spawn_after
from tests.tasks.clock import HandClock, clocks, settle, wait_until

__all__ = ["clocks"]

variable = ContextVar("variable", default="nothing")

QUICK = TaskSettings(drain_s=0.0, cancel_s=3.0)


class Gate:
    """A task that goes on until it is let go. Attributes: begun, ended: how often it was."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.is_open = False

    def __call__(self) -> None:
        self.begun += 1
        while not self.is_open:
            sleep(0.001)
        self.ended += 1


@contextmanager
def running(scheduler: Scheduler, limit: int = 1000) -> Iterator[Scheduler]:
    with opened(Region("the shop", limit), drain_s=0.0) as region, scheduler.running(region):
        settle()
        yield scheduler


def times(clocks: HandClock, into: list[float]) -> Callable[[], None]:
    """A task that notes the moments at which it runs, counted from now."""
    start = clocks.steady
    return lambda: into.append(round(clocks.steady - start, 6))


# every...


def test_runs_are_a_period_apart_and_counted_from_the_start(clocks: HandClock) -> None:
    scheduler = Scheduler()
    at: list[float] = []
    scheduler.every("10s", name="note")(times(clocks, at))
    clocks.advance(100)
    at.clear()
    note = times(clocks, at)
    scheduler.tasks["note"].task.fn = note
    with running(scheduler):
        clocks.advance(35)
        assert at == [10, 20, 30]
        assert scheduler.tasks["note"].next_due == clocks.wall + 5
    clocks.advance(50)
    assert at == [10, 20, 30]


def test_a_run_may_be_at_the_start(clocks: HandClock) -> None:
    scheduler = Scheduler()
    at: list[float] = []
    scheduler.every(10, run_on_start=True, name="note")(times(clocks, at))
    with running(scheduler):
        clocks.advance(15)
    assert at == [0, 10]


def test_a_late_run_does_not_put_off_the_others_and_missed_ones_are_counted(
    clocks: HandClock,
) -> None:
    scheduler = Scheduler()
    at: list[float] = []
    scheduler.every(1, name="note")(times(clocks, at))
    with running(scheduler):
        clocks.late(1.4)
        clocks.advance(0.6)
        clocks.late(3.7)
        clocks.advance(0.3)
        assert at == [1.4, 2, 5.7, 6]
        assert scheduler.tasks["note"].statistics().missed == 2


def test_jitter_puts_off_each_run_for_itself(
    clocks: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler()
    at: list[float] = []
    scheduler.every(10, jitter=4, name="note")(times(clocks, at))
    chances = iter([0.5, 0.25, 0.0, 0.0])
    moment = Every.moment
    monkeypatch.setattr(
        Every,
        "moment",
        lambda self, start, number: moment(self, start, number, lambda: next(chances)),
    )
    with running(scheduler):
        clocks.advance(35)
    assert at == [12, 21, 30]


def test_many_tasks_do_not_disturb_each_other(clocks: HandClock) -> None:
    scheduler = Scheduler()
    counts = [0] * 200

    def count(n: int) -> None:
        counts[n] += 1

    for n in range(200):
        scheduler.every(1 + n / 100, name=f"task {n}")(partial(count, n))
    with running(scheduler):
        clocks.advance(60)
    assert counts == [int(60 / (1 + n / 100) + 1e-9) for n in range(200)]


def test_a_job_has_a_fresh_context_a_name_and_an_id(clocks: HandClock) -> None:
    scheduler = Scheduler()
    seen: list[Any] = []

    @scheduler.every(1)
    def look() -> None:
        seen.append((variable.get(), current_job()))
        variable.set("of a run")

    variable.set("of who started it")
    try:
        with running(scheduler):
            clocks.advance(2)
    finally:
        variable.set("nothing")
    (first, one), (second, other) = seen
    assert (first, second) == ("nothing", "nothing")
    assert one.name == other.name == f"{__name__}.{look.__qualname__}"
    assert one.id != other.id


# What tasks do to the schedule: nothing...


def recurse() -> None:
    recurse()


def raises(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "fn",
    [
        raises(ValueError("oh")),
        raises(SystemExit(1)),
        raises(KeyboardInterrupt()),
        raises(GeneratorExit()),
        raises(Cancelled("scope", "my own")),
        recurse,
    ],
)
def test_what_a_run_raises_ends_that_run_alone(fn: Callable[[], None], clocks: HandClock) -> None:
    scheduler = Scheduler()
    ran: list[int] = []
    scheduler.every(1, name="bad")(fn)
    scheduler.every(1, name="good")(partial(ran.append, 1))
    with running(scheduler):
        clocks.advance(3)
        entry = scheduler.tasks["bad"]
        counts = entry.statistics()
        assert counts.failed + counts.cancelled == 3
        assert [run.outcome for run in entry.history] in (["failed"] * 3, ["cancelled"] * 3)
        assert len(ran) == 3


def test_a_run_that_hangs_is_stopped_and_the_next_one_comes(clocks: HandClock) -> None:
    scheduler = Scheduler()
    told: list[tuple[str, str]] = []

    @scheduler.every(
        10, timeout=3, on_failure=lambda job, error: told.append((job.state, str(error)))
    )
    def hang() -> None:
        sleep_forever()

    with running(scheduler):
        clocks.advance(25)
        entry = next(iter(scheduler.tasks.values()))
        assert entry.statistics().timed_out == 2
        assert [(run.outcome, run.duration_s) for run in entry.history] == [("timed out", 3.0)] * 2
    state, error = told[0]
    assert state == "timed out"
    assert "it took longer than 3 s and was stopped at tests/tasks/test_scheduler.py:" in error
    assert error.endswith("in hang")


def test_a_run_is_tried_again(clocks: HandClock) -> None:
    scheduler = Scheduler()
    story: list[int] = []

    @scheduler.every(10, retries=2, backoff=0, name="flaky")
    def flaky() -> None:
        story.append(1)
        if len(story) % 3:
            raise ConnectionError

    with running(scheduler):
        clocks.advance(10)
        (run,) = scheduler.tasks["flaky"].history
    assert (run.outcome, run.attempts, run.error) == ("done", 3, "")


def test_the_last_runs_are_remembered_without_what_they_held(clocks: HandClock) -> None:
    scheduler = Scheduler(TaskSettings(history=2))
    scheduler.every(1, name="bad")(raises(ValueError("oh")))
    with running(scheduler):
        clocks.advance(5)
        runs = list(scheduler.tasks["bad"].history)
    assert len(runs) == 2
    assert runs[0].due is not None
    assert runs[1].due == runs[0].due + 1
    assert (runs[1].started_at, runs[1].duration_s) == (runs[1].due, 0.0)
    assert runs[1].error == "ValueError: oh"


def test_a_region_that_is_full_is_told_and_the_schedule_goes_on(
    clocks: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Scheduler(QUICK)
    gate = Gate()
    ran: list[int] = []
    scheduler.every(10, name="slow")(gate)
    scheduler.every(10, jitter=0.0, name="quick")(partial(ran.append, 1))
    with running(scheduler, limit=1):
        clocks.advance(10)
        assert scheduler.tasks["quick"].statistics().failed == 1
        assert "was due and could not begin" in caplog.records[0].getMessage()
        gate.is_open = True
        wait_until(lambda: not scheduler.jobs)
        scheduler.tasks["slow"].cancel()
        clocks.advance(10)
    assert ran == [1]


# While one goes on...


def test_skip(clocks: HandClock, caplog: pytest.LogCaptureFixture) -> None:
    scheduler = Scheduler(QUICK)
    gate = Gate()
    scheduler.every(10, name="slow")(gate)
    with running(scheduler):
        clocks.advance(10 + 9 * 10)
        entry = scheduler.tasks["slow"]
        assert (gate.begun, entry.statistics().skipped) == (1, 9)
        told = [r.getMessage() for r in caplog.records]
        assert len(told) == 4  # the 1st, 2nd, 4th and 8th
        assert "slow was due and is skipped, 8 in a row: the run" in told[3]
        assert f"the run {entry.running[0].id} goes on since 1m 20s at tests/tasks/" in told[3]
        gate.is_open = True
        wait_until(lambda: not entry.running)
        clocks.advance(10)
        wait_until(lambda: gate.ended == 2)


def test_queue(clocks: HandClock) -> None:
    scheduler = Scheduler(TaskSettings(waiting=3))
    gate = Gate()
    scheduler.every(10, overlap="queue", name="slow")(gate)
    with running(scheduler):
        clocks.advance(60)
        counts = scheduler.tasks["slow"].statistics()
        assert (gate.begun, counts.running, counts.waiting, counts.skipped) == (1, 1, 3, 2)
        gate.is_open = True
        wait_until(lambda: gate.ended == 4)
        dues = [run.due or 0 for run in scheduler.tasks["slow"].history]
        assert [due - dues[0] for due in dues] == [0, 10, 20, 30]


def test_concurrent(clocks: HandClock) -> None:
    scheduler = Scheduler(TaskSettings(at_once=3))
    gate = Gate()
    scheduler.every(10, overlap="concurrent", name="slow")(gate)
    with running(scheduler):
        clocks.advance(50)
        counts = scheduler.tasks["slow"].statistics()
        assert (gate.begun, counts.running, counts.skipped) == (3, 3, 2)
        assert scheduler.statistics().running == 3
        gate.is_open = True
        wait_until(lambda: gate.ended == 3)


# cron...


def walls(clocks: HandClock, into: list[str]) -> Callable[[], None]:
    from photon.tasks.cron import Cron

    utc = Cron("* * * * *")
    return lambda: into.append(utc.at(clocks.wall).strftime("%d %H:%M:%S"))


def test_cron_runs_when_it_is_due(clocks: HandClock) -> None:
    scheduler = Scheduler()
    at: list[str] = []
    scheduler.cron("*/15 * * * *", name="note")(walls(clocks, at))
    with running(scheduler):
        clocks.advance(3600)
        assert at == ["02 12:15:00", "02 12:30:00", "02 12:45:00", "02 13:00:00"]
        # Where nothing is due for hours, there is one deadline, and not far away.
        assert len(current_hub().deadlines) == 1
        assert current_hub().deadlines._heap[0][0] <= clocks.steady + 10


def test_cron_on_the_days_on_which_clocks_change(clocks: HandClock) -> None:
    scheduler = Scheduler(TaskSettings(timezone="Europe/Berlin"))
    at: list[str] = []
    scheduler.cron("30 2 * * *", name="note")(walls(clocks, at))
    clocks.set_wall("2026-03-28T12:00:00+00:00")
    with running(scheduler):
        clocks.advance(2 * 86400)
    clocks.set_wall("2026-10-24T12:00:00+00:00")
    with running(scheduler):
        clocks.advance(2 * 86400)
    assert at == ["29 01:00:00", "30 00:30:00", "25 00:30:00", "26 01:30:00"]


@pytest.mark.parametrize(
    ("missed", "runs"),
    [
        ("skip", ["02 13:10:00"]),
        ("once", ["02 13:04:00", "02 13:10:00"]),
        ("all", ["02 13:04:00"] * 6 + ["02 13:10:00"]),
    ],
)
def test_a_clock_that_goes_forward(clocks: HandClock, missed: Any, runs: list[str]) -> None:
    scheduler = Scheduler()
    at: list[str] = []
    scheduler.cron("*/10 * * * *", missed=missed, name="note")(walls(clocks, at))
    with running(scheduler):
        clocks.advance(210)
        clocks.jump(3600)
        clocks.advance(0)
        clocks.advance(10)  # until somebody looks
        clocks.advance(350)
        counts = scheduler.tasks["note"].statistics()
    # Noticed within ten seconds.
    assert [each[:8] for each in at] == [each[:8] for each in runs]
    assert counts.missed == {"skip": 6, "once": 5, "all": 0}[missed]


def test_a_run_that_is_but_late_is_not_missed(clocks: HandClock) -> None:
    scheduler = Scheduler()
    at: list[str] = []
    scheduler.cron("*/10 * * * *", name="note")(walls(clocks, at))
    with running(scheduler):
        clocks.late(9 * 60 + 30 + 55)
        clocks.late(9 * 60 + 5 + 65)
        clocks.advance(600)
    assert at == ["02 12:10:55", "02 12:30:00"]


def test_a_clock_that_goes_far_forward_is_no_endless_list_of_runs(
    clocks: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    scheduler = Scheduler()
    ran: list[int] = []
    scheduler.cron("* * * * * *", missed="all", name="note")(partial(ran.append, 1))
    with running(scheduler):
        clocks.jump(30 * 365 * 86400)
        clocks.advance(1)  # until somebody looks
        wait_until(lambda: not scheduler.jobs)
        assert len(ran) == 100
        clocks.advance(1)
        assert len(ran) == 101
    assert "more than 100 runs were due" in caplog.records[0].getMessage()


def test_a_clock_that_goes_back_does_not_run_things_twice(clocks: HandClock) -> None:
    scheduler = Scheduler()
    at: list[str] = []
    scheduler.cron("*/10 * * * *", name="note")(walls(clocks, at))
    with running(scheduler):
        clocks.advance(1200)  # 12:20:30
        clocks.jump(-900)  # 12:05:30
        clocks.advance(1500)
    assert at == ["02 12:10:00", "02 12:20:00", "02 12:30:00"]


def test_a_clock_that_goes_far_back_was_wrong_before(
    clocks: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Scheduler()
    at: list[str] = []
    scheduler.cron("*/10 * * * *", name="note")(walls(clocks, at))
    with running(scheduler):
        clocks.advance(600)
        clocks.jump(-10 * 86400)
        clocks.advance(610)
    assert at == ["02 12:10:00", "20 12:20:00"]
    assert "the clock was set back by 10d" in caplog.records[0].getMessage()


# One worker of many...


def workers(count: int, folder: Path, **options: Any) -> tuple[list[Scheduler], list[Gate]]:
    schedulers, gates = [], []
    for _ in range(count):
        scheduler = Scheduler(QUICK)
        scheduler.machine = FileElector("shop", folder)
        gate = Gate()
        scheduler.cron("*/10 * * * *", name="job", **options)(gate)
        schedulers.append(scheduler)
        gates.append(gate)
    return schedulers, gates


@contextmanager
def all_running(schedulers: list[Scheduler]) -> Iterator[None]:
    if not schedulers:
        yield
        return
    with running(schedulers[0]), all_running(schedulers[1:]):
        yield


def counted(schedulers: list[Scheduler], name: str) -> int:
    return sum(getattr(each.tasks["job"].statistics(), name) for each in schedulers)


@pytest.mark.parametrize("overlap", ["skip", "queue", "concurrent"])
def test_one_worker_of_a_machine_does_a_run(
    clocks: HandClock, tmp_path: Path, overlap: Any
) -> None:
    schedulers, gates = workers(3, tmp_path, overlap=overlap)
    for gate in gates:
        gate.is_open = True
    with all_running(schedulers):
        for runs in (1, 2):
            clocks.advance(570 if runs == 1 else 600)
            wait_until(lambda: counted(schedulers, "running") == 0)
            assert sum(gate.ended for gate in gates) == runs
            assert counted(schedulers, "elsewhere") == 2 * runs


def test_a_run_of_another_worker_that_goes_on_is_not_overlapped(
    clocks: HandClock, tmp_path: Path
) -> None:
    schedulers, gates = workers(2, tmp_path)
    with all_running(schedulers):
        clocks.advance(570)
        wait_until(lambda: counted(schedulers, "elsewhere") == 1)
        wait_until(lambda: sum(gate.begun for gate in gates) == 1)
        clocks.advance(600)
        wait_until(lambda: counted(schedulers, "elsewhere") == 2)
        assert sum(gate.begun for gate in gates) == 1
        assert counted(schedulers, "skipped") == 1
        for gate in gates:
            gate.is_open = True
        wait_until(lambda: counted(schedulers, "running") == 0)
        clocks.advance(600)
        wait_until(lambda: sum(gate.ended for gate in gates) == 2)


def test_a_run_waits_for_that_of_another_worker(
    clocks: HandClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN_S", 0.001)
    schedulers, gates = workers(1, tmp_path, overlap="queue")
    release = FileElector("shop", tmp_path).enter("job")
    assert release is not None
    with all_running(schedulers):
        clocks.advance(570)
        wait_until(lambda: FileElector("shop", tmp_path).last("job"))
        assert gates[0].begun == 0
        release()
        wait_until(lambda: gates[0].begun)


def test_runs_with_a_period_may_be_shared_too(clocks: HandClock, tmp_path: Path) -> None:
    ran: list[int] = []
    schedulers = []
    for n in range(2):
        scheduler = Scheduler()
        scheduler.machine = FileElector("shop", tmp_path)
        scheduler.every(60, once_per="machine", name="job")(partial(ran.append, n))
        schedulers.append(scheduler)
    with running(schedulers[0]):
        clocks.advance(7)
        with running(schedulers[1]):
            for runs in (1, 2, 3):
                clocks.advance(60)
                wait_until(lambda: counted(schedulers, "running") == 0)
                assert len(ran) == runs


class Broken(EveryWorker):
    def claim(self, task: str, due: float) -> bool:
        raise OSError(28, "no space left")


class Hanging(EveryWorker):
    def enter(self, task: str) -> Release | None:
        sleep_forever()
        return None


@pytest.mark.parametrize(
    ("elector", "says"),
    [(Broken(), "no space left"), (Hanging(), "did not finish within 30 s")],
)
def test_a_worker_that_cannot_find_out_does_not_run_it(
    clocks: HandClock, elector: EveryWorker, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Scheduler()
    scheduler.machine = elector
    ran: list[int] = []
    told: list[Job] = []
    scheduler.cron("*/10 * * * *", name="job", on_failure=lambda job, error: told.append(job))(
        partial(ran.append, 1)
    )
    with running(scheduler):
        clocks.advance(570 + 31)
        entry = scheduler.tasks["job"]
        assert (entry.statistics().failed, ran, len(told)) == (1, [], 1)
        assert entry.history[0].outcome == "failed"
    assert "which worker does this run was not found out" in caplog.records[0].getMessage()
    assert says in caplog.records[0].getMessage()


@pytest.mark.parametrize(("missed", "runs"), [("skip", 0), ("once", 1), ("all", 3)])
def test_what_was_due_while_nothing_ran_is_caught_up(
    clocks: HandClock, tmp_path: Path, missed: Any, runs: int
) -> None:
    scheduler = Scheduler()
    scheduler.machine = elector = FileElector("shop", tmp_path)
    elector.claim("job", clocks.wall - 30 - 1800)
    ran: list[int] = []
    scheduler.cron("*/10 * * * *", missed=missed, name="job")(partial(ran.append, 1))
    entry = scheduler.tasks["job"]
    due = clocks.wall - 30 + 600
    with running(scheduler) as _:
        if runs:
            wait_until(lambda: entry.next_due != due)
        clocks.advance(1)
        wait_until(lambda: len(ran) == runs and not scheduler.jobs)
        assert entry.next_due == due


def test_a_cluster_needs_somebody_who_decides() -> None:
    scheduler = Scheduler()
    scheduler.cron("* * * * *", once_per="cluster")(recurse)
    with (
        pytest.raises(ScheduleError, match="PostgresElector"),
        scheduler.running(Region("the shop")),
    ):
        pass
    assert not scheduler.is_running
    scheduler.cluster = EveryWorker()
    with running(scheduler):
        assert scheduler.is_running


# Listing and cancelling...


def test_what_goes_on_is_listed_and_cancelled(clocks: HandClock) -> None:
    scheduler = Scheduler(QUICK)
    gate = Gate()
    scheduler.every(10, overlap="concurrent", name="slow")(gate)
    with running(scheduler):
        clocks.advance(20)
        entry = scheduler.tasks["slow"]
        one, other = scheduler.jobs
        assert entry.running == [one, other]
        one.cancel("enough")
        settle()
        assert (one.state, other.state, scheduler.jobs) == ("cancelled", "running", [other])
        assert repr(entry) == "<ScheduledTask slow every 10s, on, 1 running>"
        assert repr(scheduler) == "<Scheduler running, 1 tasks, 1 jobs>"
        entry.cancel()
        settle()
        clocks.advance(100)
        assert (gate.begun, other.state, entry.next_due) == (2, "cancelled", None)
        assert len(current_hub().deadlines) == 0
    with running(scheduler):
        clocks.advance(100)
        assert gate.begun == 2
    assert "cancelled, 0 running" in repr(entry)


def test_a_cron_task_is_cancelled_by_itself(clocks: HandClock) -> None:
    scheduler = Scheduler()
    ran: list[int] = []

    @scheduler.cron("* * * * *", name="once")
    def once() -> None:
        ran.append(1)
        scheduler.tasks["once"].cancel()

    with running(scheduler):
        clocks.advance(600)
        assert len(current_hub().deadlines) == 0
    assert ran == [1]


def test_a_task_runs_now_when_it_is_asked_to(clocks: HandClock) -> None:
    scheduler = Scheduler(QUICK)
    gate = Gate()
    scheduler.every("1h", name="slow")(gate)
    entry = scheduler.tasks["slow"]
    with pytest.raises(RuntimeError, match="its scheduler does not"):
        entry.run_now()
    with running(scheduler):
        one, other = entry.run_now(), entry.run_now()
        wait_until(lambda: gate.begun == 2)
        gate.is_open = True
        one.join()
        other.join()
        assert (one.state, other.state, entry.statistics().done) == ("done", "done", 2)


def test_a_task_may_be_registered_while_others_run(clocks: HandClock) -> None:
    scheduler = Scheduler()
    ran: list[int] = []
    with running(scheduler):
        scheduler.every(10, name="late")(partial(ran.append, 1))
        clocks.advance(10)
    assert ran == [1]


# The end...


def test_runs_that_go_on_get_their_time(clocks: HandClock) -> None:
    scheduler = Scheduler()
    story: list[str] = []

    @scheduler.every(10, name="slow")
    def slow() -> None:
        while "stopping" not in story:
            sleep(0.001)
        story.append("done")

    with running(scheduler):
        clocks.advance(10)
        story.append("stopping")
    assert story == ["stopping", "done"]
    assert scheduler.report is not None
    assert (scheduler.report.cut_off, scheduler.report.never_ran) == ([], {})


def test_what_is_cut_off_and_what_never_ran_is_told(
    clocks: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    scheduler = Scheduler(QUICK)
    cleaned: list[int] = []

    @scheduler.every(10, overlap="queue", name="slow")
    def slow() -> None:
        try:
            sleep_forever()
        finally:
            cleaned.append(1)

    with running(scheduler):
        clocks.advance(30)
        timer = spawn_after(60, slow)
    report = scheduler.report
    assert report is not None
    (cut,) = report.cut_off
    assert (cut.name, cut.duration_s, cut.has_ended, cleaned) == ("slow", 20.0, True, [1])
    assert cut.place.startswith("at tests/tasks/test_scheduler.py:")
    assert " in slow" in cut.place
    assert (report.never_ran, report.timers, timer.state) == ({"slow": 2}, [timer], "dropped")
    told = " | ".join(record.getMessage() for record in caplog.records)
    assert "1 timers never ran" in told
    assert f"1 jobs were cut off 0s after the stop: slow {cut.place} after 20s" in told
    assert "runs that waited for others never ran: slow (2)" in told
    assert len(current_hub().deadlines) == 0


def test_who_does_not_even_end_when_cancelled_is_told(clocks: HandClock) -> None:
    scheduler = Scheduler(TaskSettings(drain_s=0.0, cancel_s=0.0))
    story: list[str] = []

    @scheduler.every(10, name="deaf")
    def deaf() -> None:
        while "stop" not in story:
            try:
                sleep(0.001)
            except Cancelled:
                pass

    with running(scheduler):
        clocks.advance(10)
        scheduler._end()
        story.append("stop")
        wait_until(lambda: not scheduler.jobs)
        assert scheduler.report is not None
        (cut,) = scheduler.report.cut_off
        assert not cut.has_ended
        assert str(cut).startswith("deaf at tests/tasks/test_scheduler.py:")
        assert str(cut).endswith(" after 0s, and does not end")
        scheduler._begin(Region("another"))


def test_nothing_begins_when_it_stopped(clocks: HandClock) -> None:
    scheduler = Scheduler()
    ran: list[int] = []
    scheduler.every(10, name="a")(partial(ran.append, 1))
    scheduler.cron("* * * * *", name="b")(partial(ran.append, 1))
    with running(scheduler):
        pass
    clocks.advance(600)
    assert (ran, len(current_hub().deadlines), scheduler.is_running) == ([], 0, False)
    with pytest.raises(RegionClosed):
        region = Region("closed")
        region.close(0)
        region.spawn(recurse)


def test_it_runs_once_at_a_time() -> None:
    scheduler = Scheduler()
    with (
        running(scheduler),
        pytest.raises(RuntimeError, match="is running already"),
        scheduler.running(),
    ):
        pass


# What is refused at once...


def test_a_function_is_given_back_as_it_was() -> None:
    scheduler = Scheduler()

    def fn() -> int:
        return 7

    assert scheduler.every(30)(fn) is fn
    assert scheduler.cron("@daily", name="other")(fn) is fn
    assert list(scheduler.tasks) == [f"{__name__}.{fn.__qualname__}", "other"]


async def waits() -> None: ...


def needs(a: int, b: int = 0, *, c: int) -> None: ...


def yields() -> Iterator[int]:
    yield 1


class Shop:
    def sweep(self) -> None: ...


def application() -> Any:  # no checker lets these mistakes pass
    return Photon()


def every(*args: Any, **options: Any) -> Callable[[Any], Any]:
    return Scheduler().every(*args, **options)


def cron(*args: Any, **options: Any) -> Callable[[Any], Any]:
    return Scheduler().cron(*args, **options)


MISTAKES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: every(recurse), TaskError, "@app.every above recurse (tests/tasks/test_scheduler.py"),
    (lambda: every(recurse), TaskError, "does not say when: write @app.every(30)"),
    (lambda: every(), TaskError, '@app.every does not say when: write @app.every(30), or every("'),
    (lambda: cron(recurse), TaskError, 'write @app.cron("*/5 * * * *")'),
    (lambda: every(0), ScheduleError, "the period is 0, but it must be more than zero"),
    (lambda: every("x"), ScheduleError, "the period is 'x', which is no length of time"),
    (lambda: every(1, jitter=2), ScheduleError, "not shorter than the period"),
    (lambda: every(1, timeout=0), ScheduleError, "@app.every: timeout is 0"),
    (lambda: every(1, retries=-1), TaskError, "@app.every: retries is -1; give a whole number"),
    (
        lambda: every(seconds=30),
        TaskError,
        "@app.every has no option 'seconds': it is the first arg",
    ),
    (lambda: every(minutes=5), TaskError, '@app.every(30), or @app.every("5m")'),
    (lambda: every(1, jiter=1), TaskError, "has no option 'jiter'; did you mean jitter?"),
    (lambda: every(1, max_instances=2), TaskError, "'max_instances': overlap=\"concurrent\""),
    (lambda: every(1, retries=True), TaskError, "retries is True"),
    (lambda: every(1, backoff=-1), ScheduleError, "@app.every: backoff is -1"),
    (lambda: every(1, on_failure="log"), TaskError, "on_failure is 'log'; give a function"),
    (lambda: every(1, overlap="skipp"), TaskError, "overlap='skipp'; did you mean skip?"),
    (lambda: cron("* * * * *", tz="UTC"), TaskError, "no option 'tz': here it is timezone"),
    (lambda: cron(hour=4), TaskError, "it is a part of a cron expression: @app.cron("),
    (lambda: application().every(seconds=30), TaskError, "@app.every has no option 'seconds'"),
    (lambda: application().cron("@daily", tz="UTC"), TaskError, "here it is timezone"),
    (lambda: application().cron("@daily", jitter=1), TaskError, "@app.cron has no option 'jitter'"),
    (lambda: every(1, once_per="node"), TaskError, "there is no once_per='node'"),
    (
        lambda: cron("@daily", missed="no"),
        TaskError,
        "there is no missed='no'; there are all, once",
    ),
    (lambda: cron("61 * * * *"), ScheduleError, "'61' is no minute"),
    (lambda: cron("@daily", timezone="Berlin"), ScheduleError, "there is no time zone 'Berlin'"),
    (lambda: every(1)(waits), TaskError, "is async, and to call it runs none of it: write def"),
    (lambda: every(1)(yields), TaskError, "has a yield"),
    (lambda: every(1)(3), TaskError, "what @app.every runs is a function, and 3 is none"),
    (lambda: every(1)(needs), TaskError, "its arguments a, c; give defaults, or write functools"),
    (lambda: every(1)(Shop.sweep), TaskError, "its argument self"),
]


@pytest.mark.parametrize(("mistake", "kind", "says"), MISTAKES)
def test_a_mistake_is_told_when_it_is_made(
    mistake: Callable[[], Any], kind: type[Exception], says: str
) -> None:
    with pytest.raises(kind) as caught:
        mistake()
    assert says in str(caught.value)


def test_two_tasks_of_one_name_are_refused() -> None:
    scheduler = Scheduler()
    scheduler.every(30)(recurse)
    with pytest.raises(DuplicateTask) as caught:
        scheduler.cron("@daily")(recurse)
    assert "every 30s, and recurse" in str(caught.value)
    assert "give one of them another name=" in str(caught.value)


def test_what_cannot_be_called_without_arguments_is_made_so() -> None:
    scheduler = Scheduler()
    scheduler.every(30, name="a")(partial(needs, 1, c=2))
    scheduler.every(30, name="b")(Shop().sweep)
    scheduler.every(30, name="c")(lambda *args, **kwargs: None)
    assert len(scheduler.tasks) == 3
