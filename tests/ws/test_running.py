"""How a handler ends, what the client gets for it, and what is noted."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.http.server.settings import ServerSettings, Timeouts
from photon.runtime.cancel import fail_after, move_on_after
from photon.runtime.errors import Cancelled, DeadlineExceeded
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.runtime.nursery import nursery
from photon.runtime.sync import Event
from photon.ws.errors import InvalidMessage, PingTimeout, WebSocketClosed
from photon.ws.running import run_websocket
from photon.ws.websocket import WebSocket
from tests.clients import Client, expect_no_leaks, wait_until
from tests.ws.client import Closed, Speaker, opening
from tests.ws.serving import Seen, serving

# What the client gets...


def raising(error: BaseException) -> Callable[[WebSocket], None]:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        raise error

    return handler


NO_TEXT = InvalidMessage(1003, [{"loc": ["body"], "msg": "no text", "type": "type"}])

ENDS = [
    (HTTPError(404, "no such room"), 1008, "no such room"),
    (HTTPError(400), 1008, ""),
    (HTTPError(503, "the database is away"), 1011, "the server failed (request "),
    (NO_TEXT, 1003, "no text"),
    (WebSocketClosed(4000), 1000, ""),
    (ValueError("secret"), 1011, "the server failed (request "),
    (SystemExit(3), 1011, "the server failed (request "),
    (KeyboardInterrupt(), 1011, "the server failed (request "),
    (GeneratorExit(), 1011, "the server failed (request "),
    (ExceptionGroup("two", [WebSocketClosed(1000), ValueError("secret")]), 1011, "the server fail"),
    (ExceptionGroup("one", [WebSocketClosed(1000)]), 1000, ""),
    (ExceptionGroup("one", [NO_TEXT]), 1003, "no text"),
    (ExceptionGroup("two", [ExceptionGroup("x", [NO_TEXT]), WebSocketClosed(1)]), 1003, "no text"),
    (ExceptionGroup("two", [NO_TEXT, ValueError("secret")]), 1011, "the server failed (request "),
    (PingTimeout(2.0), 1011, "the ping was not answered within 2 s"),
    (ExceptionGroup("one", [PingTimeout(2.0)]), 1011, "the ping was not answered within 2 s"),
]


@pytest.mark.parametrize(("error", "code", "says"), ENDS, ids=lambda value: repr(value)[:40])
def test_how_it_ends_decides_the_code(error: BaseException, code: int, says: str) -> None:
    with serving(raising(error)) as server, Speaker(server) as speaker:
        got, reason = speaker.closed()
        assert (got, reason[: len(says)]) == (code, says)
        assert "secret" not in reason


def test_a_failure_is_logged_once_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with serving(raising(ValueError("secret"))) as server, Speaker(server, "/chat") as speaker:
        _, reason = speaker.closed()
    records = [record for record in caplog.records if record.levelno >= logging.ERROR]
    (record,) = records
    assert record.exc_info
    assert "WebSocket /chat failed (request " in record.getMessage()
    assert record.request_id in reason  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "error",
    [
        WebSocketClosed(1006),
        HTTPError(404, "x"),
        InvalidMessage(1007, [{"msg": "x", "loc": []}]),
        ExceptionGroup("one", [NO_TEXT]),
        PingTimeout(2.0),
    ],
)
def test_what_is_not_the_servers_fault_is_not_logged_as_that(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(raising(error)) as server, Speaker(server) as speaker:
        speaker.closed()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_fails_before_it_was_accepted_is_raised_on() -> None:
    seen: list[Any] = []

    def handler(ws: WebSocket) -> None:
        raise ValueError("early")

    def application(request: Request) -> Response:
        with pytest.raises(ValueError, match="early"):
            run_websocket(request, handler)
        seen.append("raised")
        return Response("fine")

    with serve(application) as server, Speaker(server) as speaker:
        assert speaker.handshake.status == 200
    assert seen == ["raised"]


# What middleware, cleanup and logs see...


def test_middleware_gets_a_101_and_what_is_put_off_is_done_after_it() -> None:
    seen: list[Any] = []

    def handler(ws: WebSocket) -> None:
        ws.request.on_done(lambda: seen.append(("done", ws.request.ended_by)))
        ws.send("x")

    def application(request: Request) -> Response:
        response = run_websocket(request, handler)
        seen.append(response.status)
        return response

    notes: list[Any] = []
    with serve(application, on_answer=lambda *note: notes.append(note)) as server:
        with Speaker(server) as speaker:
            assert speaker.receive() == "x"
            assert speaker.closed() == (1000, "")
        expect_no_leaks(server)
    assert seen == [101, ("done", None)]
    ((_, status, seconds),) = notes
    assert status == 101
    assert seconds > 0


@pytest.mark.parametrize(
    ("error", "is_kept"),
    [(ValueError("x"), True), (HTTPError(404), True), (WebSocketClosed(1000), False)],
)
def test_what_is_put_off_knows_how_it_ended(error: BaseException, is_kept: bool) -> None:
    seen: list[Any] = []

    def handler(ws: WebSocket) -> None:
        ws.accept()
        ws.request.on_done(lambda: seen.append(ws.request.ended_by))
        raise error

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.closed()
    assert seen == [error if is_kept else None]


# Nurseries and scopes...


def test_children_that_receive_and_send_end_together() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()

        def receive_all() -> None:
            while True:
                seen.notes.append(ws.receive())

        def tick() -> None:
            while True:
                ws.send("tick")
                sleep(0.001)

        with nursery() as children:
            children.spawn(receive_all)
            children.spawn(tick)

    with serving(seen.watching(handler)) as server, Speaker(server) as speaker:
        speaker.send("x")
        assert speaker.receive() == "tick"
        speaker.say_close(4000)
        speaker.closed()
        wait_until(lambda: seen.error is not None)
    assert seen.notes == ["x"]


def test_a_deadline_around_receive_leaves_it_usable() -> None:
    def handler(ws: WebSocket) -> None:
        ws.accept()
        with move_on_after(0.005):
            ws.receive()
        with pytest.raises(DeadlineExceeded), fail_after(0.005):
            ws.receive()
        ws.send("now")
        ws.send(ws.receive())

    with serving(handler) as server, Speaker(server) as speaker:
        assert speaker.receive() == "now"
        speaker.send("x")
        assert speaker.receive() == "x"
        assert speaker.closed() == (1000, "")


def test_a_scope_around_it_all_is_left_and_the_client_told() -> None:
    seen: list[Any] = []

    def application(request: Request) -> Response:
        with move_on_after(0.02) as scope:
            return run_websocket(request, lambda ws: ws.receive())
        seen.append(scope.cancelled_caught)
        return Response("too late")

    with serve(application) as server:
        with Speaker(server) as speaker:
            code, _ = speaker.closed()
            assert code == 1011
        expect_no_leaks(server)
    assert seen == [True]


# The server stops...


def test_a_server_that_stops_says_1001(caplog: pytest.LogCaptureFixture) -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        seen.notes.extend(ws)
        seen.notes.append((ws.close_code, ws.close_reason))

    with serving(handler) as server, Speaker(server) as speaker:
        wait_until(lambda: server.statistics()["phases"] == {"upgraded": 1})
        stopping = spawn(server.stop)
        assert speaker.closed() == (1001, "the server stops")
        speaker.close()
        stopping.join()
    assert seen.notes == [(1001, "the server stops")]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("policy", ["cancel", "notify", "ignore"])
def test_a_handler_that_does_not_notice_is_cancelled_when_the_server_stops(policy: Any) -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        ws.accept()
        sleep_forever()

    watched = seen.watching(handler)
    with serving(watched, on_disconnect=policy, seconds={"drain_s": 0.1}) as server:
        with Speaker(server) as speaker:
            wait_until(lambda: server.statistics()["phases"] == {"upgraded": 1})
            stopping = spawn(server.stop)
            with pytest.raises(Closed) as caught:
                speaker.receive()
            assert caught.value.code == 1001
            speaker.close()
            stopping.join()
    assert isinstance(seen.error, Cancelled)
    assert seen.error.source == "shutdown"


def test_a_client_that_ignores_1001_is_left_when_its_time_is_over() -> None:
    seen = Seen()
    with serving(seen.watching(lambda ws: ws.receive()), close_timeout_s=0.05) as server:
        with Speaker(server) as speaker:
            speaker.answers_close = False
            wait_until(lambda: server.statistics()["phases"] == {"upgraded": 1})
            stopping = spawn(server.stop)
            stopping.join()
            assert isinstance(seen.error, WebSocketClosed)
            assert seen.error.code == 1001


def test_a_handler_that_accepts_when_the_server_stops_already_refuses_with_503() -> None:
    go = Event()
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        seen.notes.append("asked")
        go.wait()
        ws.accept()

    with serving(seen.watching(handler)) as server, Client(server) as client:
        client.send(opening("/"))
        wait_until(lambda: seen.notes)
        stopping = spawn(server.stop)
        wait_until(lambda: server.is_stopping)
        go.set()
        answer = client.answer()
        assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert client.is_cut()
        stopping.join()
    assert isinstance(seen.error, HTTPError)


def test_a_handler_that_has_returned_is_not_cancelled_when_its_client_ignores_the_end() -> None:
    got: list[int] = []

    def application(request: Request) -> Response:
        response = run_websocket(request, lambda ws: ws.accept())
        got.append(response.status)
        return response

    settings = ServerSettings(timeouts=Timeouts(drain_s=0.05))
    with serve(application, settings=settings) as server, Speaker(server) as speaker:
        speaker.answers_close = False
        with pytest.raises(Closed) as caught:
            speaker.receive()
        assert caught.value.code == 1000
        server.stop()
    assert got == [101]
