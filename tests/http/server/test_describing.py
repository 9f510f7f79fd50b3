"""A dump of a live server: handlers that wait in every way, and what is told of them."""

from __future__ import annotations

import gc
import queue
import socket
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from gevent import monkey

from photon import BackgroundTasks, Photon, Request, serve, spawn_after
from photon.http.server.server import Server
from photon.runtime.channel import open_channel
from photon.runtime.concurrent import map_concurrent
from photon.runtime.debug.blocked import telling_blocked
from photon.runtime.debug.dump import dump
from photon.runtime.debug.pulse import TICK_S
from photon.runtime.debug.render import render
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.runtime.nursery import nursery
from photon.runtime.offload import offload
from photon.runtime.permits import CapacityLimiter, Semaphore
from photon.runtime.select import select
from photon.runtime.sync import Event, Lock
from photon.ws.websocket import WebSocket
from tests.clients import Client, request, wait_until

block = monkey.get_original("time", "sleep")


class Waits:
    """What the handlers wait for; `end` lets all of them go."""

    def __init__(self) -> None:
        self.event = Event()
        self.ended = threading.Event()
        self.lock = Lock()
        self.semaphore = Semaphore(0)
        self.limiter = CapacityLimiter(1)
        self.sender, self.receiver = open_channel[int](0)
        self.queue: queue.Queue[int] = queue.Queue()
        self.ours, self.theirs = socket.socketpair()

    def end(self) -> None:
        self.event.set()
        self.ended.set()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def waits() -> Iterator[Waits]:
    made = Waits()
    yield made
    made.end()


def waiting(app: Photon, path: str, waits: Waits) -> dict[str, Any]:
    """What a dump says of the request for `path`, once its handler waits."""
    found: dict[str, Any] = {}
    with serve(app) as server, Client(server) as client:
        client.send(request("GET", path))
        wait_until(lambda: busy(server))
        entries = [each for each in dump(stacks=True)["greenlets"] if each["kind"] == "request"]
        (found,) = entries
        for connection in list(server.connections):
            server.hub.run_soon(connection.cancel, "shutdown", "the test is over")
        waits.event.set()
        client.answer()
    return found


def busy(server: Server) -> bool:
    return any(connection.has_waited for connection in server.connections)


def handlers(waits: Waits) -> dict[str, tuple[Any, str]]:
    def hold() -> None:
        with waits.lock:
            waits.event.wait()

    def in_lock() -> None:
        spawn(hold)
        sleep(0.01)
        with waits.lock:
            pass

    def in_limiter() -> None:
        waits.limiter.acquire_nowait("somebody")
        waits.limiter.acquire()

    def in_nursery() -> None:
        with nursery() as n:
            n.spawn(sleep_forever)

    def in_join() -> None:
        spawn(waits.event.wait).join()

    def in_thread() -> None:
        thread = threading.Thread(target=waits.ended.wait, name="helper")
        thread.start()
        thread.join()

    def in_map() -> None:
        for _ in map_concurrent(lambda item: waits.event.wait(), [1], limit=1):
            pass

    def in_process() -> None:
        process = subprocess.Popen(["sleep", "60", "0"])
        try:
            process.wait()
        finally:
            process.kill()
            process.wait()

    def of_ours(text: str) -> Any:
        return lambda: select(waits.event, waits.receiver, timeout=9) and text

    return {
        "sleep": (lambda: sleep(60), "the end of its sleep of 60 s, "),
        "forever": (sleep_forever, "nothing: it sleeps for ever"),
        "event": (lambda: waits.event.wait(30), "an event to be set, "),
        "lock": (in_lock, "a lock"),
        "semaphore": (waits.semaphore.acquire, "a permit of a semaphore (1 wait)"),
        "limiter": (in_limiter, "a permit of a limiter (1 of 1 are borrowed, 1 wait)"),
        "receive": (waits.receiver.receive, "an item of a channel (1 senders)"),
        "send": (lambda: waits.sender.send(1), "room in a channel"),
        "select": (of_ours(""), "the first of an event to be set, an item of a channel"),
        "join": (in_join, "the end of Event.wait"),
        "nursery": (in_nursery, "its children: sleep_forever"),
        "map": (in_map, "the next result of map_concurrent"),
        "offload": (lambda: offload(block, 0.4), "a native thread that runs sleep"),
        "thread": (in_thread, "the end of the thread helper"),
        "queue": (waits.queue.get, "`wait()`"),
        "socket": (lambda: waits.ours.recv(1), "bytes from its peer"),
        "process": (in_process, "the process "),
    }


def names() -> list[str]:
    made = Waits()
    made.end()
    return sorted(handlers(made))


@pytest.mark.parametrize("name", names())
def test_what_a_handler_waits_for_is_told(name: str, waits: Waits) -> None:
    app = Photon()
    wait, says = handlers(waits)[name]

    @app.get("/items/{id:int}")
    def page(id: int) -> str:
        wait()
        return "done"

    entry = waiting(app, "/items/7?token=secret&page=2", waits)
    assert entry["waits_for"].startswith(says)
    assert entry["name"] == "GET /items/{id:int}"
    assert entry["route"] == "GET /items/{id:int}"
    assert entry["target"] == "/items/7?token=...&page=..."
    assert entry["state"] == "waiting"
    assert entry["phase"] == "handling"
    assert entry["peer"].startswith("127.0.0.1:")
    assert 0 <= entry["age_s"] < 3
    assert 20 < entry["deadline_left_s"] <= 30
    assert "test_describing.py:" in entry["where"]
    assert any("in page" in line for line in entry["stack"])


def test_the_body_of_the_client_and_a_client_that_does_not_read() -> None:
    app = Photon()

    @app.post("/upload")
    def upload(request: Request) -> str:
        return str(len(request.body()))

    @app.get("/endless")
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    with serve(app) as server, Client(server) as client, Client(server) as reader:
        client.send(request("POST", "/upload", "Content-Length: 5"))
        reader.get("/endless")

        def phases() -> set[str]:
            return {each.get("phase", "") for each in dump()["greenlets"]}

        wait_until(lambda: phases() >= {"reading", "writing"})
        told = {each.get("phase"): each for each in dump()["greenlets"]}
        assert told["reading"]["waits_for"].startswith("the next bytes of the body of the client")
        assert "to take the response, " in told["writing"]["waits_for"]
        assert told["writing"]["route"] == "GET /endless"
        client.send(b"12345")
        assert client.answer().body == b"5"
        reader.reset()


def test_children_their_parents_and_where_they_were_spawned() -> None:
    app = Photon()
    event = Event()

    @app.get("/tree")
    def tree() -> str:
        with nursery() as n:
            n.spawn(event.wait)
        return "done"

    with serve(app) as server, Client(server) as client:
        client.get("/tree")

        def child() -> dict[str, Any] | None:
            found = [each for each in dump()["greenlets"] if each["kind"] == "child"]
            return found[0] if found and "parent" in found[0] else None

        wait_until(child)
        entry = child()
        assert entry is not None
        (parent,) = [each for each in dump()["greenlets"] if each["kind"] == "request"]
        assert entry["parent"] == parent["id"]
        assert parent["waits_on"] == [entry["id"]]
        assert "in tree" in entry["spawned_at"][0]
        text = render(dump(), details=9)
        assert "started by: #" in text
        assert "1 x GET /tree: waits for its children: Event.wait (up to #" in text
        event.set()
        assert client.answer().body == b"done"


def test_two_who_wait_for_each_other_are_found() -> None:
    app = Photon()
    locks = {"a": Lock(), "b": Lock()}

    @app.get("/{first}/{second}")
    def both(first: str, second: str) -> str:
        with locks[first]:
            sleep(0.01)
            with locks[second]:
                return "done"

    with serve(app) as server, Client(server) as one, Client(server) as two:
        one.get("/a/b")
        two.get("/b/a")
        wait_until(lambda: dump()["circles"])
        (circle,) = dump()["circles"]
        assert len(circle) == 2
        text = render(dump())
        assert (
            "DEADLOCK: 2 greenlets wait for each other in a circle; the first deadline ends" in text
        )
        assert ") waits for a lock, which is up to #" in text
        for connection in list(server.connections):
            server.hub.run_soon(connection.cancel, "shutdown", "the test is over")
        assert {one.answer().status, two.answer().status} == {503}


def test_a_mounted_application_tells_its_routes_and_a_foreign_one_its_prefix() -> None:
    inner, app = Photon(), Photon()
    event = Event()

    @inner.get("/items/{id}")
    def item(id: str) -> str:
        event.wait()
        return id

    def foreign(request: Request) -> Any:
        event.wait()
        return inner(request)

    app.mount("/api", inner)
    app.mount("/old", foreign)

    @app.middleware
    def around(request: Request, application: Any) -> Any:
        return application(request)

    with serve(app) as server, Client(server) as one, Client(server) as two:
        one.get("/api/items/3")
        two.get("/old/items/3")

        def routes() -> set[str]:
            return {each.get("route", "") for each in dump()["greenlets"]}

        wait_until(lambda: routes() >= {"GET /api/items/{id}", "GET /old/..."})
        event.set()
        assert one.answer().body == b"3"
        assert two.answer().body == b"3"


def test_what_runs_beside_requests_has_a_name() -> None:
    app = Photon()
    event = Event()

    @app.every("1h", run_on_start=True)
    def nightly() -> None:
        event.wait()

    def mail() -> None:
        event.wait()

    @app.get("/")
    def page(tasks: BackgroundTasks) -> str:
        tasks.add(mail)
        return "done"

    with serve(app) as server, Client(server) as client:
        client.ask("/")
        timer = spawn_after(0, event.wait)

        def names() -> str:
            return str(sorted(each["name"] for each in dump()["greenlets"]))

        wait_until(lambda: "nightly" in names() and "mail" in names() and timer.job)
        found = names()
        event.set()
        assert "job tests.http.server.test_describing.test_what_runs" in found
        assert "background task tests.http.server.test_describing.test_what_runs" in found
        assert "job photon.runtime.sync.Event.wait" in found


def test_the_id_of_a_request_is_told() -> None:
    app = Photon()
    event = Event()

    @app.get("/named")
    def named(request: Request) -> str:
        request.id = "abc-1"
        event.wait()
        return "done"

    with serve(app) as server, Client(server) as client:
        client.get("/named")
        wait_until(lambda: busy(server))
        (entry,) = [each for each in dump()["greenlets"] if each["kind"] == "request"]
        assert entry["request_id"] == "abc-1"
        assert "GET /named (request abc-1), request" in render(dump())
        event.set()
        client.answer()


def test_a_websocket_that_waits_for_its_client() -> None:
    app = Photon()

    @app.websocket("/chat/{room}")
    def chat(ws: WebSocket, room: str) -> None:
        ws.accept()
        ws.receive()

    with serve(app) as server, Client(server) as client:
        client.get(
            "/chat/a",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        )
        assert b" 101 " in client.read_until(b"\r\n\r\n")
        wait_until(lambda: busy(server))
        (entry,) = [each for each in dump()["greenlets"] if each["kind"] == "websocket"]
        assert entry["route"] == "GET /chat/{room}"
        assert entry["waits_for"] == "the next message of its client"
        assert "in chat" in entry["where"]


def test_who_holds_the_hub_is_told_with_route_and_request_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon()

    @app.get("/slow/{id}")
    def slow(id: str, request: Request) -> str:
        request.id = "r-17"
        while "holds the hub" not in caplog.text:
            block(0.02)
        return "done"

    with telling_blocked(), serve(app) as server, Client(server) as client:
        sleep(TICK_S * 2)
        client.get("/slow/1?token=secret")
        client.answer()
        wait_until(lambda: "had held" in caplog.text)
    begun, *_ = [record for record in caplog.records if record.name == "photon.runtime"]
    assert begun.getMessage().startswith("GET /slow/{id} (request r-17) holds the hub")
    assert begun.route == "GET /slow/{id}"  # type: ignore[attr-defined]
    assert begun.request_id == "r-17"  # type: ignore[attr-defined]
    assert "secret" not in caplog.text


def test_it_leaves_nothing_of_a_request_behind() -> None:
    """Frames keep a copy of the locals that somebody asked for; those end with the request."""

    class Held:
        pass

    app = Photon()
    event = Event()
    held: list[Any] = []

    @app.get("/")
    def page() -> str:
        mine = Held()
        event.wait()
        del mine
        held.append(sum(isinstance(each, Held) for each in gc.get_objects()))
        return "done"

    with serve(app) as server, Client(server) as client:
        client.get("/")
        wait_until(lambda: busy(server))
        dump(stacks=True)
        event.set()
        client.answer()
    assert held == [0]
