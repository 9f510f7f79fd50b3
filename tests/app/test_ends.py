"""Requests end when they should: by their deadline, or when nobody waits for them any more."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from photon import (
    CircuitBreaker,
    HTTPError,
    Photon,
    Request,
    nursery,
    serve,
    shield,
    sleep,
    spawn,
    time_left,
)
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep_forever
from tests.clients import Client, expect_no_leaks, request, wait_until


def ask(app: Photon, path: str) -> int:
    with serve(app) as server, Client(server) as client:
        client.send(request("GET", path))
        status = client.answer().status
        wait_until(lambda: server.carriers.busy == 0)
        return status


def leave(app: Photon, path: str, reached: Callable[[], object]) -> None:
    """Ask, and go away when the handler has come so far."""
    with serve(app) as server:
        with Client(server) as client:
            client.send(request("GET", path))
            wait_until(reached)
        expect_no_leaks(server)


# Deadlines...


def test_the_log_says_where_a_handler_was_stopped_and_for_how_long_it_stood_there(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon()
    cleaned: list[str] = []

    @app.get("/slow", timeout=0.2)
    def slow() -> None:
        try:
            sleep(60)
        finally:
            sleep(0.001)  # cleanup may wait
            cleaned.append("up")

    assert ask(app, "/slow") == 504
    assert cleaned == ["up"]
    (record,) = [r for r in caplog.records if r.levelno == logging.WARNING]
    message = record.getMessage()
    assert "no response within 0.2 s, at tests/app/test_ends.py:" in message
    assert " in slow, for at least 0." in message


@pytest.mark.parametrize("at", ["application", "group", "route"])
def test_a_time_of_its_own_may_be_said_of_an_application_a_group_or_a_route(at: str) -> None:
    from photon import Group

    app = Photon(timeout=0.05) if at == "application" else Photon()
    group = Group("/g", timeout=0.05) if at == "group" else Group("/g")
    route = {"timeout": 0.05} if at == "route" else {}
    group.get("/slow", **route)(sleep_forever)  # type: ignore[arg-type]
    app.include(group)
    assert ask(app, "/g/slow") == 504


def test_the_time_that_is_left_can_be_read_also_by_children() -> None:
    app = Photon()
    left: list[Any] = []

    @app.get("/slow", timeout=30)
    def slow() -> str:
        left.append(time_left())
        sleep(0.02)
        left.append(time_left())
        with nursery() as n:
            n.spawn(lambda: left.append(time_left()))
        spawn(lambda: left.append(time_left())).join()
        return "done"

    assert ask(app, "/slow") == 200
    first, second, child, spawned = left
    assert 29 < child <= second <= 30
    assert 29 < first <= 30
    assert spawned is None


def test_children_of_a_request_end_with_it() -> None:
    app = Photon()
    ended: list[str] = []

    def child() -> None:
        try:
            sleep_forever()
        finally:
            ended.append("child")

    @app.get("/slow", timeout=0.05)
    def slow() -> None:
        with nursery() as n:
            n.spawn(child)
            n.spawn(child)

    assert ask(app, "/slow") == 504
    assert ended == ["child", "child"]


def test_a_shield_puts_the_deadline_off() -> None:
    app = Photon()
    story: list[object] = []

    @app.get("/slow", timeout=0.05)
    def slow() -> None:
        try:
            with shield(5):
                sleep(0.15)
                story.append("finished")
        except Cancelled:
            story.append("told")
            raise

    assert ask(app, "/slow") == 504
    assert story == ["finished", "told"]


# A client that leaves...


def test_a_client_that_leaves_cancels_its_handler(caplog: pytest.LogCaptureFixture) -> None:
    app = Photon()
    story: list[object] = []
    caplog.set_level(logging.INFO)

    @app.get("/slow")
    def slow() -> None:
        story.append("began")
        try:
            sleep_forever()
        except Cancelled as error:
            story.append(error.source)
            raise

    leave(app, "/slow", lambda: story)
    assert story == ["began", "disconnect"]
    assert any(
        "the client went away; the handler was at tests" in r.getMessage() for r in caplog.records
    )


def test_a_handler_may_go_on_without_its_client() -> None:
    app = Photon()
    story: list[object] = []
    goes_on: list[bool] = []

    @app.get("/slow", on_disconnect="ignore")
    def slow() -> str:
        story.append("began")
        while not goes_on:
            sleep(0.001)
        story.append("ended")
        return "nobody reads this"

    with serve(app) as server:
        with Client(server) as client:
            client.send(request("GET", "/slow"))
            wait_until(lambda: story)
        sleep(0.05)
        goes_on.append(True)
        wait_until(lambda: len(story) == 2)
        expect_no_leaks(server)


def test_a_handler_may_be_told_that_its_client_left() -> None:
    app = Photon()
    story: list[object] = []

    @app.get("/slow")
    def slow(request: Request) -> str:
        request.on_disconnect(lambda: story.append("told"))
        story.append(request.client_has_left)
        while "told" not in story:
            sleep(0.001)
        story.append(request.client_has_left)
        return "nobody reads this"

    leave(app, "/slow", lambda: story)
    assert story == [False, "told", True]


# What nurseries let through...


def test_an_error_for_the_client_comes_through_a_nursery() -> None:
    app = Photon()

    def find() -> None:
        raise HTTPError(404, "no such item")

    @app.get("/item")
    def item() -> None:
        with nursery() as n:
            n.spawn(find)
            n.spawn(sleep_forever)

    @app.get("/own")
    def own() -> None:
        with nursery():
            raise LookupError("mine")

    @app.exception_handler(LookupError)
    def answer(request: Request, error: LookupError) -> tuple[str, int]:
        return str(error), 410

    assert ask(app, "/item") == 404
    assert ask(app, "/own") == 410


def test_a_group_of_failures_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    app = Photon()

    def fail(kind: type[Exception]) -> None:
        try:
            sleep_forever()
        finally:
            raise kind("oh")

    @app.get("/")
    def item() -> None:
        with nursery() as n:
            n.spawn(fail, ValueError)
            n.spawn(fail, KeyError)
            sleep(0.001)
            n.cancel()

    assert ask(app, "/") == 500
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "ExceptionGroup" in record.getMessage()


def test_an_open_breaker_is_503_with_a_time_to_come_back(caplog: pytest.LogCaptureFixture) -> None:
    app = Photon()
    breaker = CircuitBreaker("payments", failures=1, share=0, reset_s=30)

    @app.get("/")
    def pay() -> None:
        with breaker:
            raise ConnectionError("gone")

    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/"))
        assert client.answer().status == 500
        client.send(request("GET", "/"))
        answer = client.answer()
    assert answer.status == 503
    assert b"payments" not in answer.body
    assert any("payments" in r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)


# What outlives a request...


def test_what_was_spawned_goes_on_without_its_request_and_is_waited_for_at_the_stop() -> None:
    app = Photon()
    story: list[object] = []

    def later() -> None:
        sleep(0.1)
        story.append("later")

    @app.get("/")
    def now() -> str:
        spawn(later)
        return "now"

    assert ask_without_wait(app) == 200
    assert story == ["later"]


def ask_without_wait(app: Photon) -> int:
    with serve(app) as server, Client(server) as client:
        client.send(request("GET", "/"))
        return client.answer().status


def test_what_is_spawned_and_never_ends_is_cut_off_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    from photon import TaskSettings

    app = Photon(title="Shop", task_settings=TaskSettings(drain_s=0.05))
    story: list[str] = []

    def for_ever() -> None:
        try:
            sleep_forever()
        finally:
            story.append("cut off")

    @app.get("/")
    def now() -> str:
        spawn(for_ever)
        return "now"

    assert ask_without_wait(app) == 200
    assert story == ["cut off"]
    (message,) = [r.getMessage() for r in caplog.records if "cut off" in r.getMessage()]
    assert "the application 'Shop' stops: 1 spawned functions" in message
    assert "for_ever at tests/app/test_ends.py:" in message


def test_a_spawned_function_that_fails_is_logged_once_with_its_spawner(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon()

    def fail() -> None:
        raise ValueError("oh")

    @app.get("/")
    def now() -> str:
        spawn(fail)
        return "now"

    assert ask_without_wait(app) == 200
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "fail failed, which was spawned at" in record.getMessage()
    assert "test_ends.py" in record.getMessage()
    assert "in now" in record.getMessage()


def test_a_queue_that_is_away_is_503() -> None:
    from photon import QueueFull, QueueUnavailable

    app = Photon()

    @app.get("/away")
    def away() -> None:
        raise QueueUnavailable("redis://localhost", "refused")

    @app.get("/full")
    def full() -> None:
        raise QueueFull("100 jobs wait")

    assert ask(app, "/away") == 503
    assert ask(app, "/full") == 503
