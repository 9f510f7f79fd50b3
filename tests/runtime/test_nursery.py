"""Nurseries: children end before their block does, and no error of them is lost."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from contextvars import ContextVar
from typing import Any

import pytest

from photon.runtime.cancel import CancelScope, fail_after, move_on_after, time_left
from photon.runtime.errors import Cancelled, DeadlineExceeded, HandleCancelled, WrongThread
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.nursery import Nursery, nursery
from photon.runtime.offload import offload


def double(number: int) -> int:
    checkpoint()
    return 2 * number


def fail(message: str = "oh") -> None:
    checkpoint()
    raise ValueError(message)


def test_the_block_ends_when_its_children_have() -> None:
    with nursery() as n:
        handles = [n.spawn(double, number) for number in range(3)]
        assert [handle.state for handle in handles] == ["pending"] * 3
    assert [handle.result for handle in handles] == [0, 2, 4]


def test_children_may_have_siblings() -> None:
    results: list[int] = []

    def parent(n: Nursery, generations: int) -> None:
        results.append(generations)
        if generations:
            n.spawn(parent, n, generations - 1)

    with nursery() as n:
        n.spawn(parent, n, 3)
    assert results == [3, 2, 1, 0]


def test_a_nursery_without_children_is_nothing() -> None:
    with nursery() as n:
        pass
    assert repr(n) == "<Nursery over>"


def test_the_first_failure_cancels_the_others_and_comes_in_a_group() -> None:
    cleaned: list[str] = []

    def wait() -> None:
        try:
            sleep_forever()
        finally:
            cleaned.append("up")

    with pytest.raises(ExceptionGroup, match="a nursery failed: ValueError") as caught:
        with nursery() as n:
            waiting = n.spawn(wait)
            n.spawn(fail)
    assert [str(error) for error in caught.value.exceptions] == ["oh"]
    assert cleaned == ["up"]
    assert waiting.state == "cancelled"
    with pytest.raises(HandleCancelled, match="fail failed"):
        _ = waiting.result


def test_all_failures_are_told() -> None:
    def fail_on_the_way_out() -> None:
        try:
            sleep_forever()
        finally:
            raise KeyError("mine")

    with pytest.raises(ExceptionGroup) as caught:
        with nursery() as n:
            n.spawn(fail_on_the_way_out)
            n.spawn(fail)
    assert {type(error) for error in caught.value.exceptions} == {ValueError, KeyError}


def test_a_failing_block_cancels_its_children() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        with nursery() as n:
            child = n.spawn(sleep_forever)
            checkpoint()
            raise ValueError("mine")
    assert [str(error) for error in caught.value.exceptions] == ["mine"]
    assert caught.value.__cause__ is None
    assert child.state == "cancelled"


def test_a_failing_child_interrupts_the_block_where_it_waits() -> None:
    with pytest.raises(ExceptionGroup):
        with nursery() as n:
            n.spawn(fail)
            sleep_forever()


def test_even_what_is_no_exception_comes_in_the_group() -> None:
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(BaseExceptionGroup) as caught:
        with nursery() as n:
            n.spawn(leave)
    assert isinstance(caught.value.exceptions[0], SystemExit)


def test_cancelling_a_nursery_ends_all_of_it_and_is_no_failure() -> None:
    with nursery() as n:
        child = n.spawn(sleep_forever)
        checkpoint()
        n.cancel("enough")
        sleep_forever()
    assert child.state == "cancelled"
    assert "enough" in str(child.error)


def test_what_is_spawned_in_a_cancelled_nursery_never_begins() -> None:
    with nursery() as n:
        n.cancel()
        child = n.spawn(fail)
    assert child.state == "cancelled"


def test_one_child_may_be_cancelled_alone() -> None:
    with nursery() as n:
        one, other = n.spawn(sleep_forever), n.spawn(double, 4)
        checkpoint()
        one.cancel()
    assert (one.state, other.result) == ("cancelled", 8)


def test_a_nursery_that_is_over_starts_nothing() -> None:
    with nursery() as n:
        pass
    with pytest.raises(RuntimeError, match="is over, so it starts nothing"):
        n.spawn(fail)
    with pytest.raises(RuntimeError, match="was not entered"):
        nursery().spawn(fail)


def test_who_calls_a_function_in_place_of_naming_it_is_told() -> None:
    message = r"not 4: write spawn\(fn, 1\) for spawn\(fn\(1\)\)"
    with pytest.raises(TypeError, match=message):
        spawn(double(2))  # type: ignore[arg-type]
    with pytest.raises(ExceptionGroup) as caught, nursery() as n:
        n.spawn(double(2))  # type: ignore[arg-type]
    assert isinstance(caught.value.exceptions[0], TypeError)


def test_an_async_function_is_told_to_be_none() -> None:
    async def load() -> None: ...

    with pytest.raises(ExceptionGroup) as caught, nursery() as n:
        n.spawn(load)
    assert "load is async, so calling it does nothing here: write def" in str(
        caught.value.exceptions[0]
    )


# What comes from outside...


def test_a_deadline_around_it_reaches_the_children() -> None:
    with pytest.raises(DeadlineExceeded):
        with fail_after(0.01), nursery() as n:
            child = n.spawn(sleep_forever)
    assert child.state == "cancelled"


def test_a_deadline_may_come_while_the_block_waits() -> None:
    with move_on_after(0.01) as scope:
        with nursery() as n:
            child = n.spawn(sleep_forever)
            sleep_forever()
    assert scope.cancelled_caught
    assert child.state == "cancelled"


def test_a_cancel_from_outside_and_a_failure_are_both_told() -> None:
    def fail_on_the_way_out() -> None:
        try:
            sleep_forever()
        finally:
            raise KeyError("mine")

    with pytest.raises(ExceptionGroup) as caught:
        with move_on_after(0.01) as scope:
            with nursery() as n:
                n.spawn(fail_on_the_way_out)
    assert scope.cancelled_caught
    assert [type(error) for error in caught.value.exceptions] == [KeyError]


def test_a_whole_job_that_is_cancelled_waits_for_its_children() -> None:
    story: list[str] = []

    def child() -> None:
        try:
            sleep_forever()
        finally:
            checkpoint()
            story.append("child")

    def job() -> None:
        try:
            with nursery() as n:
                n.spawn(child)
        except Cancelled as error:
            story.append(f"job: {error.reason}")
            raise

    handle = spawn(job)
    checkpoint()
    checkpoint()
    handle.cancel("stop")
    handle.join()
    assert handle.state == "cancelled"
    assert story == ["child", "job: stop"]


def test_a_child_that_is_cancelled_and_fails_has_failed() -> None:
    def fail_on_the_way_out() -> None:
        try:
            sleep_forever()
        finally:
            raise KeyError("mine")

    def child() -> None:
        with nursery() as n:
            n.spawn(fail_on_the_way_out)

    with pytest.raises(ExceptionGroup) as caught:
        with nursery() as n:
            handle = n.spawn(child)
            checkpoint()
            checkpoint()
            n.cancel("enough")
    assert handle.state == "failed"
    inner = caught.value.exceptions[0]
    assert isinstance(inner, ExceptionGroup)
    assert [type(error) for error in inner.exceptions] == [KeyError]


def test_nurseries_within_nurseries_are_cancelled_from_the_outside_in() -> None:
    story: list[int] = []

    def level(depth: int) -> None:
        try:
            if depth:
                with nursery() as n:
                    n.spawn(level, depth - 1)
            else:
                sleep_forever()
        finally:
            story.append(depth)

    with move_on_after(0.01) as scope, nursery() as n:
        n.spawn(level, 3)
    assert scope.cancelled_caught
    assert story == [0, 1, 2, 3]


# What children have of their parents...


def test_its_own_cancel_is_no_failure_within_a_group_of_failures_either() -> None:
    def fail_in_cleanup() -> None:
        try:
            sleep_forever()
        finally:
            raise ValueError("rollback")

    with pytest.raises(ExceptionGroup) as caught, nursery() as outer:
        with nursery() as inner:
            inner.spawn(fail_in_cleanup)
            checkpoint()
            outer.cancel("enough")
            sleep_forever()
    assert outer.cancel_scope.cancelled_caught
    failed, cancelled = caught.value.split(ValueError)
    assert failed is not None
    assert cancelled is None


def test_its_scope_knows_whether_the_block_was_interrupted() -> None:
    with nursery() as n:
        n.cancel()
        checkpoint()
    assert n.cancel_scope.cancelled_caught
    with nursery() as n:
        n.cancel()
    assert not n.cancel_scope.cancelled_caught


def test_another_thread_starts_no_children() -> None:
    with nursery() as n:
        with pytest.raises(WrongThread, match="is of another thread"):
            offload(n.spawn, checkpoint)


def test_context_variables_follow_the_tree() -> None:
    name: ContextVar[str] = ContextVar("name")
    seen: list[str] = []

    def child(n: Nursery, own: str) -> None:
        seen.append(name.get())
        name.set(own)
        if own == "child":
            n.spawn(child, n, "grandchild")

    def parent() -> None:
        name.set("parent")
        with nursery() as n:
            n.spawn(child, n, "child")
        seen.append(name.get())

    spawn(parent).join()
    assert seen == ["parent", "child", "parent"]


def test_deadlines_are_inherited_and_the_shorter_one_wins() -> None:
    left: list[float | None] = []

    def child(seconds: float) -> None:
        with move_on_after(seconds):
            left.append(time_left())

    assert time_left() is None
    with move_on_after(60), nursery() as n:
        n.spawn(child, 3600)
        n.spawn(child, 30)
    assert left[0] is not None
    assert left[1] is not None
    assert 50 < left[0] <= 60
    assert 20 < left[1] <= 30
    assert time_left() is None


def test_the_time_that_is_left_is_never_negative() -> None:
    with CancelScope(deadline=0.0):
        assert time_left() == 0.0


def test_a_scope_is_not_the_business_of_what_is_spawned_for_the_application() -> None:
    with move_on_after(60):
        handle = spawn(time_left)
        handle.join()
    assert handle.result is None


def test_a_generator_with_a_nursery_may_be_closed_early() -> None:
    ended: list[str] = []

    def wait(message: str = "") -> None:
        try:
            sleep_forever()
        except Cancelled as error:
            ended.append(error.reason)
            if message:
                fail(message)

    def numbers(message: str = "") -> Generator[int, None, None]:
        with nursery() as n:
            n.spawn(wait, message)
            yield 1
            checkpoint()
            yield 2

    closed = numbers()
    assert next(closed) == 1
    assert next(closed) == 2
    closed.close()  # raises nothing, as nothing failed
    assert ended == ["the generator with its nursery was closed"]

    fails = numbers("while it cleaned up")
    assert [next(fails), next(fails)] == [1, 2]
    with pytest.raises(ExceptionGroup) as caught:
        fails.close()
    assert [str(error) for error in caught.value.exceptions] == ["while it cleaned up"]


def test_it_says_what_it_is() -> None:
    with nursery() as n:
        n.spawn(sleep, 0.001)
        assert repr(n) == "<Nursery 1 children>"
        n.cancel()
        assert "cancelled" in repr(n)


def test_a_child_that_swallows_its_cancel_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photon.runtime.handle.RETELL_S", 0.01)
    told: list[str] = []

    def stubborn() -> None:
        while len(told) < 3:
            try:
                sleep_forever()
            except Cancelled as error:
                told.append(str(error))

    with nursery() as n:
        child = n.spawn(stubborn)
        checkpoint()
        n.cancel("enough")
    assert child.state == "done"
    assert told == ["cancelled by scope: enough"] * 3


def test_a_call_that_is_forgotten_is_told() -> None:
    uncalled: Any = nursery
    with pytest.raises(TypeError, match=r"is to be called: write `with nursery\(\) as n:`"):
        with uncalled as n:
            n.spawn(double, 2)
    with pytest.raises(AttributeError, match=r"write `with nursery\(\) as n:`, then n\.spawn"):
        uncalled.spawn(double, 2)
    assert not hasattr(uncalled, "__nothing__")
    assert (uncalled.__name__, repr(uncalled)) == ("nursery", "<nursery() for a with>")
    assert inspect.signature(uncalled) == inspect.Signature(return_annotation="Nursery")


def test_a_failure_knows_where_its_function_was_spawned_and_who_spawned_that() -> None:
    def failing() -> None:
        raise LookupError("nothing there")

    def between() -> None:
        with nursery() as inner:
            inner.spawn(failing)

    with pytest.raises(BaseExceptionGroup) as caught:
        with nursery() as n:
            n.spawn(between)
    (inside,) = caught.value.exceptions
    assert isinstance(inside, BaseExceptionGroup)
    (failure,) = inside.exceptions
    functions = [name for _, _, name in failure.__dict__["__spawned_at__"]]
    assert functions[0] == "between"
    assert "test_a_failure_knows_where_its_function_was_spawned_and_who_spawned_that" in functions
    assert functions.index(functions[0]) < len(functions) - 1
