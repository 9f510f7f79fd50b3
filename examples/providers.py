"""Providers: handlers say what they need, and functions make it, once, and clean up after it.

photon run examples.providers:app

curl -i http://127.0.0.1:8000/shelf -H 'Authorization: Bearer reader'
curl -i http://127.0.0.1:8000/books -H 'Authorization: Bearer librarian' --json '{"title": "Emma"}'
curl -i http://127.0.0.1:8000/home -H 'Authorization: Bearer reader'
"""

import sqlite3
import time
from collections.abc import Iterator
from queue import Queue
from typing import Annotated

from msgspec import Struct

from photon import Depends, HTTPError, Photon, Security, SecurityScopes
from photon.security import HTTPBearer

app = Photon(title="Providers")

# One for the application: made when it starts, what follows the yield is run when it stops...


Pool = Queue[sqlite3.Connection]


def connections() -> Iterator[Pool]:
    """Two of them: a request that finds none free waits for one, and holds nobody up."""
    connections = [sqlite3.connect("file:library?mode=memory&cache=shared", uri=True) for _ in "12"]
    connections[0].execute("create table books (title text unique)")
    free: Pool = Queue()
    for connection in connections:
        free.put(connection)
    yield free
    for connection in connections:
        connection.close()


# One for each request, and everybody in it gets the same: `with` and `finally` do what they should,
# whether the handler returned, raised, or was cancelled because the client left...


def transaction(
    free: Annotated[Pool, Depends(connections, scope="app")],
) -> Iterator[sqlite3.Connection]:
    connection = free.get()
    try:
        with connection:  # commits, or rolls back what failed
            yield connection
    finally:
        free.put(connection)


# "handler": it is over before the response is sent, so a commit that fails is still a 500.
Database = Annotated[sqlite3.Connection, Depends(transaction, scope="handler")]


class Library:
    """A class is a provider too: its __init__ is filled as a handler is."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def add(self, title: str) -> None:
        self.database.execute("insert into books values (?)", [title])

    def titles(self) -> list[str]:
        return [title for (title,) in self.database.execute("select title from books")]


TheLibrary = Annotated[Library, Depends(scope="handler")]


# Who is asking, and may he? A guard comes before everything else...

bearer = HTTPBearer()


class Reader(Struct):
    name: str
    scopes: frozenset[str]


READERS = {
    "reader": Reader("Ada", frozenset({"read"})),
    "librarian": Reader("Grace", frozenset({"read", "write"})),
}


def reader(token: Annotated[str, Depends(bearer)], scopes: SecurityScopes) -> Reader:
    found = READERS.get(token)
    if found is None:
        raise bearer.refusal("nobody has this token", error="invalid_token")
    if not found.scopes.issuperset(scopes):
        raise HTTPError(403, f"this needs {' and '.join(scopes)}")
    return found


class NewBook(Struct):
    title: str


@app.get("/shelf", dependencies=[Security(reader, scopes=["read"])])
def shelf(library: TheLibrary) -> list[str]:
    return library.titles()


@app.post("/books", status=201)
def add_book(
    new: NewBook,
    library: TheLibrary,
    by: Annotated[Reader, Security(reader, scopes=["write"])],
) -> str:
    library.add(new.title)
    return f"{by.name} added {new.title}"


# What takes its time may be made side by side: this page takes as long as the slowest...


def weather() -> str:
    time.sleep(0.1)  # another service
    return "sunny"


def news() -> list[str]:
    time.sleep(0.1)
    return ["a library opened"]


@app.get("/home")
def home(
    weather: Annotated[str, Depends(weather, concurrent=True)],
    news: Annotated[list[str], Depends(news, concurrent=True)],
    reader: Annotated[Reader, Security(reader)],
) -> dict[str, object]:
    return {"for": reader.name, "weather": weather, "news": news}
