"""What a server can be asked."""

from __future__ import annotations

from typing import Any

from photon.cli.controlling import LateCommands
from photon.runtime.workers.commanding import Command


def test_commands_are_made_once_when_the_first_is_looked_up() -> None:
    made = []

    def make() -> dict[str, Command]:
        made.append("made")
        return {"stats": answer, "dump": answer}

    def answer(given: dict[str, Any]) -> str:
        return "answer"

    commands = LateCommands(make)
    commands.add("own", answer)
    assert commands["own"] is answer
    assert not made  # what was added needs none of them
    assert commands["stats"] is answer
    assert commands.get("nothing") is None
    assert sorted(commands) == ["dump", "own", "stats"]
    assert len(commands) == 3
    assert made == ["made"]


def test_one_that_is_added_takes_the_place_of_one_that_is_made() -> None:
    commands = LateCommands(lambda: {"stats": lambda given: "made"})
    commands.add("stats", lambda given: "added")
    assert commands["stats"]({}) == "added"
    assert len(commands) == 1
