"""Providers replaced for the length of a `with`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import pytest

from photon.app.group import Group
from photon.app.photon import Photon
from photon.binding.errors import HandlerError
from photon.binding.markers import Depends, Query
from photon.http.errors import HTTPError
from photon.runtime.greenlets import checkpoint, spawn
from photon.testing.client import TestClient
from photon.ws.websocket import WebSocket

story: list[str] = []


@pytest.fixture(autouse=True)
def _new_story() -> None:
    story.clear()


def name() -> str:
    return "real"


def greeting(name: Annotated[str, Depends(name)]) -> str:
    return f"hello {name}"


def database() -> Iterator[str]:
    story.append("open real")
    yield "real database"
    story.append("close real")


def fake_database() -> Iterator[str]:
    story.append("open fake")
    yield "fake database"
    story.append("close fake")


def repository(database: Annotated[str, Depends(database, scope="app")]) -> str:
    return f"items of the {database}"


def unused() -> str:
    return "x"


@pytest.fixture
def app() -> Photon:
    app = Photon()

    @app.get("/greeting")
    def greet(greeting: Annotated[str, Depends(greeting)]) -> str:
        return greeting

    @app.get("/items")
    def items(repository: Annotated[str, Depends(repository, scope="app")]) -> str:
        return repository

    @app.get("/plain")
    def plain() -> str:
        return "plain"

    return app


def test_a_provider_is_replaced_for_the_length_of_the_block(app: Photon) -> None:
    client = TestClient(app)
    assert client.get("/greeting").text == "hello real"
    with app.override(name, lambda: "fake"):
        assert client.get("/greeting").text == "hello fake"
        assert client.get("/plain").text == "plain"
    assert client.get("/greeting").text == "hello real"


def test_what_is_replaced_is_not_asked_for_what_it_needs(app: Photon) -> None:
    def nobody() -> str:
        raise AssertionError

    with app.override(name, nobody), app.override(greeting, lambda: "bye"):
        assert TestClient(app).get("/greeting").text == "bye"


def test_within_one_another_the_last_one_counts(app: Photon) -> None:
    client = TestClient(app)
    with app.override(name, lambda: "one"):
        with app.override(name, lambda: "two"):
            assert client.get("/greeting").text == "hello two"
        assert client.get("/greeting").text == "hello one"


def test_of_two_that_overlap_the_first_may_end_first(app: Photon) -> None:
    client = TestClient(app)
    one, two = app.override(name, lambda: "one"), app.override(greeting, lambda: "two")
    one.__enter__()
    two.__enter__()
    one.__exit__(None, None, None)
    assert client.get("/greeting").text == "two"
    two.__exit__(None, None, None)
    assert client.get("/greeting").text == "hello real"


def test_it_is_over_when_the_block_fails(app: Photon) -> None:
    with pytest.raises(KeyError), app.override(name, lambda: "fake"):
        raise KeyError
    assert TestClient(app).get("/greeting").text == "hello real"


def test_a_fake_may_fail_as_any_provider(app: Photon) -> None:
    def refusing() -> str:
        raise HTTPError(503, "no greeting today")

    with app.override(name, refusing):
        assert TestClient(app).get("/greeting").problem["detail"] == "no greeting today"


def fake_name(who: str = "nobody") -> str:
    return who


def stacked(fake: Annotated[str, Depends(fake_name)]) -> str:
    return f"{fake}!"


def test_a_fake_is_filled_as_any_provider(app: Photon) -> None:
    client = TestClient(app)
    with app.override(name, fake_name):
        assert client.get("/greeting?who=Ann").text == "hello Ann"
    with app.override(name, stacked):
        assert client.get("/greeting?who=Ann").text == "hello Ann!"
        # What only a fake asks for may be replaced, too.
        with app.override(fake_name, lambda: "Bob"):
            assert client.get("/greeting?who=Ann").text == "hello Bob!"


def test_a_fake_that_is_a_generator_is_closed_with_its_request(app: Photon) -> None:
    def opening() -> Iterator[str]:
        story.append("open")
        yield "generated"
        story.append("close")

    with app.override(name, opening):
        for _ in range(2):
            assert TestClient(app).get("/greeting").text == "hello generated"
    assert story == ["open", "close"] * 2


def test_it_holds_for_groups_and_their_guards() -> None:
    def guard() -> None:
        raise HTTPError(401, "who are you?")

    group = Group("/secret", dependencies=[Depends(guard)])
    group.get("")(lambda: "secret")
    app = Photon()
    app.include(group)
    client = TestClient(app)
    assert client.get("/secret").status == 401
    with app.override(guard, lambda: None):
        assert client.get("/secret").text == "secret"
    assert client.get("/secret").status == 401


def test_a_request_that_has_begun_keeps_what_it_had(app: Photon) -> None:
    ends = False

    @app.get("/slow")
    def slow(greeting: Annotated[str, Depends(greeting)]) -> str:
        story.append(greeting)
        while not ends:
            checkpoint()
        return greeting

    client = TestClient(app)
    answers: list[str] = []

    def ask(count: int) -> None:
        spawned.append(spawn(lambda: answers.append(client.get("/slow").text)))
        while len(story) < count:
            checkpoint()

    spawned: list[Any] = []
    with app.override(name, lambda: "fake"):
        ask(1)
    ask(2)
    ends = True
    for one in spawned:
        one.join()
    assert story == ["hello fake", "hello real"]
    assert sorted(answers) == story


# Of the scope "app"...


def test_what_a_fake_of_the_scope_app_made_is_closed_with_the_block(app: Photon) -> None:
    with TestClient(app) as client:
        assert client.get("/items").text == "items of the real database"
        for _ in range(2):
            with app.override(database, fake_database):
                for _ in range(2):
                    assert client.get("/items").text == "items of the fake database"
        assert client.get("/items").text == "items of the real database"
    fakes = ["open fake", "close fake"]
    assert story == ["open real", *fakes, *fakes, "close real"]


def test_the_real_one_is_not_made_when_the_application_starts_meanwhile(app: Photon) -> None:
    with app.override(database, fake_database):
        with TestClient(app) as client:
            assert client.get("/items").text == "items of the fake database"
    assert story == ["open fake", "close fake"]


def test_the_real_one_is_made_late_when_the_block_is_over_first(app: Photon) -> None:
    override = app.override(database, fake_database)
    override.__enter__()
    with TestClient(app) as client:
        assert client.get("/items").text == "items of the fake database"
        override.__exit__(None, None, None)
        assert client.get("/items").text == "items of the real database"
    assert story == ["open fake", "close fake", "open real", "close real"]


def test_one_fake_of_the_scope_app_is_made_once_within_another_block(app: Photon) -> None:
    with TestClient(app) as client, app.override(database, fake_database):
        client.get("/items")
        with app.override(name, lambda: "x"):
            client.get("/items")
    assert story.count("open fake") == 1
    assert story[-1] == "close real"


def test_two_clients_see_the_same(app: Photon) -> None:
    with TestClient(app) as one, TestClient(app) as two, app.override(name, lambda: "fake"):
        assert one.get("/greeting").text == two.get("/greeting").text == "hello fake"


# What is refused...


def test_a_provider_that_nobody_asks_for_is_refused(app: Photon) -> None:
    says = (
        r"asks for unused \(tests/app/test_overrides.py:\d+\), so that it cannot be replaced; "
        "there are database, greeting, name, repository. The providers of a mounted"
    )
    with pytest.raises(ValueError, match=says):
        app.override(unused, lambda: "y")
    with pytest.raises(ValueError, match="there are no providers at all"):
        Photon().override(unused, lambda: "y")


def test_what_is_no_function_is_refused_at_the_override(app: Photon) -> None:
    async def fake() -> str:
        return "x"

    with pytest.raises(HandlerError, match="'fake' is no provider"):
        with app.override(name, "fake"):  # type: ignore[arg-type]
            raise AssertionError
    with pytest.raises(HandlerError, match=r"the provider .*fake .* is async"):
        with app.override(name, fake):
            raise AssertionError
    with pytest.raises(HandlerError, match="5 is no provider"):
        app.override(5, fake)  # type: ignore[arg-type]


# Types of a test's own...


def test_types_that_are_local_to_a_test_are_known_under_an_override() -> None:
    class Item(msgspec.Struct):
        name: str

    class Store:
        def __init__(self, name: str) -> None:
            self.name = name

    def prefix() -> Store:
        return Store("real")

    def fake_prefix(item: Item) -> Store:
        return Store(f"fake {item.name}")

    app = Photon()

    @app.post("/items")
    def create(item: Item, store: Annotated[Store, Depends(prefix)]) -> Item:
        return Item(f"{store.name} {item.name}")

    with TestClient(app) as client:
        assert client.post("/items", json={"name": "pen"}).json() == {"name": "real pen"}
        with app.override(prefix, fake_prefix):
            assert client.post("/items", json={"name": "a"}).json() == {"name": "fake a a"}
        assert client.post("/items", json={"name": "pen"}).json() == {"name": "real pen"}


def test_types_that_are_local_to_a_test_are_known_to_a_websocket_under_an_override() -> None:
    class Filter(msgspec.Struct):
        since: int = 0

    class Store:
        name = "real"

    class Fake(Store):
        name = "fake"

    def store() -> Store:
        return Store()

    def fake() -> Fake:
        return Fake()

    app = Photon()

    @app.websocket("/items")
    def talk(
        ws: WebSocket,
        store: Annotated[Store, Depends(store)],
        chosen: Annotated[Filter, Query()],
    ) -> None:
        ws.send(f"{store.name} {chosen.since}")

    with TestClient(app) as client, app.override(store, fake):
        with client.websocket("/items?since=3") as ws:
            assert ws.receive() == "fake 3"
