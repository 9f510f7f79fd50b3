"""Rooms in several processes, here several `Rooms` with a broker between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from msgspec import Struct

from photon.runtime.clock import now
from photon.runtime.greenlets import checkpoint
from photon.runtime.hub import current_hub
from photon.ws.brokers.local import LocalBroker
from photon.ws.notices import Asked, Present, Said, decode, encode
from photon.ws.presence import Presence
from photon.ws.rooms import Rooms
from tests.clients import wait_until
from tests.ws.members import Fake


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    wait_until(lambda: current_hub().carriers.busy == 0)


class Tapped(LocalBroker):
    """A broker whose messages are seen, and which can be cut for one of those who use it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, Any]] = []

    def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
        self.seen.append((topic, decode(payload)))
        return super().publish(topic, payload, wait_s=wait_s)

    def kinds(self, topic: str) -> list[str]:
        return [type(notice).__name__ for where, notice in self.seen if where == topic]


class Line(LocalBroker):
    """One process's connection to a broker, which can be lost."""

    def __init__(self, broker: LocalBroker) -> None:
        super().__init__()
        self.broker = broker
        self.is_lost = False
        self.starts: list[Any] = []

    @property
    def is_connected(self) -> bool:
        return not self.is_lost

    def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
        return not self.is_lost and self.broker.publish(topic, payload)

    def subscribe(self, topic: str, on_message: Any, on_start: Any = None) -> Any:
        def hear(payload: bytes) -> None:
            if not self.is_lost:
                on_message(payload)

        if on_start is not None:
            self.starts.append(on_start)
        return self.broker.subscribe(topic, hear, on_start)

    def come_back(self) -> None:
        self.is_lost = False
        for on_start in self.starts:
            on_start()


@pytest.fixture
def broker() -> Tapped:
    return Tapped()


@pytest.fixture
def two(broker: Tapped) -> Iterator[tuple[Rooms, Rooms]]:
    with ExitStack() as stack:
        yield stack.enter_context(Rooms(broker)), stack.enter_context(Rooms(broker))


def ids(people: list[Presence]) -> set[str]:
    return {who.id for who in people}


# Messages...


def test_a_broadcast_reaches_all_processes_once(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    mine, other, third = Fake(), Fake(), Fake()
    with here.join("a", mine), there.join("a", other), there.join("b", third):
        assert here.broadcast("a", "x") == 1
        assert there.broadcast("a", b"y") == 1
        assert here.broadcast("b", "only there") == 0
        assert here.broadcast("a", "here", local=True) == 1
    assert mine.messages == ["x", b"y", "here"]
    assert other.messages == ["x", b"y"]
    assert third.messages == ["only there"]
    assert there.statistics().received == 2


def test_who_is_excluded_is_excluded_everywhere(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    mine, other = Fake(), Fake()
    with here.join("a", mine), there.join("a", other) as member:
        here.broadcast("a", "x", exclude=member.id)
    assert (mine.messages, other.messages) == (["x"], [])


def test_one_can_be_sent_to_in_another_process(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    other, third = Fake(), Fake()
    with there.join("a", other) as member, there.join("a", third):
        assert here.send_to(member.id, {"n": 1})
        assert not here.send_to("0123456789abcdef.1", "nobody")
    assert (other.messages, third.messages) == (['{"n":1}'], [])
    here.send_to(member.id, "it has left")


def test_rooms_of_other_names_hear_nothing(broker: Tapped) -> None:
    with Rooms(broker) as here, Rooms(broker, name="other") as there:
        mine, other = Fake(), Fake()
        with here.join("a", mine), there.join("a", other):
            here.broadcast("a", "x")
            assert len(here.presence("a")) == 1
        assert (mine.messages, other.messages) == (["x"], [])


def test_a_room_is_subscribed_to_while_somebody_is_in_it(
    broker: Tapped, two: tuple[Rooms, Rooms]
) -> None:
    before = broker.statistics().topics
    with two[0].join("a", Fake()), two[1].join("a", Fake()), two[0].join("b", Fake()):
        assert broker.statistics().topics == before + 2
    assert broker.statistics().topics == before


# Presence...


def test_each_knows_who_is_there(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    with here.join("a", Fake(), {"name": "Ada"}) as ada, there.join("a", Fake()) as other:
        expected = {ada.id, other.id}
        wait_until(lambda: ids(ada.room.presence) == ids(other.room.presence) == expected)
        (known,) = [who for who in other.room.presence if not who.is_here]
        assert known == Presence(ada.id, {"name": "Ada"}, False)
        with there.join("a", Fake()) as third:
            assert third.id in ids(ada.room.presence)
        assert ids(ada.room.presence) == expected
    assert here.presence("a") == there.presence("a") == []


def test_who_asks_from_outside_is_told_all(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    with there.join("a", Fake(), 1), there.join("a", Fake(), 2):
        assert [who.info for who in here.presence("a")] == [1, 2]
        assert "a" not in here
    assert here.presence("a") == []


def test_a_watched_room_is_there_without_members(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    with here.watch("a") as room:
        with there.join("a", Fake()) as member:
            assert ids(room.presence) == {member.id}
        assert room.presence == []
        assert "a" in here
    assert "a" not in here


def test_large_rooms_are_told_in_parts(broker: Tapped, two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    members = [there.join("a", Fake(), number) for number in range(450)]
    assert sorted(who.info for who in here.presence("a")) == list(range(450))
    parts = [notice for _, notice in broker.seen if isinstance(notice, Present)]
    assert max(len(part.members) for part in parts) == 200
    for member in members:
        member.leave()


def test_hooks_are_told_of_other_processes_and_not_of_who_was_there(
    two: tuple[Rooms, Rooms],
) -> None:
    here, there = two
    told: list[tuple[str, object, bool]] = []
    here.on_join(lambda room, who: told.append(("+", who.info, who.is_here)))
    here.on_leave(lambda room, who: told.append(("-", who.info, who.is_here)))
    with there.join("a", Fake(), "was there"):
        with here.join("a", Fake(), "me"):
            wait_until(lambda: told == [("+", "me", True)])
            with there.join("a", Fake(), "new"):
                wait_until(lambda: told[1:] == [("+", "new", False)])
            wait_until(lambda: told[2:] == [("-", "new", False)])


def test_an_update_is_told_to_all_processes(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    told: list[tuple[str, object, bool]] = []
    here.on_join(lambda room, who: told.append(("+", who.info, who.is_here)))
    here.on_update(lambda room, who: told.append(("~", who.info, who.is_here)))
    here.on_leave(lambda room, who: told.append(("-", who.info, who.is_here)))
    with here.watch("a") as watched, there.join("a", Fake(), "Ada") as ada:
        wait_until(lambda: told == [("+", "Ada", False)])
        assert ada.update("Countess")
        assert watched.presence == [Presence(ada.id, "Countess", False)]
        wait_until(lambda: told[1:] == [("~", "Countess", False)])
        for number in range(5):
            ada.update(number)
        wait_until(lambda: told[2:] == [("~", 4, False)])
        ada.update("gone")
        ada.leave()
        wait_until(lambda: told[3:] == [("-", "gone", False)])


def test_who_asks_later_is_told_what_was_said_last(two: tuple[Rooms, Rooms]) -> None:
    here, there = two
    with there.join("a", Fake(), 1) as member:
        member.update(2)
        assert [who.info for who in here.presence("a")] == [2]


def test_an_update_that_was_missed_is_made_up_for(broker: Tapped) -> None:
    line = Line(broker)
    told: list[str] = []
    with Rooms(broker) as here, Rooms(line) as there:
        here.on_join(lambda room, who: told.append(f"+{who.info}"))
        here.on_update(lambda room, who: told.append(f"~{who.info}"))
        with here.join("a", Fake()) as mine, there.join("a", Fake(), "before") as other:
            wait_until(lambda: told == ["+None", "+before"])
            line.is_lost = True
            other.update("meanwhile")
            assert [who.info for who in mine.room.presence] == [None, "before"]
            line.come_back()
            assert [who.info for who in mine.room.presence] == [None, "meanwhile"]
            wait_until(lambda: told[2:] == ["~meanwhile"])


class Person(Struct):
    name: str


def test_processes_tell_each_other_values_of_a_type(broker: Tapped) -> None:
    with Rooms(broker, info_type=Person) as here, Rooms(broker, info_type=Person) as there:
        with there.join("a", Fake(), Person("Ada")) as ada:
            assert here.presence("a") == [Presence(ada.id, Person("Ada"), False)]


def test_a_process_with_another_type_is_told_of_by_name(
    broker: Tapped, caplog: pytest.LogCaptureFixture
) -> None:
    with Rooms(broker, info_type=Person) as here, Rooms(broker) as there:
        here.on_join(lambda room, who: None)
        with here.join("a", Fake(), Person("Ada")), there.join("a", Fake(), 7) as other:
            with pytest.raises(ValueError, match=f"the member {other.id} of another process .*def"):
                here.presence("a")
            assert here.broadcast("a", "x") == 1
            wait_until(lambda: "of the room 'a' failed" in caplog.text)


# Those who come and go...


def test_a_process_that_stops_takes_its_members_along(broker: Tapped) -> None:
    with Rooms(broker) as here, here.join("a", Fake()) as mine:
        with Rooms(broker) as there:
            member = there.join("a", Fake())
            assert len(here.presence("a")) == 2
            assert here.statistics().neighbours == 1
        assert ids(mine.room.presence) == {mine.id}
        assert here.statistics().neighbours == 0
        member.leave()


def test_a_process_that_is_not_heard_any_more_is_gone_and_may_come_back(broker: Tapped) -> None:
    line = Line(broker)
    told: list[str] = []
    with Rooms(broker) as here, Rooms(line) as there:
        here.on_join(lambda room, who: told.append(f"+{who.info}"))
        here.on_leave(lambda room, who: told.append(f"-{who.info}"))
        with here.join("a", Fake(), "me") as mine, there.join("a", Fake(), "other"):
            wait_until(lambda: told == ["+me", "+other"])
            line.is_lost = True
            neighbours = here._house.neighbours
            assert neighbours is not None
            neighbours._expire(now() + 14)
            assert len(mine.room.presence) == 2
            neighbours._expire(now() + 16)
            assert len(mine.room.presence) == 1
            wait_until(lambda: told[2:] == ["-other"])
            with there.join("a", Fake(), "later"):
                line.is_lost = False
                there._house.neighbours.run()  # type: ignore[union-attr]  # its beat: it is there again
                assert len(mine.room.presence) == 3
                wait_until(lambda: sorted(told[3:]) == ["+later", "+other"])


def test_what_was_missed_while_the_broker_was_away_is_made_up_for(broker: Tapped) -> None:
    line = Line(broker)
    with Rooms(broker) as here, Rooms(line) as there:
        mine, other = Fake(), Fake()
        first, second = here.join("a", Fake()), there.join("a", Fake())
        with here.join("a", mine) as mine_there, there.join("a", other) as other_there:
            line.is_lost = True
            first.leave()
            second.leave()
            assert there.broadcast("a", "alone") == 1
            assert there.statistics().unpublished == 1
            assert len(there.presence("a")) == 3
            line.come_back()
            both = {mine_there.id, other_there.id}
            assert ids(mine_there.room.presence) == ids(other_there.room.presence) == both
            there.broadcast("a", "back")
        assert (mine.messages, other.messages) == (["back"], ["alone", "back"])


def test_who_was_given_up_while_the_broker_was_away_has_joined_again(broker: Tapped) -> None:
    line = Line(broker)
    told: list[str] = []
    with Rooms(line) as here, Rooms(broker) as there:
        here.on_join(lambda room, who: told.append(f"+{who.info}"))
        here.on_leave(lambda room, who: told.append(f"-{who.info}"))
        with here.join("a", Fake(), "me"), there.join("a", Fake(), "other"):
            wait_until(lambda: told == ["+me", "+other"])
            line.is_lost = True
            assert here._house.neighbours is not None
            here._house.neighbours._expire(now() + 16)
            wait_until(lambda: told[2:] == ["-other"])
            line.come_back()
            wait_until(lambda: told[3:] == ["+other"])


def test_who_was_not_told_of_a_change_is_told_all_with_the_next_beat(broker: Tapped) -> None:
    line = Line(broker)
    with Rooms(broker) as here, Rooms(line) as there:
        with here.join("a", Fake()) as mine, there.join("a", Fake()) as other:
            line.is_lost = True
            with there.join("a", Fake()):
                line.is_lost = False
                assert len(mine.room.presence) == 2
                there._house.neighbours.run()  # type: ignore[union-attr]
                assert len(mine.room.presence) == 3
            assert ids(mine.room.presence) == {mine.id, other.id}


def test_who_was_held_up_himself_lets_nobody_expire(broker: Tapped) -> None:
    with Rooms(broker, beat_s=1, expire_s=3) as here, Rooms(broker):
        neighbours = here._house.neighbours
        assert neighbours is not None
        wait_until(lambda: len(neighbours) == 1)
        for origin in neighbours._heard:
            neighbours._heard[origin] -= 100
        neighbours._last_beat -= 50
        neighbours.run()
        assert len(neighbours) == 1
        neighbours.run()
        assert len(neighbours) == 0


def test_beats_go_on_by_themselves_and_end(broker: Tapped) -> None:
    deadlines = len(current_hub().deadlines)
    with Rooms(broker, beat_s=0.002, expire_s=10):
        wait_until(lambda: broker.kinds("rooms/all").count("Alive") > 4)
    assert broker.kinds("rooms/all")[-1] == "Gone"
    assert len(current_hub().deadlines) == deadlines
    assert broker.statistics().topics == 0


# Those who send nonsense...


def test_nonsense_is_counted_and_logged_once(
    broker: Tapped, two: tuple[Rooms, Rooms], caplog: pytest.LogCaptureFixture
) -> None:
    fake = Fake()
    with two[0].join("a", fake):
        for payload in (b"", b"nonsense", b"\xc1" * 1000):
            broker.publish("rooms/room/a", payload)
            broker.publish("rooms/all", payload)
        broker.publish("rooms/room/a", encode(Asked("x", ["a"], "")))
        broker.publish("rooms/all", encode(Said("x", b"\x81\x00", [])))
        two[1].broadcast("a", "x")
    assert fake.messages == ["x"]
    assert len([r for r in caplog.records if "carries what is not of rooms" in r.message]) == 2


def test_a_broker_that_fails_keeps_nobody_from_leaving(
    broker: Tapped, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Line):
        def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
            raise OSError("no")

    with Rooms(Failing(broker)) as rooms:
        with rooms.join("a", Fake()):
            checkpoint()
        assert len(rooms) == 0
    assert "failed to publish" in caplog.text


# Mistakes...


def test_rooms_with_a_broker_have_to_be_started(broker: Tapped) -> None:
    rooms = Rooms(broker)
    calls: list[Any] = [
        lambda: rooms.join("a", Fake()),
        lambda: rooms.broadcast("a", "x"),
        lambda: rooms.presence("a"),
        lambda: rooms.send_to("x.1", "x"),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match=r"was not started: app.lifespan\(lambda: rooms\)"):
            call()
    assert len(rooms) == 0
    with rooms, pytest.raises(RuntimeError, match="was started already"):
        rooms.__enter__()


def test_they_may_be_started_again(broker: Tapped) -> None:
    rooms = Rooms(broker)
    origins = set()
    for _ in range(2):
        with rooms, rooms.join("a", Fake()):
            origins.add(rooms._house.origin)
    assert len(origins) == 2


def test_they_show_their_broker(two: tuple[Rooms, Rooms]) -> None:
    assert "over <LocalBroker topics=" in repr(two[0])
    wait_until(lambda: two[0].statistics().neighbours == 1)
    assert repr(two[0]._house.neighbours).startswith(
        "<Neighbours 1 other processes over <LocalBroker"
    )
