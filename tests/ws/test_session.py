"""What is seen to while a handler does something else, and what a client can do to it."""

from __future__ import annotations

import logging
import threading

import pytest
from wsproto.events import Ping

from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep_forever
from photon.ws.errors import PingTimeout, WebSocketClosed
from photon.ws.incoming import AHEAD_BYTES, AHEAD_MESSAGES
from photon.ws.websocket import WebSocket
from tests.clients import Client, wait_until
from tests.ws.client import Closed, Speaker, frame, opening
from tests.ws.serving import Seen, echo, serving


class Gate:
    """A handler that accepts, waits for `open`, and then does something."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.seen = Seen()

    def waiting_for(self, then: object = None) -> object:
        def handler(ws: WebSocket) -> None:
            ws.accept()
            self.open.wait()
            if callable(then):
                then(ws)

        return self.seen.watching(handler)


# Messages that come ahead...


def test_messages_wait_for_a_handler_that_does_something_else() -> None:
    gate = Gate()
    handler = gate.waiting_for(lambda ws: gate.seen.notes.extend(ws))
    with serving(handler) as server, Speaker(server) as speaker:  # type: ignore[arg-type]
        for number in range(10):
            speaker.send(str(number))
        speaker.ping(b"x")
        assert speaker.pong() == b"x"
        assert gate.seen.ws.statistics()["kept"] == 10
        assert gate.seen.ws.statistics()["kept_bytes"] == 10
        gate.open.set()
        speaker.finish()
        wait_until(lambda: len(gate.seen.notes) == 10)
    assert gate.seen.notes == [str(number) for number in range(10)]


@pytest.mark.parametrize("size", [0, 10, 3000, 100_000])
def test_what_is_kept_is_bounded_and_then_the_client_is_held_back(size: int) -> None:
    gate = Gate()
    got: list[int] = []
    count = 2000

    def take(ws: WebSocket) -> None:
        got.extend(len(message) for message in ws)

    handler = gate.waiting_for(take)
    with serving(handler) as server, Speaker(server) as speaker:  # type: ignore[arg-type]
        piece = frame(0x82, b"x" * size)

        def flood() -> None:
            for _ in range(count):
                speaker.raw(piece)
            speaker.say_close()

        writer = threading.Thread(target=flood)
        writer.start()
        wait_until(lambda: gate.seen.ws and gate.seen.ws._session.incoming.is_paused)
        statistics = gate.seen.ws.statistics()
        assert 0 < statistics["kept"] <= AHEAD_MESSAGES
        assert statistics["kept_bytes"] <= AHEAD_BYTES + size
        gate.open.set()
        writer.join()
        wait_until(lambda: len(got) == count)
    assert set(got) == {size}


def test_a_handler_that_takes_some_and_goes_away_again() -> None:
    gate = Gate()
    seen = gate.seen

    def take(ws: WebSocket) -> None:
        for _ in range(AHEAD_MESSAGES + 10):
            seen.notes.append(ws.receive())
        with move_on_after(0.01):
            sleep_forever()
        seen.notes.extend(ws)

    handler = gate.waiting_for(take)
    with serving(handler) as server, Speaker(server) as speaker:  # type: ignore[arg-type]
        for number in range(200):
            speaker.send(str(number))
        wait_until(lambda: seen.ws._session.incoming.is_paused)
        gate.open.set()
        speaker.finish()
        wait_until(lambda: len(seen.notes) == 200)
    assert seen.notes == [str(number) for number in range(200)]


def test_a_ping_and_a_close_right_behind_a_message_are_seen_to() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.receive()
        ws.closed.wait()
        seen.notes.append(ws.close_code)

    with serving(handler, on_disconnect="notify") as server, Speaker(server) as speaker:
        speaker.raw(frame(0x81, b"x") + frame(0x89, b"y") + frame(0x88, b"\x0f\xa1"))
        assert speaker.pong() == b"y"
        with pytest.raises(Closed) as caught:
            speaker.receive()
        assert caught.value.code == 4001
        wait_until(lambda: seen.notes == [4001])


# Pings...


def test_ten_pings_get_ten_pongs() -> None:
    with serving(echo) as server, Speaker(server) as speaker:
        speaker.raw(b"".join(frame(0x89, b"%d" % number) for number in range(10)))
        assert [speaker.pong() for _ in range(10)] == [b"%d" % number for number in range(10)]
        speaker.finish()


@pytest.mark.parametrize("receives", [True, False])
def test_a_flood_of_pings_from_a_client_that_reads_nothing(receives: bool) -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        if receives:
            ws.receive()
        else:
            sleep_forever()

    with serving(seen.watching(handler)) as server:
        with Speaker(server, receive_buffer=4096) as speaker:
            piece = frame(0x89, b"p" * 125) * 100
            for _ in range(1000):
                speaker.raw(piece)
            out = seen.ws._session.out
            assert len(out._tail) <= 17 * 127
            assert len(out._pongs or ()) <= 16
            speaker.reset()
        wait_until(lambda: seen.error is not None)


def test_ping_measures_and_gives_up() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        seen.notes.append(ws.ping(b"once") >= 0)
        with pytest.raises(PingTimeout, match=r"not answered within 0\.02 s"):
            ws.ping()
        with pytest.raises(ValueError, match="at most 125 bytes"):
            ws.ping(b"x" * 126)
        seen.notes.append("given up")

    with serving(handler, ping_timeout_s=0.02, ping_interval_s=0) as server:
        with Speaker(server) as speaker:
            speaker.next_event()
            speaker.answers_pings = False
            speaker.closed()
    assert seen.notes == [True, "given up"]


def test_a_ping_that_waits_when_the_client_leaves() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.ping()

    with serving(seen.watching(handler)) as server, Speaker(server) as speaker:
        speaker.answers_pings = False
        speaker.next_event()
        speaker.finish(4000)
        wait_until(lambda: seen.error is not None)
    assert isinstance(seen.error, WebSocketClosed)
    assert seen.error.code == 4000


# What breaks the protocol...

VIOLATIONS = [
    (frame(0x81, b"x", mask=False), 1002),
    (frame(0xC1, b"x"), 1002),
    (frame(0x83, b"x"), 1002),
    (frame(0x8B, b"x"), 1002),
    (frame(0x80, b"x"), 1002),
    (frame(0x01, b"x") + frame(0x81, b"y"), 1002),
    (frame(0x09, b"x"), 1002),
    (frame(0x89, b"x" * 126), 1002),
    (frame(0x88, b"\x03"), 1002),
    (frame(0x88, b"\x03\xec"), 1002),
    (frame(0x81, b"\xff"), 1007),
    (frame(0x88, b"\x03\xe8\xff"), 1007),
    (frame(0x81, b"", length=1 << 40), 1009),
    (frame(0x82, b"x" * 1001), 1009),
    (frame(0x02, b"x" * 600) * 1 + frame(0x80, b"x" * 600), 1009),
]


@pytest.mark.parametrize(("data", "code"), VIOLATIONS)
@pytest.mark.parametrize("receives", [True, False])
def test_what_breaks_the_protocol_closes(data: bytes, code: int, receives: bool) -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        if receives:
            ws.receive()
        else:
            sleep_forever()

    handler = seen.watching(handler)  # type: ignore[assignment]
    with serving(handler, message_bytes=1000) as server, Speaker(server) as speaker:
        speaker.raw(data)
        with pytest.raises(Closed) as caught:
            speaker.receive()
        assert caught.value.code == code
        assert speaker.read_to_end() == b""
        speaker.close()
        wait_until(lambda: seen.error is not None)
    if receives:
        assert isinstance(seen.error, WebSocketClosed)
        assert seen.error.code == code
    else:
        assert isinstance(seen.error, Cancelled)


def test_endless_fragments_end() -> None:
    with serving(echo, message_frames=100) as server, Speaker(server) as speaker:
        speaker.raw(frame(0x01, b""))
        speaker.raw(frame(0x00, b"") * 200)
        with pytest.raises(Closed) as caught:
            speaker.receive()
        assert caught.value.code == 1009


def test_a_head_that_never_ends_and_a_client_that_vanishes_in_it() -> None:
    seen = Seen()
    with serving(seen.watching(lambda ws: [*ws])) as server:
        with Client(server) as client:
            client.send(opening())
            client.read_until(b"\r\n\r\n")
            client.send(b"\x81")
        wait_until(lambda: seen.ws.close_code is not None)
    assert seen.ws.close_code == 1006
    assert seen.error is None


# Vanishing...


@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_a_client_that_vanishes_while_the_handler_receives(how: str) -> None:
    seen = Seen()
    with serving(seen.watching(lambda ws: ws.receive())) as server, Speaker(server) as speaker:
        {"close": speaker.close, "reset": speaker.reset, "half_close": speaker.end_sending}[how]()
        wait_until(lambda: seen.error is not None)
    assert isinstance(seen.error, WebSocketClosed)
    assert seen.error.code == 1006


def test_a_client_that_vanishes_while_what_it_sent_is_not_taken() -> None:
    gate = Gate()
    handler = gate.waiting_for()
    with serving(handler) as server, Speaker(server) as speaker:  # type: ignore[arg-type]
        for _ in range(100):
            speaker.send("x")
        session = None

        def is_paused() -> bool:
            nonlocal session
            session = gate.seen.ws and gate.seen.ws._session
            return bool(session and session.incoming.is_paused)

        wait_until(is_paused)
        speaker.close()
        assert session is not None
        wait_until(session.upgrade.stream.has_hung_up)
        session.upgrade.look_at(0.0)  # it is asked every 5 s
        wait_until(lambda: gate.seen.error is not None or session.end is not None)
        assert session.end[0] == 1006
        gate.open.set()


def test_a_client_that_vanishes_while_its_end_cannot_be_seen_behind_what_is_not_taken() -> None:
    # Its kernel holds what it had sent, and its FIN behind that, until there is room here. Who is
    # sent something answers that it is gone.
    gate = Gate()
    handler = gate.waiting_for()
    piece = frame(0x82, b"x" * 100_000)
    with serving(handler, ping_interval_s=0.3) as server:  # type: ignore[arg-type]
        with Speaker(server) as speaker:
            speaker.socket.settimeout(0.05)
            with pytest.raises(TimeoutError):
                while True:
                    speaker.raw(piece)
            speaker.socket.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    speaker.socket.recv(100)  # what is unread at a close makes it a reset
        wait_until(lambda: gate.seen.ws.close_code is not None)
        assert gate.seen.ws.close_code == 1006
        gate.open.set()


def test_a_client_that_is_not_read_and_is_there_stays() -> None:
    gate = Gate()
    handler = gate.waiting_for(lambda ws: gate.seen.notes.extend(ws))
    quick = {"ping_interval_s": 0.02, "ping_timeout_s": 0.02}
    with serving(handler, **quick) as server, Speaker(server) as speaker:  # type: ignore[arg-type]
        for number in range(100):
            speaker.send(str(number))
        for _ in range(4):
            assert isinstance(speaker.next_event(), Ping)
        assert gate.seen.ws.is_open
        speaker.answers_pings = False
        gate.open.set()
        assert speaker.finish() == (1000, "")
    assert gate.seen.notes == [str(number) for number in range(100)]


# What an operator reads...


def test_a_violation_is_one_line_in_the_log_that_says_who_and_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "photon.ws")
    with serving(echo, message_bytes=1000) as server, Speaker(server, "/up?secret") as speaker:
        peer = "{}:{}".format(*speaker.socket.getsockname())
        speaker.send("x" * 1001)
        speaker.closed()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "photon.ws"]
    assert line == (
        f"GET /up of {peer}: the client is closed with 1009 (message too big): a message is over "
        "1000 bytes (see WebSocketSettings)"
    )


def test_a_client_that_is_given_up_is_one_line_and_one_that_vanishes_or_closes_is_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "photon.ws")
    with serving(echo, ping_interval_s=0.05, ping_timeout_s=0.05) as server:
        with Speaker(server, "/chat") as speaker:
            speaker.finish()
        with Speaker(server, "/chat") as speaker:
            speaker.reset()
        with Speaker(server, "/chat") as speaker:
            peer = "{}:{}".format(*speaker.socket.getsockname())
            assert speaker.read_to_end()[:1] == b"\x89"  # a ping that gets no pong
    (line,) = [record.getMessage() for record in caplog.records if record.name == "photon.ws"]
    assert line.startswith(f"GET /chat of {peer}: nothing came for ")
