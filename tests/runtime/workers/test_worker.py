"""What a process shows of itself, and when it wants to be replaced."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from photon.runtime.workers import worker
from photon.runtime.workers.board import (
    ANSWERED,
    BEAT,
    BLOCKED,
    BUSY,
    LAG,
    LOAD,
    RSS,
    now_us,
)
from photon.runtime.workers.settings import WorkerLimits
from photon.runtime.workers.worker import Reporter, resident_bytes


class Carriers:
    """As far as it is looked at."""

    busy = 0
    jobs_run = 0


class Reported:
    """A process in its first seconds; its clocks stand still until the test moves them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
        self.now = 1000.0
        self.cpu_s = 5.0
        self.rss = 50 * 2**20
        monkeypatch.setattr(worker, "monotonic", lambda: self.now)
        monkeypatch.setattr(worker, "process_time", lambda: self.cpu_s)
        monkeypatch.setattr(worker, "resident_bytes", lambda: self.rss)
        self.carriers = Carriers()
        self.row = memoryview(array("q", bytes(8 * 16)))
        self.reasons: list[str] = []
        carriers: Any = self.carriers
        self.reporter = Reporter(self.row, carriers, WorkerLimits(**limits), self.reasons.append)

    def live(self, seconds: float, *, of_cpu: float = 0.0) -> None:
        for _ in range(round(seconds * 50)):
            self.now += 0.02
            self.cpu_s += 0.02 * of_cpu
            self.reporter.on_beat(0.003)


def test_each_beat_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch)
    reported.reporter.on_beat(0.0125)
    assert 0 <= now_us() - reported.row[BEAT] < 1_000_000
    assert reported.row[LAG] == 12_500


def test_load_and_requests_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch)
    reported.carriers.busy, reported.carriers.jobs_run = 7, 1234
    reported.live(2, of_cpu=0.5)
    row = reported.row
    assert (row[BUSY], row[ANSWERED], row[RSS]) == (7, 1234, 50 * 2**20)
    assert row[LOAD] == pytest.approx(500, abs=5)
    reported.live(0.2)
    assert row[LOAD] == 0


def test_how_often_a_hub_stood_still_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch)
    reported.reporter.on_freed(0.3)
    reported.reporter.on_freed(0.2)
    assert reported.row[BLOCKED] == 2


def test_without_limits_nobody_retires(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch)
    reported.carriers.jobs_run = reported.rss = 10**12
    reported.live(100)
    assert not reported.reasons


def test_requests_are_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch, max_requests=1000)
    reported.carriers.jobs_run = 999
    reported.live(2)
    assert not reported.reasons
    reported.carriers.jobs_run = 1101
    reported.live(2)
    assert reported.reasons == ["it has answered 1101 requests (--max-requests)"]


def test_age_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch, max_lifetime_s=10)
    reported.live(9)
    assert not reported.reasons
    reported.live(4)
    assert len(reported.reasons) == 1
    assert reported.reasons[0].endswith("(--max-lifetime)")


def test_memory_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch, max_rss_bytes=100 * 2**20)
    reported.live(2)
    assert not reported.reasons
    reported.rss = 111 * 2**20
    reported.live(2)
    assert reported.reasons == ["it holds 111 MiB of memory (--max-rss)"]


def test_who_is_not_replaced_asks_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = Reported(monkeypatch, max_requests=1)
    reported.carriers.jobs_run = 10
    reported.live(25)
    assert len(reported.reasons) == 1
    reported.live(10)
    assert len(reported.reasons) == 2


def test_workers_that_began_together_do_not_leave_together(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = [Reported(monkeypatch, max_requests=1000) for _ in range(50)]
    limits = {each.reporter._max_requests for each in reported}
    assert len(limits) > 40
    assert min(limits) >= 1000
    assert max(limits) <= 1100


def test_this_process_holds_some_memory() -> None:
    assert 10 * 2**20 < resident_bytes() < 2**40
