"""Two TLS streams, or one and the standard library's, over wires in memory and over sockets."""

from __future__ import annotations

import _socket
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from photon.runtime.carriers import Carrier
from photon.runtime.errors import StreamBroken, StreamBusy, StreamClosed
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub
from photon.runtime.net.stream import PeerState, SocketStream
from photon.runtime.net.tls import TlsStream
from photon.runtime.net.tls_context import TlsContext, TlsSettings, load_context
from photon.testing.wire import MemoryStream
from tests.certificates import Authority
from tests.clients import wait_until

T = TypeVar("T")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> TlsContext:
    return load_context(TlsSettings(certificates=(authority.issue("localhost"),)))


@pytest.fixture(scope="module")
def trusting(authority: Authority) -> ssl.SSLContext:
    return authority.client()


class Client:
    """The other end: the standard library's SSL object over the lists of a memory stream."""

    def __init__(self, context: ssl.SSLContext, inner: MemoryStream) -> None:
        self.inner = inner
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def shake(self) -> bool:
        self.take()
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def take(self) -> None:
        """What the server sent goes into the BIO; there is room for more then."""
        self.incoming.write(b"".join(self.inner.outbox))
        self.inner.outbox.clear()
        self.inner.wake_writer()

    def give(self, *sizes: int) -> None:
        """What waits in the BIO goes to the server, in pieces of these sizes, the rest at once."""
        data = self.outgoing.read()
        for size in sizes:
            if data[:size]:
                self.inner.inbox.append(data[:size])
            data = data[size:]
        if data:
            self.inner.inbox.append(data)

    def send(self, data: bytes, *sizes: int) -> None:
        view = memoryview(data)
        while view:
            view = view[self.tls.write(view) :]
        self.give(*sizes)

    def received(self) -> bytes:
        """All plaintext that has come."""
        self.take()
        data = b""
        try:
            while piece := self.tls.read(1 << 20):
                data += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return data

    def end(self) -> None:
        """Send a close_notify."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.give()


class Ends:
    """A TLS stream over a wire, and its client, after the handshake."""

    def __init__(
        self, context: TlsContext, trusting: ssl.SSLContext, window: int | None = None
    ) -> None:
        self.inner = MemoryStream(current_hub(), window)
        self.client = Client(trusting, self.inner)
        self.stream = TlsStream(current_hub(), self.inner, context.wrap)
        is_done = False
        while not is_done:
            self.client.shake()
            self.client.give()
            while data := self.inner.receive_nowait(100_000):
                is_done = self.stream.handshake(data)
            while not self.stream.flush():
                self.client.take()
        self.client.received()  # the tickets


@pytest.fixture
def ends(context: TlsContext, trusting: ssl.SSLContext) -> Ends:
    return Ends(context, trusting)


class Reading:
    """A job that notes each time that it was called, and reads, if it shall."""

    def __init__(self, stream: TlsStream) -> None:
        self.stream = stream
        self.seen: list[bytes | None] = []
        self.calls = 0
        self.reads = True

    def run(self) -> object:
        self.calls += 1
        if self.reads:
            self.seen.append(self.stream.receive_nowait(100))
            if self.seen[-1] == b"":
                self.stream.unwatch()
        return False

    def on_parked(self, carrier: Carrier) -> None:
        raise AssertionError


# The handshake...


def test_a_handshake_agrees_on_tls_1_3_and_http_1_1(authority: Authority) -> None:
    trusting = authority.client()
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    context = load_context(TlsSettings(certificates=(authority.issue("localhost"),)))
    stream = Ends(context, trusting).stream
    assert (stream.version, stream.application_protocol) == ("TLSv1.3", "http/1.1")
    assert stream.cipher.startswith("TLS_AES_")
    assert stream.peer_certificate is None
    assert stream.peer == "wire:0"
    assert repr(stream).startswith("<TlsStream TLSv1.3 TLS_AES_")


def test_a_stream_may_be_the_clients_end(context: TlsContext, trusting: ssl.SSLContext) -> None:
    hub = current_hub()
    ours, theirs = MemoryStream(hub), MemoryStream(hub)
    server = TlsStream(hub, ours, context.wrap)
    client = TlsStream(hub, theirs, partial(trusting.wrap_bio, server_hostname="localhost"))
    assert "in its handshake" in repr(client)
    is_done = client.handshake()
    while theirs.outbox or ours.outbox:
        ours.inbox, theirs.outbox = theirs.outbox, []
        while data := ours.receive_nowait(1 << 20):
            server.handshake(data)
        theirs.inbox, ours.outbox = ours.outbox, []
        while not is_done and (data := theirs.receive_nowait(1 << 20)):
            is_done = client.handshake(data)
    assert is_done
    assert client.send_nowait(b"hello") == 5
    ours.inbox = theirs.outbox
    assert server.receive_nowait(100) == b"hello"
    certificate = client.peer_certificate
    assert certificate is not None
    assert certificate["subjectAltName"] == (("DNS", "localhost"),)


def test_what_comes_with_the_last_flight_is_kept_and_told(
    context: TlsContext, trusting: ssl.SSLContext
) -> None:
    inner = MemoryStream(current_hub())
    client, stream = Client(trusting, inner), TlsStream(current_hub(), inner, context.wrap)
    client.shake()
    client.give()
    assert not stream.handshake(inner.receive_nowait(10_000) or b"")
    assert client.shake()
    client.send(b"early")  # in one packet with the client's Finished
    assert len(inner.inbox) == 1
    assert stream.handshake(inner.receive_nowait(10_000) or b"")
    stream.wait_readable()  # does not wait
    job = Reading(stream)
    stream.watch(job)
    wait_until(lambda: job.seen)
    assert job.seen == [b"early"]


# Reading...


def test_all_plaintext_of_a_read_is_given_at_once(ends: Ends) -> None:
    assert ends.stream.receive_nowait(10) is None
    with pytest.raises(BlockingIOError):
        ends.stream.recv(10)
    for word in (b"one ", b"two ", b"three" * 1000):
        ends.client.send(word)
    ends.inner.inbox = [b"".join(ends.inner.inbox)]
    assert ends.stream.raw.recv(100_000) == b"one two " + b"three" * 1000
    assert ends.stream.receive_nowait(10) is None


def test_a_part_of_a_record_is_nothing_yet_but_is_seen_by_a_look(ends: Ends) -> None:
    assert ends.stream.look() is PeerState.QUIET
    ends.client.send(b"hello", 7)
    part, rest = ends.inner.inbox
    ends.inner.inbox = [part]
    assert ends.stream.receive_nowait(100) is None
    assert ends.stream.look() is PeerState.TALKING
    ends.inner.inbox = [rest]
    assert ends.stream.receive_nowait(100) == b"hello"
    assert ends.stream.look() is PeerState.QUIET


def test_what_a_look_has_read_is_received_next(ends: Ends) -> None:
    ends.client.send(b"hello")
    assert ends.stream.look() is PeerState.TALKING
    ends.client.send(b" more")
    assert ends.stream.look() is PeerState.TALKING
    assert ends.stream.receive_nowait(1) == b"hello"
    assert ends.stream.receive_nowait(100) == b" more"


def test_a_close_notify_is_the_end(ends: Ends) -> None:
    ends.client.send(b"last")
    ends.client.end()
    ends.inner.inbox = [b"".join(ends.inner.inbox)]
    assert ends.stream.receive_nowait(100) == b"last"
    assert ends.stream.look() is PeerState.GONE
    assert ends.stream.has_hung_up()
    assert [ends.stream.receive_nowait(9), ends.stream.receive_nowait(9)] == [b"", b""]


def test_a_truncation_is_the_end_too(ends: Ends) -> None:
    ends.client.send(b"hello", 7)
    del ends.inner.inbox[1:]
    ends.inner.inbox.append(b"")
    assert ends.stream.receive_nowait(100) is None
    assert ends.stream.receive_nowait(100) == b""
    assert ends.stream.look() is PeerState.GONE


def test_nonsense_is_a_broken_stream_and_the_client_is_told(ends: Ends) -> None:
    ends.client.send(b"good")
    record = b"\x17\x03\x03\x00\x20" + os.urandom(32)
    ends.inner.inbox = [b"".join(ends.inner.inbox) + record]
    assert ends.stream.receive_nowait(100) == b"good"
    for _ in range(2):
        with pytest.raises(StreamBroken, match=r"no proper TLS .*bad record mac"):
            ends.stream.receive_nowait(100)
    with pytest.raises(OSError, match="no proper TLS"):
        ends.stream.recv(100)
    with pytest.raises(ssl.SSLError, match=r"(?i)bad.record.mac"):
        ends.client.received()
    with pytest.raises(StreamBroken):
        ends.stream.send_nowait(b"x")
    ends.stream.close()


def test_a_lost_connection_is_broken(ends: Ends) -> None:
    ends.inner.is_broken = True
    with pytest.raises(StreamBroken, match="the connection was lost"):
        ends.stream.receive_nowait(100)
    with pytest.raises(StreamBroken, match="the connection was lost"):
        ends.stream.send_nowait(b"x")
    assert ends.stream.look() is PeerState.GONE


def test_a_watcher_is_told_again_of_what_it_does_not_read(ends: Ends) -> None:
    job = Reading(ends.stream)
    job.reads = False
    ends.client.send(b"hello")
    assert ends.stream.look() is PeerState.TALKING
    ends.stream.watch(job)
    wait_until(lambda: job.calls > 2)
    job.reads = True
    wait_until(lambda: job.seen)
    assert job.seen == [b"hello"]
    calls = job.calls
    for _ in range(5):
        checkpoint()
    assert job.calls == calls


def test_what_a_look_reads_away_from_a_watcher_or_reader_is_told_him(ends: Ends) -> None:
    job = Reading(ends.stream)
    ends.stream.watch(job)
    ends.client.send(b"hello")
    assert ends.stream.look() is PeerState.TALKING
    wait_until(lambda: job.seen)
    ends.stream.unwatch()
    reader = spawn(ends.stream.wait_readable)
    checkpoint()
    with pytest.raises(StreamBusy, match="already reads"):
        ends.stream.wait_readable()
    ends.client.send(b"again")
    assert ends.stream.look() is PeerState.TALKING
    reader.join()
    assert reader.state == "done"
    assert ends.stream.receive_nowait(100) == b"again"


def test_the_end_that_came_with_the_last_words_is_told(ends: Ends) -> None:
    job = Reading(ends.stream)
    ends.stream.watch(job)
    ends.client.send(b"last")
    ends.client.end()
    ends.inner.inbox = [b"".join(ends.inner.inbox)]
    ends.inner.notify()
    wait_until(lambda: len(job.seen) == 2)
    assert job.seen == [b"last", b""]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=40_000), min_size=1, max_size=4),
    st.lists(st.integers(1, 9000), max_size=40),
    st.lists(st.sampled_from([1, 100, 65536]), min_size=1, max_size=5),
    st.booleans(),
)
def test_however_ciphertext_is_cut_the_plaintext_is_the_same(
    context: TlsContext,
    trusting: ssl.SSLContext,
    messages: list[bytes],
    cuts: list[int],
    limits: list[int],
    looks: bool,
) -> None:
    ends = Ends(context, trusting)
    for message in messages:
        ends.client.send(message, *cuts)
    ends.client.end()
    got = b""
    for turn in range(1_000_000):
        if looks and turn % 3 == 0:
            assert ends.stream.look() is not PeerState.GONE or not ends.inner.inbox
        limit = limits[turn % len(limits)]
        data = ends.stream.receive_nowait(limit)
        if data == b"":
            break
        assert data is None or len(data) <= max(limit, 4096) + 16384
        got += data or b""
    assert got == b"".join(messages)


# Writing...


def test_a_large_message_is_taken_in_pieces(ends: Ends) -> None:
    message = os.urandom(1_000_000)
    assert ends.stream.send(message) == 256 * 1024
    assert ends.client.received() == message[: 256 * 1024]
    assert ends.stream.send(b"") == 0


def test_the_last_byte_is_owed_until_all_of_it_was_taken(
    context: TlsContext, trusting: ssl.SSLContext
) -> None:
    ends = Ends(context, trusting, window=4000)
    message = os.urandom(10_000)
    assert ends.stream.send_nowait(message) == 9_999
    with pytest.raises(BlockingIOError):
        ends.stream.send(message[9_999:])
    writer = spawn(ends.stream.wait_writable)
    checkpoint()
    got = ends.client.received()
    ends.inner.wake_writer()
    writer.join()
    assert ends.stream.send_nowait(message[9_999:]) == 0
    got += ends.client.received()
    assert ends.stream.send_nowait(message[9_999:]) == 1
    got += ends.client.received()
    assert got == message
    assert ends.stream.send_nowait(b"next") == 4
    assert ends.client.received() == b"next"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(min_size=1, max_size=200_000), min_size=1, max_size=5),
    st.integers(1, 70_000),
)
def test_however_little_is_taken_nothing_is_lost_doubled_or_moved(
    context: TlsContext, trusting: ssl.SSLContext, messages: list[bytes], window: int
) -> None:
    ends = Ends(context, trusting)
    ends.inner._window = window
    if window < 500:
        messages = [message[:2_000] for message in messages]
    got = b""
    for message in messages:
        rest = memoryview(message)
        while rest:
            rest = rest[ends.stream.send_nowait(rest) :]
            got += ends.client.received()
    assert got == b"".join(messages)


def test_a_file_is_sent_by_way_of_memory(
    context: TlsContext, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    ends = Ends(context, trusting, window=50_000)
    content = os.urandom(300_000)
    path = tmp_path / "file"
    path.write_bytes(content)
    fd = os.open(path, os.O_RDONLY)
    offset, got = 10, b""
    while offset < len(content):
        offset += ends.stream.send_file_nowait(fd, offset, len(content) - offset)
        got += ends.client.received()
    assert got == content[10:]
    with pytest.raises(EOFError, match="shorter"):
        ends.stream.send_file_nowait(fd, len(content), 10)
    os.close(fd)


def test_a_key_update_that_wants_an_answer_disturbs_nothing(
    context: TlsContext, authority: Authority, tmp_path: Path
) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = subprocess.Popen(
            [
                *("openssl", "s_client", "-connect", f"127.0.0.1:{listener.getsockname()[1]}"),
                *("-CAfile", authority.ca, "-verify_return_error"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        accepted, _ = listener.accept()
    assert client.stdin is not None
    assert client.stdout is not None
    stream = _shake(over(accepted), context)
    got = b""
    for typed in (b"before\n", b"K\n", b"after\n"):  # K: update the keys, and ask for ours
        client.stdin.write(typed)
        client.stdin.flush()
        if typed == b"K\n":
            stream.wait_readable()
            assert stream.receive_nowait(100) is None
        else:
            got += _receive(stream, len(typed))
            stream.send_nowait(b"answer to " + typed)
            while b"answer to " + typed not in client.stdout.readline():
                pass
    assert got == b"before\nafter\n"
    stream.close()
    client.stdin.close()
    client.stdout.close()
    client.wait(10)


# Closing...


def test_close_says_so_to_the_client(ends: Ends) -> None:
    ends.stream.send_nowait(b"last")
    ends.stream.close()
    ends.stream.close()
    assert ends.client.received() == b"last"
    assert ends.client.tls.read(1) == b""  # it would want more, were it not the end
    with pytest.raises(StreamClosed):
        ends.stream.receive_nowait(1)
    with pytest.raises(StreamClosed):
        ends.stream.send_nowait(b"x")
    for wait in (ends.stream.wait_readable, ends.stream.wait_writable):
        with pytest.raises(StreamClosed):
            wait()
    with pytest.raises(StreamClosed):
        ends.stream.watch(Reading(ends.stream))


def test_a_message_that_was_cut_off_does_not_end_as_if_it_were_whole(
    context: TlsContext, trusting: ssl.SSLContext
) -> None:
    ends = Ends(context, trusting, window=4000)
    ends.stream.send_nowait(os.urandom(10_000))
    ends.stream.close()
    ends.client.take()
    with pytest.raises(ssl.SSLWantReadError):  # and no SSLZeroReturnError
        ends.client.tls.read(100_000)


def test_after_a_half_close_the_client_is_heard_still(ends: Ends) -> None:
    ends.stream.close_sending()
    assert ends.inner.is_end_sent
    ends.client.send(b"still")
    assert ends.stream.receive_nowait(100) == b"still"
    assert ends.stream.look() is PeerState.QUIET
    assert ends.client.received() == b""
    ends.client.tls.unwrap()
    ends.client.give()
    assert ends.stream.receive_nowait(100) == b""


def test_who_waits_in_a_stream_that_is_closed_is_told(ends: Ends) -> None:
    def wait(how: Callable[[], None]) -> str:
        with pytest.raises(StreamClosed):
            how()
        return "told"

    waiting = [spawn(wait, ends.stream.wait_readable), spawn(wait, ends.stream.wait_writable)]
    checkpoint()
    ends.stream.close()
    assert [result_of(handle) for handle in waiting] == ["told", "told"]


def test_a_wait_is_interrupted(ends: Ends) -> None:
    def wait(how: Callable[[], None]) -> str:
        with pytest.raises(ValueError, match="enough"):
            how()
        return "interrupted"

    waiting = [spawn(wait, ends.stream.wait_readable), spawn(wait, ends.stream.wait_writable)]
    checkpoint()
    hub = current_hub()
    hub.run_soon(ends.stream.interrupt_reader, ValueError("enough"))
    hub.run_soon(ends.stream.interrupt_writer, ValueError("enough"))
    assert [result_of(handle) for handle in waiting] == ["interrupted"] * 2


# Over sockets...


@pytest.fixture
def sockets(
    context: TlsContext, trusting: ssl.SSLContext
) -> Iterator[tuple[TlsStream, ssl.SSLSocket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        plain = socket.create_connection(listener.getsockname(), timeout=3)
        accepted, _ = listener.accept()
    shaking = spawn(_shake, over(accepted), context)
    client = trusting.wrap_socket(plain, server_hostname="localhost")
    stream = result_of(shaking)
    yield stream, client
    stream.close()
    client.close()
    checkpoint()


def result_of(handle: Handle[T]) -> T:
    handle.join()
    return handle.result


def over(accepted: socket.socket) -> SocketStream:
    connected = _socket.socket(fileno=accepted.detach())
    connected.setblocking(False)
    return SocketStream(current_hub(), connected)


def _shake(inner: SocketStream, context: TlsContext) -> TlsStream:
    stream = TlsStream(current_hub(), inner, context.wrap)
    while True:
        inner.wait_readable()
        if stream.handshake(inner.receive_nowait(4096) or b""):
            return stream


def _receive(stream: TlsStream, count: int) -> bytes:
    got = b""
    while len(got) < count:
        stream.wait_readable()
        got += stream.receive_nowait(65536) or b""
    return got


def test_much_goes_both_ways_over_sockets(sockets: tuple[TlsStream, ssl.SSLSocket]) -> None:
    stream, client = sockets
    there, back = os.urandom(3_000_000), os.urandom(3_000_000)

    def read_all() -> bytes:
        got = bytearray()
        while len(got) < len(back):
            got += client.recv(1 << 20)
        return bytes(got)

    def write_all() -> None:
        rest = memoryview(back)
        while rest:
            sent = stream.send_nowait(rest)
            rest = rest[sent:]
            if rest:
                stream.wait_writable()

    writing = spawn(write_all)
    reading = spawn(_receive, stream, len(there))
    client_reads = spawn(read_all)
    client.sendall(there)
    for handle in (writing, reading, client_reads):
        handle.join()
    assert reading.result == there
    assert client_reads.result == back


def test_a_client_that_closes_is_seen_by_a_look(sockets: tuple[TlsStream, ssl.SSLSocket]) -> None:
    stream, client = sockets
    assert stream.look() is PeerState.QUIET
    assert not stream.has_hung_up()
    client.close()
    wait_until(lambda: stream.look() is PeerState.GONE)
    assert stream.has_hung_up()
