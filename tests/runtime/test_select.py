"""select: exactly one of several things happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_type

import pytest

from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.channel import open_channel
from photon.runtime.errors import (
    BrokenChannel,
    ClosedChannel,
    EndOfChannel,
    MustNotWait,
    WaitTimedOut,
    WouldBlock,
    WrongThread,
)
from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.runtime.hub import current_hub
from photon.runtime.select import select
from photon.runtime.sync import Event
from tests.callers import in_hub, in_thread, start_thread
from tests.clients import wait_until

SOON_S = 0.005


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    hub = current_hub()
    wait_until(lambda: hub.carriers.busy == 0)
    wait_until(lambda: len(hub.deadlines) == 1)  # that of `wait_until` itself


# What is ready...


def test_what_is_ready_is_done_at_once() -> None:
    numbers_in, numbers = open_channel[int](1)
    texts_in, texts = open_channel[str](1)
    stop = Event()
    texts_in.send("text")
    assert select(numbers, texts, stop) == (texts, "text")
    assert select(numbers, numbers_in.sending(7)) == (numbers_in, 7)
    assert select(numbers, texts) == (numbers, 7)
    stop.set()
    assert select(numbers, texts, stop) == (stop, True)


def test_of_several_that_are_ready_one_is_done_by_fair_chance() -> None:
    ends = [open_channel[int](1000) for _ in range(4)]
    for sender, _ in ends:
        for number in range(1000):
            sender.send(number)
    receivers = [receiver for _, receiver in ends[1:]]
    for _ in range(900):
        select(*receivers)
    left = [receiver.statistics()["buffered"] for receiver in receivers]
    assert sum(left) == 3 * 1000 - 900
    assert all(600 < count < 800 for count in left), left  # 100 are 7 standard deviations


def test_one_operation_is_a_selection_too() -> None:
    sender, receiver = open_channel[int](1)
    assert select(sender.sending(1)) == (sender, 1)
    assert select(receiver) == (receiver, 1)


# What is waited for...


def test_the_first_that_can_be_done_is_and_the_others_are_as_before() -> None:
    a_in, a = open_channel[int](0)
    b_in, b = open_channel[int](0)
    c_in, c = open_channel[int](0)
    handle = spawn(select, a, b, c_in.sending(3))
    checkpoint()
    for end in (a, b):
        assert end.statistics()["waiting_to_receive"] == 1
    assert c.statistics()["waiting_to_send"] == 1
    b_in.send_nowait(2)
    # At once, though its greenlet did not run yet.
    with pytest.raises(WouldBlock):
        a_in.send_nowait(1)
    with pytest.raises(WouldBlock):
        c.receive_nowait()
    handle.join()
    assert handle.result == (b, 2)
    for end in (a, b, c):
        counts = end.statistics()
        assert (counts["waiting_to_receive"], counts["waiting_to_send"]) == (0, 0)


def test_a_selection_sends_when_somebody_receives() -> None:
    a_in, a = open_channel[str](0)
    _, b = open_channel[int](0)
    handle = spawn(select, b, a_in.sending("x"))
    checkpoint()
    assert a.receive() == "x"
    handle.join()
    assert handle.result == (a_in, "x")


def test_two_selections_meet() -> None:
    a_in, a = open_channel[int](0)
    b_in, b = open_channel[int](0)
    one = spawn(select, a_in.sending(1), b_in.sending(2))
    other = spawn(select, a, b)
    one.join()
    other.join()
    which, value = other.result
    assert one.result == ((a_in, 1) if which is a else (b_in, 2))
    assert value == one.result[1]


def test_a_selection_does_not_meet_itself() -> None:
    sender, receiver = open_channel[int](0)
    assert select(receiver, sender.sending(1), timeout=SOON_S, default=0) == (None, 0)
    handle = spawn(select, receiver, sender.sending(1))
    checkpoint()
    sender.send(2)
    handle.join()
    assert handle.result == (receiver, 2)


def test_the_same_thing_may_stand_twice() -> None:
    sender, receiver = open_channel[int](0)
    stop = Event()
    for operations in ([receiver, receiver], [stop, receiver, stop]):
        handle = spawn(select, *operations)
        checkpoint()
        sender.send(1)
        handle.join()
        assert handle.result == (receiver, 1)
    stopped = spawn(select, stop, stop)
    sent = spawn(select, sender.sending(1), sender.sending(2))
    checkpoint()
    stop.set()
    assert receiver.receive() == 1
    stopped.join()
    sent.join()
    assert (stopped.result, sent.result) == ((stop, True), (sender, 1))
    assert receiver.statistics()["waiting_to_send"] == 0


def test_an_event_ends_a_selection_from_any_thread() -> None:
    _, receiver = open_channel[int](0)
    stop = Event()
    start_thread(stop.set, ())
    assert select(receiver, stop) == (stop, True)


def test_a_handle_ends_a_selection_however_it_ends() -> None:
    def fail() -> None:
        checkpoint()
        raise LookupError("of the job")

    _, receiver = open_channel[int](0)
    stop = Event()
    for fn, state in ((checkpoint, "done"), (fail, "failed")):
        job = spawn(fn)
        assert select(receiver, stop, job) == (job, True)
        assert job.state == state
        assert select(job, receiver) == (job, True)  # it is over, as often as it is asked
    cancelled = spawn(sleep_forever)
    spawn(cancelled.cancel)
    assert select(receiver, cancelled) == (cancelled, True)
    assert cancelled.state == "cancelled"
    assert receiver.statistics()["waiting_to_receive"] == 0


def test_a_handle_that_goes_on_is_left_alone() -> None:
    stop = Event()
    job = spawn(sleep_forever)
    for _ in range(100):
        assert select(job, stop, timeout=0, default=None) == (None, None)
    chosen = spawn(select, stop, job)
    checkpoint()
    stop.set()
    chosen.join()
    assert chosen.result == (stop, True)
    assert job.state == "running"
    assert len(job._line or ()) == 0
    job.cancel()
    job.join()


def test_a_cancelled_selection_of_a_handle_is_cancelled_and_the_next_has_it() -> None:
    gate = Event()
    job = spawn(gate.wait)
    scope = CancelScope()

    def choose() -> None:
        with scope:
            select(job)
            raise AssertionError

    first, second = spawn(choose), spawn(select, job, Event())
    checkpoint()
    gate.set()
    scope.cancel()
    second.join()
    assert second.result == (job, True)
    first.join()
    assert first.state == "done"


def test_who_waits_longest_in_a_line_is_served_first_whether_it_selects_or_not() -> None:
    sender, receiver = open_channel[int](0)
    _, other = open_channel[int](0)
    handles = [
        spawn(receiver.receive),
        spawn(lambda: select(other, receiver)[1]),
        spawn(receiver.receive),
    ]
    checkpoint()
    for number in range(3):
        sender.send(number)
    for handle in handles:
        handle.join()
    assert [handle.result for handle in handles] == [0, 1, 2]


# How it ends...


def test_a_selection_has_an_end_or_a_default() -> None:
    _, a = open_channel[int](0)
    b_in, _b = open_channel[int](0)
    with pytest.raises(WaitTimedOut, match=r"0\.005 s"):
        select(a, b_in.sending(1), timeout=SOON_S)
    assert select(a, b_in.sending(1), timeout=SOON_S, default="none") == (None, "none")
    assert select(a, b_in.sending(1), default=None) == (None, None)
    with move_on_after(SOON_S) as scope:
        select(a, b_in.sending(1))
    assert scope.cancelled_caught
    for end in (a, b_in):
        counts = end.statistics()
        assert (counts["waiting_to_receive"], counts["waiting_to_send"]) == (0, 0)


def test_with_a_default_a_callback_may_select() -> None:
    sender, receiver = open_channel[int](1)
    assert in_hub(lambda: select(receiver, default=None)) == (None, None)
    error = in_hub(lambda: select(receiver))
    assert isinstance(error, MustNotWait)
    sender.send(1)
    assert in_hub(lambda: select(receiver, default=None)) == (receiver, 1)


def test_an_error_says_which_end_it_is_about() -> None:
    a_in, a = open_channel[int](0)
    b_in, b = open_channel[int](0)
    _, never = open_channel[int](0)
    handle = spawn(select, never, a, b)
    checkpoint()
    a_in.close()
    handle.join()
    assert isinstance(handle.error, EndOfChannel)
    assert handle.error.end is a
    with pytest.raises(EndOfChannel):
        select(never, a)
    handle = spawn(select, never, b_in.sending(1))
    checkpoint()
    b.close()
    handle.join()
    assert isinstance(handle.error, BrokenChannel)
    assert handle.error.end is b_in
    b_in.close()
    with pytest.raises(ClosedChannel):
        select(never, b_in.sending(1))
    handle = spawn(select, never, never)
    checkpoint()
    never.close()
    handle.join()
    assert isinstance(handle.error, ClosedChannel)


def test_items_handed_to_a_cancelled_selection_come_back() -> None:
    a_in, a = open_channel[int](0)
    b_in, b = open_channel[int](0)
    scope = CancelScope()

    def choose() -> None:
        with scope:
            select(a, b)
            raise AssertionError

    handle = spawn(choose)
    checkpoint()
    scope.cancel()
    b_in.send_nowait(1)
    handle.join()
    assert scope.cancelled_caught
    assert (a.statistics()["buffered"], b.receive_nowait()) == (0, 1)
    a_in.close()


def test_greenlets_of_two_threads_do_not_meet_in_a_selection() -> None:
    _, a = open_channel[int](0)
    _, b = open_channel[int](0)
    handle = spawn(b.receive)
    checkpoint()

    def choose() -> None:
        current_hub()
        select(a, b)

    assert isinstance(in_thread(choose), WrongThread)
    assert a.statistics()["waiting_to_receive"] == 0
    assert isinstance(in_thread(lambda: select(a, b)), WrongThread)

    def choose_handle() -> None:
        current_hub()
        select(a, handle)

    error = in_thread(choose_handle)
    assert isinstance(error, WrongThread)
    assert "runs in another thread" in str(error)
    assert a.statistics()["waiting_to_receive"] == 0
    handle.cancel()
    handle.join()


def test_mistakes_are_told() -> None:
    sender, receiver = open_channel[int](0)
    with pytest.raises(TypeError, match="nothing to wait for"):
        select()
    wrong: Any = sender
    with pytest.raises(TypeError, match=r"cannot wait for <Sender .*sender\.sending\(item\)"):
        select(receiver, wrong)
    wrong = 5
    with pytest.raises(TypeError, match=r"cannot wait for 5; .* such as ws\.closed, and handles"):
        select(wrong)
    assert repr(sender.sending(3)).startswith("<Sending 3 by <Sender open")


def test_values_have_the_types_of_the_items() -> None:
    numbers_in, numbers = open_channel[int](1)
    _, texts = open_channel[str](0)
    numbers_in.send(1)
    which, value = select(numbers, texts)
    assert_type(value, int | str)
    assert which is numbers
    numbers_in.send(1)
    assert_type(select(numbers, texts, Event())[1], int | str | bool)
    assert_type(select(numbers, texts, default=None)[1], int | str | None)
    numbers_in.send(1)
    assert_type(select(numbers)[1], int)
    assert_type(select(Event(), spawn(int))[1], bool)
