"""`spawn` and its handle, `sleep`, `checkpoint`."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest
from gevent import monkey
from gevent._hub_local import get_hub_if_exists
from greenlet import GreenletExit

from photon.runtime.cancel import move_on_after
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, HandleCancelled, MustNotWait, WrongThread
from photon.runtime.greenlets import Turn, checkpoint, sleep, sleep_forever, spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub
from photon.runtime.nursery import nursery
from photon.runtime.sync import Event
from tests.callers import in_hub, in_thread
from tests.clients import PATIENCE_S, wait_until

_start_native_thread = monkey.get_original("_thread", "start_new_thread")

variable = ContextVar("variable", default="nothing")


def nothing_is_left() -> bool:
    """Whether the hub has no deadlines but that of `wait_until`."""
    return len(current_hub().deadlines) <= 1


# spawn...


def test_a_function_runs_when_its_caller_waits_and_gives_its_result() -> None:
    handle = spawn(divmod, 7, 2)
    assert handle.state == "pending"
    with pytest.raises(RuntimeError, match="no result yet"):
        _ = handle.result
    handle.join()
    assert (handle.state, handle.result, handle.error) == ("done", (3, 1), None)
    handle.join()


def test_arguments_by_name_are_handed_on() -> None:
    def fn(a: int, *, b: int) -> int:
        return a - b

    handle = spawn(fn, 5, b=3)
    handle.join()
    assert handle.result == 2


def test_a_child_sees_the_context_of_its_parent_as_it_was_and_keeps_its_own() -> None:
    def child() -> str:
        seen = variable.get()
        variable.set("by the child")
        return seen

    variable.set("then")
    handle = spawn(child)
    variable.set("later")
    handle.join()
    assert handle.result == "then"
    assert variable.get() == "later"
    variable.set("nothing")


@pytest.mark.parametrize("error", [ValueError("oh"), SystemExit(3), KeyboardInterrupt()])
def test_what_a_function_raises_is_kept_and_logged_once(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        checkpoint()
        raise error

    handle = spawn(fail)
    handle.join()
    assert (handle.state, handle.error) == ("failed", error)
    with pytest.raises(type(error)):
        _ = handle.result
    wait_until(lambda: caplog.records)
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "fail" in record.getMessage()


def test_a_greenlet_exit_is_a_failure_too() -> None:
    def leave() -> None:
        raise GreenletExit

    handle = spawn(leave)
    handle.join()
    assert handle.state == "failed"


def test_many_may_wait_for_one() -> None:
    slow = spawn(sleep, 0.01)
    waiters = [spawn(slow.join) for _ in range(10)]
    for waiter in waiters:
        waiter.join()
    assert {waiter.state for waiter in waiters} == {"done"}


def test_a_join_may_be_bounded() -> None:
    forever = spawn(sleep_forever)
    with move_on_after(0.01) as scope:
        forever.join()
    assert scope.cancelled_caught
    assert "running" in repr(forever)
    forever.cancel()
    forever.join()
    assert forever.state == "cancelled"


def test_a_wait_says_whether_it_is_over() -> None:
    gate = Event()
    handle = spawn(gate.wait)
    assert handle.wait(0) is handle.wait(0.001) is False
    assert handle.state == "running"
    spawn(gate.set)
    assert handle.wait() is handle.wait(0) is True
    assert handle.result is True

    failing = spawn(int, "x")
    assert failing.wait(PATIENCE_S) is True
    assert isinstance(failing.error, ValueError)


def test_a_function_that_is_waited_for_in_the_hub_or_in_another_thread_says_so() -> None:
    handle = spawn(sleep_forever)
    for wait in (handle.join, handle.wait):
        assert isinstance(in_hub(wait), MustNotWait)
        assert isinstance(in_thread(wait), WrongThread)

    def join_elsewhere() -> None:
        current_hub()
        handle.join()

    assert isinstance(in_thread(join_elsewhere), WrongThread)
    handle.cancel()
    handle.join()


def test_who_left_a_join_is_not_woken_by_it() -> None:
    slow = spawn(sleep, 0.01)
    with move_on_after(0.001):
        slow.join()
    began = now()
    sleep(0.03)
    assert now() - began >= 0.03


# cancel...


def test_cancel_before_the_start_means_it_never_runs() -> None:
    ran: list[int] = []
    handle = spawn(ran.append, 1)
    handle.cancel("changed my mind")
    assert handle.state == "cancelled"
    handle.join()
    checkpoint()
    assert ran == []
    with pytest.raises(HandleCancelled, match="changed my mind"):
        _ = handle.result


def test_cancel_while_it_waits_raises_there_and_cleanup_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    story: list[str] = []

    def work() -> None:
        try:
            sleep_forever()
        except Cancelled as error:
            story.append(error.reason)
            raise
        finally:
            sleep(0.001)
            story.append("finally")

    handle = spawn(work)
    checkpoint()
    assert handle.state == "running"
    handle.cancel("enough")
    handle.join()
    assert (handle.state, story) == ("cancelled", ["enough", "finally"])
    assert not caplog.records


def test_cancel_after_the_end_does_nothing() -> None:
    handle = spawn(int)
    handle.join()
    handle.cancel()
    assert (handle.state, handle.result) == ("done", 0)


def test_a_cancel_that_comes_after_the_end_does_not_reach_the_next_on_its_carrier() -> None:
    first = spawn(checkpoint)
    checkpoint()
    first.cancel()  # in the same round in which it ends by itself
    second = spawn(sleep, 0.005)
    second.join()
    first.join()
    assert second.state == "done"


def test_a_function_may_cancel_itself() -> None:
    handles: list[Handle[str]] = []

    def work() -> str:
        handles[0].cancel()
        checkpoint()
        return "never"

    handles.append(spawn(work))
    handles[0].join()
    assert handles[0].state == "cancelled"


def test_a_cancel_may_be_swallowed() -> None:
    def work() -> str:
        try:
            sleep_forever()
        except Cancelled:
            pass
        return "done all the same"

    handle = spawn(work)
    checkpoint()
    handle.cancel()
    handle.join()
    assert (handle.state, handle.result) == ("done", "done all the same")


def test_who_asks_for_the_result_of_a_cancelled_handle_is_not_cancelled_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cancelled = spawn(sleep_forever)
    checkpoint()
    cancelled.cancel("enough")
    cancelled.join()
    asker = spawn(lambda: cancelled.result)
    asker.join()
    assert asker.state == "failed"
    assert isinstance(asker.error, HandleCancelled)
    assert isinstance(asker.error, Exception)
    assert isinstance(asker.error.__cause__, Cancelled)
    with move_on_after(60) as scope, pytest.raises(HandleCancelled, match="enough"):
        _ = cancelled.result
    assert not scope.cancelled_caught
    wait_until(lambda: caplog.records)


def test_a_handle_says_what_it_runs_and_how_it_is() -> None:
    handle = spawn(sleep_forever)
    assert repr(handle) == "<Handle sleep_forever pending>"
    checkpoint()
    assert repr(handle) == "<Handle sleep_forever running>"
    handle.cancel()
    handle.join()
    assert repr(handle) == "<Handle sleep_forever cancelled>"


# sleep and checkpoint...


def test_sleepers_wake_in_order_and_none_early() -> None:
    woken: list[tuple[float, float]] = []

    def sleeper(seconds: float) -> None:
        began = now()
        sleep(seconds)
        woken.append((seconds, now() - began))

    handles = [spawn(sleeper, seconds) for seconds in (0.03, 0.01, 0.02, 0.0)]
    for handle in handles:
        handle.join()
    assert [seconds for seconds, _ in woken] == [0.0, 0.01, 0.02, 0.03]
    assert all(took >= seconds for seconds, took in woken)


def test_an_interrupted_sleep_leaves_no_timer() -> None:
    with move_on_after(0.005):
        sleep(60)
    wait_until(nothing_is_left)


def test_a_checkpoint_lets_others_run_first() -> None:
    story: list[str] = []
    spawn(story.append, "other")
    checkpoint()
    story.append("me")
    assert story == ["other", "me"]


def test_a_sleep_of_nothing_is_a_checkpoint() -> None:
    story: list[str] = []
    spawn(story.append, "other")
    sleep(0)
    assert story == ["other"]


def test_a_checkpoint_is_interruptible_and_its_turn_is_taken_back() -> None:
    with move_on_after(0) as scope:
        while True:
            checkpoint()
    assert scope.cancelled_caught
    began = now()
    sleep(0.01)
    assert now() - began >= 0.01


def test_a_loop_of_checkpoints_lets_time_pass() -> None:
    with move_on_after(0.01) as scope:
        while True:
            checkpoint()
    assert scope.cancelled_caught


def test_sleep_forever_does() -> None:
    handle = spawn(sleep_forever)
    sleep(0.01)
    assert handle.state == "running"
    handle.cancel()
    handle.join()


@pytest.mark.parametrize("seconds", [float("nan"), -1, float("-inf")])
def test_a_sleep_of_no_length_is_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="must be a non-negative number"):
        sleep(seconds)


@pytest.mark.parametrize("fn", [sleep, time.sleep])
def test_a_sleep_in_a_native_thread_makes_no_hub(fn: Callable[[float], None]) -> None:
    def work() -> object:
        before = get_hub_if_exists()
        fn(0.001)
        return before, get_hub_if_exists()

    done: list[object] = []
    _start_native_thread(lambda: done.append(work()), ())
    wait_until(lambda: done)
    assert done == [(None, None)]


# Loops that never wait...


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_loop_of_checkpoints_lets_sockets_be_polled(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    reader = spawn(pair[0].recv, 10)
    checkpoint()
    assert reader.state == "running"
    pair[1].send(b"x")
    for _ in range(3):
        checkpoint()
    assert (reader.state, reader.result) == ("done", b"x")


def test_functions_that_spawn_functions_let_sockets_be_polled(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    count = 0

    def again() -> None:
        nonlocal count
        count += 1
        if reader.state != "done" and count < 100_000:
            spawn(again)

    reader = spawn(pair[0].recv, 10)
    checkpoint()
    pair[1].send(b"x")
    spawn(again)
    wait_until(lambda: reader.state == "done")
    assert count <= 5


def test_two_loops_of_checkpoints_let_each_other_run() -> None:
    story: list[str] = []

    def loop(name: str) -> None:
        for _ in range(3):
            story.append(name)
            checkpoint()

    handles = [spawn(loop, "a"), spawn(loop, "b")]
    for handle in handles:
        handle.join()
    assert [set(story[n : n + 2]) for n in (0, 2, 4)] == [{"a", "b"}] * 3


def test_a_turn_lets_others_in_only_when_it_was_long(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 100.0
    story: list[str] = []
    monkeypatch.setattr("photon.runtime.greenlets.now", lambda: moment)
    turn = Turn()
    spawn(story.append, "other")
    for _ in range(1000):
        turn.give_way()
    assert (turn.is_over, story) == (False, [])
    moment += Turn.LONGEST_S * 2
    assert turn.is_over
    turn.give_way()
    assert (turn.is_over, story) == (False, ["other"])  # the next one has begun
    spawn(story.append, "later")
    turn.give_way()
    assert story == ["other"]
    checkpoint()
    assert story == ["other", "later"]


def test_the_first_spawn_of_a_thread_may_be_that_of_a_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub = current_hub()
    monkeypatch.setattr(hub, "region", None)
    monkeypatch.setattr(hub, "regions", [])
    monkeypatch.setattr(hub, "_mail", None)
    with nursery() as n:
        child = n.spawn(lambda: spawn(int, "1"))
    child.result.join()
    assert child.result.result == 1
