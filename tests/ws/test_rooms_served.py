"""Rooms of real WebSockets."""

from __future__ import annotations

from contextlib import ExitStack

import msgspec
import pytest

from photon.http.server.server import Server
from photon.runtime.greenlets import sleep_forever
from photon.ws.presence import Presence
from photon.ws.rooms import Rooms
from photon.ws.websocket import WebSocket
from tests.clients import wait_until
from tests.ws.client import Closed, Speaker
from tests.ws.serving import serving


class Chat:
    """Rooms by the query, and a handler that broadcasts what comes."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms

    def handler(self, ws: WebSocket) -> None:
        room = ws.query.get("room", "general")
        with self.rooms.join(room, ws, info={"name": ws.query.get("name")}) as member:
            for message in ws:
                self.rooms.broadcast(room, message, exclude=member if message == "quiet" else None)

    def wait_members(self, count: int) -> None:
        wait_until(lambda: self.rooms.statistics().members == count)


@pytest.fixture
def chat() -> Chat:
    return Chat(Rooms())


def expect_empty(rooms: Rooms) -> None:
    wait_until(lambda: not rooms._house.outboxes)
    assert rooms.statistics().rooms == 0
    assert rooms.statistics().members == 0


def test_what_one_says_all_hear(chat: Chat) -> None:
    with serving(chat.handler) as server:
        with Speaker(server) as one, Speaker(server) as two, Speaker(server, "/?room=b") as other:
            chat.wait_members(3)
            one.send("hello")
            two.send(b"bytes" * 1000)
            assert [one.receive(), one.receive()] == ["hello", b"bytes" * 1000]
            assert [two.receive(), two.receive()] == ["hello", b"bytes" * 1000]
            one.send("quiet")
            assert two.receive() == "quiet"
            other.send("alone")
            assert other.receive() == "alone"
            for speaker in (one, two, other):
                assert speaker.finish() == (1000, "")
        expect_empty(chat.rooms)


@pytest.mark.parametrize("how", ["finish", "close", "reset"])
def test_who_goes_in_whatever_way_has_left(chat: Chat, how: str) -> None:
    with serving(chat.handler) as server:
        with Speaker(server, "/?name=Ada") as one, Speaker(server) as two:
            chat.wait_members(2)
            getattr(one, how)()
            chat.wait_members(1)
            two.send("still here")
            assert two.receive() == "still here"
            two.finish()
        expect_empty(chat.rooms)


def test_a_handler_that_fails_has_left() -> None:
    rooms = Rooms()

    def handler(ws: WebSocket) -> None:
        with rooms.join("a", ws):
            ws.receive()
            raise LookupError

    with serving(handler) as server, Speaker(server) as speaker:
        wait_until(lambda: "a" in rooms)
        speaker.send("x")
        assert speaker.closed()[0] == 1011
        expect_empty(rooms)


def test_a_handler_that_only_listens_leaves_with_its_client() -> None:
    rooms = Rooms()

    def handler(ws: WebSocket) -> None:
        with rooms.join("a", ws):
            sleep_forever()

    with serving(handler, close_timeout_s=0.01) as server, Speaker(server) as speaker:
        wait_until(lambda: "a" in rooms)
        rooms.broadcast("a", {"n": 1})
        assert speaker.receive() == '{"n":1}'
        speaker.close()
        expect_empty(rooms)


def test_it_is_accepted_by_the_handler_or_by_joining() -> None:
    rooms = Rooms()

    def handler(ws: WebSocket) -> None:
        if ws.subprotocols:
            ws.accept(subprotocol="chat")
        with rooms.join("a", ws):
            assert ws.stage == "open"
            ws.receive()

    with serving(handler) as server:
        with Speaker(server) as one, Speaker(server, sec_websocket_protocol="chat") as two:
            assert "sec-websocket-protocol" not in one.handshake.headers
            assert two.handshake.headers["sec-websocket-protocol"] == "chat"
            for speaker in (one, two):
                speaker.finish()


def test_one_that_does_not_read_is_closed_and_delays_nobody() -> None:
    rooms = Rooms(queue=8)
    chat = Chat(rooms)
    with serving(chat.handler, close_timeout_s=0.05) as server:
        with Speaker(server, receive_buffer=4096) as slow, Speaker(server) as fast:
            chat.wait_members(2)
            count = 0
            while rooms.statistics().members == 2:
                rooms.broadcast("general", f"{count} " + "x" * 50_000)
                assert str(fast.receive()).startswith(f"{count} ")
                count += 1
                assert count < 1000
            assert rooms.statistics().closed == 1
            rooms.broadcast("general", "after")
            assert fast.receive() == "after"
            fast.finish()
            wait_until(lambda: not rooms._house.outboxes)
            got = 0
            try:
                while True:
                    assert str(slow.receive()).startswith(f"{got} ")  # nothing missing before
                    got += 1
            except (Closed, EOFError, OSError):
                pass
            assert 0 < got < count
        expect_empty(rooms)


def test_one_that_reads_late_gets_the_latest_under_drop_oldest() -> None:
    rooms = Rooms(queue=4, policy="drop_oldest")
    chat = Chat(rooms)
    with serving(chat.handler) as server, Speaker(server, receive_buffer=4096) as slow:
        chat.wait_members(1)
        count = 0
        while not rooms.statistics().dropped:
            rooms.broadcast("general", f"{count} " + "x" * 50_000)
            count += 1
        rooms.broadcast("general", "the last")
        numbers = []
        while (message := str(slow.receive())) != "the last":
            numbers.append(int(message.split()[0]))
        assert numbers == sorted(numbers)
        assert len(numbers) < count
        slow.finish()
        expect_empty(rooms)


def test_frames_of_rooms_and_of_the_handler_do_not_mix() -> None:
    rooms = Rooms(queue=10_000, queue_bytes=1 << 30)

    def handler(ws: WebSocket) -> None:
        with rooms.join("a", ws):
            ws.receive()
            for number in range(300):
                rooms.broadcast("a", f"room {number} " + "x" * 20_000)
                ws.send(f"handler {number} " + "y" * 20_000)
            ws.receive()

    with serving(handler) as server, Speaker(server, receive_buffer=4096) as speaker:
        speaker.send("go")
        seen: dict[str, list[int]] = {"room": [], "handler": []}
        for _ in range(600):
            who, number, rest = str(speaker.receive()).split()
            assert len(rest) == 20_000
            seen[who].append(int(number))
        assert seen["room"] == seen["handler"] == list(range(300))
        speaker.finish()
        expect_empty(rooms)


def test_many_get_the_same(chat: Chat) -> None:
    def receive_all(server: Server) -> None:
        with ExitStack() as stack:
            speakers = [stack.enter_context(Speaker(server)) for _ in range(200)]
            chat.wait_members(200)
            for number in range(3):
                speakers[number].send(str(number))
                for speaker in speakers:
                    assert speaker.receive() == str(number)
            for speaker in speakers:
                speaker.finish()

    with serving(chat.handler) as server:
        receive_all(server)
        expect_empty(chat.rooms)


def test_compressed_connections_get_the_same_frames(chat: Chat) -> None:
    from wsproto.extensions import PerMessageDeflate

    from photon.ws.settings import Deflate

    with serving(chat.handler, deflate=Deflate()) as server:
        offer = "permessage-deflate; client_max_window_bits"
        extension = PerMessageDeflate()
        with Speaker(server, sec_websocket_extensions=offer) as speaker:
            accepted = speaker.handshake.headers["sec-websocket-extensions"]
            extension.finalize(accepted)
            speaker.connection._proto.extensions.append(extension)
            chat.wait_members(1)
            speaker.send("hello " * 100)
            assert speaker.receive() == "hello " * 100
            speaker.finish()


def test_presence_may_be_told_to_those_who_are_there(chat: Chat) -> None:
    rooms = chat.rooms

    @rooms.on_join
    @rooms.on_leave
    def tell(room: str, who: Presence) -> None:
        names = sorted(each.info["name"] for each in rooms.presence(room))
        rooms.broadcast(room, names, local=True)

    with serving(chat.handler) as server, Speaker(server, "/?name=Ada") as ada:
        assert msgspec.json.decode(ada.receive()) == ["Ada"]
        with Speaker(server, "/?name=Bob") as bob:
            assert ada.receive() == bob.receive() == '["Ada","Bob"]'
            bob.finish()
        assert ada.receive() == '["Ada"]'
        ada.finish()
