"""The control socket's server, in a loop over poll, with real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from photon.runtime.workers import control, polled
from photon.runtime.workers.control import MOST_SESSIONS, ControlError, ControlServer
from photon.runtime.workers.control_machine import HALF_S, ControlSession
from photon.testing.clock import Clock
from tests.runtime.workers.polling import RawClient, go_on, go_round

Later = list[tuple[ControlSession, int]]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "control.sock")


@pytest.fixture
def later() -> Later:
    return []


@pytest.fixture
def server(path: str, later: Later) -> Iterator[ControlServer]:
    def on_request(session: ControlSession, message: dict[str, Any]) -> None:
        if message["do"] == "later":
            later.append((session, message["id"]))
        elif message["do"] == "big":
            session.answer(message["id"], "x" * 3_000_000)
        elif message["do"] == "fail":
            raise RuntimeError("a disk is full")
        elif message["do"] == "refuse":
            raise ControlError("not today; come tomorrow")
        else:
            session.answer(message["id"], message)

    server = ControlServer(path, on_request, about=lambda: {"app": "app:app"})
    yield server
    server.close()


@pytest.fixture
def connect(server: ControlServer) -> Iterator[Callable[[], RawClient]]:
    clients: list[RawClient] = []

    def make() -> RawClient:
        clients.append(RawClient(server, server.path))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


Connect = Callable[[], RawClient]


def test_a_request_is_answered(connect: Connect) -> None:
    client = connect()
    client.say(id=7, do="stats", worker=2)
    assert client.hear() == {"id": 7, "ok": {"id": 7, "do": "stats", "worker": 2}}


def test_who_is_there_is_answered_by_the_server_itself(connect: Connect) -> None:
    client = connect()
    client.say(id=1, do="who")
    assert client.hear()["ok"] == {"pid": os.getpid(), "app": "app:app"}


def test_an_answer_may_come_later_and_wakes_the_loop(
    connect: Connect, later: Later, server: ControlServer
) -> None:
    client = connect()
    client.say(id=1, do="later")
    go_on(server, lambda: later)
    session, number = later.pop()
    session.answer(number, "now")
    assert client.hear() == {"id": 1, "ok": "now"}


def test_a_large_answer_goes_out_piece_by_piece(connect: Connect) -> None:
    client = connect()
    client.say(id=1, do="big")
    assert len(client.hear()["ok"]) == 3_000_000


def test_who_closes_its_side_is_answered(connect: Connect) -> None:
    """As `echo '{...}' | nc -NU path` does."""
    client = connect()
    client.say(id=1, do="stats")
    client.socket.shutdown(socket.SHUT_WR)
    assert client.hear()["id"] == 1
    assert client.hear() is None


def test_while_an_answer_is_awaited_the_loop_rests(
    connect: Connect, later: Later, server: ControlServer
) -> None:
    client = connect()
    client.say(id=1, do="later")
    client.socket.shutdown(socket.SHUT_WR)
    go_on(server, lambda: later)
    while go_round(server, wait_ms=0):
        pass  # the end is read
    assert go_round(server, wait_ms=50) == 0
    client.close()
    assert go_round(server) == 1  # it hung up
    assert server.sessions == []
    session, number = later.pop()
    session.answer(number, "too late")


def test_what_is_no_message_is_told_and_closed(connect: Connect) -> None:
    client = connect()
    client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "one JSON object" in client.hear()["error"]
    assert client.hear() is None


def test_a_flood_without_an_end_is_told_and_closed(connect: Connect) -> None:
    client = connect()
    client.send(b"x" * 300_000)
    assert "65536 bytes" in client.hear()["error"]
    client.send(b"x" * 300_000)  # it lingers, so that the answer is not lost by a reset
    client.socket.shutdown(socket.SHUT_WR)
    assert client.hear() is None


def test_what_a_request_raises_is_its_answer(
    connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    client = connect()
    client.say(id=1, do="fail")
    error = client.hear()["error"]
    assert error == "'fail' failed: RuntimeError: a disk is full; the log of the server has more"
    assert "a disk is full" in caplog.text
    client.say(id=2, do="refuse")
    assert client.hear() == {"id": 2, "error": "not today; come tomorrow"}


def test_another_user_is_refused(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(control, "user_of", lambda socket: 4711)
    for _ in range(2):
        client = connect()
        client.say(id=1, do="stop")
        error = client.hear()["error"]
        assert f"belongs to the user {os.geteuid()}, and you are 4711" in error
        assert client.hear() is None
    assert caplog.text.count("the user 4711 was refused at the control socket") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_is_seen_by_the_kernel(
    server: ControlServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its mode keeps others out; here it does not, so that they come as far as the server."""
    os.chmod(server.path, 0o666)
    tmp_path.chmod(0o755)
    folder = os.open(tmp_path, os.O_RDONLY)
    child = os.fork()
    if child == 0:
        try:
            os.fchdir(folder)  # the folders above are root's own
            os.setuid(65534)
            RawClient(server, "control.sock")
        finally:
            os._exit(0)
    os.close(folder)
    go_on(server, lambda: caplog.text)
    os.waitpid(child, 0)
    assert "the user 65534 was refused" in caplog.text


def test_too_many_clients_are_told(connect: Connect, server: ControlServer) -> None:
    clients = [connect() for _ in range(MOST_SESSIONS)]
    for client in clients:
        client.say(id=1, do="stats")
        assert client.hear()["id"] == 1
    surplus = connect()
    assert f"{MOST_SESSIONS} clients are connected" in surplus.hear()["error"]
    clients.pop().close()
    go_on(server, lambda: len(server.sessions) < MOST_SESSIONS)
    again = connect()
    again.say(id=1, do="stats")
    assert again.hear()["id"] == 1


def test_half_a_message_ends_with_its_time(connect: Connect, server: ControlServer) -> None:
    with Clock() as clock:
        client = connect()
        client.send(b'{"id": 1, "do"')
        go_on(server, lambda: server.sessions and server.sessions[0].due == clock.now + HALF_S)
        clock.advance(HALF_S)
        server.tick()
        assert "did not come" in client.hear()["error"]
        assert client.hear() is None
        clock.advance(2)
        server.tick()
        assert server.is_idle


def test_who_reads_nothing_is_dropped(connect: Connect, server: ControlServer) -> None:
    with Clock() as clock:
        client = connect()
        client.say(id=1, do="big")
        go_on(server, lambda: server.sessions and server.sessions[0].to_send())
        clock.advance(11)
        server.tick()
        assert server.sessions == []
        clock.advance(2)
        server.tick()
        assert server.is_idle


def test_a_child_lets_go_and_the_parent_serves_on(connect: Connect, server: ControlServer) -> None:
    client = connect()
    client.say(id=1, do="stats")
    assert client.hear()["id"] == 1
    child = os.fork()
    if child == 0:
        server.forget()
        os._exit(0 if server.watched() == [] and os.path.exists(server.path) else 1)
    assert os.waitpid(child, 0)[1] == 0
    client.say(id=2, do="stats")
    assert client.hear()["id"] == 2


def test_its_file_goes_with_it(server: ControlServer) -> None:
    assert os.path.exists(server.path)
    server.close()
    server.close()
    assert not os.path.exists(server.path)
    assert server.watched() == []


def test_a_foreign_descriptor_is_left_to_others(server: ControlServer) -> None:
    assert server.handle(987654, polled.READABLE) is False


def test_descriptors_that_run_out_give_the_loop_a_rest(
    server: ControlServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    class Full:
        def __init__(self, real: Any) -> None:
            self._real = real

        def fileno(self) -> int:
            return int(self._real.fileno())

        def _accept(self) -> Any:
            raise OSError(24, "Too many open files")

    with Clock() as clock:
        real = server._listener
        server._listener = Full(real)  # type: ignore[assignment]
        try:
            client = connect()
            assert go_round(server) == 1
            assert server.watched() == []
        finally:
            server._listener = real
        assert "Too many open files; it tries again" in caplog.text
        clock.advance(1)
        server.tick()
        client.say(id=1, do="stats")
        assert client.hear()["id"] == 1
