"""The pulse: whether a hub moves, and how late it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from gevent import monkey

from photon.runtime.debug.pulse import TICK_S, Pulse, Silence, pulsing
from photon.runtime.greenlets import sleep
from photon.runtime.hub import current_hub
from photon.runtime.sync import Event
from photon.runtime.watchdog import watching
from tests.clients import wait_until

block = monkey.get_original("time", "sleep")


@pytest.fixture
def pulse() -> Iterator[Pulse]:
    with pulsing() as found:
        yield found


def test_it_tells_each_beat_and_how_late_it_was(pulse: Pulse) -> None:
    lags: list[float] = []
    pulse.on_beat.append(lags.append)
    wait_until(lambda: len(lags) >= 3)
    block(0.06)
    wait_until(lambda: max(lags) > 0.03)
    assert min(lags) >= 0.0
    assert pulse.longest_lag_s >= max(lags)


def test_a_hub_that_stood_still_is_counted(pulse: Pulse) -> None:
    sleep(TICK_S * 2)
    block(0.15)
    wait_until(lambda: pulse.blocked)
    assert pulse.blocked == 1
    assert pulse.blocked_s >= 0.15
    statistics = pulse.statistics()
    assert statistics["blocked"] == 1
    assert statistics["blocked_s"] >= 0.15
    assert statistics["longest_lag_ms"] > 100
    assert "blocked 1 times" in repr(pulse)


def test_who_listens_is_told_in_a_native_thread_while_it_lasts(pulse: Pulse) -> None:
    threads: set[int] = set()
    silences: list[Silence] = []
    freed: list[float] = []
    get_ident = monkey.get_original("_thread", "get_ident")

    def on_stuck(silence: Silence) -> None:
        threads.add(get_ident())
        silences.append(silence)

    pulse.on_stuck.append(on_stuck)
    pulse.on_freed.append(freed.append)
    sleep(TICK_S * 2)
    while len(silences) < 3:
        block(0.02)
    assert len({silence.since for silence in silences}) == 1
    assert silences[0].seconds > pulse.stuck_s
    assert silences[0].seconds < silences[-1].seconds
    assert silences[-1].computing < 0.5  # it slept
    assert threads
    assert get_ident() not in threads
    wait_until(lambda: freed)
    assert freed[0] >= silences[-1].seconds


def test_a_computation_is_known_by_what_it_computes(pulse: Pulse) -> None:
    silences: list[Silence] = []
    pulse.on_stuck.append(silences.append)
    sleep(TICK_S * 2)
    while not silences or silences[-1].seconds < 0.3:
        pass
    assert silences[-1].computing > 0.05


def test_who_fails_is_logged_and_told_no_more(
    pulse: Pulse, caplog: pytest.LogCaptureFixture
) -> None:
    beats: list[float] = []

    def broken(lag: float) -> None:
        raise ValueError("no beat for me")

    pulse.on_beat += [broken, beats.append]
    wait_until(lambda: len(beats) >= 3)
    (record,) = [record for record in caplog.records if "is not told" in record.getMessage()]
    assert "broken" in record.getMessage()


def test_there_is_one_for_all_and_it_ends_with_the_last() -> None:
    hub = current_hub()
    with pulsing() as first:
        with pulsing() as second:
            assert first is second
        assert hub.pulse is first
    assert hub.pulse is None


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="signals are for it"
)
def test_the_watchdog_uses_it() -> None:
    with pulsing() as pulse:
        with watching() as watchdog:
            assert watchdog is not None
            assert pulse.users == 2
            assert len(pulse.on_stuck) == 1
        assert pulse.on_stuck == []
        assert pulse.users == 1


def test_the_native_thread_ends_with_it() -> None:
    ended = Event()

    class Ending(Pulse):
        def _watch(self, ending: object) -> None:
            super()._watch(ending)
            ended.set()

    pulse = Ending(current_hub())
    pulse.users = 1
    pulse.begin()
    current_hub().pulse = pulse
    pulse.leave()
    assert ended.wait(5)
