"""Handshakes with clients that are slow, broken, hostile, or just many."""

from __future__ import annotations

import _socket
import logging
import socket
import ssl
import struct
from collections.abc import Iterator

import pytest

from photon.runtime.errors import ListenError
from photon.runtime.greenlets import checkpoint, spawn
from photon.runtime.hub import current_hub
from photon.runtime.net.address import TcpAddress
from photon.runtime.net.handshakes import Handshakes
from photon.runtime.net.listener import Listener
from photon.runtime.net.stream import SocketStream
from photon.runtime.net.tls import TlsStream
from photon.runtime.net.tls_context import TlsContext, TlsSettings, load_context
from photon.testing.wire import MemoryStream
from tests.certificates import Authority
from tests.clients import PATIENCE_S, wait_until

_PLAIN = b"this is no place for plain text\n"


class Door:
    """A listening socket and the handshakes behind it; `streams` are those that are done."""

    def __init__(self, context: TlsContext, timeout_s: float = 60) -> None:
        self.hub = current_hub()
        self.streams: list[TlsStream] = []
        self.counted = 0
        self.handshakes = Handshakes(
            self.hub,
            context,
            timeout_s,
            self.streams.append,
            on_count=self._count,
            answer_to_plain=_PLAIN,
        )
        self.listener = Listener(self.hub, TcpAddress("127.0.0.1", 0), self._accept)
        self.listener.start()

    def _accept(self, accepted: _socket.socket) -> None:
        self.handshakes.begin(SocketStream(self.hub, accepted))

    def _count(self) -> None:
        self.counted += 1

    def connect(self) -> socket.socket:
        address = self.listener.address
        assert isinstance(address, TcpAddress)
        return socket.create_connection(("127.0.0.1", address.port), timeout=PATIENCE_S)

    def close(self) -> None:
        self.listener.close()
        self.handshakes.close()
        for stream in self.streams:
            stream.close()
        checkpoint()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def context(authority: Authority) -> TlsContext:
    return load_context(TlsSettings(certificates=(authority.issue("localhost"),)))


@pytest.fixture
def door(context: TlsContext, caplog: pytest.LogCaptureFixture) -> Iterator[Door]:
    caplog.set_level(logging.DEBUG, "photon.runtime")
    opened = Door(context)
    yield opened
    opened.close()
    assert opened.hub.carriers.busy == 0
    assert len(opened.hub.sweep) == 0


def hello() -> bytes:
    """A ClientHello of the real OpenSSL."""
    plain = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    client = plain.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def told(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> str:
    """The one line of the log of that level."""
    [record] = [record for record in caplog.records if record.levelno == level]
    return record.getMessage()


def ends(client: socket.socket) -> bytes:
    """All that the server still says."""
    data = b""
    try:
        while piece := client.recv(65536):
            data += piece
    except ConnectionResetError:
        data += b"RESET"
    client.close()
    return data


# Those that are done...


def test_a_handshake_hands_on_the_stream(door: Door, authority: Authority) -> None:
    client = authority.client().wrap_socket(door.connect(), server_hostname="localhost")
    wait_until(lambda: door.streams)
    assert (len(door.handshakes), door.handshakes.done, door.handshakes.failed) == (0, 1, 0)
    assert not door.handshakes
    assert repr(door.handshakes) == "<Handshakes open=0 done=1 failed=0>"
    client.sendall(b"hello")
    door.streams[0].wait_readable()
    assert door.streams[0].receive_nowait(100) == b"hello"
    client.close()


def test_one_byte_at_a_time_is_slow_but_fine(door: Door, authority: Authority) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client().wrap_bio(incoming, outgoing, server_hostname="localhost")
    client = door.connect()
    is_done = False
    while not is_done:
        try:
            tls.do_handshake()
            is_done = True
        except ssl.SSLWantReadError:
            pass
        for byte in outgoing.read():
            client.sendall(bytes([byte]))
            checkpoint()
        if not is_done:
            incoming.write(client.recv(65536))
    wait_until(lambda: door.streams)
    client.close()


def test_a_client_may_take_our_part_slowly(context: TlsContext, authority: Authority) -> None:
    hub = current_hub()
    streams: list[TlsStream] = []
    handshakes = Handshakes(hub, context, 60, streams.append)
    inner = MemoryStream(hub, 10)
    handshakes.begin(inner)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority.client().wrap_bio(incoming, outgoing, server_hostname="localhost")

    def go_on() -> bool:
        incoming.write(b"".join(inner.outbox))
        inner.outbox.clear()
        inner.wake_writer()
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        if data := outgoing.read():
            inner.inbox.append(data)
            inner.notify()
        return bool(streams)

    wait_until(go_on)
    streams[0].close()
    assert not handshakes


# Those that come to nothing...


def test_plain_http_is_answered_in_plain_text_and_without_a_reset(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    client = door.connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n" + b"x" * 100_000)
    client.shutdown(socket.SHUT_WR)
    assert ends(client) == _PLAIN
    wait_until(lambda: not door.handshakes)
    assert "it speaks no TLS" in told(caplog)
    assert "refused 127.0.0.1:" in told(caplog)
    assert door.handshakes.failed == 1


def test_who_lingers_after_plain_http_is_closed(context: TlsContext) -> None:
    door = Door(context, timeout_s=0.1)
    client = door.connect()
    client.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert ends(client) == _PLAIN
    wait_until(lambda: not door.handshakes)
    door.close()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01\x00\x05hello", "this was no proper TLS handshake"),
        (b"\x16\x00\x00\xff\xff" + b"x" * 100, "it offers no version of TLS that we speak"),
        (b"\x16" * 10_000, "it offers no version of TLS that we speak"),
        (b"\x80\x2e\x01\x00\x02" + b"x" * 100, "no proper TLS handshake"),
        (b"\xff" * 100, "it offers no version of TLS that we speak"),
    ],
)
def test_nonsense_ends_it(
    door: Door, caplog: pytest.LogCaptureFixture, data: bytes, reason: str
) -> None:
    client = door.connect()
    client.sendall(data)
    ends(client)
    wait_until(lambda: not door.handshakes)
    assert reason in told(caplog)
    assert door.handshakes.failed == 1
    assert door.counted == 2  # one more, and one less


@pytest.mark.filterwarnings("ignore:.*TLSv1.* is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("version", "name"), [("TLSv1", "TLS 1.0"), ("TLSv1_1", "TLS 1.1")])
def test_old_versions_are_refused_and_told(
    door: Door, authority: Authority, caplog: pytest.LogCaptureFixture, version: str, name: str
) -> None:
    old = authority.client()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion[version]
    with pytest.raises(ssl.SSLError, match=r"(?i)alert.protocol.version"):
        old.wrap_socket(door.connect(), server_hostname="localhost")
    wait_until(lambda: door.handshakes.failed)
    assert told(caplog).endswith(f": it offers {name} at most")


def test_a_client_that_does_not_trust_us_is_told_of(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with pytest.raises(ssl.SSLCertVerificationError):
        stranger.wrap_socket(door.connect(), server_hostname="localhost")
    wait_until(lambda: door.handshakes.failed)
    assert told(caplog).endswith(": it does not trust our certificate")


def test_a_client_without_a_certificate_is_told_of(
    authority: Authority, caplog: pytest.LogCaptureFixture, tmp_path_factory: pytest.TempPathFactory
) -> None:
    caplog.set_level(logging.INFO, "photon.runtime")
    settings = TlsSettings(certificates=(authority.issue("localhost"),), ca=authority.ca)
    door = Door(load_context(settings))
    other = Authority(tmp_path_factory.mktemp("other"), "Other CA").issue("mallory")
    for certificate, reason in (
        (None, "it sent no certificate"),
        (other, "its certificate is not accepted: unable to get local issuer certificate"),
    ):
        client = authority.client(certificate=certificate)
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            # In TLS 1.3 a client is done before the server has seen its certificate.
            with client.wrap_socket(door.connect(), server_hostname="localhost") as wrapped:
                wrapped.recv(1)
        wait_until(lambda: not door.handshakes)
        assert told(caplog).endswith(f": {reason}")
        caplog.clear()
    assert not door.streams
    door.close()


def test_those_who_just_vanish_are_no_news(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    for data in (b"", hello()[:50], hello()):
        client = door.connect()
        client.sendall(data)
        wait_until(lambda: door.handshakes)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        wait_until(lambda: not door.handshakes)
        door.connect().close()
        wait_until(lambda: not door.handshakes)
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


def test_who_stalls_is_closed_in_time(
    context: TlsContext, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "photon.runtime")
    door = Door(context, timeout_s=0.1)
    silent, half, whole = (door.connect() for _ in range(3))
    half.sendall(hello()[:50])
    whole.sendall(hello())
    assert ends(silent) == b""
    assert ends(half) == b""
    assert ends(whole)[:1] == b"\x16"  # our part of it
    assert not door.handshakes
    assert sorted(record.getMessage().partition(": ")[2] for record in caplog.records) == [
        "it said nothing",
        *["its handshake was not done within 0.1 s"] * 2,
    ]
    door.close()


def test_a_hello_without_end_is_not_read(door: Door, caplog: pytest.LogCaptureFixture) -> None:
    client = door.connect()
    record = b"\x16\x03\x01\x40\x00"
    begun = record + b"\x01\x01\xff\xff" + b"\x03\x03" + b"x" * (0x4000 - 6)
    with pytest.raises(OSError, match=r"reset|[Bb]roken"):
        client.sendall(begun)
        for _ in range(1000):
            client.sendall(record + b"x" * 0x4000)
            checkpoint()
    client.close()
    wait_until(lambda: not door.handshakes)
    assert door.handshakes.failed == 1
    assert "handshake" in told(caplog)


def test_a_name_decides_and_a_strange_one_does_no_harm(
    authority: Authority, capfd: pytest.CaptureFixture[str]
) -> None:
    names = ("a.example", "b.example")
    certificates = tuple(authority.issue(name, file=name) for name in names)
    door = Door(load_context(TlsSettings(certificates=certificates)))
    for name in names:
        client = authority.client().wrap_socket(door.connect(), server_hostname=name)
        client.close()
    strange = door.connect()
    strange.sendall(hello().replace(b"localhost", b"\xff\xc3calhos\xfe"))
    assert strange.recv(1) in (b"\x15", b"\x16")
    strange.close()
    wait_until(lambda: not door.handshakes)
    door.close()
    assert capfd.readouterr().err == ""


# Many of them...


def test_hundreds_of_half_handshakes_keep_nobody_from_his(door: Door, authority: Authority) -> None:
    half = []
    for _ in range(300):
        client = door.connect()
        client.sendall(hello())
        half.append(client)
    whole = authority.client().wrap_socket(door.connect(), server_hostname="localhost")
    wait_until(lambda: door.streams)
    wait_until(lambda: len(door.handshakes) == 300)
    whole.close()
    for client in half:
        client.close()
    wait_until(lambda: not door.handshakes)
    assert door.handshakes.failed == 300


def test_while_many_compute_others_have_their_turn(door: Door, authority: Authority) -> None:
    """The hub goes around several times before a hundred handshakes that are ready are done."""
    clients = [door.connect() for _ in range(100)]
    wait_until(lambda: len(door.handshakes) == 100)
    rounds = 0
    said = hello()
    for client in clients:
        client.sendall(said)

    def count_rounds() -> None:
        nonlocal rounds
        while any(not handshake._received for handshake in door.handshakes.open):
            rounds += 1
            checkpoint()

    counting = spawn(count_rounds)
    counting.join()
    assert rounds > 3
    for client in clients:
        client.close()
    wait_until(lambda: not door.handshakes)


# The end...


def test_a_drain_lets_those_end_who_have_begun(door: Door, authority: Authority) -> None:
    silent, begun = door.connect(), door.connect()
    data = hello()
    begun.sendall(data[:100])
    wait_until(lambda: len(door.handshakes) == 2)
    wait_until(lambda: any(handshake._received for handshake in door.handshakes.open))
    late = door.connect()
    late.sendall(data)  # the kernel has it, nobody has looked
    door.listener.accept_all()
    door.handshakes.drain(60)
    assert len(door.handshakes) == 2
    assert ends(silent) == b""
    wait_until(lambda: late.recv(1) == b"\x16")
    begun.close()
    late.close()
    wait_until(lambda: not door.handshakes)


def test_a_drain_lets_those_begin_who_have_just_come(door: Door) -> None:
    client = door.connect()
    wait_until(lambda: door.handshakes)
    door.handshakes.drain(1, settle_s=60)
    assert len(door.handshakes) == 1
    door.handshakes.drain(0.05)
    client.close()


def test_bad_certificates_are_errors_of_listening() -> None:
    with pytest.raises(ListenError, match="cannot read the certificate"):
        load_context(TlsSettings(certificates=(("/no/cert.pem", "/no/key.pem"),)))
