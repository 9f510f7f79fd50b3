"""Rooms whose members die, whose hooks fail, and whose broker is slow or broken."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from greenlet import GreenletExit

from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.hub import current_hub
from photon.runtime.sync import Event
from photon.ws import hooks
from photon.ws.brokers.local import LocalBroker
from photon.ws.errors import WebSocketClosed
from photon.ws.presence import Presence
from photon.ws.rooms import Rooms
from photon.ws.websocket import WebSocket
from tests.clients import wait_until
from tests.ws.client import Speaker
from tests.ws.members import Fake
from tests.ws.serving import Seen, serving


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    wait_until(lambda: current_hub().carriers.busy == 0)


def expect_empty(rooms: Rooms) -> None:
    house = rooms._house
    wait_until(lambda: not house.outboxes)
    assert (len(house.rooms), len(house.members)) == (0, 0)


# Members who die...


@pytest.mark.parametrize("error", [WebSocketClosed(1006), OSError("gone"), LookupError("a bug")])
def test_one_that_dies_in_the_middle_of_a_broadcast_is_nobody_elses_trouble(
    error: Exception,
) -> None:
    class Dying(Fake):
        def send_frame_nowait(self, frame: bytes) -> bool:
            raise error

    rooms = Rooms()
    left: list[str] = []
    rooms.on_leave(lambda room, who: left.append(who.id))
    rooms.on_join(lambda room, who: None)
    fakes = [Fake(), Dying(), Fake()]
    members = [rooms.join("a", fake) for fake in fakes]
    other = rooms.join("b", fakes[1])
    while rooms._house.hooks._is_at_work:
        checkpoint()
    assert rooms.broadcast("a", "x") == 3
    assert [fake.messages for fake in fakes] == [["x"], [], ["x"]]
    assert [member.is_in for member in members] == [True, False, True]
    assert not other.is_in
    assert "b" not in rooms
    wait_until(lambda: sorted(left) == sorted([members[1].id, other.id]))
    for member in members:
        member.leave()
    expect_empty(rooms)


def test_all_may_die_at_once_while_a_broadcast_waits_for_them() -> None:
    rooms = Rooms(queue=1, policy="block", patience_s=60)
    fakes = [Fake(is_slow=True) for _ in range(20)]
    for fake in fakes:
        rooms.join("a", fake)
    handles = [spawn(rooms.broadcast, "a", str(number)) for number in range(5)]
    for _ in range(5):
        checkpoint()
    for fake in fakes:
        fake.is_gone = True
    for handle in handles:
        handle.join()
        assert handle.state == "done"
    expect_empty(rooms)


def test_a_websocket_that_is_over_joins_no_room() -> None:
    seen = Seen()
    rooms = Rooms()

    def handler(ws: WebSocket) -> None:
        assert list(ws) == []
        try:
            rooms.join("a", ws)
        except WebSocketClosed as error:
            seen.notes.append(error.code)

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.finish(4001)
        wait_until(lambda: seen.notes == [4001])
    expect_empty(rooms)


def test_one_that_goes_on_though_its_client_left_may_join() -> None:
    seen = Seen()
    rooms = Rooms()

    def handler(ws: WebSocket) -> None:
        assert list(ws) == []
        with rooms.join("a", ws):
            seen.notes.append(rooms.broadcast("a", "x"))

    with serving(handler, on_disconnect="ignore") as server, Speaker(server) as speaker:
        speaker.finish()
        wait_until(lambda: seen.notes == [1])
    expect_empty(rooms)


# Hooks...


def test_a_hook_may_have_those_leave_whom_it_is_told_of() -> None:
    rooms = Rooms()
    told: list[str] = []

    @rooms.on_join
    def throw_out(room: str, who: Presence) -> None:
        told.append("+")
        found = rooms.get(room)
        assert found is not None
        for member in found.members:
            member.leave()

    @rooms.on_join
    def too_late(room: str, who: Presence) -> None:
        told.append("still +")
        rooms.broadcast(room, "nobody is here")

    rooms.on_leave(lambda room, who: told.append("-"))
    member = rooms.join("a", Fake())
    wait_until(lambda: told == ["+", "still +", "-"])
    assert not member.update("too late")
    member.leave()
    expect_empty(rooms)


@pytest.mark.parametrize(
    "error", [LookupError, SystemExit, KeyboardInterrupt, GreenletExit, Cancelled("scope")]
)
def test_a_hook_that_raises_whatever_it_is_ends_no_other(error: Any) -> None:
    rooms = Rooms()
    told: list[str] = []

    @rooms.on_join
    def fails(room: str, who: Presence) -> None:
        told.append(room)
        raise error

    members = [rooms.join(str(number), Fake()) for number in range(5)]
    wait_until(lambda: told == list("01234"))
    for member in members:
        member.leave()
    expect_empty(rooms)


def test_a_hook_that_waits_is_named_and_keeps_nobody_from_coming_and_going(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(hooks, "_LONG_S", 0.01)
    rooms = Rooms()
    gate = Event()
    told: list[object] = []

    @rooms.on_join
    def wait_long(room: str, who: Presence) -> None:
        told.append(who.info)
        gate.wait()

    with rooms.join("a", Fake(), "first"):
        wait_until(lambda: told == ["first"])
        with rooms.join("a", Fake(), "second"):
            for number in range(1000):
                with rooms.join("b", Fake(), number):
                    pass
            assert len(rooms._house.hooks._changes) == 1
            wait_until(lambda: "wait_long of rooms has not come back" in caplog.text)
            assert "and 1 changes are told to nobody meanwhile" in caplog.text
            assert "test_rooms_in_trouble.py" in caplog.text
            gate.set()
            wait_until(lambda: told == ["first", "second"])
    count = len(caplog.records)
    assert count < 10  # it is said less and less often
    expect_empty(rooms)


def test_hooks_that_wait_a_little_each_are_not_named(caplog: pytest.LogCaptureFixture) -> None:
    rooms = Rooms()
    told: list[str] = []

    @rooms.on_join
    def wait_shortly(room: str, who: Presence) -> None:
        checkpoint()
        if len(told) == 2:
            look = rooms._house.hooks._next_look
            assert look is not None
            look.cancel()  # its moment has come
            rooms._house.hooks._look()
        told.append(room)

    members = [rooms.join(str(number), Fake()) for number in range(5)]
    wait_until(lambda: len(told) == 5)
    wait_until(lambda: not rooms._house.hooks._is_at_work)
    assert not caplog.records
    for member in members:
        member.leave()


# Brokers...


class Troubled(LocalBroker):
    """A broker that does as the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.error: Exception | None = None
        self.gate: Event | None = None
        self.waited: list[float] = []

    def publish(self, topic: str, payload: bytes, *, wait_s: float = 0.0) -> bool:
        if self.error is not None:
            raise self.error
        if self.gate is not None and wait_s > 0:
            self.waited.append(wait_s)
            return self.gate.wait(wait_s) and super().publish(topic, payload)
        return super().publish(topic, payload)

    def subscribe(self, topic: str, on_message: Any, on_start: Any = None) -> Any:
        if self.error is not None:
            raise self.error
        return super().subscribe(topic, on_message, on_start)


def test_a_broker_that_fails_keeps_no_message_from_those_who_are_here(
    caplog: pytest.LogCaptureFixture,
) -> None:
    broker = Troubled()
    fake = Fake()
    with Rooms(broker) as rooms, rooms.join("a", fake) as member:
        broker.error = OSError("broken")
        assert rooms.broadcast("a", "x") == 1
        assert rooms.statistics().unpublished == 1
        assert member.update("y")
        assert "OSError: broken" in caplog.text
        broker.error = ValueError("too large")
        with pytest.raises(ValueError, match="too large"):
            rooms.broadcast("a", "z")
        assert member.update("z")
        broker.error = None
    assert fake.messages == ["x"]
    expect_empty(rooms)


def test_a_room_that_cannot_be_heard_is_not_begun() -> None:
    broker = Troubled()
    with Rooms(broker) as rooms:
        broker.error = OSError("broken")
        for _ in range(3):
            with pytest.raises(OSError, match="broken"):
                rooms.join("a", Fake())
            with pytest.raises(OSError, match="broken"):
                rooms.presence("a")
            expect_empty(rooms)
        broker.error = None
        with rooms.join("a", Fake()):
            assert len(rooms.presence("a")) == 1
    expect_empty(rooms)


def test_rooms_that_cannot_be_started_leave_nothing() -> None:
    class Counting(Troubled):
        users = 0

        def __enter__(self) -> Counting:
            self.users += 1
            return self

        def __exit__(self, *_: object) -> None:
            self.users -= 1

    broker = Counting()
    rooms = Rooms(broker)
    broker.error = OSError("broken")
    with pytest.raises(OSError, match="broken"):
        rooms.__enter__()
    assert broker.users == 0
    broker.error = None
    with rooms, rooms.join("a", Fake()):
        assert broker.users == 1
    assert broker.users == 0


def test_a_slow_broker_holds_up_who_broadcasts_for_a_while_and_nobody_else() -> None:
    broker = Troubled()
    mine, other = Fake(), Fake()
    with Rooms(broker, patience_s=0.02) as rooms, rooms.join("a", mine), rooms.join("b", other):
        broker.gate = Event()
        handle = spawn(rooms.broadcast, "a", "late")
        checkpoint()
        assert rooms.broadcast("b", "local", local=True) == 1  # nobody else is held up
        with rooms.join("b", Fake()):
            pass
        assert handle.state == "running"
        handle.join()
        assert handle.result == 1
        assert mine.messages == ["late"]
        assert rooms.statistics().unpublished == 1
        assert broker.waited == [0.02]
        broker.gate = None


def test_who_is_cancelled_while_the_broker_is_busy_has_told_nobody() -> None:
    broker = Troubled()
    fake = Fake()
    with Rooms(broker, patience_s=60) as rooms, rooms.join("a", fake):
        broker.gate = Event()
        with move_on_after(0.005) as scope:
            rooms.broadcast("a", "x")
        assert scope.cancelled_caught
        broker.gate = None
    assert fake.messages == []


# Many...


def test_a_thousand_rooms_of_one_member_each() -> None:
    broker = LocalBroker()
    with Rooms(broker) as here, Rooms(broker) as there:
        fakes = [Fake() for _ in range(2000)]
        handles = [
            spawn((here, there)[number % 2].join, str(number // 2), fakes[number], number)
            for number in range(2000)
        ]
        for handle in handles:
            handle.join()
        for number in range(1000):
            assert here.broadcast(str(number), str(number)) == 1
        assert [fake.messages for fake in fakes] == [[str(number // 2)] for number in range(2000)]
        assert [who.info for who in there.presence("7")] == [15, 14]
        for handle in handles:
            handle.result.leave()
        expect_empty(here)
        expect_empty(there)


def test_nothing_grows_with_those_who_came_and_went(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    broker = LocalBroker()
    with Rooms(broker) as here, Rooms(broker) as there:
        here.on_join(lambda room, who: None)
        there.on_leave(lambda room, who: None)

        def come_and_go(count: int) -> int:
            with there.watch("room 0"):
                for number in range(count):
                    with here.join(f"room {number % 7}", Fake(), {"n": number}) as member:
                        member.update(number)
                        here.broadcast(f"room {number % 7}", "x")
                        if not number % 50:
                            checkpoint()
            expect_empty(here)
            expect_empty(there)
            wait_until(lambda: current_hub().carriers.busy == 0)
            gc.collect()
            return len(gc.get_objects())

        come_and_go(500)
        before = come_and_go(500)
        assert come_and_go(5_000) < before + 500
    assert broker.statistics().topics == 0
    assert not caplog.records
