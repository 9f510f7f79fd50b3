"""A chat: rooms, who is in them, and messages that are typed in both directions.

photon run examples.chat:app

Open http://127.0.0.1:8000/ in two windows, next to each other. Its page is chat.html.
"""

from collections import deque
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from photon import (
    InvalidMessage,
    Photon,
    Presence,
    Response,
    Rooms,
    WebSocket,
    WebSocketSettings,
    sleep,
)

PAGE = Path(__file__).with_name("chat.html")
PAUSE_S = 0.02

RoomName = Literal["Lobby", "Garden", "Library"]
Name = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"\S")]

# Every message is a JSON object, and its "type" says which of these it is. What pages say...


class FromPage(Struct, tag=str.lower):
    pass


class Say(FromPage):
    text: Annotated[str, Meta(min_length=1, max_length=1000)]


class Typing(FromPage):
    pass


class Rename(FromPage):
    name: Name


# ... and what they are told.


class ToPage(Struct, tag=str.lower):
    pass


class Person(Struct):
    id: str
    name: str


class Joined(ToPage):
    person: Person


class Left(ToPage):
    person: Person


class Said(ToPage):
    number: int
    name: str
    text: str
    at: datetime


class Writes(ToPage):
    name: str


class Refused(ToPage):
    why: str


class Welcome(ToPage):
    """The first message: who you are, who is here, and what was said last."""

    id: str
    people: list[Person]
    history: list[Said]


app = Photon(title="Chat")
# Whoever reads so slowly that 100 messages wait for him is closed, and the others never wait: his
# page comes back, and shows what he missed. Rooms(RedisBroker(...)) would span many processes; then
# the history, and its numbers, would be in a database.
rooms = Rooms(queue=100, policy="close")
numbers = count(1)
history: dict[str, deque[Said]] = {room: deque(maxlen=50) for room in get_args(RoomName)}


@app.websocket("/rooms/{room}", websockets=WebSocketSettings(message_bytes=8 * 1024))
def chat(ws: WebSocket, room: RoomName, name: Name) -> None:
    """One greenlet for each page. When the page is closed it ends where it waits."""
    while True:  # to be called something else is to leave, and to come again
        with rooms.join(room, ws, info={"name": name}) as me:
            people = [person(who) for who in rooms.presence(room)]
            # By the queue of the room: what is said from now on comes after it.
            me.send(Welcome(me.id, people, list(history[room])))
            name = talk(ws, room, name)


def talk(ws: WebSocket, room: str, name: str) -> str:
    """Pass on what he says, until he wants another name.   Returns: that."""
    while True:
        sleep(PAUSE_S)  # who floods the room waits, and his messages with him; nobody else does
        try:
            message: Say | Typing | Rename = ws.receive_json(Say | Typing | Rename)
        except InvalidMessage as error:
            ws.send_json(Refused(error.reason))  # let pass, it would close the WebSocket
            continue
        match message:
            case Say(text):
                said = Said(next(numbers), name, text, datetime.now(UTC))
                history[room].append(said)
                rooms.broadcast(room, said)
            case Typing():
                rooms.broadcast(room, Writes(name), exclude=ws)
            case Rename(name):
                return name


# The rooms tell who came and went, however he did: he closed the page, or lost his network.


@rooms.on_join
def tell_who_came(room: str, who: Presence) -> None:
    rooms.broadcast(room, Joined(person(who)), exclude=who.id, local=True)


@rooms.on_leave
def tell_who_left(room: str, who: Presence) -> None:
    rooms.broadcast(room, Left(person(who)), local=True)


def person(who: Presence) -> Person:
    return Person(who.id, who.info["name"])


@app.get("/")
def index() -> Response:
    return Response.file(PAGE)
