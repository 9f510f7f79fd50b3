"""Regions: what was spawned for nobody in particular is bounded, waited for, and told of."""

from __future__ import annotations

import logging

import pytest

from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled, RegionClosed, RegionFull, WrongThread
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub
from photon.runtime.offload import offload
from photon.runtime.region import Region, opened, region_of


def test_spawn_hands_over_to_the_region_that_was_opened_last() -> None:
    before = region_of(current_hub())
    with opened(Region("outer"), 1) as outer:
        with opened(Region("inner"), 1) as inner:
            spawn(checkpoint).join()
        spawn(checkpoint).join()
        spawn(checkpoint).join()
    assert inner.statistics().spawned == 1
    assert outer.statistics().spawned == 2
    assert region_of(current_hub()) is before


def test_the_end_waits_for_what_runs_and_for_what_that_spawns() -> None:
    story: list[str] = []

    def child() -> None:
        sleep(0.01)
        story.append("child")

    def parent() -> None:
        sleep(0.01)
        spawn(child)
        story.append("parent")

    with opened(Region("shop"), 5):
        spawn(parent)
    assert story == ["parent", "child"]


def test_what_takes_too_long_is_cancelled_and_named(caplog: pytest.LogCaptureFixture) -> None:
    reasons: list[str] = []

    def for_ever() -> None:
        try:
            sleep_forever()
        except Cancelled as error:
            reasons.append(error.reason)
            raise

    region = Region("shop")
    with opened(region, 0.01):
        handle = spawn(for_ever)
        checkpoint()
        assert region.handles == [handle]
    assert reasons == ["shop stops"]
    assert handle.state == "cancelled"
    (record,) = caplog.records
    assert "shop stops: 1 spawned functions are cut off after 0.01 s" in record.getMessage()
    assert "for_ever at tests/runtime/test_region.py:" in record.getMessage()


def test_what_does_not_even_end_when_it_is_cancelled_is_given_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photon.runtime.region.RETELL_S", -0.95)
    ends: list[bool] = []

    def stubborn() -> None:
        while not ends:
            try:
                sleep(0.02)
            except Cancelled:
                pass

    region = Region("shop")
    with opened(region, 0):
        handle = spawn(stubborn)
        checkpoint()
    assert "does not end though it was cancelled" in caplog.records[-1].getMessage()
    ends.append(True)
    handle.join()


def test_what_is_closed_starts_nothing() -> None:
    region = Region("shop")
    region.close(0)
    with pytest.raises(RegionClosed, match="<Region of shop: closed, 0 of 100000> is closed"):
        region.spawn(checkpoint)
    assert region.close(0) == []


def test_who_spawns_more_than_there_is_room_for_waits() -> None:
    region = Region("shop", limit=4)
    most = 0

    def job() -> None:
        nonlocal most
        most = max(most, region.statistics().alive)
        checkpoint()

    def spawner() -> None:
        for _ in range(100):
            region.spawn(job)

    spawn(spawner).join()
    assert region.close(5) == []
    assert most == 4
    assert region.statistics().spawned == 100


def test_who_waits_for_room_when_it_is_closed_starts_nothing() -> None:
    region = Region("small", limit=1)
    begun: list[int] = []
    refused: list[str] = []

    def slow_to_end() -> None:
        try:
            sleep_forever()
        finally:
            checkpoint()

    def spawn_more() -> None:
        with pytest.raises(RegionClosed) as caught:
            region.spawn(begun.append, 1)
        refused.append(str(caught.value))

    region.spawn(slow_to_end)
    waiting = spawn(spawn_more)
    while not region.statistics().waiting:
        checkpoint()
    region.close(0)
    waiting.join()
    assert "is closed, so it starts nothing" in refused[0]
    assert begun == []


def test_a_region_whose_end_is_interrupted_gets_nothing_more() -> None:
    before = region_of(current_hub())
    with move_on_after(0.001) as scope, opened(Region("shop"), 60):
        handle = spawn(sleep_forever)
    assert scope.cancelled_caught
    assert region_of(current_hub()) is before
    handle.cancel()
    handle.join()


def test_a_wait_for_room_can_be_cancelled_and_counts_nobody() -> None:
    region = Region("shop", limit=1)
    first = region.spawn(sleep_forever)
    with move_on_after(0.01) as scope:
        region.spawn(checkpoint)
    assert scope.cancelled_caught
    assert region.statistics().waiting == 0
    assert region.statistics().spawned == 1
    first.cancel()
    region.close(1)


def test_a_function_of_a_full_region_does_not_wait_for_itself() -> None:
    region = Region("shop", limit=1)
    outcome: list[BaseException] = []

    def job() -> None:
        try:
            region.spawn(checkpoint)
        except RegionFull as error:
            outcome.append(error)

    region.spawn(job)
    region.close(1)
    assert "is full; start fewer, or wait for some of them" in str(outcome[0])


def test_nobody_can_wait_in_the_hub() -> None:
    region = Region("shop", limit=1)
    region.spawn(sleep, 0.01)
    outcome: list[BaseException] = []

    def in_hub() -> None:
        try:
            region.spawn(checkpoint)
        except RegionFull as error:
            outcome.append(error)

    current_hub().run_soon(in_hub)
    region.close(1)
    assert outcome


def test_a_failure_is_logged_once_with_the_spawner_and_kept_in_the_handle(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail() -> None:
        raise ValueError("oh")

    with opened(Region("shop"), 1) as region:
        handle = spawn(fail)
        handle.join()
    with pytest.raises(ValueError, match="oh"):
        _ = handle.result
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    message = record.getMessage()
    assert "fail failed, which was spawned at\n" in message
    assert "in test_a_failure_is_logged_once_with_the_spawner_and_kept_in_the_handle" in message
    assert region.statistics().failed == 1
    assert handle.spawned_at[0][2].startswith("test_a_failure")


def test_even_system_exit_ends_only_its_function(caplog: pytest.LogCaptureFixture) -> None:
    def leave() -> None:
        raise SystemExit(3)

    with opened(Region("shop"), 1):
        handle = spawn(leave)
        handle.join()
    assert handle.state == "failed"
    assert "leave failed" in caplog.records[0].getMessage()


def test_it_counts() -> None:
    with opened(Region("shop", limit=10), 1) as region:
        one = spawn(sleep_forever)
        spawn(checkpoint)
        checkpoint()
        one.cancel()
        one.join()
        counts = region.statistics()
        assert (counts.spawned, counts.cancelled, counts.limit) == (2, 1, 10)
        assert repr(region).startswith("<Region of shop: open,")


def test_a_native_thread_without_a_hub_spawns_nothing() -> None:
    with pytest.raises(WrongThread, match="return the value, and spawn where you called it"):
        offload(spawn, checkpoint)
