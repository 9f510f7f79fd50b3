"""A question to all workers, and the answers of those who give one: a machine without I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from photon.runtime.workers.board import STATES
from photon.runtime.workers.messages import Message
from photon.runtime.workers.orders import Member

Then = Callable[[list[Message]], object]
"""Gets index, pid, generation and state of each that was asked, with its "ok" or "error"."""


class Question:
    """What some workers were asked."""

    def __init__(self, asked: Iterable[Member], due: float, then: Then) -> None:
        self.due = due
        self._then = then
        self._open = {member.pid for member in asked}
        self._answers = {
            member.pid: {
                "index": member.slot,
                "pid": member.pid,
                "generation": member.generation,
                "state": STATES[member.state],
            }
            for member in asked
        }

    @property
    def is_over(self) -> bool:
        """Whether nobody is waited for."""
        return not self._open

    def answered(self, pid: int, answer: dict[str, Any]) -> None:
        """One of them said something."""
        if pid in self._open:
            self._open.discard(pid)
            self._answers[pid] |= answer

    def silent(self, why: Callable[[int], str]) -> None:
        """It is not waited for any longer.   Args: why: tells by the pid what is known."""
        for pid in list(self._open):
            self.answered(pid, {"error": why(pid)})

    def close(self) -> None:
        """Hand on what came."""
        self._then(list(self._answers.values()))


class Questions:
    """All that are open, by their number."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._open: dict[int, Question] = {}

    def ask(self, asked: list[Member], due: float, then: Then) -> int:
        """A new one.   Returns: its number, which goes to each of `asked` as the id."""
        number = next(self._numbers)
        self._open[number] = Question(asked, due, then)
        self._close_those_that_are_over()
        return number

    def answered(self, pid: int, message: Message) -> None:
        """A worker answered one of them."""
        question = self._open.get(message.get("id", 0))
        if question is not None:
            question.answered(pid, {k: message[k] for k in ("ok", "error") if k in message})
            self._close_those_that_are_over()

    def gone(self, pid: int, why: str) -> None:
        """A worker will answer no more."""
        for question in self._open.values():
            question.answered(pid, {"error": why})
        self._close_those_that_are_over()

    def tick(self, now: float, why: Callable[[int], str]) -> None:
        """Some time passed."""
        for question in self._open.values():
            if now >= question.due:
                question.silent(why)
        self._close_those_that_are_over()

    def _close_those_that_are_over(self) -> None:
        for number, question in list(self._open.items()):
            # Who gets answers may ask the next question, and come through here before us.
            if question.is_over and self._open.pop(number, None) is not None:
                question.close()
