"""Responses to the wire: turns, bodies that were left, and what a file is sent as."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.http import files
from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.http.server.server import State
from photon.http.server.serving import serve
from photon.runtime.greenlets import Turn, sleep, sleep_forever, spawn
from photon.runtime.offload import offload
from photon.testing.wire import Wire
from tests.clients import Client, expect_no_leaks, request, settings, wait_until


class Sink(list[bytes]):
    """The inbox of a client that reads as fast as it is written to, and keeps nothing."""

    def append(self, piece: bytes, /) -> None:
        pass


def a_file_of_zeros(tmp_path: Path, size: int) -> Path:
    path = tmp_path / "zeros.bin"
    path.touch()
    os.truncate(path, size)
    return path


def endless(request: Request) -> Response:
    """A stream that never waits; it ends after seconds, so that a failing test does, too."""
    return Response.stream(b"x" * 100 for _ in range(1_000_000))


@pytest.fixture(params=["fast", "h11"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Each implementation of HTTP/1 in turn."""
    return str(request.param)


# The server stops...


class Feed(StreamResponse):
    """Ends when the server begins to stop."""

    ends_with_server = True


@pytest.mark.parametrize("waits", [True, False])
def test_a_stream_that_ends_with_the_server_has_its_end_wherever_it_is(
    waits: bool, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> None:
    story: list[str] = []

    def pieces() -> Iterator[bytes]:
        try:
            for _ in range(1_000_000):
                yield b"piece"
                if waits:
                    sleep_forever()
        finally:
            story.append("closed")

    if not waits:  # others have their turn after each piece, and that is where it is stopped
        monkeypatch.setattr(Turn, "is_over", True)
    with Wire(lambda request: Feed(pieces()), settings(protocol=protocol)) as wire:
        wire.send(request("GET", "/"))
        assert b"piece" in wire.receive()
        assert wire.connection.is_busy
        wire.server.stop()
        assert wire.server.state is State.STOPPED
        assert wire.receive().endswith(b"0\r\n\r\n")
    assert story == ["closed"]


# Others have their turn...


def expect_others_are_served_beside(application: Application) -> None:
    """One client reads `/endless` as fast as it is written; another asks for something else."""

    def both(request: Request) -> Response:
        return application(request) if request.path == "/endless" else Response("other")

    with Wire(both) as reader, Wire(both) as other:
        reader.stream.outbox = Sink()
        reader.send(request("GET", "/endless"))
        for _ in range(3):
            other.send(request("GET", "/"))
            assert other.receive().endswith(b"other")
        assert reader.connection.is_busy


def test_who_reads_an_endless_stream_as_fast_as_it_comes_keeps_nobody_from_being_served() -> None:
    expect_others_are_served_beside(endless)


def test_who_reads_a_file_as_fast_as_it_comes_keeps_nobody_from_being_served(
    tmp_path: Path,
) -> None:
    path = a_file_of_zeros(tmp_path, 8 << 30)
    expect_others_are_served_beside(lambda request: Response.file(path))


@pytest.mark.parametrize("kind", ["stream", "file"])
def test_a_reader_in_another_thread_keeps_nobody_from_being_served(
    kind: str, tmp_path: Path
) -> None:
    path = a_file_of_zeros(tmp_path, 8 << 30)

    def application(request: Request) -> Response:
        if request.path == "/":
            return Response("other")
        return endless(request) if kind == "stream" else Response.file(path)

    def drain(fd: int) -> None:
        while os.read(fd, 1 << 20):
            pass

    with serve(application) as server, Client(server) as reader, Client(server) as other:
        reader.get("/endless")
        wait_until(lambda: server.busy)
        fd = os.dup(reader.socket.fileno())
        os.set_blocking(fd, True)
        reading = spawn(offload, drain, fd)
        for _ in range(3):
            assert other.ask("/").body == b"other"
        (connection,) = [each for each in server.connections if each.is_busy]
        connection.close()
        reading.join()
        os.close(fd)


# Bodies that were not read...


def echo(request: Request) -> Response:
    return Response.stream(piece.upper() for piece in request.chunks())


def leave(request: Request) -> Response:
    return Response.stream(["not ", "read"])


WAYS = [
    pytest.param([request("POST", "/", body=b"abcdef")], id="with the head"),
    pytest.param([request("POST", "/", "Content-Length: 6"), b"abcdef"], id="after the head"),
    pytest.param([request("POST", "/", "Content-Length: 6") + b"abc", b"def"], id="in two"),
    pytest.param(
        [request("POST", "/", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"],
        id="chunked",
    ),
    pytest.param(
        [
            request("POST", "/", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n3\r",
            b"\ndef\r\n0\r\n",
            b"\r\n",
        ],
        id="chunked, in three",
    ),
]


@pytest.mark.parametrize("packets", WAYS)
def test_a_stream_may_read_the_whole_body_of_its_request(
    packets: list[bytes], protocol: str
) -> None:
    with serve(echo, settings=settings(protocol=protocol)) as server, Client(server) as client:
        for _ in range(2):  # the connection lives on
            client.send(packets[0])
            for packet in packets[1:]:
                wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
                client.send(packet)
                sleep(0)  # the server takes it
            assert client.answer().body == b"ABCDEF"
        client.close()
        expect_no_leaks(server)


def test_a_stream_that_has_begun_may_wait_for_more_of_the_body(protocol: str) -> None:
    with serve(echo, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 6") + b"abc")
        client.read_until(b"ABC\r\n")
        client.send(b"def")
        assert client.read_until(b"0\r\n\r\n") == b"3\r\nDEF\r\n0\r\n\r\n"
        client.send(request("POST", "/", body=b"again"))
        assert client.answer().body == b"AGAIN"


def test_what_is_pipelined_behind_a_body_that_a_stream_reads_is_answered(protocol: str) -> None:
    with serve(echo, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(b"".join(request("POST", "/", body=b"number %d" % n) for n in range(5)))
        assert [client.answer().body for _ in range(5)] == [b"NUMBER %d" % n for n in range(5)]


def test_a_body_that_a_stream_leaves_does_not_become_the_next_request(protocol: str) -> None:
    body = request("GET", "/smuggled")
    with serve(leave, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/1", body=body) + request("GET", "/2"))
        client.send(request("POST", "/3", f"Content-Length: {len(body)}"))
        assert [client.answer().body for _ in range(3)] == [b"not read"] * 3
        client.send(body + request("GET", "/4"))
        assert client.answer().body == b"not read"
        client.end_sending()
        assert client.read_to_end() == b""


LEFT = [
    pytest.param(["Content-Length: 10000000"], id="large"),
    pytest.param(["Transfer-Encoding: chunked"], id="of unknown length"),
    pytest.param(["Content-Length: 5", "Expect: 100-continue"], id="that waits for a word"),
]


@pytest.mark.parametrize("headers", LEFT)
def test_a_body_that_is_not_worth_waiting_for_ends_the_connection_behind_the_stream(
    headers: list[str], protocol: str
) -> None:
    with serve(leave, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/", *headers))
        assert client.answer().body == b"not read"
        assert client.read_to_end() == b""
        client.close()
        expect_no_leaks(server)


# HEAD...


def test_a_head_request_is_told_the_length_that_the_handler_gives(protocol: str) -> None:
    def application(request: Request) -> Response:
        headers = {"content-length": "1234"}
        if request.path == "/stream":
            return Response.stream([b"x" * 1234], headers=headers)
        return Response(b"", headers=headers)

    with serve(application, settings=settings(protocol=protocol)) as server:
        with Client(server) as client:
            for path in ("/stream", "/plain"):
                client.send(request("HEAD", path))
                answer = client.answer(has_content=False)
                assert answer.headers["content-length"] == "1234"
                assert "transfer-encoding" not in answer.headers
            assert client.ask("/stream").body == b"x" * 1234  # no byte stands between


def test_a_get_request_is_told_the_length_that_the_body_has(protocol: str) -> None:
    def application(request: Request) -> Response:
        return Response(b"four", headers={"content-length": "1234"})

    with serve(application, settings=settings(protocol=protocol)) as server:
        with Client(server) as client:
            assert client.ask("/").headers["content-length"] == "4"
            client.send(request("HEAD", "/"))
            assert client.answer(has_content=False).headers["content-length"] == "4"


# Files...


def test_a_file_with_a_status_of_its_own_is_sent_whole_whatever_is_asked(tmp_path: Path) -> None:
    page = tmp_path / "lost.html"
    page.write_text("nothing here")

    def application(request: Request) -> Response:
        response = Response.file(page)
        response.status = 404
        return response

    with serve(application) as server, Client(server) as client:
        first = client.ask("/")
        assert (first.status, first.body) == (404, b"nothing here")
        for header in (
            f"If-None-Match: {first.headers['etag']}",
            "If-None-Match: *",
            f"If-Modified-Since: {first.headers['last-modified']}",
            'If-Match: "another"',
            "Range: bytes=0-3",
            "Range: bytes=999-",
        ):
            answer = client.ask("/", header)
            assert (answer.status, answer.body) == (404, b"nothing here")
        client.send(request("HEAD", "/"))
        answer = client.answer(has_content=False)
        assert (answer.status, answer.headers["content-length"]) == (404, "12")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EIO])
def test_a_file_that_cannot_be_opened_by_our_own_fault_is_a_500_and_no_404(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    really_open = os.open

    def fail(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if name == str(path):
            raise OSError(number, os.strerror(number))
        return really_open(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(files, "open_cached", lambda path, **options: None)  # a cold disk
    with serve(lambda request: Response.file(path)) as server, Client(server) as client:
        with monkeypatch.context() as patched:
            patched.setattr(os, "open", fail)
            assert client.ask("/").status == 500
        assert client.ask("/").body == b"content"  # on the same connection, once there are some
    (record,) = [record for record in caplog.records if record.levelno > logging.INFO]
    assert record.levelno == logging.ERROR


def test_a_file_that_we_may_not_open_is_a_404_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"content")

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(errno.EACCES, "denied")

    monkeypatch.setattr(files, "open_cached", lambda path, **options: None)  # a cold disk
    with serve(lambda request: Response.file(path)) as server, Client(server) as client:
        with monkeypatch.context() as patched:
            patched.setattr(os, "open", refuse)
            assert client.ask("/").status == 404
