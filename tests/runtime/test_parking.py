"""Nothing gets lost between those who wait, however many are cancelled at whatever moment.

In each round some greenlets are woken and some cancelled in the same breath, and a cancel that was
asked for first arrives between the moment in which something is handed over and the one in which
it would be taken: the tests count that this happened.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest

from photon.runtime.cancel import CancelScope
from photon.runtime.channel import Receiver, Sender, open_channel
from photon.runtime.errors import WouldBlock
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub
from photon.runtime.parking import Place, Wait
from photon.runtime.permits import CapacityLimiter, Semaphore
from photon.runtime.select import select
from photon.runtime.sync import Event, Lock
from tests.clients import wait_until

ROUNDS = 3000
SEED = 20260

Close = Counter[str]


@pytest.fixture
def close_calls(monkeypatch: pytest.MonkeyPatch) -> Close:
    """How often who was handed something was interrupted before it ran, by what handed it."""
    calls: Close = Counter()

    def watch(owner: type[Any]) -> None:
        take_back = owner._take_back

        def counting(self: Any, place: Place) -> bool:
            calls[owner.__name__] += 1
            return bool(take_back(self, place))

        monkeypatch.setattr(owner, "_take_back", counting)

    for owner in (Lock, Semaphore, CapacityLimiter, Event, Sender, Receiver):
        watch(owner)
    return calls


class Crowd:
    """Greenlets that can be cancelled at random, by their scope or as a whole."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._running: list[tuple[Handle[None], CancelScope]] = []
        self.cancels = 0

    def add(self, fn: Callable[[], None]) -> None:
        scope = CancelScope()

        def guarded() -> None:
            with scope:
                fn()
                # A cancel that came too late for the last wait is not lost on its way, either.
                if self._chance.random() < 0.3:
                    checkpoint()

        self._running.append((spawn(guarded), scope))

    def cancel_some(self, share: float) -> None:
        self._running = [pair for pair in self._running if not pair[0].is_over]
        for handle, scope in self._running:
            if self._chance.random() < share:
                self.cancels += 1
                if self._chance.random() < 0.5:
                    scope.cancel()
                else:
                    handle.cancel()

    def finish(self) -> None:
        while self._running:
            self.cancel_some(0.5)
            checkpoint()

    def __len__(self) -> int:
        return len(self._running)


@contextmanager
def crowd() -> Iterator[Crowd]:
    it = Crowd(Random(SEED))
    yield it
    it.finish()
    wait_until(lambda: current_hub().carriers.busy == 0)
    assert it.cancels > 10_000


@pytest.mark.parametrize(
    ("make", "most"),
    [(Lock, 1), (lambda: Semaphore(3, max_value=3), 3), (lambda: CapacityLimiter(3), 3)],
    ids=["Lock", "Semaphore", "CapacityLimiter"],
)
def test_no_permit_is_lost_or_doubled(
    make: Callable[[], Lock | Semaphore | CapacityLimiter], most: int, close_calls: Close
) -> None:
    permits = make()
    chance = Random(SEED)
    inside = done = 0

    def work() -> None:
        nonlocal inside, done
        with permits:
            inside += 1
            assert inside <= most
            try:
                if chance.random() < 0.7:
                    checkpoint()
            finally:
                inside -= 1
        done += 1

    with crowd() as all_:
        for _ in range(ROUNDS):
            for _ in range(8 if len(all_) < 40 else 2):
                all_.add(work)
            all_.cancel_some(0.2)
            checkpoint()
    assert inside == 0
    assert done > ROUNDS
    assert close_calls[type(permits).__name__] > 500
    for _ in range(most):  # all are free, and no more
        spawn(permits.acquire_nowait).join()
    handle = spawn(permits.acquire_nowait)
    handle.join()
    assert isinstance(handle.error, WouldBlock)
    assert permits.statistics()["waiting"] == 0


@pytest.mark.parametrize("capacity", [0, 1, 4])
@pytest.mark.parametrize("selects", [False, True], ids=["plain", "select"])
def test_no_item_is_lost_or_doubled(capacity: int, selects: bool, close_calls: Close) -> None:
    ends = [open_channel[int](capacity) for _ in range(2 if selects else 1)]
    chance = Random(SEED)
    stop = Event()
    number = 0
    sent: list[int] = []
    received: list[int] = []

    def send() -> None:
        nonlocal number
        number += 1
        item = number
        if selects:
            operations = [sender.sending(item) for sender, _ in ends]
            which, _ = select(*operations, stop)
            assert which is not stop
        else:
            ends[0][0].send(item)
        sent.append(item)

    def send_nowait(item: int) -> None:
        try:
            chance.choice(ends)[0].send_nowait(item)
        except WouldBlock:
            return
        sent.append(item)

    def receive() -> None:
        if selects:
            received.append(select(*[receiver for _, receiver in ends])[1])
        else:
            received.append(ends[0][1].receive())

    with crowd() as all_:
        for turn in range(ROUNDS):
            # Now more send, now more receive, so that either side waits.
            bias = 0.3 if turn // 50 % 2 else 0.7
            for _ in range(10 if len(all_) < 40 else 2):
                all_.add(send if chance.random() < bias else receive)
            all_.cancel_some(0.2)
            number += 1
            send_nowait(number)
            try:
                for _ in range(chance.randrange(4)):
                    received.append(chance.choice(ends)[1].receive_nowait())
            except WouldBlock:
                pass
            checkpoint()
    for sender, receiver in ends:
        assert sender.statistics()["waiting_to_send"] == 0
        assert sender.statistics()["waiting_to_receive"] == 0
        sender.close()
        received.extend(receiver)
    assert len(set(received)) == len(received)
    assert sorted(received) == sorted(sent)
    assert len(received) > ROUNDS
    assert close_calls["Receiver"] > 300
    assert close_calls["Sender"] > 300


def test_who_takes_an_item_takes_the_first_if_nobody_is_cancelled() -> None:
    sender, receiver = open_channel[int](3)
    chance = Random(SEED)
    received: list[int] = []

    def consume() -> None:
        for item in receiver:
            received.append(item)
            if chance.random() < 0.1:
                checkpoint()

    handles = [spawn(consume) for _ in range(5)]
    with sender:
        for item in range(5000):
            sender.send(item)
            if chance.random() < 0.1:
                checkpoint()
    for handle in handles:
        handle.join()
    assert sorted(received) == list(range(5000))
    # Who was handed one item may run after who took the next: never more than all of them.
    assert all(abs(item - place) < 10 for place, item in enumerate(received))


def test_an_event_wakes_each_who_waits_once(close_calls: Close) -> None:
    chance = Random(SEED)
    woken = 0
    with crowd() as all_:
        for _ in range(ROUNDS // 4):
            event = Event()

            def wait(event: Event = event) -> None:
                nonlocal woken
                assert event.wait()
                woken += 1

            for _ in range(40):
                all_.add(wait)
            checkpoint()
            all_.cancel_some(0.4)
            if chance.random() < 0.7:
                event.set()
            checkpoint()
            if event.is_set:
                assert event.statistics()["waiting"] == 0
    assert woken > ROUNDS
    assert close_calls["Event"] > 500


def test_a_wait_leaves_no_garbage() -> None:
    sender, receiver = open_channel[int](0)
    lock = Lock()

    def work() -> None:
        with sender:
            for number in range(50):
                sender.send(number)
                with lock:
                    checkpoint()

    def rounds() -> None:
        handle = spawn(work)
        for _ in receiver:
            with lock:
                pass
        for _ in range(20):
            select(open_channel[int](0)[1], Event(), timeout=0, default=None)
        handle.join()

    spawn(checkpoint).join()
    gc.collect()
    gc.disable()
    try:
        rounds()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        left = [thing for thing in gc.garbage if isinstance(thing, Wait | Place)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert left == []
