"""What handlers do with a WebSocket, over real sockets."""

from __future__ import annotations

import re
import threading
from typing import Any

import msgspec
import pytest

from photon.http.errors import HTTPError
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.runtime.select import select
from photon.runtime.sync import Event
from photon.ws.elsewhere import OF_WEBSOCKETS
from photon.ws.errors import InvalidCloseCode, InvalidMessage, UnsendableText, WebSocketClosed
from photon.ws.frames import text_frame
from photon.ws.websocket import WebSocket
from tests.clients import Client, wait_until
from tests.ws.client import Closed, Speaker, frame, opening
from tests.ws.serving import Seen, echo, serving

# Messages...


@pytest.mark.parametrize(
    "message",
    ["hello", "", "grüße 👋", "x" * 126, "x" * 70_000, b"bytes", b"", bytes(range(256)) * 400],
)
def test_messages_come_back_as_they_went(message: Any) -> None:
    with serving(echo) as server, Speaker(server) as speaker:
        speaker.send(message)
        assert speaker.receive() == message
        assert speaker.finish() == (1000, "")


def test_iteration_ends_when_the_client_closes() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        seen.notes.extend(ws)
        seen.notes.append((ws.close_code, ws.close_reason, ws.stage, ws.is_open))

    with serving(handler) as server, Speaker(server) as speaker:
        for number in range(3):
            speaker.send(str(number))
        speaker.say_close(4001, "bye")
        assert speaker.closed() == (4001, "")
        wait_until(lambda: len(seen.notes) == 4)
    assert seen.notes == ["0", "1", "2", (4001, "bye", "closed", False)]


def test_receive_and_send_raise_when_the_client_has_closed() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        assert ws.receive() == "x"
        for call in (ws.receive, ws.receive, lambda: ws.send("y"), ws.ping):
            with pytest.raises(WebSocketClosed) as caught:
                call()
            seen.notes.append((caught.value.code, caught.value.reason))

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send("x")
        speaker.finish(4002)
        wait_until(lambda: len(seen.notes) == 4)
    assert seen.notes == [(4002, "")] * 4


def test_a_message_in_many_fragments_and_pings_in_between() -> None:
    with serving(echo) as server, Speaker(server) as speaker:
        speaker.raw(frame(0x01, b"a"))
        for _ in range(1000):
            speaker.raw(frame(0x00, b"b"))
        speaker.raw(frame(0x89, b"are you there?") + frame(0x80, b"c"))
        assert speaker.receive() == "a" + "b" * 1000 + "c"
        assert speaker.pong() == b"are you there?"


def test_bytes_that_drip() -> None:
    with serving(echo) as server, Speaker(server) as speaker:
        for byte in frame(0x81, b"slowly") + frame(0x82, b"x" * 200):
            speaker.raw(bytes([byte]))
            sleep(0)
        assert speaker.receive() == "slowly"
        assert speaker.receive() == b"x" * 200


def test_thousands_of_messages_in_one_piece_let_others_have_their_turn() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        if ws.query.get("other"):
            seen.notes.append("other")
            return
        for number, _ in enumerate(ws):
            if number == 50_000:
                seen.notes.append("last")

    with serving(handler) as server, Speaker(server) as speaker:
        piece = frame(0x82, b"") * 50_001
        with Client(server) as other:
            writer = threading.Thread(target=speaker.raw, args=(piece,))
            writer.start()
            other.send(opening("/?other=1"))
            writer.join()
            wait_until(lambda: len(seen.notes) == 2)
    assert seen.notes == ["other", "last"]


def test_a_handler_that_only_sends_lets_others_have_their_turn() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        while not seen.notes:
            ws.send("x" * 100)

    with serving(handler) as server, Speaker(server) as speaker:
        reader = spawn(speaker.closed)
        sleep(0.01)
        seen.notes.append("stop")
        reader.join()
        assert reader.result == (1000, "")


# Typed messages...


def test_text_and_bytes_where_the_other_is_expected() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        assert ws.receive_text() == "text"
        assert ws.receive_bytes() == b"bytes"
        with pytest.raises(InvalidMessage, match="expected a text message, got a binary one"):
            ws.receive_text()
        seen.notes.append("caught")
        ws.receive_bytes()

    with serving(seen.watching(handler)) as server, Speaker(server) as speaker:
        for message in ("text", b"bytes", b"other", "text"):
            speaker.send(message)
        code, reason = speaker.closed()
        assert code == 1003
        assert reason.startswith("expected a binary message, got text: receive() takes both")
    assert seen.notes == ["caught"]


class Say(msgspec.Struct, tag=True):
    text: str


class Move(msgspec.Struct, tag=True):
    x: int
    y: int


def test_json_messages_of_a_tagged_union() -> None:
    def handler(ws: WebSocket) -> None:
        while True:
            match ws.receive_json(Say | Move):
                case Say(text):
                    ws.send_json({"said": text})
                case Move(x, y):
                    ws.send_json(Move(y, x))

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send('{"type": "Say", "text": "hi"}')
        assert speaker.receive() == '{"said":"hi"}'
        speaker.send(b'{"type": "Move", "x": 1, "y": 2}')
        assert speaker.receive() == '{"type":"Move","x":2,"y":1}'
        speaker.finish()


def test_json_without_a_type_and_of_many_types() -> None:
    def handler(ws: WebSocket) -> None:
        ws.send_json([ws.receive_json(), ws.receive_json(int), ws.receive_json(list[str])])

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send('{"a": null}')
        speaker.send("5")
        speaker.send('["x"]')
        assert speaker.receive() == '[{"a":null},5,["x"]]'
        assert speaker.closed() == (1000, "")


def test_a_wrong_message_may_be_caught_and_says_all_that_is_wrong() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        with pytest.raises(InvalidMessage) as caught:
            ws.receive_json(Move)
        seen.notes.extend(caught.value.errors)
        ws.send("still here")

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send('{"type": "Move", "x": "one", "y": []}')
        assert speaker.receive() == "still here"
        assert speaker.closed() == (1000, "")
    assert [error["loc"] for error in seen.notes] == [["body", "x"], ["body", "y"]]
    assert all(error["type"] == "type" for error in seen.notes)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ('{"type": "Move", "x": "one", "y": 1}', "x: Expected `int`, got `str`"),
        ('{"type": "Jump"}', "Invalid value 'Jump'; it is one of 'Say', 'Move'"),
        ('{"type": "Move", ', "not JSON: "),
        ("", "not JSON: "),
        (b"\xff\xfe", "not JSON: "),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"type": "Move", "x": "' + "é" * 500 + '", "y": []}', "x: Expected `int`, got `str`"),
    ],
)
def test_a_wrong_message_that_nobody_catches_closes(message: Any, says: str) -> None:
    with (
        serving(lambda ws: ws.receive_json(Say | Move)) as server,
        Speaker(server) as speaker,
    ):
        speaker.send(message)
        code, reason = speaker.closed()
        assert code == 1007
        assert says in reason
        assert len(reason.encode()) <= 123


def test_what_cannot_be_sent_is_told_and_nothing_is_sent() -> None:
    def handler(ws: WebSocket) -> None:
        with pytest.raises(TypeError, match=r"not dict: send_json\(value\) sends other values"):
            ws.send({"a": 1})  # type: ignore[arg-type]
        with pytest.raises(UnsendableText, match="lone surrogate"):
            ws.send("\ud800")
        with pytest.raises(TypeError):
            ws.send_json(object())
        ws.send("fine")

    with serving(handler) as server, Speaker(server) as speaker:
        assert speaker.receive() == "fine"
        assert speaker.closed() == (1000, "")


def test_other_kinds_of_bytes_and_ready_frames() -> None:
    def handler(ws: WebSocket) -> None:
        ws.send(bytearray(b"array"))
        ws.send(memoryview(b"view"))
        ws.send_frame(text_frame("ready") + text_frame("frames"))
        assert ws.send_frame_nowait(text_frame("now"))

    with serving(handler) as server, Speaker(server) as speaker:
        got = [speaker.receive() for _ in range(5)]
        assert got == [b"array", b"view", "ready", "frames", "now"]
        assert speaker.closed() == (1000, "")


# Accepting and rejecting...


def test_a_rejected_websocket_is_an_ordinary_answer() -> None:
    def handler(ws: WebSocket) -> None:
        if ws.request.path == "/raise":
            raise HTTPError(404, "no such room", room="x")
        ws.reject(402, "not paid")

    with serving(handler) as server, Client(server) as client:
        client.send(opening("/"))
        answer = client.answer()
        assert answer.status == 402
        assert b"not paid" in answer.body
        client.send(opening("/raise"))
        answer = client.answer()
        assert answer.status == 404
        assert msgspec.json.decode(answer.body)["room"] == "x"


def test_a_close_before_it_was_accepted_is_a_403_with_the_reason() -> None:
    with serving(lambda ws: ws.close(1008, "not you")) as server, Client(server) as client:
        client.send(opening())
        answer = client.answer()
        assert answer.status == 403
        assert b"not you" in answer.body


def test_a_code_that_cannot_be_sent_is_told_also_where_none_is() -> None:
    def handler(ws: WebSocket) -> None:
        with pytest.raises(InvalidCloseCode, match="cannot be closed with code 999"):
            ws.close(999)
        ws.close(4001, "not you")

    with serving(handler) as server, Client(server) as client:
        client.send(opening())
        assert client.answer().status == 403


def test_a_handler_that_returns_without_accepting(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "photon.ws")
    with serving(lambda ws: None) as server, Client(server) as client:
        client.send(opening("/chat"))
        assert client.answer().status == 403
    assert "GET /chat: the handler returned without accepting, so the client got 403" in caplog.text


def test_what_comes_too_late_is_told() -> None:
    def handler(ws: WebSocket) -> None:
        assert ws.stage == "connecting"
        assert ws.statistics() == {"stage": "connecting"}
        ws.accept()
        with pytest.raises(RuntimeError, match="was accepted already: accept"):
            ws.accept()
        with pytest.raises(RuntimeError, match="no status can be sent any more: close"):
            ws.reject(403)
        ws.send("ok")

    with serving(handler) as server, Speaker(server) as speaker:
        assert speaker.receive() == "ok"
        assert speaker.closed() == (1000, "")


def test_a_subprotocol_that_was_not_offered_is_the_servers_fault() -> None:
    def handler(ws: WebSocket) -> None:
        assert ws.subprotocols == ("v1",)
        with pytest.raises(ValueError, match="it offered 'v1'"):
            ws.accept("v2")
        ws.accept("v1")
        assert ws.subprotocol == "v1"

    with serving(handler) as server, Speaker(server, sec_websocket_protocol="v1") as speaker:
        assert speaker.handshake.headers["sec-websocket-protocol"] == "v1"
        assert speaker.closed() == (1000, "")


def test_a_foreign_page_is_refused_and_a_listed_one_is_not() -> None:
    with serving(echo, origins=["https://good.example"]) as server, Client(server) as client:
        client.send(opening(origin="https://evil.example"))
        answer = client.answer()
        assert answer.status == 403
        assert b"cross-site WebSocket hijacking" in answer.body
        with Speaker(server, origin="https://good.example") as speaker:
            assert speaker.handshake.status == 101


# Closing...


def test_close_waits_until_the_client_agrees() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        ws.close(4000, "enough")
        seen.notes.append((ws.stage, ws.close_code, ws.close_reason))
        ws.close()  # once more does nothing
        with pytest.raises(WebSocketClosed) as caught:
            ws.send("x")
        seen.notes.append((caught.value.code, caught.value.reason))

    with serving(handler) as server, Speaker(server) as speaker:
        with pytest.raises(Closed) as caught:
            speaker.receive()
        assert (caught.value.code, caught.value.reason) == (4000, "enough")
        assert speaker.read_to_end() == b""
        wait_until(lambda: len(seen.notes) == 2)
    assert seen.notes == [("closed", 4000, "enough"), (4000, "enough")]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, "1000"])
def test_codes_that_cannot_be_sent(code: Any) -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        if code == 1005:
            return
        with pytest.raises(InvalidCloseCode, match="cannot be closed with code"):
            ws.close(code)
        ws.send("open still")

    with serving(handler) as server, Speaker(server) as speaker:
        if code != 1005:
            assert speaker.receive() == "open still"
        assert speaker.closed() == (1000, "")


def test_a_reason_that_is_too_long_is_told() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        with pytest.raises(ValueError, match="at most 123 bytes of UTF-8, and this has 124"):
            ws.close(1000, "é" * 62)
        ws.close(4000, "é" * 61)

    with serving(handler) as server, Speaker(server) as speaker:
        assert speaker.closed() == (4000, "é" * 61)


def test_a_client_that_does_not_answer_the_close_is_left() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        ws.close()
        seen.notes.append(ws.close_code)

    with serving(handler, close_timeout_s=0.02) as server, Speaker(server) as speaker:
        speaker.answers_close = False
        with pytest.raises(Closed):
            speaker.receive()
        assert speaker.is_cut()
    assert seen.notes == [1000]


def test_what_comes_while_it_is_closing_is_dropped() -> None:
    with serving(lambda ws: ws.accept()) as server, Speaker(server) as speaker:
        speaker.answers_close = False
        with pytest.raises(Closed):
            speaker.receive()
        speaker.raw(frame(0x81, b"late") * 1000)
        speaker.raw(frame(0x88, b"\x03\xe8"))
        assert speaker.read_to_end() == b""


def test_another_greenlet_closes_while_the_handler_receives() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        spawn(ws.close, 4005, "from beside")
        seen.notes.extend(ws)

    with serving(handler) as server, Speaker(server) as speaker:
        assert speaker.closed() == (4005, "from beside")


def test_closed_is_an_event() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        assert not ws.closed.is_set
        ws.closed.wait()
        seen.notes.append(ws.close_code)

    with serving(handler, on_disconnect="notify") as server, Speaker(server) as speaker:
        speaker.finish(4003)
        wait_until(lambda: seen.notes)
    assert seen.notes == [4003]


# Several greenlets...


def test_two_cannot_receive_at_once() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        first = spawn(ws.receive)
        sleep(0)
        with pytest.raises(RuntimeError, match="another greenlet receives from this WebSocket"):
            ws.receive()
        ws.send("go")
        first.join()
        ws.send(first.result)

    with serving(handler) as server, Speaker(server) as speaker:
        assert speaker.receive() == "go"
        speaker.send("x")
        assert speaker.receive() == "x"
        assert speaker.closed() == (1000, "")


def test_one_receives_while_others_send() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()

        def tick(name: str) -> None:
            for number in range(20):
                ws.send(f"{name}{number}")
                sleep(0)

        others = [spawn(tick, name) for name in "ab"]
        for message in ws:
            ws.send(message)
        for other in others:
            other.join()

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send("x")
        got = sorted(speaker.receive() for _ in range(41))
        assert got == sorted(["x", *(f"{name}{number}" for name in "ab" for number in range(20))])
        assert speaker.finish() == (1000, "")


# Seeing inside...


def test_statistics_and_repr() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        assert repr(ws) == f"<WebSocket /room of {ws.peer} connecting>"
        ws.send(ws.receive())
        ws.ping()
        seen.notes.append(ws.statistics())
        assert repr(ws) == f"<WebSocket /room of {ws.peer} open>"
        ws.close(4000)
        assert repr(ws) == f"<WebSocket /room of {ws.peer} closed 4000>"

    with serving(handler) as server, Speaker(server, "/room") as speaker:
        speaker.send("hello")
        assert speaker.receive() == "hello"
        assert speaker.closed() == (4000, "")
    (statistics,) = seen.notes
    assert statistics["received"] == statistics["sent"] == 1
    assert statistics["received_bytes"] > 11
    assert statistics["sent_bytes"] > 7
    assert statistics["stage"] == "open"
    assert statistics["latency_s"] >= 0
    assert statistics["kept"] == statistics["kept_bytes"] == statistics["senders"] == 0


def test_what_a_handler_sees_of_its_request() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.state.user = "x"
        seen.notes.extend(
            [ws.query["a"], ws.headers["host"], dict(ws.path_values), ws.request.state.user]
        )
        ws.accept()

    with serving(handler) as server, Speaker(server, "/?a=1") as speaker:
        assert speaker.closed() == (1000, "")
    assert seen.notes == ["1", "test", {}, "x"]


def test_a_handler_that_never_ends_is_still_there_for_pings() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        sleep_forever()

    with serving(handler) as server, Speaker(server) as speaker:
        for number in range(5):
            speaker.ping(b"%d" % number)
            assert speaker.pong() == b"%d" % number
        assert speaker.finish() == (1000, "")


# Two things at once...


@pytest.mark.parametrize("who_ends", ["the job", "the client"])
def test_a_handler_waits_for_its_job_or_for_the_client_to_leave(who_ends: str) -> None:
    seen = Seen()
    gate = Event()

    def handler(ws: WebSocket) -> None:
        job = spawn(gate.wait)
        ws.send("it runs")
        which, value = select(ws.closed, job)
        seen.notes.append(("the job" if which is job else "the client", value))
        job.cancel()
        job.join()

    with serving(handler, on_disconnect="notify") as server, Speaker(server) as speaker:
        assert speaker.receive() == "it runs"
        if who_ends == "the job":
            gate.set()
            assert speaker.closed() == (1000, "")
        else:
            speaker.finish()
        wait_until(lambda: seen.notes == [(who_ends, True)])


# Names of other frameworks...


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("iter_json", r"a WebSocket has no 'iter_json': for message in ws.messages\(Type\)"),
        ("send_text", "'send_text': here it is send$"),
        ("receive_str", "'receive_str': here it is receive_text"),
        ("client_state", "'client_state': ws.is_open, or ws.stage"),
        ("recieve", "'recieve'; did you mean receive?"),
        ("_private", "'_private'$"),
    ],
)
def test_names_of_other_frameworks_are_told_the_way(name: str, says: str) -> None:
    ws = WebSocket.__new__(WebSocket)
    with pytest.raises(AttributeError, match=says):
        getattr(ws, name)


def test_every_way_that_is_told_leads_somewhere() -> None:
    for there, here in OF_WEBSOCKETS.items():
        assert not hasattr(WebSocket, there)
        if here.isidentifier():
            assert hasattr(WebSocket, here)
        for name in re.findall(r"\bws\.(\w+)", here):
            assert hasattr(WebSocket, name), here
