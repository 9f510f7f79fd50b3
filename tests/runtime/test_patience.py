"""Waiting for an orderly end, and being hurried in it."""

from __future__ import annotations

from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub
from photon.runtime.patience import hurry, patience
from photon.runtime.region import Region, opened

PATIENCE_S = 10.0
LONG_S = 600.0


def test_it_waits_as_long_as_it_was_given() -> None:
    with fail_after(PATIENCE_S), patience(0.001) as scope:
        sleep_forever()
    assert scope.cancelled_caught


def test_hurrying_ends_all_that_waits_now_and_all_that_would_wait_next() -> None:
    told: list[str] = []

    def stop() -> None:
        for step in ("requests", "schedules", "what was spawned"):
            with patience(LONG_S):
                sleep_forever()
            told.append(step)

    with opened(Region("shop"), LONG_S), fail_after(PATIENCE_S):
        stopping = spawn(stop)
        checkpoint()
        current_hub().run_soon(hurry)
        stopping.join()
    assert told == ["requests", "schedules", "what was spawned"]


def test_who_was_told_to_end_gets_time_for_it_also_in_a_hurry() -> None:
    with opened(Region("shop"), LONG_S), fail_after(PATIENCE_S):
        hurry()
        with patience(LONG_S, for_cleanup=True) as scope:
            sleep(0.001)
    assert not scope.cancel_called


def test_a_hurry_ends_with_what_was_hurried() -> None:
    with opened(Region("shop"), LONG_S):
        hurry()
    with opened(Region("another"), LONG_S), fail_after(PATIENCE_S):
        with patience(LONG_S) as scope:
            sleep(0.001)
    assert not scope.cancel_called
