"""What a request puts off until its response was written, and a time of its own."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from tests.clients import Client, expect_no_leaks, request, settings, wait_until


def test_it_runs_after_the_response_was_written_the_last_first() -> None:
    told: list[str] = []
    may_go_on = False

    def app(request: Request) -> Response:
        request.on_done(lambda: told.append("first"))
        request.on_done(lambda: wait_until(lambda: may_go_on))
        request.on_done(lambda: told.append("last"))
        return Response.text("answered")

    with serve(app) as server, Client(server) as client:
        assert client.ask("/").body == b"answered"
        wait_until(lambda: told)
        assert told == ["last"]
        may_go_on = True
        # The next request of the connection waits until it is done.
        assert client.ask("/").status == 200
        assert told[:2] == ["last", "first"]


def test_it_runs_after_a_body_was_read_and_after_a_stream() -> None:
    told: list[bytes] = []

    def app(request: Request) -> Response:
        body = request.body()
        request.on_done(lambda: told.append(body))
        return Response.stream(iter([b"a", b"b"]))

    with serve(app) as server, Client(server) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi")
        assert client.answer().body == b"ab"
        wait_until(lambda: told == [b"hi"])


def test_what_fails_is_logged_and_the_others_run(caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []

    def app(request: Request) -> Response:
        request.on_done(lambda: told.append("ran"))
        request.on_done(lambda: 1 // 0)
        raise SystemExit("the handler failed, too")

    caplog.set_level(logging.ERROR, "photon.http")
    with serve(app) as server, Client(server) as client:
        assert client.ask("/").status == 500
        wait_until(lambda: told)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [
        SystemExit,
        ZeroDivisionError,
    ]


def test_a_client_that_leaves_does_not_interrupt_it() -> None:
    told: list[str] = []
    may_go_on = False

    def finish() -> None:
        told.append("begun")
        wait_until(lambda: may_go_on)
        told.append("done")

    def app(request: Request) -> Response:
        request.on_done(finish)
        return Response.text("answered")

    with serve(app) as server:
        with Client(server) as client:
            client.ask("/")
            wait_until(lambda: told)
        sleep(0.05)
        may_go_on = True
        wait_until(lambda: told == ["begun", "done"])
        expect_no_leaks(server)


def test_it_runs_for_a_client_that_left_before_the_response() -> None:
    told: list[str] = []

    def app(request: Request) -> Response:
        request.on_done(lambda: told.append("done"))
        told.append("waiting")
        sleep_forever()
        raise AssertionError

    with serve(app) as server:
        with Client(server) as client:
            client.get("/")
            wait_until(lambda: told)
        wait_until(lambda: told == ["waiting", "done"])
        expect_no_leaks(server)


def test_a_server_that_stops_waits_for_it() -> None:
    told: list[str] = []

    def finish() -> None:
        told.append("begun")
        sleep(0.05)
        told.append("done")

    def app(request: Request) -> Response:
        request.on_done(finish)
        return Response.text("answered")

    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/", "Connection: close"))
        assert client.answer().status == 200
        wait_until(lambda: told)
    assert told == ["begun", "done"]


@pytest.mark.parametrize("seconds", [{"drain_s": 0.05}, {"handler_s": 0.05}])
def test_its_time_is_bounded(seconds: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "photon.http")
    told: list[object] = []

    def finish() -> None:
        told.append("begun")
        try:
            sleep_forever()
        except Cancelled as error:
            told.append(error.source)
            raise

    def app(request: Request) -> Response:
        request.on_done(finish)
        return Response.text("answered")

    with serve(app, settings=settings(**seconds)) as server, Client(server) as client:
        assert client.ask("/").status == 200
        wait_until(lambda: told)
        stopping = spawn(server.stop) if "drain_s" in seconds else None
        wait_until(lambda: len(told) == 2)
        assert told[1] == ("shutdown" if stopping else "deadline")


@pytest.mark.parametrize("seconds", [{"drain_s": 0.05}, {"handler_s": 0.2}])
def test_its_time_is_bounded_when_the_client_left(
    seconds: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    def finish() -> None:
        told.append("begun")
        sleep_forever()

    def app(request: Request) -> Response:
        request.on_done(lambda: told.append("the other one"))
        request.on_done(finish)
        told.append("waits")
        sleep_forever()
        return Response.text("never")

    with serve(app, settings=settings(**seconds)) as server:
        with Client(server) as client:
            client.send(request("GET", "/"))
            wait_until(lambda: told)
        wait_until(lambda: "begun" in told)
        if "drain_s" in seconds:
            server.stop()
        wait_until(lambda: "the other one" in told)
        wait_until(lambda: server.finishing == 0)
    assert "cut off: what a request put off" in caplog.text


def test_a_request_may_have_a_time_of_its_own() -> None:
    def app(request: Request) -> Response:
        if request.path == "/short":
            request.allow(0.05)
            sleep_forever()
        if request.path == "/long":
            request.allow(5)
            sleep(0.4)
        else:
            sleep_forever()
        return Response.text("answered")

    with serve(app, settings=settings(handler_s=0.1)) as server, Client(server) as client:
        answer = client.ask("/short")
        assert (answer.status, b"within 0.05 s" in answer.body) == (504, True)
        assert client.ask("/long").status == 200
        # The next request of the connection has the usual time again.
        answer = client.ask("/")
        assert (answer.status, b"within 0.1 s" in answer.body) == (504, True)
