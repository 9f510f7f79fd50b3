"""Hours and days pass at once, since the clock is moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from logging import CRITICAL, INFO

import pytest

from examples import clockwork
from examples.clockwork import Due, app, reminders
from photon.testing import TestClient
from photon.testing.clock import Clock

WINTER = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with Clock(wall=WINTER.timestamp()) as clock:
        yield clock


@pytest.fixture
def client(clock: Clock) -> Iterator[TestClient]:
    with TestClient(app) as client:  # within the clock: its schedule begins with it
        yield client
    reminders.clear()


def set_reminder(client: TestClient, seconds: float, text: str = "tea") -> str:
    made = client.post("/reminders", json={"text": text, "seconds": seconds})
    assert (made.status, made.json()["state"]) == (201, "pending")
    return f"/reminders/{made.json()['id']}"


def schedule(client: TestClient) -> dict[str, Due]:
    return {due.name: due for due in client.get("/schedule").json(list[Due])}


def rung(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [text for text in caplog.messages if text.startswith("ding!")]


def test_a_reminder_rings_when_it_is_due(
    client: TestClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    set_reminder(client, 3600)
    clock.advance("59m 59s")
    assert rung(caplog) == []
    assert client.get("/reminders").json()[0]["due_in_s"] == pytest.approx(1)
    clock.advance("1s")
    assert rung(caplog) == ["ding! tea"]
    assert client.get("/reminders").json()[0]["state"] == "done"
    clock.advance("11m")
    assert client.get("/reminders").json() == []  # swept away


def test_a_reminder_is_cancelled(
    client: TestClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    path = set_reminder(client, 60)
    assert client.delete(path).status == 204
    clock.advance("1h")
    assert rung(caplog) == []
    assert client.delete(path).status == 404


def test_it_is_announced_after_the_response(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(INFO, "clockwork"):
        set_reminder(client, 60)
    said = [text for text in caplog.messages if "remind" in text]
    assert said[0].endswith("is due in 60 s")
    assert said[1] == "somebody wants to be reminded: tea"


@pytest.mark.parametrize("seconds", [-1, 1e9, "soon", None])
def test_what_is_no_time_is_refused(seconds: object, client: TestClient) -> None:
    refused = client.post("/reminders", json={"text": "tea", "seconds": seconds})
    assert refused.status == 422
    assert not reminders


def test_there_are_only_so_many(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clockwork, "MOST", 1)
    set_reminder(client, 60)
    assert client.post("/reminders", json={"text": "tea", "seconds": 1}).status == 503


# The schedule...


def test_it_says_what_is_due(client: TestClient, clock: Clock) -> None:
    due = schedule(client)
    assert due.keys() == {"examples.clockwork.sweep", "back-up"}
    sweep = due["examples.clockwork.sweep"]
    assert sweep.next is not None
    assert timedelta(minutes=10) <= sweep.next - WINTER <= timedelta(minutes=10, seconds=30)
    assert sweep.schedule == "every 10m + up to 30s"
    assert due["back-up"].next == datetime(2026, 1, 16, 1, 30, tzinfo=UTC)
    clock.advance("1h")
    assert schedule(client)["examples.clockwork.sweep"].last == "done"


@pytest.mark.parametrize(
    ("evening", "due"),
    [
        # An ordinary night: 02:30 in Berlin is 01:30, in summer 00:30.
        (datetime(2026, 3, 27, 20), [datetime(2026, 3, 28, 1, 30)]),
        # There is no 02:30: it runs when the clocks have gone forward, at 03:00.
        (datetime(2026, 3, 28, 20), [datetime(2026, 3, 29, 1, 0)]),
        # There are two: it runs at the first.
        (datetime(2026, 10, 24, 20), [datetime(2026, 10, 25, 0, 30)]),
    ],
)
def test_the_backup_runs_once_each_night(evening: datetime, due: list[datetime]) -> None:
    task = app.scheduler.tasks["back-up"]
    with Clock(wall=evening.replace(tzinfo=UTC).timestamp()) as clock, TestClient(app):
        before = len(task.history)
        clock.advance("12h")
        runs = list(task.history)[before:]
    assert [datetime.fromtimestamp(run.due or 0, UTC) for run in runs] == [
        moment.replace(tzinfo=UTC) for moment in due
    ]
    assert {run.outcome for run in runs} == {"done"}


def test_a_backup_that_fails_is_tried_again_and_told_of(
    client: TestClient,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails() -> None:
        raise OSError("no space left")

    task = app.scheduler.tasks["back-up"]
    monkeypatch.setattr(task.task, "fn", fails)
    assert client.post("/schedule/back-up").status == 202
    assert schedule(client)["back-up"].running == 1  # it waits to try again
    clock.advance("1h")
    assert schedule(client)["back-up"].last == "failed"
    [told] = [record for record in caplog.records if record.levelno == CRITICAL]
    assert told.getMessage() == "no backup tonight after 4 attempts: no space left"


def test_what_is_not_there_does_not_run(client: TestClient) -> None:
    assert client.post("/schedule/no-such-task").status == 404
