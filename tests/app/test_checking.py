"""Values held against their types: those that are declared, and those that are sent."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import msgspec
import pytest

from photon.app.photon import Photon
from photon.binding.errors import HandlerError
from photon.http.response import Response
from photon.testing.client import TestClient

HERE = r"\(tests/app/test_checking\.py:\d+\)"


class Item(msgspec.Struct):
    name: str
    price: float = 0.0


class Order(msgspec.Struct):
    items: list[Item]
    by: Item | None = None


class Stored(Item):
    password: str = "secret"


@dataclass
class Point:
    x: int
    y: int


class Row(TypedDict, total=False):
    id: int


class Both(NamedTuple):
    a: int
    b: str


class Colour(enum.Enum):
    RED = "red"


class Record:
    """As an ORM gives it."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


def answer(type_: Any, value: Any, *, checks: bool = True, **options: Any) -> Any:
    """What a client gets of a handler that declares the type, and returns the value."""
    app = Photon(check_responses=checks)

    def handler() -> Any:
        return value

    handler.__annotations__["return"] = type_
    app.get("/", **options)(handler)
    return TestClient(app, raise_server_exceptions=True).get("/")


# What is declared...

GOOD: list[tuple[Any, Any]] = [
    (Item, Item("a")),
    (Item, {"name": "a", "price": 1}),
    (Item, (Item("a"), 201)),
    (Item, ({"name": "a"}, 201, {"x-a": "b"})),
    (Item, Response("x")),
    (Item, (Response("x"), 201)),
    (Item | None, None),
    (list[Item], [Item("a"), {"name": "b"}]),
    (list[Item], []),
    (dict[str, Item], {"a": Item("b")}),
    (dict[int, str], {1: "a"}),
    (Item | Point, Point(1, 2)),
    (Item | Response, Item("a")),
    (Item | tuple[Point, Literal[410]], (Point(1, 2), 410)),
    (tuple[Item, int], (Item("a"), 201)),
    (tuple[Item, int, dict[str, str]], (Item("a"), 201, {})),
    (Row, {"id": 1}),
    (Row, {}),
    (Both, Both(1, "a")),
    (Colour, Colour.RED),
    (datetime, datetime(2025, 1, 1, tzinfo=UTC)),
    (UUID, UUID(int=1)),
    (Decimal, Decimal("1.5")),
    (Annotated[int, msgspec.Meta(ge=1)], 5),
    (str, "text"),
    (bytes, b"bytes"),
    (None, None),
    (Any, object),
    (object, {"a": 1}),
    (dict[str, Any], {"a": Item("b")}),
    (Iterator[str], iter(["a"])),
    (list[Item], iter(["streamed"])),
    (Response, Response("x")),
]


@pytest.mark.parametrize(("type_", "value"), GOOD[:27] + GOOD[28:])
def test_what_is_declared_may_be_returned(type_: Any, value: Any) -> None:
    assert answer(type_, value).status in (200, 201, 204, 410)


BAD: list[tuple[Any, Any, str]] = [
    (Item, {"name": 5}, r".name: Expected `str`, got `int`"),
    (Item, {"price": 5}, r".name: this is missing"),
    (Item, Item(5), r".name: Expected `str`, got `int`"),  # type: ignore[arg-type]
    (Item, {"name": "a", "password": "x"}, r".password: Item has nothing of this name"),
    (Item, Stored("a"), r".password: Item has nothing of this name"),
    (Item, None, r"it: Expected `object`, got `null`"),
    (Item, ({"name": 5}, 201), r".name: Expected `str`"),
    (list[Item], [Item("a"), {"name": 5}], r"\[1\].name: Expected `str`, got `int`"),
    (list[Item], [Item("a"), Stored("b")], r"\[1\].password: Item has nothing"),
    (list[Item], Item("a"), r"it: Expected `array`, got `object`"),
    (Order, {"items": [{"name": "a", "z": 1}]}, r".items\[0\].z: Item has nothing"),
    (Order, Order([], by=Stored("a")), r".by.password: Item has nothing"),
    (dict[str, Item], {"a": {"name": 5}}, r".a.name: Expected `str`"),
    (dict[str, Item], {"a": Stored("x")}, r".a.password: Item has nothing"),
    (Item | None, {"name": 5}, r".name: Expected `str`"),
    (Item | Response, {"name": 5}, r".name: Expected `str`"),
    (tuple[Item, int], ({"name": 5}, 201), r".name: Expected `str`"),
    (tuple[Item, int], {"name": 5}, r".name: Expected `str`"),
    (Annotated[int, msgspec.Meta(ge=1)], 0, r"it: Expected `int` >= 1"),
    (Literal["a", "b"], "c", r"it: Invalid enum value 'c'"),
    (None, {"a": 1}, r"it: Expected `null`, got `object`"),
    (str, 5, r"it: Expected `str`, got `int`"),
    (Row, {"id": "1"}, r".id: Expected `int`, got `str`"),
]


@pytest.mark.parametrize(("type_", "value", "says"), BAD)
def test_what_is_not_declared_is_shown(type_: Any, value: Any, says: str) -> None:
    with pytest.raises(TypeError, match=f"handler {HERE} returned what is no .*:\n  {says}"):
        answer(type_, value)
    assert answer(type_, value, checks=False).status in (200, 201, 204)


def test_all_differences_are_shown_up_to_ten() -> None:
    with pytest.raises(TypeError) as caught:
        answer(list[Item], [{"name": number} for number in range(15)])
    assert str(caught.value).count("Expected `str`") == 10
    assert str(caught.value).endswith("\n  and 5 more")


def test_what_msgspec_cannot_read_is_not_compared() -> None:
    assert answer(Record, {"a": 1}).status == 200
    assert answer(list[Record], [{"a": 1}]).status == 200
    # And what it cannot write is told as ever.
    with pytest.raises(TypeError, match="returned Record, which cannot be sent as JSON"):
        answer(Item, Record(name="a"))


def test_a_client_learns_nothing_of_it() -> None:
    app = Photon(check_responses=True)

    @app.get("/")
    def index() -> Item:
        return {"name": "a", "password": "x"}  # type: ignore[return-value]

    response = TestClient(app, raise_server_exceptions=False).get("/")
    assert response.status == 500
    assert "password" not in response.text


@pytest.mark.parametrize(("dev", "checks"), [("1", True), ("0", False), ("", False)])
def test_it_is_on_in_development(dev: str, checks: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTON_DEV", dev)
    app, never = Photon(), Photon(check_responses=False)
    for each in (app, never):
        handler: Callable[[], Item] = lambda: {"name": 5}  # type: ignore[assignment, return-value]  # noqa: E731
        handler.__annotations__["return"] = Item
        each.get("/")(handler)
    status = TestClient(app, raise_server_exceptions=False).get("/").status
    assert status == (500 if checks else 200)
    assert TestClient(never).get("/").status == 200


def test_it_costs_nothing_where_it_is_off() -> None:
    sources: list[str] = []
    for checks in (True, False):
        app = Photon(check_responses=checks)

        @app.get("/")
        def index() -> Item:
            return Item("a")

        TestClient(app).get("/")
        sources.append(app.router.routes[0].endpoint.source)
    assert "check(value)" in sources[0]
    assert "check" not in sources[1]


# What is sent...

A, B = {"name": "a", "price": 0.0}, {"name": "b", "price": 0.0}


@pytest.mark.parametrize(
    ("type_", "value", "sent"),
    [
        (Item, Stored("a"), A),
        (Item, Record(name="a", price=1, password="x"), {"name": "a", "price": 1.0}),
        (Item, {"name": "a", "password": "x"}, A),
        (list[Item], [Stored("a"), Record(name="b")], [A, B]),
        (dict[str, Item], {"a": Stored("b")}, {"a": B}),
        (Order, Order([Stored("a")], by=Stored("b")), {"items": [A], "by": B}),
        (list[Order], [Order([], by=Stored("b"))], [{"items": [], "by": B}]),
        (Order, Record(items=[Stored("a")], by=None), {"items": [A], "by": None}),
        (Item | None, Stored("a"), A),
        (Item, (Stored("a"), 201), A),
        (Point, Record(x=1, y=2, z=3), {"x": 1, "y": 2}),
    ],
)  # fmt: skip
def test_what_a_response_type_has_not_is_not_sent(type_: Any, value: Any, sent: Any) -> None:
    response = answer(Any, value, response_type=type_, checks=False)
    assert response.json() == sent


def test_dates_and_the_like_stay_what_they_are() -> None:
    class Event(msgspec.Struct):
        at: datetime
        id: UUID
        price: Decimal
        data: bytes
        inner: Item

    at = datetime(2025, 1, 1, tzinfo=UTC)
    event = Event(at, UUID(int=1), Decimal("1.50"), b"\0", Stored("a"))
    response = answer(Any, event, response_type=Event)
    assert response.json(Event) == Event(at, UUID(int=1), Decimal("1.50"), b"\0", Item("a"))
    assert "password" not in response.text


@pytest.mark.parametrize("value", [Response("x"), (Response("x"), 201), iter(["x"])])
def test_responses_are_sent_as_they_are(value: Any) -> None:
    assert answer(Any, value, response_type=Item).text == "x"


@pytest.mark.parametrize("value", [{"name": 5}, None, Record(), 5, "text", [Item("a")]])
def test_what_cannot_be_made_one_is_a_500_that_names_the_handler(value: Any) -> None:
    with pytest.raises(TypeError, match=f"handler {HERE} returned what is no Item: "):
        answer(Any, value, response_type=Item, checks=False)


def test_it_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    app = Photon()
    app.get("/", response_type=Item)(lambda: {"name": 5})
    with caplog.at_level(logging.ERROR):
        response = TestClient(app, raise_server_exceptions=False).get("/")
    assert response.status == 500
    assert "Expected `str`" not in response.text
    assert "Expected `str`, got `int` - at `$.name`" in caplog.text


def test_a_type_that_cannot_be_made_is_refused_when_it_is_registered() -> None:
    says = f"handler {HERE} has a response_type that cannot be made, .*Record"
    with pytest.raises(HandlerError, match=says):
        answer(Any, None, response_type=Record)
