"""Semaphores and capacity limiters."""

from __future__ import annotations

from math import inf

import pytest

from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.errors import LockError, MustNotWait, WaitTimedOut, WouldBlock
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.permits import CapacityLimiter, Semaphore
from tests.callers import in_hub

SOON_S = 0.005

# Semaphores...


def test_so_many_hold_a_permit_at_once_in_the_order_they_came() -> None:
    semaphore = Semaphore(2)
    story: list[int] = []
    inside = 0

    def work(number: int) -> None:
        nonlocal inside
        with semaphore:
            story.append(number)
            inside += 1
            assert inside <= 2
            checkpoint()
            inside -= 1

    handles = [spawn(work, number) for number in range(6)]
    for handle in handles:
        handle.join()
        assert handle.error is None
    assert story == [0, 1, 2, 3, 4, 5]
    assert semaphore.value == 2


def test_nobody_overtakes_who_waits_for_a_permit() -> None:
    semaphore = Semaphore(0)
    handle = spawn(semaphore.acquire)
    checkpoint()
    assert repr(semaphore) == "<Semaphore 0 free, 1 waiting>"
    semaphore.release()
    with pytest.raises(WouldBlock):
        semaphore.acquire_nowait()
    handle.join()
    assert semaphore.statistics() == {"value": 0, "max_value": inf, "waiting": 0}


def test_a_release_too_many_is_found() -> None:
    semaphore = Semaphore(1, max_value=1)
    with semaphore:
        pass
    with pytest.raises(LockError, match="<Semaphore 1 of 1 free, 0 waiting> was released more"):
        semaphore.release()
    Semaphore(1).release()


@pytest.mark.parametrize("value", [-1, 1.5, "1", None])
def test_a_semaphore_counts(value: int) -> None:
    with pytest.raises(ValueError, match="value= is a whole number from 0 on, not"):
        Semaphore(value)


def test_a_semaphore_does_not_begin_above_its_most() -> None:
    with pytest.raises(ValueError, match="max_value=1 is less than value=2"):
        Semaphore(2, max_value=1)


def test_a_permit_is_not_waited_for_longer_than_said_and_never_in_a_callback() -> None:
    semaphore = Semaphore(0)
    with pytest.raises(WaitTimedOut):
        semaphore.acquire(timeout=SOON_S)
    with move_on_after(SOON_S) as scope:
        semaphore.acquire()
    assert scope.cancelled_caught
    assert isinstance(in_hub(semaphore.acquire), MustNotWait)
    in_hub(semaphore.release)
    assert semaphore.value == 1
    in_hub(semaphore.acquire_nowait)
    assert semaphore.value == 0


# Capacity limiters...


def test_a_limiter_knows_who_borrows() -> None:
    limiter = CapacityLimiter(2)
    assert (limiter.total, limiter.borrowed, limiter.available) == (2, 0, 2)
    with limiter:
        assert (limiter.borrowed, limiter.available) == (1, 1)
        for acquire in (limiter.acquire, limiter.acquire_nowait):
            with pytest.raises(LockError, match=r"this greenlet borrows from .* already"):
                acquire()
        limiter.acquire("job 7")
        with pytest.raises(LockError, match="'job 7' borrows from"):
            limiter.acquire("job 7")
        with pytest.raises(WouldBlock):
            limiter.acquire_nowait("job 8")
        limiter.release("job 7")
    assert limiter.borrowed == 0
    with pytest.raises(LockError, match="'job 7' has borrowed nothing from <CapacityLimiter 0 of"):
        limiter.release("job 7")
    with pytest.raises(LockError, match="this greenlet has borrowed nothing"):
        limiter.release()


def test_a_token_that_waits_has_borrowed_nothing_yet() -> None:
    limiter = CapacityLimiter(0)
    handle = spawn(limiter.acquire, "token")
    checkpoint()
    with pytest.raises(LockError, match=r"borrows .* already"):
        limiter.acquire_nowait("token")
    with pytest.raises(LockError, match="borrowed nothing"):
        limiter.release("token")
    handle.cancel()
    handle.join()
    limiter.total = 1
    limiter.acquire_nowait("token")
    assert repr(limiter) == "<CapacityLimiter 1 of 1 borrowed, 0 waiting>"


def test_what_a_job_did_not_give_back_is_not_the_next_jobs() -> None:
    limiter = CapacityLimiter(3)
    for _ in range(3):
        spawn(limiter.acquire).join()
    assert limiter.borrowed == 3


def test_the_total_may_change_while_some_borrow_and_some_wait() -> None:
    limiter = CapacityLimiter(1)
    story: list[int] = []

    def borrow(number: int) -> None:
        limiter.acquire(number)
        story.append(number)

    for number in range(6):
        spawn(borrow, number)
    checkpoint()
    assert story == [0]
    assert limiter.statistics() == {"total": 1, "borrowed": 1, "available": 0, "waiting": 5}
    limiter.total = 3
    checkpoint()
    assert story == [0, 1, 2]
    limiter.total = 1
    assert (limiter.borrowed, limiter.available) == (3, 0)
    for number in (0, 1):
        limiter.release(number)
    checkpoint()
    assert story == [0, 1, 2]
    limiter.release(2)
    checkpoint()
    assert story == [0, 1, 2, 3]
    limiter.total = inf
    checkpoint()
    assert story == [0, 1, 2, 3, 4, 5]
    assert (limiter.borrowed, limiter.available) == (3, inf)


@pytest.mark.parametrize("total", [-1, 1.5, -inf, float("nan")])
def test_a_limiter_counts(total: float) -> None:
    with pytest.raises(ValueError, match="total= is a whole number from 0 on"):
        CapacityLimiter(total)
    limiter = CapacityLimiter(1)
    with pytest.raises(ValueError, match="total="):
        limiter.total = total
    assert limiter.total == 1


def test_a_limiters_permit_handed_to_who_is_cancelled_in_that_moment_goes_to_the_next() -> None:
    limiter = CapacityLimiter(1)
    limiter.acquire("first")
    scopes: list[CancelScope] = []

    def unlucky() -> None:
        with CancelScope() as scope:
            scopes.append(scope)
            limiter.acquire("unlucky")

    handles = [spawn(unlucky), spawn(limiter.acquire, "lucky")]
    checkpoint()
    scopes[0].cancel()
    limiter.release("first")
    for handle in handles:
        handle.join()
    assert scopes[0].cancelled_caught
    limiter.release("lucky")
    assert limiter.available == 1
    limiter.acquire("unlucky")


def test_a_limiter_is_not_waited_for_longer_than_said_and_never_in_a_callback() -> None:
    limiter = CapacityLimiter(0)
    with pytest.raises(WaitTimedOut):
        limiter.acquire(timeout=SOON_S)
    assert isinstance(in_hub(limiter.acquire), MustNotWait)
    assert limiter.statistics()["waiting"] == 0
    limiter.total = 1
    with limiter:
        pass
