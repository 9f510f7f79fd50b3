"""Frames on their way: whole, in order, and bounded, whoever sends and however slow the client."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from wsproto.extensions import PerMessageDeflate

from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep_forever, spawn
from photon.runtime.hub import current_hub, getcurrent
from photon.ws.errors import WebSocketClosed
from photon.ws.frames import text_frame
from photon.ws.outgoing import Outgoing
from photon.ws.settings import Deflate
from photon.ws.websocket import WebSocket
from tests.clients import wait_until
from tests.ws.client import Closed, Speaker, frame
from tests.ws.serving import Seen, serving

BIG = 8 * 1024 * 1024
"""More than the kernel takes for a client that does not read."""


def test_large_messages_of_many_senders_never_mix() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        senders = [spawn(ws.send, chr(97 + n) * 300_000) for n in range(20)]
        for sender in senders:
            sender.join()
            assert sender.error is None

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        got = [speaker.receive() for _ in range(20)]
        # Those who wait are served in the order in which they came.
        assert got == [chr(97 + n) * 300_000 for n in range(20)]
        assert speaker.closed() == (1000, "")


def test_pongs_go_out_between_large_messages() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        for _ in range(4):
            ws.send(b"x" * 4_000_000)

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        speaker.ping(b"between")
        for _ in range(4):
            assert len(speaker.receive()) == 4_000_000
        assert list(speaker.pongs) == [b"between"]
        speaker.closed()


def test_a_client_that_takes_nothing_is_given_up() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.send("x" * BIG)

    watched = seen.watching(handler)
    with serving(watched, seconds={"write_s": 0.05}) as server:
        with Speaker(server, receive_buffer=4096):
            wait_until(lambda: seen.error is not None)
    assert isinstance(seen.error, WebSocketClosed)
    assert seen.error.code == 1006
    assert "took nothing for 0.05 s" in seen.error.reason


def test_all_who_wait_to_send_are_told_when_the_client_is_gone() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        senders = [spawn(ws.send, "x" * BIG) for _ in range(3)]
        for sender in senders:
            sender.join()
            seen.notes.append(type(sender.error))

    watched = seen.watching(handler)
    with serving(watched, on_disconnect="notify") as server:
        with Speaker(server, receive_buffer=4096) as speaker:
            wait_until(lambda: seen.ws and seen.ws.statistics().get("senders") == 2)
            speaker.reset()
        wait_until(lambda: len(seen.notes) == 3)
    assert seen.notes == [WebSocketClosed] * 3


def test_a_sender_that_is_cancelled_in_a_frame_leaves_it_closed() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        with move_on_after(0.02) as scope:
            ws.send("x" * BIG)
        seen.notes.append(scope.cancelled_caught)
        for call in (lambda: ws.send("y"), ws.receive):
            with pytest.raises(WebSocketClosed) as caught:
                call()
            seen.notes.append((caught.value.code, caught.value.reason))

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        wait_until(lambda: len(seen.notes) == 3)
        with pytest.raises((EOFError, ConnectionError)):
            speaker.receive()  # a part of a frame, and never another one behind it
    why = (1006, "a message was cut off, as its sender was interrupted")
    assert seen.notes == [True, why, why]


def test_a_sender_that_is_cancelled_while_it_waits_its_turn_harms_nobody() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        first = spawn(ws.send, "a" * BIG)
        second = spawn(ws.send, "b")
        third = spawn(ws.send, "c")
        wait_until(lambda: ws.statistics()["senders"] == 2)
        second.cancel()
        second.join()
        seen.notes.append(second.state)
        first.join()
        third.join()
        ws.send("d")

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        wait_until(lambda: seen.notes == ["cancelled"])
        got = [speaker.receive() for _ in range(3)]
        assert [str(message)[0] for message in got] == ["a", "c", "d"]
        assert speaker.closed() == (1000, "")


def test_a_turn_that_is_given_to_a_sender_who_is_cancelled_at_that_moment_is_passed_on() -> None:
    """Both in one round of the hub: the stream gets free, and the next in line is cancelled."""
    hub = current_hub()
    done: list[str] = []

    class Pipe:
        """Stands for the connection; takes one byte at most until it is opened."""

        is_open = False

        def __init__(self) -> None:
            self.raw = self
            self.stream = self
            self.waiter: Any = None

        def send(self, data: bytes) -> int:
            return len(data) if self.is_open else 0

        send_nowait = send

        def wait_writable(self) -> None:
            self.waiter = getcurrent()
            hub.park()

    class Session:
        def lose(self, why: str) -> None:
            raise AssertionError(why)

    pipe = Pipe()
    out = Outgoing(Session(), pipe, encode_in_turn=False)  # type: ignore[arg-type]

    def send(name: str) -> None:
        out.send(str.encode, name)
        done.append(name)

    first, second, third = (spawn(send, name) for name in ("1", "2", "3"))
    wait_until(lambda: out.waiting == 2)
    pipe.is_open = True
    hub.run_soon(pipe.waiter.switch)
    hub.run_soon(second._interrupt, Cancelled("scope"))
    third.join()
    assert (first.state, second.state, third.state) == ("done", "cancelled", "done")
    assert done == ["1", "3"]
    assert out.is_free


def test_frames_that_would_have_to_wait_are_not_taken_and_those_taken_are_whole() -> None:
    seen = Seen()
    ready = text_frame("x" * 100_000)

    def handler(ws: WebSocket) -> None:
        ws.accept()
        taken = 0
        while ws.send_frame_nowait(ready):
            taken += 1
        seen.notes.append(taken)
        ws.send_frame(text_frame("last"))

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        wait_until(lambda: seen.notes)
        got = [speaker.receive() for _ in range(seen.notes[0])]
        assert got == ["x" * 100_000] * seen.notes[0]
        assert speaker.receive() == "last"
        assert speaker.closed() == (1000, "")


def test_a_frame_that_was_taken_in_part_goes_out_though_nobody_sends_any_more() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        seen.notes.append(ws.send_frame_nowait(text_frame("x" * BIG)))
        sleep_forever()

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        assert speaker.receive() == "x" * BIG
        speaker.finish()
    assert seen.notes == [True]


def test_a_handler_that_ends_while_others_are_stuck_in_sending() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        spawn(ws.send, "x" * BIG)
        wait_until(lambda: not ws._session.out.is_free)  # type: ignore[union-attr]

    with serving(handler, close_timeout_s=0.05) as server:
        with Speaker(server, receive_buffer=4096):
            wait_until(lambda: not server.connections)


def test_a_close_comes_behind_the_message_that_is_being_sent() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        sender = spawn(ws.send, "x" * BIG)
        wait_until(lambda: not ws._session.out.is_free)  # type: ignore[union-attr]
        ws.close(4000)
        sender.join()
        assert sender.error is None

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        assert len(speaker.receive()) == BIG
        assert speaker.closed() == (4000, "")


def test_compressed_messages_of_many_senders_are_in_order() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        senders = [spawn(ws.send, f"{n} " * 100_000) for n in range(10)]
        for sender in senders:
            sender.join()
        for message in ws:
            ws.send_json({"got": len(message)})

    extension = PerMessageDeflate()
    with serving(handler, deflate=Deflate()) as server:
        with Speaker(
            server,
            receive_buffer=4096,
            extensions=[extension],
            sec_websocket_extensions="permessage-deflate; client_max_window_bits",
        ) as speaker:
            assert "permessage-deflate" in speaker.handshake.headers["sec-websocket-extensions"]
            assert [speaker.receive() for _ in range(10)] == [f"{n} " * 100_000 for n in range(10)]
            speaker.send("x" * 1000)
            assert speaker.receive() == '{"got":1000}'
            assert speaker.finish() == (1000, "")


def test_a_violation_is_told_behind_what_was_sent_before() -> None:
    def handler(ws: WebSocket) -> None:
        ws.send("before")
        sleep_forever()

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.raw(frame(0x83))
        assert speaker.receive() == "before"
        with pytest.raises(Closed) as caught:
            speaker.receive()
        assert caught.value.code == 1002


def test_many_threads_of_nothing_are_left() -> None:
    before = threading.active_count()
    with serving(lambda ws: ws.send("x")) as server:
        for _ in range(50):
            with Speaker(server) as speaker:
                assert speaker.receive() == "x"
                assert speaker.closed() == (1000, "")
    assert threading.active_count() <= before
