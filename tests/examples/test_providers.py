"""Providers give handlers what they need, and take it back; tests give them something else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from examples.providers import Library, Reader, app, connections, reader, transaction, weather
from photon import HTTPError
from photon.testing import TestClient

READER = {"authorization": "Bearer reader"}
LIBRARIAN = {"authorization": "Bearer librarian"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client:  # the pool is there as long as this block
        yield client


def test_what_was_added_is_committed(client: TestClient) -> None:
    for title in ("Emma", "Persuasion"):
        made = client.post("/books", json={"title": title}, headers=LIBRARIAN)
        assert (made.status, made.text) == (201, f"Grace added {title}")
    assert client.get("/shelf", headers=READER).json() == ["Emma", "Persuasion"]


def test_a_pool_is_made_for_each_run_of_the_application() -> None:
    for _ in range(2):
        with TestClient(app) as client:
            assert client.get("/shelf", headers=READER).json() == []
            client.post("/books", json={"title": "Emma"}, headers=LIBRARIAN)


def test_connections_are_given_back_whatever_happens(client: TestClient) -> None:
    client.post("/books", json={"title": "Emma"}, headers=LIBRARIAN)
    for _ in range(5):  # more than there are connections
        with pytest.raises(sqlite3.IntegrityError):
            client.post("/books", json={"title": "Emma"}, headers=LIBRARIAN)
    assert client.get("/shelf", headers=READER).json() == ["Emma"]


@pytest.mark.parametrize(
    ("headers", "status", "challenge"),
    [
        ({}, 401, "Bearer"),
        ({"authorization": "Bearer nobody"}, 401, 'Bearer error="invalid_token"'),
        ({"authorization": "Basic YTpi"}, 401, "Bearer"),
        (READER, 403, None),
    ],
)
def test_who_may_not_is_told_before_all_else(
    headers: dict[str, str], status: int, challenge: str | None, client: TestClient
) -> None:
    refused = client.post("/books", json={"no": "title"}, headers=headers)
    assert (refused.status, refused.headers.get("www-authenticate")) == (status, challenge)


def test_concurrent_providers_fill_one_page(client: TestClient) -> None:
    page = client.get("/home", headers=READER).json()
    assert page == {"for": "Ada", "weather": "sunny", "news": ["a library opened"]}


# In the place of a provider, a test puts its own...


def test_anybody_may_be_asking(client: TestClient) -> None:
    with app.override(reader, lambda: Reader("Mary", frozenset())):
        assert client.post("/books", json={"title": "Emma"}).text == "Mary added Emma"
    assert client.get("/shelf").status == 401


def test_the_weather_may_be_anything(client: TestClient) -> None:
    with app.override(weather, lambda: "foggy"):
        assert client.get("/home", headers=READER).json()["weather"] == "foggy"


def test_a_provider_that_fails_ends_the_others(client: TestClient) -> None:
    def no_weather() -> str:
        raise HTTPError(503, "no weather today")

    with app.override(weather, no_weather):
        assert client.get("/home", headers=READER).problem["detail"] == "no weather today"


def test_a_database_may_be_one_of_the_test() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("create table books (title text)")
    with TestClient(app) as client, app.override(transaction, lambda: database):
        client.post("/books", json={"title": "Emma"}, headers=LIBRARIAN)
    assert Library(database).titles() == ["Emma"]
    database.close()


def test_connections_are_closed_in_the_end() -> None:
    opened = connections()
    free = next(opened)
    connection = free.get()
    next(opened, None)
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("select 1")
