"""The order of ready greenlets, permuted by a seed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from photon import Photon
from photon.runtime import select as selecting
from photon.runtime.channel import open_channel
from photon.runtime.greenlets import checkpoint, sleep, spawn
from photon.runtime.hub import current_hub
from photon.runtime.nursery import nursery
from photon.runtime.select import select
from photon.runtime.sync import Event, Lock
from photon.testing.client import TestClient
from photon.testing.scheduling import alike, shuffled

pytestmark = pytest.mark.photon_seed(False)


def order_of_spawned() -> list[int]:
    seen: list[int] = []
    with nursery() as n:
        for number in range(6):
            n.spawn(seen.append, number)
    return seen


def order_of_woken() -> list[int]:
    """Wake-ups that are asked for in one round."""
    seen: list[int] = []
    event = Event()

    def wait(number: int) -> None:
        event.wait()
        seen.append(number)

    with nursery() as n:
        for number in range(6):
            n.spawn(wait, number)
        checkpoint()
        event.set()
    return seen


def order_of_ready() -> list[int]:
    """What the watchers of one poll put into the queue."""
    seen: list[int] = []

    class Job:
        def __init__(self, number: int) -> None:
            self.number = number

        def run(self) -> None:
            seen.append(self.number)

        def on_parked(self, carrier: object) -> None:
            pass

    hub = current_hub()
    poll = hub.loop.timer(0.0)
    poll.start(lambda: hub.carriers.ready.extend(map(Job, range(6))))
    while len(seen) < 6:
        checkpoint()
    poll.close()
    return seen


ORDERS = [order_of_spawned, order_of_woken, order_of_ready]


@pytest.mark.parametrize("order", ORDERS)
def test_a_seed_permutes_what_is_ready_and_repeats_it(order: Callable[[], list[int]]) -> None:
    orders = set()
    for seed in range(20):
        with shuffled(seed):
            first = order()
        with shuffled(seed):
            assert order() == first
        assert sorted(first) == list(range(6))
        orders.add(tuple(first))
    assert len(orders) > 10
    assert order() == list(range(6)), "without a seed it is what it was"


def test_a_shuffle_can_begin_again() -> None:
    with shuffled(3) as shuffle:
        first = [order_of_spawned(), order_of_spawned()]
        assert first[0] != first[1]
        shuffle.restart()
        assert [order_of_spawned(), order_of_spawned()] == first


def test_the_innermost_seed_counts() -> None:
    with shuffled(3):
        outer = order_of_spawned()
    with shuffled(4):
        inner = order_of_spawned()
    with shuffled(3) as shuffle:
        with shuffled(4):
            assert order_of_spawned() == inner
        assert order_of_spawned() == outer
        assert current_hub().run_soon == shuffle._run_soon


def test_afterwards_production_code_pays_nothing() -> None:
    hub = current_hub()
    with shuffled(1) as shuffle:
        assert "run_soon" in vars(hub)
        assert repr(shuffle) == "<Shuffle seed=1>"
    assert "run_soon" not in vars(hub)
    assert not {"_work", "_start_submitted"} & vars(hub.carriers).keys()


def test_what_was_asked_for_at_the_end_still_comes() -> None:
    seen: list[str] = []
    with shuffled(1):
        handle = spawn(seen.append, "spawned")
        current_hub().run_soon(seen.append, "woken")
    handle.join()
    checkpoint()
    assert sorted(seen) == ["spawned", "woken"]


def test_a_racy_program_fails_under_some_seed() -> None:
    def race() -> int:
        balance = [0]

        def deposit() -> None:
            balance[0] += 100

        def withdraw() -> None:
            balance[0] = max(balance[0] - 50, 0)

        with nursery() as n:
            n.spawn(deposit)
            n.spawn(withdraw)
        return balance[0]

    assert race() == 50
    results = {}
    for seed in range(20):
        with shuffled(seed):
            results[seed] = race()
    assert set(results.values()) == {50, 100}
    bad = next(seed for seed, result in results.items() if result == 100)
    with shuffled(bad):
        assert race() == 100


def choices() -> list[object]:
    first, second = Event(), Event()
    first.set()
    second.set()
    return [select(first, second)[0] is first for _ in range(30)]


def test_what_select_chooses_is_repeated() -> None:
    chance = selecting._chance
    with shuffled(1):
        first = choices()
        assert choices() != first
    with shuffled(1):
        assert choices() == first
    with alike(current_hub()):
        first = choices()
    with alike(current_hub()):
        assert choices() == first
    assert selecting._chance is chance


# The promises...


@pytest.mark.parametrize("seed", range(10))
def test_a_lock_is_handed_over_in_the_order_of_asking(seed: int) -> None:
    asked: list[int] = []
    held: list[int] = []
    lock = Lock()

    def hold(number: int) -> None:
        asked.append(number)
        with lock:
            held.append(number)
            checkpoint()

    with shuffled(seed), nursery() as n:
        for number in range(10):
            n.spawn(hold, number)
    assert held == asked
    assert sorted(held) == list(range(10))


@pytest.mark.parametrize("seed", range(10))
def test_a_channel_keeps_the_order_of_each_sender(seed: int) -> None:
    sender, receiver = open_channel[tuple[str, int]](1)

    def send(name: str) -> None:
        for number in range(10):
            sender.send((name, number))

    got: dict[str, list[int]] = {"a": [], "b": []}
    with shuffled(seed), nursery() as n:
        n.spawn(send, "a")
        n.spawn(send, "b")
        for _ in range(20):
            name, number = receiver.receive()
            got[name].append(number)
    assert got == {"a": list(range(10)), "b": list(range(10))}


def test_a_checkpoint_lets_all_run_that_are_ready() -> None:
    for seed in range(10):
        seen: list[int] = []
        with shuffled(seed):
            for number in range(300):  # more than one round takes
                spawn(seen.append, number)
            while len(seen) < 300:
                before = len(seen)
                checkpoint()
                assert len(seen) > before


def test_time_goes_forward() -> None:
    woken: list[int] = []

    def nap(number: int) -> None:
        sleep(number * 0.02)
        woken.append(number)

    with shuffled(1), nursery() as n:
        for number in range(4):
            n.spawn(nap, number)
    assert woken == [0, 1, 2, 3]


def test_requests_are_served_under_a_seed() -> None:
    app = Photon()

    @app.get("/{number}")
    def index(number: int) -> int:
        sleep(0.001)
        return number

    with shuffled(5), TestClient(app) as client, nursery() as n:
        handles = [n.spawn(client.get, f"/{number}") for number in range(20)]
    assert [handle.result.json() for handle in handles] == list(range(20))


def test_very_many_that_are_submitted_all_run() -> None:
    with shuffled(1), nursery() as n:
        handles = [n.spawn(int, number) for number in range(20_000)]
    assert [handle.result for handle in handles] == list(range(20_000))


def test_an_error_in_a_wake_up_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[object] = []
    hub = current_hub()
    monkeypatch.setattr(hub.native, "print_exception", lambda *told: errors.append(told[2]))
    seen: list[int] = []
    with shuffled(1):
        for number in range(3):
            hub.run_soon(seen.append, number)
        hub.run_soon(int, "x")
        checkpoint()
    assert sorted(seen) == [0, 1, 2]
    assert len(errors) == 1


def test_mistakes_are_told() -> None:
    with pytest.raises(TypeError, match="a seed is a whole number, not 'random'"):
        with shuffled("random"):  # type: ignore[arg-type]
            pass
