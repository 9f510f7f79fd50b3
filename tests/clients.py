"""Clients that speak to a server byte by byte, and waits that end."""

from __future__ import annotations

import _socket
import socket
import struct
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from photon.http.server.server import Server
from photon.http.server.settings import Limits, ServerSettings, Timeouts
from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep

PATIENCE_S = 20.0
"""How long anything is waited for; no test takes that long unless it fails. A machine that does
other things as well may be ten times slower than ours."""


class Answer(NamedTuple):
    """A response as it came: header names in lower case, the last value of each."""

    status: int
    headers: dict[str, str]
    body: bytes


class Client:
    """A connection to a server, by a plain socket.

    Args: at_once: connect without letting the server in, which has it in its backlog then.
    """

    def __init__(
        self, server: Server, *, receive_buffer: int | None = None, at_once: bool = False
    ) -> None:
        self.unread = b""
        if at_once:
            raw = _socket.socket()
            raw.connect(("127.0.0.1", server.port))
            self.socket = socket.socket(fileno=raw.detach())
            self.socket.settimeout(PATIENCE_S)
            return
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        try:
            self.socket.connect(("127.0.0.1", server.port))
        except OSError:
            self.socket.close()
            raise

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def get(self, path: str, *headers: str) -> None:
        """Send a GET and read nothing."""
        self.send(request("GET", path, *headers))

    def ask(self, path: str, *headers: str) -> Answer:
        """Send a GET and read its answer."""
        self.get(path, *headers)
        return self.answer()

    def answer(self, *, has_content: bool = True) -> Answer:
        """Read one response; its body is framed by length, by chunks or by the end."""
        head = self.read_until(b"\r\n\r\n")
        line, *fields = head[:-4].decode("latin-1").split("\r\n")
        headers = {}
        for field in fields:
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        status = int(line.split()[1])
        if not has_content or status in (100, 204, 304):
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        elif "content-length" in headers:
            body = self.read(int(headers["content-length"]))
        else:
            body = self.read_to_end()
        return Answer(status, headers, body)

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self.read_until(b"\r\n"), 16):
            body += self.read(size)
            assert self.read(2) == b"\r\n"
        assert self.read(2) == b"\r\n"
        return body

    def read(self, count: int) -> bytes:
        pieces = [self.unread[:count]]
        self.unread = self.unread[count:]
        missing = count - len(pieces[0])
        while missing:
            piece = self.socket.recv(min(missing, 1 << 20))
            if not piece:
                raise EOFError(f"the server closed {missing} bytes before the end")
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self.unread:
            self._more()
        data, mark, self.unread = self.unread.partition(mark)
        return data + mark

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise EOFError(f"the server closed after {self.unread!r}")
        self.unread += data

    def read_to_end(self) -> bytes:
        """All that comes until the server closes; a reset is an error."""
        data, self.unread = self.unread, b""
        while piece := self.socket.recv(65536):
            data += piece
        return data

    def is_cut(self) -> bool:
        """Wait for the end of the connection; whether it came, in whatever way, with no byte."""
        try:
            return self.read_to_end() == b""
        except ConnectionResetError:
            return True

    def end_sending(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close as a client that crashes does: the server gets an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def request(method: str, path: str, *headers: str, body: bytes = b"") -> bytes:
    """The bytes of a request; a body brings its Content-Length."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test", *headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def settings(
    *,
    limits: Limits | None = None,
    half_close: str = "gone",
    protocol: str = "fast",
    **seconds: float,
) -> ServerSettings:
    """Settings with time-outs given by their names."""
    return ServerSettings(
        limits=limits or Limits(),
        timeouts=Timeouts(**seconds),
        half_close=half_close,  # type: ignore[arg-type]
        protocol=protocol,  # type: ignore[arg-type]
    )


def wait_until(condition: Callable[[], object]) -> None:
    """Let everything else go on until `condition()` is true."""
    with fail_after(PATIENCE_S):
        while not condition():
            sleep(0.002)


def expect_no_leaks(server: Server) -> None:
    """Wait until nothing of any connection is left: no connection, no greenlet, no time-out."""
    wait_until(lambda: not server.connections)
    wait_until(lambda: server.carriers.busy == 0)
    wait_until(lambda: len(server.sweep) == 0)


def expect_no_deadlines(server: Server) -> None:
    """Wait until the hub has no deadline left. The Date that servers keep lasts for a second."""
    deadlines = server.hub.deadlines
    try:
        wait_until(lambda: len(deadlines) == 1)  # that of `wait_until` itself
    except TimeoutError:
        left = [f"{each} {each.callback}" for each in deadlines.pending]
        raise AssertionError(f"deadlines are left: {left}") from None
