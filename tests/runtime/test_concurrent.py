"""Many calls at a time: their order, their bounds, their failures, and how they are given up."""

from __future__ import annotations

import gc
import itertools
import logging
import random
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import assert_type

import pytest

from photon.runtime.cancel import CancelScope, fail_after, move_on_after, time_left
from photon.runtime.concurrent import Results, map_concurrent
from photon.runtime.errors import Cancelled, DeadlineExceeded, MustNotWait, WrongThread
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub, getcurrent
from photon.runtime.nursery import nursery
from photon.runtime.offload import offload
from photon.runtime.retry import retry
from photon.runtime.sync import Event
from tests.clients import wait_until

variable = ContextVar("variable", default="nothing")


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    wait_until(lambda: current_hub().carriers.busy == 0)
    yield
    wait_until(lambda: current_hub().carriers.busy == 0)
    assert len(current_hub().deadlines) == 0


class Calls:
    """Calls that return at once for small numbers and else wait; they note what becomes of them.

    Args: waits_from: the first number whose call waits until it is cancelled.
    """

    def __init__(self, waits_from: int, cleanup: Callable[[], object] = checkpoint) -> None:
        self.waits_from = waits_from
        self.cleanup = cleanup
        self.began: list[int] = []
        self.cancelled: list[int] = []

    def call(self, number: int) -> int:
        self.began.append(number)
        if number >= self.waits_from:
            try:
                sleep_forever()
            finally:
                self.cleanup()
                self.cancelled.append(number)
        return number

    def are_over(self) -> bool:
        waiting = [number for number in self.began if number >= self.waits_from]
        return bool(waiting) and sorted(self.cancelled) == sorted(waiting)


def steps(number: int) -> int:
    for _ in range((number * 7) % 5):
        checkpoint()
    return number


# Results...


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_results_come_in_the_order_of_their_items(limit: int) -> None:
    assert list(map_concurrent(steps, range(20), limit=limit)) == list(range(20))
    assert list(map_concurrent(steps, [], limit=limit)) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_or_as_they_are_made(limit: int) -> None:
    results = list(map_concurrent(steps, range(20), limit=limit, ordered=False))
    assert sorted(results) == list(range(20))
    assert (results == list(range(20))) == (limit == 1)


def test_a_slow_one_is_overtaken_only_out_of_order() -> None:
    event = Event()

    def call(number: int) -> int:
        if number == 0:
            event.wait()
        return number

    results = map_concurrent(call, range(3), limit=3, ordered=False)
    assert [next(results), next(results)] == [1, 2]
    event.set()
    assert list(results) == [0]


def test_no_more_calls_at_a_time_than_the_limit() -> None:
    running = most = 0

    def call(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        checkpoint()
        running -= 1

    assert len(list(map_concurrent(call, range(100), limit=7))) == 100
    assert most == 7


@pytest.mark.parametrize("ordered", [True, False])
def test_items_are_pulled_when_there_is_room_for_them(ordered: bool) -> None:
    pulled: list[int] = []

    def items() -> Iterator[int]:
        for number in itertools.count():
            pulled.append(number)
            yield number

    results = map_concurrent(steps, items(), limit=4, ordered=ordered)
    checkpoint()
    assert pulled == []
    for taken in range(1, 50):
        next(results)
        checkpoint()
        checkpoint()
        assert len(pulled) <= taken + 4
    results.close()


def test_items_may_wait_and_are_made_in_one_greenlet() -> None:
    made_in: set[object] = set()

    def items() -> Iterator[int]:
        with fail_after(50):  # a scope that stays open from item to item
            for number in range(5):
                made_in.add(getcurrent())
                checkpoint()
                yield number

    with move_on_after(60):
        assert list(map_concurrent(steps, items(), limit=2)) == list(range(5))
    assert len(made_in) == 1
    assert getcurrent() not in made_in


def test_one_may_be_the_source_of_another() -> None:
    doubled = map_concurrent(lambda n: steps(n) * 2, range(20), limit=3)
    assert list(map_concurrent(lambda n: steps(n) + 1, doubled, limit=5)) == list(range(1, 41, 2))


def test_many_may_share_the_results() -> None:
    results = map_concurrent(steps, range(50), limit=3)
    with nursery() as n:
        handles = [n.spawn(list, results) for _ in range(4)]
    assert sorted(itertools.chain(*[handle.result for handle in handles])) == list(range(50))


def test_calls_see_the_context_of_who_asks_first_and_keep_their_own() -> None:
    def call(number: int) -> str:
        seen = variable.get()
        variable.set(f"of {number}")
        return seen

    variable.set("mine")
    assert set(map_concurrent(call, range(5), limit=2)) == {"mine"}
    assert variable.get() == "mine"
    variable.set("nothing")


def test_calls_have_the_time_that_is_left_to_who_asks() -> None:
    results = map_concurrent(lambda _: time_left(), itertools.count(), limit=1)
    with fail_after(50):
        left = next(results)
    assert left is not None
    assert 40 < left <= 50
    for _ in range(3):
        left = next(results)
    assert left is None
    results.close()


def test_retries_in_it_know_the_deadline() -> None:
    def call(number: int) -> None:
        raise ConnectionError

    again = retry(call, on=ConnectionError, backoff=100, max_delay_s=100, jitter=0, budget_s=None)
    with fail_after(50), pytest.raises(ConnectionError):
        list(map_concurrent(again, range(5), limit=2))


def test_types_are_inferred() -> None:
    results = map_concurrent(lambda n: str(n), range(3), limit=1)
    assert_type(results, Results[str])
    assert list(results) == ["0", "1", "2"]


# Failures...


@pytest.mark.parametrize("ordered", [True, False])
def test_the_first_failure_ends_the_others_and_is_raised_as_itself(ordered: bool) -> None:
    calls = Calls(3)

    def call(number: int) -> int:
        if number == 5:
            checkpoint()
            raise KeyError("mine")
        return calls.call(number)

    results = map_concurrent(call, itertools.count(), limit=6, ordered=ordered)
    with pytest.raises(KeyError, match="mine") as caught:
        while True:
            next(results)
    assert calls.are_over()
    assert caught.value.__context__ is None
    assert list(results) == []


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), Cancelled("scope", "mine")])
def test_any_exception_is_a_failure(error: BaseException) -> None:
    def call(number: int) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        list(map_concurrent(call, range(3), limit=2))
    assert caught.value is error


def test_a_deadline_in_a_call_is_a_failure_like_others() -> None:
    def call(number: int) -> None:
        with fail_after(0.001):
            sleep_forever()

    with pytest.raises(DeadlineExceeded):
        list(map_concurrent(call, range(3), limit=2))


def test_a_failure_of_the_items_is_one_too() -> None:
    calls = Calls(1)

    def items() -> Iterator[int]:
        yield 0
        yield 1
        checkpoint()
        raise KeyError("of the items")

    with pytest.raises(KeyError, match="of the items"):
        list(map_concurrent(calls.call, items(), limit=5))
    assert calls.are_over()


def test_others_that_fail_while_they_are_cancelled_are_in_its_notes() -> None:
    def cleanup() -> None:
        raise ValueError("in cleanup")

    calls = Calls(1, cleanup)

    def call(number: int) -> int:
        if number == 0:
            checkpoint()
            raise KeyError
        return calls.call(number)

    with pytest.raises(KeyError) as caught:
        list(map_concurrent(call, range(3), limit=3))
    note = "while it was cancelled another call failed: ValueError: in cleanup"
    assert caught.value.__notes__ == [note, note]


def test_a_stop_iteration_of_a_call_does_not_end_the_loop_as_if_all_were_well() -> None:
    with pytest.raises(RuntimeError, match="next raised StopIteration") as caught:
        list(map_concurrent(next, [iter([1]), iter([])], limit=1))
    assert isinstance(caught.value.__cause__, StopIteration)


def test_what_fails_while_nobody_asks_interrupts_nobody() -> None:
    def call(number: int) -> int:
        if number == 1:
            raise KeyError
        return number

    results = map_concurrent(call, range(9), limit=3)
    assert next(results) == 0
    for _ in range(5):
        checkpoint()
    with pytest.raises(KeyError):
        next(results)


def test_results_that_were_there_before_the_failure_come_before_it() -> None:
    calls = Calls(5)

    def call(number: int) -> int:
        if number == 4:
            raise KeyError
        return calls.call(number)

    for ordered in (True, False):
        taken = []
        with pytest.raises(KeyError):
            for result in map_concurrent(call, range(9), limit=9, ordered=ordered):
                taken.append(result)
        assert taken == [0, 1, 2, 3]


# Giving up...


def cancel_and_set(scope: CancelScope, event: Event) -> None:
    checkpoint()
    scope.cancel()
    checkpoint()
    event.set()


def test_a_break_cancels_the_calls_and_they_are_over_after_it() -> None:
    calls = Calls(3)
    for result in map_concurrent(calls.call, itertools.count(), limit=5):
        if result == 2:
            break
    assert calls.are_over()


def test_a_return_does_too_and_so_does_an_exception() -> None:
    calls = Calls(1)

    def returning() -> int:
        for result in map_concurrent(calls.call, itertools.count(), limit=5):
            return result
        raise AssertionError

    assert returning() == 0
    assert calls.are_over()

    def failing() -> None:
        for result in map_concurrent(calls.call, itertools.count(), limit=5):
            if result == 0:
                raise KeyError("in the body")

    with pytest.raises(KeyError, match="in the body"):
        failing()
    assert calls.are_over()


def test_close_and_with_do_too() -> None:
    calls = Calls(1)
    results = map_concurrent(calls.call, itertools.count(), limit=5)
    assert next(results) == 0
    results.close()
    assert calls.are_over()
    results.close()
    assert list(results) == []
    with map_concurrent(calls.call, itertools.count(), limit=5) as results:
        assert next(results) == 0
        assert not calls.are_over()
    assert calls.are_over()


def test_what_never_began_is_closed_at_once() -> None:
    items = iter([1])
    map_concurrent(steps, items, limit=1).close()
    assert list(map_concurrent(steps, items, limit=1)) == [1]
    with map_concurrent(steps, items, limit=1):
        pass


def test_a_cancel_of_who_waits_reaches_the_calls_and_passes_when_they_are_over() -> None:
    calls = Calls(3)
    with move_on_after(0.005) as scope:
        results = map_concurrent(calls.call, itertools.count(), limit=5)
        for _ in results:
            pass
    assert scope.cancelled_caught
    assert calls.are_over()
    with pytest.raises(RuntimeError, match="was cancelled with who asked"):
        next(results)


def test_a_cancel_in_the_body_of_the_loop_does_too() -> None:
    calls = Calls(1)
    with move_on_after(0.005) as scope:
        for _ in map_concurrent(calls.call, itertools.count(), limit=5):
            sleep_forever()
    assert scope.cancelled_caught
    assert calls.are_over()


def test_a_cancel_while_a_break_waits_for_the_calls_does_not_get_lost() -> None:
    event = Event()
    calls = Calls(1, event.wait)
    story: list[str] = []
    with CancelScope() as scope:
        for _ in map_concurrent(calls.call, itertools.count(), limit=3):
            spawn(cancel_and_set, scope, event)
            break
        story.append("after the loop")
        assert calls.are_over()
        sleep_forever()
        story.append("never")
    assert scope.cancelled_caught
    assert story == ["after the loop"]


def test_a_cancel_of_the_job_while_a_break_waits_does_not_get_lost() -> None:
    event = Event()
    calls = Calls(1, event.wait)
    story: list[str] = []

    def job() -> None:
        for _ in map_concurrent(calls.call, itertools.count(), limit=3):
            break
        story.append("after the loop")
        sleep_forever()

    handle = spawn(job)
    wait_until(lambda: len(calls.began) == 3)
    handle.cancel()
    checkpoint()
    event.set()
    handle.join()
    assert (handle.state, story) == ("cancelled", ["after the loop"])


def test_a_cancel_while_close_waits_passes_when_the_calls_are_over() -> None:
    event = Event()
    calls = Calls(1, event.wait)
    with CancelScope() as scope:
        results = map_concurrent(calls.call, itertools.count(), limit=3)
        next(results)
        spawn(cancel_and_set, scope, event)
        results.close()
    assert scope.cancelled_caught
    assert calls.are_over()


def test_one_may_close_what_another_waits_for() -> None:
    calls = Calls(0)
    results = map_concurrent(calls.call, range(9), limit=3)
    waiting = spawn(list, results)
    wait_until(lambda: len(calls.began) == 3)
    results.close()
    waiting.join()
    assert waiting.result == []


def test_who_shares_results_is_told_when_another_was_cancelled() -> None:
    results = map_concurrent(Calls(0).call, range(9), limit=3)
    one, other = spawn(list, results), spawn(next, results)
    checkpoint()
    checkpoint()
    one.cancel()
    other.join()
    one.join()
    assert one.state == "cancelled"
    assert isinstance(other.error, RuntimeError)


def test_items_that_swallow_the_cancel_are_not_pulled_any_more() -> None:
    calls = Calls(0)

    def items() -> Iterator[int]:
        for number in itertools.count():
            try:
                if number == 1:
                    sleep_forever()
            except Cancelled:
                pass
            yield number

    results = map_concurrent(calls.call, items(), limit=9)
    waiting = spawn(list, results)
    wait_until(lambda: calls.began)
    results.close()
    waiting.join()
    assert calls.began == [0]
    assert calls.are_over()


def test_the_items_are_let_go_where_they_were_made() -> None:
    ended_in: list[object] = []

    def items() -> Iterator[int]:
        made_in = getcurrent()
        try:
            yield from itertools.count()
        finally:
            ended_in.append(getcurrent() is made_in)

    for _ in map_concurrent(steps, items(), limit=2):
        break
    assert ended_in == [True]


# Nobody closes it...


def test_what_is_dropped_by_another_greenlet_is_cancelled() -> None:
    calls = Calls(1)
    kept = [map_concurrent(calls.call, itertools.count(), limit=3)]
    assert next(kept[0]) == 0
    spawn(kept.clear).join()
    assert kept == []
    wait_until(calls.are_over)


def test_what_is_dropped_in_the_hub_is_cancelled() -> None:
    calls = Calls(1)
    kept = [map_concurrent(calls.call, itertools.count(), limit=3)]
    assert next(kept[0]) == 0
    current_hub().run_soon(kept.clear)
    wait_until(calls.are_over)


def test_what_is_dropped_by_another_thread_is_cancelled() -> None:
    calls = Calls(1)
    kept = [map_concurrent(calls.call, itertools.count(), limit=3)]
    assert next(kept[0]) == 0
    offload(kept.clear)
    wait_until(calls.are_over)


def test_what_the_garbage_collector_finds_is_cancelled_and_not_waited_for() -> None:
    calls = Calls(1)

    class Cycle:
        def __init__(self) -> None:
            self.me = self
            self.results = map_concurrent(calls.call, itertools.count(), limit=3)

    assert next(Cycle().results) == 0
    gc.collect()
    assert not calls.are_over()
    wait_until(calls.are_over)


def test_what_outlives_the_job_that_asked_is_cancelled_without_a_wait_in_the_next() -> None:
    calls = Calls(1)
    kept: list[Results[int]] = []

    def job() -> None:
        kept.append(map_concurrent(calls.call, itertools.count(), limit=3))
        next(kept[0])

    spawn(job).join()
    spawn(kept.clear).join()
    wait_until(calls.are_over)


@pytest.mark.parametrize("is_dropped", [True, False])
def test_a_failure_that_nobody_asked_for_is_logged(
    is_dropped: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def call(number: int) -> int:
        if number == 1:
            raise KeyError("unseen")
        return number

    results = map_concurrent(call, range(9), limit=3)
    assert next(results) == 0
    for _ in range(5):
        checkpoint()
    if is_dropped:
        del results
    else:
        results.close()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "nobody asked" in record.getMessage()
    assert "unseen" in caplog.text


def test_a_failure_in_the_cleanup_after_a_break_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def cleanup() -> None:
        raise ValueError("in cleanup")

    calls = Calls(1, cleanup)
    for _ in map_concurrent(calls.call, range(2), limit=2):
        break
    assert "in cleanup" in caplog.text


# All at once...


def test_loops_that_end_at_random_moments_leave_nothing_behind() -> None:
    chance = random.Random(5)
    running = 0

    def call(number: int) -> int:
        nonlocal running
        running += 1
        try:
            for _ in range(chance.randrange(3)):
                sleep(chance.random() * 0.002) if chance.random() < 0.3 else checkpoint()
            if chance.random() < 0.005:
                raise KeyError(number)
            return number
        finally:
            try:
                if chance.random() < 0.3:
                    checkpoint()
            finally:
                running -= 1

    def items() -> Iterator[int]:
        for number in itertools.count():
            if chance.random() < 0.1:
                checkpoint()
            yield number

    def cancel_later(scope: CancelScope) -> None:
        sleep(chance.random() * 0.01)
        scope.cancel()

    def consumer() -> str:
        mine = chance.randrange(1, 60)
        with CancelScope() as scope:
            if chance.random() < 0.5:
                spawn(cancel_later, scope)
            ordered = chance.random() < 0.5
            # Not in a variable, which the traceback of an error would keep alive for a while.
            for taken, _ in enumerate(map_concurrent(call, items(), limit=8, ordered=ordered)):
                if chance.random() < 0.2:
                    checkpoint()
                if taken == mine:
                    break
        return "over"

    handles = [spawn(consumer) for _ in range(400)]
    for handle in handles:
        if chance.random() < 0.1:
            checkpoint()
            handle.cancel()
    for handle in handles:
        handle.join()
        assert handle.error is None or isinstance(handle.error, KeyError | Cancelled), handle.error
    wait_until(lambda: running == 0)


# What it says...


def test_it_says_what_it_does() -> None:
    calls = Calls(2)
    results = map_concurrent(calls.call, itertools.count(), limit=3)
    assert repr(results) == (
        "<Results of map_concurrent of Calls.call, new: 0 running of 3, 0 results taken>"
    )
    assert [next(results), next(results)] == [0, 1]
    wait_until(lambda: len(calls.began) == 5)
    assert results.statistics() == {"limit": 3, "running": 3, "ready": 0, "taken": 2}
    assert repr(results) == (
        "<Results of map_concurrent of Calls.call: 3 running of 3, 2 results taken>"
    )
    results.close()
    assert "closed: 0 running" in repr(results)
    assert results.statistics() == {"limit": 3, "running": 0, "ready": 0, "taken": 2}


def test_what_people_get_wrong() -> None:
    with pytest.raises(ValueError, match="at least 1; not 0"):
        map_concurrent(steps, [1], limit=0)
    with pytest.raises(ValueError, match="not None"):
        map_concurrent(steps, [1], limit=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a function first, then the items"):
        map_concurrent([1], steps, limit=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not iterable"):
        map_concurrent(steps, 7, limit=1)  # type: ignore[arg-type]


def test_another_thread_is_told_that_it_cannot_ask() -> None:
    results = map_concurrent(steps, range(3), limit=1)
    with pytest.raises(WrongThread, match="made in another thread"):
        offload(next, results)
    with pytest.raises(WrongThread, match="made in another thread"):
        offload(results.close)
    assert list(results) == [0, 1, 2]


def test_the_hub_is_told_that_it_cannot_ask() -> None:
    results = map_concurrent(steps, range(3), limit=1)
    told: list[str] = []

    def ask(how: Callable[[], object]) -> None:
        try:
            how()
        except MustNotWait as error:
            told.append(str(error))

    current_hub().run_soon(ask, results.close)
    current_hub().run_soon(ask, results.__next__)
    wait_until(lambda: len(told) == 2)
    assert list(results) == [0, 1, 2]


def test_a_call_that_ends_its_own_map_is_told_so_and_does_not_wait_for_itself() -> None:
    def ends_it(item: int) -> None:
        results.close()

    with fail_after(10), pytest.raises(RuntimeError, match="used by one of its own calls, which"):
        results = map_concurrent(ends_it, range(3), limit=2)
        list(results)


def test_so_is_what_a_call_started_and_the_maker_of_its_items() -> None:
    def takes_in_a_child(item: int) -> None:
        with nursery() as n:
            n.spawn(next, results)

    def items() -> Iterator[object]:
        yield 1
        yield next(results)

    with fail_after(10):
        results: Results[object] = map_concurrent(takes_in_a_child, range(3), limit=2)
        with pytest.raises(ExceptionGroup) as group:
            list(results)
        assert group.group_contains(RuntimeError, match="used by one of its own calls")
        results = map_concurrent(str, items(), limit=2)
        with pytest.raises(RuntimeError, match="used by one of its own calls"):
            list(results)
