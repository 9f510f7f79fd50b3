"""A stream over real socket pairs."""

from __future__ import annotations

import _socket
import os
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from photon.runtime.carriers import Carrier
from photon.runtime.errors import StreamBroken, StreamBusy, StreamClosed, StreamError
from photon.runtime.greenlets import checkpoint, sleep, spawn
from photon.runtime.hub import current_hub
from photon.runtime.net.stream import PeerState, SocketStream
from tests.clients import wait_until


class Ends:
    """A stream and the plain socket at its other end."""

    def __init__(self, stream: SocketStream, other: socket.socket) -> None:
        self.stream = stream
        self.other = other


def make(family: str) -> Ends:
    if family == "unix":
        ours, other = socket.socketpair()
    else:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            other = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
    other.settimeout(3)
    connected = _socket.socket(fileno=ours.detach())
    connected.setblocking(False)
    return Ends(SocketStream(current_hub(), connected), other)


@pytest.fixture(params=["unix", "tcp"])
def ends(request: pytest.FixtureRequest) -> Iterator[Ends]:
    pair = make(request.param)
    yield pair
    pair.stream.close()
    pair.other.close()
    checkpoint()


class Reading:
    """A job that notes each time that it was called, and reads."""

    def __init__(self, stream: SocketStream) -> None:
        self.stream = stream
        self.seen: list[bytes | None] = []

    def run(self) -> object:
        self.seen.append(self.stream.receive_nowait(100))
        return False

    def on_parked(self, carrier: Carrier) -> None:
        raise AssertionError


def reset(end: socket.socket) -> None:
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


# Reading...


def test_what_is_there_is_received_and_nothing_is_waited_for(ends: Ends) -> None:
    assert ends.stream.receive_nowait(10) is None
    ends.other.sendall(b"hello")
    assert ends.stream.receive_nowait(2) == b"he"
    assert ends.stream.receive_nowait(10) == b"llo"
    assert ends.stream.receive_nowait(10) is None


def test_the_end_is_received_again_and_again(ends: Ends) -> None:
    ends.other.close()
    assert ends.stream.receive_nowait(10) == b""
    assert ends.stream.receive_nowait(10) == b""


def test_wait_readable_waits_for_bytes_and_for_the_end(ends: Ends) -> None:
    seen: list[bytes | None] = []

    def reader() -> None:
        while not seen or seen[-1]:
            ends.stream.wait_readable()
            seen.append(ends.stream.receive_nowait(10))

    handle = spawn(reader)
    checkpoint()
    assert seen == []
    ends.other.sendall(b"x")
    wait_until(lambda: seen)
    ends.other.close()
    handle.join()
    assert seen == [b"x", b""]


def test_two_readers_are_refused(ends: Ends) -> None:
    first = spawn(ends.stream.wait_readable)
    checkpoint()
    with pytest.raises(StreamBusy, match="already reads"):
        ends.stream.wait_readable()
    ends.other.sendall(b"x")
    first.join()
    assert first.state == "done"


# Writing...


def fill(stream: SocketStream) -> int:
    """Send until the kernel takes no more; how much it took."""
    total = 0
    while sent := stream.send_nowait(b"x" * 100_000):
        total += sent
    return total


def test_the_kernel_takes_a_part_and_then_nothing_until_the_other_side_reads(ends: Ends) -> None:
    total = fill(ends.stream)
    assert ends.stream.send_nowait(b"more") == 0
    waiter = spawn(ends.stream.wait_writable)
    checkpoint()
    assert "running" in repr(waiter)
    received = 0
    while received < total:
        received += len(ends.other.recv(1 << 20))
    waiter.join()
    assert waiter.state == "done"
    assert ends.stream.send_nowait(b"more") == 4
    assert ends.other.recv(10) == b"more"


def test_two_writers_are_refused(ends: Ends) -> None:
    fill(ends.stream)
    first = spawn(ends.stream.wait_writable)
    checkpoint()
    with pytest.raises(StreamBusy, match="already writes"):
        ends.stream.wait_writable()
    first.cancel()
    first.join()


def test_a_reader_and_a_writer_do_not_disturb_each_other(ends: Ends) -> None:
    total = fill(ends.stream)
    reader, writer = spawn(ends.stream.wait_readable), spawn(ends.stream.wait_writable)
    checkpoint()
    ends.other.sendall(b"x")
    reader.join()
    assert reader.state == "done"
    assert "running" in repr(writer)
    while total:
        total -= len(ends.other.recv(1 << 20))
    writer.join()
    assert writer.state == "done"


def test_a_file_is_sent_in_parts(ends: Ends, tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = os.urandom(3_000_000)
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    received = bytearray()

    def reader() -> None:
        while len(received) < len(content) - 10:
            received.extend(ends.other.recv(1 << 20))

    handle = spawn(reader)
    offset = 10
    while offset < len(content):
        sent = ends.stream.send_file_nowait(fd, offset, len(content) - offset)
        offset += sent
        if not sent:
            ends.stream.wait_writable()
    handle.join()
    assert bytes(received) == content[10:]
    with pytest.raises(EOFError, match="shorter"):
        ends.stream.send_file_nowait(fd, len(content), 10)
    os.close(fd)


def test_a_half_close_delivers_what_was_sent(ends: Ends) -> None:
    ends.stream.send_nowait(b"last")
    ends.stream.close_sending()
    assert ends.other.recv(10) == b"last"
    assert ends.other.recv(10) == b""
    ends.other.sendall(b"still")
    ends.stream.wait_readable()
    assert ends.stream.receive_nowait(10) == b"still"


# Interrupts and the end...


def test_a_wait_that_was_interrupted_leaves_the_stream_as_it_was(ends: Ends) -> None:
    fill(ends.stream)
    stream = ends.stream
    for wait, interrupt in (
        (stream.wait_readable, stream.interrupt_reader),
        (stream.wait_writable, stream.interrupt_writer),
    ):
        handle = spawn(wait)
        checkpoint()
        current_hub().run_soon(interrupt, StreamBroken("too slow"))
        handle.join()
        assert isinstance(handle.error, StreamBroken)
        again = spawn(wait)
        checkpoint()
        assert again.state == "running"
        again.cancel()
        again.join()


def test_nobody_is_interrupted_where_nobody_waits(ends: Ends) -> None:
    answers: list[bool] = []
    current_hub().run_soon(lambda: answers.append(ends.stream.interrupt_reader(ValueError())))
    wait_until(lambda: answers)
    assert answers == [False]


def test_a_stream_closed_by_another_greenlet_wakes_who_waits_in_it(ends: Ends) -> None:
    fill(ends.stream)
    handles = [spawn(ends.stream.wait_readable), spawn(ends.stream.wait_writable)]
    checkpoint()
    ends.stream.close()
    ends.stream.close()
    for handle in handles:
        handle.join()
        assert isinstance(handle.error, StreamClosed)


def test_who_left_a_wait_is_not_reached_by_the_close(ends: Ends) -> None:
    def leave_and_wait_elsewhere() -> str:
        with pytest.raises(TimeoutError):
            ends.stream.wait_readable()
        sleep(0.005)
        return "left"

    def close_and_interrupt() -> None:  # before he is told of the close, who waits has left
        ends.stream.close()
        ends.stream.interrupt_reader(TimeoutError())

    handle = spawn(leave_and_wait_elsewhere)
    checkpoint()
    current_hub().run_soon(close_and_interrupt)
    handle.join()
    assert handle.result == "left"


def test_everything_on_a_closed_stream_raises_or_does_nothing(ends: Ends) -> None:
    ends.stream.close()
    calls: list[Callable[[], object]] = [
        lambda: ends.stream.receive_nowait(1),
        lambda: ends.stream.send_nowait(b"x"),
        lambda: ends.stream.send_file_nowait(0, 0, 1),
        ends.stream.wait_readable,
        ends.stream.wait_writable,
        lambda: ends.stream.watch(Reading(ends.stream)),
    ]
    for call in calls:
        with pytest.raises(StreamClosed):
            call()
    ends.stream.close_sending()
    ends.stream.close()
    ends.stream.unwatch()
    assert ends.stream.peer == ""
    assert ends.stream.look() is PeerState.GONE
    assert "closed" in repr(ends.stream)


def test_a_reset_breaks_the_stream() -> None:
    ends = make("tcp")
    reset(ends.other)
    ends.stream.wait_readable()
    with pytest.raises(StreamBroken, match="lost"):
        ends.stream.receive_nowait(10)
    with pytest.raises(StreamError):
        ends.stream.send_nowait(b"x")
    assert ends.stream.look() is PeerState.GONE
    ends.stream.close()


def test_a_reset_wakes_a_writer() -> None:
    ends = make("tcp")
    fill(ends.stream)
    handle = spawn(ends.stream.wait_writable)
    checkpoint()
    reset(ends.other)
    handle.join()
    with pytest.raises(StreamBroken):
        ends.stream.send_nowait(b"x")
    ends.stream.close()


# Watching...


def test_who_has_hung_up_is_known_whatever_waits_to_be_read(ends: Ends) -> None:
    assert not ends.stream.has_hung_up()
    ends.other.sendall(b"bytes")
    assert not ends.stream.has_hung_up()
    ends.other.shutdown(socket.SHUT_WR)
    assert ends.stream.has_hung_up()
    assert ends.stream.look() is PeerState.TALKING  # which is why it has to be asked
    ends.other.close()
    assert ends.stream.has_hung_up()
    assert ends.stream.receive_nowait(10) == b"bytes"
    assert ends.stream.has_hung_up()
    ends.stream.close()
    assert ends.stream.has_hung_up()


def test_our_own_half_close_is_no_hanging_up(ends: Ends) -> None:
    ends.stream.close_sending()
    assert not ends.stream.has_hung_up()
    ends.other.close()
    assert ends.stream.has_hung_up()


@pytest.mark.parametrize("before", [b"", b"bytes"])
def test_who_was_reset_has_hung_up(before: bytes) -> None:
    ends = make("tcp")
    ends.other.sendall(before)
    reset(ends.other)
    assert ends.stream.has_hung_up()
    ends.stream.close()


def test_a_look_takes_nothing(ends: Ends) -> None:
    assert ends.stream.look() is PeerState.QUIET
    ends.other.sendall(b"x")
    assert ends.stream.look() is PeerState.TALKING
    assert ends.stream.receive_nowait(10) == b"x"
    ends.other.shutdown(socket.SHUT_WR)
    assert ends.stream.look() is PeerState.GONE


def test_bytes_before_the_end_are_seen_first(ends: Ends) -> None:
    ends.other.sendall(b"x")
    ends.other.close()
    assert ends.stream.look() is PeerState.TALKING


def test_a_job_is_run_whenever_there_is_something_to_read(ends: Ends) -> None:
    job = Reading(ends.stream)
    ends.stream.watch(job)
    sleep(0.002)
    assert job.seen == []
    for number, data in enumerate((b"one", b"two"), 1):
        ends.other.sendall(data)
        wait_until(lambda number=number: len(job.seen) == number)  # type: ignore[misc]
    ends.stream.unwatch()
    ends.other.sendall(b"three")
    sleep(0.002)
    assert job.seen == [b"one", b"two"]
    ends.stream.watch(job)
    wait_until(lambda: len(job.seen) == 3)


def test_a_reader_borrows_the_watch_and_gives_it_back(ends: Ends) -> None:
    job = Reading(ends.stream)
    ends.stream.watch(job)
    read: list[bytes | None] = []

    def reader() -> None:
        ends.stream.wait_readable()
        read.append(ends.stream.receive_nowait(100))

    handle = spawn(reader)
    checkpoint()
    ends.other.sendall(b"for the reader")
    handle.join()
    assert (read, job.seen) == ([b"for the reader"], [])
    ends.other.sendall(b"for the job")
    wait_until(lambda: job.seen)
    assert job.seen == [b"for the job"]


def test_an_interrupted_reader_gives_the_watch_back_too(ends: Ends) -> None:
    job = Reading(ends.stream)
    ends.stream.watch(job)
    handle = spawn(ends.stream.wait_readable)
    checkpoint()
    handle.cancel()
    handle.join()
    ends.other.sendall(b"for the job")
    wait_until(lambda: job.seen)


def test_a_peer_has_a_name_over_tcp_only() -> None:
    tcp, unix = make("tcp"), make("unix")
    assert tcp.stream.peer == f"127.0.0.1:{tcp.other.getsockname()[1]}"
    assert unix.stream.peer == ""
    assert "open" in repr(tcp.stream)
    for ends in (tcp, unix):
        ends.stream.close()
        ends.other.close()
