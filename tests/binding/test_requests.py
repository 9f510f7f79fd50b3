"""From bytes on a wire to the arguments of a handler: each source, each shape, each refusal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NewType, NotRequired, TypedDict, TypeVar
from uuid import UUID

import msgspec
import pytest
from msgspec import Meta, Struct

from photon.app.photon import Photon
from photon.binding.markers import Body, Cookie, File, Form, Header, Path, Query
from photon.http.errors import HTTPError
from photon.http.uploads import UploadFile
from photon.testing.client import TestClient
from tests.binding.asking import FORM, JSON, MULTIPART, Seen, ask, multipart, refused


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


UserId = NewType("UserId", int)
Flag = NewType("Flag", bool)

ID = UUID("12345678-1234-5678-1234-567812345678")


# The path...

PATHS: list[tuple[str, Any, str, Any]] = [
    ("{value}", str, "a%20b%2Fc", "a b/c"),
    ("{value}", Any, "5", "5"),
    ("{value}", int, "-5", -5),
    ("{value}", int, "0", 0),
    ("{value}", float, "1.5", 1.5),
    ("{value}", bool, "on", True),
    ("{value}", UUID, str(ID), ID),
    ("{value}", date, "2025-01-31", date(2025, 1, 31)),
    ("{value}", Color, "red", Color.RED),
    ("{value}", Level, "2", Level.HIGH),
    ("{value}", Literal["a", "b"], "b", "b"),
    ("{value}", Literal[1, 2], "2", 2),
    ("{value}", UserId, "7", 7),
    ("{value}", Flag, "off", False),
    ("{value}", Annotated[int, Path(ge=5)], "5", 5),
    ("{value}", Annotated[int, Meta(ge=5)], "5", 5),
    ("{value}", Annotated[bool, Path(description="of a box")], "on", True),
    ("{value}", int | None, "7", 7),
    ("{value}", Decimal, "1.10", Decimal("1.10")),
    ("{value:int}", int, "0", 0),
    ("{value:int}", float, "7", 7.0),
    ("{value:int}", Level, "2", Level.HIGH),
    ("{value:int}", Literal[1, 2], "1", 1),
    ("{value:int}", Annotated[int, Path(lt=5)], "4", 4),
    ("{value:int}", Any, "7", 7),
    ("{value:float}", float, "0.5", 0.5),
    ("{value:float}", int, "2.0", 2),
    ("{value:uuid}", UUID, str(ID), ID),
    ("{value:path}", str, "a/b//c", "a/b//c"),
]


@pytest.mark.parametrize(("template", "annotation", "text", "expected"), PATHS)
def test_a_value_of_the_path(template: str, annotation: Any, text: str, expected: Any) -> None:
    value = Seen(annotation, path=f"/{template}").value(f"/{text}")
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (int, "1.5"),
        (float, "nan"),
        (float, "-inf"),
        (bool, "2"),
        (UUID, "x"),
        (date, "2025-02-30"),
        (Color, "green"),
        (Level, "3"),
        (Literal["a"], "b"),
        (UserId, "x"),
        (Annotated[int, Path(ge=5)], "4"),
        (Annotated[str, Path(pattern="^[a-z]+$")], "A"),
    ],
)
def test_a_value_of_the_path_that_does_not_fit(annotation: Any, text: str) -> None:
    assert refused(Seen(annotation, path="/{value}").ask(f"/{text}")) == [("path", "value")]


def test_a_path_value_of_zero_is_not_missing_when_something_else_is_wrong() -> None:
    app = Photon()

    @app.get("/{id:int}/{size:float}")
    def handler(id: int, size: float, page: int) -> None: ...

    assert refused(ask(app, "GET", "/0/0.0?page=x")) == [("query", "page")]


def test_an_alias_names_the_placeholder() -> None:
    assert Seen(Annotated[int, Path(alias="id")], path="/{id}").value("/7") == 7


# The query...


class Point(Struct):
    x: int
    y: int = 0


class Filter(Struct, rename="camel"):
    q: str | None = None
    page_size: Annotated[int, Meta(ge=1)] = 20
    tags: list[str] = []
    is_new: bool = False
    color: Color | None = None


class Options(TypedDict):
    a: int
    b: NotRequired[int]


@dataclass
class Window:
    start: date
    end: date | None = None


QUERIES: list[tuple[Any, Any, str, Any]] = [
    (str, ..., "?value=", ""),
    (str, ..., "?value=a&value=b", "b"),
    (str | None, None, "?value=null", "null"),
    (str | None, None, "?value=", ""),
    (str | None, None, "", None),
    (int, 5, "", 5),
    (int, 5, "?value=", 5),
    (int | None, None, "?value=", None),
    (int | None, None, "?value=3", 3),
    (bool, False, "?value=on", True),
    (bool, True, "?value=OFF", False),
    (bool | None, None, "?value=yes", True),
    (Annotated[bool, Query()], False, "?value=on", True),
    (Annotated[bool | None, Query(alias="b")], None, "?b=on", True),
    (Flag, ..., "?value=on", True),
    (list[bool], ..., "?value=on&value=0", [True, False]),
    (float, ..., "?value=1e3", 1000.0),
    (Literal["", "all"], ..., "?value=", ""),
    (Literal["", "all"], "all", "?value=", ""),
    (datetime, ..., "?value=2025-01-31T10:00:00Z", datetime(2025, 1, 31, 10, tzinfo=UTC)),
    (Annotated[str, Query(alias="na me")], ..., "?na%20me=x", "x"),
    (Annotated[str, Query(max_length=3)], ..., "?value=abc", "abc"),
    (Annotated[str | None, Query(max_length=3)], None, "?value=abc", "abc"),
    (list[int], ..., "?value=1&value=2", [1, 2]),
    (list[int], [], "", []),
    (list[str] | None, None, "", None),
    (list[str | None], ..., "?value=null", ["null"]),
    (set[str], ..., "?value=a&value=a", {"a"}),
    (tuple[int, str], ..., "?value=1&value=b", (1, "b")),
    (list[Color], ..., "?value=red&value=blue", [Color.RED, Color.BLUE]),
    (Annotated[list[int], Query(explode=False)], ..., "?value=1,2", [1, 2]),
    (Annotated[list[int], Query(style="spaceDelimited")], ..., "?value=1%202", [1, 2]),
    (Annotated[list[int], Query(style="pipeDelimited")], ..., "?value=1|2", [1, 2]),
    (Annotated[list[int], Query(style="pipeDelimited")], ..., "?value=1%7C2", [1, 2]),
    (Annotated[Point, Query(style="deepObject")], ..., "?value[x]=1&value[y]=2", Point(1, 2)),
    (Annotated[Point, Query(style="deepObject")], ..., "?value%5Bx%5D=1&value[y]=", Point(1)),
    (Annotated[Point | None, Query(style="deepObject")], None, "", None),
    (
        Annotated[dict[str, str], Query(style="deepObject")],
        ...,
        "?value[x]=1&value[]=2&other[x]=3&value[x",
        {"x": "1", "": "2"},
    ),
    (Annotated[Point, Query()], ..., "?x=1", Point(1)),
    (Annotated[Filter, Query()], ..., "", Filter()),
    (
        Annotated[Filter, Query()],
        ...,
        "?q=null&pageSize=5&tags=a&tags=b&isNew=on&color=red",
        Filter("null", 5, ["a", "b"], True, Color.RED),
    ),
    (Annotated[Point | None, Query()], None, "", None),
    (Annotated[Point, Query()], Point(5), "?x=7", Point(7)),
    (Annotated[Point, Query()], Point(5), "", Point(5)),
    (Annotated[Options, Query()], ..., "?a=1", {"a": 1}),
    (Annotated[Options, Query()], ..., "?a=1&b=2", {"a": 1, "b": 2}),
    (Annotated[Window, Query()], ..., "?start=2025-01-31", Window(date(2025, 1, 31))),
]


@pytest.mark.parametrize(("annotation", "default", "query", "expected"), QUERIES)
def test_a_value_of_the_query(annotation: Any, default: Any, query: str, expected: Any) -> None:
    seen = Seen(annotation) if default is ... else Seen(annotation, default)
    value = seen.value(f"/{query}")
    assert value == expected
    assert type(value) is type(expected)


V: tuple[str | int, ...] = ("query", "value")


@pytest.mark.parametrize(
    ("annotation", "query", "locs"),
    [
        (str, "", [V]),
        (str | None, "", [V]),
        (int, "?value=", [V]),
        (int | None, "?value=null", [V]),
        (float, "?value=NaN", [V]),
        (float, "?value=Infinity", [V]),
        (float | None, "?value=1e999", [V]),
        (list[float], "?value=1&value=nan", [(*V, 1)]),
        (int, f"?value={'9' * 5000}", [V]),
        (list[int], "?value=1&value=x", [(*V, 1)]),
        (Annotated[list[int], Query(max_length=1)], "?value=1&value=2", [V]),
        (Annotated[Point, Query()], "?y=z", [("query", "x"), ("query", "y")]),
        (
            Annotated[Filter, Query()],
            "?pageSize=0&isNew=2",
            [("query", "pageSize"), ("query", "isNew")],
        ),
        (Annotated[Point, Query(style="deepObject")], "?value[x]=z", [(*V, "x")]),
        (Annotated[Point, Query(style="deepObject")], "", [V]),
    ],
)
def test_a_query_that_does_not_fit(annotation: Any, query: str, locs: list[Any]) -> None:
    assert refused(Seen(annotation).ask(f"/{query}")) == locs


def test_a_default_is_made_anew_for_each_request() -> None:
    app = Photon()

    @app.get("/")
    def handler(
        tags: list[str] = [],  # noqa: B006  # this is what is tested
        sizes: Annotated[list[int], Header()] = [1],  # noqa: B006
        point: Annotated[Point, Query()] = Point(1),  # noqa: B008
    ) -> Any:
        tags.append("x")
        sizes.append(2)
        point.x += 1
        return [tags, sizes, point.x]

    assert [ask(app, "GET", "/").json for _ in range(2)] == [[["x"], [1, 2], 2]] * 2


MARK: Any = object()


def test_a_default_that_is_a_mark_stays_the_mark() -> None:
    assert Seen(str, MARK).value() is MARK


# Headers and cookies...


class Trace(Struct):
    trace_id: str
    sampled: bool = False


HEADERS: list[tuple[Any, tuple[str, ...], Any]] = [
    (Annotated[str, Header()], ("Value: x",), "x"),
    (Annotated[str, Header(alias="x-request_id")], ("X-Request_Id: x",), "x"),
    (Annotated[int, Header()], ("Value: 5",), 5),
    (Annotated[bool, Header()], ("Value: on",), True),
    (Annotated[list[str], Header()], ("Value: a, b,,c",), ["a", "b", "c"]),
    (Annotated[list[int], Header()], ("Value: 1", "Value: 2"), [1, 2]),
    (Annotated[list[int] | None, Header()], ("Value: 1",), [1]),
    (Annotated[Trace, Header()], ("Trace-Id: x", "Sampled: 1"), Trace("x", True)),
    (Annotated[str, Cookie()], ('Cookie: a=b; value="x y"; value=z',), "x y"),
    (Annotated[int, Cookie(alias="n")], ("Cookie: n=5",), 5),
    (Annotated[Trace, Cookie()], ("Cookie: trace_id=x; sampled=on",), Trace("x", True)),
    (Annotated[list[int], Cookie()], ("Cookie: value=1,2",), [1, 2]),
]


@pytest.mark.parametrize(("annotation", "headers", "expected"), HEADERS)
def test_a_header_or_a_cookie(annotation: Any, headers: tuple[str, ...], expected: Any) -> None:
    assert Seen(annotation).value("/", *headers) == expected


def test_underscores_of_a_header_are_hyphens() -> None:
    app = Photon()

    @app.get("/")
    def handler(user_agent: Annotated[str, Header()]) -> str:
        return user_agent

    assert ask(app, "GET", "/", "User-Agent: me").body == b"me"
    assert refused(ask(app, "GET", "/")) == [("header", "user-agent")]


@pytest.mark.parametrize(
    ("annotation", "header", "loc"),
    [
        (Annotated[int, Header()], "Value: x", ("header", "value")),
        (Annotated[list[int], Header()], "Value: 1, x", ("header", "value", 1)),
        (Annotated[list[int], Header()], "Value: , ,", ("header", "value")),
        (Annotated[Trace, Header()], "X: y", ("header", "trace-id")),
        (Annotated[int, Cookie()], "Cookie: value=x", ("cookie", "value")),
        (Annotated[int, Cookie()], "Cookie: nothing", ("cookie", "value")),
    ],
)
def test_a_header_or_a_cookie_that_does_not_fit(annotation: Any, header: str, loc: Any) -> None:
    assert refused(Seen(annotation).ask("/", header)) == [loc]


# JSON bodies...


class Item(Struct):
    name: str
    price: Annotated[float, Meta(gt=0)]
    tags: list[str] = []


class Order(Struct, rename="camel"):
    order_items: list[Item]
    by_name: dict[str, Item] = {}
    sizes: tuple[int, int] = (0, 0)
    note: str | None = None


class Strict(Struct, forbid_unknown_fields=True):
    name: str = ""
    inner: Item | None = None


class Cat(Struct, tag=True):
    lives: int


class Dog(Struct, tag=True):
    tricks: list[str]


class Range(Struct):
    low: int
    high: int

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is over high")


class Account(TypedDict):
    name: str
    age: NotRequired[int]


T = TypeVar("T")


class Page(Struct, Generic[T]):
    items: list[T]


def posted(annotation: Any, default: Any = ..., **options: Any) -> Seen:
    if default is ...:
        return Seen(annotation, method="POST", **options)
    return Seen(annotation, default, method="POST", **options)


ITEM = {"name": "a", "price": 1.5}

BODIES: list[tuple[Any, Any, Any]] = [
    (Item, ITEM, Item("a", 1.5)),
    (Item | None, ITEM, Item("a", 1.5)),
    (Order, {"orderItems": [ITEM], "sizes": [1, 2]}, Order([Item("a", 1.5)], sizes=(1, 2))),
    (list[Item], [ITEM], [Item("a", 1.5)]),
    (dict[str, int], {"a": 1}, {"a": 1}),
    (Cat | Dog, {"type": "Dog", "tricks": ["sit"]}, Dog(["sit"])),
    (Account, {"name": "a"}, {"name": "a"}),
    (Window, {"start": "2025-01-31"}, Window(date(2025, 1, 31))),
    (Page[int], {"items": [1]}, Page([1])),
    (Annotated[int, Body()], 5, 5),
    (Annotated[list[int], Body()], [1], [1]),
    (Annotated[Any, Body()], {"a": [None]}, {"a": [None]}),
    (Annotated[Item, Body(embed=True)], {"value": ITEM}, Item("a", 1.5)),
    (Annotated[Item, Body(embed=True, alias="item")], {"item": ITEM}, Item("a", 1.5)),
]


@pytest.mark.parametrize(("annotation", "sent", "expected"), BODIES)
def test_a_body(annotation: Any, sent: Any, expected: Any) -> None:
    assert posted(annotation).value(json=sent) == expected


def test_a_body_of_an_attrs_class() -> None:
    attrs = pytest.importorskip("attrs")
    cls = attrs.make_class("Thing", {"name": attrs.field(type=str), "size": attrs.field(type=int)})
    assert posted(cls).value(json={"name": "a", "size": 1}) == cls("a", 1)
    sent = {"name": 1, "size": "x"}
    assert refused(posted(cls).ask(json=sent)) == [("body", "name"), ("body", "size")]


def test_an_optional_body_may_be_missing_or_null() -> None:
    seen = posted(Item | None, None)
    assert seen.value() is None
    assert seen.value("/", JSON, body=b"null") is None
    assert seen.value("/", json=ITEM) == Item("a", 1.5)


def embedded() -> Photon:
    app = Photon()

    @app.post("/{id}")
    def handler(
        id: int,
        item: Item,
        count: Annotated[int, Body(ge=1)] = 1,
        point: Point = Point(0),  # noqa: B008
    ) -> Any:
        point.x += 1
        return [id, item.name, count, point.x]

    return app


def test_several_parameters_of_the_body_are_members_of_one() -> None:
    app = embedded()
    assert ask(app, "POST", "/7", json={"item": ITEM}).json == [7, "a", 1, 1]
    assert ask(app, "POST", "/7", json={"item": ITEM, "point": {"x": 1}}).json == [7, "a", 1, 2]
    assert ask(app, "POST", "/7", json={"item": ITEM, "count": 3}).json == [7, "a", 3, 1]
    sent = {"item": {"name": "a", "price": -1}, "count": 0}
    locs = refused(ask(app, "POST", "/x", json=sent))
    assert locs == [("path", "id"), ("body", "item", "price"), ("body", "count")]
    assert refused(ask(app, "POST", "/7")) == [("body",)]


def test_members_that_may_all_be_missing_need_no_body() -> None:
    app = Photon()

    @app.post("/")
    def handler(
        sizes: Annotated[list[int], Body()] = [1],  # noqa: B006  # this is what is tested
        count: Annotated[int, Body()] = 1,
    ) -> Any:
        sizes.append(count)
        return sizes

    assert ask(app, "POST", "/").json == [1, 1]
    assert ask(app, "POST", "/", json={}).json == [1, 1]
    assert ask(app, "POST", "/", json={"count": 2}).json == [1, 2]


def test_a_body_that_is_not_strict() -> None:
    assert posted(Point, strict=False).value(json={"x": "1"}) == Point(1)
    assert refused(posted(Point).ask(json={"x": "1"})) == [("body", "x")]
    assert refused(posted(Point, strict=False).ask(json={"x": "z"})) == [("body", "x")]


# Bodies as they are...


def test_a_body_of_bytes() -> None:
    seen = posted(Annotated[bytes, Body()])
    assert seen.value(body=b"\x00\xff") == b"\x00\xff"
    assert refused(seen.ask()) == [("body",)]
    assert posted(Annotated[bytes, Body()], b"none").value() == b"none"


def test_a_body_of_text() -> None:
    seen = posted(Annotated[str, Body(media_type="text/plain")])
    plain = "Content-Type: text/plain; charset=latin-1"
    assert seen.value("/", plain, body=b"\xe9") == "é"
    assert seen.ask("/", JSON, body=b"{}").status == 415
    assert seen.ask("/", "Content-Type: text/plain", body=b"\xe9").status == 400
    assert refused(seen.ask("/", plain)) == [("body",)]


def test_a_body_in_pieces() -> None:
    app = Photon()

    @app.post("/")
    def handler(pieces: Annotated[Iterator[bytes], Body()], factor: int = 1) -> Any:
        return sum(map(len, pieces)) * factor

    assert ask(app, "POST", "/?factor=2", body=b"x" * 200_000).json == 400_000
    assert ask(app, "POST", "/").json == 0
    assert refused(ask(app, "POST", "/?factor=x", body=b"x")) == [("query", "factor")]


# Forms...


class Login(Struct):
    name: str
    remember: bool = False
    roles: list[str] = []


@pytest.mark.parametrize(
    ("annotation", "default", "body", "expected"),
    [
        (Annotated[str, Form()], ..., b"value=a+b%26", "a b&"),
        (Annotated[int, Form()], 3, b"value=", 3),
        (Annotated[int, Form()], 3, b"", 3),
        (Annotated[bool, Form()], False, b"value=on", True),
        (Annotated[list[int], Form()], ..., b"value=1&value=2", [1, 2]),
        (Annotated[list[int], Form()], [], b"x=", []),
        (Annotated[str, Form(alias="user-name")], ..., b"user-name=x", "x"),
        (Annotated[Login, Form()], ..., b"name=x", Login("x")),
        (
            Annotated[Login, Form()],
            ...,
            b"name=x&remember=on&roles=a&roles=b",
            Login("x", True, ["a", "b"]),
        ),
        (Annotated[Login | None, Form()], None, b"other=1", None),
    ],
)
def test_a_form(annotation: Any, default: Any, body: bytes, expected: Any) -> None:
    assert posted(annotation, default).value("/", FORM, body=body) == expected


def test_a_form_that_may_be_missing() -> None:
    assert posted(Annotated[int, Form()], 3).value() == 3
    assert posted(Annotated[int, Form()]).ask().status == 415


@pytest.mark.parametrize(
    ("annotation", "body", "locs"),
    [
        (Annotated[int, Form()], b"value=x", [("body", "value")]),
        (Annotated[int, Form()], b"value=", [("body", "value")]),
        (Annotated[Login, Form()], b"remember=2", [("body", "name"), ("body", "remember")]),
        (Annotated[list[int], Form()], b"value=1&value=x", [("body", "value", 1)]),
        (Annotated[str, Form(max_length=1)], b"value=ab", [("body", "value")]),
    ],
)
def test_a_form_that_does_not_fit(annotation: Any, body: bytes, locs: list[Any]) -> None:
    assert refused(posted(annotation).ask("/", FORM, body=body)) == locs


def test_files_of_a_form() -> None:
    app = Photon()

    @app.post("/")
    def handler(
        title: Annotated[str, Form()],
        image: UploadFile,
        pages: Annotated[list[bytes], File()] = [],  # noqa: B006
        more: list[UploadFile] | None = None,
    ) -> Any:
        names = [file.filename for file in more or []]
        return [title, image.filename, image.read().decode(), [p.decode() for p in pages], names]

    sent = multipart(
        ("title", None, b"t"),
        ("image", "i.txt", b"one"),
        ("pages", "p1", b"p"),
        ("pages", "p2", b"q"),
        ("more", "m", b""),
    )
    answer = ask(app, "POST", "/", MULTIPART, body=sent)
    assert answer.json == ["t", "i.txt", "one", ["p", "q"], ["m"]]
    sent = multipart(("image", None, b"text"), ("pages", None, b"text"))
    locs = refused(ask(app, "POST", "/", MULTIPART, body=sent))
    assert locs == [("body", "title"), ("body", "image"), ("body", "pages")]


def test_a_file_where_a_field_belongs() -> None:
    sent = multipart(("value", "a.txt", b"x"))
    for annotation in (Annotated[str, Form()], Annotated[list[str], Form()]):
        assert refused(posted(annotation).ask("/", MULTIPART, body=sent)) == [("body", "value")]


def test_an_empty_file_is_no_file() -> None:
    sent = multipart(("value", "", b""))
    assert posted(UploadFile | None, None).value("/", MULTIPART, body=sent) is None
    assert refused(posted(UploadFile).ask("/", MULTIPART, body=sent)) == [("body", "value")]


def test_a_file_that_is_too_large() -> None:
    seen = posted(Annotated[bytes, File(max_bytes=3)])
    assert seen.value("/", MULTIPART, body=multipart(("value", "a", b"abc"))) == b"abc"
    answer = seen.ask("/", MULTIPART, body=multipart(("value", "a", b"abcd")))
    assert answer.status == 413
    assert "'value' is larger than the limit of 3 bytes" in answer.json["detail"]


# Everything that is wrong, at once...


def everything() -> Photon:
    app = Photon()

    @app.post("/{id}")
    def handler(
        id: int,
        order: Order,
        page: Annotated[int, Query(ge=1)],
        missing: str,
        agent: Annotated[int, Header(alias="x-agent")],
        session: Annotated[UUID, Cookie()],
        point: Annotated[Point, Query()],
    ) -> None: ...

    return app


def test_all_that_is_wrong_is_told_at_once() -> None:
    sent = {
        "orderItems": [{"name": 1, "price": 2}, ITEM, {"price": 0, "tags": ["a", 1]}],
        "byName": {"a": ITEM, "b": {"name": "b"}},
        "sizes": [1, "x"],
        "note": 5,
    }
    target = "/x?page=0&x=1&y=z"
    answer = ask(everything(), "POST", target, "X-Agent: a", "Cookie: session=s", json=sent)
    assert refused(answer) == [
        ("path", "id"),
        ("query", "page"),
        ("query", "missing"),
        ("header", "x-agent"),
        ("cookie", "session"),
        ("query", "y"),
        ("body", "orderItems", 0, "name"),
        ("body", "orderItems", 2, "name"),
        ("body", "orderItems", 2, "price"),
        ("body", "orderItems", 2, "tags", 1),
        ("body", "byName", "b", "price"),
        ("body", "sizes", 1),
        ("body", "note"),
    ]
    kinds = {tuple(error["loc"]): error["type"] for error in answer.json["errors"]}
    assert kinds["query", "page"] == "range"
    assert kinds["query", "missing"] == "missing"
    assert kinds["body", "orderItems", 2, "price"] == "range"
    assert kinds["body", "note"] == "type"


def test_a_hundred_errors_are_enough() -> None:
    seen = posted(list[Item])
    assert len(refused(seen.ask(json=[{}] * 60))) == 100
    app = Photon()

    @app.post("/")
    def handler(items: list[Item], a: int, b: int) -> None: ...

    locs = refused(ask(app, "POST", "/", json=[{}] * 60))
    assert len(locs) == 100
    assert locs[:2] == [("query", "a"), ("query", "b")]


def test_of_a_large_body_one_error_is_told() -> None:
    sent = [{"name": 1, "price": 0, "tags": ["x" * 1000]}] * 300
    assert refused(posted(list[Item]).ask(json=sent)) == [("body", 0, "name")]


@pytest.mark.parametrize(
    ("annotation", "sent", "locs"),
    [
        (Strict, {"name": "a", "x": 1, "y": 2}, [("body", "x"), ("body", "y")]),
        (Strict, {"inner": {"name": 1}}, [("body", "inner", "name"), ("body", "inner", "price")]),
        (
            Cat | Dog,
            {"type": "Dog", "tricks": [1, "a", 2]},
            [("body", "tricks", 0), ("body", "tricks", 2)],
        ),
        (Cat | Dog, {"type": "Cow"}, [("body", "type")]),
        (Cat | Dog, {"lives": 1}, [("body",)]),
        (Range, {"low": 2, "high": 1}, [("body",)]),
        (
            list[Range],
            [{"low": 2, "high": 1}, {"low": 1, "high": 1}, {"low": 3, "high": 1}],
            [("body", 0), ("body", 2)],
        ),
        (Account, {"age": "x"}, [("body", "name"), ("body", "age")]),
        (Window, {"end": 1}, [("body", "start"), ("body", "end")]),
        (Page[int], {"items": ["x", 1, "y"]}, [("body", "items", 0), ("body", "items", 2)]),
        (dict[str, int], {"a": "x", "b": "y"}, [("body", "a"), ("body", "b")]),
        (dict[str, int], [1, 2], [("body",)]),
        (list[int], {"a": 1}, [("query", "value")]),
    ],
)
def test_each_place_of_a_body(annotation: Any, sent: Any, locs: list[Any]) -> None:
    assert refused(posted(annotation).ask(json=sent)) == locs


def test_what_post_init_says_is_told() -> None:
    (error,) = posted(Range).ask(json={"low": 2, "high": 1}).json["errors"]
    assert error == {"loc": ["body"], "msg": "low is over high", "type": "value"}


class Moody(Struct):
    x: int = 0

    def __post_init__(self) -> None:
        global moods
        moods += 1
        if moods == 1:
            raise ValueError("not in the mood")


moods = 0


def test_a_class_that_fails_once_is_no_500() -> None:
    (error,) = posted(Moody).ask(json={}).json["errors"]
    assert error["msg"] == "not in the mood"


def test_an_error_that_a_client_has_not_made_is_a_500() -> None:
    class Broken(Struct):
        def __post_init__(self) -> None:
            raise KeyError("mine")

    assert posted(Broken).ask(json={}).status == 500


# What cannot be read at all...


def test_the_place_where_json_is_broken() -> None:
    answer = posted(Item).ask("/", JSON, body=b'{"name": "a",\n "price": }')
    assert answer.status == 400
    assert (answer.json["line"], answer.json["column"], answer.json["byte"]) == (2, 11, 24)


@pytest.mark.parametrize("header", ["X: y", "Content-Type: text/plain", "Content-Type: ;;"])
def test_a_body_of_another_type(header: str) -> None:
    answer = posted(Item).ask("/", header, body=b"{}")
    assert answer.status == 415
    assert "application/json" in answer.json["detail"]
    assert "accept: application/json" in answer.head.lower()


def test_a_suffix_is_enough() -> None:
    merge = "Content-Type: application/merge-patch+json; charset=utf-8"
    assert posted(Point).value("/", merge, body=b'{"x": 1}') == Point(1)


def test_a_body_in_another_format() -> None:
    seen = posted(Item, formats=["json", "msgpack"])
    packed = "Content-Type: application/msgpack"
    assert seen.value("/", packed, body=msgspec.msgpack.encode(ITEM)) == Item("a", 1.5)
    sent = msgspec.msgpack.encode({"name": 1})
    locs = refused(seen.ask("/", packed, body=sent))
    assert locs == [("body", "name"), ("body", "price")]
    assert posted(Item).ask("/", packed, body=sent).status == 415


def test_an_error_of_the_handlers_own_is_its_own() -> None:
    app = Photon()

    @app.get("/")
    def handler(page: int = 1) -> None:
        if page == 1:
            raise msgspec.ValidationError("mine")
        raise HTTPError(404)

    assert ask(app, "GET", "/").status == 500
    assert ask(app, "GET", "/?page=2").status == 404


def test_infinity_is_not_sent_on() -> None:
    assert not math.isfinite(float("1e999"))
    assert Seen(Decimal).value("/?value=1.50") == Decimal("1.50")


# What a value may be...


class Painting(Struct):
    color: Color


def test_what_a_value_may_be_is_told_wherever_it_stands() -> None:
    app = Photon()

    @app.get("/{color}")
    def get(
        color: Color,
        other: Color,
        many: Annotated[list[Color], Query()],
        secret: Annotated[Color, Header()],
    ) -> None: ...

    @app.post("/json")
    def take(painting: Painting) -> None: ...

    @app.post("/form")
    def take_form(painting: Annotated[Painting, Form()]) -> None: ...

    @app.put("/form")
    def take_field(color: Annotated[Color, Form()]) -> None: ...

    with TestClient(app) as client:
        answers = [
            client.get("/x?other=y&many=red&many=z", headers={"secret": "s3; it is one of x"}),
            client.post("/json", json={"color": "x"}),
            client.post("/form", data={"color": "x"}),
            client.put("/form", data={"color": "x"}),
        ]
    told = [error["msg"] for answer in answers for error in answer.json()["errors"]]
    choices = "; it is one of " + ", ".join(repr(color.value) for color in Color)
    values = [f"Invalid enum value {value!r}" for value in "xyz"]
    assert told[:3] == [value + choices for value in values]
    assert told[3] == f"Invalid enum value{choices}"
    assert told[4:] == [values[0] + choices] * 3
