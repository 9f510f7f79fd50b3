"""Listening: addresses in the way, descriptors that run out, pausing."""

from __future__ import annotations

import _socket
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from photon.runtime.errors import ListenError
from photon.runtime.greenlets import checkpoint, sleep
from photon.runtime.hub import current_hub
from photon.runtime.net.address import Address, FdAddress, TcpAddress, UnixAddress
from photon.runtime.net.listener import _LEAVE_S, Listener, open_socket
from tests.clients import wait_until

LOCAL = TcpAddress("127.0.0.1", 0)


class Accepting:
    """A listener and what it accepted."""

    def __init__(self, address: Address = LOCAL, **options: Any) -> None:
        self.accepted: list[_socket.socket] = []
        self.clients: list[socket.socket] = []
        self.listener = Listener(current_hub(), address, self.on_accept, **options)

    def on_accept(self, accepted: _socket.socket) -> None:
        self.accepted.append(accepted)

    def connect(self) -> socket.socket:
        address = self.listener.address
        assert isinstance(address, TcpAddress)
        client = socket.create_connection((address.host, address.port), timeout=3)
        self.clients.append(client)
        return client

    def close(self) -> None:
        self.listener.close()
        for each in [*self.accepted, *self.clients]:
            each.close()


@pytest.fixture
def accepting() -> Iterator[Accepting]:
    made = Accepting()
    yield made
    made.close()


def test_nothing_is_accepted_before_the_start(accepting: Accepting) -> None:
    accepting.connect()
    sleep(0.002)
    assert accepting.accepted == []
    assert "not accepting" in repr(accepting.listener)
    accepting.listener.start()
    accepting.listener.start()
    wait_until(lambda: accepting.accepted)
    assert accepting.listener.accepted == 1
    assert " accepting accepted=1" in repr(accepting.listener)


def test_what_is_accepted_does_not_block_and_sends_at_once(accepting: Accepting) -> None:
    accepting.listener.start()
    accepting.connect()
    wait_until(lambda: accepting.accepted)
    (accepted,) = accepting.accepted
    assert accepted.gettimeout() == 0.0
    assert not os.get_inheritable(accepted.fileno())
    assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_pause_leaves_clients_in_the_kernel(accepting: Accepting) -> None:
    accepting.listener.start()
    accepting.listener.pause()
    accepting.connect()
    sleep(0.002)
    assert accepting.accepted == []
    accepting.listener.start()
    wait_until(lambda: accepting.accepted)


def test_on_accept_may_pause_the_listener_at_once() -> None:
    made = Accepting()

    def on_accept(accepted: _socket.socket) -> None:
        made.accepted.append(accepted)
        made.listener.pause()

    made.listener._on_accept = on_accept
    for _ in range(3):
        made.connect()
    for count in (1, 2, 3):
        made.listener.start()
        wait_until(lambda count=count: len(made.accepted) == count)  # type: ignore[misc]
        sleep(0.002)
        assert len(made.accepted) == count
    made.close()


def test_on_accept_may_close_the_listener() -> None:
    made = Accepting()

    def on_accept(accepted: _socket.socket) -> None:
        made.accepted.append(accepted)
        made.listener.close()

    made.listener._on_accept = on_accept
    for _ in range(3):
        made.connect()
    made.listener.start()
    wait_until(lambda: made.accepted)
    sleep(0.002)
    assert len(made.accepted) == 1
    made.close()


def test_a_flood_is_accepted_in_several_rounds(accepting: Accepting) -> None:
    for _ in range(200):
        accepting.connect()
    accepting.listener.start()
    wait_until(lambda: len(accepting.accepted) == 200)


def test_a_closed_listener_refuses_and_may_be_closed_again(accepting: Accepting) -> None:
    accepting.listener.start()
    accepting.listener.close()
    accepting.listener.close()
    with pytest.raises(ConnectionRefusedError):
        accepting.connect()


# Addresses...


def test_a_port_of_the_systems_choice_is_told(accepting: Accepting) -> None:
    address = accepting.listener.address
    assert isinstance(address, TcpAddress)
    assert address.host == "127.0.0.1"
    assert address.port > 0


def test_no_host_at_all_listens_everywhere() -> None:
    made = Accepting(TcpAddress("", 0))
    made.listener.start()
    assert isinstance(made.listener.address, TcpAddress)
    with socket.create_connection(("127.0.0.1", made.listener.address.port), timeout=3):
        wait_until(lambda: made.accepted)
    made.close()


REFUSED = [
    (TcpAddress("192.0.2.1", 0), "no such address"),
    (TcpAddress("no.such.host.invalid", 0), "no such address"),
    (UnixAddress("/no/such/directory/app.sock"), "cannot listen"),
    (UnixAddress("/tmp/" + "x" * 200), "cannot listen"),
    (FdAddress(9999), "cannot listen"),
]


@pytest.mark.parametrize(("address", "says"), REFUSED)
def test_an_address_that_cannot_be_had_is_refused_with_a_reason(
    address: Address, says: str
) -> None:
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(ListenError, match=says):
        Accepting(address)
    assert len(os.listdir("/dev/fd")) == before


def test_a_port_in_use_is_refused(accepting: Accepting) -> None:
    with pytest.raises(ListenError, match=r"in use: another process .* choose another port"):
        Accepting(accepting.listener.address)


# Unix sockets...


def test_a_unix_socket_is_removed_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    made = Accepting(UnixAddress(str(path)))
    assert stat.S_ISSOCK(path.stat().st_mode)
    made.close()
    assert not path.exists()


def test_a_stale_socket_file_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    left_over = socket.socket(socket.AF_UNIX)
    left_over.bind(str(path))
    left_over.close()
    made = Accepting(UnixAddress(str(path)))
    made.listener.start()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        wait_until(lambda: made.accepted)
    made.close()


def test_a_file_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("precious")
    with pytest.raises(ListenError, match="no socket: choose another path"):
        Accepting(UnixAddress(str(path)))
    assert path.read_text() == "precious"


def test_a_socket_somebody_listens_on_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    made = Accepting(UnixAddress(str(path)))
    with pytest.raises(ListenError, match="in use"):
        Accepting(UnixAddress(str(path)))
    assert path.exists()
    made.close()


def test_a_socket_whose_owner_is_too_busy_to_accept_is_in_use_and_nobody_waits(
    tmp_path: Path,
) -> None:
    path = tmp_path / "app.sock"
    made = Accepting(UnixAddress(str(path)), backlog=1)
    waiting = []
    for _ in range(10):
        client = _socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        waiting.append(client)
        try:
            client.connect(str(path))
        except BlockingIOError:
            break
    else:
        pytest.skip("the backlog of this system does not fill")
    with pytest.raises(ListenError, match="in use"):
        Accepting(UnixAddress(str(path)))
    assert path.exists()
    for client in waiting:
        client.close()
    made.close()


def test_a_socket_of_another_kind_is_in_use(tmp_path: Path) -> None:
    path = tmp_path / "log.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(str(path))
        with pytest.raises(ListenError, match="in use"):
            Accepting(UnixAddress(str(path)))
        assert path.exists()


# Descriptors...


def test_an_inherited_socket_is_listened_on_and_left_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as inherited:
        made = Accepting(FdAddress(inherited.fileno()))
        made.listener.start()
        assert made.listener.address == TcpAddress(*inherited.getsockname())
        made.connect()
        wait_until(lambda: made.accepted)
        made.close()
        assert inherited.getsockname()


@pytest.mark.parametrize("kind", ["datagram", "file"])
def test_a_descriptor_that_cannot_be_listened_on_is_refused(kind: str, tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    if kind == "file":
        with (tmp_path / "file").open("w") as file, pytest.raises(ListenError):
            Accepting(FdAddress(file.fileno()))
    else:
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            with pytest.raises(ListenError, match="not a stream socket"):
                Accepting(FdAddress(datagrams.fileno()))
    assert len(os.listdir("/dev/fd")) == before


# When descriptors run out...


def test_without_descriptors_it_serves_whom_it_has_and_accepts_again_when_it_can() -> None:
    program = """
        from photon.runtime import monkey
        monkey.patch()
        import logging, resource, socket, sys
        from photon import Response, fail_after, serve, sleep
        logging.basicConfig(stream=sys.stdout, format="%(levelname)s %(message)s")

        def ask(client):
            client.sendall(b"GET / HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n")
            return client.recv(10000)[9:12].decode()

        def connect():
            client = socket.create_connection(("127.0.0.1", server.port))
            client.settimeout(10)
            return client

        with serve(lambda request: Response("hello")) as server, fail_after(20):
            first = connect()
            print("first", ask(first))
            low = first.fileno() + 20
            resource.setrlimit(resource.RLIMIT_NOFILE, (low, low))
            crowd = []
            try:
                while True:
                    crowd.append(connect())
                    sleep(0)
            except OSError as error:
                print("clients:", error.strerror)
            held = crowd.pop()
            held.sendall(b"GET / HTTP/1.1\\r\\nHost: test\\r\\n\\r\\n")
            # The descriptor that the client gave back goes to a file, so the server gets none.
            spare = []
            try:
                while True:
                    spare.append(open("/dev/null"))
            except OSError as error:
                print("files:", error.strerror)
            crowd.append(held)
            sleep(0.3)
            print("meanwhile", ask(first))
            for each in spare + crowd[:-1]:
                each.close()
            print("later", held.recv(10000)[9:12].decode())
            held.close()
            again = connect()
            print("again", ask(again))
            again.close()
            first.close()
    """
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", dedent(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=40,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout
    assert [line for line in lines if not line.startswith("WARNING")] == [
        "first 200",
        "clients: Too many open files",
        "files: Too many open files",
        "meanwhile 200",
        "later 200",
        "again 200",
    ]
    warnings = [line for line in lines if line.startswith("WARNING")]
    assert len(warnings) == 1
    assert "Too many open files" in warnings[0]
    assert "ulimit -n" in warnings[0]


def test_a_pause_outlasts_a_back_off(accepting: Accepting) -> None:
    accepting.listener.start()
    accepting.listener._back_off(OSError(24, "Too many open files"))
    accepting.listener.pause()
    accepting.connect()
    sleep(0.15)  # the first back-off takes 0.1 s
    assert accepting.accepted == []
    accepting.listener.start()
    wait_until(lambda: accepting.accepted)


def test_a_back_off_ends_by_itself_and_with_the_listener(accepting: Accepting) -> None:
    accepting.listener.start()
    accepting.listener._back_off(OSError(24, "Too many open files"))
    accepting.connect()
    wait_until(lambda: accepting.accepted)
    accepting.listener._back_off(OSError(24, "Too many open files"))
    accepting.listener.close()
    sleep(0.15)
    checkpoint()


# Together with others on one socket...


def again(opened: _socket.socket) -> _socket.socket:
    """The same socket, as a forked process has it."""
    found = _socket.socket(fileno=os.dup(opened.fileno()))
    found.setblocking(False)
    return found


class Together:
    """Listeners on one socket, each as a process of its own would have it.

    Attributes: has_room: of each; taken: which of them took each connection.
    """

    def __init__(self, *has_room: bool) -> None:
        self.opened = open_socket(LOCAL, 128)
        self.has_room = list(has_room)
        self.taken: list[int] = []
        self.asked = 0
        self.sockets: list[Any] = []
        self.listeners = [self._listener(number) for number in range(len(has_room))]

    def _listener(self, number: int) -> Listener:
        def has_room() -> bool:
            self.asked += 1
            return self.has_room[number]

        def on_accept(accepted: _socket.socket) -> None:
            self.taken.append(number)
            self.sockets.append(accepted)

        listener = Listener(
            current_hub(), LOCAL, on_accept, opened=again(self.opened), has_room=has_room
        )
        listener.start()
        return listener

    def connect(self) -> None:
        """Have one more connection, and wait until somebody took it."""
        address = self.listeners[0].address
        assert isinstance(address, TcpAddress)
        count = len(self.taken)
        self.sockets.append(socket.create_connection((address.host, address.port), timeout=3))
        wait_until(lambda: len(self.taken) > count)

    def close(self) -> None:
        for each in [*self.listeners, *self.sockets, self.opened]:
            each.close()


@pytest.fixture
def together(request: pytest.FixtureRequest) -> Iterator[Together]:
    made = Together(*request.param)
    yield made
    made.close()


@pytest.mark.parametrize("together", [(False, True, False)], indirect=True)
def test_who_has_no_room_leaves_each_connection_to_who_has(together: Together) -> None:
    for _ in range(20):
        together.connect()
        sleep(2 * _LEAVE_S)  # the next one is another one
    assert together.taken == [1] * 20


@pytest.mark.parametrize("together", [(False,), (False, False)], indirect=True)
def test_what_nobody_has_room_for_is_taken_all_the_same(together: Together) -> None:
    for _ in range(5):
        together.connect()
    assert len(together.taken) == 5


@pytest.mark.parametrize("together", [(False, True)], indirect=True)
def test_what_another_one_cannot_take_is_taken_all_the_same(together: Together) -> None:
    together.listeners[1].pause()  # as one that is stuck
    together.connect()
    assert together.taken == [0]


@pytest.mark.parametrize("together", [(True,)], indirect=True)
def test_who_has_room_is_asked_before_each_connection(together: Together) -> None:
    together.connect()
    together.connect()
    assert together.asked >= 2


@pytest.mark.parametrize("together", [(True, False)], indirect=True)
def test_the_end_of_one_is_not_the_end_of_the_others(together: Together) -> None:
    together.listeners[0].close()
    assert not together.opened.fileno() < 0
    together.connect()
    assert together.taken == [1]
    together.listeners[0].close()


@pytest.mark.parametrize("together", [(False, False)], indirect=True)
def test_one_that_leaves_takes_what_waits_whatever_room_it_has(together: Together) -> None:
    address = together.listeners[0].address
    assert isinstance(address, TcpAddress)
    for _ in range(3):
        raw = _socket.socket()
        raw.connect((address.host, address.port))  # lets nobody in
        together.sockets.append(raw)
    together.listeners[0].accept_all()
    assert together.taken == [0, 0, 0]


def test_the_file_of_a_shared_socket_is_left_to_who_opened_it(tmp_path: Path) -> None:
    address = UnixAddress(str(tmp_path / "shared.sock"))
    opened = open_socket(address, 16)
    listener = Listener(current_hub(), address, _socket.socket.close, opened=again(opened))
    listener.close()
    assert Path(address.path).exists()
    opened.close()
