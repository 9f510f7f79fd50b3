"""`serve`: a server for the length of a block."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import State
from photon.http.server.serving import lifespan_of, serve
from photon.runtime.errors import ListenError
from photon.runtime.net.address import UnixAddress
from tests.clients import Client, settings


def hello(request: Request) -> Response:
    return Response(f"hello {request.peer.partition(':')[0]}")


def test_the_server_accepts_from_the_beginning_of_the_block_to_its_end() -> None:
    with serve(hello) as server, urlopen(server.url) as answer:
        assert answer.read() == b"hello 127.0.0.1"
    assert server.state is State.STOPPED
    with pytest.raises(ConnectionRefusedError):
        Client(server)


def test_a_port_that_was_free_is_the_port() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serve(hello, port=port) as server:
        assert server.port == port


def test_a_block_that_raises_stops_the_server_too() -> None:
    with pytest.raises(KeyError), serve(hello) as server:
        raise KeyError
    assert server.state is State.STOPPED


def test_a_unix_socket_is_served_and_its_file_removed(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    with serve(hello, address=UnixAddress(str(path))) as server:
        assert server.url.startswith("http+unix://")
        client = http.client.HTTPConnection("test")
        client.sock = socket.socket(socket.AF_UNIX)
        client.sock.connect(str(path))
        client.request("GET", "/")
        assert client.getresponse().read() == b"hello "
        client.close()
    assert not path.exists()


class WithLifespan:
    """An application that has an opinion about when it may be called."""

    def __init__(self) -> None:
        self.story: list[str] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        self.story.append("open")
        try:
            yield
        finally:
            self.story.append("close")

    def __call__(self, request: Request) -> Response:
        self.story.append("request")
        return Response()


def test_the_lifespan_is_opened_before_the_first_request_and_closed_after_the_last() -> None:
    application = WithLifespan()
    with serve(application) as server, Client(server) as client:
        client.ask("/")
    assert application.story == ["open", "request", "close"]


def test_an_address_in_use_leaves_no_lifespan_open() -> None:
    application = WithLifespan()
    with serve(hello) as server, pytest.raises(ListenError):
        with serve(application, port=server.port):
            raise AssertionError
    assert application.story in ([], ["open", "close"])


def test_a_lifespan_that_fails_to_open_serves_nothing() -> None:
    class Broken(WithLifespan):
        @contextmanager
        def running(self) -> Iterator[None]:
            if not self.story:
                raise ValueError("no database")
            yield

    with pytest.raises(ValueError, match="no database"), serve(Broken()):
        raise AssertionError


def test_a_plain_function_has_no_lifespan() -> None:
    with lifespan_of(hello):
        pass


def test_on_answer_and_settings_are_handed_on() -> None:
    told: list[int] = []
    quick = settings(idle_s=0.1)
    with serve(hello, settings=quick, on_answer=lambda r, status, s: told.append(status)) as server:
        assert server.settings is quick
        with Client(server) as client:
            client.ask("/")
            assert client.read_to_end() == b""
    assert told == [200]
