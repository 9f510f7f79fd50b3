"""Who holds the hub is named in the log, while he does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import monotonic

import pytest
from gevent import monkey

from photon.runtime.debug.blocked import BlockedLog, _reason, telling_blocked
from photon.runtime.debug.pulse import TICK_S, Silence, pulsing
from photon.runtime.greenlets import sleep, spawn
from photon.runtime.hub import current_hub
from tests.clients import wait_until

block = monkey.get_original("time", "sleep")


Condition = Callable[[], object]


def hold(is_seen: Condition) -> None:
    """Hold the hub until that was seen: a busy machine may take its time."""
    end = monotonic() + 10
    while not is_seen() and monotonic() < end:
        block(0.02)


def hold_again(is_seen: Condition) -> None:
    while not is_seen():
        block(0.02)


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "photon.runtime"]


def hold_in_a_greenlet(hold: Callable[[Condition], object], is_seen: Condition) -> None:
    sleep(TICK_S * 2)
    spawn(hold, is_seen).join()


def left_out(log: BlockedLog) -> int:
    return sum(count for _, count in log._places.values())


def test_the_place_the_holder_and_the_stack_are_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with telling_blocked() as log:
        assert log is not None
        hold_in_a_greenlet(hold, lambda: log.reported)
        wait_until(lambda: "had held" in str(messages(caplog)))
        hold_in_a_greenlet(hold, lambda: left_out(log))
        hold_in_a_greenlet(hold_again, lambda: log.reported == 2)
        wait_until(lambda: str(messages(caplog)).count("had held") == 2)
    begun, ended, *others = [r for r in caplog.records if r.name == "photon.runtime"]
    assert begun.levelno == logging.WARNING
    assert begun.getMessage().startswith("hold holds the hub for 0.")
    assert "tests/runtime/debug/test_blocked.py:" in begun.getMessage()
    assert "in hold; it waits in a call that does not cooperate" in begun.getMessage()
    assert "offload(fn)" in begun.getMessage()
    assert "test_blocked.py" in begun.place  # type: ignore[attr-defined]
    assert begun.blocked_ms >= 100  # type: ignore[attr-defined]
    assert begun.stack_info is not None
    assert "in hold: block(0.02)" in begun.stack_info.splitlines()[0]
    assert ended.getMessage().startswith("hold had held the hub for 0.")
    assert [record.getMessage().split()[0] for record in others] == ["hold_again"] * 2
    assert log.reported == 2


def test_what_was_left_out_is_counted(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with telling_blocked() as log:
        assert log is not None
        hold_in_a_greenlet(hold, lambda: log.reported)
        hold_in_a_greenlet(hold, lambda: left_out(log) == 1)
        hold_in_a_greenlet(hold, lambda: left_out(log) == 2)
        monkeypatch.setattr("photon.runtime.debug.blocked._QUIET_S", 0.01)
        hold_in_a_greenlet(hold, lambda: log.reported == 2)
    assert "(2 more times since it was last told)" in str(messages(caplog))


@pytest.mark.parametrize(
    ("silence", "says"),
    [
        (Silence(1.0, 0.0, 0.9, 0.0), "it computes: offload(fn) runs it beside, checkpoint() lets"),
        (Silence(1.0, 0.0, 0.0, 0.0), "it waits in a call that does not cooperate"),
        (Silence(1.0, 0.9, 1.0, 0.0), "C code that holds the GIL"),
    ],
)
def test_what_it_does_is_told_with_the_way_out(silence: Silence, says: str) -> None:
    assert says in _reason(silence)


def test_c_code_that_holds_the_gil_is_told_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stop_all() -> None:
        sum(range(15_000_000))  # in C, without a look at who else wants to run

    def is_told() -> bool:
        return any("stop_all" in message for message in messages(caplog))

    with telling_blocked():
        for _ in range(20):
            if is_told():
                break
            sleep(TICK_S * 2)
            spawn(stop_all).join()
            sleep(TICK_S * 2)
    assert is_told()


def test_a_long_one_is_told_of_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("photon.runtime.debug.blocked._MILESTONES_S", (0.2, 0.3))
    with telling_blocked():
        hold_in_a_greenlet(hold, lambda: len(messages(caplog)) == 3)
        wait_until(lambda: "had held" in str(messages(caplog)))
    assert ["goes on" in message for message in messages(caplog)] == [False, True, True, False]


def test_a_callback_of_the_hub_is_told_as_one(caplog: pytest.LogCaptureFixture) -> None:
    with telling_blocked():
        sleep(TICK_S * 2)
        current_hub().run_soon(hold, lambda: messages(caplog))
        wait_until(lambda: messages(caplog))
    assert messages(caplog)[0].startswith("a callback of the hub holds the hub")


def test_the_main_greenlet_is_told_as_such(caplog: pytest.LogCaptureFixture) -> None:
    with telling_blocked():
        sleep(TICK_S * 2)
        hold(lambda: messages(caplog))
    assert messages(caplog)[0].startswith("the main greenlet holds the hub")


def test_a_hub_that_waits_is_nobodys_fault(caplog: pytest.LogCaptureFixture) -> None:
    """As after SIGSTOP: the native thread may be the first to run."""
    with pulsing() as pulse:
        log = BlockedLog(current_hub(), pulse, 0.1)
        told = []

        def look() -> None:
            block(0.05)
            log.on_stuck(Silence(5.0, 5.0, 0.0, 1.0))
            told.append(True)

        monkey.get_original("_thread", "start_new_thread")(look, ())
        wait_until(lambda: told)
    assert messages(caplog) == []


def test_zero_turns_it_off() -> None:
    with telling_blocked(0) as log:
        assert log is None
        assert current_hub().pulse is None


@pytest.mark.parametrize("seconds", [0.01, -1, float("nan")])
def test_what_is_too_short_to_be_told_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"at least 0\.05 s"):
        with telling_blocked(seconds):
            pass
