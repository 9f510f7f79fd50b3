"""What requests put off until their responses were written."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import pytest

from photon.app.photon import Photon
from photon.binding.markers import Depends
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import Server
from photon.http.server.serving import serve
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import Turn, sleep_forever, spawn
from photon.runtime.nursery import nursery
from photon.runtime.region import Region, opened
from photon.tasks.background import BackgroundTasks, background_tasks
from photon.tasks.errors import TaskError
from tests.clients import Client, wait_until
from tests.http.requests import make_request

Tasks = Annotated[BackgroundTasks, Depends(background_tasks)]

variable = ContextVar("variable", default="nothing")


def fail() -> None:
    raise ValueError("oh")


# By hand...


def test_they_run_in_their_order_and_each_is_isolated(caplog: pytest.LogCaptureFixture) -> None:
    story: list[str] = []
    request = make_request("/orders?x=1", method="POST")
    tasks = BackgroundTasks(request)
    tasks.add(story.append, "one")
    tasks.add(fail)
    tasks.add(exit, 3)
    tasks.add(story.append, "two")
    assert (len(tasks), [job.name for job in tasks.jobs][1]) == (4, f"{__name__}.fail")
    tasks.run()
    assert (story, len(tasks)) == (["one", "two"], 0)
    failed, exited = caplog.records
    assert "failed: ValueError: oh" in failed.getMessage()
    assert "failed: SystemExit: 3" in exited.getMessage()
    for record in caplog.records:
        fields = vars(record)
        assert (fields["request_id"], fields["path"]) == (request.id, "/orders")
        assert "test_background.py:" in str(fields["added_at"])


def test_many_that_never_wait_let_others_in_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turn, "LONGEST_S", -1.0)
    story: list[str] = []
    tasks = BackgroundTasks()
    for number in range(3):
        tasks.add(story.append, f"task {number}")
    with nursery() as n:
        n.spawn(tasks.run)
        n.spawn(story.append, "another")
    assert story == ["another", "task 0", "task 1", "task 2"]
    assert len(tasks) == 0


def test_each_sees_the_context_in_which_it_was_added() -> None:
    seen: list[str] = []

    def look() -> None:
        seen.append(variable.get())
        variable.set("of another task")

    tasks = BackgroundTasks()
    variable.set("of the handler")
    tasks.add(look)
    tasks.add(look)
    variable.set("nothing")
    tasks.run()
    assert seen == ["of the handler"] * 2
    assert variable.get() == "nothing"


def test_options_are_of_those_that_are_added_with_them(caplog: pytest.LogCaptureFixture) -> None:
    told: list[object] = []
    attempts: list[int] = []

    def flaky() -> None:
        attempts.append(1)
        fail()

    tasks = BackgroundTasks()
    careful = tasks.with_options(
        timeout=0.001, retries=1, backoff=0, on_failure=lambda job, error: told.append(job.state)
    )
    careful.add(flaky)
    careful.add(sleep_forever)
    tasks.add(fail)
    tasks.run()
    assert (len(attempts), told) == (2, ["failed", "timed out"])


def test_what_a_task_adds_runs_after_the_others() -> None:
    story: list[str] = []
    tasks = BackgroundTasks()
    tasks.add(lambda: tasks.add(story.append, "last"))
    tasks.add(story.append, "first")
    tasks.run()
    assert story == ["first", "last"]
    with pytest.raises(RuntimeError, match=r"comes too late.*spawn"):
        tasks.add(story.append, "never")


def test_what_is_no_function_is_told_at_once() -> None:
    tasks = BackgroundTasks()
    with pytest.raises(TaskError, match="do not call it"):
        tasks.add(fail.__name__ and None)  # type: ignore[arg-type]

    async def waits() -> None: ...

    with pytest.raises(TaskError, match="is async"):
        tasks.add(waits)


def test_the_rest_is_named_when_one_is_cancelled(caplog: pytest.LogCaptureFixture) -> None:
    tasks = BackgroundTasks(make_request())
    tasks.add(sleep_forever)
    tasks.add(fail)
    with opened(Region("the shop"), drain_s=0.0):
        tasks.start()
        wait_until(lambda: len(tasks) == 1)
    told = [record.getMessage() for record in caplog.records]
    assert any(f"1 background tasks never ran: {__name__}.fail" in each for each in told)
    assert len(tasks) == 0


def test_a_region_that_takes_no_more_has_them_run_at_once() -> None:
    ran: list[int] = []

    def within() -> None:
        tasks = BackgroundTasks()
        tasks.add(ran.append, 1)
        tasks.start()
        ran.append(2)

    with opened(Region("the shop", limit=1), drain_s=1.0):
        spawn(within).join()
    assert ran == [1, 2]


def test_who_waits_for_room_and_is_cancelled_tells_what_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tasks = BackgroundTasks()
    tasks.add(fail)
    outer = Region("another")
    with opened(Region("the shop", limit=1), drain_s=0.0):
        spawn(sleep_forever)
        waiting = outer.spawn(tasks.start)
        wait_until(lambda: waiting.state == "running")
        waiting.cancel()
        waiting.join()
    assert waiting.state == "cancelled"
    assert "never ran" in caplog.records[0].getMessage()


def test_what_they_say_of_themselves() -> None:
    tasks = BackgroundTasks()
    assert tasks
    assert repr(tasks) == "<BackgroundTasks []>"
    tasks.add(fail)
    assert repr(tasks) == f"<BackgroundTasks [{__name__}.fail]>"
    assert "<Adding to <BackgroundTasks" in repr(tasks.with_options())
    tasks.request_failed(ValueError())
    tasks.run()
    assert repr(tasks) == "<BackgroundTasks over>"


# Behind a server...


@contextmanager
def serving(application: Callable[[Request], Response]) -> Iterator[tuple[Server, Client]]:
    with (
        opened(Region("the shop"), drain_s=1.0),
        serve(application, port=0) as server,
        Client(server) as client,
    ):
        yield server, client


def test_the_connection_goes_on_while_they_run() -> None:
    story: list[str] = []
    app = Photon()

    def slow() -> None:
        story.append("begun")
        wait_until(lambda: "asked again" in story)
        story.append("done")

    @app.get("/")
    def index(tasks: Tasks) -> str:
        tasks.add(slow)
        return "put off"

    @app.get("/again")
    def again() -> str:
        story.append("asked again")
        return "again"

    with serving(app) as (_, client):
        assert client.ask("/").body == b"put off"
        wait_until(lambda: story)
        assert client.ask("/again").body == b"again"
        wait_until(lambda: "done" in story)
    assert story == ["begun", "asked again", "done"]


def test_they_begin_when_all_providers_were_left() -> None:
    story: list[str] = []
    app = Photon()

    def connection() -> Iterator[int]:
        yield 1
        wait_until(lambda: True)  # what is spawned would run here
        story.append("committed")

    @app.get("/")
    def index(first: Annotated[int, Depends(connection)], tasks: Tasks, request: Request) -> str:
        tasks.add(story.append, "task")
        return ""

    with serving(app) as (_, client):
        client.ask("/")
        wait_until(lambda: "task" in story)
    assert story == ["committed", "task"]


def a_provider_that_fails() -> Iterator[int]:
    yield 1
    raise ValueError("the commit failed")


def make_app(story: list[str]) -> Photon:
    app = Photon()

    def put_off(tasks: BackgroundTasks) -> None:
        tasks.add(story.append, "task")
        tasks.with_options(always=True).add(story.append, "always")

    @app.get("/returns")
    def returns(tasks: Tasks) -> Any:
        put_off(tasks)
        return Response(b"", 500)

    @app.get("/refuses")
    def refuses(tasks: Tasks) -> None:
        put_off(tasks)
        raise HTTPError(404)

    @app.get("/fails")
    def fails(tasks: Tasks) -> None:
        put_off(tasks)
        fail()

    @app.get("/commit")
    def commit(tasks: Tasks, other: Annotated[int, Depends(a_provider_that_fails)]) -> str:
        put_off(tasks)
        return ""

    @app.get("/commit-first")
    def commit_first(other: Annotated[int, Depends(a_provider_that_fails)], tasks: Tasks) -> str:
        put_off(tasks)
        return ""

    @app.get("/stream")
    def stream(tasks: Tasks) -> Iterator[str]:
        put_off(tasks)
        yield "one"
        fail()

    return app


@pytest.mark.parametrize(
    ("path", "ran"),
    [
        ("/returns", ["task", "always"]),
        ("/refuses", ["always"]),
        ("/fails", ["always"]),
        ("/commit", ["always"]),
        ("/commit-first", ["always"]),
        ("/stream", ["always"]),
    ],
)
def test_they_run_only_if_all_went_well_but_some_run_always(path: str, ran: list[str]) -> None:
    story: list[str] = []
    with serving(make_app(story)) as (_, client):
        client.get(path)
        wait_until(lambda: "always" in story)
    assert story == ran


def test_an_application_that_stops_waits_for_them() -> None:
    story: list[str] = []

    def application(request: Request) -> Response:
        tasks = BackgroundTasks(request)
        tasks.add(wait_until, lambda: "stopping" in story)
        tasks.add(story.append, "done")
        request.on_done(tasks.start)
        return Response.text("fine")

    with opened(Region("the shop"), drain_s=3.0):
        with serve(application, port=0) as server, Client(server) as client:
            client.ask("/")
        story.append("stopping")
    assert story == ["stopping", "done"]


def test_a_task_of_a_request_does_not_hold_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tasks = BackgroundTasks(make_request())
    tasks.add(fail)
    tasks.request_failed(Cancelled("deadline"))
    tasks.start()
    assert tasks._request is None
    assert "1 background tasks do not run, as their request failed: Cancelled" in (
        caplog.records[0].getMessage()
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("add_task", "a BackgroundTasks has no 'add_task': here it is add"),
        ("ad", "did you mean add?"),
    ],
)
def test_what_others_call_it_is_told(name: str, says: str) -> None:
    with pytest.raises(AttributeError, match=re.escape(says)):
        getattr(BackgroundTasks(), name)
