"""Rooms within one process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, assert_type

import pytest
from msgspec import Struct

from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.errors import Cancelled, WrongThread
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.hub import current_hub
from photon.runtime.offload import offload
from photon.ws.elsewhere import OF_ROOMS
from photon.ws.presence import Presence
from photon.ws.rooms import Rooms
from tests.clients import wait_until
from tests.ws.members import Fake


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    wait_until(lambda: current_hub().carriers.busy == 0)


def expect_empty(rooms: Rooms) -> None:
    statistics = rooms.statistics()
    assert (statistics.rooms, statistics.members, statistics.queued) == (0, 0, 0)
    assert not rooms._house.outboxes


# Joining and leaving...


def test_a_room_is_there_while_somebody_is_in_it() -> None:
    rooms = Rooms()
    with rooms.join("a", Fake()) as first, rooms.join("a", Fake()) as second:
        assert rooms.get("a") is first.room
        assert "a" in rooms
        assert first.room.members == [first, second]
        assert (list(rooms), len(rooms)) == (["a"], 1)
        assert first.id != second.id
    assert rooms.get("a") is None
    assert "a" not in rooms
    assert bool(rooms)
    expect_empty(rooms)


def test_it_leaves_however_the_block_ends() -> None:
    rooms = Rooms()
    with pytest.raises(LookupError), rooms.join("a", Fake()):
        raise LookupError
    expect_empty(rooms)

    scope = CancelScope()
    with scope, rooms.join("a", Fake()):
        scope.cancel()
        checkpoint()
        checkpoint()
    assert scope.cancelled_caught
    expect_empty(rooms)


def test_it_may_leave_before_and_twice() -> None:
    rooms = Rooms()
    with rooms.join("a", Fake()) as member:
        member.leave()
        assert not member.is_in
        expect_empty(rooms)
        member.leave()
        again = rooms.join("a", member.connection)
    again.leave()
    expect_empty(rooms)


def test_who_cannot_be_reached_any_more_has_left() -> None:
    rooms = Rooms()
    fake, other = Fake(), Fake()
    with rooms.join("a", fake) as member, rooms.join("b", fake), rooms.join("a", other):
        fake.is_gone = True
        rooms.broadcast("a", "hello")
        assert not member.is_in
        assert list(rooms) == ["a"]
        assert rooms.broadcast("a", "hello") == 1
        assert other.messages == ["hello", "hello"]
    expect_empty(rooms)


def test_a_connection_that_is_not_open_yet_is_accepted() -> None:
    class Asking(Fake):
        is_open = False

        def ready(self) -> None:
            assert self.is_open or not list(rooms)
            self.is_open = True

    rooms = Rooms()
    fake = Asking()
    with rooms.join("a", fake), rooms.join("b", fake):
        assert fake.is_open


# Broadcasts...


def test_a_broadcast_reaches_all_in_the_room_and_nobody_else() -> None:
    rooms = Rooms()
    fakes = [Fake() for _ in range(3)]
    outside = Fake()
    members = [rooms.join("a", fake) for fake in fakes]
    members.append(rooms.join("b", outside))
    assert rooms.broadcast("a", "hello") == 3
    assert members[0].room.broadcast({"n": 1}) == 3
    assert rooms.broadcast("nobody is here", "hello") == 0
    assert [fake.messages for fake in fakes] == [["hello", '{"n":1}']] * 3
    assert outside.messages == []
    for member in members:
        member.leave()
    expect_empty(rooms)


def test_all_get_the_very_same_bytes() -> None:
    class Keeping(Fake):
        def send_frame_nowait(self, frame: bytes) -> bool:
            frames.append(frame)
            return True

    frames: list[bytes] = []
    rooms = Rooms()
    members = [rooms.join("a", Keeping()) for _ in range(5)]
    rooms.broadcast("a", {"n": 1})
    assert len(frames) == 5
    assert len(set(map(id, frames))) == 1
    for member in members:
        member.leave()


@pytest.mark.parametrize(
    "which",
    [
        lambda member, fake: member,
        lambda member, fake: member.id,
        lambda member, fake: fake,
        lambda member, fake: [member],
        lambda member, fake: (each for each in (fake, "nobody")),
    ],
)
def test_who_is_excluded_does_not_get_it(which: Callable[[Any, Any], Any]) -> None:
    rooms = Rooms()
    mine, other = Fake(), Fake()
    with rooms.join("a", mine) as member, rooms.join("a", other):
        assert rooms.broadcast("a", "hello", exclude=which(member, mine)) == 1
        assert rooms.broadcast("a", "again", exclude=Fake()) == 2
    assert (mine.messages, other.messages) == (["again"], ["hello", "again"])


def test_one_can_be_sent_to_alone() -> None:
    rooms = Rooms()
    mine, other = Fake(), Fake()
    with rooms.join("a", mine) as member, rooms.join("a", other):
        member.send("one")
        assert rooms.send_to(member.id, b"two")
        assert rooms.send_to(member, {"n": 3})
    assert not rooms.send_to(member.id, "gone")
    assert not rooms.send_to("nonsense", "gone")
    assert (mine.messages, other.messages) == (["one", b"two", '{"n":3}'], [])


def test_a_slow_one_keeps_nobody_waiting() -> None:
    rooms = Rooms(queue=2, policy="drop_oldest")
    slow, fast = Fake(is_slow=True), Fake()
    with rooms.join("a", slow), rooms.join("a", fast):
        for number in range(10):
            rooms.broadcast("a", str(number))
        assert fast.messages == [str(number) for number in range(10)]
        assert rooms.statistics().queued == 2
        slow.is_slow = False
        wait_until(lambda: rooms.statistics().queued == 0)
        wait_until(lambda: slow.messages == ["8", "9"])
    assert rooms.statistics().dropped == 8
    wait_until(lambda: not rooms._house.outboxes)
    expect_empty(rooms)


def test_a_slow_one_is_closed_and_has_left() -> None:
    rooms = Rooms(queue=1)
    slow, fast = Fake(is_slow=True), Fake()
    with rooms.join("a", slow) as member, rooms.join("a", fast):
        for number in range(3):
            rooms.broadcast("a", str(number))
        assert not member.is_in
        assert member.room.members[0].connection is fast
        wait_until(lambda: slow.closed is not None)
        assert rooms.statistics().closed == 1
    wait_until(lambda: not rooms._house.outboxes)


def test_rooms_of_one_connection_share_its_queue_and_keep_the_order() -> None:
    rooms = Rooms()
    slow = Fake(is_slow=True)
    with rooms.join("a", slow) as member, rooms.join("b", slow):
        for number in range(6):
            rooms.broadcast("ab"[number % 2], str(number))
        assert member.statistics().queued == 6
        slow.is_slow = False
        wait_until(lambda: slow.messages == list("012345"))
        assert len(rooms._house.outboxes) == 1
    wait_until(lambda: not rooms._house.outboxes)


def test_what_was_broadcast_before_it_left_still_arrives() -> None:
    rooms = Rooms()
    slow = Fake(is_slow=True)
    with rooms.join("a", slow):
        rooms.broadcast("a", "first")
    rooms.broadcast("a", "too late")
    with rooms.join("a", slow):
        rooms.broadcast("a", "second")
        slow.is_slow = False
        wait_until(lambda: slow.messages == ["first", "second"])
    wait_until(lambda: not rooms._house.outboxes)
    expect_empty(rooms)


# "block"...


def test_block_serves_all_others_first_and_then_waits() -> None:
    rooms = Rooms(queue=1, policy="block")
    slow, fast = Fake(is_slow=True), Fake()
    with rooms.join("a", slow), rooms.join("a", fast):
        rooms.broadcast("a", "0")
        waiting = spawn(lambda: [rooms.broadcast("a", message) for message in "12"])
        wait_until(lambda: fast.messages == ["0", "1", "2"])
        checkpoint()
        assert waiting.state == "running"
        third = spawn(rooms.broadcast, "a", "3")
        wait_until(lambda: fast.messages == ["0", "1", "2", "3"])
        slow.is_slow = False
        waiting.join()
        third.join()
        wait_until(lambda: slow.messages == ["0", "1", "2", "3"])


def test_block_closes_when_patience_is_over() -> None:
    rooms = Rooms(queue=1, policy="block", patience_s=0.01)
    slow, fast = Fake(is_slow=True), Fake()
    with rooms.join("a", slow) as member, rooms.join("a", fast):
        wait_until(lambda: rooms.broadcast("a", "x") and not member.is_in)
        assert fast.messages
        wait_until(lambda: slow.closed is not None)
        assert slow.closed is not None
        assert slow.closed[0] == 1013
    wait_until(lambda: not rooms._house.outboxes)


def test_block_a_broadcast_that_is_cancelled_takes_its_message_back() -> None:
    rooms = Rooms(queue=1, policy="block", patience_s=60)
    slow, fast = Fake(is_slow=True), Fake()
    with rooms.join("a", slow) as member, rooms.join("a", fast):
        member.send("0")
        wait_until(lambda: slow.calls == 1)
        rooms.broadcast("a", "1")
        for _ in range(20):
            with move_on_after(0.001) as scope:
                rooms.broadcast("a", "2")
            assert scope.cancelled_caught
        assert member.statistics().queued == 1
        slow.is_slow = False
        wait_until(lambda: member.statistics().queued == 0)
    wait_until(lambda: slow.messages == ["0", "1"])


# Large rooms...


def test_a_large_room_lets_others_in_and_all_get_the_same_order() -> None:
    rooms = Rooms()
    held: list[bool] = []

    class Costly(Fake):
        def send_frame_nowait(self, frame: bytes) -> bool:
            for _ in range(200):  # some us
                pass
            return super().send_frame_nowait(frame)

    fakes = [Costly() for _ in range(4000)]
    members = [rooms.join("a", fake) for fake in fakes]
    both = [spawn(rooms.broadcast, "a", message) for message in ("x", "y", "z")]
    while any(handle.state in ("pending", "running") for handle in both):
        held.append(True)
        checkpoint()
    assert len(held) > 3
    assert {tuple(fake.messages) for fake in fakes} == {("x", "y", "z")}
    for member in members:
        member.leave()
    expect_empty(rooms)


def test_a_broadcast_that_is_cancelled_is_finished_first() -> None:
    rooms = Rooms()
    scope = CancelScope()

    class Cancelling(Fake):
        def send_frame_nowait(self, frame: bytes) -> bool:
            scope.cancel()
            return super().send_frame_nowait(frame)

    class Costly(Fake):
        def send_frame_nowait(self, frame: bytes) -> bool:
            for _ in range(500):
                pass
            return super().send_frame_nowait(frame)

    fakes = [Cancelling(), *(Costly() for _ in range(3000))]
    members = [rooms.join("a", fake) for fake in fakes]
    with scope:
        rooms.broadcast("a", "x")
        checkpoint()
    assert scope.cancelled_caught
    assert {tuple(fake.messages) for fake in fakes} == {("x",)}
    assert rooms.broadcast("a", "y") == 3001
    for member in members:
        member.leave()


def test_who_left_while_it_was_under_way_does_not_get_it() -> None:
    rooms = Rooms()

    class Leaving(Fake):
        def send_frame_nowait(self, frame: bytes) -> bool:
            last.leave()
            return super().send_frame_nowait(frame)

    fake = Fake()
    with rooms.join("a", Leaving()):
        last = rooms.join("a", fake)
        assert rooms.broadcast("a", "x") == 1
    assert fake.messages == []


# Who is there...


def test_presence_is_who_is_there_with_their_info() -> None:
    rooms = Rooms()
    assert rooms.presence("a") == []
    with rooms.join("a", Fake(), {"name": "Ada"}) as ada, rooms.join("a", Fake()) as other:
        expected = [Presence(ada.id, {"name": "Ada"}, True), Presence(other.id, None, True)]
        assert rooms.presence("a") == ada.room.presence == expected


def test_hooks_are_told_in_order(caplog: pytest.LogCaptureFixture) -> None:
    rooms = Rooms()
    told: list[object] = []

    @rooms.on_join
    def joined(room: str, who: Presence) -> None:
        told.append(("+", room, who.info, who.is_here))
        raise LookupError("of the hook")

    @rooms.on_leave
    def left(room: str, who: Presence) -> None:
        told.append(("-", room, who.info, who.is_here))

    with rooms.join("a", Fake(), 1):
        wait_until(lambda: len(told) == 1)
        with rooms.join("a", Fake(), 2):
            wait_until(lambda: len(told) == 2)
    wait_until(lambda: len(told) == 4)
    assert told == [
        ("+", "a", 1, True),
        ("+", "a", 2, True),
        ("-", "a", 2, True),
        ("-", "a", 1, True),
    ]
    assert "LookupError: of the hook" in caplog.text
    with rooms.join("a", Fake(), 3):
        pass  # nobody could be told before it was over
    checkpoint()
    assert len(told) == 4


def test_a_hook_may_wait_and_broadcast() -> None:
    rooms = Rooms()

    @rooms.on_join
    def joined(room: str, who: Presence) -> None:
        checkpoint()
        rooms.broadcast(room, f"{who.info} is here", local=True)

    fake = Fake()
    with rooms.join("a", fake, "Ada"):
        wait_until(lambda: fake.messages == ["Ada is here"])


# Mistakes...


def test_a_connection_is_in_a_room_once() -> None:
    rooms = Rooms()
    fake = Fake()
    with rooms.join("a", fake):
        with pytest.raises(RuntimeError, match="is in 'a' already, and would get each message twi"):
            rooms.join("a", fake)
    expect_empty(rooms)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"policy": "drop"}, "no policy 'drop': drop_oldest or drop_newest"),
        ({"policy": "clos"}, "did you mean close?"),
        ({"queue": 0}, "queue=0"),
        ({"queue_bytes": 0}, "both are 1 or more"),
        ({"beat_s": 20}, "less than expire_s=15.0"),
        ({"patience_s": 0}, "patience_s="),
        ({"name": ""}, "1 to 1024"),
        ({"broker": "redis://localhost"}, "such as RedisBroker"),
    ],
)
def test_settings_that_cannot_be(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        Rooms(**arguments)


def test_what_cannot_join_or_be_sent_or_be_excluded() -> None:
    rooms = Rooms()
    with pytest.raises(TypeError, match=r"a WebSocket joins a room, not 'ws': rooms.join\(name, w"):
        rooms.join("a", "ws")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="the name of a room is text"):
        rooms.join(7, Fake())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="exclude= is a Member"):
        rooms.broadcast("a", "hello", exclude=7)
    with pytest.raises(TypeError):
        rooms.broadcast("a", object())
    with pytest.raises(ValueError, match="characters"):
        rooms.broadcast("", "hello")
    expect_empty(rooms)


def test_another_thread_is_told_where_to_broadcast() -> None:
    rooms = Rooms()
    fake = Fake()
    with rooms.join("a", fake) as member:
        calls: list[Callable[[], object]] = [
            lambda: rooms.broadcast("a", "x"),
            lambda: rooms.send_to(member, "x"),
            lambda: rooms.join("a", Fake()),
        ]
        for call in calls:
            with pytest.raises(WrongThread, match=r"in offload\(\) return what is to be broadcast"):
                offload(call)
    assert fake.messages == []


def test_a_failed_accept_leaves_nothing() -> None:
    class Refusing(Fake):
        def ready(self) -> None:
            raise Cancelled("scope")

    rooms = Rooms()
    with pytest.raises(Cancelled):
        rooms.join("a", Refusing())
    expect_empty(rooms)


def test_they_show_what_is_inside(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    rooms = Rooms(name="chat")
    with rooms, rooms.join("a", Fake()) as member:
        rooms.broadcast("a", "x")
        assert repr(rooms) == "<Rooms 'chat': 1 members in 1>"
        assert repr(member.room) == "<Room 'a' 1 members here, 0 elsewhere>"
        assert repr(member) == f"<Member {member.id} in 'a'>"
        room = member.room.statistics()
        assert (room.members, room.present, room.queued, room.broadcasts) == (1, 1, 0, 1)
        statistics = rooms.statistics()
        assert (statistics.rooms, statistics.members, statistics.sent) == (1, 1, 1)
        assert (statistics.broadcasts, statistics.neighbours, statistics.received) == (1, 0, 0)
    assert repr(member) == f"<Member {member.id} has left 'a'>"
    assert not caplog.records


# What members say of themselves...


class Person(Struct):
    name: str
    is_away: bool = False


def test_an_update_is_seen_by_all_and_told_to_hooks() -> None:
    rooms = Rooms()
    told: list[object] = []
    rooms.on_join(lambda room, who: told.append(("+", who.info)))
    rooms.on_update(lambda room, who: told.append(("~", room, who)))
    with rooms.join("a", Fake(), "Ada") as ada, rooms.join("b", Fake(), "Bob"):
        wait_until(lambda: len(told) == 2)
        assert ada.update({"name": "Ada"})
        assert ada.info == {"name": "Ada"}
        expected = Presence(ada.id, {"name": "Ada"}, True)
        assert rooms.presence("a") == ada.room.presence == [expected]
        wait_until(lambda: told[2:] == [("~", "a", expected)])
        assert ada.update({"name": "Ada"})  # nothing new
        with rooms.watch("a") as watched:
            ada.update(7)
            assert [who.info for who in watched.presence] == [7]
        wait_until(lambda: len(told) == 4)
    assert not ada.update(8)
    assert ada.info == 7
    assert len(told) == 4


def test_updates_that_follow_each_other_quickly_are_told_as_one() -> None:
    rooms = Rooms()
    told: list[object] = []
    rooms.on_join(lambda room, who: told.append(("+", who.info)))
    rooms.on_update(lambda room, who: told.append(("~", who.info)))
    rooms.on_leave(lambda room, who: told.append(("-", who.info)))
    with rooms.join("a", Fake(), 0) as member:
        for number in range(10):
            member.update(number)
        wait_until(lambda: told == [("+", 9)])
        for number in range(10):
            member.update(number)
        wait_until(lambda: told[1:] == [("~", 9)])
        member.update(10)
    wait_until(lambda: told[2:] == [("-", 10)])


def test_info_is_changed_by_update_alone() -> None:
    rooms = Rooms()
    given = {"name": "Ada"}
    with rooms.join("a", Fake(), given) as member:
        with pytest.raises(
            AttributeError, match=r"told to all processes, .*member\.update\(info\)"
        ):
            member.info = Person("Bob")  # type: ignore[assignment]
        given["name"] = "Bob"
        member.info["name"] = "Bob"
        rooms.presence("a")[0].info["name"] = "Bob"
        assert member.info == rooms.presence("a")[0].info == {"name": "Ada"}
        with pytest.raises(TypeError, match="info is the class Person"):
            member.update(Person)
        assert member.info == {"name": "Ada"}


def test_rooms_have_a_type_for_info() -> None:
    rooms = Rooms(info_type=Person)
    told: list[Person] = []

    @rooms.on_join
    def came(room: str, who: Presence[Person]) -> None:
        told.append(who.info)

    with rooms.join("a", Fake(), info=Person("Ada")) as member:
        assert_type(rooms, Rooms[Person])
        assert_type(member.info, Person)
        assert member.info == Person("Ada")
        (who,) = rooms.presence("a")
        assert_type(who.info, Person)
        assert who.info == Person("Ada")
        wait_until(lambda: told == [Person("Ada")])
        member.update(Person("Ada", is_away=True))
        assert member.room.presence[0].info.is_away
        with pytest.raises(ValueError, match="info is not of the type Person"):
            member.update({"nom": "Ada"})  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"info= is missing: .* of the type Person"):
            rooms.join("a", Fake())
        with pytest.raises(ValueError, match="info= is not of the type Person"):
            rooms.join("a", Fake(), 7)  # type: ignore[arg-type]
    expect_empty(rooms)


def as_checkers_see_rooms_without_a_type(rooms: Rooms, who: Presence) -> None:
    assert_type(rooms, Rooms[Any])
    assert_type(Rooms(), Rooms[Any])
    assert_type(who.info, Any)
    with rooms.join("a", Fake(), {"name": "Ada"}) as member:
        assert_type(member.info, Any)


# What is called in another way elsewhere, or wrongly...


def test_what_is_wrong_with_a_message_is_told_with_its_room() -> None:
    rooms = Rooms()
    with rooms.join("r", Fake()) as member:
        with pytest.raises(TypeError, match=r"to the room 'r' is a value, and not the class Pers"):
            rooms.broadcast("r", Person)
        with pytest.raises(TypeError, match=r"to the room 'r' is text, bytes, or .* cannot: it ho"):
            member.room.broadcast(object())
        with pytest.raises(TypeError, match="a message to a member is a value, and not the class"):
            member.send(Person)
        with pytest.raises(TypeError, match=r"it is rooms.broadcast\(room, message\), in this ord"):
            rooms.broadcast({"text": "hello"}, "r")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"not <Room 'r' .*; its .name is 'r'"):
            rooms.broadcast(member.room, "hello")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"send_to\(member, message\) takes a Member or the id"):
            rooms.send_to(member.connection, "hello")  # type: ignore[arg-type]
        assert rooms.statistics().broadcasts == 0


def test_what_is_wrong_with_a_join_is_told() -> None:
    rooms = Rooms()
    with pytest.raises(TypeError, match=r"not <Fake>; it is rooms.join\(room, ws\), in this order"):
        rooms.join(Fake(), "r")  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"a WebSocket joins a room, and not the class Fake: give t"
    ):
        rooms.join("r", Fake)  # type: ignore[arg-type]
    for call in (rooms.presence, lambda name: rooms.watch(name).__enter__()):
        with pytest.raises(TypeError, match=r"the name of a room is text, not \['r'\]"):
            call(["r"])  # type: ignore[arg-type]
    expect_empty(rooms)


@pytest.mark.parametrize(
    ("hook", "says"),
    [
        ("lobby", r"@rooms.on_join stands above a function\(room, who\), not 'lobby'"),
        (None, "not None"),
        (
            lambda room: None,
            r"calls .*<lambda>\(room, who\) with the name of the room and a Presen",
        ),
        (lambda room, who, *, why: None, "missing a required (keyword-only )?argument: 'why'"),
    ],
)
def test_what_cannot_be_a_hook(hook: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Rooms().on_join(hook)


def test_a_hook_is_a_plain_function() -> None:
    async def later(room: str, who: Presence) -> None:
        pass

    def piecewise(room: str, who: Presence) -> Iterator[None]:
        yield

    for hook in (later, piecewise):
        with pytest.raises(TypeError, match=r"rooms.on_leave calls .* runs none of it"):
            Rooms().on_leave(hook)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("emit", "a Rooms has no 'emit': here it is broadcast"),
        ("leave", r"'leave': here it is member.leave\(\), of the member that"),
        ("members", r"rooms.presence\(room\), of all processes"),
        ("brodcast", r"'brodcast'; did you mean broadcast\?"),
    ],
)
def test_names_of_other_frameworks_are_told_the_way(name: str, says: str) -> None:
    with pytest.raises(AttributeError, match=says):
        getattr(Rooms(), name)


def test_every_way_that_is_told_leads_somewhere() -> None:
    for there, here in OF_ROOMS.items():
        assert not hasattr(Rooms(), there)
        if here.isidentifier():
            assert hasattr(Rooms, here)
