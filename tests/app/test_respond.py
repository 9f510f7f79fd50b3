"""What a handler's value is sent as."""

from __future__ import annotations

import copy
import enum
import functools
from collections import namedtuple
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import msgspec
import pytest

from photon.app.photon import Photon
from photon.app.respond import Responders
from photon.app.unsendable import Unsendable
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import BYTES, JSON, TEXT, Response, StreamResponse
from photon.templating.response import TemplateResponse
from photon.testing.client import TestClient
from tests.app.requests import make_request


def respond(value: Any, status: int | None = None) -> Response:
    return Responders().respond(value, status, make_request("GET", "/"))


class Item(msgspec.Struct):
    name: str


@dataclass
class Point:
    x: int


class Movie(TypedDict):
    title: str


class Pair(NamedTuple):
    value: int
    status: int


Old = namedtuple("Old", "value status")


class Colour(str, enum.Enum):  # noqa: UP042  # StrEnum is the other kind
    RED = "red"


class Text(str):
    pass


TABLE: list[tuple[Any, int, str | None, bytes]] = [
    (None, 204, None, b""),
    ("text", 200, TEXT, b"text"),
    ("h\N{LATIN SMALL LETTER E WITH ACUTE}", 200, TEXT, b"h\xc3\xa9"),
    ("", 200, TEXT, b""),
    (Text("mine"), 200, TEXT, b"mine"),
    (Colour.RED, 200, TEXT, b"red"),
    (b"bytes", 200, BYTES, b"bytes"),
    (bytearray(b"array"), 200, BYTES, b"array"),
    (memoryview(b"view"), 200, BYTES, b"view"),
    ({"a": 1}, 200, JSON, b'{"a":1}'),
    ([1, 2], 200, JSON, b"[1,2]"),
    ({1}, 200, JSON, b"[1]"),
    ([], 200, JSON, b"[]"),
    (0, 200, JSON, b"0"),
    (False, 200, JSON, b"false"),
    (1.5, 200, JSON, b"1.5"),
    (Decimal("1.10"), 200, JSON, b"1.10"),
    (date(2025, 1, 31), 200, JSON, b'"2025-01-31"'),
    (Item("x"), 200, JSON, b'{"name":"x"}'),
    (Point(1), 200, JSON, b'{"x":1}'),
    (Movie(title="M"), 200, JSON, b'{"title":"M"}'),
    (Pair(1, 200), 200, JSON, b"[1,200]"),
    (Old(1, 200), 200, JSON, b"[1,200]"),
    # With a status...
    (("made", 201), 201, TEXT, b"made"),
    (({"a": 1}, 202), 202, JSON, b'{"a":1}'),
    ((None, 404), 404, None, b""),
    ((None, 200), 200, None, b""),
    (("made", HTTPStatus.CREATED), 201, TEXT, b"made"),
    ((Response("r", 200), 203), 203, TEXT, b"r"),
    ((("inner", 201), 202), 202, TEXT, b"inner"),
    (("made", 201, {"content-type": "text/css"}), 201, "text/css", b"made"),
]


@pytest.mark.parametrize(("value", "status", "media_type", "body"), TABLE)
def test_a_value_is_sent_as_the_table_says(
    value: Any, status: int, media_type: str | None, body: bytes
) -> None:
    response = respond(value)
    assert (response.status, response.content_type, response.body) == (status, media_type, body)


@pytest.mark.parametrize("value", [None, "x", b"x", {"x": 1}, iter([b"x"])])
def test_the_status_of_the_route_holds_where_the_value_says_none(value: Any) -> None:
    assert respond(value, 202).status == 202


def test_a_response_is_sent_as_it_is() -> None:
    response = Response("x", 418)
    assert respond(response) is response
    assert respond(response, 201).status == 418
    stream = Response.stream([b"x"])
    assert respond(stream) is stream


def numbers() -> Any:
    yield "1"
    yield b"2"


@pytest.mark.parametrize("make", [numbers, lambda: iter(["1", b"2"]), lambda: map(str, (1, 2))])
def test_an_iterator_is_streamed(make: Any) -> None:
    response = respond(make())
    assert isinstance(response, StreamResponse)
    assert b"".join(response.pieces()) == b"12"
    assert respond((make(), 206)).status == 206


def test_headers_are_a_mapping_or_pairs_and_one_name_may_come_twice() -> None:
    response = respond(("x", 200, {"X-A": "1", "Content-Type": "text/css"}))
    assert list(response.headers) == [("content-type", "text/css"), ("x-a", "1")]
    pairs = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("Content-Type", "text/css")]
    response = respond(("x", 200, pairs))
    assert response.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert response.headers.get_all("content-type") == ["text/css"]


def test_headers_of_a_value_replace_those_of_its_response() -> None:
    inner = Response("x", headers={"x-a": "old", "x-b": "kept"})
    response = respond((inner, 200, {"x-a": "new"}))
    assert (response.headers["x-a"], response.headers["x-b"]) == ("new", "kept")


@pytest.mark.parametrize("value", [object(), {"a": object()}, range(3)])
def test_what_cannot_be_sent_is_an_error_that_says_what_can(value: Any) -> None:
    with pytest.raises(TypeError, match=r"which cannot be sent as JSON.*Return a Response"):
        respond(value)


def test_it_is_told_which_part_cannot_be_sent() -> None:
    says = r"returned dict, .* object is unsupported, at \['a'\]\[1\]\.name\. Return a Response"
    with pytest.raises(Unsendable, match=says):
        respond({"a": [1, Item(object())]})  # type: ignore[arg-type]


def test_models_of_pydantic_are_told_how_to_be_sent() -> None:
    class Model:
        __module__ = "pydantic.main"

    with pytest.raises(Unsendable, match=r"Return its model_dump\(\), or have @app.responder\("):
        respond(Model())
    with pytest.raises(Unsendable, match=r", at \[0\]\. Put its model_dump\(\) there"):
        respond([Model()])


def test_a_header_that_cannot_be_sent_is_an_error() -> None:
    with pytest.raises(Unsendable, match="line break"):
        respond(("x", 200, {"x-a": "1\r\nx-b: 2"}))


@pytest.mark.parametrize("headers", ["text", 5, None, [("a",)], {"a": 1}])
def test_headers_of_another_shape_are_an_error(headers: Any) -> None:
    with pytest.raises(Unsendable, match="Headers are a mapping, or pairs"):
        respond(("x", 200, headers))


@pytest.mark.parametrize(
    "value",
    [
        (1, 2),
        (1, 199),
        (1, 600),
        (1, True),
        ("x", "200"),
        ("x", {"x-a": "1"}),
        (1,),
        (),
        (1, 200, {}, 4),
    ],
)
def test_a_tuple_is_a_value_and_a_status_and_nothing_else(value: Any) -> None:
    with pytest.raises(Unsendable) as caught:
        respond(value)
    assert "a tuple is (value, status) or (value, status, headers), not (" in str(caught.value)
    assert str(caught.value).endswith("for a JSON array return a list")


def test_a_response_in_a_tuple_is_copied_for_it_may_be_shared(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("x")
    for shared in (
        Response("x", headers={"x-a": "1"}),
        Response("x"),
        Response.stream([b"x"], headers={"x-a": "1"}),
        Response.file(tmp_path / "page.txt"),
    ):
        before = list(copy.deepcopy(shared.headers)) if shared._headers else None
        response = respond((shared, 202, {"x-b": "2"}))
        assert type(response) is type(shared)
        assert (response.status, response.headers["x-b"]) == (202, "2")
        assert shared.status == 200
        assert (shared._headers and list(shared._headers)) == before


def text() -> str:
    return "x"


class Closing:
    def close(self) -> None: ...


async def waiting() -> None: ...


async def many() -> AsyncIterator[bytes]:
    yield b""


MISTAKES: list[tuple[Any, str]] = [
    (Closing().close, "the method Closing.close: call it"),
    (text, "the function text: call it"),
    (len, "the function len: call it"),
    (functools.partial(text), "the function text: call it"),
    (HTTPError(404), r"HTTPError\(404\): raise it"),
    (ValueError("oh"), r"ValueError\('oh'\): raise it"),
    (HTTPError, "the class HTTPError: raise it"),
    (Closing, "the class Closing: make an object of it"),
    (many(), r"many \(async_generator\): drop async and await"),
]


@pytest.mark.parametrize(("value", "says"), MISTAKES)
def test_a_mistake_is_an_error_that_says_what_was_meant(value: Any, says: str) -> None:
    for _ in range(2):  # the first one of a class is chosen for, the second one is looked up
        with pytest.raises(Unsendable, match=f"^returned {says}$"):
            respond(value)


def test_a_coroutine_is_an_error_and_no_warning_besides() -> None:
    with pytest.raises(Unsendable, match=r"waiting \(coroutine\): drop async and await"):
        respond(waiting())


@pytest.mark.parametrize("value", ["\ud800", ["\ud800"], [[]]])
def test_what_the_encoder_refuses_is_an_error(value: Any) -> None:
    if isinstance(value, list) and value == [[]]:
        value[0] = value
    with pytest.raises(Unsendable, match="cannot be sent as"):
        respond(value)


# What the client prefers...


class Pen(msgspec.Struct):
    name: str
    price: int = 1


@pytest.fixture
def formats() -> TestClient:
    app = Photon(formats=["json", "msgpack", "yaml"])

    @app.get("/pen")
    def pen() -> Pen:
        return Pen("a")

    @app.post("/pen")
    def echo(pen: Pen) -> Pen:
        return pen

    @app.get("/made")
    def made() -> tuple[Pen, int, dict[str, str]]:
        return Pen("a"), 201, {"x-a": "b"}

    app.get("/text")(lambda: "text")
    app.get("/none")(lambda: None)
    app.get("/only", formats=["msgpack"])(lambda: {"a": 1})
    return TestClient(app)


@pytest.mark.parametrize(
    ("accept", "media_type", "body"),
    [
        (None, "application/json", b'{"name":"a","price":1}'),
        ("*/*", "application/json", b'{"name":"a","price":1}'),
        ("application/*", "application/json", b'{"name":"a","price":1}'),
        ("application/msgpack", "application/msgpack", msgspec.msgpack.encode(Pen("a"))),
        ("application/yaml", "application/yaml", b"name: a\nprice: 1\n"),
        ("text/html, application/yaml;q=0.2", "application/yaml", b"name: a\nprice: 1\n"),
        ("application/json;q=0.1, */*;q=0", "application/json", b'{"name":"a","price":1}'),
    ],
)
def test_the_client_chooses_the_format(
    formats: TestClient, accept: str | None, media_type: str, body: bytes
) -> None:
    response = formats.get("/pen", headers={"accept": accept})
    assert response.headers["content-type"].split(";")[0] == media_type
    assert (response.content, response.headers["vary"]) == (body, "accept")
    head = formats.head("/pen", headers={"accept": accept})
    assert head.headers["content-length"] == str(len(body))
    made = formats.get("/made", headers={"accept": accept})
    assert (made.status, made.headers["x-a"], made.content) == (201, "b", body)


def test_what_cannot_be_had_is_406(formats: TestClient) -> None:
    response = formats.get("/pen", headers={"accept": "text/html"})
    assert response.status == 406
    assert response.headers["content-type"] == "application/problem+json"
    assert "application/msgpack" in response.problem["accepts"]
    assert formats.get("/only", headers={"accept": "application/json"}).status == 406
    # What is no data is sent as what it is.
    assert formats.get("/text", headers={"accept": "application/yaml"}).text == "text"
    assert formats.get("/none", headers={"accept": "text/html"}).status == 204


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/json", b'{"name":"b"}'),
        ("application/msgpack", msgspec.msgpack.encode({"name": "b"})),
        ("application/yaml", b"name: b"),
    ],
)
def test_bodies_come_in_the_formats_of_the_route(
    formats: TestClient, media_type: str, body: bytes
) -> None:
    response = formats.post("/pen", content=body, headers={"content-type": media_type})
    assert response.json(Pen) == Pen("b")
    broken = formats.post("/pen", content=b"\xc1{", headers={"content-type": media_type})
    assert broken.status == 400
    assert broken.headers["content-type"] == "application/problem+json"
    unlike = formats.post("/pen", content=b"5", headers={"content-type": media_type})
    assert unlike.status == 422
    strange = formats.post("/pen", content=body, headers={"content-type": "text/html"})
    assert strange.status == 415


# Responders of the application's own...


class Money:
    def __init__(self, amount: int) -> None:
        self.amount = amount


class Coin(Money): ...


class Note(Response): ...


def answer_of(app: Photon, value: Any, **options: Any) -> Any:
    app.get("/", **options)(lambda: value)
    return TestClient(app).get("/")


@pytest.mark.parametrize(
    ("made", "status", "body"),
    [
        ({"a": 1}, 200, b'{"a":1}'),
        ("text", 200, b"text"),
        (None, 204, b""),
        (({"a": 1}, 202), 202, b'{"a":1}'),
        (("text", 202, {"x-a": "b"}), 202, b"text"),
        (Response("x", 203), 203, b"x"),
    ],
)
@pytest.mark.parametrize("value", [Money(1), Coin(1)])
def test_a_responder_gives_what_a_handler_may_return(
    value: Any, made: Any, status: int, body: bytes
) -> None:
    app = Photon()
    app.responder(Money)(lambda money: made)
    response = answer_of(app, value)
    assert (response.status, response.content) == (status, body)


def test_a_responder_holds_from_when_it_is_registered() -> None:
    app = Photon()
    app.get("/")(lambda: Coin(5))
    client = TestClient(app)
    assert TestClient(app, raise_server_exceptions=False).get("/").status == 500
    app.responder(Money)(lambda money: f"money {money.amount}")
    assert client.get("/").text == "money 5"
    app.responder(Coin)(lambda coin: (Money(coin.amount), 201))
    assert (client.get("/").status, client.get("/").text) == (201, "money 5")


def test_a_responder_heeds_the_status_and_the_formats_of_the_route() -> None:
    app = Photon()
    app.responder(Money)(lambda money: {"amount": money.amount})
    response = answer_of(app, Money(5), status=201, formats=["msgpack"])
    assert response.status == 201
    assert msgspec.msgpack.decode(response.content) == {"amount": 5}


def test_a_responder_may_be_of_a_class_that_is_sent_in_another_way() -> None:
    app = Photon()
    app.responder(type(None))(lambda none: {"ok": True})
    app.responder(str)(lambda text: Response.html(f"<p>{text}</p>"))
    app.get("/text")(lambda: "text")
    assert answer_of(app, None).json() == {"ok": True}
    assert TestClient(app).get("/text").text == "<p>text</p>"


def test_a_responder_holds_in_exception_handlers() -> None:
    app = Photon()
    app.responder(Money)(lambda money: {"amount": money.amount})
    app.exception_handler(404)(lambda request, error: Money(404))
    response = TestClient(app).get("/nowhere")
    assert (response.status, response.json()) == (404, {"amount": 404})


@pytest.mark.parametrize(
    "make", [lambda money: money, lambda money: Coin(1), lambda money: (Money(1), 201)]
)
def test_a_responder_that_gives_the_same_again_is_told(make: Any) -> None:
    app = Photon()
    app.responder(Money)(make)
    says = r"returned Money, whose responder .*lambda.* \(tests/.*\) gives (Money|Coin) again"
    with pytest.raises(TypeError, match=says):
        answer_of(app, Money(1))


def test_responders_that_go_in_a_circle_are_told() -> None:
    app = Photon()
    app.responder(Money)(lambda money: Pen("a"))
    app.responder(Pen)(lambda pen: Money(1))
    with pytest.raises(TypeError, match="turn into that again, without end"):
        answer_of(app, Money(1))


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (5, r"@app.responder\(...\) takes a class, not 5"),
        (object, "what is done with these stays as it is"),
        (tuple, "what is done with these stays as it is"),
        (Response, "what is done with these stays as it is"),
        (Note, "what is done with these stays as it is"),
    ],
)
def test_a_responder_of_what_has_none_is_refused(kind: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Photon().responder(kind)


def test_a_responder_that_cannot_be_called_is_refused() -> None:
    app = Photon()
    with pytest.raises(TypeError, match="cannot be called with the value: it takes 2"):
        app.responder(Money)(lambda money, request: money)  # type: ignore[arg-type, misc]
    app.responder(Money)(lambda money: "x")
    with pytest.raises(ValueError, match="would both make the responses of Money"):
        app.responder(Money)(lambda money: "y")


# Templates...


@pytest.fixture
def pages(tmp_path: Path) -> Photon:
    (tmp_path / "page.html").write_text("<p>{{ name }} {{ request.host }}</p>")
    (tmp_path / "linked.html").write_text("{{ url_for('page', name='b c') }}")
    app = Photon(templates=tmp_path)

    @app.get("/page/{name}")
    def page(name: str) -> TemplateResponse:
        return TemplateResponse("page.html", {"name": name})

    @app.get("/created", status=201)
    def created() -> TemplateResponse:
        return TemplateResponse("page.html", {"name": "made"}, headers={"x-a": "b"})

    @app.get("/tuple")
    def in_a_tuple() -> tuple[TemplateResponse, int, dict[str, str]]:
        return TemplateResponse("page.html", {"name": "t"}), 202, {"x-b": "c"}

    @app.get("/missing")
    def missing() -> TemplateResponse:
        return TemplateResponse("pag.html")

    @app.get("/linked")
    def linked() -> TemplateResponse:
        return TemplateResponse("linked.html")

    @app.exception_handler(404)
    def nothing(request: Request, error: HTTPError) -> TemplateResponse:
        return TemplateResponse("page.html", {"name": "nothing"}, status=404)

    return app


def test_pages_are_rendered(pages: Photon) -> None:
    with TestClient(pages) as client:
        response = client.get("/page/<a>")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.text.startswith("<p>&lt;a&gt; ")
        assert client.head("/page/a").headers["content-length"] == "19"
        assert client.get("/linked").text == "/page/b%20c"
        response = client.get("/created")
        assert (response.status, response.headers["x-a"]) == (201, "b")
        response = client.get("/tuple")
        assert (response.status, response.headers["x-b"]) == (202, "c")
        assert response.text == "<p>t testserver</p>"
        response = client.get("/nowhere")
        assert (response.status, response.text) == (404, "<p>nothing testserver</p>")


def test_a_page_that_is_not_there_is_named(pages: Photon) -> None:
    with pytest.raises(Exception, match=r"pag\.html.*page\.html"):
        TestClient(pages).get("/missing")


def test_broken_pages_are_found_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "broken.html").write_text("{% if %}")
    with pytest.raises(Exception, match=r"broken\.html"), Photon(templates=tmp_path).running():
        raise AssertionError


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(Exception, match="nowhere"),
        Photon(templates=tmp_path / "nowhere").running(),
    ):
        raise AssertionError


def test_pages_without_templates_say_what_is_missing() -> None:
    app = Photon(title="Bare")
    app.get("/")(lambda: TemplateResponse("page.html"))
    with pytest.raises(RuntimeError, match=r"<Photon 'Bare' .* has no templates; say where they"):
        TestClient(app).get("/")
    with pytest.raises(RuntimeError, match=r"Photon\(templates='templates'\)"):
        _ = app.templates
