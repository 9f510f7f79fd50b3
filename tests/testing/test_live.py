"""The client over sockets: connections that are kept, and those that are lost."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.testing.errors import BadResponse, ConnectionLost
from photon.testing.live import LiveClient, live_server
from tests.clients import settings, wait_until


def hello(request: Request) -> Response:
    return Response(f"hello {request.path}")


def test_a_server_that_runs_elsewhere_is_asked() -> None:
    with serve(hello) as server, LiveClient(server.url) as client:
        assert client.get("/a").text == "hello /a"
        assert client.app is None


def test_the_server_is_at_hand() -> None:
    with live_server(hello) as client:
        assert client.server is not None
        assert client.server.url == client.base_url
        assert client.app is hello


def test_connections_are_kept() -> None:
    with live_server(hello) as client:
        for _ in range(5):
            client.get("/")
        client.post("/", content=b"x" * 100_000)
        assert client.server is not None
        assert client.server.statistics()["accepted"] == 1
        with client.stream("GET", "/"):
            client.get("/other")
        assert client.server.statistics()["accepted"] == 2


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    with live_server(hello, settings=settings(idle_s=0.1)) as client:
        assert client.get("/").status == 200
        server = client.server
        assert server is not None
        wait_until(lambda: not server.connections)
        assert client.post("/").status == 200
        assert server.statistics()["accepted"] == 2


def test_what_says_close_is_closed() -> None:
    with live_server(hello) as client:
        for _ in range(2):
            assert client.get("/", headers={"connection": "close"}).text == "hello /"
        assert client.server is not None
        assert client.server.statistics()["accepted"] == 2
        assert not client._open


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def scripted(*scripts: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that does one script per connection."""

    def run() -> None:
        for script in scripts:
            connection, _ = listener.accept()
            with connection:
                script(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=run)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


def answers(*pieces: bytes) -> Callable[[socket.socket], None]:
    """One answer to each request."""

    def script(connection: socket.socket) -> None:
        for piece in pieces:
            assert connection.recv(65536)
            connection.sendall(piece)

    return script


def leaves_at_the_second(connection: socket.socket) -> None:
    answers(OK)(connection)
    assert connection.recv(65536)


def test_a_request_that_may_be_repeated_is_when_the_server_closes_at_that_moment() -> None:
    with scripted(leaves_at_the_second, answers(OK)) as url, LiveClient(url) as client:
        assert client.get("/").text == "ok"
        assert client.get("/").text == "ok"


def test_a_request_that_may_not_be_repeated_is_not() -> None:
    with scripted(leaves_at_the_second) as url, LiveClient(url) as client:
        assert client.get("/").text == "ok"
        with pytest.raises(ConnectionLost, match=r"POST .*: the server closed .* without a resp"):
            client.post("/")


@pytest.mark.parametrize(
    ("sent", "error", "says"),
    [
        (b"nonsense\r\n\r\n", BadResponse, "the response is no HTTP"),
        (OK[:-1], ConnectionLost, "before its response was complete"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", BadResponse, "the response is no HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", BadResponse, "is no HTTP"),
    ],
)
def test_what_is_no_response_is_told(sent: bytes, error: type[Exception], says: str) -> None:
    with scripted(answers(sent)) as url, LiveClient(url) as client:
        with pytest.raises(error, match=says):
            client.get("/")


def test_informational_responses_are_passed_over() -> None:
    with scripted(answers(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)) as url:
        with LiveClient(url) as client:
            assert client.get("/").text == "ok"


def test_a_response_may_end_with_its_connection() -> None:
    with scripted(answers(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as url, LiveClient(url) as client:
        assert client.get("/").text == "all of it"
        assert not client._open


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with (
        LiveClient(url) as client,
        pytest.raises(ConnectionLost, match=f"no server answers at {url}"),
    ):
        client.get("/")


def test_tls_is_not_spoken() -> None:
    with pytest.raises(ValueError, match="needs TLS"):
        LiveClient("https://127.0.0.1:1").get("/")
    with pytest.raises(ValueError, match=r"'127.0.0.1:1' is no URL: it is written http://"):
        LiveClient("127.0.0.1:1")
    with pytest.raises(ValueError, match="is no base for paths: it has a query"):
        LiveClient("http://127.0.0.1:1/?a=b")
