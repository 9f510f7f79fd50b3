"""Requests are measured while somebody looks, and only then."""

from __future__ import annotations

import pytest

from photon import HTTPError, Photon, serve
from photon.http.server.exchange import answer
from photon.http.server.recorder import Recorder
from photon.http.server.server import Server
from photon.runtime.sync import Event
from tests.clients import Client, request, wait_until


def shop() -> Photon:
    app = Photon()

    @app.get("/items/{id}")
    def item(id: str) -> str:
        if id == "none":
            raise HTTPError(404)
        if id == "broken":
            raise ValueError("broken")
        return id

    return app


def test_requests_are_told_by_route() -> None:
    with serve(shop()) as server, Client(server) as client:
        recorder = Recorder(server)
        assert recorder.watch(60)["routes"] == {}
        for path in ("/items/1", "/items/2", "/items/none", "/items/broken", "/nowhere"):
            client.ask(path)
        told = recorder.watch(60)
        items = told["routes"]["GET /items/{id}"]
        assert items["requests"] == 4
        assert items["errors_4xx"] == 1
        assert items["errors_5xx"] == 1
        assert items["gone"] == 0
        assert 0 < items["p50_ms"] <= items["p90_ms"] <= items["p99_ms"] <= items["max_ms"]
        assert items["per_second"] > 0
        assert sum(items["histogram"]["counts"].values()) == 4
        assert told["routes"]["(no route)"]["requests"] == 1
        recorder.end()


def test_nothing_is_left_when_nobody_looks_on() -> None:
    with serve(shop()) as server, Client(server) as client:
        recorder = Recorder(server)
        assert server.answer is answer
        recorder.watch(0.01)
        assert server.answer is not answer
        recorder.watch(0.02)
        client.ask("/items/1")
        wait_until(lambda: not recorder.is_on)
        assert server.answer is answer
        assert recorder.measured() == {"is_on": False, "seconds": 0.0, "routes": {}}
        recorder.watch(60)
        assert recorder.is_on
        assert recorder.measured()["routes"] == {}
        recorder.end()
        assert server.answer is answer


@pytest.mark.parametrize("ends", ["before", "while"])
def test_a_server_that_stops_is_left_as_it_wants(ends: str) -> None:
    event = Event()
    app = shop()

    @app.get("/slow")
    def slow() -> str:
        event.wait()
        return "done"

    with serve(app) as server, Client(server) as client:
        recorder = Recorder(server)
        recorder.watch(60)
        client.get("/slow")
        wait_until(lambda: any(each.has_waited for each in server.connections))
        server.hub.run_soon(_end_while_stopping, server, recorder, event, ends)
        server.stop()
        reply = client.answer()
    assert reply.status == 200
    assert not recorder.is_on
    assert server.answer_before_stop is answer


def _end_while_stopping(server: Server, recorder: Recorder, event: Event, ends: str) -> None:
    if ends == "while" and not server.is_stopping:
        server.hub.run_soon(_end_while_stopping, server, recorder, event, ends)
        return
    recorder.end()
    event.set()


def test_a_client_that_leaves_is_gone_and_no_error() -> None:
    event = Event()
    app = shop()

    @app.get("/slow")
    def slow() -> str:
        event.wait()
        return "done"

    with serve(app) as server:
        recorder = Recorder(server)
        recorder.watch(60)
        with Client(server) as client:
            client.send(request("GET", "/slow"))
            wait_until(lambda: any(each.has_waited for each in server.connections))
        wait_until(lambda: recorder.measured()["routes"])
        told = recorder.measured()["routes"]["GET /slow"]
        assert told["gone"] == 1
        assert told["errors_4xx"] == 0
        recorder.end()


def test_old_requests_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("photon.http.server.recorder.WINDOW_S", 0.0)
    monkeypatch.setattr("photon.http.server.recorder._SLICE_S", 0.01)
    with serve(shop()) as server, Client(server) as client:
        recorder = Recorder(server)
        recorder.watch(60)
        client.ask("/items/1")
        wait_until(lambda: not recorder.measured()["routes"])
        recorder.end()
