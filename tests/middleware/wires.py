"""Whole requests through an application in its middleware, over a wire in memory."""

from __future__ import annotations

from typing import NamedTuple

from photon.http.application import Application
from photon.testing.wire import Wire
from tests.clients import request, wait_until


class Reply(NamedTuple):
    """A response as it came; `headers` has lower-case names, and all values of each."""

    status: int
    headers: dict[str, list[str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The one value of a header; None when it is not there."""
        values = self.headers.get(name)
        if values is None:
            return None
        (value,) = values
        return value


def ask(
    application: Application, method: str, path: str, *headers: str, body: bytes = b""
) -> Reply:
    """Send one request and read its response."""
    with Wire(application) as wire:
        wire.send(request(method, path, *headers, body=body))
        wait_until(lambda: wire.server.carriers.busy == 0)
        return read_reply(wire.receive(), has_content=method != "HEAD")


def read_reply(data: bytes, *, has_content: bool = True) -> Reply:
    """A response out of its bytes."""
    head, _, body = data.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    headers: dict[str, list[str]] = {}
    for field in fields:
        name, _, value = field.partition(": ")
        headers.setdefault(name, []).append(value)
    if not has_content:
        assert body == b""
    elif "transfer-encoding" in headers:
        body = b"".join(read_chunks(body))
    return Reply(int(line.split()[1]), headers, body)


def read_chunks(data: bytes) -> list[bytes]:
    """The chunks of a chunked body, as far as they came."""
    chunks = []
    while data:
        size, _, data = data.partition(b"\r\n")
        if int(size, 16):
            chunks.append(data[: int(size, 16)])
        data = data[int(size, 16) + 2 :]
    return chunks
