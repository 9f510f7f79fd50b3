"""Who takes the next connection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from photon.runtime.workers.balance import Balance
from photon.runtime.workers.board import (
    BEAT,
    CONNECTIONS,
    DRAINING,
    LOAD,
    READY,
    STATE,
    Board,
    now_us,
)

_LONG_AGO_US = 10_000_000


class Worker(Struct):
    connections: int
    load: int = 0
    is_stuck: bool = False


def office(*workers: Worker) -> list[Balance]:
    board = Board()
    found = []
    for worker in workers:
        row = board.row(board.take(READY))
        row[CONNECTIONS], row[LOAD] = worker.connections, worker.load
        # A little in the future, so that no slow machine makes it old.
        row[BEAT] = now_us() + (-_LONG_AGO_US if worker.is_stuck else _LONG_AGO_US)
        found.append(Balance(board, row))
    return found


def room(*workers: Worker) -> list[bool]:
    return [balance.has_room() for balance in office(*workers)]


def test_one_alone_takes_all() -> None:
    assert room(Worker(0)) == [True]
    assert room(Worker(100_000)) == [True]


def test_who_has_more_than_its_share_leaves_it_to_the_others() -> None:
    assert room(Worker(20), Worker(10), Worker(10)) == [False, True, True]


def test_who_has_hardly_more_does_not() -> None:
    assert room(Worker(17), Worker(16), Worker(15), Worker(16)) == [True] * 4


def test_a_worker_that_stands_still_has_no_part_in_it() -> None:
    assert room(Worker(20), Worker(0, is_stuck=True), Worker(20)) == [True, True, True]


def test_a_worker_that_is_busy_all_the_time_has_no_part_in_it() -> None:
    assert room(Worker(20, load=100), Worker(0, load=990), Worker(20, load=100)) == [True] * 3


def test_when_all_are_busy_all_have_a_part_in_it() -> None:
    assert room(Worker(20, load=990), Worker(0, load=990)) == [False, True]


def test_who_drains_has_no_part_in_it() -> None:
    balances = office(Worker(20), Worker(0))
    assert [balance.has_room() for balance in balances] == [False, True]
    (_, other) = (balance._row for balance in balances)
    other[STATE] = DRAINING
    assert balances[0].has_room()


def test_who_is_not_ready_yet_may_take_what_comes() -> None:
    board = Board()
    row = board.row(board.take())
    assert Balance(board, row).has_room()
    assert repr(Balance(board, row)) == "<Balance 0 connections>"


workers = st.lists(
    st.builds(Worker, st.integers(0, 5000), st.integers(0, 1100), st.booleans()),
    min_size=1,
    max_size=12,
)


@given(workers)
def test_there_is_always_somebody_and_never_one_far_above_the_mean(found: list[Worker]) -> None:
    takes = room(*found)
    moving = [worker for worker in found if not worker.is_stuck]
    taking = [worker for worker, does in zip(found, takes, strict=True) if does]
    if moving:
        assert any(not worker.is_stuck for worker in taking)
    idle = [worker.connections for worker in moving if worker.load < 800]
    if idle:
        mean = sum(idle) / len(idle)
        for worker in taking:
            if worker.load < 800 and not worker.is_stuck:
                assert worker.connections <= 1.125 * mean + 1


@given(st.integers(1, 12), st.integers(0, 500))
def test_those_that_come_one_after_the_other_are_spread_evenly(workers: int, clients: int) -> None:
    balances = office(*(Worker(0) for _ in range(workers)))
    for _ in range(clients):
        # The kernel asks them in the worst order: always the same one first.
        taker = next(balance for balance in balances if balance.has_room())
        taker._row[CONNECTIONS] += 1
    counts = [balance._row[CONNECTIONS] for balance in balances]
    assert max(counts) <= 1.125 * clients / workers + 2
