"""The watchdog: who computes too long is interrupted, and nobody else ever is."""

from __future__ import annotations

import gc
import json
import random
import signal
import sys
import threading
from collections.abc import Iterator
from time import perf_counter

import pytest

from photon import Photon, serve
from photon.runtime.cancel import fail_after, move_on_after, shield
from photon.runtime.errors import Cancelled, DeadlineExceeded
from photon.runtime.greenlets import checkpoint, sleep, spawn
from photon.runtime.nursery import nursery
from photon.runtime.watchdog import Watchdog, watching
from tests.clients import Client, request

MAIN = threading.current_thread() is threading.main_thread()
pytestmark = pytest.mark.skipif(not MAIN, reason="signals are handled in the main thread")


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    with watching() as found:
        assert found is not None
        yield found


def compute(seconds: float) -> int:
    """Be busy, in Python alone."""
    end, rounds = perf_counter() + seconds, 0
    while perf_counter() < end:
        rounds += 1
    return rounds


def test_a_handler_that_computes_past_its_deadline_is_interrupted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon(watchdog=True)
    cleaned: list[str] = []

    @app.get("/loop", timeout=0.2)
    def loop() -> None:
        try:
            compute(20)
        finally:
            cleaned.append("up")

    @app.get("/other")
    def other() -> str:
        return "fine"

    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/loop"))
        assert client.answer().status == 504
        client.send(request("GET", "/other"))
        assert client.answer().body == b"fine"
    assert cleaned == ["up"]
    (record,) = [record for record in caplog.records if "deadline" in record.getMessage()]
    assert "test_watchdog.py" in record.getMessage()
    assert "in compute, which has computed for" in record.getMessage()


def test_who_waited_before_and_then_computes_is_interrupted(caplog: object) -> None:
    app = Photon(watchdog=True)

    @app.get("/loop", timeout=0.2)
    def loop() -> None:
        sleep(0.01)
        compute(20)

    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/loop"))
        assert client.answer().status == 504


def test_where_a_child_or_a_library_computed_is_told_by_the_line_of_the_user(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon(watchdog=True)
    numbers = list(range(100))

    def child() -> None:
        while True:
            json.dumps(numbers, indent=1)  # the encoder in Python

    @app.get("/loop", timeout=0.1)
    def loop() -> None:
        with nursery() as n:
            n.spawn(child)

    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/loop"))
        assert client.answer().status == 504
    (record,) = [record for record in caplog.records if "deadline" in record.getMessage()]
    assert "at tests/runtime/test_watchdog.py:" in record.getMessage()
    assert "in child" in record.getMessage()
    assert "which has computed for" in record.getMessage()


def test_it_is_off_unless_somebody_asks_for_it() -> None:
    app = Photon()

    @app.get("/loop", timeout=0.1)
    def loop() -> int:
        return compute(0.4)

    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/loop"))
        assert client.answer().status == 200
    assert signal.getsignal(signal.SIGURG) in (signal.SIG_DFL, signal.SIG_IGN)


def test_a_block_with_a_deadline_is_interrupted_while_it_computes(watchdog: Watchdog) -> None:
    def job() -> str:
        with pytest.raises(DeadlineExceeded):
            with fail_after(0.1):
                compute(20)
        with move_on_after(60) as outer:
            compute(0.2)
        assert not outer.cancel_called
        return "done"

    handle = spawn(job)
    handle.join()
    assert handle.result == "done"
    assert watchdog.interrupted == 1


def test_a_shield_holds(watchdog: Watchdog) -> None:
    def job() -> str:
        with move_on_after(0.05) as scope:
            with shield(60):
                compute(0.4)
            checkpoint()
        assert scope.cancel_called
        return "done"

    handle = spawn(job)
    handle.join()
    assert handle.result == "done"
    assert watchdog.interrupted == 0


def test_who_has_no_deadline_may_compute(watchdog: Watchdog) -> None:
    handle = spawn(compute, 0.3)
    handle.join()
    assert handle.state == "done"
    assert watchdog.interrupted == 0


def test_a_loop_that_swallows_what_it_is_told_is_told_again(
    watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photon.runtime.watchdog.RETELL_S", 0.1)
    told: list[Cancelled] = []

    def job() -> None:
        with move_on_after(0.05):
            while len(told) < 2:
                try:
                    compute(20)
                except Cancelled as error:
                    told.append(error)

    spawn(job).join()
    assert len(told) == 2


def test_no_innocent_is_ever_hit(watchdog: Watchdog) -> None:
    """Some compute too long, some compute within their time and wait, at random."""
    chance = random.Random(7)
    guilty, hit = 0, []

    def innocent(number: int) -> None:
        try:
            for _ in range(20):
                sleep(chance.random() * 0.02)
                compute(0.002)
        except BaseException as error:
            hit.append((number, error))

    def offender() -> None:
        nonlocal guilty
        with move_on_after(0.12) as scope:
            sleep(chance.random() * 0.1)
            while True:
                compute(0.02)
                if chance.random() < 0.05:  # lets others in, right when a knock may come
                    checkpoint()
        guilty += scope.cancelled_caught

    with nursery() as n:
        for number in range(50):
            n.spawn(innocent, number)
        for _ in range(12):
            n.spawn(offender)
    assert hit == []
    assert guilty == 12


def test_what_the_collector_calls_is_left_alone_for_what_it_raised_would_be_lost(
    watchdog: Watchdog,
) -> None:
    collected: list[str] = []

    def callback(phase: str, info: dict[str, int]) -> None:
        compute(0.2)
        collected.append(phase)

    def job() -> bool:
        with move_on_after(0.05) as scope:
            gc.collect()
            compute(20)
        return scope.cancelled_caught

    gc.callbacks.append(callback)
    try:
        handle = spawn(job)
        handle.join()
    finally:
        gc.callbacks.remove(callback)
    assert collected[:2] == ["start", "stop"]
    assert handle.result
    assert watchdog.interrupted == 1


def test_a_finalizer_is_left_alone_for_what_it_raised_would_be_lost(watchdog: Watchdog) -> None:
    story: list[str] = []

    class Slow:
        def __del__(self) -> None:
            compute(0.3)
            story.append("finalized")

    def job() -> bool:
        with move_on_after(0.05) as scope:
            Slow()
            compute(20)
        return scope.cancelled_caught

    handle = spawn(job)
    handle.join()
    assert story == ["finalized"]
    assert handle.result
    assert watchdog.interrupted == 1


def test_there_is_one_for_all_applications(watchdog: Watchdog) -> None:
    with watching() as second:
        assert second is watchdog
    assert signal.getsignal(signal.SIGURG) == watchdog._on_knock
    assert repr(watchdog) == "<Watchdog, 0 interrupted>"


def test_a_signal_handler_of_somebody_else_is_not_touched() -> None:
    before = signal.signal(signal.SIGURG, lambda number, frame: None)
    mine = signal.getsignal(signal.SIGURG)
    try:
        with watching() as found:
            assert found is None
            assert signal.getsignal(signal.SIGURG) is mine
    finally:
        signal.signal(signal.SIGURG, before)


def test_a_child_of_a_nursery_that_computes_is_interrupted_for_its_parents_deadline() -> None:
    app = Photon(watchdog=True)
    cleaned: list[str] = []

    def child() -> None:
        try:
            compute(20)
        finally:
            cleaned.append("child")

    @app.get("/loop", timeout=0.2)
    def loop() -> None:
        with nursery() as n:
            n.spawn(child)

    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/loop"))
        assert client.answer().status == 504
    assert cleaned == ["child"]


def test_a_child_of_a_block_with_a_deadline_is_interrupted(watchdog: Watchdog) -> None:
    def job() -> bool:
        with move_on_after(0.1) as scope, nursery() as n:
            n.spawn(compute, 20)
        return scope.cancelled_caught

    handle = spawn(job)
    handle.join()
    assert handle.result


def test_no_cleanup_is_skipped_wherever_it_is_interrupted(watchdog: Watchdog) -> None:
    """A loop right behind `try:` is the place where a signal's error misses the `finally`."""
    story: list[str] = []

    def endless() -> None:
        n = 0
        try:
            while True:
                n += 1
        finally:
            story.append("cleaned")

    def job() -> str:
        with move_on_after(0.1) as scope:
            endless()
        story.append(f"caught {scope.cancelled_caught}")
        return "done"

    handle = spawn(job)
    handle.join()
    assert handle.state == "done"
    assert story == ["cleaned", "caught True"]
    assert sys.gettrace() is None
