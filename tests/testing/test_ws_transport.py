"""Bytes that go and come, over a link that does what the test says."""

from __future__ import annotations

from collections.abc import Callable

from photon.testing.ws_protocol import ClientProtocol, Frame
from photon.testing.ws_transport import Transport


class PretendLink:
    """Takes `room` bytes at a time, gives what `inbox` holds."""

    failure = None

    def __init__(self) -> None:
        self.room = 1000
        self.sent = bytearray()
        self.inbox: list[bytes | OSError] = []
        self.waits: list[bool] = []
        self.on_wait: Callable[[], object] | None = None
        self.look: Callable[[], object] | None = None
        self.has_vanished = False

    def send_some(self, data: memoryview) -> int:
        if self.room < 0:
            raise BrokenPipeError
        taken = bytes(data[: self.room])
        self.sent += taken
        return len(taken)

    def receive_some(self) -> bytes | None:
        if not self.inbox:
            return None
        data = self.inbox.pop(0)
        if isinstance(data, OSError):
            raise data
        return data

    def wait(self, seconds: float, *, to_send: bool = False) -> bool:
        self.waits.append(to_send)
        if self.on_wait is None:
            return False
        self.on_wait()
        return True

    def settle(self) -> None: ...
    def watch(self, look: Callable[[], object]) -> None:
        self.look = look

    def whereabouts(self) -> str:
        return ""

    def finish(self, seconds: float) -> bool:
        return True

    def vanish(self) -> None:
        self.has_vanished = True

    def close(self) -> None: ...


def made(rest: bytes = b"") -> tuple[PretendLink, Transport]:
    link = PretendLink()
    return link, Transport(link, ClientProtocol(), rest)


def frame(payload: bytes) -> bytes:
    """One binary frame of a server."""
    return b"\x82\x7e" + len(payload).to_bytes(2, "big") + payload


PING = b"\x89\x00"


def test_what_came_behind_the_head_is_not_lost() -> None:
    _, transport = made(b"\x81\x02hi")
    assert transport.protocol.next_message() == "hi"


def test_it_sends_piece_by_piece_and_takes_what_comes_meanwhile() -> None:
    link, transport = made()
    link.room = 0
    link.inbox.append(b"\x81\x02hi")

    def make_room() -> None:
        link.room = 3

    link.on_wait = make_room
    assert transport.send(b"0123456789", 1.0)
    assert link.sent == b"0123456789"
    assert transport.protocol.next_message() == "hi"
    assert link.waits == [True]


def test_who_takes_nothing_is_given_up() -> None:
    link, transport = made()
    link.room = 0
    assert not transport.send(b"x", 1.0)


def test_who_has_gone_takes_everything() -> None:
    link, transport = made()
    link.room = -1
    assert transport.send(b"x", 1.0)
    link.inbox.append(ConnectionResetError())
    assert transport.take()
    assert transport.has_ended
    assert transport.is_over
    assert not transport.take()


def test_nothing_is_taken_ahead_without_end() -> None:
    link, transport = made()
    link.inbox += [frame(b"x" * 60_000)] * 10
    assert link.look is not None
    link.look()
    assert len(link.inbox) == 8
    transport.protocol.next_message()
    transport.protocol.next_message()
    transport.take_ahead()
    assert len(link.inbox) == 6


def test_answers_wait_for_room() -> None:
    link, transport = made()
    link.room = 0
    link.inbox.append(PING)
    transport.take_ahead()
    assert transport.protocol.next_frame() == Frame("ping", b"")
    assert not transport.wait(1.0)
    assert link.waits == [True]
    link.room = 100
    assert transport.wait(1.0)
    assert link.sent[:1] == b"\x8a"
    assert not transport.wait(1.0)
    assert link.waits == [True, False]


def test_it_vanishes() -> None:
    link, transport = made()
    transport.abort()
    assert link.has_vanished
    assert transport.is_over
