"""What waits for one connection, and what is done when it does not keep up."""

from __future__ import annotations

import logging

import pytest

from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.hub import current_hub
from photon.ws.bounds import POLICIES, Bounds, Policy
from photon.ws.outbox import Outbox
from tests.clients import PATIENCE_S, wait_until
from tests.ws.members import Fake, Plain


class Tally:
    def __init__(self) -> None:
        self.sent = self.dropped = self.closed = 0


class Box:
    """An outbox with all that is around it."""

    def __init__(
        self, connection: Fake | Plain, policy: Policy = "close", messages: int = 3, size: int = 99
    ) -> None:
        self.tally = Tally()
        self.gone: list[Outbox] = []
        self.emptied: list[Outbox] = []
        self.outbox = Outbox(
            connection,
            Bounds(messages, size, policy, 1.0),
            self.tally,
            on_gone=self.gone.append,
            on_empty=self.emptied.append,
        )
        self.put = self.outbox.put


def text(message: str) -> bytes:
    return bytes([0x81, len(message)]) + message.encode()


def test_what_the_client_takes_needs_no_greenlet() -> None:
    fake = Fake()
    box = Box(fake)
    busy = current_hub().carriers.statistics()
    assert box.put(text("a"))
    assert box.put(text("b"))
    assert fake.messages == ["a", "b"]
    assert current_hub().carriers.statistics() == busy
    assert (box.tally.sent, box.outbox.sent, box.outbox.queued) == (2, 2, 0)


def test_what_it_does_not_take_waits_and_comes_in_order() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, messages=5)
    for message in "abc":
        box.put(text(message))
    checkpoint()
    assert fake.messages == []
    box.put(text("d"))
    fake.is_slow = False
    box.put(text("e"))  # it is not overtaken, though the client would take it now
    wait_until(lambda: box.emptied)
    assert fake.messages == list("abcde")
    assert box.outbox.is_idle
    box.put(text("f"))
    assert fake.messages == list("abcdef")
    assert fake.calls == 2  # those that waited go out together


def test_a_connection_that_can_only_wait_gets_all_by_a_greenlet() -> None:
    plain = Plain()
    box = Box(plain)
    box.put(text("a"))
    assert plain.frames == []
    wait_until(lambda: plain.frames == [text("a")])


def fill(box: Box, fake: Fake) -> None:
    """One that is being sent, and three that wait."""
    box.put(text("0"))
    wait_until(lambda: fake.calls == 1)
    for message in "abc":
        assert box.put(text(message))
    assert box.outbox.queued == 3


def test_policy_close_is_1013_and_nothing_waits_any_more(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "photon.ws")
    fake = Fake(is_slow=True)
    box = Box(fake)
    fill(box, fake)
    assert box.put(text("d"))
    assert box.gone == [box.outbox]
    assert not box.outbox.is_open
    wait_until(lambda: fake.closed is not None)
    assert fake.closed == (1013, "too slow: messages were piling up")
    assert (box.tally.closed, box.tally.dropped, box.outbox.queued) == (1, 3, 0)
    (record,) = caplog.records
    assert "3 messages (9 bytes) waited for it" in record.message
    box.put(text("e"))
    wait_until(lambda: box.outbox.is_idle)
    assert len(caplog.records) == 1


def test_policy_drop_oldest_keeps_the_latest() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, "drop_oldest")
    fill(box, fake)
    for message in "de":
        assert box.put(text(message))
    fake.is_slow = False
    wait_until(lambda: box.emptied)
    assert fake.messages == ["0", "c", "d", "e"]
    assert box.tally.dropped == box.outbox.dropped == 2


def test_policy_drop_newest_keeps_what_was_first() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, "drop_newest")
    fill(box, fake)
    assert box.put(text("d"))
    fake.is_slow = False
    wait_until(lambda: box.emptied)
    assert fake.messages == ["0", "a", "b", "c"]
    assert box.tally.dropped == 1


def test_policy_block_has_the_sender_wait_until_there_is_room() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, "block")
    fill(box, fake)
    assert not box.put(text("d"), can_wait=True)
    waiting = spawn(box.outbox.wait_for_room, PATIENCE_S)
    checkpoint()
    assert waiting.state == "running"
    fake.is_slow = False
    waiting.join()
    assert waiting.result is True
    wait_until(lambda: box.emptied)
    assert fake.messages == ["0", "a", "b", "c", "d"]


def test_policy_block_closes_for_who_cannot_wait() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, "block")
    fill(box, fake)
    assert box.put(text("d"))
    wait_until(lambda: fake.closed is not None)


def test_what_is_taken_back_is_not_sent() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, "block")
    fill(box, fake)
    frame = text("d")
    box.put(frame, can_wait=True)
    assert not box.outbox.wait_for_room(0)
    box.outbox.withdraw(frame)
    box.outbox.withdraw(frame)
    assert box.outbox.wait_for_room(0)
    fake.is_slow = False
    wait_until(lambda: box.emptied)
    assert fake.messages == ["0", "a", "b", "c"]


def test_bytes_are_bounded_too_and_one_message_always_fits() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, "drop_newest", messages=100, size=10)
    box.put(text("0"))
    wait_until(lambda: fake.calls == 1)
    box.put(text("x" * 50))
    box.put(text("y"))
    assert (box.outbox.queued, box.tally.dropped) == (1, 1)
    assert box.outbox.wait_for_room(0)
    fake.is_slow = False
    wait_until(lambda: box.emptied)
    assert fake.messages == ["0", "x" * 50]


@pytest.mark.parametrize("policy", POLICIES)
def test_a_connection_that_is_gone_is_told_of_once(policy: Policy) -> None:
    fake = Fake()
    box = Box(fake, policy)
    fake.is_gone = True
    for _ in range(3):
        assert box.put(text("a"))
    assert box.gone == [box.outbox]
    assert fake.closed is None


def test_a_connection_that_goes_while_messages_wait() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake)
    fill(box, fake)
    fake.is_gone = True
    wait_until(lambda: box.gone)
    wait_until(lambda: box.outbox.is_idle)
    assert box.tally.dropped == 3
    assert box.outbox.wait_for_room(0)


def test_who_waits_for_room_is_let_go_when_the_connection_is_gone() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake, "block")
    fill(box, fake)
    box.put(text("d"), can_wait=True)
    waiting = spawn(box.outbox.wait_for_room, PATIENCE_S)
    checkpoint()
    fake.is_gone = True
    waiting.join()
    assert waiting.result is True


def test_a_send_that_fails_in_another_way_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Fake):
        def send_frame_nowait(self, frame: bytes) -> bool:
            raise ZeroDivisionError

    box = Box(Broken())
    box.put(text("a"))
    assert box.gone
    assert "could not be sent" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_it_shows_what_is_inside() -> None:
    fake = Fake(is_slow=True)
    box = Box(fake)
    fill(box, fake)
    assert repr(box.outbox) == "<Outbox open, 3 queued, of <Fake>>"
    statistics = box.outbox.statistics()
    assert (statistics.queued, statistics.queued_bytes) == (3, 9)
    assert (statistics.sent, statistics.dropped) == (0, 0)
    fake.is_gone = True
    wait_until(lambda: box.outbox.is_idle)
