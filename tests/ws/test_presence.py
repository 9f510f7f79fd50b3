"""Who is in a room, as other processes tell it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from photon.ws.presence import Change, Changes, Presence, Roll


def names(changes: list[Change]) -> list[str]:
    return [f"{'+' if change.has_joined else '-'}{change.who.id}" for change in changes]


def ids(roll: Roll) -> set[str]:
    return {who.id for who in roll}


def test_who_joins_and_leaves() -> None:
    roll = Roll()
    assert roll.joined("a", "a.1", {"n": 1}) == [Change(Presence("a.1", {"n": 1}, False), True)]
    assert names(roll.joined("b", "b.1", None)) == ["+b.1"]
    assert names(roll.joined("a", "a.1", None)) == []
    assert names(roll.left("a", "a.1")) == ["-a.1"]
    assert names(roll.left("a", "a.1")) == []
    assert names(roll.left("c", "c.1")) == []
    assert list(roll) == [Presence("b.1", None, False)]
    assert repr(roll) == "<Roll 1 members in 1 other processes>"


def test_what_a_process_says_of_all_replaces_what_was_known() -> None:
    roll = Roll()
    for member in ("a.1", "a.2"):
        roll.joined("a", member, None)
    roll.joined("b", "b.1", None)
    assert names(roll.present("a", {"a.2": None, "a.3": None}, goes_on=False, is_answer=False)) == [
        "-a.1",
        "+a.3",
    ]
    assert ids(roll) == {"a.2", "a.3", "b.1"}
    assert names(roll.present("a", {}, goes_on=False, is_answer=False)) == ["-a.2", "-a.3"]
    assert ids(roll) == {"b.1"}


def test_it_may_come_in_parts() -> None:
    roll = Roll()
    roll.joined("a", "a.1", None)
    assert roll.present("a", {"a.2": None}, goes_on=True, is_answer=False) == []
    assert ids(roll) == {"a.1"}
    assert names(roll.present("a", {"a.3": None}, goes_on=False, is_answer=False)) == [
        "-a.1",
        "+a.2",
        "+a.3",
    ]


def test_the_first_answer_is_no_change() -> None:
    roll = Roll()
    roll.awaited = {"a", "b"}
    assert names(roll.present("a", {"a.0": None}, goes_on=False, is_answer=False)) == ["+a.0"]
    assert roll.awaited == {"a", "b"}
    assert roll.present("a", {"a.1": None}, goes_on=False, is_answer=True) == []
    assert roll.awaited == {"b"}
    changes = roll.present("a", {"a.1": None, "a.2": None}, goes_on=False, is_answer=True)
    assert names(changes) == ["+a.2"]
    assert roll.present("new", {"new.1": None}, goes_on=False, is_answer=True) == []
    assert names(roll.gone("new")) == ["-new.1"]
    roll.is_settled = True
    assert names(roll.present("new", {"new.1": None}, goes_on=False, is_answer=True)) == ["+new.1"]


def test_a_process_that_is_gone_takes_its_members_along() -> None:
    roll = Roll()
    roll.awaited = {"a"}
    roll.joined("a", "a.1", None)
    roll.joined("b", "b.1", None)
    roll.present("a", {"a.9": None}, goes_on=True, is_answer=False)
    assert names(roll.gone("a")) == ["-a.1"]
    assert roll.gone("a") == []
    assert (ids(roll), roll.awaited) == ({"b.1"}, set())
    assert names(roll.present("a", {}, goes_on=False, is_answer=False)) == []


@given(st.lists(st.tuples(st.sampled_from("jlpg"), st.sets(st.integers(0, 4))), max_size=30))
def test_what_changes_is_what_differs(steps: list[tuple[str, set[int]]]) -> None:
    roll = Roll()
    told: set[str] = set()
    for what, numbers in steps:
        members = [f"a.{number}" for number in sorted(numbers)]
        changes = []
        if what == "j":
            for member in members:
                changes += roll.joined("a", member, None)
        elif what == "l":
            for member in members:
                changes += roll.left("a", member)
        elif what == "p":
            changes = roll.present("a", dict.fromkeys(members), goes_on=False, is_answer=False)
        else:
            changes = roll.gone("a")
        for change in changes:
            assert (change.who.id in told) is not change.has_joined
            (told.add if change.has_joined else told.discard)(change.who.id)
        assert told == ids(roll)


# What is still to be told...


def change(id: str, has_joined: bool) -> Change:
    return Change(Presence(id, None, True), has_joined)


def test_changes_are_told_in_order_and_once() -> None:
    changes = Changes()
    for id in "ab":
        changes.add("room", change(id, True))
    assert changes.next() == ("room", change("a", True))
    assert changes.next() == ("room", change("b", True))
    assert changes.next() is None


def test_what_cancels_out_is_not_told() -> None:
    changes = Changes()
    changes.add("room", change("a", True))
    changes.add("other", change("a", True))
    changes.add("room", change("a", False))
    assert len(changes) == 1
    assert repr(changes) == "<Changes 1>"
    assert changes.next() == ("other", change("a", True))
    changes.add("room", change("b", False))
    changes.add("room", change("b", True))
    assert changes.next() is None
