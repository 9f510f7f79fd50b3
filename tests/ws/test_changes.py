"""What is still to be told of members, when many things happen to them meanwhile."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.ws.changes import Changes
from photon.ws.presence import Change, Entry, Kind


def change(id: str, kind: Kind, info: bytes = b"1") -> Change:
    return Change(Entry(id, info, True), kind)


def told(changes: Changes) -> list[tuple[str, str, bytes]]:
    found: list[tuple[str, str, bytes]] = []
    while (each := changes.next()) is not None:
        found.append((each[1].who.id, each[1].kind, each[1].who.info))
    return found


def test_changes_are_told_in_order_and_once() -> None:
    changes = Changes()
    for id in "ab":
        changes.add("room", change(id, "joined"))
    changes.add("other", change("a", "joined"))
    assert repr(changes) == "<Changes 3>"
    assert changes.next() == ("room", change("a", "joined"))
    assert changes.next() == ("room", change("b", "joined"))
    assert changes.next() == ("other", change("a", "joined"))
    assert changes.next() is None


@pytest.mark.parametrize(
    ("both", "one"),
    [
        ("joined 1, left 1", None),
        ("joined 1, updated 2", "joined 2"),
        ("updated 1, updated 2", "updated 2"),
        ("updated 1, left 1", "left 1"),
        ("left 1, joined 1", None),
        ("left 1, joined 2", "updated 2"),
        ("updated 2, left 2, joined 2", "updated 2"),
        ("updated 2, left 2, joined 2, left 2", "left 2"),
        ("joined 1, updated 2, left 2", None),
        ("updated 2, left 2, joined 3", "updated 3"),
    ],
)
def test_two_changes_of_one_member_are_one_or_none(both: str, one: str | None) -> None:
    changes = Changes()
    for step in both.split(", "):
        kind, info = step.split()
        changes.add("room", change("a", kind, info.encode()))  # type: ignore[arg-type]
    assert told(changes) == ([] if one is None else [("a", *_words(one))])
    assert not changes._renewed


def _words(text: str) -> tuple[str, bytes]:
    kind, info = text.split()
    return kind, info.encode()


def test_who_updates_all_the_time_keeps_his_place() -> None:
    changes = Changes()
    for id in "ab":
        changes.add("room", change(id, "joined"))
    for number in range(100):
        changes.add("room", change("a", "updated", b"%d" % number))
    assert told(changes) == [("a", "joined", b"99"), ("b", "joined", b"1")]


@given(st.lists(st.tuples(st.sampled_from("abcx"), st.sampled_from([b"1", b"2"])), max_size=40))
def test_who_is_told_knows_in_the_end_who_is_there(steps: list[tuple[str, bytes]]) -> None:
    changes = Changes()
    there: dict[str, bytes] = {}
    known: dict[str, bytes] = {}

    def listen() -> None:
        while (each := changes.next()) is not None:
            who, kind = each[1].who, each[1].kind
            assert (who.id in known) is (kind != "joined")
            if kind == "left":
                del known[who.id]
            else:
                known[who.id] = who.info

    for id, info in steps:
        if id == "x":
            listen()
        elif id not in there:
            there[id] = info
            changes.add("room", change(id, "joined", info))
        elif there[id] == info:
            changes.add("room", change(id, "left", there.pop(id)))
        else:
            there[id] = info
            changes.add("room", change(id, "updated", info))
        assert len(changes) <= 3
    listen()
    assert known == there
