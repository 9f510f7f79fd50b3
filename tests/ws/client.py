"""A WebSocket client over a plain socket: wsproto reads and writes, nothing is hidden.

    with Speaker(server, "/chat") as speaker:
        speaker.send("hello")
        assert speaker.receive() == "echo: hello"

What a client should not do is done by `raw`: bytes as they are.
"""

from __future__ import annotations

import os
from collections import deque
from typing import Any

from wsproto import ConnectionType
from wsproto.connection import Connection, ConnectionState
from wsproto.events import (
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    TextMessage,
)
from wsproto.extensions import Extension

from photon.http.server.server import Server
from tests.clients import Answer, Client

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
"""Of RFC 6455 §1.3, and what proves that it was read."""
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def opening(path: str = "/", *headers: str, **replaced: str | None) -> bytes:
    """The request for a WebSocket.

    Args: replaced: headers by their names with `_` for `-`; None leaves one out.
    """
    fields: dict[str, str | None] = {
        "host": "test",
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-key": KEY,
        "sec-websocket-version": "13",
    }
    fields |= {name.replace("_", "-"): value for name, value in replaced.items()}
    lines = [f"GET {path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    return "\r\n".join([*lines, *headers]).encode("latin-1") + b"\r\n\r\n"


def frame(
    first: int, payload: bytes = b"", *, length: int | None = None, mask: bool = True
) -> bytes:
    """One frame of a client, as odd as it may be.

    Args: first: its first byte; length: what it says of its length.
    """
    size = len(payload) if length is None else length
    bit = 0x80 if mask else 0
    if size < 126:
        head = bytes([first, bit | size])
    elif size < 1 << 16:
        head = bytes([first, bit | 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([first, bit | 127]) + size.to_bytes(8, "big")
    if not mask:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))


class Closed(Exception):
    """The server closed.   Attributes: code, reason: of its close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class Speaker(Client):
    """A WebSocket to a server, opened.

    Attributes: answer_: the 101 (or what came instead); pongs: payloads that came.
    """

    def __init__(
        self,
        server: Server,
        path: str = "/",
        *headers: str,
        extensions: list[Extension] | None = None,
        receive_buffer: int | None = None,
        **replaced: str | None,
    ) -> None:
        super().__init__(server, receive_buffer=receive_buffer)
        self.raw(opening(path, *headers, **replaced))
        self.handshake: Answer = self.answer(has_content=True)
        for extension in extensions or ():
            extension.finalize(self.handshake.headers.get("sec-websocket-extensions", ""))
        self.connection = Connection(ConnectionType.CLIENT, extensions)
        self.pongs: deque[bytes] = deque()
        self.answers_pings = True
        self.answers_close = True
        self._events: deque[Event] = deque()
        self._pieces: list[Any] = []

    def __enter__(self) -> Speaker:
        return self

    def answer(self, *, has_content: bool = True) -> Answer:
        """The answer to the opening; a 101 has no content."""
        head = self.read_until(b"\r\n\r\n")
        if head.split()[1] == b"101":
            self.unread = head[:-2] + b"Content-Length: 0\r\n\r\n" + self.unread
        else:
            self.unread = head + self.unread
        return super().answer(has_content=has_content)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        super().send(data)

    def send(self, message: Any) -> None:  # a message, where its base sends bytes
        """Send a message: str or bytes."""
        event = TextMessage(message) if isinstance(message, str) else BytesMessage(message)
        self.raw(self.connection.send(event))

    def ping(self, payload: bytes = b"") -> None:
        self.raw(self.connection.send(Ping(payload)))

    def receive(self) -> str | bytes:
        """The next message.   Raises: Closed; EOFError, when the server closed without a word."""
        while True:
            event = self.next_event()
            if isinstance(event, (TextMessage, BytesMessage)):
                self._pieces.append(event.data)
                if event.message_finished:
                    pieces, self._pieces = self._pieces, []
                    return type(pieces[0])().join(map(type(pieces[0]), pieces))  # type: ignore[no-any-return]
            elif isinstance(event, CloseConnection):
                raise Closed(int(event.code), event.reason or "")

    def next_event(self) -> Event:
        """The next event; pings and close frames are answered."""
        while not self._events:
            data = self.unread or self.socket.recv(65536)
            self.unread = b""
            if not data:
                raise EOFError("the server closed without a close frame")
            self.connection.receive_data(data)
            self._events.extend(self.connection.events())
        event = self._events.popleft()
        if isinstance(event, Ping) and self.answers_pings:
            self.raw(self.connection.send(event.response()))
        elif isinstance(event, Pong):
            self.pongs.append(bytes(event.payload))
        elif isinstance(event, CloseConnection):
            is_due = self.connection.state is ConnectionState.REMOTE_CLOSING
            if is_due and self.answers_close:
                self._send_last(self.connection.send(event.response()))
        return event

    def _send_last(self, data: bytes) -> None:
        try:
            self.raw(data)
        except OSError:
            pass  # it has closed already

    def pong(self) -> bytes:
        """The payload of the next pong."""
        while not self.pongs:
            self.next_event()
        return self.pongs.popleft()

    def say_close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame and wait for nothing."""
        self.raw(self.connection.send(CloseConnection(code, reason)))

    def closed(self) -> tuple[int, str]:
        """Read until the server's close frame and the end behind it; what it said."""
        try:
            while True:
                self.receive()
        except Closed as error:
            behind = self.read_to_end()
            # RFC 6455 §5.5.2: pings are answered until the client's own close frame has come.
            is_pong = behind[:1] == b"\x8a"
            assert is_pong or not behind, f"{behind[:100]!r} came behind the close frame"
            return error.code, error.reason

    def finish(self, code: int = 1000) -> tuple[int, str]:
        """Close, and wait for the server's answer and the end."""
        self.say_close(code)
        return self.closed()
