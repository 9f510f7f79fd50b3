"""A function is cancelled everywhere, and must be well each time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from photon import Photon
from photon.runtime.cancel import fail_after, move_on_after, shield
from photon.runtime.channel import open_channel
from photon.runtime.concurrent import map_concurrent
from photon.runtime.errors import Cancelled, WaitTimedOut
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.nursery import nursery
from photon.runtime.offload import offload
from photon.runtime.race import first_ok, race
from photon.runtime.relay import Relay
from photon.runtime.retry import retry
from photon.runtime.select import select
from photon.runtime.sync import CapacityLimiter, Event, Lock, Semaphore
from photon.testing.cancelling import cancel_everywhere
from photon.testing.client import TestClient
from photon.testing.clock import Clock
from photon.testing.scheduling import shuffled


class Bench:
    """What the runs of one test share, made anew for each of them."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self.thing: Any = None

    def reset(self) -> None:
        self.thing = self._make()


# What it does...


def test_it_cancels_at_each_wait_in_turn() -> None:
    reached: list[list[int]] = []

    def work() -> None:
        reached.append(steps := [])
        for number in range(3):
            steps.append(number)
            checkpoint()
        steps.append(3)

    places = cancel_everywhere(work)
    assert reached == [[0, 1, 2, 3], [0], [0, 1], [0, 1, 2]]
    assert len(places) == 3
    assert len(set(places)) == 1
    assert places[0].startswith("tests/testing/test_cancelling.py:")
    assert places[0].endswith(" in work")


def test_it_cancels_while_others_go_on() -> None:
    def child() -> None:
        checkpoint()
        checkpoint()

    def work() -> None:
        with nursery() as n:
            n.spawn(child)

    places = cancel_everywhere(work)
    # The block waits; the child does, twice; it is over.
    assert [", while " in place for place in places] == [False, True, True, False]
    assert places[1].endswith(" in child")


def test_a_function_that_never_waits_is_run_once() -> None:
    calls: list[int] = []
    assert cancel_everywhere(calls.append, 1) == []
    assert calls == [1]


def test_what_comes_before_and_after() -> None:
    story: list[str] = []

    def work(name: str) -> None:
        story.append(name)
        checkpoint()

    cancel_everywhere(
        work,
        "work",
        before=lambda: story.append("before"),
        check=lambda: story.append("check"),
    )
    assert story == ["before", "work", "check"] * 2


def test_a_cancel_is_told_as_any_other() -> None:
    told: list[Cancelled] = []

    def work() -> None:
        try:
            checkpoint()
        except Cancelled as error:
            told.append(error)
            raise

    cancel_everywhere(work)
    assert [str(error) for error in told] == ["cancelled by scope: by cancel_everywhere"]
    assert told[0].scope is None


def test_cleanup_may_wait_and_shields_hold() -> None:
    ended: list[str] = []

    def work() -> None:
        try:
            sleep(0.001)
            with shield(1):
                sleep(0.001)
                ended.append("shielded")
        finally:
            checkpoint()
            ended.append("clean")

    assert len(cancel_everywhere(work)) == 3
    assert ended == ["shielded", "clean", "clean", "shielded", "clean", "shielded"]


def test_the_same_places_each_time() -> None:
    def child() -> None:
        with lock:
            checkpoint()

    def work() -> None:
        with nursery() as n:
            for _ in range(3):
                n.spawn(child)

    lock = Lock()
    assert cancel_everywhere(work) == cancel_everywhere(work)
    with shuffled(4):
        first = cancel_everywhere(work)
        assert cancel_everywhere(work) == first


@pytest.mark.photon_seed(False)
def test_nothing_of_it_is_left_in_the_hub() -> None:
    hub = current_hub()
    cancel_everywhere(checkpoint)
    assert "run_soon" not in vars(hub)
    with shuffled(1):
        taken = hub.run_soon
        cancel_everywhere(checkpoint)
        assert hub.run_soon == taken


# What it finds...


class LeakyPool:
    """Permits, as a beginner hands them on: one is lost if who was handed it is cancelled."""

    def __init__(self) -> None:
        self.free = 1
        self.waiters: list[Any] = []
        self.handed: set[Any] = set()

    def acquire(self) -> None:
        if self.free:
            self.free -= 1
            return
        me = getcurrent()
        self.waiters.append(me)
        try:
            while me not in self.handed:
                current_hub().park()
        finally:
            if me in self.waiters:
                self.waiters.remove(me)
            self.handed.discard(me)

    def release(self) -> None:
        if self.waiters:
            waiter = self.waiters.pop(0)
            self.handed.add(waiter)
            current_hub().run_soon(self._wake, waiter)
        else:
            self.free += 1

    def _wake(self, waiter: Any) -> None:
        if waiter in self.handed:
            waiter.switch()

    def must_be_whole(self) -> None:
        assert self.free == 1, f"{self.free} permits of 1 are free"


def test_a_permit_that_gets_lost_is_found() -> None:
    bench = Bench(LeakyPool)

    def hold() -> None:
        bench.thing.acquire()
        try:
            checkpoint()
        finally:
            bench.thing.release()

    def work() -> None:
        with nursery() as n:
            n.spawn(hold)
            checkpoint()
            hold()

    with pytest.raises(AssertionError) as caught:
        cancel_everywhere(work, before=bench.reset, check=lambda: bench.thing.must_be_whole())
    told = str(caught.value)
    assert ".work, cancelled at tests/testing/test_cancelling.py:" in told
    assert " in acquire (moment " in told
    assert " fails its check: 0 permits of 1 are free" in told
    assert isinstance(caught.value.__cause__, AssertionError)


def test_one_of_our_own_would_be_found_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    # It does not hand on what was handed to who is cancelled at that moment.
    monkeypatch.setattr(Semaphore, "_take_back", lambda self, place: True)
    bench = Bench(lambda: Semaphore(1))

    def hold() -> None:
        with bench.thing:
            checkpoint()

    def check() -> None:
        assert bench.thing.value == 1

    with pytest.raises(AssertionError, match=r"in hold.* \(moment \d+\), fails its check: "):
        cancel_everywhere(both(hold), before=bench.reset, check=check)


def test_a_permit_that_is_not_given_back_is_found() -> None:
    bench = Bench(lambda: Semaphore(1))

    def work() -> None:
        bench.thing.acquire()
        sleep(0.001)
        bench.thing.release()

    def check() -> None:
        assert bench.thing.value == 1

    with pytest.raises(AssertionError, match=r"work, cancelled at .* \(moment 1\), fails its che"):
        cancel_everywhere(work, before=bench.reset, check=check)


def test_another_error_in_its_place_is_found() -> None:
    def work() -> None:
        opened = None
        try:
            checkpoint()
            opened = open_channel[int](1)
        finally:
            opened[0].close()  # type: ignore[index]

    with pytest.raises(AssertionError, match=r"ended with TypeError: 'NoneType' object") as caught:
        cancel_everywhere(work)
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_greenlet_that_goes_on_is_found() -> None:
    handles = []

    def work() -> None:
        handle = spawn(sleep_forever)
        handles.append(handle)
        sleep(0.001)
        handle.cancel()
        handle.join()

    with pytest.raises(AssertionError, match=r"1\), left 1 behind:\n  greenlet: sleep_forever wai"):
        cancel_everywhere(work)
    handles[-1].cancel()


def test_a_leak_of_the_undisturbed_run_is_told_first() -> None:
    handles = []
    with pytest.raises(AssertionError, match="work, which nobody cancelled, left 1 behind"):

        def work() -> None:
            handles.append(spawn(sleep_forever))

        cancel_everywhere(work)
    handles[0].cancel()


def swallow() -> str:
    with suppress(BaseException):
        sleep(0.001)
    return "swallowed"


def swallow_and_go_on() -> None:
    with suppress(BaseException):
        sleep(0.001)
        return
    sleep(3600)


def test_a_function_that_does_not_end_is_found() -> None:
    with pytest.raises(AssertionError, match=r"does not end within 0.05 s: it waits at .* in swa"):
        cancel_everywhere(swallow_and_go_on, patience_s=0.05)
    checkpoint()
    with Clock(), pytest.raises(AssertionError, match=r"does not end within 5 s: it waits at"):
        cancel_everywhere(swallow_and_go_on)


def test_one_that_waits_for_ever_undisturbed_is_told() -> None:
    expected = "sleep_forever, which nobody cancelled, does not end within 0.05 s: it waits at"
    with pytest.raises(AssertionError, match=expected):
        cancel_everywhere(sleep_forever, patience_s=0.05)
    with Clock(), pytest.raises(AssertionError, match=expected):
        cancel_everywhere(sleep_forever, patience_s=0.05)


def test_one_that_waits_too_often_is_told() -> None:
    def work() -> None:
        while True:
            checkpoint()

    with pytest.raises(AssertionError, match="waits more often than 50 times, which is the limit"):
        cancel_everywhere(work, limit=50)
    with Clock(), pytest.raises(AssertionError, match="waits more often than 50 times"):
        cancel_everywhere(work, limit=50)


def test_who_swallows_a_cancel_is_told_on_demand() -> None:
    cancel_everywhere(swallow)
    with pytest.raises(AssertionError, match="swallowed that: it returned 'swallowed'"):
        cancel_everywhere(swallow, strict=True)


def test_an_error_that_needs_no_cancel_is_raised_as_it_is() -> None:
    def work() -> None:
        checkpoint()
        raise LookupError("nothing there")

    with pytest.raises(LookupError, match="nothing there"):
        cancel_everywhere(work)


def test_a_check_that_fails_anyway_says_so() -> None:
    def check() -> None:
        raise ValueError

    with pytest.raises(AssertionError, match=r"which nobody cancelled, fails its check: ValueErr"):
        cancel_everywhere(checkpoint, check=check)


# Time...


def test_with_a_clock_sleeping_takes_no_time() -> None:
    ended: list[str] = []

    def work() -> None:
        sleep(3600)
        with move_on_after(60):
            sleep(86400)
        try:
            with fail_after(60):
                sleep(86400)
        except TimeoutError:
            ended.append("timeout")
        with nursery() as n:
            n.spawn(sleep, 50)
            n.spawn(sleep, 100)

    with Clock():
        places = cancel_everywhere(work)
    assert len({place.partition(",")[0] for place in places}) == 4
    assert ended


def test_with_a_clock_threads_are_waited_for() -> None:
    with Clock():
        assert len(cancel_everywhere(offload, int, "1")) >= 1


# Our own things, in which it finds nothing...


@pytest.fixture(params=[None, 1, 2, 3], ids=lambda seed: "as ever" if seed is None else f"{seed}")
def order(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.param is None:
        yield
        return
    with shuffled(request.param):
        yield


def both(hold: Callable[[], object]) -> Callable[[], None]:
    """Three that compete: who is cancelled, and two children."""

    def work() -> None:
        with nursery() as n:
            n.spawn(hold)
            n.spawn(hold)
            checkpoint()
            hold()

    return work


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("make", [Lock, lambda: Semaphore(1), lambda: CapacityLimiter(1)])
def test_locks_and_permits(make: Callable[[], Any]) -> None:
    bench = Bench(make)

    def hold() -> None:
        with bench.thing:
            checkpoint()

    def hold_soon() -> None:
        with suppress(WaitTimedOut):
            bench.thing.acquire(timeout=0.0005)
            try:
                sleep(0.001)
            finally:
                bench.thing.release()

    def check() -> None:
        statistics = bench.thing.statistics()
        held = statistics.get("held", statistics.get("borrowed", 0))
        assert (held, statistics["waiting"]) == (0, 0)
        assert statistics.get("value", 1) == 1
        bench.thing.acquire_nowait()

    assert len(cancel_everywhere(both(hold), before=bench.reset, check=check)) > 5
    with Clock():
        cancel_everywhere(both(hold_soon), before=bench.reset, check=check)


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("capacity", [0, 1, 10])
def test_channels_lose_nothing_and_give_nothing_twice(capacity: int) -> None:
    sent: list[int] = []
    got: list[int] = []

    def consume(receiver: Any) -> None:
        for number in receiver:
            got.append(number)
            checkpoint()

    def produce(sender: Any) -> None:
        with sender:
            for number in range(4):
                sender.send(number)
                sent.append(number)

    def cancel_sender() -> None:
        sender, receiver = open_channel[int](capacity)
        with nursery() as n:
            n.spawn(consume, receiver)
            produce(sender)

    def cancel_receiver() -> None:
        sender, receiver = open_channel[int](capacity)
        with nursery() as n:
            n.spawn(produce, sender)
            consume(receiver)

    def reset() -> None:
        sent.clear()
        got.clear()

    def check() -> None:
        assert got == list(range(len(got)))
        assert sent == list(range(len(sent)))
        assert len(got) <= len(sent) <= len(got) + capacity + 1

    assert len(cancel_everywhere(cancel_sender, before=reset, check=check)) > 3
    assert len(cancel_everywhere(cancel_receiver, before=reset, check=check)) > 3


@pytest.mark.usefixtures("order")
def test_select_takes_one_thing_or_none() -> None:
    def work() -> None:
        first, from_first = open_channel[int](0)
        second, from_second = open_channel[int](0)
        event = Event()

        def feed() -> None:
            first.send(1)
            second.send(2)
            event.set()

        with nursery() as n:
            n.spawn(feed)
            while select(from_first, from_second, event)[0] is not event:
                checkpoint()

    assert len(cancel_everywhere(work)) > 3


@pytest.mark.usefixtures("order")
def test_an_event_and_deadlines() -> None:
    def work() -> None:
        event = Event()
        with nursery() as n:
            n.spawn(event.wait)
            with move_on_after(10):
                event.wait(0.0005)
            with fail_after(10):
                n.spawn(event.set)
                event.wait()

    assert len(cancel_everywhere(work)) > 3


def fail() -> None:
    checkpoint()
    raise LookupError


@pytest.mark.usefixtures("order")
def test_nurseries_within_nurseries() -> None:
    cleaned: list[int] = []
    begun: list[int] = []

    def child(depth: int) -> None:
        begun.append(depth)
        try:
            checkpoint()
            if depth:
                with nursery() as n:
                    n.spawn(child, depth - 1)
                    n.spawn(child, depth - 1)
                    checkpoint()
        finally:
            cleaned.append(depth)

    def work() -> None:
        child(2)

    def failing() -> None:
        try:
            with nursery() as n:
                n.spawn(child, 1)
                n.spawn(fail)
                sleep_forever()
        except* LookupError:
            pass

    def reset() -> None:
        begun.clear()
        cleaned.clear()

    def check() -> None:
        assert sorted(begun) == sorted(cleaned)

    assert len(cancel_everywhere(work, before=reset, check=check)) > 10
    assert len(cancel_everywhere(failing, before=reset, check=check)) > 3


@pytest.mark.usefixtures("order")
def test_race_and_first_ok() -> None:
    def quick() -> int:
        checkpoint()
        return 1

    def slow() -> int:
        sleep(10)
        return 2

    def refused() -> int:
        fail()
        return 3

    assert len(cancel_everywhere(lambda: race(slow, quick))) >= 3
    assert len(cancel_everywhere(lambda: first_ok(refused, quick))) >= 3
    with Clock():
        assert len(cancel_everywhere(lambda: first_ok(slow, slow, delay=1))) >= 3


@pytest.mark.usefixtures("order")
def test_map_concurrent() -> None:
    alive: set[int] = set()

    def double(number: int) -> int:
        alive.add(number)
        try:
            for _ in range(number % 3):
                checkpoint()
            return number * 2
        finally:
            alive.discard(number)

    def work() -> None:
        with map_concurrent(double, range(6), limit=2) as results:
            assert list(results) == [0, 2, 4, 6, 8, 10]

    def leave() -> None:
        with map_concurrent(double, range(6), limit=2) as results:
            next(results)
            checkpoint()

    def check() -> None:
        assert not alive

    assert len(cancel_everywhere(work, check=check)) > 5
    assert len(cancel_everywhere(leave, check=check)) > 3


@pytest.mark.usefixtures("order")
def test_retry() -> None:
    calls: list[int] = []

    @retry(attempts=3, on=LookupError)
    def load() -> int:
        calls.append(1)
        checkpoint()
        if len(calls) < 3:
            raise LookupError
        return 1

    with Clock():
        assert len(cancel_everywhere(load, before=calls.clear)) >= 5


@pytest.mark.usefixtures("order")
def test_relays_close_what_they_go_through() -> None:
    closed: list[bool] = []

    def items() -> Iterator[int]:
        closed.append(False)
        try:
            for number in range(3):
                checkpoint()
                yield number
        finally:
            closed[-1] = True

    def work() -> None:
        relay = Relay(items())
        try:
            while not relay.wait(0.0001):
                pass
            assert list(relay) == [0, 1, 2]
        finally:
            relay.close()

    def check() -> None:
        assert all(closed)

    with Clock():
        assert len(cancel_everywhere(work, check=check)) > 5


@pytest.mark.usefixtures("order")
def test_requests_in_memory() -> None:
    app = Photon()
    lock = Lock()

    @app.post("/")
    def index() -> str:
        with lock:
            sleep(0.001)
            with nursery() as n:
                n.spawn(checkpoint)
        return "hello"

    def work(client: TestClient) -> None:
        assert client.post("/", content=b"x" * 1000).text == "hello"

    def check() -> None:
        assert not lock.is_held

    with TestClient(app) as client:
        assert len(cancel_everywhere(work, client, check=check)) > 3
        with Clock():
            assert len(cancel_everywhere(work, client, check=check)) > 3


def test_sockets_and_threads() -> None:
    def work() -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs, nursery() as n:
            n.spawn(lambda: theirs.sendall(theirs.recv(10)))
            ours.sendall(b"hello")
            assert ours.recv(10) == b"hello"
            assert offload(int, "1") == 1

    assert len(cancel_everywhere(work)) >= 3
