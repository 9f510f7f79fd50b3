"""Events and locks: who waits, who comes next, and what happens to who is interrupted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.errors import LockError, MustNotWait, WaitTimedOut, WouldBlock, WrongThread
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.hub import current_hub, existing_hub
from photon.runtime.sync import CapacityLimiter, Event, Lock, RLock, Semaphore
from tests.callers import in_hub, in_thread, start_thread
from tests.clients import PATIENCE_S, wait_until

SOON_S = 0.005


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    hub = current_hub()
    wait_until(lambda: hub.carriers.busy == 0)
    wait_until(lambda: len(hub.deadlines) == 1)  # that of `wait_until` itself


# Events...


def test_an_event_that_is_set_lets_all_go_on_in_the_order_they_came() -> None:
    event = Event()
    story: list[int] = []

    def wait(number: int) -> None:
        assert event.wait()
        story.append(number)

    handles = [spawn(wait, number) for number in range(5)]
    checkpoint()
    assert event.statistics() == {"is_set": 0, "waiting": 5}
    assert repr(event) == "<Event not set, 5 waiting>"
    event.set()
    event.set()
    assert story == []
    for handle in handles:
        handle.join()
    assert story == [0, 1, 2, 3, 4]
    assert event.is_set
    assert event.wait(0)
    assert repr(event) == "<Event set, 0 waiting>"


def test_a_wait_for_an_event_has_an_end() -> None:
    event = Event()
    assert event.wait(SOON_S) is False
    assert event.wait(timeout=-1) is False
    with move_on_after(SOON_S) as scope:
        event.wait()
    assert scope.cancelled_caught
    assert event.statistics()["waiting"] == 0


def test_a_timeout_that_is_no_number_is_refused() -> None:
    event = Event()
    with pytest.raises(ValueError, match="not nan"):
        event.wait(float("nan"))
    assert event.statistics()["waiting"] == 0


def test_an_event_is_set_from_a_callback_and_not_waited_for_there() -> None:
    event = Event()
    error = in_hub(event.wait)
    assert isinstance(error, MustNotWait)
    assert re.search(r"<Event not set, 0 waiting> was waited for in a callback.*spawn", str(error))
    current_hub().run_soon(event.set)
    assert event.wait(PATIENCE_S)


def test_any_thread_may_set_an_event() -> None:
    for _ in range(20):
        event = Event()
        start_thread(event.set, ())
        assert event.wait(PATIENCE_S)


def test_a_thread_that_sets_an_event_needs_no_hub() -> None:
    event = Event()
    handle = spawn(event.wait)
    checkpoint()

    def run() -> object:
        event.set()
        return existing_hub()

    assert in_thread(run) is None
    handle.join()
    assert handle.result


def test_greenlets_of_several_threads_wait_for_one_event() -> None:
    event = Event()
    handles = [spawn(event.wait) for _ in range(3)]
    ends: list[bool] = []
    for _ in range(2):
        start_thread(lambda: ends.append(event.wait(PATIENCE_S)), ())
    wait_until(lambda: event.statistics()["waiting"] == 5)
    event.set()
    wait_until(lambda: len(ends) == 2)
    assert ends == [True, True]
    for handle in handles:
        handle.join()
        assert handle.result


def test_a_thread_that_stopped_with_waiting_greenlets_keeps_nobody_from_setting() -> None:
    event = Event()

    def run() -> None:
        current_hub().accept_mail()
        spawn(event.wait)
        checkpoint()
        current_hub().refuse_mail()

    assert in_thread(run) is None
    event.set()
    assert event.is_set


# Locks...


def test_a_lock_goes_from_one_to_the_next_in_the_order_they_came() -> None:
    lock = Lock()
    story: list[int] = []

    def work(number: int) -> None:
        for _ in range(2):
            with lock:
                story.append(number)
                checkpoint()
                assert story[-1] == number

    handles = [spawn(work, number) for number in range(3)]
    for handle in handles:
        handle.join()
    assert story == [0, 1, 2, 0, 1, 2]
    assert not lock.is_held


def test_who_released_a_lock_does_not_overtake_who_waits() -> None:
    lock = Lock()
    lock.acquire()
    handle = spawn(lock.acquire)
    checkpoint()
    lock.release()
    assert lock.is_held
    with pytest.raises(WouldBlock, match=r"acquire\(\) waits"):
        lock.acquire_nowait()
    handle.join()
    assert lock.is_held


def test_an_uncontended_lock_needs_no_hub() -> None:
    def run() -> object:
        lock = Lock()
        with lock:
            pass
        lock.acquire_nowait()
        lock.release()
        return existing_hub()

    assert in_thread(run) is None


def test_a_lock_is_not_waited_for_longer_than_said() -> None:
    lock = Lock()
    with lock:

        def impatient() -> None:
            with pytest.raises(WaitTimedOut, match=r"within 0\.005 s") as caught:
                lock.acquire(timeout=SOON_S)
            assert isinstance(caught.value, TimeoutError)
            with move_on_after(SOON_S), lock:
                raise AssertionError
            assert lock.statistics() == {"held": 1, "waiting": 0}

        handle = spawn(impatient)
        handle.join()
        assert handle.error is None
    assert lock.statistics() == {"held": 0, "waiting": 0}


def test_a_lock_does_not_nest() -> None:
    lock = Lock()
    with lock:
        for acquire in (lock.acquire, lock.acquire_nowait):
            with pytest.raises(LockError, match=r"holds <Lock held by .* already; an RLock"):
                acquire()
    with RLock() as held:
        assert held


def test_a_lock_is_released_by_who_holds_it() -> None:
    lock = Lock()
    with pytest.raises(LockError, match="<Lock free, 0 waiting> was released, but nobody holds"):
        lock.release()
    with lock:
        handle = spawn(lock.release)
        handle.join()
        assert isinstance(handle.error, LockError)
        assert re.search(r"does not hold it.*Semaphore\(1\)", str(handle.error))
        assert lock.is_held


def test_a_lock_that_a_job_left_behind_says_so_and_may_be_released_by_another() -> None:
    lock = Lock()
    spawn(lock.acquire).join()
    assert repr(lock) == "<Lock left behind by a job that is over, 0 waiting>"
    # On the same carrier: it is another job all the same.
    handle = spawn(lock.acquire_nowait)
    handle.join()
    assert isinstance(handle.error, WouldBlock)
    spawn(lock.release).join()
    assert repr(lock) == "<Lock free, 0 waiting>"


def test_a_lock_handed_to_who_is_cancelled_in_that_moment_goes_to_the_next() -> None:
    lock = Lock()
    lock.acquire()
    scopes: list[CancelScope] = []
    story: list[str] = []

    def unlucky() -> None:
        with CancelScope() as scope:
            scopes.append(scope)
            with lock:
                story.append("never")

    def lucky() -> None:
        with lock:
            story.append("lucky")

    handles = [spawn(unlucky), spawn(unlucky), spawn(lucky)]
    checkpoint()
    for scope in scopes:
        scope.cancel()  # before the lock is handed over, so that it arrives before, too
    lock.release()
    for handle in handles:
        handle.join()
    assert [scope.cancelled_caught for scope in scopes] == [True, True]
    assert story == ["lucky"]
    assert not lock.is_held


def test_a_lock_is_no_place_to_wait_in_a_callback() -> None:
    lock = Lock()
    with lock:
        assert isinstance(in_hub(lock.acquire), MustNotWait)
        assert isinstance(in_hub(lock.acquire_nowait), WouldBlock)
        assert lock.statistics()["waiting"] == 0


# Several threads...


def test_a_thread_without_a_hub_is_told_that_it_would_wait_for_ever() -> None:
    lock = Lock()
    with lock:
        error = in_thread(lock.acquire)
    assert isinstance(error, WrongThread)
    assert re.search("this thread has no hub.*run_threadsafe.*offload.*Event", str(error))


@pytest.mark.parametrize("make", [Lock, lambda: Semaphore(0), lambda: CapacityLimiter(0)])
def test_greenlets_of_two_threads_do_not_stand_in_one_line(
    make: Callable[[], Lock | Semaphore | CapacityLimiter],
) -> None:
    line = make()
    if isinstance(line, Lock):
        line.acquire()
    handle = spawn(line.acquire)
    checkpoint()

    def wait() -> None:
        current_hub()
        line.acquire()

    error = in_thread(wait)
    assert isinstance(error, WrongThread)
    assert re.search("greenlets of another thread wait for <.*run_threadsafe", str(error))
    assert line.statistics()["waiting"] == 1
    handle.cancel()
    handle.join()


def test_what_another_thread_cannot_hand_on_stays_as_it_was() -> None:
    semaphore = Semaphore(0)
    handle = spawn(semaphore.acquire)
    checkpoint()
    error = in_thread(semaphore.release)
    assert isinstance(error, WrongThread)
    assert re.search("waited for in another thread.*run_threadsafe", str(error))
    assert semaphore.statistics()["waiting"] == 1
    hub = current_hub()
    hub.accept_mail()
    in_thread(lambda: hub.run_threadsafe(semaphore.release))  # the way out
    handle.join()
    assert handle.error is None
