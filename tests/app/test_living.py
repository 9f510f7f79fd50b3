"""How an application ends: in steps that share one time."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from photon import Photon, TaskSettings, spawn
from photon.runtime.cancel import fail_after
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever
from photon.runtime.hub import current_hub
from photon.runtime.patience import hurry

PATIENCE_S = 20.0


def hanging(told: dict[str, float], name: str) -> Callable[[], None]:
    def hang() -> None:
        try:
            sleep_forever()
        finally:
            told[name] = now()

    return hang


def begin_all(app: Photon, told: dict[str, float]) -> None:
    """Have a timer, a task and a spawned function run, and hang."""
    app.task(name="sent")(hanging(told, "sent")).send()
    spawn(hanging(told, "spawned"))
    app.scheduler.tasks["timed"].run_now()


def run_and_stop(app: Photon, told: dict[str, float], *, hurried: bool = False) -> None:
    """Run it, stop it while all three hang."""
    app.every("1h", name="timed")(hanging(told, "timed"))
    with fail_after(PATIENCE_S), app.running():
        begin_all(app, told)
        sleep(0.01)
        if hurried:
            current_hub().deadlines.add(now() + 0.01, hurry)


def test_all_that_runs_has_the_same_time_to_end_and_not_one_after_the_other() -> None:
    told: dict[str, float] = {}
    run_and_stop(Photon(task_settings=TaskSettings(drain_s=0.5)), told)
    assert sorted(told) == ["sent", "spawned", "timed"]
    assert max(told.values()) - min(told.values()) < 0.5  # else there would be that between two


def test_a_hurry_is_for_all_steps_of_the_end() -> None:
    told: dict[str, float] = {}
    run_and_stop(Photon(task_settings=TaskSettings(drain_s=600.0)), told, hurried=True)
    assert sorted(told) == ["sent", "spawned", "timed"]


def test_what_ignores_its_end_gets_the_time_for_cleanup_and_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon(task_settings=TaskSettings(drain_s=0.0, cancel_s=0.02))
    may_end: list[bool] = []

    def stubborn() -> None:
        while not may_end:
            try:
                sleep(0.01)
            except Cancelled:
                pass

    with fail_after(PATIENCE_S), app.running():
        handle = spawn(stubborn)
        sleep(0.001)
        began = now()
    assert now() - began < 5.0  # and not the time after which it would be told again
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    message = record.getMessage()
    assert "stubborn does not end though it was cancelled; it is given up at " in message
    assert "tests/app/test_living.py:" in message
    may_end.append(True)
    handle.join()
