"""Who looks at the board sees what is written, what he missed, and nobody waits when he left."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from examples import events
from examples.events import Message, app, board
from photon import serve
from photon.testing import TestClient
from tests.browser import Browser
from tests.clients import wait_until


@pytest.fixture
def client() -> Iterator[TestClient]:
    board.messages.clear()
    with TestClient(app) as client:
        yield client
    assert board.watchers == 0


def write(client: TestClient, *texts: str) -> None:
    for text in texts:
        assert client.post("/messages", json={"text": text}).status == 201


def test_what_is_written_is_seen(client: TestClient) -> None:
    with client.stream("GET", "/events") as stream:
        assert stream.content_type == "text/event-stream"
        seen = stream.iter_events()
        for number, text in enumerate(("hello", "two\nlines"), start=1):
            write(client, text)
            event = next(seen)
            assert (event.id, json.loads(event.data)) == (str(number), {"id": number, "text": text})
        assert board.watchers == 1
    assert board.watchers == 0  # its generator ended when the client left


def test_who_comes_back_gets_what_he_missed(client: TestClient) -> None:
    write(client, "one", "two", "three")
    with client.stream("GET", "/events", headers={"last-event-id": "1"}) as stream:
        seen = stream.iter_events()
        first = next(seen)
        assert (first.id, first.retry) == ("2", 1000)
        assert next(seen).id == "3"


def test_a_last_event_that_is_none_is_refused(client: TestClient) -> None:
    assert client.get("/events", headers={"last-event-id": "x"}).status == 422


def test_a_silent_stream_has_a_heartbeat(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT_S", 0.01)
    with client.stream("GET", "/events") as stream:
        assert ": " in stream.iter_lines()


def test_all_messages_are_downloaded(client: TestClient) -> None:
    write(client, "one", "two")
    download = client.get("/messages.ndjson")
    assert "attachment" in download.headers["content-disposition"]
    assert [json.loads(line) for line in download.text.splitlines()] == [
        {"text": "one", "id": 1},
        {"text": "two", "id": 2},
    ]


def test_no_message_is_empty(client: TestClient) -> None:
    assert client.post("/messages", json={"text": ""}).status == 422


def test_the_page_shows_what_is_written() -> None:
    board.messages[:] = [Message("from before", 1)]
    with serve(app) as server:
        with Browser.launch() as page:
            page.goto(server.url)
            page.wait_for_text("from before")
            page.type("input", "<b>from here</b>")
            page.click("button")
            page.wait_for_text("<b>from here</b>")
            board.add("from elsewhere")
            page.wait_for_text("from elsewhere")
            assert page.errors == []
        wait_until(lambda: board.watchers == 0)
