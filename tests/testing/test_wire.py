"""The connection in memory: it behaves as a socket does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.settings import Limits, ServerSettings
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep_forever
from photon.testing.wire import Wire
from tests.clients import expect_no_leaks, request


def hello(request: Request) -> Response:
    return Response(f"hello {request.path}")


def echo(request: Request) -> Response:
    return Response(request.body())


def test_what_the_server_does_it_does_before_send_returns() -> None:
    with Wire(hello) as wire:
        assert wire.receive() == b""
        wire.send(request("GET", "/a"))
        assert wire.receive().endswith(b"\r\n\r\nhello /a")
        assert wire.receive() == b""
        wire.send(request("GET", "/b") + request("GET", "/c"))
        assert wire.receive().count(b"HTTP/1.1 200 OK") == 2
        assert not wire.is_closed


def test_a_body_may_come_later() -> None:
    with Wire(echo) as wire:
        wire.send(request("POST", "/", "Content-Length: 6"))
        assert wire.receive() == b""
        wire.send(b"abc")
        assert wire.receive() == b""
        wire.send(b"def")
        assert wire.receive().endswith(b"abcdef")


def test_a_large_request_is_taken_in_parts() -> None:
    with Wire(echo) as wire:
        wire.send(request("POST", "/", body=b"x" * 300_000))
        assert len(wire.receive().partition(b"\r\n\r\n")[2]) == 300_000


def test_the_server_closes_what_the_client_ended() -> None:
    with Wire(hello) as wire:
        wire.send(request("GET", "/"))
        wire.send_end()
        assert wire.is_closed
        assert wire.is_end_sent
        assert wire.receive().endswith(b"hello /")


def test_a_refusal_is_followed_by_an_end_and_the_rest_is_dropped() -> None:
    with Wire(hello) as wire:
        wire.send(b"nonsense\r\n\r\n")
        assert wire.receive().startswith(b"HTTP/1.1 400 ")
        assert wire.is_end_sent
        assert not wire.is_closed
        wire.send(request("GET", "/"))
        assert wire.receive() == b""
        wire.send_end()
        assert wire.is_closed


def test_a_window_holds_the_server_back() -> None:
    with Wire(lambda request: Response(b"x" * 1000), window_bytes=100) as wire:
        wire.send(request("GET", "/"))
        received = b""
        for _ in range(20):
            piece = wire.receive()
            assert len(piece) <= 100
            received += piece
        assert received.endswith(b"\r\n\r\n" + b"x" * 1000)


def test_a_file_goes_through_the_window_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"y" * 1000)
    with Wire(lambda request: Response.file(path), window_bytes=300) as wire:
        wire.send(request("GET", "/"))
        received = b"".join(wire.receive() for _ in range(10))
        assert received.endswith(b"\r\n\r\n" + b"y" * 1000)


class Waits:
    """A handler that waits for ever, in its own way."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.ends: list[str] = []

    def __call__(self, request: Request) -> Response:
        try:
            if self.how == "asleep":
                sleep_forever()
            if self.how == "reading":
                request.body()
            return Response.stream(self.pieces())
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise

    def pieces(self) -> Iterator[bytes]:
        try:
            yield b"x" * 1000
            if self.how == "streaming":
                sleep_forever()
        except Cancelled as error:
            self.ends.append(error.source)
            raise
        finally:
            self.ends.append("closed")


WAITS = ["asleep", "reading", "streaming", "writing"]


@pytest.mark.parametrize("how", WAITS)
def test_a_reset_ends_whatever_the_handler_waits_for(how: str) -> None:
    waits = Waits(how)
    with Wire(waits, window_bytes=500 if how == "writing" else None) as wire:
        wire.send(request("POST", "/", "Content-Length: 6"))
        assert not waits.ends
        wire.reset()
        assert waits.ends
        assert wire.is_closed
        expect_no_leaks(wire.server)


@pytest.mark.parametrize("how", WAITS)
def test_leaving_the_wire_leaves_no_handler_behind(how: str) -> None:
    waits = Waits(how)
    with Wire(waits, window_bytes=500 if how == "writing" else None) as wire:
        wire.send(request("POST", "/", "Content-Length: 6"))
    assert waits.ends
    expect_no_leaks(wire.server)


def test_settings_are_the_servers() -> None:
    with Wire(echo, ServerSettings(limits=Limits(body_bytes=3))) as wire:
        wire.send(request("POST", "/", body=b"abcd"))
        assert wire.receive().startswith(b"HTTP/1.1 413 ")


def test_an_application_is_running_while_the_wire_is() -> None:
    story: list[str] = []

    class App:
        @contextmanager
        def running(self) -> Iterator[None]:
            story.append("open")
            yield
            story.append("close")

        def __call__(self, request: Request) -> Response:
            story.append("request")
            return Response()

    with Wire(App()) as wire:
        wire.send(request("GET", "/"))
    assert story == ["open", "request", "close"]
