"""One connection: its phases, their time-outs, and what a client can do to it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from photon.http.application import Application
from photon.http.errors import BodyTimeout, ClientDisconnected
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.http.server.settings import Limits, ServerSettings
from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.runtime.handle import Handle
from photon.runtime.net.stream import SocketStream
from photon.testing.wire import Wire
from tests.clients import (
    Answer,
    Client,
    expect_no_deadlines,
    expect_no_leaks,
    request,
    settings,
    wait_until,
)


def hello(request: Request) -> Response:
    return Response(f"hello {request.path}")


def by_path(**handlers: Application) -> Application:
    """An application that calls the handler named by the path; `hello` for others."""
    return lambda request: handlers.get(request.path.strip("/"), hello)(request)


class Notes(list[tuple[str, int]]):
    """An `on_answer` that notes paths and statuses."""

    def __call__(self, request: Request, status: int, seconds: float) -> None:
        self.append((request.path, status))


@pytest.fixture(params=["fast", "h11"])
def protocol(request: pytest.FixtureRequest) -> str:
    """Each implementation of HTTP/1 in turn."""
    return str(request.param)


# Keep-alive and pipelining...


def test_a_connection_serves_one_request_after_another(protocol: str) -> None:
    with serve(hello, settings=settings(protocol=protocol)) as server, Client(server) as client:
        for number in range(3):
            assert client.ask(f"/{number}").body == b"hello /%d" % number
        assert len(server.connections) == 1


def test_pipelined_requests_are_answered_in_order_though_the_first_is_slow(protocol: str) -> None:
    go_on = threading.Event()

    def slow(request: Request) -> Response:
        go_on.wait()
        return hello(request)

    app = by_path(slow=slow)
    with serve(app, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.get("/slow")
        wait_until(lambda: server.statistics()["phases"] == {"handling": 1})
        client.send(request("GET", "/2") + request("POST", "/3", body=b"abc"))
        client.get("/4")
        with Client(server) as other:
            assert other.ask("/other").status == 200
        go_on.set()
        bodies = [client.answer().body for _ in range(4)]
        assert bodies == [b"hello /slow", b"hello /2", b"hello /3", b"hello /4"]


def test_several_slow_requests_in_one_packet_are_answered_in_order(protocol: str) -> None:
    def slow(request: Request) -> Response:
        sleep(0.001)
        return hello(request)

    with serve(slow, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(b"".join(request("GET", f"/{n}") for n in range(20)))
        assert [client.answer().body for _ in range(20)] == [b"hello /%d" % n for n in range(20)]
        assert client.ask("/again").status == 200


def test_a_client_that_says_close_is_answered_and_closed(protocol: str) -> None:
    with serve(hello, settings=settings(protocol=protocol)) as server, Client(server) as client:
        answer = client.ask("/", "Connection: close")
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert client.read_to_end() == b""
        wait_until(lambda: not server.connections)


def test_what_is_pipelined_after_close_is_not_answered_and_resets_nothing() -> None:
    with serve(hello) as server, Client(server) as client:
        client.send(request("GET", "/1", "Connection: close") + request("GET", "/2") * 50)
        assert client.answer().body == b"hello /1"
        assert client.read_to_end() == b""


def test_a_head_may_come_in_many_pieces() -> None:
    with Wire(hello) as wire:
        for byte in request("GET", "/drip"):
            assert wire.receive() == b""
            wire.send(bytes([byte]))
        assert wire.receive().endswith(b"hello /drip")


def test_a_client_that_only_connects_and_leaves_is_forgotten() -> None:
    with serve(hello) as server:
        with Client(server):
            wait_until(lambda: server.connections)
        wait_until(lambda: not server.connections)


# Idle and head...


def test_an_idle_connection_is_closed_after_idle_s() -> None:
    with serve(hello, settings=settings(idle_s=0.2)) as server:
        with Client(server) as silent, Client(server) as used:
            assert used.ask("/").status == 200
            assert silent.read_to_end() == b""
            assert used.read_to_end() == b""
        expect_no_leaks(server)


def test_an_idle_connection_is_closed_in_time_though_it_was_busy_for_longer_before() -> None:
    """Its time-outs moved to the later one while the handler worked."""
    go_on = threading.Event()

    def slow(request: Request) -> Response:
        go_on.wait()
        return hello(request)

    app = by_path(slow=slow)
    with serve(app, settings=settings(idle_s=0.2, handler_s=60)) as server:
        with Client(server) as client, Client(server) as other:
            client.get("/slow")
            assert other.read_to_end() == b""  # idle_s is over, for the busy one too
            go_on.set()
            assert client.answer().status == 200
            assert client.read_to_end() == b""


def test_an_idle_connection_is_closed_in_time_after_a_stream() -> None:
    go_on = threading.Event()

    def stream(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            yield b"first"
            go_on.wait()
            yield b"second"

        return Response.stream(pieces())

    app = by_path(stream=stream)
    with serve(app, settings=settings(idle_s=0.2)) as server:
        with Client(server) as client, Client(server) as other:
            client.get("/stream")
            client.read_until(b"first")
            assert other.read_to_end() == b""
            go_on.set()
            client.read_until(b"0\r\n\r\n")
            assert client.read_to_end() == b""


def test_a_connection_that_was_told_to_end_is_still_closed_after_idle_s() -> None:
    def stuck(request: Request) -> Response:
        sleep_forever()
        raise AssertionError

    app = by_path(stuck=stuck)
    with serve(app, settings=settings(idle_s=0.2, handler_s=0.1, cleanup_s=60)) as server:
        with Client(server) as client:
            assert client.ask("/stuck").status == 504
            assert client.read_to_end() == b""


def test_a_head_that_drips_holds_no_greenlet_and_gets_408() -> None:
    with serve(hello, settings=settings(head_s=0.4)) as server, Client(server) as client:
        for byte in b"GET / HTTP/1.1\r\nHo":
            client.send(bytes([byte]))
            wait_until(lambda: server.statistics()["phases"] in ({"head": 1}, {"lingering": 1}))
            assert server.carriers.statistics()["busy"] == 0
        answer = client.answer()
        assert (answer.status, answer.headers["connection"]) == (408, "close")
        assert client.read_to_end() == b""


def test_a_client_that_goes_on_dripping_still_reads_its_408() -> None:
    with serve(hello, settings=settings(head_s=0.1)) as server, Client(server) as client:
        client.send(b"GET / HTTP/1.1\r\n")
        wait_until(lambda: server.statistics()["phases"] == {"lingering": 1})
        client.send(b"Host")  # it has not read what we said, and this must not reset it away
        client.send(b": test\r\n")
        assert client.answer().status == 408
        assert client.read_to_end() == b""


def test_two_thousand_silent_connections_cost_no_greenlet_and_nobody_waits_for_them() -> None:
    with serve(hello) as server:
        clients = [Client(server) for _ in range(2000)]
        try:
            wait_until(lambda: len(server.connections) == 2000)
            assert server.carriers.statistics()["busy"] == 0
            with Client(server) as other:
                assert other.ask("/").status == 200
        finally:
            for client in clients:
                client.close()
        expect_no_leaks(server)


# Bodies...


def read_all(request: Request) -> Response:
    return Response(request.body())


def test_a_body_may_come_in_pieces(protocol: str) -> None:
    with serve(read_all, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 9"))
        for piece in (b"abc", b"def", b"ghi"):
            wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
            client.send(piece)
        assert client.answer().body == b"abcdefghi"
        assert client.ask("/").status == 200


def test_a_chunked_body_may_come_in_pieces(protocol: str) -> None:
    with serve(read_all, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/", "Transfer-Encoding: chunked"))
        for piece in (b"3\r", b"\nabc\r\n2\r\nd", b"e\r\n0\r\n", b"\r\n"):
            wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
            client.send(piece)
        assert client.answer().body == b"abcde"
        assert client.ask("/").status == 200


def test_a_body_that_stops_gets_408_and_the_connection_is_closed() -> None:
    seen: list[BaseException] = []

    def handler(request: Request) -> Response:
        try:
            return read_all(request)
        except BodyTimeout as error:
            seen.append(error)
            raise

    with serve(handler, settings=settings(body_s=0.2)) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 9") + b"abc")
        answer = client.answer()
        assert answer.status == 408
        # RFC 9110 §15.5.9: "the server SHOULD send the "close" connection option".
        assert answer.headers["connection"] == "close"
        assert client.read_to_end() == b""
        assert [type(error) for error in seen] == [BodyTimeout]
        client.close()
        expect_no_leaks(server)


def test_each_byte_of_a_body_gives_it_time_again() -> None:
    with serve(read_all, settings=settings(body_s=0.5)) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 4"))
        for _ in range(4):
            wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
            sleep(0.2)  # time passes; that it is the client's is the point
            client.send(b"x")
        assert client.answer().body == b"xxxx"


def test_a_client_that_leaves_in_its_body_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[BaseException] = []

    def handler(request: Request) -> Response:
        try:
            return read_all(request)
        except ClientDisconnected as error:
            seen.append(error)
            raise

    notes = Notes()
    caplog.set_level(logging.DEBUG, "photon")
    with serve(handler, on_answer=notes) as server:
        for leave in (Client.close, Client.reset, Client.end_sending):
            client = Client(server)
            client.send(request("POST", "/", "Content-Length: 9") + b"abc")
            wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
            leave(client)
            wait_until(lambda: not server.connections)
            client.close()
        expect_no_leaks(server)
    assert [type(error) for error in seen] == [ClientDisconnected] * 3
    assert notes == [("/", 499)] * 3
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_100_continue_is_sent_when_the_handler_reads_and_once(protocol: str) -> None:
    with serve(read_all, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/", "Expect: 100-continue", "Content-Length: 6"))
        assert client.answer().status == 100
        client.send(b"abc")
        wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
        wait_until(lambda: next(iter(server.connections)).stream.look().value == "quiet")
        client.send(b"def")
        answer = client.answer()
        assert (answer.status, answer.body) == (200, b"abcdef")


def test_100_continue_is_not_sent_when_the_body_is_there_already() -> None:
    with serve(read_all) as server, Client(server) as client:
        client.send(request("POST", "/", "Expect: 100-continue", body=b"abc"))
        assert client.answer().body == b"abc"


def test_100_continue_is_not_sent_when_the_handler_does_not_read(protocol: str) -> None:
    with serve(hello, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/", "Expect: 100-continue", "Content-Length: 6"))
        answer = client.answer()
        # The client may send its body or not: what comes next cannot be told, so that is the end.
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert client.read_to_end() == b""


def test_a_small_body_that_nobody_reads_leaves_the_connection_alive(protocol: str) -> None:
    with serve(hello, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/1", body=b"x" * 100_000))
        assert client.answer().body == b"hello /1"
        client.send(request("POST", "/2", "Content-Length: 6") + b"abc")
        assert client.answer().body == b"hello /2"
        client.send(b"def")
        assert client.ask("/3").body == b"hello /3"


def test_the_rest_of_a_small_body_that_nobody_reads_has_to_come_in_time() -> None:
    with serve(hello, settings=settings(head_s=0.2)) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 6") + b"abc")
        assert client.answer().status == 200
        client.send(b"d")
        assert client.answer().status == 408


def test_a_large_body_that_nobody_reads_costs_the_connection_and_not_the_response() -> None:
    size = 50_000_000
    answered = threading.Event()

    def handler(request: Request) -> Response:
        answered.set()
        return Response(b"y" * 200_000)

    with serve(handler) as server, Client(server) as client:
        client.send(request("POST", "/", f"Content-Length: {size}"))
        answered.wait(5)
        for _ in range(100):  # well more than the kernel's buffers hold: somebody takes it
            client.send(b"x" * 100_000)
        answer = client.answer()
        assert (answer.headers["connection"], len(answer.body)) == ("close", 200_000)
        assert client.read_to_end() == b""
        client.close()
        expect_no_leaks(server)


def test_a_client_that_never_stops_sending_what_nobody_reads_is_cut() -> None:
    with serve(hello) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 1000000000"))
        assert client.answer().status == 200
        connection = next(iter(server.connections))
        assert server.statistics()["phases"] == {"lingering": 1}
        due = connection.on_due(connection.since + 4.9)
        assert due is not None
        assert connection.on_due(due) is None
        assert not server.connections


def test_a_body_over_the_limit_is_refused_before_it_is_read(protocol: str) -> None:
    small = settings(limits=Limits(body_bytes=1000), protocol=protocol)
    with serve(read_all, settings=small) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 1001", "Expect: 100-continue"))
        assert client.answer().status == 413  # and no 100 before
        assert client.read_to_end() == b""


def test_a_chunked_body_over_the_limit_is_refused(protocol: str) -> None:
    small = settings(limits=Limits(body_bytes=1000), protocol=protocol)
    with serve(read_all, settings=small) as server, Client(server) as client:
        client.send(request("POST", "/", "Transfer-Encoding: chunked") + b"3e9\r\n" + b"x" * 1001)
        assert client.answer().status == 413
        assert client.read_to_end() == b""


def test_a_body_at_the_limit_is_taken() -> None:
    small = settings(limits=Limits(body_bytes=1000))
    with serve(read_all, settings=small) as server, Client(server) as client:
        client.send(request("POST", "/", body=b"x" * 1000))
        assert len(client.answer().body) == 1000


def test_a_broken_chunk_gets_400_and_the_end(
    protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "photon")
    with serve(read_all, settings=settings(protocol=protocol)) as server, Client(server) as client:
        client.send(request("POST", "/", "Transfer-Encoding: chunked") + b"nonsense\r\n")
        assert client.answer().status == 400
        assert client.read_to_end() == b""
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_who_holds_on_to_a_request_is_not_given_the_body_of_the_next() -> None:
    go_on = threading.Event()
    kept: list[Handle[bytes]] = []

    def late(request: Request) -> bytes:
        go_on.wait()
        return request.body()

    def application(request: Request) -> Response:
        if request.path == "/keep":
            kept.append(spawn(late, request))
            return hello(request)
        go_on.set()
        sleep(0.005)
        return read_all(request)

    with serve(application) as server, Client(server) as client:
        # The body comes after the head: one that comes with it is there for whoever asks.
        client.send(request("POST", "/keep", "Content-Length: 4"))
        assert client.answer().status == 200
        client.send(b"mine")
        client.send(request("POST", "/", body=b"of somebody else"))
        assert client.answer().body == b"of somebody else"
        kept[0].join()
        with pytest.raises(RuntimeError, match="the request is over"):
            _ = kept[0].result


def test_who_waits_for_a_body_when_the_request_is_over_ends_the_connection() -> None:
    kept: list[Handle[bytes]] = []

    def application(request: Request) -> Response:
        kept.append(spawn(request.body))
        sleep(0.005)
        return hello(request)

    with serve(application) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 100"))
        assert client.answer().status == 200
        assert client.read_to_end() == b""
        client.close()
        kept[0].join()
        assert isinstance(kept[0].error, ClientDisconnected)
        expect_no_leaks(server)


# Limits of heads...


HEADS = [
    pytest.param(request("GET", "/" + "x" * 100), 414, id="target_bytes"),
    pytest.param(request("GET", "/", *["A: b"] * 10), 431, id="headers"),
    pytest.param(request("GET", "/", "A: " + "b" * 600), 431, id="head_bytes"),
    pytest.param(b"nonsense\r\n\r\n", 400, id="nonsense"),
]


@pytest.mark.parametrize(("head", "status"), HEADS)
def test_a_head_over_a_limit_is_refused_and_the_connection_closed(
    head: bytes, status: int, protocol: str, caplog: pytest.LogCaptureFixture
) -> None:
    limits = Limits(target_bytes=100, headers=10, head_bytes=500)
    caplog.set_level(logging.DEBUG, "photon")
    notes = Notes()
    tight = settings(limits=limits, protocol=protocol)
    with serve(hello, settings=tight, on_answer=notes) as server:
        with Client(server) as client:
            client.send(head)
            answer = client.answer()
            assert (answer.status, answer.headers["connection"]) == (status, "close")
            assert answer.headers["content-type"] == "application/problem+json"
            assert client.read_to_end() == b""
        expect_no_leaks(server)
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_a_head_that_is_much_too_large_is_refused_and_no_reset_loses_the_refusal() -> None:
    with serve(hello) as server, Client(server) as client:
        client.send(request("GET", "/", "A: " + "b" * 300_000))
        assert client.answer().status == 431
        assert client.read_to_end() == b""


# The client goes away...


class Waits:
    """A handler that waits for ever, and notes how it ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.is_in = threading.Event()

    def __call__(self, request: Request) -> Response:
        try:
            self.is_in.set()
            sleep_forever()
        except Cancelled as error:
            self.ends.append(error.source)
            raise
        finally:
            self.ends.append("finally")
        raise AssertionError


@pytest.mark.parametrize("leave", [Client.close, Client.reset, Client.end_sending])
def test_a_client_that_leaves_while_the_handler_waits_gets_it_cancelled(
    leave: object, caplog: pytest.LogCaptureFixture
) -> None:
    waits, notes = Waits(), Notes()
    caplog.set_level(logging.DEBUG, "photon")
    with serve(waits, on_answer=notes) as server:
        client = Client(server)
        client.get("/left?alone")
        waits.is_in.wait(5)
        leave(client)  # type: ignore[operator]
        wait_until(lambda: notes)
        assert notes == [("/left", 499)]
        assert waits.ends == ["disconnect", "finally"]
        client.close()
        expect_no_leaks(server)
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_a_client_that_leaves_within_the_second_request_gets_it_cancelled_too() -> None:
    waits, notes = Waits(), Notes()
    with serve(by_path(wait=waits), on_answer=notes) as server:
        with Client(server) as client:
            client.ask("/")
            client.get("/wait")
            waits.is_in.wait(5)
        wait_until(lambda: len(notes) == 2)
        assert waits.ends == ["disconnect", "finally"]


def test_a_client_that_half_closes_gets_its_answer_where_that_is_the_policy() -> None:
    go_on = threading.Event()
    is_in = threading.Event()

    def slow(request: Request) -> Response:
        is_in.set()
        go_on.wait()
        return hello(request)

    notes = Notes()
    with serve(slow, settings=settings(half_close="waiting"), on_answer=notes) as server:
        with Client(server) as client:
            client.get("/half")
            is_in.wait(5)
            client.end_sending()
            with Client(server) as other:  # by when that is answered the end was seen
                go_on.set()
                other.ask("/")
            assert client.answer().body == b"hello /half"
            assert client.read_to_end() == b""
        expect_no_leaks(server)
    assert sorted(notes) == [("/", 200), ("/half", 200)]


def test_a_handler_that_does_not_wait_answers_a_client_that_half_closed_already() -> None:
    with Wire(hello) as wire:
        wire.stream.inbox.append(request("GET", "/"))
        wire.send_end()
        assert wire.receive().endswith(b"hello /")
        wire.settle()
        assert wire.is_closed


def test_after_a_slow_request_and_half_a_head_the_next_can_still_be_cancelled() -> None:
    """Once it was served on two carriers, the connection held on to the first."""
    waits, notes = Waits(), Notes()

    def slow(request: Request) -> Response:
        sleep(0.001)
        return hello(request)

    with serve(by_path(slow=slow, wait=waits), on_answer=notes) as server:
        with Client(server) as client:
            second = request("GET", "/wait")
            client.send(request("GET", "/slow") + second[:10])
            assert client.answer().body == b"hello /slow"
            with Client(server) as other:  # takes the carrier that the first had
                other.get("/wait")
                waits.is_in.wait(5)
                waits.is_in.clear()
                client.send(second[10:])
                waits.is_in.wait(5)
                client.close()
                wait_until(lambda: len(notes) == 2)
        wait_until(lambda: len(notes) == 3)
        assert waits.ends == ["disconnect", "finally"] * 2
        expect_no_leaks(server)


def test_a_request_that_was_read_to_its_end_after_the_next_came_is_not_lost() -> None:
    def slow_reader(request: Request) -> Response:
        sleep(0.01)
        return read_all(request)

    with serve(slow_reader) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 6") + b"abc")
        wait_until(lambda: server.statistics()["phases"] == {"handling": 1})
        client.send(b"def" + request("GET", "/"))
        assert client.answer().body == b"abcdef"
        assert client.answer().body == b""


# The client goes away after it sent more than its request...


@pytest.fixture
def _asks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photon.http.server.timing._ASK_S", 0.1)


def note_looks(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What each question whether a client has hung up is answered, from here on."""
    looks: list[bool] = []
    look = SocketStream.has_hung_up

    def noted(stream: SocketStream) -> bool:
        looks.append(look(stream))
        return looks[-1]

    monkeypatch.setattr(SocketStream, "has_hung_up", noted)
    return looks


class Drips:
    """A stream of pieces with pauses, for as long as nobody ends it; it notes how it ended."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.is_over = False

    def __call__(self, request: Request) -> Response:
        return Response.stream(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        try:
            while not self.is_over:
                yield b"drip"
                sleep(0.005)
            yield b"last"
        except BaseException as error:
            self.ends.append(getattr(error, "source", type(error).__name__))
            raise
        else:
            self.ends.append("over")


def still(request: Request) -> Response:
    """A stream that begins, and then waits for something else for ever."""

    def pieces() -> Iterator[bytes]:
        yield b"drip"
        sleep_forever()

    return Response.stream(pieces())


SENT_MORE = [
    pytest.param(request("GET", "/drips") + request("GET", "/next"), id="a request"),
    pytest.param(request("GET", "/drips") + request("GET", "/next")[:9], id="part of a head"),
    pytest.param(request("POST", "/drips", "Content-Length: 9") + b"body", id="part of a body"),
    pytest.param(request("POST", "/drips", body=b"x" * 20_000), id="a body"),
]


@pytest.mark.usefixtures("_asks_often")
@pytest.mark.parametrize("leave", [Client.close, Client.reset, Client.end_sending])
@pytest.mark.parametrize("sent", SENT_MORE)
def test_a_stream_ends_when_its_client_leaves_though_it_had_sent_more(
    sent: bytes, leave: Callable[[Client], None], caplog: pytest.LogCaptureFixture
) -> None:
    notes = Notes()
    caplog.set_level(logging.DEBUG, "photon")
    quick = settings(drain_s=0.5)
    with serve(by_path(drips=still), settings=quick, on_answer=notes) as server:
        client = Client(server)
        client.send(sent)
        client.read_until(b"drip\r\n")
        leave(client)
        wait_until(lambda: notes)
        client.close()
        expect_no_leaks(server)
    assert notes == [("/drips", 499)]
    assert {record.levelno for record in caplog.records} == {logging.INFO}


@pytest.mark.usefixtures("_asks_often")
def test_a_stream_that_drips_ends_when_its_client_half_closes_though_it_had_sent_more() -> None:
    drips = Drips()
    with serve(by_path(drips=drips)) as server, Client(server) as client:
        client.send(request("GET", "/drips") + request("GET", "/next")[:9])
        client.read_until(b"drip\r\n")
        client.end_sending()
        wait_until(lambda: drips.ends)
        assert drips.ends == ["disconnect"]
        client.close()
        expect_no_leaks(server)


@pytest.mark.usefixtures("_asks_often")
def test_a_handler_is_cancelled_when_its_client_leaves_though_it_had_sent_more() -> None:
    waits, notes = Waits(), Notes()
    with serve(by_path(wait=waits), on_answer=notes) as server:
        with Client(server) as client:
            client.send(request("GET", "/wait"))
            waits.is_in.wait(5)
            client.send(request("GET", "/next"))
        wait_until(lambda: notes)
        assert waits.ends == ["disconnect", "finally"]
        expect_no_leaks(server)


@pytest.mark.usefixtures("_asks_often")
def test_a_stream_goes_on_for_who_half_closed_where_that_is_the_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = note_looks(monkeypatch)
    drips = Drips()
    policy = settings(half_close="waiting")
    with serve(by_path(drips=drips), settings=policy) as server, Client(server) as client:
        client.send(request("GET", "/drips") + request("GET", "/next"))
        client.read_until(b"drip\r\n")
        client.end_sending()
        wait_until(lambda: looks.count(True) >= 2)
        assert drips.ends == []
        drips.is_over = True
        assert client.read_until(b"0\r\n\r\n").endswith(b"4\r\nlast\r\n0\r\n\r\n")
        assert client.answer().body == b"hello /next"
        assert client.read_to_end() == b""
        assert drips.ends == ["over"]
        expect_no_leaks(server)


@pytest.mark.usefixtures("_asks_often")
def test_a_stream_goes_on_for_who_sent_more_and_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = note_looks(monkeypatch)
    drips = Drips()
    with serve(by_path(drips=drips)) as server, Client(server) as client:
        client.send(request("GET", "/drips") + request("GET", "/next"))
        client.read_until(b"drip\r\n")
        client.send(request("GET", "/after"))
        wait_until(lambda: len(looks) >= 2)
        drips.is_over = True
        client.read_until(b"0\r\n\r\n")
        assert [client.answer().body for _ in range(2)] == [b"hello /next", b"hello /after"]
        assert not any(looks)


@pytest.mark.usefixtures("_asks_often")
def test_who_sent_more_and_half_closes_while_it_is_written_to_gets_everything() -> None:
    body = b"x" * 5_000_000
    asked: list[object] = []

    def large(request: Request) -> Response:
        return Response(body)

    with serve(by_path(large=large)) as server, Client(server, receive_buffer=4096) as client:
        client.get("/large")
        wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
        client.send(request("GET", "/next"))
        client.end_sending()
        (connection,) = server.connections
        wait_until(lambda: connection._is_unwatched)
        server.hub.run_soon(lambda: asked.append(connection.on_due(now())))
        wait_until(lambda: asked)
        assert client.answer().body == body
        assert client.answer().body == b"hello /next"
        assert client.read_to_end() == b""


def test_bytes_for_who_reads_a_body_do_not_take_its_watcher_away() -> None:
    with serve(read_all) as server, Client(server) as client:
        client.send(request("POST", "/", "Content-Length: 6") + b"abc")
        wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
        (connection,) = server.connections
        client.send(b"def")
        # As the hub would, had it seen bytes before the handler began to read.
        connection._check_client()
        assert client.answer().body == b"abcdef"
        assert client.ask("/").status == 200


def test_who_leaves_while_a_body_is_waited_for_is_seen() -> None:
    notes = Notes()
    with serve(read_all, on_answer=notes) as server:
        with Client(server) as client:
            client.send(request("POST", "/left", "Content-Length: 6") + b"abc")
            wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
            (connection,) = server.connections
            client.end_sending()
            connection._check_client()
            wait_until(lambda: notes)
        expect_no_leaks(server)
    assert notes == [("/left", 499)]


# Scopes that a handler left open...


def test_a_scope_left_open_in_a_generator_does_not_hit_the_next_request() -> None:
    kept: list[Iterator[int]] = []
    ends: list[str] = []

    def abandoning() -> Iterator[int]:
        with move_on_after(0.02) as scope:
            scopes.append(scope)
            yield 1

    scopes: list[CancelScope] = []

    def keep(request: Request) -> Response:
        kept.append(abandoning())
        next(kept[-1])
        return hello(request)

    def slow(request: Request) -> Response:
        try:
            while not scopes[0].cancel_called:
                sleep(0.005)
            sleep(0)
            ends.append("untouched")
        except Cancelled:
            ends.append("hit")
        return hello(request)

    with serve(by_path(keep=keep, slow=slow)) as server, Client(server) as client:
        client.send(request("GET", "/keep") + request("GET", "/slow"))
        assert [client.answer().body for _ in range(2)] == [b"hello /keep", b"hello /slow"]
    assert ends == ["untouched"]
    for generator in kept:
        generator.close()  # type: ignore[attr-defined]


# Handlers that take too long...


def test_a_handler_past_handler_s_gets_504_and_its_finally_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waits, notes = Waits(), Notes()
    app = by_path(wait=waits)
    with serve(app, settings=settings(handler_s=0.2), on_answer=notes) as server:
        with Client(server) as client:
            assert client.ask("/wait").status == 504
            assert waits.ends == ["deadline", "finally"]
            assert client.ask("/").status == 200  # on the same connection
        expect_no_leaks(server)
    assert notes == [("/wait", 504), ("/", 200)]
    (record,) = [r for r in caplog.records if r.levelno > logging.INFO]
    assert record.levelno == logging.WARNING


def test_a_handler_gets_its_whole_time_after_it_read_its_body() -> None:
    waits = Waits()

    def handler(request: Request) -> Response:
        request.body()
        return waits(request)

    with serve(handler, settings=settings(handler_s=0.2, body_s=60)) as server:
        with Client(server) as client:
            client.send(request("POST", "/", "Content-Length: 3"))
            wait_until(lambda: server.statistics()["phases"] == {"reading": 1})
            client.send(b"abc")
            assert client.answer().status == 504
        assert waits.ends == ["deadline", "finally"]


def test_a_handler_that_swallows_its_cancel_is_told_again() -> None:
    told: list[str] = []

    def stubborn(request: Request) -> Response:
        while len(told) < 3:
            try:
                sleep_forever()
            except Cancelled as error:
                told.append(error.source)
        return Response("at last")

    with serve(stubborn, settings=settings(handler_s=0.1, cleanup_s=0.1)) as server:
        with Client(server) as client:
            assert client.ask("/").body == b"at last"
    assert told == ["deadline"] * 3


def test_a_pipelined_request_has_its_own_time() -> None:
    def slow(request: Request) -> Response:
        sleep(0.25)
        return hello(request)

    with serve(slow, settings=settings(handler_s=0.4)) as server, Client(server) as client:
        client.send(request("GET", "/1") + request("GET", "/2") + request("GET", "/3"))
        assert [client.answer().status for _ in range(3)] == [200] * 3


# Clients that do not read...


def test_a_client_that_never_reads_is_cut_after_write_s_and_the_generator_closed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ends: list[str] = []

    def endless(request: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
            finally:
                ends.append("finally")

        return Response.stream(pieces())

    notes = Notes()
    caplog.set_level(logging.DEBUG, "photon")
    with serve(endless, settings=settings(write_s=0.2), on_answer=notes) as server:
        with Client(server, receive_buffer=4096) as client:
            client.get("/endless")
            wait_until(lambda: notes)
            expect_no_leaks(server)
    assert (notes, ends) == ([("/endless", 499)], ["finally"])
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_a_large_response_waits_for_a_slow_client() -> None:
    body = bytes(range(256)) * 20_000
    with serve(lambda request: Response(body)) as server:
        with Client(server, receive_buffer=4096) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            assert client.answer().body == body
            assert client.ask("/").body == body


def test_a_client_that_half_closes_while_it_is_written_to_gets_everything() -> None:
    body = b"x" * 5_000_000
    with serve(lambda request: Response(body)) as server:
        with Client(server, receive_buffer=4096) as client:
            client.get("/")
            wait_until(lambda: server.statistics()["phases"] == {"writing": 1})
            client.end_sending()
            assert client.answer().body == body
            assert client.read_to_end() == b""


# How many...


def test_limits_connections_leaves_more_in_the_kernel_and_takes_them_later() -> None:
    with serve(hello, settings=settings(limits=Limits(connections=2))) as server:
        with Client(server) as first, Client(server) as second, Client(server) as third:
            assert [first.ask("/").status, second.ask("/").status] == [200, 200]
            third.get("/3")
            assert first.ask("/again").status == 200
            assert server.statistics()["accepted"] == 2
            second.close()
            assert third.answer().body == b"hello /3"
            assert len(server.connections) == 2


# What is left...


def test_nothing_is_left_of_good_and_bad_clients() -> None:
    waits = Waits()

    def stream(request: Request) -> Response:
        return Response.stream(iter([b"a", b"b"] * 5))

    def broken(request: Request) -> Response:
        raise SystemExit

    app = by_path(wait=waits, stream=stream, broken=broken, read=read_all)
    tight = settings(idle_s=1, head_s=0.3, body_s=0.3, handler_s=0.3, write_s=0.3)
    sends = [
        request("GET", "/"),
        request("GET", "/stream"),
        request("GET", "/broken"),
        request("GET", "/wait"),
        request("GET", "/wait")[:20],
        request("POST", "/read", body=b"x" * 100),
        request("POST", "/read", "Content-Length: 100"),
        request("POST", "/", "Content-Length: 1000000"),
        b"\x16\x03\x01 nonsense",
        b"",
    ]
    leaves = [Client.close, Client.reset, Client.end_sending, None]
    with serve(app, settings=tight) as server:
        clients = []
        for _ in range(5):
            for data in sends:
                for leave in leaves:
                    client = Client(server)
                    clients.append(client)
                    client.send(data)
                    if leave is not None:
                        leave(client)
        with Client(server) as good:
            assert good.ask("/").status == 200
        for client in clients:
            client.close()
        expect_no_leaks(server)
    expect_no_deadlines(server)


def test_a_connection_says_what_it_does() -> None:
    with Wire(hello, ServerSettings()) as wire:
        assert "<Connection wire:0 idle for" in repr(wire.connection)
        assert wire.connection.peer == "wire:0"
        assert isinstance(Answer(200, {}, b""), tuple)
