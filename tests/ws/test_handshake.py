"""The opening handshake: what is a WebSocket request, what is refused, and how."""

from __future__ import annotations

import pytest

from photon.http.errors import HTTPError
from photon.http.problems import problem_of
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.ws.handshake import Offer, accept_head, accept_key, read_offer
from photon.ws.running import run_websocket
from photon.ws.websocket import WebSocket
from tests.clients import Client, expect_no_leaks, request
from tests.http.requests import make_request
from tests.ws.client import ACCEPT, KEY, Speaker, frame, opening

GOOD = {
    "host": "test",
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-key": KEY,
    "sec-websocket-version": "13",
}


def asked(method: str = "GET", version: str = "1.1", **changed: str | None) -> Request:
    """A request for a WebSocket, with headers changed or (None) left out."""
    headers = GOOD | {name.replace("_", "-"): value for name, value in changed.items()}
    present = {name: value for name, value in headers.items() if value is not None}
    return make_request("/chat?x=1", present, method=method, version=version)


# Taken...


def test_the_key_is_proved_as_in_the_rfc() -> None:
    assert accept_key(KEY) == ACCEPT


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"upgrade": "WebSocket"},
        {"upgrade": "h2c, websocket"},
        {"connection": "keep-alive, Upgrade"},
        {"connection": "UPGRADE"},
    ],
)
def test_a_good_request_is_taken(changed: dict[str, str]) -> None:
    assert read_offer(asked(**changed)) == Offer(KEY)


def test_what_is_offered_is_told_in_order() -> None:
    offer = read_offer(
        asked(
            sec_websocket_protocol="v2.chat,  v1.chat",
            sec_websocket_extensions="permessage-deflate; client_max_window_bits",
        )
    )
    assert offer.subprotocols == ("v2.chat", "v1.chat")
    assert offer.extensions == "permessage-deflate; client_max_window_bits"


# Refused...


@pytest.mark.parametrize(
    ("changed", "status", "says"),
    [
        ({"method": "POST"}, 405, "opened by a GET"),
        ({"upgrade": None}, 400, "proxy_set_header Upgrade"),
        ({"upgrade": "h2c"}, 400, "says `Upgrade: websocket`"),
        ({"upgrade": None, "sec_websocket_key": None}, 426, "open it as ws://test/chat"),
        ({"version": "1.0"}, 426, "needs HTTP/1.1"),
        ({"connection": None}, 400, "says `Connection: Upgrade`"),
        ({"connection": "keep-alive"}, 400, "says `Connection: Upgrade`"),
        ({"sec_websocket_version": "8"}, 426, "of version 13 are spoken here, not of '8'"),
        ({"sec_websocket_version": None}, 400, "one Sec-WebSocket-Version, not 0"),
        ({"sec_websocket_key": None}, 400, "one Sec-WebSocket-Key, not 0"),
        ({"sec_websocket_key": ""}, 400, "16 bytes in base64"),
        ({"sec_websocket_key": "c2hvcnQ="}, 400, "16 bytes in base64"),
        ({"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ"}, 400, "16 bytes in base64"),
        ({"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=!"}, 400, "16 bytes in base64"),
        ({"sec_websocket_key": "dGhlIHNhbXBsZSBub25jZXgx"}, 400, "16 bytes in base64"),
        ({"sec_websocket_key": "\xe9" * 24}, 400, "16 bytes in base64"),
        ({"sec_websocket_protocol": "a, a"}, 400, "a list of different names"),
        ({"sec_websocket_protocol": "a,,b"}, 400, "a list of different names"),
        ({"sec_websocket_protocol": "a b"}, 400, "a list of different names"),
    ],
)
def test_a_bad_request_is_refused(changed: dict[str, str | None], status: int, says: str) -> None:
    with pytest.raises(HTTPError) as caught:
        read_offer(asked(**changed))  # type: ignore[arg-type]
    assert caught.value.status == status
    assert says in (caught.value.detail or "")


def test_one_field_twice_is_refused() -> None:
    twice = make_request()
    fields = FieldBlock(type(twice.headers)([*GOOD.items(), ("sec-websocket-key", KEY)]))
    with pytest.raises(HTTPError, match="one Sec-WebSocket-Key, not 2"):
        read_offer(Request(RequestHead("GET", "/", "/", "", fields)))


def test_the_refusals_that_tell_a_client_how_it_goes() -> None:
    with pytest.raises(HTTPError) as plain:
        read_offer(make_request())
    assert plain.value.headers == {"upgrade": "websocket", "connection": "upgrade"}
    with pytest.raises(HTTPError) as old:
        read_offer(asked(sec_websocket_version="8"))
    assert old.value.headers["sec-websocket-version"] == "13"
    with pytest.raises(HTTPError) as posted:
        read_offer(asked(method="POST"))
    assert posted.value.headers == {"allow": "GET"}


# The answer...


def test_the_answer_says_what_was_agreed() -> None:
    head = accept_head(Offer(KEY, ("a", "b")), "b", "permessage-deflate", {"Set-Cookie": "x=1"})
    assert head == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + ACCEPT.encode() + b"\r\n"
        b"Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"
        b"set-cookie: x=1\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("offered", "says"),
    [(("a", "b"), "it offered 'a', 'b'; choose one of `ws.subprotocols`"), ((), "it offered none")],
)
def test_a_subprotocol_that_was_not_offered_cannot_be_agreed_on(
    offered: tuple[str, ...], says: str
) -> None:
    with pytest.raises(ValueError, match="did not offer the subprotocol 'c'") as caught:
        accept_head(Offer(KEY, offered), "c")
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["Connection", "sec-websocket-accept", "Content-Length"])
def test_headers_of_the_handshake_itself_cannot_be_set(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name!r} is the handshake's own"):
        accept_head(Offer(KEY), headers=[(name, "x")])


def test_a_header_cannot_smuggle_others_in() -> None:
    with pytest.raises(ValueError, match="line break"):
        accept_head(Offer(KEY), headers={"x": "1\r\nset-cookie: y=1"})


# On the wire...


def greet(ws: WebSocket) -> None:
    ws.accept("v1" if "v1" in ws.subprotocols else None, {"x-greeting": "hi"})
    ws.send("hello")


def application(request: Request) -> Response:
    try:
        return run_websocket(request, greet)
    except HTTPError as error:
        return problem_of(error)


def test_a_handshake_over_a_socket() -> None:
    with serve(application) as server:
        with Speaker(server, "/", sec_websocket_protocol="v2, v1") as speaker:
            assert speaker.handshake.status == 101
            assert speaker.handshake.headers["sec-websocket-accept"] == ACCEPT
            assert speaker.handshake.headers["sec-websocket-protocol"] == "v1"
            assert speaker.handshake.headers["x-greeting"] == "hi"
            assert speaker.receive() == "hello"
            assert speaker.closed() == (1000, "")
        expect_no_leaks(server)


def test_a_refused_handshake_is_a_problem_and_the_connection_lives_on() -> None:
    with serve(application) as server, Client(server) as client:
        answer = client.ask("/")
        assert answer.status == 426
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["upgrade"] == "websocket"
        client.send(opening(sec_websocket_version="7"))
        answer = client.answer()
        assert (answer.status, answer.headers["sec-websocket-version"]) == (426, "13")
        client.send(opening(content_length="5") + b"hello")
        answer = client.answer()
        assert answer.status == 400
        assert b"has no body" in answer.body


def test_a_request_before_the_handshake_and_messages_right_behind_it() -> None:
    def echo(request: Request) -> Response:
        if request.path == "/plain":
            return Response("plain")
        return run_websocket(request, lambda ws: ws.send(ws.receive()))

    with serve(echo) as server:
        with Client(server) as client:
            client.send(request("GET", "/plain") + opening("/ws") + frame(0x81, b"early"))
            assert client.answer().body == b"plain"
            assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
            assert client.read(7) == b"\x81\x05early"
            assert client.read(4) == b"\x88\x02\x03\xe8"
            client.send(frame(0x88, b"\x03\xe8"))
            assert client.read_to_end() == b""
        expect_no_leaks(server)
