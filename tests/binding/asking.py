"""One request through the real server, protocol and application, in memory."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from photon.app.photon import Photon
from photon.http.body import Body
from photon.http.headers import Headers
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.request import Request
from photon.testing.wire import Wire
from tests.clients import wait_until

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"
MULTIPART = "Content-Type: multipart/form-data; boundary=XX"


class Answer(NamedTuple):
    """A response: its header as it came, its body, and what JSON is in that."""

    status: int
    head: str
    body: bytes

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    @property
    def locs(self) -> list[tuple[str | int, ...]]:
        """Where the request failed."""
        return [tuple(error["loc"]) for error in self.json["errors"]]


def message(
    method: str, target: str, *headers: str, body: bytes | None = None, json: Any = None
) -> bytes:
    """A request as it is on the wire; headers are lines, text is sent as Latin-1."""
    if json is not None:
        headers, body = (*headers, JSON), msgspec.json.encode(json)
    lines = [f"{method} {target} HTTP/1.1", "Host: test", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def read_answer(data: bytes) -> Answer:
    """The one response that is in `data`."""
    head, _, body = data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 "), data[:100]
    return Answer(int(head[9:12]), head.decode("latin-1"), body)


def ask(app: Photon, method: str, target: str, *headers: str, **content: Any) -> Answer:
    """Send one request and take its answer."""
    with Wire(app) as wire:
        wire.send(message(method, target, *headers, **content))
        return read_answer(received(wire))


def call(app: Photon, data: bytes) -> Answer:
    """The answer to a POST of JSON, without a server around the application."""
    fields = FieldBlock(Headers([("content-type", "application/json")]))
    head = RequestHead("POST", "/", "/", "", fields)
    response = app(Request(head, Body(_Bytes(data), len(data), 1 << 30)))
    assert isinstance(response.body, bytes)
    return Answer(response.status, "", response.body)


class _Bytes:
    """The source of a body that is here already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def next_body_chunk(self) -> bytes:
        data, self._data = self._data, b""
        return data


def received(wire: Wire) -> bytes:
    """What the server sends, waiting until it begins."""
    found: list[bytes] = []

    def is_there() -> bool:
        found.append(wire.receive())
        return any(found)

    wait_until(is_there)
    return b"".join(found)


def multipart(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A form of (name, filename or None, content)."""
    body = b""
    for name, filename, content in parts:
        named = f'; filename="{filename}"' if filename is not None else ""
        body += f'--XX\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'.encode()
        body += (b"Content-Type: text/plain\r\n" if filename is not None else b"") + b"\r\n"
        body += content + b"\r\n"
    return body + b"--XX--\r\n"


NOTHING: Any = object()


class Seen:
    """An application with one handler that takes `value`, and what it was given.

    Args: annotation, default: of the parameter. method, path, options: of the route.
    """

    def __init__(
        self,
        annotation: Any,
        default: Any = NOTHING,
        *,
        method: str = "GET",
        path: str = "/",
        **options: Any,
    ) -> None:
        self.values: list[Any] = []
        self.method = method

        def handler(value: Any) -> None:
            self.values.append(value)

        handler.__annotations__["value"] = annotation
        if default is not NOTHING:
            handler.__defaults__ = (default,)
        self.app = Photon(openapi_url=None, docs_url=None)
        self.app.route(path, [method], **options)(handler)

    def ask(self, target: str = "/", *headers: str, **content: Any) -> Answer:
        return ask(self.app, self.method, target, *headers, **content)

    def value(self, target: str = "/", *headers: str, **content: Any) -> Any:
        """What the handler was given for this request."""
        before = len(self.values)
        answer = self.ask(target, *headers, **content)
        assert answer.status == 204, answer
        assert len(self.values) == before + 1
        return self.values[-1]


def refused(answer: Answer) -> list[tuple[str | int, ...]]:
    """Where a 422 says that the request failed."""
    assert answer.status == 422, answer
    return answer.locs
