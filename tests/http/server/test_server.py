"""A server: its connections, and its orderly end."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import Server, State
from photon.http.server.serving import serve
from photon.http.server.settings import Limits
from photon.runtime.errors import Cancelled, ListenError
from photon.runtime.greenlets import Turn, sleep_forever, spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub
from photon.runtime.net.address import TcpAddress
from photon.runtime.patience import hurry
from photon.testing.wire import Wire
from tests.clients import Client, expect_no_leaks, request, settings, wait_until


def hello(request: Request) -> Response:
    return Response("hello")


class Gate:
    """A handler that waits until the gate opens, and notes how it ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.inside = 0
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def __call__(self, request: Request) -> Response:
        self.inside += 1
        try:
            self._open.wait()
            self.ends.append("done")
        except Cancelled as error:
            self.ends.append(error.source)
            raise
        return Response("through")


class Stubborn:
    """A handler that swallows every cancel."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.let_go = threading.Event()

    def __call__(self, request: Request) -> Response:
        while not self.let_go.is_set():
            try:
                self.let_go.wait()
            except Cancelled as error:
                self.told.append(error.source)
        return hello(request)


def stopping(server: Server) -> Handle[None]:
    """Begin to stop the server; returns once it is draining."""
    handle = spawn(server.stop)
    wait_until(lambda: server.state is not State.RUNNING)
    return handle


# Its end...


def test_stop_closes_idle_connections_at_once_and_heads_that_do_not_come_soon() -> None:
    with serve(hello) as server, Client(server) as idle, Client(server) as half:
        assert idle.ask("/").status == 200
        half.send(request("GET", "/")[:10])
        wait_until(lambda: server.statistics()["phases"] == {"idle": 1, "head": 1})
        stop = stopping(server)
        assert idle.read_to_end() == b""
        assert half.read_to_end().startswith(b"HTTP/1.1 408 ")
        half.close()
        stop.join()
        assert server.state is State.STOPPED
        assert not server.connections


def test_stop_accepts_nothing_more() -> None:
    with serve(hello) as server:
        server.stop()
        with pytest.raises(ConnectionRefusedError):
            Client(server)


def test_stop_lets_busy_requests_finish_and_says_close() -> None:
    gate = Gate()
    with serve(gate) as server, Client(server) as client:
        client.get("/")
        wait_until(lambda: gate.inside)
        stop = stopping(server)
        assert server.state is State.DRAINING
        gate.open()
        answer = client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"through", "close")
        assert client.read_to_end() == b""
        stop.join()
        assert gate.ends == ["done"]


def test_stop_answers_nothing_that_was_pipelined_behind_a_busy_request() -> None:
    gate = Gate()
    with serve(gate) as server, Client(server) as client:
        client.send(request("GET", "/1") + request("GET", "/2"))
        wait_until(lambda: gate.inside)
        stop = stopping(server)
        gate.open()
        assert client.answer().headers["connection"] == "close"
        assert client.read_to_end() == b""
        stop.join()
        assert gate.inside == 1


def test_stop_cancels_what_does_not_finish_in_drain_s() -> None:
    gate = Gate()
    with serve(gate, settings=settings(drain_s=0.1)) as server, Client(server) as client:
        client.get("/")
        wait_until(lambda: gate.inside)
        server.stop()
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert gate.ends == ["shutdown"]
        expect_no_leaks(server)


def test_stop_cuts_what_does_not_end_in_cleanup_s(caplog: pytest.LogCaptureFixture) -> None:
    stubborn = Stubborn()
    quick = settings(drain_s=0.1, cleanup_s=0.1)
    with serve(stubborn, settings=quick) as server, Client(server) as client:
        client.get("/")
        wait_until(lambda: server.statistics()["phases"] == {"handling": 1})
        server.stop()
        assert client.read_to_end() == b""
        assert stubborn.told == ["shutdown"]
        assert server.state is State.STOPPED
        stubborn.let_go.set()
        expect_no_leaks(server)
    (error,) = (r.getMessage() for r in caplog.records if r.levelno > logging.WARNING)
    assert error.startswith("cut off, it goes on though cancelled (--timeout-cleanup): GET / ")
    assert re.search(r" of 127.0.0.1:\d+, after 0\.\d+ s, at .*test_server.py:\d+ in ", error)


def test_stop_tells_of_some_of_those_that_it_cuts(caplog: pytest.LogCaptureFixture) -> None:
    stubborn = Stubborn()
    with serve(stubborn, settings=settings(drain_s=0.1, cleanup_s=0.1)) as server:
        with ExitStack() as clients:
            for _ in range(103):
                clients.enter_context(Client(server)).get("/")
            wait_until(lambda: server.statistics()["phases"] == {"handling": 103})
            server.stop()
        stubborn.let_go.set()
        expect_no_leaks(server)
    errors = [r.getMessage() for r in caplog.records if r.levelno > logging.WARNING]
    assert len(errors) == 101
    assert errors[-1] == "cut off: 3 more"


def test_stop_cuts_a_stream_that_does_not_end() -> None:
    ends: list[str] = []

    def endless(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                yield b"first"
                sleep_forever()
            finally:
                ends.append("finally")

        return Response.stream(pieces())

    with serve(endless, settings=settings(drain_s=0.1)) as server, Client(server) as client:
        client.get("/")
        client.read_until(b"first\r\n")
        server.stop()
        assert client.read_to_end() == b""  # and no last chunk
        assert ends == ["finally"]


def test_stop_puts_no_503_into_a_response_that_is_half_sent() -> None:
    with serve(lambda r: Response(b"x" * 20_000_000), settings=settings(drain_s=0.1)) as server:
        with Client(server, receive_buffer=65536) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            server.stop()
            client.read_until(b"\r\n\r\n")
            rest = client.read_to_end()
            assert len(rest) < 20_000_000
            assert set(rest) == {ord("x")}


def test_stop_cuts_clients_that_linger_and_blames_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with serve(hello, settings=settings(drain_s=0.1, cleanup_s=0.1)) as server:
        with Client(server) as client:
            client.send(b"nonsense\r\n\r\n")
            assert client.answer().status == 400
            wait_until(lambda: server.statistics()["phases"] == {"lingering": 1})
            server.stop()
            assert not server.connections
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.fixture
def _hurry_ends() -> Iterator[None]:
    """It lasts until the next application is opened, which a bare server never does."""
    yield
    current_hub().is_hurried = False


@pytest.mark.usefixtures("_hurry_ends")
def test_hurry_ends_each_phase_of_the_stop() -> None:
    stubborn = Stubborn()
    with serve(stubborn, settings=settings(drain_s=60, cleanup_s=60)) as server:
        with Client(server) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"handling": 1})
            stop = stopping(server)
            hurry()
            wait_until(lambda: stubborn.told == ["shutdown"])
            assert server.state is State.CANCELLING
            hurry()
            stop.join()
            assert server.statistics()["state"] == "stopped"
            assert client.read_to_end() == b""
        stubborn.let_go.set()
        expect_no_leaks(server)


@pytest.mark.usefixtures("_hurry_ends")
def test_hurry_is_harmless_while_a_server_runs_and_after() -> None:
    with serve(hello) as server, Client(server) as client:
        hurry()
        assert client.ask("/").status == 200
    hurry()


def test_a_second_stop_does_nothing() -> None:
    with serve(hello) as server:
        server.stop()
        server.stop()
        assert server.state is State.STOPPED


def test_stop_with_many_busy_clients_leaves_nothing() -> None:
    gate = Gate()
    with serve(gate, settings=settings(drain_s=0.1)) as server:
        clients = [Client(server) for _ in range(50)]
        for client in clients:
            client.get("/")
        wait_until(lambda: gate.inside == 50)
        server.stop()
        assert [client.answer().status for client in clients] == [503] * 50
        for client in clients:
            client.close()
        expect_no_leaks(server)


# Who came just before its end...


def test_requests_that_wait_in_the_backlog_are_answered_by_a_server_that_stops() -> None:
    with serve(hello) as server:
        clients = [Client(server, at_once=True) for _ in range(100)]  # more than one round takes
        for number, client in enumerate(clients):
            client.get(f"/{number}")
        assert server.statistics()["accepted"] == 0
        server.stop()
        for client in clients:
            answer = client.answer()
            assert (answer.body, answer.headers["connection"]) == (b"hello", "close")
            assert client.read_to_end() == b""  # a reset would be an error
            client.close()
        assert server.statistics()["accepted"] == 100


def test_requests_that_come_while_the_hub_is_busy_are_answered_by_a_server_that_stops() -> None:
    late: list[Client] = []
    stops: list[Handle[None]] = []

    def application(request: Request) -> Response:
        if request.path == "/busy":  # nobody else has the hub until this returns
            late.append(Client(server, at_once=True))
            late[0].get("/late")
            idle.get("/idle")
            stops.append(spawn(server.stop))
        return hello(request)

    with serve(application) as server, Client(server) as busy, Client(server) as idle:
        assert idle.ask("/").status == 200
        assert busy.ask("/busy").status == 200
        for client in (late[0], idle):
            answer = client.answer()
            assert (answer.status, answer.headers["connection"]) == (200, "close")
            assert client.read_to_end() == b""
        stops[0].join()
        late[0].close()


def test_a_request_in_the_socket_of_an_accepted_connection_is_answered_before_the_end() -> None:
    with serve(hello) as server, Client(server) as new, Client(server) as used:
        assert used.ask("/").status == 200
        wait_until(lambda: len(server.connections) == 2)
        for client in (new, used):
            client.send(request("POST", "/", body=b"x" * 20_000))
        stop = stopping(server)
        for client in (new, used):
            answer = client.answer()
            assert (answer.body, answer.headers["connection"]) == (b"hello", "close")
            assert client.read_to_end() == b""
            client.close()
        stop.join()


def test_a_handler_that_waits_has_its_time_though_its_request_came_just_before_the_end() -> None:
    gate = Gate()
    with serve(gate) as server, Client(server, at_once=True) as client:
        client.get("/")
        stop = stopping(server)
        wait_until(lambda: gate.inside)
        gate.open()
        assert client.answer().body == b"through"
        assert client.read_to_end() == b""
        stop.join()


def test_who_only_connected_is_let_go_without_a_reset() -> None:
    with serve(hello) as server, Client(server, at_once=True) as client:
        server.stop()
        assert client.read_to_end() == b""


def test_the_rest_of_a_head_may_come_while_the_server_stops() -> None:
    with serve(hello) as server, Client(server, at_once=True) as client:
        head = request("GET", "/")
        client.send(head[:10])
        stop = stopping(server)
        wait_until(lambda: server.statistics()["phases"] == {"head": 1})
        client.send(head[10:])
        answer = client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"hello", "close")
        assert client.read_to_end() == b""
        stop.join()


def test_a_head_whose_rest_does_not_come_gets_408_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photon.http.server.server._LAST_HEAD_S", 0.1)
    with serve(hello, settings=settings(head_s=60, drain_s=60)) as server:
        with Client(server, at_once=True) as waiting, Client(server) as accepted:
            accepted.send(request("GET", "/")[:10])
            wait_until(lambda: server.statistics()["phases"].get("head"))
            late = Client(server, at_once=True)
            for client in (waiting, late):
                client.send(request("GET", "/")[:10])
            stop = stopping(server)
            for client in (waiting, accepted, late):
                answer = client.answer()
                assert (answer.status, answer.headers["connection"]) == (408, "close")
                assert client.read_to_end() == b""
                client.close()
            stop.join()
            assert not server.connections


# Its connections...


@pytest.mark.parametrize("leave", [Client.close, Client.reset])
def test_places_below_limits_connections_are_given_again(leave: Callable[[Client], None]) -> None:
    with serve(hello, settings=settings(limits=Limits(connections=3))) as server:
        for _ in range(5):
            clients = [Client(server) for _ in range(6)]
            for client in clients[:3]:
                assert client.ask("/").status == 200
                assert len(server.connections) == 3
            for client in clients[:3]:
                leave(client)
            for client in clients[3:]:
                assert client.ask("/").status == 200
                leave(client)
        wait_until(lambda: not server.connections)


def test_a_server_counts_what_it_does() -> None:
    gate = Gate()
    with serve(gate) as server, Client(server) as busy, Client(server):
        busy.get("/")
        wait_until(lambda: server.statistics()["phases"] == {"handling": 1, "idle": 1})
        statistics = server.statistics()
        assert (statistics["state"], statistics["accepted"]) == ("running", 2)
        assert statistics["connections"] == 2
        assert "running" in repr(server)
        assert "2 connections" in repr(server)
        gate.open()
        assert busy.answer().status == 200
    assert server.statistics()["state"] == "stopped"


def test_two_servers_live_side_by_side() -> None:
    with serve(hello) as one, serve(lambda request: Response("other")) as two:
        with Client(one) as first, Client(two) as second:
            assert first.ask("/").body == b"hello"
            assert second.ask("/").body == b"other"
            one.stop()
            assert second.ask("/").body == b"other"


def test_a_server_may_listen_in_several_places() -> None:
    server = Server(hello)
    for _ in range(2):
        server.listen(TcpAddress("127.0.0.1", 0))
    server.start()
    ports = [address.port for address in server.addresses if isinstance(address, TcpAddress)]
    assert len(set(ports)) == 2
    assert server.url == f"http://127.0.0.1:{server.port}"
    with Client(server) as client:
        assert client.ask("/").status == 200
    server.stop()


def test_an_address_in_use_is_refused() -> None:
    with serve(hello) as server, pytest.raises(ListenError, match="in use"):
        Server(hello).listen(TcpAddress("127.0.0.1", server.port))


def test_a_connected_stream_of_whatever_kind_is_served() -> None:
    with Wire(hello) as wire:
        assert wire.server.connections == {wire.connection}
        wire.connection.close()
        wire.connection.close()
        assert not wire.server.connections


def test_a_request_that_is_queued_for_its_turn_is_answered_when_the_server_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Turn, "LONGEST_S", -1.0)  # every turn is over at once
    asked: list[str] = []

    def application(request: Request) -> Response:
        asked.append(request.path)
        if request.path == "/2":  # the third is queued when the stop begins
            spawn(server.stop)
        return Response.text(request.path)

    with serve(application) as server, Client(server) as client:
        client.send(b"".join(request("GET", f"/{number}") for number in range(1, 4)))
        answers = client.read_to_end()
    assert asked == ["/1", "/2", "/3"]
    assert answers.count(b"HTTP/1.1 200 OK") == 3
    assert answers.count(b"connection: close") == 1
