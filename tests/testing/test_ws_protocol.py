"""The client's side of the WebSocket protocol, against the server's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.testing.ws_protocol import ClientDeflate, ClientProtocol, Frame
from photon.ws.events import CloseReceived, Ping, Pong
from photon.ws.protocol import WebSocketProtocol
from photon.ws.settings import Deflate, WebSocketLimits


def server(deflate: Deflate | None = None) -> WebSocketProtocol:
    return WebSocketProtocol(WebSocketLimits(), deflate)


def client_deflate(agreed: str = "permessage-deflate") -> ClientDeflate:
    deflate = ClientDeflate()
    deflate.finalize(agreed)
    return deflate


def events(protocol: WebSocketProtocol, data: bytes) -> list[Any]:
    """What the server sees."""
    protocol.receive_data(data)
    return [event for _ in range(20) if (event := protocol.next_event()) is not None]


MESSAGES = st.lists(st.text(max_size=300) | st.binary(max_size=300), max_size=10)


@given(messages=MESSAGES, cut=st.integers(1, 50), is_deflated=st.booleans())
def test_what_the_server_says_is_understood(
    messages: list[str | bytes], cut: int, is_deflated: bool
) -> None:
    there = server(Deflate(smallest_bytes=0) if is_deflated else None)
    here = ClientProtocol(client_deflate() if is_deflated else None)
    data = b"".join(
        there.text(message) if isinstance(message, str) else there.binary(message)
        for message in messages
    )
    for at in range(0, len(data), cut):
        assert here.receive_data(data[at : at + cut]) == b""
    assert here.unread_bytes == sum(map(len, messages))
    assert [here.next_message() for _ in messages] == messages
    assert (here.next_message(), here.unread_bytes, here.fault) == (None, 0, "")


@given(messages=MESSAGES, is_deflated=st.booleans())
def test_what_it_says_is_understood(messages: list[str | bytes], is_deflated: bool) -> None:
    there = server(Deflate() if is_deflated else None)
    here = ClientProtocol(client_deflate() if is_deflated else None)
    assert [events(there, here.message(message)) for message in messages] == [[m] for m in messages]


def test_fragments() -> None:
    here = ClientProtocol()
    data = here.fragments(["a", "", "b"])
    assert [data[0], data[7], data[13]] == [0x01, 0x00, 0x80]
    assert events(server(), data)[-1] == "ab"
    assert events(server(), here.fragments([b"x"])) == [b"x"]
    pieces: tuple[Any, ...] = ([], "text", b"bytes")
    for none in pieces:
        with pytest.raises(ValueError, match="a list with at least one piece"):
            here.fragments(none)
    with pytest.raises(TypeError, match="all str or all bytes"):
        here.fragments(["a", b"b"])  # type: ignore[arg-type]  # that is it


def test_fragments_are_frames_and_one_message() -> None:
    here = ClientProtocol()
    here.receive_data(b"\x01\x01a\x89\x01p\x80\x01b")
    assert list(here.frames) == [
        Frame("text", "a", is_last=False),
        Frame("ping", b"p"),
        Frame("text", "b"),
    ]
    assert here.next_message() == "ab"
    here.receive_data(b"\x02\x01a")
    assert here.next_message() is None
    here.receive_data(b"\x80\x01b")
    assert here.next_message() == b"ab"  # and the piece that came before is not lost


def test_a_ping_between_fragments_that_are_compressed() -> None:
    deflate = server(Deflate(smallest_bytes=0))
    frame = deflate.text("a" * 100)
    payload = frame[2:]
    first, rest = payload[:4], payload[4:]
    data = b"\x41" + bytes([len(first)]) + first + b"\x89\x00" + b"\x80" + bytes([len(rest)]) + rest
    here = ClientProtocol(client_deflate())
    assert here.receive_data(data)[:1] == b"\x8a"
    assert here.fault == ""
    assert here.next_message() == "a" * 100


def test_pings_are_answered() -> None:
    there, here = server(), ClientProtocol()
    assert events(there, here.receive_data(there.ping(b"x"))) == [Pong(b"x")]
    here.answers_pings = False
    assert here.receive_data(there.ping(b"y")) == b""
    assert [here.next_frame(), here.next_frame()] == [Frame("ping", b"x"), Frame("ping", b"y")]
    assert events(there, here.ping(b"z")) == [Ping(b"z")]
    here.awaited.add(b"z")
    here.receive_data(there.pong(b"z") + there.pong(b"z"))
    assert here.awaited == set()
    assert list(here.frames) == [Frame("pong", b"z")]


@pytest.mark.parametrize(("code", "echo"), [(1000, 1000), (4321, 4321), (1005, 1005)])
def test_the_close_of_the_server_is_answered(code: int, echo: int) -> None:
    there, here = server(), ClientProtocol()
    close = there.close(code, "why") if code != 1005 else b"\x88\x00"
    answer = here.receive_data(close + b"\x81\x01x")
    assert [event.code for event in events(there, answer)] == [echo]
    assert here.closed == Frame("close", "why" if code != 1005 else "", code=code)
    assert list(here.frames) == [here.closed]  # what comes behind it means nothing
    assert here.close(1000, "") == b""


def test_it_closes_once() -> None:
    there, here = server(), ClientProtocol()
    assert events(there, here.close(4000, "bye")) == [CloseReceived(4000, "bye")]
    assert here.close(4001, "") == b""
    assert here.said_close == (4000, "bye")
    assert here.receive_data(there.answer_close()) == b""
    assert here.closed is not None
    assert here.closed.code == 4000
    assert ClientProtocol().close(1005, "")[1] == 0x80  # masked, and empty


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\x81\x80\0\0\0\0", "masked"),
        (b"\xc1\x00", "Reserved bit"),
        (b"\x83\x00", "Invalid opcode"),
        (b"\x80\x00", "CONTINUATION"),
        (b"\x09\x00", "fragment control"),
        (b"\x88\x01x", "1 byte"),
        (b"\x88\x02\x03\xed", "local-only"),
        (b"\x81\x01\xff", "decode"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, fault: str) -> None:
    here = ClientProtocol()
    here.receive_data(b"\x81\x02ok")
    here.receive_data(data)
    assert fault in here.fault
    assert here.next_message() == "ok"
    assert here.receive_data(b"\x81\x02no") == b""
    assert here.next_message() is None
