"""Each example runs, and does what it shows: here, or in a file of its own."""

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
TESTS = Path(__file__).parent / "examples"


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


VISITS: dict[str, Callable[[Server], None]] = {
    "hello": hello,
    "shop": shop,
}


def test_each_example_is_visited() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in EXAMPLES.glob("*/__init__.py")}
    tests = {path.stem.removeprefix("test_") for path in TESTS.glob("test_*.py")}
    assert names | packages == tests | VISITS.keys()
    assert not tests & VISITS.keys()


@pytest.mark.parametrize("name", VISITS)
def test_an_example_does_what_it_shows(name: str) -> None:
    app = importlib.import_module(f"examples.{name}").app
    assert isinstance(app, Photon)
    with serve(app) as server:
        VISITS[name](server)
