"""Messages of a type, one after the other, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, assert_type

import msgspec
import pytest

from photon.ws.errors import InvalidMessage
from photon.ws.messages import Messages
from photon.ws.websocket import WebSocket
from tests.clients import wait_until
from tests.ws.client import Speaker
from tests.ws.serving import Seen, serving


class Message(msgspec.Struct, tag=str.lower):
    pass


class Say(Message):
    text: str


class Move(Message):
    x: int
    y: int


def test_messages_are_of_the_type_until_it_is_closed() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        seen.notes.extend(ws.messages(Say | Move))
        seen.notes.append("end")

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send('{"type":"say","text":"hello"}')
        speaker.send(b'{"type":"move","x":1,"y":2}')
        assert speaker.finish() == (1000, "")
        wait_until(lambda: "end" in seen.notes)
    assert seen.notes == [Say("hello"), Move(1, 2), "end"]


def test_without_a_type_they_are_what_json_has() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        seen.notes.extend(ws.messages())

    with serving(handler) as server, Speaker(server) as speaker:
        for text in ('{"a":[1]}', "null", "7"):
            speaker.send(text)
        speaker.finish()
        wait_until(lambda: len(seen.notes) == 3)
    assert seen.notes == [{"a": [1]}, None, 7]


def test_one_that_is_not_of_the_type_closes_with_1007() -> None:
    def handler(ws: WebSocket) -> None:
        for _ in ws.messages(Say | Move):
            pass

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send('{"type":"move","x":1,"y":"two"}')
        assert speaker.closed() == (1007, "y: Expected `int`, got `str`")


def test_who_catches_it_may_go_on() -> None:
    seen = Seen()

    def handler(ws: WebSocket) -> None:
        messages = ws.messages(Say)
        with pytest.raises(InvalidMessage):
            next(messages)
        seen.notes.extend(messages)

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send("nonsense")
        speaker.send('{"type":"say","text":"x"}')
        speaker.finish()
        wait_until(lambda: seen.notes == [Say("x")])


def test_on_invalid_answers_and_goes_on() -> None:
    def handler(ws: WebSocket) -> None:
        def refuse(error: InvalidMessage) -> None:
            ws.send(f"refused: {error.reason}")

        for message in ws.messages(Say, on_invalid=refuse):
            ws.send(message.text)

    with serving(handler) as server, Speaker(server) as speaker:
        for text in ("{", "7", '{"type":"say","text":"well"}', b"\xff"):
            speaker.send(text)
        assert str(speaker.receive()).startswith("refused: not JSON")
        assert str(speaker.receive()).startswith("refused: Expected `object`")
        assert speaker.receive() == "well"
        assert str(speaker.receive()).startswith("refused: not JSON")
        speaker.finish()


def test_what_on_invalid_raises_is_raised() -> None:
    def handler(ws: WebSocket) -> None:
        def close(error: InvalidMessage) -> None:
            ws.close(4000, error.reason)
            raise error

        for _ in ws.messages(int, on_invalid=close):
            pass

    with serving(handler) as server, Speaker(server) as speaker:
        speaker.send('"x"')
        assert speaker.closed() == (4000, "Expected `int`, got `str`")


class Silent:
    def receive(self) -> str:
        raise AssertionError


@pytest.mark.parametrize(
    ("given", "on_invalid", "says"),
    [
        (Say("x"), None, r"messages are read as a type, such as .* Say\(text='x'\) is no"),
        (5, None, "5 is none that JSON can be read as"),
        (Say, "ignore", r"on_invalid= is a function\(error\) .* not 'ignore': on_invalid=lambda"),
    ],
)
def test_mistakes_are_told_at_once(given: Any, on_invalid: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Messages(Silent(), given, on_invalid)


def as_checkers_see_it(ws: WebSocket) -> Iterator[object]:
    for say in ws.messages(Say):
        assert_type(say, Say)
        yield say
    for anything in ws.messages():
        assert_type(anything, Any)
    # A union is no type[T] to them, until PEP 747 says so: an annotation tells them.
    message: Say | Move
    for message in ws.messages(Say | Move):
        match message:
            case Say(text):
                assert_type(text, str)
            case Move(x, _):
                assert_type(x, int)
