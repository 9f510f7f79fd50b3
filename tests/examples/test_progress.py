"""A job is started, watched from its beginning or from where one was, and cancelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from examples import progress
from examples.progress import Progress, app, jobs
from photon import Semaphore, serve, spawn
from photon.testing import TestClient
from tests.browser import Browser
from tests.clients import wait_until


class Darkroom:
    """Develops as many photos as it is told to.   Attributes: busy: calls that wait."""

    def __init__(self) -> None:
        self.busy = 0
        self.fails = False
        self._allowed = Semaphore(0)

    def develop(self, name: str) -> str:
        self.busy += 1
        try:
            self._allowed.acquire()
        finally:
            self.busy -= 1
        if self.fails:
            raise OSError(f"{name} cannot be read")
        return name

    def finish(self, photos: int) -> None:
        for _ in range(photos):
            self._allowed.release()


@pytest.fixture
def darkroom(monkeypatch: pytest.MonkeyPatch) -> Iterator[Darkroom]:
    darkroom = Darkroom()
    monkeypatch.setattr(progress, "develop", darkroom.develop)
    jobs.clear()
    yield darkroom
    assert darkroom.busy == 0
    assert all(job.is_over for job in jobs.values())


@pytest.fixture
def client(darkroom: Darkroom) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client
        cancel_all()


def cancel_all() -> None:
    """An application that stops waits for what it spawned."""
    for job in jobs.values():
        job.scope.cancel()


def start(client: TestClient, photos: int = 3) -> str:
    answer = client.post("/jobs", json={"photos": photos})
    assert answer.status == 202
    assert answer.json(Progress).state == "running"
    return answer.headers["location"]


def watch(client: TestClient, job: str, seen: str = "") -> list[tuple[str, str, int]]:
    """All there is to see until the job is over: pairs of id, state and photos done."""
    headers = {"last-event-id": seen} if seen else {}
    with client.stream("GET", f"{job}/events", headers=headers) as stream:
        told = [(event.id, json.loads(event.data)) for event in stream.iter_events()]
    return [(id, now["state"], now["done"]) for id, now in told]


def test_a_job_is_watched_while_it_works(client: TestClient, darkroom: Darkroom) -> None:
    job = start(client, 2)
    with client.stream("GET", f"{job}/events") as stream:
        assert stream.content_type == "text/event-stream"
        seen = stream.iter_events()
        for done in (0, 1, 2):
            now = json.loads(next(seen).data)
            assert (now["state"], now["done"], now["total"]) == ("running", done, 2)
            darkroom.finish(1)
        assert json.loads(next(seen).data)["state"] == "done"
        assert next(seen, None) is None
    assert client.get(job).json(Progress).state == "done"


def test_four_are_developed_at_a_time(client: TestClient, darkroom: Darkroom) -> None:
    start(client, 40)
    wait_until(lambda: darkroom.busy == 4)


def test_who_comes_back_gets_what_he_missed(client: TestClient, darkroom: Darkroom) -> None:
    job = start(client, 3)
    with client.stream("GET", f"{job}/events") as stream:
        darkroom.finish(1)
        *_, last = islice(stream.iter_events(), 2)
    darkroom.finish(2)
    assert watch(client, job, last.id or "") == [
        ("3", "running", 2),
        ("4", "running", 3),
        ("5", "done", 3),
    ]
    assert len(watch(client, job)) == 5  # and who comes for the first time gets all


def test_who_has_seen_all_need_not_come_back(client: TestClient, darkroom: Darkroom) -> None:
    job = start(client, 1)
    darkroom.finish(1)
    last, *_ = watch(client, job)[-1]
    assert client.get(f"{job}/events", headers={"last-event-id": last}).status == 204
    assert client.get(f"{job}/events", headers={"last-event-id": "1000000"}).status == 204
    assert client.get(f"{job}/events", headers={"last-event-id": "-1"}).status == 422


def test_a_job_is_cancelled_where_it_waits(client: TestClient, darkroom: Darkroom) -> None:
    job = start(client, 40)
    wait_until(lambda: darkroom.busy == 4)
    assert client.delete(job).status == 202
    assert watch(client, job)[-1][1:] == ("cancelled", 0)
    assert darkroom.busy == 0
    assert client.delete(job).json(Progress).state == "cancelled"  # again does nothing


def test_a_job_is_cancelled_before_it_begins(client: TestClient, darkroom: Darkroom) -> None:
    job = progress.Job(1, 40)
    job.scope.cancel()
    progress.run(job)
    assert job.now.state == "cancelled"


def test_a_job_that_is_cut_off_says_so(darkroom: Darkroom) -> None:
    job = progress.Job(1, 40)
    handle = spawn(progress.run, job)
    wait_until(lambda: darkroom.busy == 4)
    handle.cancel("the server stops")
    handle.join()
    assert (handle.state, job.now.state) == ("cancelled", "cancelled")


def test_a_job_that_fails_says_why(
    client: TestClient, darkroom: Darkroom, caplog: pytest.LogCaptureFixture
) -> None:
    job = start(client, 40)
    darkroom.finish(2)
    wait_until(lambda: client.get(job).json(Progress).done == 2)
    darkroom.fails = True
    darkroom.finish(1)
    assert watch(client, job)[-1][1:] == ("failed", 2)
    now = client.get(job).json(Progress)
    assert now.said == "IMG_0003 cannot be read"
    assert "run failed, which was spawned at" in caplog.text


def test_watchers_that_leave_leave_nothing_behind(client: TestClient, darkroom: Darkroom) -> None:
    job = start(client, 40)
    for _ in range(3):
        with client.stream("GET", f"{job}/events") as stream:
            next(stream.iter_events())
    (there,) = jobs.values()
    wait_until(lambda: there._changed.statistics()["waiting"] == 0)


def test_there_are_only_so_many_jobs(
    client: TestClient, darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "MOST_RUNNING", 2)
    monkeypatch.setattr(progress, "MOST_KEPT", 3)
    first, second = start(client, 1), start(client, 1)
    refused = client.post("/jobs", json={"photos": 1})
    assert (refused.status, refused.headers["retry-after"]) == (503, "10")
    client.delete(first)
    watch(client, first)
    third = start(client, 1)
    client.delete(second)
    watch(client, second)
    start(client, 1)
    assert [client.get(job).status for job in (first, second, third)] == [404, 200, 200]


@pytest.mark.parametrize("body", [{"photos": 0}, {"photos": 501}, {"pictures": 3}, []])
def test_a_job_that_cannot_be_is_refused(client: TestClient, body: Any) -> None:
    assert client.post("/jobs", json=body).status == 422


@pytest.mark.parametrize("path", ["/jobs/77", "/jobs/77/events"])
def test_there_is_no_such_job(client: TestClient, path: str) -> None:
    assert client.get(path).status == 404


# In a browser...


def shows(page: Browser, state: str, text: str) -> None:
    page.wait_for(f"document.querySelector('#state').textContent === {state!r}")
    page.wait_for(f"document.querySelector('#percent').textContent === {text!r}")


def test_the_bar_moves_and_the_button_cancels(darkroom: Darkroom) -> None:
    with serve(app) as server, Browser.launch() as page:
        page.goto(server.url)
        page.type("#photos", "8")
        page.click("form button")
        shows(page, "running", "0 of 8")
        darkroom.finish(6)
        shows(page, "running", "6 of 8")
        assert page.evaluate("document.querySelector('progress').value") == 0.75

        page.evaluate("location.reload()")  # it is the same job still
        shows(page, "running", "6 of 8")
        page.click("#cancel")
        shows(page, "cancelled", "6 of 8")
        assert darkroom.busy == 0
        page.wait_for("document.querySelector('#cancel').disabled")

        page.click("form button")
        darkroom.finish(40)
        shows(page, "done", "40 of 40")
        assert page.errors == []


def test_a_page_that_lost_its_connection_comes_back(darkroom: Darkroom) -> None:
    with serve(app) as server, Browser.launch() as page:
        page.goto(server.url)
        page.click("form button")
        darkroom.finish(5)
        shows(page, "running", "5 of 40")
        for connection in list(server.connections):
            connection.close()
        page.wait_for_text("Away, coming back…")
        darkroom.finish(5)
        shows(page, "running", "10 of 40")
        page.goto("about:blank")
        (job,) = jobs.values()
        wait_until(lambda: job._changed.statistics()["waiting"] == 0)
        cancel_all()
