"""Frames that wait, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from photon.ws.bounds import Bounds
from photon.ws.frame_queue import FrameQueue

BOUNDS = Bounds(3, 10, "close", 1.0)


def filled(*frames: bytes) -> FrameQueue:
    queue = FrameQueue(BOUNDS)
    for frame in frames:
        queue.put(frame)
    return queue


def test_it_has_room_for_so_many_and_for_so_many_bytes() -> None:
    assert filled().has_room(1000)  # one fits always
    assert filled(b"x" * 9).has_room(1)
    assert not filled(b"x" * 9).has_room(2)
    assert not filled(b"a", b"b", b"c").has_room(1)


def test_it_is_within_its_bounds_or_beyond() -> None:
    assert filled().is_within
    assert filled(b"x" * 1000).is_within
    assert filled(b"a", b"b", b"c").is_within
    assert not filled(b"a", b"b", b"c", b"d").is_within
    assert not filled(b"x" * 9, b"yy").is_within


def test_room_is_made_by_dropping_the_oldest() -> None:
    queue = filled(b"x" * 4, b"y" * 4, b"z")
    assert queue.make_room(6) == 2
    assert queue.take() == (b"z", 1)
    assert filled(b"x", b"y").make_room(1000) == 2


def test_what_is_taken_goes_out_together_up_to_a_size() -> None:
    queue = filled(b"a", b"b", b"x" * 20_000, b"c")
    assert repr(queue) == "<FrameQueue 4 messages, 20003 bytes>"
    assert queue.take() == (b"ab", 2)
    assert queue.take() == (b"x" * 20_000, 1)
    assert queue.take() == (b"c", 1)
    assert (len(queue), queue.bytes) == (0, 0)


def test_what_is_withdrawn_is_the_very_frame() -> None:
    first, second = bytes([1, 2]), bytes([1, 2])
    queue = filled(first, second)
    assert queue.withdraw(second)
    assert not queue.withdraw(second)
    assert queue.take()[0] is first


@given(st.lists(st.tuples(st.sampled_from("ptmwc"), st.binary(max_size=6)), max_size=60))
def test_it_always_knows_what_it_holds(steps: list[tuple[str, bytes]]) -> None:
    queue = FrameQueue(BOUNDS)
    held: list[bytes] = []
    for what, frame in steps:
        if what == "p":
            queue.put(frame)
            held.append(frame)
        elif what == "t" and held:
            batch, count = queue.take()
            assert batch == b"".join(held[:count])
            del held[:count]
        elif what == "m":
            del held[: queue.make_room(len(frame))]
            assert queue.has_room(len(frame))
        elif what == "w" and held:
            assert queue.withdraw(held[-1])
            last = max(i for i, each in enumerate(held) if each is held[-1])
            del held[last]
        elif what == "c":
            assert queue.clear() == len(held)
            held.clear()
        assert (len(queue), queue.bytes) == (len(held), sum(map(len, held)))
