"""HTTPS with real clients: the standard library's, curl, openssl, and those who mean no good."""

from __future__ import annotations

import hashlib
import http.client
import logging
import os
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import Server
from photon.http.server.serving import serve
from photon.http.server.settings import Limits
from photon.http.sse import EventStream, ServerSentEvent
from photon.runtime.errors import TlsError
from photon.runtime.greenlets import sleep, spawn
from photon.runtime.net.address import UnixAddress
from photon.runtime.net.tls_context import TlsSettings
from photon.runtime.sync import Event
from photon.ws.running import run_websocket
from photon.ws.settings import WebSocketSettings
from photon.ws.websocket import WebSocket
from tests.certificates import Authority
from tests.clients import PATIENCE_S, Client, expect_no_leaks, settings, wait_until
from tests.processes import ROOT
from tests.ws.client import frame, opening


def hello(request: Request) -> Response:
    return Response(b"hello " + request.path.encode())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def tls(authority: Authority) -> TlsSettings:
    return TlsSettings(certificates=(authority.issue("localhost", "127.0.0.1", file="both"),))


class Secure(Client):
    """A client that has shaken hands."""

    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        super().__init__(server)
        self.plain = self.socket.dup()
        self.socket = self.secure = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self) -> Secure:
        return self

    def close(self) -> None:
        super().close()
        self.plain.close()


@pytest.fixture(scope="module")
def trusting(authority: Authority) -> ssl.SSLContext:
    return authority.client()


@contextmanager
def serving(application: Any, tls: TlsSettings, **given: Any) -> Iterator[Server]:
    with serve(application, tls=tls, **given) as server:
        yield server
        expect_no_leaks(server)
        wait_until(lambda: not server.handshakes)


# What a handler sees...


def test_requests_know_that_they_came_by_https(tls: TlsSettings, trusting: ssl.SSLContext) -> None:
    def tell(request: Request) -> Response:
        return Response(f"{request.scheme} {request.url} {request.peer_certificate}".encode())

    with serving(tell, tls) as server:
        assert server.scheme == "https"
        assert server.url == f"https://127.0.0.1:{server.port}"
        assert server.urls == [server.url]
        with Secure(server, trusting) as client:
            for _ in range(3):  # and the connection is kept
                assert client.ask("/a?b=c").body == b"https https://test/a?b=c None"
            assert server.statistics()["connections"] == 1


def test_a_unix_socket_may_speak_tls_too(tls: TlsSettings, tmp_path: Path) -> None:
    address = UnixAddress(str(tmp_path / "socket"))
    with serve(hello, tls=tls, address=address) as server:
        assert server.url.startswith("https+unix://")


def test_handlers_see_who_a_client_proved_to_be(authority: Authority) -> None:
    def tell(request: Request) -> Response:
        certificate = request.peer_certificate
        assert certificate is not None
        return Response(str(certificate["subjectAltName"]).encode())

    tls = TlsSettings(certificates=(authority.issue("localhost"),), ca=authority.ca)
    alice = authority.client(certificate=authority.issue("alice", file="alice"))
    with serving(tell, tls) as server, Secure(server, alice) as client:
        assert client.ask("/").body == b"(('DNS', 'alice'),)"


def test_certificates_that_are_no_good_keep_the_server_from_being_made() -> None:
    with pytest.raises(TlsError, match="cannot read the certificate /no/cert"):
        with serve(hello, tls=TlsSettings(certificates=(("/no/cert", ""),))):
            pass


# What goes over it...


def test_large_bodies_go_both_ways(tls: TlsSettings, trusting: ssl.SSLContext) -> None:
    size = 24 * 1024 * 1024

    def count(request: Request) -> Response:
        digest = hashlib.sha256()
        for piece in request.chunks():
            digest.update(piece)
        return Response(digest.hexdigest().encode() + b"x" * 5_000_000)

    given = settings(limits=Limits(body_bytes=size))
    with serving(count, tls, settings=given) as server, Secure(server, trusting) as client:
        body = os.urandom(size)
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size)
        sending = spawn(client.send, body)
        answer = client.answer()
        sending.join()
        assert answer.body[:64].decode() == hashlib.sha256(body).hexdigest()
        assert answer.body[64:] == b"x" * 5_000_000


@pytest.mark.parametrize("size", [0, 1, 16384, 65536, 65537, 3_000_000])
def test_files_go_by_way_of_memory(
    tls: TlsSettings, trusting: ssl.SSLContext, tmp_path: Path, size: int
) -> None:
    path = tmp_path / "file.bin"
    content = os.urandom(size)
    path.write_bytes(content)
    with serving(lambda request: Response.file(path), tls) as server:
        with Secure(server, trusting) as client:
            assert client.ask("/").body == content
            if size > 10:
                assert client.ask("/", "Range: bytes=3-9").body == content[3:10]


def test_a_client_that_reads_slowly_gets_everything(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    content = os.urandom(6_000_000)
    with serving(lambda request: Response(content), tls) as server:
        with Secure(server, trusting) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            assert client.answer().body == content


def test_a_client_that_takes_nothing_is_given_up(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    content = bytes(30_000_000)
    given = settings(write_s=0.2)
    with serving(lambda request: Response(content), tls, settings=given) as server:
        with Secure(server, trusting) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            wait_until(lambda: not server.connections)


def test_events_are_streamed(tls: TlsSettings, trusting: ssl.SSLContext) -> None:
    go_on = Event()

    def events(request: Request) -> Response:
        def each() -> Iterator[ServerSentEvent]:
            for number in range(3):
                yield ServerSentEvent(data=number)
                go_on.wait()

        return EventStream(each())

    with serving(events, tls) as server, Secure(server, trusting) as client:
        client.get("/")
        client.read_until(b"data: 0\n\n")
        go_on.set()
        client.read_until(b"data: 2\n\n")


def test_a_client_that_leaves_interrupts_its_handler(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    ended: list[BaseException] = []

    def wait(request: Request) -> Response:
        try:
            sleep(60)
        except BaseException as error:
            ended.append(error)
            raise
        return hello(request)

    with serving(wait, tls) as server:
        for leave in ("close", "notify", "reset", "more"):
            with Secure(server, trusting) as client:
                client.get("/")
                wait_until(lambda: server.statistics()["phases"] == {"handling": 1})
                if leave == "more":  # what it said first is kept, and hides nothing
                    client.send(b"GET /next HTTP/1.1\r\n")
                    wait_until(lambda: server.statistics()["phases"] == {"handling": 1})
                if leave == "reset":
                    client.reset()
                elif leave == "notify":
                    client.secure.unwrap()  # which waits for the server's
            wait_until(lambda: ended)
            assert "cancelled by disconnect" in str(ended.pop())


def test_pipelined_requests_are_answered_in_order(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    def slow(request: Request) -> Response:
        sleep(0.001)
        return hello(request)

    with serving(slow, tls) as server, Secure(server, trusting) as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(50)))
        assert [client.answer().body for _ in range(50)] == [b"hello /%d" % n for n in range(50)]


def test_websockets_say_goodbye_on_both_layers(tls: TlsSettings, trusting: ssl.SSLContext) -> None:
    def echo(ws: WebSocket) -> None:
        for message in ws:
            ws.send(message)

    def application(request: Request) -> Response:
        return run_websocket(request, echo, WebSocketSettings(), origins="same")

    with serving(application, tls) as server, Secure(server, trusting) as client:
        client.send(opening())
        assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 101")
        for payload in (b"x", b"y" * 100, b"z" * 60_000):
            client.send(frame(0x82, payload))
            head = client.read(2)
            size = head[1]
            if size == 126:
                size = int.from_bytes(client.read(2), "big")
            assert client.read(size) == payload
        client.send(frame(0x88, b"\x03\xe8"))
        assert client.read(4) == b"\x88\x02\x03\xe8"
        assert client.read_to_end() == b""
        client.secure.unwrap()  # it has sent its close_notify, or this would be an error


def test_a_close_is_told_by_a_close_notify(tls: TlsSettings, trusting: ssl.SSLContext) -> None:
    with serving(hello, tls) as server, Secure(server, trusting) as client:
        assert client.ask("/", "Connection: close").body == b"hello /"
        assert client.socket.recv(1) == b""
        wait_until(lambda: not server.connections)
        client.secure.unwrap()


# Those who mean no good...


def test_plain_http_is_answered_as_people_understand_it(tls: TlsSettings) -> None:
    with serving(hello, tls) as server, Client(server) as client:
        client.get("/")
        answer = client.answer()
        assert (answer.status, answer.headers["content-type"]) == (400, "text/plain; charset=utf-8")
        assert b"plain HTTP request was sent" in answer.body
        assert answer.headers["connection"] == "close"
        assert client.read_to_end() == b""


def test_garbage_in_the_middle_ends_the_connection(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    with serving(hello, tls) as server:
        for garbage in (b"x" * 100, b"\x17\x03\x03\x00\x20" + b"x" * 32, b"\x17\x03\x03\xff\xff"):
            with Secure(server, trusting) as client:
                assert client.ask("/").status == 200
                client.plain.sendall(garbage)
                with pytest.raises((ssl.SSLError, EOFError, ConnectionResetError)):
                    client.ask("/")
            wait_until(lambda: not server.connections)


def test_a_connection_that_ends_in_the_middle_of_a_record_is_over(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    with serving(hello, tls) as server, Secure(server, trusting) as client:
        assert client.ask("/").status == 200
        client.plain.sendall(b"\x17\x03\x03\x40\x00" + b"x" * 100)
        client.plain.shutdown(socket.SHUT_WR)
        wait_until(lambda: not server.connections)


def test_a_handshake_that_stalls_is_ended(tls: TlsSettings) -> None:
    with serving(hello, tls, settings=settings(handshake_s=0.1)) as server:
        with Client(server) as client:
            client.send(b"\x16\x03\x01\x02\x00\x01\x00")
            wait_until(lambda: server.statistics()["handshakes"] == 1)
            assert client.read_to_end() == b""


def test_half_handshakes_count_as_connections(tls: TlsSettings, trusting: ssl.SSLContext) -> None:
    given = settings(limits=Limits(connections=2))
    with serving(hello, tls, settings=given) as server:
        half = Client(server)
        wait_until(lambda: server.statistics()["handshakes"] == 1)
        with Secure(server, trusting) as client:
            assert client.ask("/").status == 200
            waiting = Client(server)  # in the kernel
            waiting.send(b"GET / HTTP/1.1\r\n\r\n")
            assert client.ask("/").status == 200
            assert server.statistics()["accepted"] == 2
            half.close()
            assert waiting.answer().status == 400
        waiting.close()


def test_a_renegotiation_is_refused(tls: TlsSettings, authority: Authority) -> None:
    with serving(hello, tls) as server:
        client = _s_client(server, authority, "-tls1_2")
        assert client.stdin is not None
        client.stdin.write(b"R\n")
        client.stdin.flush()
        out, _ = client.communicate(timeout=PATIENCE_S)
        assert b"RENEGOTIATING" in out
        assert b"no renegotiation" in out
        assert b"Secure Renegotiation IS supported" in out


def _s_client(server: Server, authority: Authority, *options: str) -> subprocess.Popen[bytes]:
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl here")
    return subprocess.Popen(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options),
            *("-CAfile", authority.ca, "-verify_return_error"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


# Other clients...


def test_openssl_is_answered(tls: TlsSettings, authority: Authority) -> None:
    with serving(hello, tls) as server:
        for options in (["-tls1_2"], ["-tls1_3"], ["-alpn", "h2,http/1.1"]):
            client = _s_client(server, authority, *options, "-ign_eof", "-quiet")
            out, _ = client.communicate(
                b"GET /o HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", timeout=PATIENCE_S
            )
            assert b"hello /o" in out, out


def test_curl_is_answered(tls: TlsSettings, authority: Authority, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    upload = tmp_path / "upload"
    upload.write_bytes(bytes(4_000_000))

    def count(request: Request) -> Response:
        return Response(str(sum(map(len, request.chunks()))).encode())

    with serving(count, tls) as server:
        command = ["curl", "-sS", "--cacert", authority.ca, "--data-binary", f"@{upload}"]
        done = subprocess.run(
            [*command, server.url, server.url],
            check=True,
            capture_output=True,
            timeout=PATIENCE_S * 3,
        )
        assert done.stdout == b"4000000" * 2
        assert server.handshakes is not None
        assert server.handshakes.done == 1


def test_sessions_are_resumed(tls: TlsSettings, trusting: ssl.SSLContext) -> None:
    with serving(hello, tls) as server:
        with Secure(server, trusting) as first:
            assert first.ask("/").status == 200
            session = first.secure.session
        plain = socket.create_connection(("127.0.0.1", server.port))
        with trusting.wrap_socket(plain, server_hostname="localhost", session=session) as second:
            assert second.session_reused


# Certificates that change...


def test_a_reload_shows_new_certificates_and_drops_nobody(
    authority: Authority, trusting: ssl.SSLContext, tmp_path: Path
) -> None:
    certificate, key = (str(shutil.copy(path, tmp_path)) for path in authority.issue("localhost"))
    with serving(hello, TlsSettings(certificates=((certificate, key),))) as server:
        with Secure(server, trusting) as before:
            assert before.ask("/").status == 200
            for path in authority.issue("localhost", "new.example"):
                shutil.copy(path, tmp_path)
            server.reload_tls()
            with Secure(server, trusting) as after:
                assert names(after) == ["localhost", "new.example"]
                assert before.ask("/").status == 200
                Path(key).write_text("no key")
                with pytest.raises(TlsError, match=r"no private key in it.*before stay"):
                    server.reload_tls()
            with Secure(server, trusting) as again:
                assert names(again) == ["localhost", "new.example"]


def test_a_reload_in_the_hub_tells_the_log(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "photon.http")
    certificate, key = (str(shutil.copy(path, tmp_path)) for path in authority.issue("localhost"))
    with serving(hello, TlsSettings(certificates=((certificate, key),))) as server:
        server.hub.run_soon(server.reload_tls_soon)
        wait_until(lambda: caplog.records)
        told = "new connections are shown the certificates as they are now: "
        assert caplog.messages == [f"{told}{certificate} for localhost"]
        Path(key).write_text("no key")
        server.hub.run_soon(server.reload_tls_soon)
        wait_until(lambda: len(caplog.records) == 2)
        assert caplog.messages[1].startswith(f"no new certificates: {key}: there is no private key")
        assert caplog.messages[1].endswith("The certificates that were loaded before stay")


def names(client: Secure) -> list[str]:
    certificate: Any = client.secure.getpeercert()
    return [name for _, name in certificate["subjectAltName"]]


def test_no_request_fails_while_certificates_are_reloaded(
    authority: Authority, trusting: ssl.SSLContext
) -> None:
    tls = TlsSettings(certificates=(authority.issue("localhost", file="changing"),))
    answered: list[bytes] = []
    is_over = False

    def ask() -> None:
        while not is_over:
            connection = http.client.HTTPSConnection("localhost", server.port, context=trusting)
            connection.request("GET", "/x")
            answered.append(connection.getresponse().read())
            connection.close()

    with serving(hello, tls) as server:
        asking = [spawn(ask) for _ in range(4)]
        for _ in range(10):
            before = len(answered)
            wait_until(lambda before=before: len(answered) > before + 4)  # type: ignore[misc]
            authority.issue("localhost", file="changing")
            server.reload_tls()
        is_over = True
        for handle in asking:
            handle.join()
            assert handle.state == "done"
    assert set(answered) == {b"hello /x"}


def test_a_server_without_tls_has_nothing_to_reload() -> None:
    with serve(hello) as server, pytest.raises(RuntimeError, match="does not speak TLS"):
        server.reload_tls()


# The end...


def test_a_stop_closes_idle_connections_with_a_close_notify(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    with serve(hello, tls=tls) as server:
        client = Secure(server, trusting)
        assert client.ask("/").status == 200
    assert client.socket.recv(1) == b""
    client.close()


def test_a_handshake_that_has_begun_is_answered_by_a_server_that_stops(
    tls: TlsSettings, trusting: ssl.SSLContext
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with serve(hello, tls=tls) as server:
        plain = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        plain.sendall(outgoing.read())
        wait_until(lambda: server.statistics()["handshakes"] == 1)
        stopping = spawn(server.stop)
        wait_until(lambda: server.is_stopping)
        is_done = False
        while not is_done:
            incoming.write(plain.recv(65536))
            try:
                client.do_handshake()
                is_done = True
            except ssl.SSLWantReadError:
                pass
        client.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        plain.sendall(outgoing.read())
        answer = b""
        while piece := plain.recv(65536):
            incoming.write(piece)
            try:
                while got := client.read(65536):
                    answer += got
            except ssl.SSLWantReadError:
                pass
        plain.close()
        stopping.join()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in answer.lower()
    assert answer.endswith(b"hello /")


def test_a_stop_does_not_wait_for_those_who_never_begin(
    tls: TlsSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with serve(hello, tls=tls) as server:
        silent = Client(server)
        wait_until(lambda: server.statistics()["handshakes"] == 1)
    assert silent.read_to_end() == b""
    silent.close()
    assert not caplog.records


# Everything else...


def test_what_holds_for_plain_connections_holds_for_those_over_tls() -> None:
    """The suites of connections and sessions, with a plugin that has all of them speak TLS."""
    files = [
        *(f"tests/http/server/test_{name}.py" for name in ("sending", "finishing", "exchange")),
        "tests/ws/test_outgoing.py",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.over_tls", "--timeout=30", *files],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=55,
    )
    assert done.returncode == 0, done.stdout[-5000:]
