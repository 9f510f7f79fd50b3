"""What every broker promises, with the real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from photon.runtime.greenlets import sleep
from photon.runtime.hub import current_hub
from photon.ws.brokers.base import Broker
from photon.ws.brokers.local import LocalBroker
from photon.ws.brokers.postgres import PostgresBroker
from photon.ws.brokers.redis import RedisBroker
from photon.ws.presence import Presence
from photon.ws.rooms import Rooms
from tests.clients import wait_until
from tests.ws.members import Fake

Connect = Callable[[], Broker]


@pytest.fixture(params=["local", "redis", "postgres"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Makes connections to the same broker."""
    if request.param == "redis":
        url, prefix = request.getfixturevalue("redis_url"), request.getfixturevalue("redis_prefix")
        return lambda: RedisBroker(url, prefix=prefix)
    if request.param == "postgres":
        postgres_url = request.getfixturevalue("postgres_url")
        return lambda: PostgresBroker(postgres_url)
    local = LocalBroker()
    return lambda: local


@pytest.fixture
def two(connect: Connect) -> Iterator[tuple[Broker, Broker]]:
    with ExitStack() as stack:
        yield stack.enter_context(connect()), stack.enter_context(connect())
    wait_until(lambda: current_hub().carriers.busy == 0)


class Ear:
    """Listens to a topic."""

    def __init__(self, broker: Broker, topic: str) -> None:
        self.heard: list[bytes] = []
        self.starts = 0
        self.subscription = broker.subscribe(topic, self.heard.append, self._start)
        wait_until(lambda: self.starts)

    def wait_heard(self, count: int) -> None:
        wait_until(lambda: len(self.heard) >= count)

    def _start(self) -> None:
        self.starts += 1


def test_both_hear_what_either_says(two: tuple[Broker, Broker]) -> None:
    ears = [Ear(broker, "a") for broker in two]
    other = Ear(two[0], "b")
    for broker in two:
        assert broker.publish("a", b"x")
    for ear in ears:
        ear.wait_heard(2)
        assert ear.heard == [b"x", b"x"]
    assert other.heard == []


def test_messages_arrive_as_they_are_in_order_and_once(two: tuple[Broker, Broker]) -> None:
    ear = Ear(two[1], "a")
    messages = [b"", b"\0\xff", b"same", b"same", b"x" * 5_900, b"y" * 8_000, b"\n" * 1_000_000]
    messages += [b"%d" % number for number in range(300)]
    for message in messages:
        assert two[0].publish("a", message)
    wait_until(lambda: len(ear.heard) >= len(messages))
    assert ear.heard == messages


TOPICS = ["", "a/b:c", "x" * 2000, "Ünïcode ☃", "'; DROP TABLE users; --", 'a"b', "*", "a b\nc"]


def test_any_name_of_a_topic_will_do(two: tuple[Broker, Broker]) -> None:
    ears = [Ear(two[1], topic) for topic in TOPICS]
    for number, topic in enumerate(TOPICS):
        two[0].publish(topic, b"%d" % number)
    for number, ear in enumerate(ears):
        ear.wait_heard(1)
        assert ear.heard == [b"%d" % number]


def test_who_has_left_hears_nothing_and_may_come_again(two: tuple[Broker, Broker]) -> None:
    ear, control = Ear(two[1], "a"), Ear(two[1], "control")
    ear.subscription.close()
    two[0].publish("a", b"1")
    two[0].publish("control", b"1")
    wait_until(lambda: control.heard)
    again = Ear(two[1], "a")
    two[0].publish("a", b"2")
    wait_until(lambda: again.heard)
    assert (ear.heard, again.heard) == ([], [b"2"])


def test_others_go_on_while_it_waits(two: tuple[Broker, Broker]) -> None:
    ear = Ear(two[1], "a")
    ticks = 0
    for number in range(20):
        two[0].publish("a", b"%d" % number)
        sleep(0.001)
        ticks += 1
    wait_until(lambda: len(ear.heard) == 20)
    assert ticks == 20


def test_many_topics(two: tuple[Broker, Broker]) -> None:
    heard: list[bytes] = []
    started: list[int] = []
    subscriptions = [
        two[1].subscribe(f"room {number}", heard.append, lambda: started.append(1))
        for number in range(1200)
    ]
    wait_until(lambda: len(started) == 1200)
    two[0].publish("room 0", b"first")
    two[0].publish("room 1199", b"last")
    wait_until(lambda: heard == [b"first", b"last"])
    for subscription in subscriptions:
        subscription.close()


# Rooms over it...


def test_rooms_span_what_is_connected_by_it(connect: Connect) -> None:
    with Rooms(connect()) as here, Rooms(connect()) as there:
        mine, other = Fake(), Fake()
        with here.join("a", mine, {"name": "Ada"}) as ada:
            with there.join("a", other, {"name": "Bob"}) as bob:
                here.broadcast("a", {"n": 1})
                wait_until(lambda: other.values == [{"n": 1}])
                there.broadcast("a", "to all but Ada", exclude=ada.id)
                assert there.send_to(ada.id, "to Ada")
                wait_until(lambda: mine.messages[1:] == ["to Ada"])
                expected = [
                    Presence(bob.id, {"name": "Bob"}, True),
                    Presence(ada.id, {"name": "Ada"}, False),
                ]
                wait_until(lambda: there.presence("a") == expected)
                assert len(here.presence("a")) == 2
                ada.update({"name": "Countess"})
                bob.update({"name": "Robert"})
                wait_until(lambda: there.presence("a")[1].info == {"name": "Countess"})
                wait_until(lambda: here.presence("a")[1].info == {"name": "Robert"})
            wait_until(lambda: len(here.presence("a")) == 1)
            assert [who.info for who in there.presence("a")] == [{"name": "Countess"}]
        assert mine.messages == ['{"n":1}', "to Ada"]
        assert other.messages == ['{"n":1}', "to all but Ada"]
        assert here.statistics().members == there.statistics().members == 0
