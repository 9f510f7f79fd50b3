"""Connections that are handed over to another protocol."""

from __future__ import annotations

from photon.http.request import Request
from photon.http.response import Response
from photon.runtime.clock import now
from photon.runtime.hub import current_hub
from photon.testing.wire import Wire
from tests.clients import request


class Listener:
    """A session that takes what comes, and notes when it was called."""

    def __init__(self) -> None:
        self.calls = 0
        self.stream: object = None
        self.came = b""

    def on_readable(self) -> None:
        self.calls += 1
        if self.stream is not None:
            self.came += self.stream.receive_nowait(100) or b""  # type: ignore[attr-defined]

    def on_due(self, moment: float) -> float | None:
        return None

    def drain(self) -> None:
        """The test ends it."""


def test_a_session_is_not_called_before_the_head_of_the_101_is_out() -> None:
    session = Listener()

    def application(request: Request) -> Response:
        upgrade = request.upgrade(b"HTTP/1.1 101 x\r\n\r\n", session)
        session.stream = upgrade.stream
        while session.came != b"more":
            upgrade.wait_writable()
        return Response(b"", 101)

    with Wire(application, window_bytes=4) as wire:
        wire.send(request("GET", "/"))
        wire.send(b"more")
        assert session.calls == 0
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += wire.receive()
        wire.settle()
        assert head == b"HTTP/1.1 101 x\r\n\r\n"
        assert session.came == b"more"


def test_nothing_is_kept_of_a_connection_that_is_closed() -> None:
    session = Listener()

    def application(request: Request) -> Response:
        upgrade = request.upgrade(b"HTTP/1.1 101 x\r\n\r\n", session)
        upgrade.close()
        upgrade.look_at(now() + 1000)
        return Response(b"", 101)

    with Wire(application) as wire:
        wire.send(request("GET", "/"))
        wire.settle()
        assert len(current_hub().sweep) == 0
