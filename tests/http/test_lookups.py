"""Look-ups: remembered for a moment, made once, and bounded."""

from __future__ import annotations

import pytest

from photon.http import lookups
from photon.http.lookups import Lookups
from photon.runtime.greenlets import spawn


class Disk:
    """A dict that notes what it is asked."""

    def __init__(self, **files: str) -> None:
        self.files = files
        self.asked: list[str] = []

    def find(self, name: str) -> str | None:
        self.asked.append(name)
        if name == "broken":
            raise OSError("broken")
        return self.files.get(name)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the look-ups; its one element may be set."""
    clock = [0.0]
    monkeypatch.setattr(lookups, "now", lambda: clock[0])
    return clock


def test_an_answer_is_good_for_a_while(time: list[float]) -> None:
    disk = Disk(a="1")
    found = Lookups(disk.find, seconds=1.0, most=10)
    for _ in range(3):
        assert (found.get("a"), found.get("b")) == ("1", None)
    assert disk.asked == ["a", "b"]
    disk.files = {"b": "2"}
    time[0] = 1.0
    for _ in range(3):
        assert (found.get("a"), found.get("b")) == (None, "2")
    assert disk.asked == ["a", "b", "a", "b"]
    assert repr(found) == "<Lookups 1 found, 1 missing, 0 under way>"


def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    disk = Disk(a="1")
    found = Lookups(disk.find, seconds=0, most=10)
    handles = [spawn(found.get, "a") for _ in range(20)]
    for handle in handles:
        handle.join()
    assert {handle.result for handle in handles} == {"1"}
    assert disk.asked == ["a"]
    assert found.get("a") == "1"
    assert disk.asked == ["a", "a"]


def test_a_failure_is_told_and_not_remembered() -> None:
    disk = Disk()
    found = Lookups(disk.find, seconds=100, most=10)
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            found.get("broken")
    assert disk.asked == ["broken"] * 2
    assert repr(found) == "<Lookups 0 found, 0 missing, 0 under way>"


def test_a_flood_of_what_is_not_there_pushes_out_nothing_that_is(time: list[float]) -> None:
    disk = Disk(a="1", b="2", c="3")
    found = Lookups(disk.find, seconds=1.0, most=2)
    found.get("a")
    for number in range(10):
        found.get(f"missing-{number}")
    assert repr(found) == "<Lookups 1 found, 2 missing, 0 under way>"
    disk.asked.clear()
    found.get("a")
    assert disk.asked == []
    found.get("b")
    found.get("c")
    found.get("a")
    assert disk.asked == ["b", "c", "a"]
    found.get("x" * 1000)
    assert repr(found) == "<Lookups 2 found, 2 missing, 0 under way>"
