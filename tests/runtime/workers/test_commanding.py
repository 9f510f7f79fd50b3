"""Commands, each in a greenlet of its own."""

from __future__ import annotations

from typing import Any

import pytest

from photon.runtime.channel import open_channel
from photon.runtime.greenlets import checkpoint, sleep_forever
from photon.runtime.hub import current_hub
from photon.runtime.sync import Event
from photon.runtime.workers.commanding import Command, CommandJob, run_command
from photon.runtime.workers.control import ControlError
from tests.clients import wait_until

Answers = list[dict[str, Any]]


def run(command: Command, arguments: dict[str, Any] | None = None) -> tuple[CommandJob, Answers]:
    answers: Answers = []
    return run_command(command.__name__, command, arguments or {}, answers.append), answers


def answer_of(command: Command, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    _, answers = run(command, arguments)
    wait_until(lambda: answers)
    return answers[0]


def test_a_command_gets_arguments_and_gives_what_it_returns() -> None:
    assert answer_of(lambda arguments: [arguments], {"x": 1}) == {"ok": [{"x": 1}]}


def test_a_command_may_wait_and_others_go_on() -> None:
    go = Event()

    def slow(arguments: dict[str, Any]) -> str:
        go.wait()
        return "late"

    _, answers = run(slow)
    assert answer_of(lambda arguments: "quick") == {"ok": "quick"}
    assert not answers
    go.set()
    wait_until(lambda: answers == [{"ok": "late"}])


def test_what_is_refused_is_told_in_its_own_words(caplog: pytest.LogCaptureFixture) -> None:
    def level(arguments: dict[str, Any]) -> None:
        raise ControlError("there is no level 'loud'; there are debug, info, warning")

    assert "there is no level 'loud'" in answer_of(level)["error"]
    assert not caplog.records


def test_a_fault_is_told_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def stats(arguments: dict[str, Any]) -> None:
        raise KeyError("x")

    assert "stats" in answer_of(stats)["error"]
    (record,) = caplog.records
    assert "the control command 'stats' failed" in record.getMessage()
    assert record.exc_info is not None


def test_a_command_that_exits_takes_nothing_along() -> None:
    def leave(arguments: dict[str, Any]) -> None:
        raise SystemExit(3)

    assert "error" in answer_of(leave)


def test_a_command_that_waits_can_be_cut_off() -> None:
    inside = open_channel[str](1)

    def endless(arguments: dict[str, Any]) -> None:
        inside[0].send("here")
        sleep_forever()

    job, answers = run(endless)
    assert "endless" in repr(job)
    inside[1].receive()
    checkpoint()
    current_hub().run_soon(job.interrupt)
    wait_until(lambda: answers == [{"error": "'endless' was cut off: the server stops"}])
    current_hub().run_soon(job.interrupt)
    checkpoint()
    assert len(answers) == 1
