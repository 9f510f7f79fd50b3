"""`spawn` and its handle, `sleep`, `checkpoint`."""

from __future__ import annotations

import logging
from contextvars import ContextVar

import pytest
from greenlet import GreenletExit

from photon.runtime.cancel import move_on_after
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, HandleCancelled
from photon.runtime.greenlets import Handle, checkpoint, sleep, sleep_forever, spawn
from photon.runtime.hub import current_hub
from tests.clients import wait_until

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
