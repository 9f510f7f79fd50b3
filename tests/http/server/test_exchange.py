"""One request and its response: streams, files, and whatever an application raises."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from greenlet import GreenletExit

from photon.http.application import Application
from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.runtime.cancel import CancelScope, fail_after
from photon.runtime.errors import Cancelled, DeadlineExceeded, StreamClosed
from photon.runtime.greenlets import sleep, sleep_forever
from photon.testing.wire import Wire
from tests.clients import Client, expect_no_leaks, request, settings, wait_until


class Unspeakable(Exception):
    """An error that cannot even be printed."""

    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


def recurse(depth: int = 0) -> int:
    return recurse(depth + 1) + 1


def raising(error: BaseException) -> Callable[[], object]:
    def fail() -> object:
        raise error

    return fail


PANICS = {
    "Exception": raising(Exception("oh")),
    "SystemExit": raising(SystemExit(3)),
    "KeyboardInterrupt": raising(KeyboardInterrupt()),
    "GreenletExit": raising(GreenletExit()),
    "GeneratorExit": raising(GeneratorExit()),
    "SystemError": raising(SystemError("inside")),
    "MemoryError": raising(MemoryError()),
    "a real MemoryError": lambda: bytearray(1 << 62),
    "RecursionError": recurse,
    "StopIteration": raising(StopIteration()),
    "__str__ raises": raising(Unspeakable()),
    "a scope of somebody else": raising(Cancelled("scope", scope=CancelScope())),
    "DeadlineExceeded": raising(DeadlineExceeded(1)),
    "OSError": raising(ConnectionResetError(104, "a database went away, not the client")),
}


def is_in(name: str) -> Application:
    """An application that fails as `name` says where its path says."""
    fail = PANICS[name]

    def application(request: Request) -> Response:
        if request.path == "/handler":
            fail()
        if request.path in ("/stream", "/late-stream"):

            def pieces() -> Iterator[bytes]:
                if request.path == "/late-stream":
                    yield b"first"
                sleep(0)
                fail()

            return Response.stream(pieces())
        if request.path == "/waited":
            sleep(0)
            fail()
        return Response("fine")

    return application


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno > logging.INFO]


@pytest.mark.parametrize("path", ["/handler", "/waited", "/stream"])
@pytest.mark.parametrize("name", PANICS)
def test_whatever_is_raised_is_a_500_for_that_request_alone(
    name: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(is_in(name)) as server, Client(server) as client, Client(server) as other:
        assert other.ask("/").body == b"fine"
        answer = client.ask(path)
        assert answer.status == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert client.ask("/").body == b"fine"  # the connection lives on
        assert other.ask("/").body == b"fine"
        client.close()
        other.close()
        expect_no_leaks(server)
    expect_one_record(caplog, path, answer.body)


@pytest.mark.parametrize("name", PANICS)
def test_whatever_is_raised_within_a_stream_cuts_that_connection_alone(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(is_in(name)) as server, Client(server) as client, Client(server) as other:
        client.get("/late-stream")
        cut = client.read_to_end()
        assert cut.startswith(b"HTTP/1.1 200 OK")
        assert cut.endswith(b"5\r\nfirst\r\n")  # and no last chunk, so that nobody takes it for all
        assert other.ask("/").body == b"fine"
        other.close()
        expect_no_leaks(server)
    expect_one_record(caplog, "/late-stream")


def expect_one_record(
    caplog: pytest.LogCaptureFixture, path: str, body: bytes | None = None
) -> None:
    (record,) = errors(caplog)
    assert (record.name, record.levelno) == ("photon.http", logging.ERROR)
    assert record.exc_info is not None
    assert record.exc_info[2] is not None
    message = record.getMessage()
    request_id = record.__dict__["request_id"]
    for part in ("GET", path, request_id):
        assert part in message
    assert (record.__dict__["method"], record.__dict__["path"]) == ("GET", path)
    if body is not None:
        assert request_id.encode() in body


def test_what_cannot_be_logged_is_still_answered_or_cut() -> None:
    """A broken log handler must not take the connection along."""
    logger = logging.getLogger("photon.http")

    class Broken(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise OSError("the disk is full")

    broken = Broken()
    logger.addHandler(broken)
    try:
        with serve(is_in("Exception")) as server:
            for path in ("/handler", "/late-stream"):
                with Client(server) as client:
                    client.get(path)
                    client.read_to_end()
            with Client(server) as other:
                assert other.ask("/").body == b"fine"
            expect_no_leaks(server)
    finally:
        logger.removeHandler(broken)


def test_an_error_that_cannot_be_encoded_ends_its_connection_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def application(request: Request) -> Response:
        raise HTTPError(400, "this is", not_json=object())

    with serve(application) as server, Client(server) as client:
        client.get("/")
        assert client.is_cut()
        expect_no_leaks(server)
    assert len(errors(caplog)) == 1


REFUSALS = [
    (HTTPError(409, "twice"), 409),
    (ProtocolError("chunk-size", 400, "no size"), 400),
]


@pytest.mark.parametrize(("error", "status"), REFUSALS)
def test_an_error_that_has_a_status_is_answered_with_it(
    error: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    def application(request: Request) -> Response:
        raise error

    with Wire(application) as wire:
        wire.send(request("GET", "/"))
        assert wire.receive().startswith(b"HTTP/1.1 %d " % status)
    assert not errors(caplog)


@pytest.mark.parametrize("error", [ClientDisconnected("gone"), StreamClosed("closed")])
def test_nobody_is_answered_who_went_away(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def application(request: Request) -> Response:
        raise error

    with Wire(application) as wire:
        wire.send(request("GET", "/"))
        assert wire.receive() == b""
        assert wire.is_closed
    assert not errors(caplog)


@pytest.mark.parametrize("value", [None, "text", {"a": 1}])
def test_what_is_no_response_is_a_500_that_says_so(
    value: object, caplog: pytest.LogCaptureFixture
) -> None:
    with Wire(lambda request: value) as wire:  # type: ignore[arg-type,return-value]
        wire.send(request("GET", "/"))
        assert wire.receive().startswith(b"HTTP/1.1 500 ")
    (record,) = errors(caplog)
    assert record.exc_info is not None
    assert type(value).__name__ in str(record.exc_info[1])


def test_a_header_beyond_what_can_be_sent_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    def application(request: Request) -> Response:
        response = Response("x")
        response._content_type = "text/\N{SNOWMAN}"
        return response

    with Wire(application) as wire:
        wire.send(request("GET", "/"))
        assert wire.receive().startswith(b"HTTP/1.1 500 ")
    assert len(errors(caplog)) == 1


# on_answer...


def test_on_answer_is_told_request_status_and_seconds() -> None:
    told: list[tuple[str, int, float]] = []

    def application(request: Request) -> Response:
        sleep(0.01)
        return Response(status=201)

    def on_answer(request: Request, status: int, seconds: float) -> None:
        told.append((request.target, status, seconds))

    with serve(application, on_answer=on_answer) as server, Client(server) as client:
        client.ask("/a?b")
        ((target, status, seconds),) = told
        assert (target, status) == ("/a?b", 201)
        assert 0.009 < seconds < 3


@pytest.mark.parametrize("error", [ValueError("no disk"), SystemExit(1), GreenletExit()])
def test_an_on_answer_that_fails_harms_nobody(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def on_answer(request: Request, status: int, seconds: float) -> None:
        raise error

    with serve(lambda request: Response("fine"), on_answer=on_answer) as server:
        with Client(server) as client:
            assert client.ask("/").body == b"fine"
            assert client.ask("/").body == b"fine"
        expect_no_leaks(server)
    assert len(errors(caplog)) == 2


# Streams...


def test_each_piece_of_a_stream_is_sent_at_once() -> None:
    go_on = threading.Event()

    def application(request: Request) -> Response:
        def pieces() -> Iterator[bytes | str]:
            yield b""
            yield "first"
            go_on.wait()
            yield b""
            yield b"second"

        return Response.stream(pieces())

    with serve(application) as server, Client(server) as client:
        client.get("/")
        client.read_until(b"5\r\nfirst\r\n")
        go_on.set()
        assert client.read_until(b"0\r\n\r\n") == b"6\r\nsecond\r\n0\r\n\r\n"
        client.get("/")
        assert client.answer().body == b"firstsecond"


def test_an_empty_stream_is_an_empty_body() -> None:
    with serve(lambda request: Response.stream([])) as server, Client(server) as client:
        assert client.ask("/").body == b""
        assert client.ask("/").body == b""


def test_a_head_request_neither_starts_a_stream_nor_leaks_it() -> None:
    ends: list[str] = []

    class Pieces:
        def __iter__(self) -> Iterator[bytes]:
            ends.append("started")
            return iter([b"x"])

        def close(self) -> None:
            ends.append("closed")

    with serve(lambda request: Response.stream(Pieces())) as server, Client(server) as client:
        client.send(request("HEAD", "/"))
        answer = client.answer(has_content=False)
        assert (answer.status, answer.headers["transfer-encoding"]) == (200, "chunked")
        client.send(request("HEAD", "/"))
        assert client.answer(has_content=False).status == 200
    assert ends == ["closed", "closed"]


def test_a_stream_to_http_1_0_ends_with_the_connection() -> None:
    with serve(lambda request: Response.stream([b"a", b"b"])) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        answer = client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"ab", "close")


@pytest.mark.parametrize("pieces", [[b"abc"], [b"abc", b"defg"], [b"abcdefg"]])
def test_a_stream_of_another_length_than_it_says_is_cut(
    pieces: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    def application(request: Request) -> Response:
        return Response.stream(pieces, headers={"content-length": "6"})

    with serve(application) as server, Client(server) as client:
        client.get("/")
        cut = client.read_to_end()
        assert len(cut.partition(b"\r\n\r\n")[2]) < 6 or b" 500 " in cut
    assert len(errors(caplog)) == 1


def test_a_stream_of_what_is_neither_bytes_nor_text_is_a_500() -> None:
    stream = Response.stream
    with serve(lambda r: stream([1, 2])) as server, Client(server) as client:  # type: ignore[list-item]
        assert client.ask("/").status == 500


@pytest.mark.parametrize("leave", [Client.close, Client.reset, Client.end_sending])
def test_a_generator_is_closed_where_it_waits_when_the_client_leaves(
    leave: Callable[[Client], None], caplog: pytest.LogCaptureFixture
) -> None:
    ends: list[str] = []
    notes: list[int] = []

    def application(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                yield b"first"
                sleep_forever()
            except Cancelled as error:
                ends.append(error.source)
                raise
            finally:
                ends.append("finally")

        return Response.stream(pieces())

    caplog.set_level(logging.DEBUG, "photon")
    with serve(application, on_answer=lambda r, status, s: notes.append(status)) as server:
        client = Client(server)
        client.get("/")
        client.read_until(b"first")
        leave(client)
        wait_until(lambda: notes)
        client.close()
        expect_no_leaks(server)
    assert (ends, notes) == (["disconnect", "finally"], [499])
    assert not errors(caplog)


def test_a_client_that_resets_while_pieces_flow_ends_the_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ends: list[str] = []

    def application(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                while True:
                    yield b"x" * 1000
                    sleep(0)
            finally:
                ends.append("finally")

        return Response.stream(pieces())

    caplog.set_level(logging.DEBUG, "photon")
    with serve(application) as server:
        client = Client(server)
        client.get("/")
        client.read(10_000)
        client.reset()
        wait_until(lambda: ends)
        expect_no_leaks(server)
    assert not errors(caplog)


def test_a_stream_has_no_time_limit_once_it_began() -> None:
    def application(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            for _ in range(3):
                yield b"x"
                sleep(0.25)

        return Response.stream(pieces())

    with serve(application, settings=settings(handler_s=0.1, idle_s=0.1)) as server:
        with Client(server) as client:
            assert client.ask("/").body == b"xxx"


def test_the_first_piece_of_a_stream_has_the_time_of_a_handler() -> None:
    def application(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            sleep_forever()
            yield b"never"

        return Response.stream(pieces())

    with serve(application, settings=settings(handler_s=0.1)) as server:
        with Client(server) as client:
            assert client.ask("/").status == 504


def test_a_generator_that_fails_while_it_is_closed_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def application(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                yield b"first"
                raise ValueError("oh")
            finally:
                raise KeyError("and oh")

        return Response.stream(pieces())

    with serve(application) as server, Client(server) as client:
        client.get("/")
        assert not client.read_to_end().endswith(b"0\r\n\r\n")
        expect_no_leaks(server)
    assert len(errors(caplog)) == 1


def test_a_fail_after_within_a_stream_is_the_handlers_own_matter() -> None:
    def application(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                with fail_after(0.01):
                    sleep_forever()
            except DeadlineExceeded:
                yield b"too late"

        return Response.stream(pieces())

    with serve(application) as server, Client(server) as client:
        assert client.ask("/").body == b"too late"


# When only a part could be sent...


@pytest.mark.parametrize("interruption", [Unspeakable(), Cancelled("shutdown")])
def test_nothing_is_put_behind_a_part_of_a_response(interruption: BaseException) -> None:
    """While the rest waits for the client: a second head would be taken for its body."""
    with Wire(lambda request: Response(b"x" * 100_000), window_bytes=1000) as wire:
        wire.send(request("GET", "/"))
        assert wire.receive().startswith(b"HTTP/1.1 200 OK")
        wire.server.hub.run_soon(wire.stream.interrupt_writer, interruption)
        wire.settle()
        assert b"HTTP/1.1" not in wire.receive()
        assert wire.is_closed


# Files...


def test_twenty_megabytes_of_a_file_reach_a_slow_reader(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    content = bytes(range(256)) * 256 * 320
    path.write_bytes(content)
    with serve(lambda request: Response.file(path)) as server:
        with Client(server, receive_buffer=65536) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            with Client(server) as other:
                other.send(request("HEAD", "/"))
                assert other.answer(has_content=False).status == 200
            answer = client.answer()
            assert answer.headers["content-length"] == str(len(content))
            assert answer.body == content
            assert client.ask("/", "Range: bytes=0-9").body == content[:10]
            client.close()
        expect_no_leaks(server)


def test_a_file_is_closed_when_the_client_leaves(tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(b"x" * 20_000_000)
    open_files = Path("/dev/fd")
    with serve(lambda request: Response.file(path)) as server:
        before = len(list(open_files.iterdir()))
        with Client(server, receive_buffer=65536) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
        expect_no_leaks(server)
        assert len(list(open_files.iterdir())) == before


def test_a_file_that_becomes_shorter_is_cut(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 20_000_000)
    with serve(lambda request: Response.file(path)) as server:
        with Client(server, receive_buffer=65536) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            path.write_bytes(b"")
            assert len(client.read_to_end()) < 20_000_000
        expect_no_leaks(server)
    assert len(errors(caplog)) == 1


def test_a_file_that_is_gone_is_a_404(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    response = Response.file(path)
    path.unlink()
    with serve(lambda request: response) as server, Client(server) as client:
        assert client.ask("/").status == 404
        assert client.ask("/").status == 404
