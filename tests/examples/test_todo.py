"""The to-do list keeps what it is told, and says what it was not told well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examples.todo import Todo, app, stored
from photon.testing import TestClient


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client
    stored.clear()


def add(client: TestClient, title: str, **more: object) -> Todo:
    return client.post("/todos", json={"title": title, **more}).json(Todo)


def test_a_todo_is_added_and_found_at_its_location(client: TestClient) -> None:
    made = client.post("/todos", json={"title": "buy milk", "due": "2030-01-31"})
    assert made.status == 201
    todo = made.json()
    assert todo == {"id": todo["id"], "title": "buy milk", "due": "2030-01-31", "done": False}
    assert made.headers["location"] == f"http://testserver/todos/{todo['id']}"
    assert client.get(made.headers["location"]).json() == todo


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [["body", "title"]]),
        ({"title": ""}, [["body", "title"]]),
        ({"title": "x" * 101, "due": "soon"}, [["body", "title"], ["body", "due"]]),
        ({"title": "x", "id": 7}, [["body", "id"]]),
        ({"title": 1}, [["body", "title"]]),
    ],
)
def test_what_is_no_todo_is_refused(
    body: object, errors: list[list[str]], client: TestClient
) -> None:
    refused = client.post("/todos", json=body)
    assert refused.status == 422
    assert [error["loc"] for error in refused.problem["errors"]] == errors
    assert not stored


def test_a_change_changes_what_it_names(client: TestClient) -> None:
    path = f"/todos/{add(client, 'buy milk', due='2030-01-31').id}"
    assert client.patch(path, json={"done": True}).json(Todo).done
    todo = client.patch(path, json={"due": None}).json(Todo)
    assert (todo.title, todo.due, todo.done) == ("buy milk", None, True)
    assert client.patch(path, json={"title": None}).status == 422
    assert client.patch(path, json={"dnoe": False}).status == 422
    assert client.get(path).json(Todo) == todo


def test_todos_are_filtered_and_paged(client: TestClient) -> None:
    for title in ("buy milk", "buy bread", "sell the cow", "buy a bigger fridge"):
        add(client, title)
    first = next(iter(stored))
    client.patch(f"/todos/{first}", json={"done": True})

    def titles(**params: object) -> tuple[list[str], int]:
        page = client.get("/todos", params=params).json()
        return [todo["title"] for todo in page["items"]], page["total"]

    assert titles(limit=1) == (["buy milk"], 4)
    assert titles(done=True) == (["buy milk"], 1)
    assert titles(done=False, search="BUY") == (["buy bread", "buy a bigger fridge"], 2)
    assert titles(search="buy", offset=1, limit=1) == (["buy bread"], 3)
    assert client.get("/todos", params={"limit": 0, "offset": -1}).problem["errors"] == [
        {"loc": ["query", "limit"], "msg": "Expected `int` >= 1", "type": "range"},
        {"loc": ["query", "offset"], "msg": "Expected `int` >= 0", "type": "range"},
    ]


def test_what_is_gone_is_not_found(client: TestClient) -> None:
    path = f"/todos/{add(client, 'buy milk').id}"
    assert client.delete(path).status == 204
    for method in ("GET", "DELETE"):
        assert client.request(method, path).problem["detail"].startswith("there is no todo ")
    assert client.patch(path, json={"done": True}).status == 404
