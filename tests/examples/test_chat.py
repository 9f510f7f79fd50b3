"""Who is in a room sees what is said there, who comes and who goes, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import pytest
from msgspec import Struct

from examples import chat
from examples.chat import (
    FromPage,
    Joined,
    Left,
    Refused,
    Rename,
    Said,
    Say,
    Typing,
    Welcome,
    Writes,
    app,
    history,
    rooms,
)
from photon import WebSocketClosed, serve
from photon.http.server.server import Server
from photon.testing import LiveClient, TestClient
from photon.testing.base import BaseClient
from photon.testing.errors import WebSocketRefused
from photon.testing.websocket import ClientWebSocket
from tests.browser import Browser
from tests.clients import expect_no_leaks, wait_until

T = TypeVar("T", bound=Struct)

ToPage = Welcome | Joined | Left | Said | Writes | Refused


@pytest.fixture
def client() -> Iterator[TestClient]:
    forget()
    with TestClient(app) as client:
        yield client
    assert not list(rooms)


def forget() -> None:
    for said in history.values():
        said.clear()


class Page:
    """What the page's script does, without its looks."""

    def __init__(self, ws: ClientWebSocket) -> None:
        self.ws = ws
        self.welcome = self.hear(Welcome)

    def say(self, *messages: FromPage) -> None:
        for message in messages:
            self.ws.send_json(message)

    def hear(self, kind: type[T]) -> T:
        """The next message, which is of this kind."""
        message = self.ws.receive_json(ToPage)
        assert isinstance(message, kind), message
        return message

    @property
    def names(self) -> list[str]:
        """Who was here when it came."""
        return [person.name for person in self.welcome.people]


@contextmanager
def enter(client: BaseClient, name: str, room: str = "Lobby") -> Iterator[Page]:
    with client.websocket(f"/rooms/{room}", params={"name": name}) as ws:
        yield Page(ws)


def test_what_is_said_is_heard_by_all(client: TestClient) -> None:
    with enter(client, "Ada") as ada, enter(client, "Grace") as grace:
        assert (ada.names, grace.names) == (["Ada"], ["Ada", "Grace"])
        assert ada.hear(Joined).person.name == "Grace"
        ada.say(Say("hello"), Say("Grace"))
        for page in (ada, grace):
            first, second = page.hear(Said), page.hear(Said)
            assert (first.name, first.text, second.text) == ("Ada", "hello", "Grace")
            assert second.number == first.number + 1


def test_who_comes_late_sees_what_was_said_last(client: TestClient) -> None:
    with enter(client, "Ada") as ada:
        ada.say(*(Say(f"{number}") for number in range(60)))
        for _ in range(60):
            ada.hear(Said)
        with enter(client, "Grace") as grace:
            assert [said.text for said in grace.welcome.history] == [
                f"{number}" for number in range(10, 60)
            ]


def test_who_leaves_is_missed(client: TestClient) -> None:
    with enter(client, "Ada") as ada:
        with enter(client, "Grace") as grace:
            came = ada.hear(Joined).person
            assert came.id == grace.welcome.id
        assert ada.hear(Left).person == came


def test_who_types_is_seen_by_the_others(client: TestClient) -> None:
    with enter(client, "Ada") as ada, enter(client, "Grace") as grace:
        ada.hear(Joined)
        ada.say(Typing(), Say("done"))
        assert grace.hear(Writes).name == "Ada"
        grace.hear(Said)
        assert ada.hear(Said).text == "done"  # and was not told that she types


def test_who_wants_another_name_has_it(client: TestClient) -> None:
    with enter(client, "Ada") as ada, enter(client, "Grace") as grace:
        ada.hear(Joined)
        grace.say(Rename("Rear Admiral"), Say("it is me"))
        assert [person.name for person in grace.hear(Welcome).people] == ["Ada", "Rear Admiral"]
        assert ada.hear(Left).person.name == "Grace"
        assert ada.hear(Joined).person.name == "Rear Admiral"
        assert ada.hear(Said).name == "Rear Admiral"


def test_rooms_do_not_hear_each_other(client: TestClient) -> None:
    with enter(client, "Ada") as ada, enter(client, "Alan", "Garden") as alan:
        assert alan.names == ["Alan"]
        alan.say(Say("birds"))
        alan.hear(Said)
        ada.say(Say("books"))
        assert ada.hear(Said).text == "books"


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("hello", "not JSON"),
        ('{"type":"say"}', "text"),
        ('{"type":"say","text":""}', "text"),
        ('{"type":"rename","name":"  "}', "name"),
        ('{"type":"shout","text":"hello"}', "shout"),
        ('{"type":"say","text":"' + "x" * 1001 + '"}', "text"),
    ],
)
def test_what_is_no_message_is_refused_and_the_chat_goes_on(
    client: TestClient, message: str, why: str
) -> None:
    with enter(client, "Ada") as ada:
        ada.ws.send(message)
        ada.say(Say("well"))
        assert why in ada.hear(Refused).why
        assert ada.hear(Said).text == "well"


def test_what_is_too_large_is_not_even_read(client: TestClient) -> None:
    with enter(client, "Ada") as ada:
        ada.ws.send("x" * 9000)
        with pytest.raises(WebSocketClosed, match="1009"):
            ada.ws.receive()


@pytest.mark.parametrize(
    "path",
    [
        "/rooms/Lobby",
        "/rooms/Lobby?name=",
        "/rooms/Lobby?name=%20",
        "/rooms/Lobby?name=" + 21 * "x",
        "/rooms/Attic?name=Ada",
    ],
)
def test_who_has_no_name_or_wants_no_room_is_not_let_in(client: TestClient, path: str) -> None:
    with pytest.raises(WebSocketRefused) as refused, client.websocket(path):
        pass
    assert refused.value.response.status == 422


def test_who_reads_nothing_is_closed_and_the_others_go_on(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat, "PAUSE_S", 0)
    with enter(client, "Ada") as ada, enter(client, "Eve") as eve:
        ada.hear(Joined)
        for _ in range(1000):
            ada.say(Say(1000 * "ü"))
            if isinstance(ada.ws.receive_json(ToPage), Left):
                break
        else:
            pytest.fail("Eve is in the room still")
        with pytest.raises(WebSocketClosed, match="1013"):
            for _ in range(1000):
                eve.ws.receive()


# In a browser...


@pytest.fixture
def server() -> Iterator[Server]:
    forget()
    with serve(app) as server:
        yield server
        expect_no_leaks(server)
    assert not list(rooms)


def is_on(page: Browser) -> None:
    page.wait_for("document.querySelector('#state').className === 'on'")


def open_page(page: Browser, server: Server, name: str) -> None:
    page.goto(server.url)
    is_on(page)
    rename(page, name)


def rename(page: Browser, name: str) -> None:
    page.type("#name", name)
    page.click("#text")
    page.wait_for(f"document.querySelector('#people').innerText.includes('{name} (you)')")


def say(page: Browser, text: str) -> None:
    page.type("#text", text)
    page.click("button")


def sees(page: Browser, *names: str) -> None:
    """Wait until the page shows these, and no others, as being here."""
    shown = "[...document.querySelectorAll('#people li span + span')].map(e => e.textContent)"
    page.wait_for(f"{shown}.sort().join() === {','.join(sorted(names))!r}")


def test_two_pages_see_each_other(server: Server) -> None:
    with ExitStack() as stack:
        ada, grace = (stack.enter_context(Browser.launch()) for _ in range(2))
        open_page(ada, server, "Ada")
        open_page(grace, server, "Grace")
        sees(ada, "Ada (you)", "Grace")
        sees(grace, "Ada", "Grace (you)")

        grace.type("#text", "<b>hello</b> Ada")
        ada.wait_for_text("Grace is typing…")
        grace.click("button")
        ada.wait_for_text("<b>hello</b> Ada")
        assert "typing" not in ada.evaluate("document.body.innerText")
        say(ada, "hello Grace")
        grace.wait_for_text("hello Grace")

        rename(grace, "Rear Admiral")
        sees(ada, "Ada (you)", "Rear Admiral")
        grace.wait_for_text("hello Grace")  # what was said is there again

        grace.click("a[href='#Garden']")
        sees(grace, "Rear Admiral (you)")
        ada.wait_for_text("Rear Admiral has left")
        sees(ada, "Ada (you)")
        grace.click("a[href='#Lobby']")
        ada.wait_for_text("Rear Admiral is here")

        grace.goto("about:blank")  # where it is kept for who goes back, but not in the room
        sees(ada, "Ada (you)")
        assert (ada.errors, grace.errors) == ([], [])


def test_a_page_comes_back_by_itself(server: Server) -> None:
    with Browser.launch() as page:
        open_page(page, server, "Ada")
        say(page, "hello")
        page.wait_for_text("hello")
        (member,) = rooms.get("Lobby").members  # type: ignore[union-attr]
        member.connection.close(1001, "the server stops")
        with LiveClient(server.url) as client, enter(client, "Grace") as grace:
            page.wait_for_text("Grace")
            is_on(page)
            grace.say(Say("there you are"))
            page.wait_for_text("there you are")
            sees(page, "Ada (you)", "Grace")
            page.wait_for_text("hello")
        assert page.errors == []
    wait_until(lambda: not list(rooms))
