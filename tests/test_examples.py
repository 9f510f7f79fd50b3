"""Each example runs, and does what it shows."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from photon.app.photon import Photon
from photon.http.server.server import Server
from photon.http.server.serving import serve
from tests.clients import Client, request

EXAMPLES = Path(__file__).parents[1] / "examples"


def hello(server: Server) -> None:
    with Client(server) as client:
        assert json.loads(client.ask("/").body) == {"message": "Hello, World!"}
        assert client.ask("/hello/Ada").body == b"Hello, Ada!\n"
        assert client.ask("/hello/Ada?greeting=Ciao").body == b"Ciao, Ada!\n"
        assert json.loads(client.ask("/squares/12").body) == {"number": 12, "square": 144}
        assert client.ask("/squares/-1").status == 404
        assert client.ask("/squares/many").status == 422
        with Client(server) as slow:
            slow.get("/slow")
            assert client.ask("/").status == 200
            assert slow.answer().body == b"worth the wait\n"
        assert client.ask("/count").body == b"1\n2\n3\n4\n5\n"


def around(server: Server) -> None:
    with Client(server) as client:
        answer = client.ask("/report")
        assert json.loads(answer.body) == {
            "news": "the news of today",
            "weather": "the weather of today",
            "gave_up_on_horoscope": True,
        }
        assert answer.headers["server-timing"].startswith("app;dur=")
        answer = client.ask("/impatient")
        assert (answer.status, b"within 0.02 s" in answer.body) == (504, True)


def shop(server: Server) -> None:
    with Client(server) as client:
        client.send(request("POST", "/items", body=b'{"name": "lamp", "price": 12.5}'))
        answer = client.answer()
        assert answer.status == 201
        item = json.loads(answer.body)
        assert (item["name"], item["price"]) == ("lamp", 12.5)
        path = f"/items/{item['id']}"
        assert json.loads(client.ask(path).body) == item
        for body, status in ((b'{"name": 1}', 422), (b"{", 400)):
            client.send(request("POST", "/items", body=body))
            assert client.answer().status == status
        for status in (204, 409):
            client.send(request("POST", f"{path}/buy"))
            assert client.answer().status == status
        client.send(request("DELETE", path))
        assert client.answer().status == 204
        assert client.ask(path).status == 404


def uploads(server: Server) -> None:
    film = bytes(range(256)) * 1000
    with Client(server) as client:
        client.send(request("PUT", "/files/film.mp4", body=film))
        assert json.loads(client.answer().body) == {"bytes": len(film)}
        whole = client.ask("/files/film.mp4")
        assert (whole.status, whole.body) == (200, film)
        part = client.ask("/files/film.mp4", "Range: bytes=0-99")
        assert (part.status, part.body) == (206, film[:100])
        etag = whole.headers["etag"]
        assert client.ask("/files/film.mp4", f"If-None-Match: {etag}").status == 304
        assert client.ask("/files/none").status == 404
        assert client.ask("/files/..%2Fsecret").status in (400, 404)


VISITS: dict[str, Callable[[Server], None]] = {
    "around": around,
    "hello": hello,
    "shop": shop,
    "uploads": uploads,
}


def test_each_example_is_visited_here() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in EXAMPLES.glob("*/__init__.py")}
    assert names | packages == VISITS.keys()


@pytest.mark.parametrize("name", VISITS)
def test_an_example_does_what_it_shows(name: str) -> None:
    app = importlib.import_module(f"examples.{name}").app
    assert isinstance(app, Photon)
    with serve(app) as server:
        VISITS[name](server)
