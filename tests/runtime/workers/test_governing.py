"""What a supervisor is asked over its control socket."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from photon.runtime.workers.board import BOOTING, CONNECTIONS, DRAINING, READY
from photon.runtime.workers.control import ControlError
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.governing import Governor
from photon.runtime.workers.messages import Message
from photon.runtime.workers.orders import Member
from photon.runtime.workers.supervisor import Supervisor


class Office:
    """A supervisor that never runs, with workers that are numbers only.

    Attributes: wanted: what was asked of it; told: messages to workers, with their pids.
    """

    def __init__(self, *states: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fleet = Fleet(len(states))
        self.supervisor = Supervisor(self.fleet, lambda post: 0)
        self.wanted: list[Any] = []
        self.told: list[tuple[int, Message]] = []
        self.answers: list[Message] = []
        for slot, state in enumerate(states):
            self.member(slot, state)
        governor = Governor(
            self.supervisor, lambda: self.wanted.append("reload"), lambda: {"app": "app:app"}
        )
        self.governor = governor
        for name in ("scale", "stop", "retire"):
            monkeypatch.setattr(
                self.supervisor, name, lambda *given, name=name: self.wanted.append((name, *given))
            )
        monkeypatch.setattr(
            self.supervisor, "_tell", lambda m, what: self.told.append((m.pid, what))
        )

    def member(self, slot: int, state: int) -> Member:
        pid = 1000 + len(self.fleet.members)
        row = self.supervisor.board.take(state)
        self.fleet.members[pid] = Member(pid=pid, slot=slot, row=row, generation=1, state=state)
        return self.fleet.members[pid]

    def answer(self, number: int, ok: Any) -> None:
        self.answers.append({"id": number, "ok": json.loads(json.dumps(ok))})

    def asks(self, **message: Any) -> Any:
        """Ask something; the answer, or None if it is not there yet."""
        session: Any = self
        self.answers.clear()
        self.governor.on_request(session, {"id": 7, **message})
        return self.answers[0]["ok"] if self.answers else None


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch) -> Office:
    return Office(READY, READY, monkeypatch=monkeypatch)


def test_what_there_is_is_told_without_asking_anybody(office: Office) -> None:
    office.supervisor.board.row(1)[CONNECTIONS] = 5
    found = office.asks(do="workers")
    about = found["supervisor"]
    assert (about["pid"], about["size"], about["app"]) == (os.getpid(), 2, "app:app")
    assert (about["stopping"], about["reloading"], about["generation"]) == (False, False, 1)
    assert [(w["index"], w["pid"], w["state"]) for w in found["workers"]] == [
        (0, 1000, "ready"),
        (1, 1001, "ready"),
    ]
    assert [w["board"]["connections"] for w in found["workers"]] == [0, 5]
    assert not office.told


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        ({"do": "reload"}, "reload"),
        ({"do": "scale", "size": 3}, ("scale", 3)),
        ({"do": "stop"}, ("stop",)),
        ({"do": "drain"}, ("stop",)),
        ({"do": "drain", "worker": 1}, ("retire", 1001, "an operator wants it replaced")),
        ({"do": "drain", "worker": 1000}, ("retire", 1000, "an operator wants it replaced")),
    ],
)
def test_orders_are_followed_and_answered(office: Office, message: Message, wanted: Any) -> None:
    assert office.asks(**message)["supervisor"]["pid"] == os.getpid()
    assert office.wanted == [wanted]


@pytest.mark.parametrize("size", [0, -1, 1025, "3", 2.5, True, None, [3]])
def test_sizes_that_make_no_sense_are_refused(office: Office, size: Any) -> None:
    with pytest.raises(ControlError, match="there can be 1 to 1024 workers, not"):
        office.asks(do="scale", size=size)
    assert not office.wanted


@pytest.mark.parametrize("which", [2, "one", [0], -1])
def test_workers_that_are_not_there_are_refused(office: Office, which: Any) -> None:
    for name in ("drain", "stats"):
        with pytest.raises(ControlError, match=r"there is no worker .*; there are 0, 1"):
            office.asks(do=name, worker=which)


def test_of_two_with_one_index_the_one_that_serves_is_meant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office(DRAINING, READY, monkeypatch=monkeypatch)
    successor = office.member(0, READY)
    office.asks(do="drain", worker=0)
    assert office.wanted == [("retire", successor.pid, "an operator wants it replaced")]


def test_one_that_does_not_serve_cannot_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(BOOTING, READY, monkeypatch=monkeypatch)
    with pytest.raises(ControlError, match=r"worker 0 \(pid 1000\) does not serve: it is booting"):
        office.asks(do="drain", worker=0)


def test_everything_else_is_for_the_workers(office: Office) -> None:
    assert office.asks(do="stats", since=5) is None
    assert [pid for pid, _ in office.told] == [1000, 1001]
    number = office.told[0][1]["id"]
    assert office.told[0][1] == {"do": "stats", "since": 5, "id": number}
    office.supervisor.questions.answered(1001, {"id": number, "ok": {"x": 1}})
    office.supervisor.questions.gone(1000, "it has just ended")
    workers = office.answers[0]["ok"]["workers"]
    assert [worker.get("ok") for worker in workers] == [None, {"x": 1}]
    assert workers[0]["error"] == "it has just ended"
    assert workers[1]["board"]["silent_s"] >= 0


@pytest.mark.parametrize("name", ["hurry", "pause", "resume", "dump-to-log"])
def test_what_only_a_supervisor_says_is_refused(office: Office, name: str) -> None:
    with pytest.raises(ControlError, match="there is no command"):
        office.asks(do=name)
    assert not office.told


def test_one_of_the_workers_may_be_asked(office: Office) -> None:
    office.asks(do="stats", worker=1)
    assert [pid for pid, _ in office.told] == [1001]
    office.asks(do="stats", worker=1000)
    assert [pid for pid, _ in office.told] == [1001, 1000]
