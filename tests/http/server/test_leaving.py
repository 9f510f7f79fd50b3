"""A server that leaves while clients keep their connections, and one that makes way for a while."""

from __future__ import annotations

import _socket
import os
from collections.abc import Iterator
from threading import Event

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.phases import IDLE
from photon.http.server.server import Server, Shared, State
from photon.http.server.serving import serve
from photon.http.server.settings import Limits
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.handle import Handle
from photon.runtime.net.address import TcpAddress
from photon.runtime.net.listener import open_socket
from photon.runtime.workers.board import CONNECTIONS, Board
from tests.clients import Client, expect_no_leaks, request, settings, wait_until

LONG_S = 60.0


def hello(request: Request) -> Response:
    return Response("hello")


def leaving(server: Server, settle_s: float) -> Handle[None]:
    server.settle_s = settle_s
    handle = spawn(server.stop)
    wait_until(lambda: server.state is not State.RUNNING)
    return handle


def be_idle_for(seconds: float, server: Server) -> None:
    """As if all its connections had been idle for so long."""
    wait_until(lambda: all(connection.phase == IDLE for connection in server.connections))
    for connection in server.connections:
        connection.since -= seconds


# Who may ask once more...


def test_who_was_active_just_now_may_ask_once_more_and_is_told_to_close() -> None:
    with serve(hello) as server, Client(server) as active:
        assert active.ask("/").status == 200
        stop = leaving(server, LONG_S)
        answer = active.ask("/")
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert active.read_to_end() == b""
        stop.join()
        expect_no_leaks(server)


def test_who_has_connected_just_now_may_ask() -> None:
    with serve(hello) as server, Client(server) as new:
        wait_until(lambda: server.connections)
        stop = leaving(server, LONG_S)
        assert new.ask("/").headers["connection"] == "close"
        assert new.read_to_end() == b""
        stop.join()


def test_who_was_idle_for_longer_is_let_go_at_once() -> None:
    with serve(hello) as server, Client(server) as idle:
        assert idle.ask("/").status == 200
        be_idle_for(10, server)
        stop = leaving(server, 5.0)
        assert idle.read_to_end() == b""
        stop.join()


def test_who_asks_no_more_is_let_go_after_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photon.http.server.server._LAST_HEAD_S", 0.01)
    with serve(hello, settings=settings(drain_s=LONG_S)) as server, Client(server) as quiet:
        assert quiet.ask("/").status == 200
        stop = leaving(server, 0.05)
        assert quiet.read_to_end() == b""
        stop.join()
        assert server.state is State.STOPPED


def test_the_time_to_drain_is_the_end_of_it_in_any_case() -> None:
    with serve(hello, settings=settings(drain_s=0.05)) as server, Client(server) as quiet:
        assert quiet.ask("/").status == 200
        stop = leaving(server, LONG_S)
        assert quiet.read_to_end() == b""
        stop.join()


@pytest.mark.parametrize("settle_s", [0.0, LONG_S])
def test_a_request_that_comes_in_the_moment_of_the_end_is_answered(settle_s: float) -> None:
    with serve(hello) as server, Client(server) as client:
        assert client.ask("/").status == 200
        client.get("/")  # the hub has not seen it yet
        server.settle_s = settle_s
        server.stop()
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert client.read_to_end() == b""


def test_of_several_requests_at_once_one_is_answered_and_no_more() -> None:
    with serve(hello) as server, Client(server) as client:
        assert client.ask("/").status == 200
        stop = leaving(server, LONG_S)
        client.send(request("GET", "/1") + request("GET", "/2"))
        assert client.answer().headers["connection"] == "close"
        assert client.read_to_end() == b""
        stop.join()


# Making way...


def test_a_pause_lets_idle_connections_go_and_leaves_new_ones_in_the_kernel() -> None:
    gate = Event()

    def application(request: Request) -> Response:
        if request.path == "/slow":
            gate.wait()
        return hello(request)

    with serve(application) as server, Client(server) as idle, Client(server) as busy:
        assert idle.ask("/").status == 200
        be_idle_for(10, server)
        busy.get("/slow")
        wait_until(lambda: server.statistics()["phases"] == {"idle": 1, "handling": 1})
        server.pause()
        assert idle.read_to_end() == b""
        with Client(server) as new:
            new.get("/")
            gate.set()
            assert busy.answer().status == 200  # meanwhile others are served
            assert server.statistics()["accepted"] == 2
            server.start()
            assert new.answer().status == 200


def test_a_pause_leaves_those_alone_that_were_active_just_now() -> None:
    with serve(hello) as server, Client(server) as active:
        assert active.ask("/").status == 200
        server.pause()
        assert active.ask("/").status == 200


def test_a_pause_outlasts_connections_that_end_below_the_limit() -> None:
    with serve(hello, settings=settings(limits=Limits(connections=2))) as server:
        clients = [Client(server) for _ in range(2)]
        for client in clients:
            assert client.ask("/").status == 200
        be_idle_for(10, server)
        server.pause()
        wait_until(lambda: not server.connections)
        with Client(server) as new:
            new.get("/")
            for _ in range(20):
                checkpoint()
            assert server.statistics()["accepted"] == 2
            server.start()
            assert new.answer().status == 200
        for client in clients:
            client.close()


def test_a_server_that_makes_way_can_be_stopped() -> None:
    with serve(hello) as server:
        server.pause()
        server.stop()
        assert server.state is State.STOPPED


# With others on one socket...


@pytest.fixture
def shared() -> Iterator[Shared]:
    board = Board()
    opened = open_socket(TcpAddress("127.0.0.1", 0), 64)
    yield Shared(again(opened), board.row(board.take()))
    opened.close()


def again(opened: _socket.socket) -> _socket.socket:
    """The same socket, as a forked process has it."""
    found = _socket.socket(fileno=os.dup(opened.fileno()))
    found.setblocking(False)
    return found


def test_others_see_how_many_connections_there_are(shared: Shared) -> None:
    with serve(hello, shared=shared) as server:
        with Client(server) as one, Client(server) as other:
            assert one.ask("/").status == 200
            assert other.ask("/").status == 200
            assert shared.row[CONNECTIONS] == 2
        wait_until(lambda: shared.row[CONNECTIONS] == 0)


def test_one_after_the_other_nobody_is_refused(shared: Shared) -> None:
    successor = Shared(again(shared.opened), shared.row)
    with serve(hello, shared=shared) as server:
        (address,) = server.addresses
        with serve(hello, address=address, shared=successor) as next_one:
            server.stop()
            for _ in range(5):
                with Client(next_one) as client:
                    assert client.ask("/").status == 200
