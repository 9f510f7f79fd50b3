"""Channels: order, back-pressure, both ends, their clones and their closing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import pytest

from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.channel import Receiver, Sender, open_channel
from photon.runtime.errors import (
    BrokenChannel,
    Cancelled,
    ChannelError,
    ClosedChannel,
    EndOfChannel,
    MustNotWait,
    WaitTimedOut,
    WouldBlock,
    WrongThread,
)
from photon.runtime.greenlets import checkpoint, sleep_forever, spawn
from photon.runtime.hub import current_hub, existing_hub, getcurrent
from tests.callers import in_hub, in_thread
from tests.clients import wait_until

SOON_S = 0.005


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    hub = current_hub()
    wait_until(lambda: hub.carriers.busy == 0)
    wait_until(lambda: len(hub.deadlines) == 1)  # that of `wait_until` itself


# Items...


@pytest.mark.parametrize("capacity", [0, 1, 2, 7, inf])
def test_items_come_in_order_whatever_the_capacity(capacity: float) -> None:
    sender, receiver = open_channel[int](capacity)

    def produce() -> None:
        with sender:
            for number in range(50):
                sender.send(number)

    handle = spawn(produce)
    assert list(receiver) == list(range(50))
    handle.join()
    assert handle.error is None


def test_who_sends_waits_for_room() -> None:
    sender, receiver = open_channel[int](2)
    story: list[object] = []

    def produce() -> None:
        for number in range(4):
            sender.send(number)
            story.append(number)

    spawn(produce)
    checkpoint()
    assert story == [0, 1]
    assert repr(sender) == "<Sender open, 2 of 2 buffered, 1 waiting to send>"
    assert receiver.receive() == 0
    assert receiver.receive_nowait() == 1  # the third item came into the room at once
    checkpoint()
    assert story == [0, 1, 2, 3]
    assert [receiver.receive(), receiver.receive()] == [2, 3]


def test_with_the_capacity_0_each_send_waits_for_a_receive() -> None:
    sender, receiver = open_channel[str](0)
    handle = spawn(sender.send, "a")
    checkpoint()
    assert handle.state == "running"
    with pytest.raises(WouldBlock, match=r"full; send\(\) waits"):
        sender.send_nowait("b")
    assert receiver.receive_nowait() == "a"
    with pytest.raises(WouldBlock, match=r"empty; receive\(\) waits"):
        receiver.receive_nowait()
    handle.join()
    waiting = spawn(receiver.receive)
    checkpoint()
    sender.send_nowait("c")
    with pytest.raises(WouldBlock):
        sender.send_nowait("d")
    waiting.join()
    assert waiting.result == "c"


def test_several_receivers_are_served_in_the_order_they_came() -> None:
    sender, receiver = open_channel[int](5)
    handles = []
    for _ in range(3):
        handles.append(spawn(receiver.receive))
        checkpoint()
    assert repr(receiver) == "<Receiver open, 0 of 5 buffered, 3 waiting to receive>"
    for number in range(5):
        sender.send(number)
    with pytest.raises(WouldBlock):
        for _ in range(3):
            receiver.receive_nowait()
    for handle in handles:
        handle.join()
    assert [handle.result for handle in handles] == [0, 1, 2]


def test_a_channel_between_greenlets_that_need_not_wait_needs_no_hub() -> None:
    def run() -> object:
        sender, receiver = open_channel[int](1)
        sender.send(1)
        assert receiver.receive() == 1
        sender.close()
        assert list(receiver) == []
        return existing_hub()

    assert in_thread(run) is None


def test_none_is_an_item_like_others() -> None:
    sender, receiver = open_channel[None](1)
    with sender:
        sender.send(None)
    assert list(receiver) == [None]


@pytest.mark.parametrize("capacity", [-1, 1.5, "1", None, -inf, float("nan")])
def test_a_capacity_is_a_number_of_items(capacity: float) -> None:
    with pytest.raises(ValueError, match=r"0, 1, 2 \.\.\. or math\.inf; not"):
        open_channel[int](capacity)


# Waiting has an end...


def test_a_wait_has_an_end() -> None:
    sender, receiver = open_channel[int](0)
    with pytest.raises(WaitTimedOut):
        sender.send(1, timeout=SOON_S)
    with pytest.raises(TimeoutError):
        receiver.receive(timeout=SOON_S)
    with move_on_after(SOON_S) as scope:
        receiver.receive()
    assert scope.cancelled_caught
    with move_on_after(SOON_S) as scope:
        sender.send(2)
    assert scope.cancelled_caught
    assert receiver.statistics() == {
        "buffered": 0,
        "capacity": 0,
        "open_senders": 1,
        "open_receivers": 1,
        "waiting_to_send": 0,
        "waiting_to_receive": 0,
    }
    assert sender.statistics() == receiver.statistics()


def test_callbacks_of_the_hub_send_and_receive_and_do_not_wait() -> None:
    sender, receiver = open_channel[int](1)
    assert isinstance(in_hub(receiver.receive), MustNotWait)
    assert isinstance(in_hub(receiver.receive_nowait), WouldBlock)
    current_hub().run_soon(sender.send_nowait, 1)
    assert receiver.receive() == 1
    sender.send(2)
    assert isinstance(in_hub(lambda: sender.send(3)), MustNotWait)
    assert in_hub(receiver.receive_nowait) == 2


def test_greenlets_of_two_threads_do_not_meet_in_a_channel() -> None:
    sender, receiver = open_channel[int](0)
    handle = spawn(receiver.receive)
    checkpoint()
    for send in (sender.send, sender.send_nowait):
        error = in_thread(lambda send=send: send(1))  # type: ignore[misc]
        assert isinstance(error, WrongThread)
        assert "run_threadsafe" in str(error)
    hub = current_hub()
    hub.accept_mail()
    in_thread(lambda: hub.run_threadsafe(sender.send_nowait, 2))  # the way out
    handle.join()
    assert handle.result == 2


# Closing...


def test_what_is_buffered_when_the_last_sender_closes_is_still_received() -> None:
    sender, receiver = open_channel[int](3)
    other = sender.clone()
    with sender:
        sender.send(1)
    with other:
        other.send(2)
    assert [receiver.receive(), receiver.receive_nowait()] == [1, 2]
    for receive in (receiver.receive, receiver.receive_nowait):
        with pytest.raises(EndOfChannel, match=r"<Receiver open, 0 of 3 .*no sender") as caught:
            receive()
        assert caught.value.end is receiver
        assert isinstance(caught.value, ChannelError)
    assert list(receiver) == []


def test_the_end_reaches_who_waits_to_receive() -> None:
    sender, receiver = open_channel[int](0)
    handles = [spawn(list[int], receiver) for _ in range(2)]
    checkpoint()
    with sender.clone():
        sender.send(1)
        sender.close()
        sender.close()
        checkpoint()
        assert [handle.state for handle in handles] == ["running"] * 2
    for handle in handles:
        handle.join()
    assert sorted(handle.result for handle in handles) == [[], [1]]  # whoever came first


def test_the_last_receiver_breaks_the_channel_and_drops_what_is_buffered() -> None:
    sender, receiver = open_channel[object](1)
    other = receiver.clone()
    sender.send(object())
    handle = spawn(sender.send, object())
    checkpoint()
    receiver.close()
    checkpoint()
    assert handle.state == "running"
    other.close()
    handle.join()
    assert isinstance(handle.error, BrokenChannel)
    assert handle.error.end is sender
    assert sender.statistics()["buffered"] == 0
    for send in (sender.send, sender.send_nowait):
        with pytest.raises(BrokenChannel, match=r"no receiver any more"):
            send(1)


def test_an_end_that_was_closed_is_not_used_again() -> None:
    sender, receiver = open_channel[int](1)
    uses: list[Callable[[], object]] = [
        lambda: sender.send(1),
        lambda: sender.send_nowait(1),
        sender.clone,
        receiver.receive,
        receiver.receive_nowait,
        receiver.clone,
        lambda: list(receiver),
    ]
    other_sender, other_receiver = sender.clone(), receiver.clone()
    with sender, receiver:
        pass
    for use in uses:
        with pytest.raises(ClosedChannel, match=r"<(Sender|Receiver) closed, .* this side"):
            use()
    other_sender.send(2)
    assert other_receiver.receive() == 2


def test_closing_an_end_reaches_who_waits_in_it_and_nobody_else() -> None:
    sender, receiver = open_channel[int](0)
    other = receiver.clone()
    mine, others = spawn(receiver.receive), spawn(other.receive)
    checkpoint()
    receiver.close()
    mine.join()
    assert isinstance(mine.error, ClosedChannel)
    sender.send(1)
    others.join()
    assert others.result == 1
    clone = sender.clone()
    sending, cloned = spawn(sender.send, 2), spawn(clone.send, 3)
    checkpoint()
    sender.close()
    sending.join()
    assert isinstance(sending.error, ClosedChannel)
    assert other.receive() == 3
    cloned.join()
    assert cloned.error is None


def test_statistics_count_the_open_ends() -> None:
    sender, receiver = open_channel[int](4)
    with sender.clone(), receiver.clone(), receiver.clone():
        counts = sender.statistics()
        assert (counts["open_senders"], counts["open_receivers"]) == (2, 3)
    counts = receiver.statistics()
    assert (counts["open_senders"], counts["open_receivers"]) == (1, 1)


# Cancelled in the very moment...


# The cancel is to come before the wake-up that was asked for after it; `test_cancel_stress` has all
# orders.
in_this_order = pytest.mark.photon_seed(False)


def cancelled_receive(receiver: Receiver[int]) -> CancelScope:
    """A greenlet waits to receive, and its cancel is on the way."""
    scope = CancelScope()

    def receive() -> None:
        with scope:
            receiver.receive()
            raise AssertionError

    spawn(receive)
    checkpoint()
    scope.cancel()
    return scope


@in_this_order
@pytest.mark.parametrize("capacity", [0, 1, 5])
def test_an_item_handed_to_a_cancelled_receiver_goes_to_the_next(capacity: int) -> None:
    sender, receiver = open_channel[int](capacity)
    scope = cancelled_receive(receiver)
    handle = spawn(receiver.receive)
    sender.send_nowait(1)
    handle.join()
    assert scope.cancelled_caught
    assert handle.result == 1


@in_this_order
@pytest.mark.parametrize("capacity", [0, 1, 5])
def test_an_item_that_comes_back_is_the_first_and_needs_no_room(capacity: int) -> None:
    sender, receiver = open_channel[int](capacity)
    scope = cancelled_receive(receiver)
    sender.send_nowait(0)

    def produce() -> None:
        with sender:
            for number in range(1, 10):
                sender.send(number)

    spawn(produce)
    for _ in range(capacity):
        sender.send(-1)
    checkpoint()
    assert scope.cancelled_caught
    assert receiver.statistics()["buffered"] == capacity + 1
    assert receiver.statistics()["waiting_to_send"] == 1
    assert list(receiver) == [0, *[-1] * capacity, *range(1, 10)]


@in_this_order
def test_an_item_comes_back_to_no_receiver() -> None:
    sender, receiver = open_channel[int](0)
    scope = cancelled_receive(receiver)
    sender.send_nowait(0)
    receiver.close()
    checkpoint()
    assert scope.cancelled_caught
    assert sender.statistics()["buffered"] == 0


@pytest.mark.parametrize("capacity", [0, 1])
def test_a_send_that_was_received_is_done_and_the_cancel_comes_at_the_next_wait(
    capacity: int,
) -> None:
    sender, receiver = open_channel[int](capacity)
    story: list[str] = []
    for _ in range(capacity):
        sender.send(0)

    def produce() -> None:
        with CancelScope() as scope:
            scopes.append(scope)
            sender.send(1)
            story.append("sent")
            sleep_forever()
        assert scope.cancelled_caught
        story.append("cancelled")

    scopes: list[CancelScope] = []
    handle = spawn(produce)
    checkpoint()
    scopes[0].cancel()
    assert receiver.receive() == 1 - capacity
    handle.join()
    assert handle.error is None
    assert story == ["sent", "cancelled"]


def test_a_send_that_was_received_ends_a_job_that_was_cancelled_at_its_next_wait() -> None:
    sender, receiver = open_channel[int](0)
    story: list[str] = []

    def produce() -> None:
        sender.send(1)
        story.append("sent")
        sleep_forever()

    handle = spawn(produce)
    checkpoint()
    handle.cancel()
    assert receiver.receive() == 1
    handle.join()
    assert handle.state == "cancelled"
    assert story == ["sent"]


def test_a_cancel_that_came_too_late_for_a_send_reaches_nobody_when_the_block_is_left() -> None:
    sender, receiver = open_channel[int](0)
    scope = CancelScope()

    def produce() -> None:
        with scope:
            sender.send(1)
        checkpoint()
        checkpoint()

    def produce_without_scope() -> None:
        sender.send(2)

    handle = spawn(produce)
    checkpoint()
    scope.cancel()
    assert receiver.receive() == 1
    handle.join()
    assert (handle.state, scope.cancelled_caught) == ("done", False)
    handle = spawn(produce_without_scope)
    checkpoint()
    handle.cancel()
    assert receiver.receive() == 2
    handle.join()
    innocent = spawn(checkpoint)  # most likely on the same carrier
    innocent.join()
    assert (handle.state, innocent.state) == ("done", "done")


def test_what_is_no_cancel_of_ours_is_raised_even_if_the_item_was_sent() -> None:
    sender, receiver = open_channel[int](0)
    me = getcurrent()

    def take() -> None:
        assert receiver.receive_nowait() == 1
        me.throw(Cancelled("shutdown"))  # this greenlet is no carrier's: nobody can tell it again

    current_hub().run_soon(take)
    with pytest.raises(Cancelled):
        sender.send(1)


# As users type it...


def test_types_are_those_of_the_items() -> None:
    def produce(sender: Sender[str]) -> None:
        with sender:
            sender.send("text")

    sender, receiver = open_channel[str](1)
    produce(sender)
    text: str = receiver.receive()
    assert text == "text"
    pair: tuple[Sender[int], Receiver[int]] = open_channel(1)
    pair[0].send(1)
    assert pair[1].receive() + 1 == 2


def test_a_channel_in_a_with_says_what_it_is() -> None:
    ends: Any = open_channel(1)
    with pytest.raises(TypeError, match=r"is two ends: `sender, receiver = open_channel\(10\)`"):
        with ends:
            pass
