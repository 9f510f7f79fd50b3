"""Questions to many, and when their answers are complete."""

from __future__ import annotations

from photon.runtime.workers.asking import Questions
from photon.runtime.workers.board import READY
from photon.runtime.workers.messages import Message
from photon.runtime.workers.orders import Member


def member(pid: int) -> Member:
    return Member(pid=pid, slot=pid - 1, row=pid, generation=3, state=READY)


class Asked:
    """Three workers that were asked one thing.   Attributes: closed: each answer to it."""

    def __init__(self) -> None:
        self.closed: list[list[Message]] = []
        self.questions = Questions()
        asked = [member(1), member(2), member(3)]
        self.number = self.questions.ask(asked, 10.0, self.closed.append)

    def says(self, pid: int, **answer: object) -> None:
        self.questions.answered(pid, {"id": self.number, **answer})


def why(pid: int) -> str:
    return f"{pid} sleeps"


def test_all_that_answer_are_told_together_in_the_order_in_which_they_were_asked() -> None:
    asked = Asked()
    asked.says(2, ok={"x": 1})
    asked.says(3, error="there is no command 'x'")
    assert not asked.closed
    asked.says(1, ok=None, tell="more")
    whole = {"generation": 3, "state": "ready"}
    assert asked.closed == [
        [
            {"index": 0, "pid": 1, **whole, "ok": None},
            {"index": 1, "pid": 2, **whole, "ok": {"x": 1}},
            {"index": 2, "pid": 3, **whole, "error": "there is no command 'x'"},
        ]
    ]
    asked.says(1, ok="again")
    assert len(asked.closed) == 1


def test_who_ends_is_not_waited_for() -> None:
    asked = Asked()
    asked.says(1, ok=1)
    asked.questions.gone(2, "it has just ended")
    asked.questions.gone(3, "it has just ended")
    asked.questions.gone(9, "was never asked")
    assert [answer.get("error") for answer in asked.closed[0]] == [None, *["it has just ended"] * 2]


def test_nobody_is_waited_for_beyond_the_time() -> None:
    asked = Asked()
    asked.says(1, ok=1)
    asked.questions.tick(9.9, why)
    assert not asked.closed
    asked.questions.tick(10.0, why)
    assert [answer.get("error") for answer in asked.closed[0]] == [None, "2 sleeps", "3 sleeps"]


def test_a_question_to_nobody_is_answered_at_once() -> None:
    closed: list[list[Message]] = []
    Questions().ask([], 10.0, closed.append)
    assert closed == [[]]


def test_who_was_not_asked_and_what_was_not_asked_changes_nothing() -> None:
    asked = Asked()
    asked.says(9, ok=1)
    asked.questions.answered(1, {"ok": 1})
    asked.questions.answered(1, {"id": 99, "ok": 1})
    assert not asked.closed


def test_an_answer_may_lead_to_the_next_question() -> None:
    questions = Questions()
    closed: list[str] = []

    def next_one(answers: list[Message]) -> None:
        closed.append("first")
        questions.ask([], 10.0, lambda answers: closed.append("third"))

    questions.ask([member(1)], 5.0, next_one)
    questions.ask([member(1)], 5.0, lambda answers: closed.append("second"))
    questions.tick(5.0, why)
    assert sorted(closed) == ["first", "second", "third"]
