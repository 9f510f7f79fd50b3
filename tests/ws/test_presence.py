"""Who is in a room, as other processes tell it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from photon.ws.presence import Change, Entry, Roll

SIGNS = {"joined": "+", "updated": "~", "left": "-"}
ADA, BOB = b'{"name":"Ada"}', b'{"name":"Bob"}'


def names(changes: list[Change]) -> list[str]:
    return [f"{SIGNS[change.kind]}{change.who.id}" for change in changes]


def ids(roll: Roll) -> set[str]:
    return {who.id for who in roll}


def test_who_joins_and_leaves() -> None:
    roll = Roll()
    assert roll.joined("a", "a.1", ADA) == [Change(Entry("a.1", ADA, False), "joined")]
    assert names(roll.joined("b", "b.1", ADA)) == ["+b.1"]
    assert names(roll.joined("a", "a.1", ADA)) == []
    assert names(roll.left("a", "a.1")) == ["-a.1"]
    assert names(roll.left("a", "a.1")) == []
    assert names(roll.left("c", "c.1")) == []
    assert list(roll) == [Entry("b.1", ADA, False)]
    assert repr(roll) == "<Roll 1 members in 1 other processes>"


def test_what_a_process_says_of_all_replaces_what_was_known() -> None:
    roll = Roll()
    for member in ("a.1", "a.2"):
        roll.joined("a", member, ADA)
    roll.joined("b", "b.1", ADA)
    assert names(roll.present("a", {"a.2": ADA, "a.3": ADA}, goes_on=False, is_answer=False)) == [
        "-a.1",
        "+a.3",
    ]
    assert ids(roll) == {"a.2", "a.3", "b.1"}
    assert names(roll.present("a", {}, goes_on=False, is_answer=False)) == ["-a.2", "-a.3"]
    assert ids(roll) == {"b.1"}


def test_it_may_come_in_parts() -> None:
    roll = Roll()
    roll.joined("a", "a.1", ADA)
    assert roll.present("a", {"a.2": ADA}, goes_on=True, is_answer=False) == []
    assert ids(roll) == {"a.1"}
    assert names(roll.present("a", {"a.3": ADA}, goes_on=False, is_answer=False)) == [
        "-a.1",
        "+a.2",
        "+a.3",
    ]


def test_the_first_answer_is_no_change() -> None:
    roll = Roll()
    roll.awaited = {"a", "b"}
    assert names(roll.present("a", {"a.0": ADA}, goes_on=False, is_answer=False)) == ["+a.0"]
    assert roll.awaited == {"a", "b"}
    assert roll.present("a", {"a.1": ADA}, goes_on=False, is_answer=True) == []
    assert roll.awaited == {"b"}
    changes = roll.present("a", {"a.1": ADA, "a.2": ADA}, goes_on=False, is_answer=True)
    assert names(changes) == ["+a.2"]
    assert roll.present("new", {"new.1": ADA}, goes_on=False, is_answer=True) == []
    assert names(roll.gone("new")) == ["-new.1"]
    roll.is_settled = True
    assert names(roll.present("new", {"new.1": ADA}, goes_on=False, is_answer=True)) == ["+new.1"]


def test_a_process_that_is_gone_takes_its_members_along() -> None:
    roll = Roll()
    roll.awaited = {"a"}
    roll.joined("a", "a.1", ADA)
    roll.joined("b", "b.1", ADA)
    roll.present("a", {"a.9": ADA}, goes_on=True, is_answer=False)
    assert names(roll.gone("a")) == ["-a.1"]
    assert roll.gone("a") == []
    assert (ids(roll), roll.awaited) == ({"b.1"}, set())
    assert names(roll.present("a", {}, goes_on=False, is_answer=False)) == []


def test_what_a_member_says_anew() -> None:
    roll = Roll()
    roll.joined("a", "a.1", ADA)
    assert roll.updated("a", "a.1", BOB) == [Change(Entry("a.1", BOB, False), "updated")]
    assert list(roll) == [Entry("a.1", BOB, False)]
    assert roll.updated("a", "a.1", BOB) == []
    assert names(roll.joined("a", "a.1", ADA)) == ["~a.1"]
    assert names(roll.left("a", "a.1")) == ["-a.1"]


def test_of_one_who_is_not_known_yet_the_answer_tells() -> None:
    roll = Roll()
    roll.awaited = {"a"}
    assert roll.updated("a", "a.1", BOB) == []
    assert roll.present("a", {"a.1": BOB}, goes_on=False, is_answer=True) == []
    assert list(roll) == [Entry("a.1", BOB, False)]


def test_what_was_said_anew_is_found_among_all_the_others() -> None:
    roll = Roll()
    roll.joined("a", "a.1", ADA)
    roll.joined("a", "a.2", ADA)
    changes = roll.present("a", {"a.1": ADA, "a.2": BOB}, goes_on=False, is_answer=False)
    assert changes == [Change(Entry("a.2", BOB, False), "updated")]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("julpg"), st.dictionaries(st.integers(0, 4), st.binary(max_size=1))
        ),
        max_size=30,
    )
)
def test_what_changes_is_what_differs(steps: list[tuple[str, dict[int, bytes]]]) -> None:
    roll = Roll()
    told: dict[str, bytes] = {}
    for what, named in steps:
        members = {f"a.{number}": named[number] for number in sorted(named)}
        changes = []
        if what == "p":
            changes = roll.present("a", members, goes_on=False, is_answer=False)
        elif what == "g":
            changes = roll.gone("a")
        for member, info in members.items():
            if what == "j":
                changes += roll.joined("a", member, info)
            elif what == "u":
                changes += roll.updated("a", member, info)
            elif what == "l":
                changes += roll.left("a", member)
        for change in changes:
            id, info = change.who.id, change.who.info
            assert (id in told) is (change.kind != "joined")
            if change.kind == "updated":
                assert told[id] != info
            if change.kind == "left":
                assert told.pop(id) == info
            else:
                told[id] = info
        assert told == {who.id: who.info for who in roll}
