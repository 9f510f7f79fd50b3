"""A to-do list in memory: what comes in and what goes out is typed, and checked.

photon run examples.todo:app

curl -i http://127.0.0.1:8000/todos --json '{"title": "buy milk", "due": "2030-01-31"}'
curl -i 'http://127.0.0.1:8000/todos?done=false&search=milk&limit=5'
curl -i http://127.0.0.1:8000/todos/1 -X PATCH --json '{"done": true}'

All of it is described at http://127.0.0.1:8000/docs.
"""

from datetime import date
from itertools import count
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from photon import Group, HTTPError, Photon, Query, Request

Title = Annotated[str, Meta(min_length=1, max_length=100)]


class NewTodo(Struct, forbid_unknown_fields=True):
    title: Title
    due: date | None = None


class Todo(Struct):
    id: int
    title: Title
    due: date | None
    done: bool = False


class Changes(Struct, forbid_unknown_fields=True):
    """What a PATCH may say. UNSET is not said at all: `{"due": null}` takes the date away."""

    title: Title | UnsetType = UNSET
    due: date | UnsetType | None = UNSET
    done: bool | UnsetType = UNSET


class Wanted(Struct):
    """The fields of the query string."""

    done: bool | None = None
    search: str = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Annotated[int, Meta(ge=0)] = 0


class Page(Struct):
    items: list[Todo]
    total: int


todos = Group("/todos", tags=["todos"])
numbers = count(1)
stored: dict[int, Todo] = {}


@todos.get("")
def find_todos(wanted: Annotated[Wanted, Query()]) -> Page:
    found = [
        todo
        for todo in stored.values()
        if wanted.done in (None, todo.done) and wanted.search.lower() in todo.title.lower()
    ]
    return Page(found[wanted.offset :][: wanted.limit], len(found))


@todos.post("")
def add_todo(new: NewTodo, request: Request) -> tuple[Todo, Literal[201], dict[str, str]]:
    todo = Todo(next(numbers), new.title, new.due)
    stored[todo.id] = todo
    return todo, 201, {"location": app.url_for(request, "get_todo", id=todo.id)}


@todos.get("/{id}", responses={404: "There is no such todo."})
def get_todo(id: int) -> Todo:
    if id not in stored:
        raise HTTPError(404, f"there is no todo {id}")
    return stored[id]


@todos.patch("/{id}", responses={404: "There is no such todo."})
def change_todo(id: int, changes: Changes) -> Todo:
    said = {name: value for name, value in structs.asdict(changes).items() if value is not UNSET}
    stored[id] = structs.replace(get_todo(id), **said)
    return stored[id]


@todos.delete("/{id}", responses={404: "There is no such todo."})
def remove_todo(id: int) -> None:  # 204
    get_todo(id)
    del stored[id]


app = Photon(title="Todo")
app.include(todos)
