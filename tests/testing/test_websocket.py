"""WebSockets of both clients, the one in memory and the one over sockets."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Annotated, Any

import msgspec
import pytest

from photon.app.photon import Photon
from photon.binding.markers import Depends, Header
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.runtime.cancel import move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.testing.base import BaseClient
from photon.testing.client import TestClient
from photon.testing.clock import Clock
from photon.testing.errors import BadResponse, ResponseTimeout, WebSocketRefused
from photon.testing.live import live_server
from photon.testing.ws_protocol import Frame
from photon.ws.errors import WebSocketClosed
from photon.ws.handshake import accept_key
from photon.ws.rooms import Rooms
from photon.ws.settings import Deflate, WebSocketSettings
from photon.ws.websocket import WebSocket
from tests.clients import wait_until

Make = Callable[..., AbstractContextManager[BaseClient]]


def in_memory(application: Any, **options: Any) -> AbstractContextManager[BaseClient]:
    return TestClient(application, raise_server_exceptions=False, **options)


@pytest.fixture(params=[in_memory, live_server], ids=["memory", "socket"])
def make(request: pytest.FixtureRequest) -> Make:
    chosen: Make = request.param
    return chosen


def app_of(handler: Callable[..., object], path: str = "/", **options: Any) -> Photon:
    app = Photon()
    app.websocket(path, **options)(handler)
    return app


def echo(ws: WebSocket) -> None:
    for message in ws:
        ws.send(message)


# Messages...


def test_messages_go_both_ways(make: Make) -> None:
    with make(app_of(echo)) as client, client.websocket("/") as ws:
        ws.send("text")
        ws.send(b"binary")
        assert [ws.receive(), ws.receive()] == ["text", b"binary"]
        ws.send(bytearray(b"bytes"))  # type: ignore[arg-type]  # is taken, too
        assert ws.receive_bytes() == b"bytes"
        ws.send("")
        assert ws.receive_text() == ""
        large = "ü" * 500_000
        ws.send(large)
        assert ws.receive() == large
        assert ws.is_open


def test_values_go_as_json(make: Make) -> None:
    with make(app_of(echo)) as client, client.websocket("/") as ws:
        ws.send_json({"name": "ann", "tags": [1, None]})
        assert ws.receive_json() == {"name": "ann", "tags": [1, None]}
        ws.send(b"[1,2]")
        assert ws.receive_json(list[int]) == [1, 2]
        ws.send('{"name": 1}')
        with pytest.raises(ValueError, match=r"'{\"name\": 1}' is no JSON of .*str"):
            ws.receive_json(dict[str, str])
        ws.send("{")
        with pytest.raises(ValueError, match=r"'{' is no JSON: "):
            ws.receive_json()


def test_a_message_of_the_other_kind_is_shown(make: Make) -> None:
    with make(app_of(echo)) as client, client.websocket("/") as ws:
        ws.send("x" * 500)
        with pytest.raises(ValueError, match=r"sent text, .*'x{300}'… \(500 in all\)"):
            ws.receive_bytes()
        ws.send(b"\0")
        with pytest.raises(ValueError, match=r"sent a binary message, not text: b'\\x00'"):
            ws.receive_text()


def test_fragments_are_one_message(make: Make) -> None:
    with make(app_of(echo)) as client, client.websocket("/") as ws:
        ws.fragment(["one ", "two ", "three"])
        assert ws.receive() == "one two three"
        ws.fragment([b"1"])
        assert ws.receive() == b"1"


def test_both_may_send_without_reading(make: Make) -> None:
    def talks(ws: WebSocket) -> None:
        message = ws.receive()
        for _ in range(30):
            ws.send(message)
            ws.send(ws.receive())

    with make(app_of(talks)) as client, client.websocket("/") as ws:
        piece = b"x" * 200_000
        for _ in range(31):
            ws.send(piece)
        assert sum(len(message) for message in ws if message == piece) == 60 * len(piece)
        assert ws.close_code == 1000


def test_iteration_ends_with_the_websocket(make: Make) -> None:
    def counts(ws: WebSocket) -> None:
        for number in range(3):
            ws.send(str(number))
        ws.close(4001, "done")

    with make(app_of(counts)) as client, client.websocket("/") as ws:
        assert list(ws) == ["0", "1", "2"]
        assert (ws.close_code, ws.close_reason, ws.is_open) == (4001, "done", False)
        with pytest.raises(WebSocketClosed, match=r"4001 .*: done") as caught:
            ws.receive()
        assert (caught.value.code, caught.value.reason) == (4001, "done")
        with pytest.raises(WebSocketClosed, match="4001"):
            ws.send("late")
        assert repr(ws).endswith("/ closed 4001>")


# The handshake...


def test_the_handler_sees_the_request(make: Make) -> None:
    app = Photon()

    @app.websocket("/rooms/{room}")
    def tell(ws: WebSocket, room: str, since: int, agent: Annotated[str, Header()]) -> None:
        ws.send_json(
            [room, since, agent, ws.request.cookies, ws.headers.get("origin"), ws.query.get("x")]
        )

    with make(app, cookies={"one": "1"}) as client:
        with client.websocket(
            "/rooms/a b?since=3",
            params={"x": True},
            headers={"agent": "me", "user-agent": None},
            cookies={"two": "2"},
        ) as ws:
            told = ws.receive_json()
            assert told == ["a b", 3, "me", {"one": "1", "two": "2"}, None, "true"]
            assert ws.url.endswith("/rooms/a%20b?since=3&x=true")
        whole = f"ws{client.base_url[4:]}/rooms/x?since=1"
        with client.websocket(whole, headers=[("agent", "me")]) as ws:
            assert ws.receive_json()[:2] == ["x", 1]


def test_what_is_agreed_on(make: Make) -> None:
    def chooses(ws: WebSocket) -> None:
        ws.accept(ws.subprotocols[-1] if ws.subprotocols else None, {"set-cookie": "seen=1"})
        ws.send(",".join(ws.subprotocols))

    with make(app_of(chooses)) as client:
        with client.websocket("/", subprotocols=["chat.v2", "chat.v1"]) as ws:
            assert ws.subprotocol == "chat.v1"
            assert ws.response_headers["set-cookie"] == "seen=1"
            assert ws.receive() == "chat.v2,chat.v1"
        assert client.cookies["seen"] == "1"
        with client.websocket("/") as ws:
            assert ws.subprotocol is None
            assert ws.response.status == 101


def test_compression(make: Make) -> None:
    seen = []

    def fragments(ws: WebSocket) -> None:
        for message in ws:
            seen.append(ws.statistics()["received_bytes"])
            ws.send(message)

    settings = WebSocketSettings(deflate=Deflate())
    with make(app_of(fragments, websockets=settings)) as client:
        with client.websocket("/", deflate=True) as ws:
            assert "permessage-deflate" in ws.response_headers["sec-websocket-extensions"]
            for text in ("x" * 10_000, "y" * 10_000, "", "short"):
                ws.send(text)
                assert ws.receive() == text
            ws.fragment(["x" * 1000, "y" * 1000])
            assert ws.receive() == "x" * 1000 + "y" * 1000
        assert max(seen) < 500
        with client.websocket("/") as ws:
            assert "sec-websocket-extensions" not in ws.response_headers
            ws.send("plain")
            assert ws.receive() == "plain"


def test_a_refusal_has_the_whole_response(make: Make) -> None:
    app = Photon()

    @app.websocket("/number")
    def number(ws: WebSocket, n: int) -> None:
        raise NotImplementedError

    @app.websocket("/no")
    def no(ws: WebSocket) -> None:
        ws.reject(403, "members only")

    @app.get("/page")
    def page() -> str:
        return "a page"

    with make(app) as client:
        with pytest.raises(WebSocketRefused) as caught, client.websocket("/number?n=x"):
            pass
        refusal = caught.value
        assert refusal.response.status == 422
        assert refusal.response.json()["errors"][0]["loc"] == ["query", "n"]
        assert "422 Unprocessable Content: the request is not what" in str(refusal)
        assert "\n  query.n: Expected `int`" in str(refusal)
        with pytest.raises(WebSocketRefused, match=r"403 Forbidden: members only$"):
            client.websocket("/no").__enter__()
        with pytest.raises(WebSocketRefused, match=r"404 Not Found: "):
            client.websocket("/nowhere").__enter__()
        with pytest.raises(WebSocketRefused, match=r"opened, .*<200 OK to GET .*: a page>"):
            client.websocket("/page").__enter__()
        old = {"sec-websocket-version": "8"}
        with pytest.raises(WebSocketRefused, match="426") as caught:
            client.websocket("/no", headers=old).__enter__()
        assert caught.value.response.headers["sec-websocket-version"] == "13"
        assert client.get("/page").text == "a page"  # nothing is left of all that


def test_origins(make: Make) -> None:
    app = app_of(echo)
    app.websocket("/open", origins=["https://example.com"])(echo)
    with make(app) as client:
        with client.websocket("/", origin=client.base_url) as ws:
            ws.send("mine")
        with client.websocket("/open", origin="https://example.com") as ws:
            ws.send("theirs")
        with pytest.raises(WebSocketRefused, match="403 Forbidden: a page of 'https://evil"):
            client.websocket("/", origin="https://evil.example").__enter__()


def test_redirects_are_followed(make: Make) -> None:
    app = app_of(echo, "/new")

    @app.get("/old")
    def old() -> Response:
        return Response(b"", 307, headers={"location": "/new"})

    with make(app) as client:
        with client.websocket("/old") as ws:
            assert ws.url.endswith("/new")
            assert [response.status for response in ws.response.history] == [307]
            ws.send("x")
            assert ws.receive() == "x"
        with pytest.raises(WebSocketRefused, match="307"):
            client.websocket("/old", follow_redirects=False).__enter__()


class Parrot:
    """Speaks whatever protocol comes after a 101."""

    def on_readable(self) -> None:
        pass

    def on_due(self, moment: float) -> float | None:
        return None

    def drain(self) -> None:
        pass


def answering(*lines: str, then: bytes = b"") -> Callable[[Request], Response]:
    def application(request: Request) -> Response:
        key = request.headers["sec-websocket-key"]
        head = "\r\n".join(
            [
                "HTTP/1.1 101 Switching Protocols",
                "upgrade: websocket",
                "connection: upgrade",
                *(line.replace("PROOF", accept_key(key)) for line in lines),
                "\r\n",
            ]
        )
        request.upgrade(head.encode() + then, Parrot())
        return Response(b"")

    return application


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([], "does not prove"),
        (["sec-websocket-accept: AAAA"], "does not prove"),
        (
            ["sec-websocket-accept: PROOF", "sec-websocket-protocol: other"],
            "subprotocol 'other' was not offered",
        ),
        (
            ["sec-websocket-accept: PROOF", "sec-websocket-extensions: permessage-deflate"],
            "extensions 'permessage-deflate' were not offered",
        ),
    ],
)
def test_a_handshake_that_is_none_is_refused(make: Make, lines: list[str], fault: str) -> None:
    with make(answering(*lines)) as client:
        with pytest.raises(BadResponse, match=fault):
            client.websocket("/").__enter__()


def test_what_is_no_websocket_is_told(make: Make) -> None:
    bad = answering("sec-websocket-accept: PROOF", then=b"\x81\x02hi\xff\xff")
    with make(bad) as client:
        with pytest.raises(BadResponse, match="is no WebSocket: Invalid"):
            with client.websocket("/") as ws:
                assert ws.receive() == "hi"
                ws.receive()
        with pytest.raises(BadResponse, match="is no WebSocket: Invalid"):
            with client.websocket("/") as ws:
                pass  # who does not look is told as well


def test_a_server_that_goes_without_a_word(make: Make) -> None:
    cut = answering("sec-websocket-accept: PROOF", then=b"\x81\x02hi")
    with make(cut) as client, client.websocket("/") as ws:
        assert list(ws) == ["hi"]
        with pytest.raises(WebSocketClosed, match=r"1006 .*without a close frame"):
            ws.receive()
        assert (ws.close_code, ws.close_reason) == (1006, "")
        assert repr(ws).endswith(" lost>")


def test_mistakes_in_the_call_are_told(make: Make) -> None:
    with make(app_of(echo)) as client:
        for wrong, hint in (
            ({"protocols": ["a"]}, "has no 'protocols': here it is subprotocols"),
            ({"extra_headers": {}}, "here it is headers"),
            ({"timeout": 3}, "here it is timeout_s"),
            ({"orign": "x"}, "here it is origin"),
            ({"json": 1}, "a WebSocket has no 'json': it has params, headers, "),
            ({"subprotocols": "chat"}, r"subprotocols is a list, as in \['chat'\]"),
        ):
            with pytest.raises(TypeError, match=hint):
                client.websocket("/", **wrong).__enter__()
        with pytest.raises(ValueError, match="above 0"):
            client.websocket("/", timeout_s=0).__enter__()
        with pytest.raises(ValueError, match="begins with a slash"):
            client.websocket("x").__enter__()
        with client.websocket("/") as ws:
            with pytest.raises(TypeError, match=r"not dict: send_json\(value\)"):
                ws.send({})  # type: ignore[arg-type]  # that is it
            with pytest.raises(ValueError, match="at least one piece"):
                ws.fragment([])
            with pytest.raises(TypeError, match="all str or all bytes"):
                ws.fragment(["a", b"b"])  # type: ignore[arg-type]  # that is it
            with pytest.raises(ValueError, match="is no close code"):
                ws.close(99)
            with pytest.raises(
                AttributeError, match=r"has no 'send_text': here it is send\(text\)"
            ):
                ws.send_text("x")  # type: ignore[attr-defined]  # that is it
            ws.send("all the same")
            assert ws.receive() == "all the same"


# Frames...


def test_frames_singly(make: Make) -> None:
    def talks(ws: WebSocket) -> None:
        ws.receive()
        ws.send("text")
        ws.close(4002, "bye")

    with make(app_of(talks)) as client, client.websocket("/") as ws:
        ws.send_raw(b"\x89\x80\0\0\0\0")
        assert ws.receive_frame() == Frame("pong", b"")
        ws.send("go")
        assert ws.receive_frame() == Frame("text", "text")
        assert ws.receive_frame() == Frame("close", "bye", code=4002)
        with pytest.raises(WebSocketClosed):
            ws.receive_frame()


def test_who_breaks_the_rules_is_told(make: Make) -> None:
    with make(app_of(echo)) as client, client.websocket("/") as ws:
        ws.send_raw(b"\x81\x02hi")
        with pytest.raises(WebSocketClosed) as caught:
            ws.receive()
        assert caught.value.code == 1002


def test_pings(make: Make) -> None:
    measured = []

    def pings(ws: WebSocket) -> None:
        measured.append(ws.ping())
        for message in ws:
            ws.send(message)

    with make(app_of(pings)) as client, client.websocket("/") as ws:
        assert 0 <= ws.ping() < 60
        ws.send("x")
        assert 0 <= ws.ping(b"mine") < 60
        assert ws.receive_frame().kind in ("ping", "text")
        wait_until(lambda: len(measured) == 1)


# The end...


def test_leaving_the_block_closes_and_waits_for_the_handler(make: Make) -> None:
    story: list[object] = []

    def handler(ws: WebSocket) -> None:
        for message in ws:
            story.append(message)
        story.append(ws.close_code)
        sleep(0.02)
        story.append("over")

    with make(app_of(handler)) as client:
        with client.websocket("/") as ws:
            ws.send("one")
        if make is in_memory:
            assert story == ["one", 1000, "over"]
        wait_until(lambda: story == ["one", 1000, "over"])
        assert ws.close_code == 1000
        assert not ws.is_open


def test_closing_by_hand(make: Make) -> None:
    ends: list[object] = []

    def handler(ws: WebSocket) -> None:
        ws.send("before")
        try:
            while True:
                ws.receive()
        except WebSocketClosed as error:
            ends.append((error.code, error.reason))

    with make(app_of(handler)) as client:
        with client.websocket("/") as ws:
            ws.close(4000, "enough")
            ws.close()
            assert ws.receive() == "before"
            with pytest.raises(WebSocketClosed):
                ws.receive()
            with pytest.raises(WebSocketClosed):
                ws.send("late")
        with client.websocket("/") as ws:
            ws.close(1005)
            assert ws.close_code == 1005
        assert ends == [(4000, "enough"), (1005, "")]


def test_a_client_that_vanishes(make: Make) -> None:
    story: list[object] = []

    def handler(ws: WebSocket) -> None:
        try:
            ws.send("here")
            for message in ws:
                story.append(message)
        finally:
            story.append(ws.close_code)

    with make(app_of(handler)) as client:
        with client.websocket("/") as ws:
            ws.send("one")
            assert ws.receive() == "here"
            ws.abort()
            assert (ws.close_code, ws.is_open) == (1006, False)
            with pytest.raises(WebSocketClosed, match="1006"):
                ws.receive()
        wait_until(lambda: story == ["one", 1006])


def test_afterwards_it_is_closed(make: Make) -> None:
    with make(app_of(echo)) as client:
        with client.websocket("/") as ws:
            ws.send("x")
        assert list(ws) == ["x"]  # what came stays
        for use in (ws.receive, ws.ping, lambda: ws.send("x")):
            with pytest.raises(WebSocketClosed, match="1000"):
                use()
        ws.close()
        ws.abort()
        assert ws.close_code == 1000


def test_who_leaves_a_flood_is_not_drowned(make: Make) -> None:
    def floods(ws: WebSocket) -> None:
        while True:
            ws.send(b"x" * 100_000)

    with make(app_of(floods)) as client:
        with client.websocket("/") as ws:
            assert ws.receive()
        with client.websocket("/") as ws:
            assert ws.receive()
            ws.abort()
        with pytest.raises(KeyError), client.websocket("/"):
            raise KeyError


def test_a_server_that_takes_nothing(make: Make) -> None:
    def sleeps(ws: WebSocket) -> None:
        ws.accept()
        sleep_forever()

    with make(app_of(sleeps)) as client:
        with pytest.raises(ResponseTimeout, match=r"open>: the server took nothing for 0.2 s"):
            with client.websocket("/") as ws:
                ws.timeout_s = 0.2
                while True:
                    ws.send(b"x" * 100_000)
        # More than it keeps for its handler: behind that it does not see the close.
        with pytest.raises(ResponseTimeout, match="closing>: no answer to the close frame came"):
            with client.websocket("/") as ws:
                ws.timeout_s = 0.2
                for _ in range(100):
                    ws.send("x")


def test_a_test_that_fails_leaves_at_once(make: Make) -> None:
    story: list[object] = []

    def handler(ws: WebSocket) -> None:
        ws.receive()
        try:
            sleep_forever()
        finally:
            story.append("cleaned up")

    settings = WebSocketSettings(close_timeout_s=0.1)
    with make(app_of(handler, websockets=settings)) as client:
        with pytest.raises(KeyError), client.websocket("/") as ws:
            ws.send("x")
            raise KeyError
        wait_until(lambda: story == ["cleaned up"])


def test_patience_has_an_end(make: Make) -> None:
    with make(app_of(echo)) as client:
        with client.websocket("/") as ws:
            ws.timeout_s = 0.01
            with pytest.raises(ResponseTimeout, match=r"open>: no message came within 0.01 s"):
                ws.receive()
            with pytest.raises(TimeoutError, match=r"no frame came within 0.02 s"):
                ws.receive_frame(timeout_s=0.02)
            ws.timeout_s = 60
            ws.send("still there")
            assert ws.receive() == "still there"


def test_errors_close(make: Make) -> None:
    def handler(ws: WebSocket) -> None:
        kind = ws.receive()
        if kind == "crash":
            raise ZeroDivisionError
        if kind == "deny":
            raise HTTPError(403, "not you")
        ws.receive_json(int)

    with make(app_of(handler)) as client:
        for kind, code, reason in (
            ("crash", 1011, "the server failed"),
            ("deny", 1008, "not you"),
            ("other", 1007, "Expected `int`"),
        ):
            with client.websocket("/") as ws:
                ws.send(kind)
                if kind == "other":
                    ws.send('"x"')
                with pytest.raises(WebSocketClosed, match=reason) as caught:
                    ws.receive()
                assert caught.value.code == code


def test_two_members_of_a_room(make: Make) -> None:
    rooms = Rooms()

    def chat(ws: WebSocket, name: str) -> None:
        with rooms.join("lobby", ws, info=name):
            rooms.broadcast("lobby", {"kind": "joined", "name": name})
            for message in ws:
                rooms.broadcast("lobby", {"from": name, "text": message})
        rooms.broadcast("lobby", {"kind": "left", "name": name})

    with make(app_of(chat)) as client:
        with client.websocket("/?name=ann") as ann:
            assert ann.receive_json() == {"kind": "joined", "name": "ann"}
            with client.websocket("/?name=bob") as bob:
                for ws in (ann, bob):
                    assert ws.receive_json() == {"kind": "joined", "name": "bob"}
                ann.send("hello")
                bob.send("hi")
                for ws in (ann, bob):
                    said = [ws.receive_json(), ws.receive_json()]
                    assert {"from": "ann", "text": "hello"} in said
                    assert {"from": "bob", "text": "hi"} in said
            assert ann.receive_json() == {"kind": "left", "name": "bob"}
        assert rooms.statistics().members == 0


# Typed messages, dependencies, middleware: what users test...


class Join(msgspec.Struct, tag="join"):
    name: str


class Say(msgspec.Struct, tag="say"):
    text: str


def test_typed_messages(make: Make) -> None:
    def chat(ws: WebSocket) -> None:
        while True:
            message = ws.receive_json(Join | Say)
            ws.send_json(message)

    with make(app_of(chat)) as client, client.websocket("/") as ws:
        ws.send_json(Join("ann"))
        assert ws.receive_json(Join | Say) == Join("ann")
        ws.send_json({"type": "say", "text": "hello"})
        assert ws.receive_json() == {"type": "say", "text": "hello"}
        ws.send_json({"type": "shout"})
        with pytest.raises(WebSocketClosed, match="Invalid value 'shout'") as caught:
            ws.receive()
        assert caught.value.code == 1007


def user() -> str:
    raise HTTPError(401, "who are you?")


def test_dependencies_can_be_replaced(make: Make) -> None:
    def whoami(ws: WebSocket, name: Annotated[str, Depends(user)]) -> None:
        ws.send(name)

    app = app_of(whoami)
    with make(app) as client:
        with pytest.raises(WebSocketRefused, match="401 Unauthorized: who are you"):
            client.websocket("/").__enter__()
        with app.override(user, lambda: "ann"), client.websocket("/") as ws:
            assert ws.receive() == "ann"


def test_middleware_sees_the_request_and_a_101(make: Make) -> None:
    seen: list[object] = []

    def around(request: Request, application: Callable[[Request], Response]) -> Response:
        request.state.user = "ann"
        response = application(request)
        seen.append((request.path, response.status))
        return response

    def handler(ws: WebSocket) -> None:
        ws.send(ws.state.user)
        seen.append("handler")

    app = app_of(handler, middleware=[around])
    app.middleware(around)
    with make(app) as client:
        with client.websocket("/") as ws:
            assert ws.receive() == "ann"
        assert seen == ["handler", ("/", 101), ("/", 101)]


# In memory alone...


def test_a_failure_of_the_handler_is_raised_where_the_test_receives() -> None:
    def fails(ws: WebSocket) -> None:
        ws.send(ws.receive())
        raise ZeroDivisionError("of the handler")

    with TestClient(app_of(fails)) as client:
        with pytest.raises(ZeroDivisionError) as caught, client.websocket("/") as ws:
            ws.send("x")
            assert ws.receive() == "x"
            ws.receive()
        assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fails"
        with pytest.raises(ZeroDivisionError), client.websocket("/") as ws:
            ws.send("x")  # nobody looks, and leaving the block tells
        with pytest.raises(ZeroDivisionError), client.websocket("/") as ws:
            ws.send("x")
            list(ws)
        with client.websocket("/") as ws:
            ws.send("x")
            with pytest.raises(ZeroDivisionError):
                ws.send("y")
            assert ws.close_code == 1011  # it is told once


def test_a_failure_before_it_is_opened() -> None:
    def fails(ws: WebSocket) -> None:
        raise ZeroDivisionError

    app = app_of(fails)
    with TestClient(app) as client:
        with pytest.raises(ZeroDivisionError):
            client.websocket("/").__enter__()
    with TestClient(app, raise_server_exceptions=False) as client:
        with pytest.raises(WebSocketRefused, match="500 Internal Server Error: the server failed"):
            client.websocket("/").__enter__()


def test_a_failure_in_the_cleanup_is_told_when_the_block_is_left() -> None:
    def provider() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    def handler(ws: WebSocket, value: Annotated[int, Depends(provider)]) -> None:
        for _ in ws:
            pass

    with TestClient(app_of(handler)) as client:
        for leave in ("close", "abort"):
            with pytest.raises(ZeroDivisionError), client.websocket("/") as ws:
                ws.send("x")
                getattr(ws, leave)()


def test_a_time_out_tells_where_the_handler_waits() -> None:
    def waits(ws: WebSocket) -> None:
        ws.accept()
        sleep(3600)

    with TestClient(app_of(waits)) as client:
        with pytest.raises(
            ResponseTimeout,
            match=r"no message .*; its handler waits at .*test_websocket.py:\d+ in waits",
        ):
            with client.websocket("/") as ws:
                ws.receive(timeout_s=0.01)
    app = Photon()
    app.get("/")(lambda: sleep(3600))
    with TestClient(app) as client, pytest.raises(ResponseTimeout, match=r"waits at .*in <lambda>"):
        client.get("/", timeout_s=0.3)


def test_a_handler_that_does_not_end_is_told() -> None:
    cancelled = []

    def stays(ws: WebSocket) -> None:
        list(ws)
        try:
            sleep_forever()
        except Cancelled as error:
            cancelled.append(error.source)
            raise

    with TestClient(app_of(stays)) as client:
        with pytest.raises(ResponseTimeout, match=r"did not end .*waits at .*in stays"):
            with client.websocket("/") as ws:
                ws.send("x")
                ws.timeout_s = 0.3
        assert cancelled == ["disconnect"]


def test_the_server_has_worked_when_send_returns() -> None:
    came: list[object] = []

    def notes(ws: WebSocket) -> None:
        for message in ws:
            came.append(message)

    with TestClient(app_of(notes)) as client, client.websocket("/") as ws:
        for number in range(100):
            ws.send(str(number))
            assert len(came) == number + 1


def test_a_client_that_does_not_read_holds_the_server_back() -> None:
    sent = []

    def floods(ws: WebSocket) -> None:
        for number in range(100):
            ws.send(b"x" * 50_000)
            sent.append(number)

    with TestClient(app_of(floods)) as client, client.websocket("/") as ws:
        assert ws.receive()
        for _ in range(10):
            sleep(0)
        assert len(sent) < 15
        assert len(list(ws)) == 99


def test_keep_alive_under_a_clock_that_is_moved_by_hand() -> None:
    lost = []

    def handler(ws: WebSocket) -> None:
        for message in ws:
            ws.send(message)
        lost.append((ws.close_code, ws.close_reason))

    with Clock() as clock, TestClient(app_of(handler)) as client:
        with client.websocket("/") as ws:
            clock.advance("21s")
            assert ws.receive_frame().kind == "ping"
            clock.advance("1h")
            ws.send("still there")
            assert ws.receive() == "still there"
        assert lost == [(1000, "")]
        with client.websocket("/") as ws:
            ws.answers_pings = False
            clock.advance("39s")
            assert lost[1:] == []
            clock.advance("2s")
            assert lost[1:] == [(1006, "nothing came for 40 s, not even the answer to a ping")]
            assert list(ws) == []


def test_patience_is_real_under_a_clock_that_nobody_moves() -> None:
    with Clock(), TestClient(app_of(echo)) as client, client.websocket("/") as ws:
        with pytest.raises(ResponseTimeout):
            ws.receive(timeout_s=0.01)
        ws.send("x")
        assert ws.receive() == "x"


def test_timers_send_when_the_clock_is_moved() -> None:
    def ticks(ws: WebSocket) -> None:
        ws.accept()
        for number in range(3):
            sleep(60)
            ws.send(str(number))

    with Clock() as clock, TestClient(app_of(ticks)) as client, client.websocket("/") as ws:
        clock.advance("2m")
        assert [ws.receive(), ws.receive()] == ["0", "1"]
        clock.advance("1m")
        assert list(ws) == ["2"]


def test_the_end_of_the_client_is_that_of_a_server() -> None:
    ends: list[object] = []

    def handler(ws: WebSocket) -> None:
        for _ in ws:
            pass
        ends.append((ws.close_code, ws.close_reason))

    client = TestClient(app_of(handler))
    with client.websocket("/") as one, client.websocket("/") as two:
        client.close()
        assert one.close_code == two.close_code == 1001
        assert list(one) == []
        assert ends == [(1001, "the server stops")] * 2


def test_a_live_server_that_stops_tells_as_well() -> None:
    with live_server(app_of(echo)) as client:
        manager = client.websocket("/")
        ws = manager.__enter__()
        ws.send("x")
        assert ws.receive() == "x"
    # The client closed its socket before the server stopped.
    assert ws.close_code == 1006


def test_several_greenlets_may_share_one() -> None:
    with TestClient(app_of(echo)) as client, client.websocket("/") as ws:
        reader = spawn(lambda: [ws.receive() for _ in range(3)])
        pinger = spawn(ws.ping)
        for text in ("a", "b", "c"):
            ws.send(text)
        reader.join()
        pinger.join()
        assert reader.result == ["a", "b", "c"]
        assert pinger.result >= 0


def test_nothing_is_left_behind() -> None:
    with TestClient(app_of(echo)) as client:
        for leave in ("close", "abort"):
            with client.websocket("/") as ws:
                ws.send("x")
                assert ws.receive() == "x"
                getattr(ws, leave)()
        with pytest.raises(KeyError), client.websocket("/") as ws:
            raise KeyError
        assert not client._links
        bench = client._bench
        assert bench is not None
        assert not bench.connections
        assert bench.carriers.busy == 0


def test_each_thread_may_have_its_own() -> None:
    done = []
    with TestClient(app_of(echo)) as client:

        def talk(name: str) -> None:
            for number in range(10):
                with client.websocket("/") as ws:
                    ws.send(f"{name} {number}")
                    assert ws.receive() == f"{name} {number}"
            client.close()
            done.append(name)

        threads = [threading.Thread(target=talk, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(done) == ["a", "b", "c"]


def test_a_wait_can_be_cancelled() -> None:
    with TestClient(app_of(echo)) as client, client.websocket("/") as ws:
        with move_on_after(0.01) as scope:
            ws.receive()
        assert scope.cancelled_caught
        ws.send("x")
        assert ws.receive() == "x"


def test_the_lifespan_is_open_meanwhile() -> None:
    story: list[object] = []
    app = app_of(lambda ws: ws.send(story[-1]))

    @app.lifespan
    def opened() -> Iterator[None]:
        story.append("open")
        yield
        story.append("closed")

    client = TestClient(app)
    with pytest.raises(RuntimeError, match="is not running"):
        client.websocket("/").__enter__()
    with TestClient(app) as client, client.websocket("/") as ws:
        assert ws.receive() == "open"
    assert story == ["open", "closed"]


def test_a_base_url_and_a_mount() -> None:
    inner = app_of(echo, "/echo")
    app = Photon()
    app.mount("/v1", inner)
    with TestClient(app, base_url="https://shop.example/v1") as client:
        with client.websocket("/echo", origin="https://shop.example") as ws:
            ws.send("x")
            assert ws.receive() == "x"
            assert repr(ws) == "<ClientWebSocket https://shop.example/v1/echo open>"


def test_a_plain_request_sees_a_101() -> None:
    story: list[object] = []

    def handler(ws: WebSocket) -> None:
        ws.accept()
        try:
            list(ws)
        finally:
            story.append(ws.close_code)

    headers = {
        "upgrade": "websocket",
        "connection": "upgrade",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version": "13",
    }
    with TestClient(app_of(handler)) as client:
        response = client.get("/", headers=headers)
        assert response.status == 101
        assert response.headers["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert story == [1006]
