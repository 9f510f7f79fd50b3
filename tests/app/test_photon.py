"""`Photon`: what it registers, what it refuses, and routes that come and go."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import date
from http import HTTPStatus
from typing import Any
from unittest import mock

import pytest

from photon.app.photon import Photon
from photon.binding.errors import HandlerError
from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.routing.converters import Converter, Converters
from photon.routing.errors import BuildError, RouteConflict, TemplateError
from photon.routing.route import Route
from photon.runtime.greenlets import spawn
from tests.app.requests import make_request
from tests.clients import Client, request, wait_until


def ask(app: Application, method: str, target: str) -> Response:
    return app(make_request(method, target))


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options"])
def test_each_method_has_a_decorator_that_gives_the_handler_back(method: str) -> None:
    app = Photon()

    def handler() -> str:
        return method

    assert getattr(app, method)("/x", status=202, name="mine")(handler) is handler
    response = ask(app, method.upper(), "/x")
    assert (response.status, response.body) == (202, method.encode())
    (route,) = app.router.routes
    assert route.name == "mine"
    assert route.methods == {method.upper()}
    assert "test_photon.py:" in route.place


def test_one_handler_may_serve_several_methods_and_paths() -> None:
    app = Photon()

    @app.get("/a")
    @app.route("/b", ["GET", "POST"])
    def handler(request: Request) -> str:
        return f"{request.method} {request.path}"

    answers = [ask(app, *where).body for where in (("GET", "/a"), ("GET", "/b"), ("POST", "/b"))]
    assert answers == [b"GET /a", b"GET /b", b"POST /b"]
    assert [route.name for route in app.router.routes] == ["handler", "handler"]


def test_a_status_may_be_a_name() -> None:
    app = Photon()
    app.post("/", status=HTTPStatus.CREATED)(lambda: {"a": 1})
    with serve(app) as server, Client(server) as client:
        client.send(request("POST", "/"))
        assert client.answer().status == 201


def test_who_asks_for_a_page_where_a_websocket_is_learns_how_it_is_opened() -> None:
    app = Photon()

    @app.websocket("/chat/{room}")
    def chat(ws: Any, room: str) -> None: ...

    assert ask(app, "GET", "/chat/x").status == 426


def test_an_application_says_what_it_is() -> None:
    app = Photon(title="Shop", version="2.0")
    app.get("/")(lambda: "x")
    assert repr(app) == "<Photon 'Shop' 2.0, 1 routes>"
    assert Photon().state.__dict__ == {}


# What is refused...


async def not_here() -> None: ...


def without_the_name() -> None: ...


def with_a_stranger(id: int, stranger: Photon) -> None: ...


def undefined(id: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (not_here, "not_here .* is async; .* write `def`"),
        (without_the_name, "without_the_name .* does not take 'id' from the path; add it"),
        (with_a_stranger, "with_a_stranger .* 'stranger' of the type Photon, which cannot be made"),
        (undefined, "undefined .* is not defined where it stands: name 'Nowhere'"),
    ],
)
def test_a_handler_that_cannot_work_is_refused_when_it_is_registered(
    handler: Callable[..., Any], says: str
) -> None:
    app = Photon()
    with pytest.raises(HandlerError, match=says) as caught:
        app.get("/items/{id}")(handler)
    assert f"test_photon.py:{handler.__code__.co_firstlineno}" in str(caught.value)
    assert app.router.routes == ()


def test_a_conflict_names_both_places() -> None:
    app = Photon()
    app.get("/items/{id}")(lambda id: id)
    with pytest.raises(RouteConflict) as caught:
        app.get("/items/{other}")(lambda other: other)
    assert str(caught.value).count("test_photon.py:") == 2
    assert len(app.router.routes) == 1


@pytest.mark.parametrize("path", ["items", "/items/{id", "/{a}/{a}"])
def test_a_template_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(TemplateError):
        Photon().get(path)


def test_a_route_without_methods_is_for_get() -> None:
    app = Photon()
    app.route("/")(lambda: "x")
    assert ask(app, "GET", "/").body == b"x"
    assert ask(app, "POST", "/").status == 405


def test_a_route_of_no_methods_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a method"):
        Photon().route("/", [])(lambda: "x")


def test_middleware_comes_too_late_when_the_application_runs() -> None:
    app = Photon()
    with app.running(), pytest.raises(RuntimeError, match="comes too late"):
        app.middleware(lambda request, application: application(request))
    app.middleware(lambda request, application: application(request))


HERE = r"\(tests/app/test_photon\.py:\d+\)"


def around(request: Request, application: Application) -> Response:
    return application(request)


def handling(request: Request, error: Exception) -> str:
    return "x"


async def around_async(request: Request, application: Application) -> Response:
    return application(request)


async def handling_async(request: Request, error: Exception) -> str:
    return "x"


def one(request: Request) -> Response:
    return Response("x")


def three(number: int, request: Request, application: Application) -> Response:
    return application(request)


class Around:
    def __init__(self, request: Request, application: Application) -> None: ...


class AsyncAround:
    async def __call__(self, request: Request, application: Application) -> Response:
        return application(request)


METHODS = ["route", "get", "head", "post", "put", "patch", "delete", "options", "websocket"]


@pytest.mark.parametrize("method", METHODS)
def test_a_decorator_without_a_path_is_refused(method: str) -> None:
    for path, given in ((around, f"around {HERE}"), (5, "5"), (None, "None")):
        says = f'@app.{method} needs a path: @app.{method}\\("/..."\\); it was given {given}'
        with pytest.raises(TypeError, match=says):
            getattr(Photon(), method)(path)


@pytest.mark.parametrize("status", [0, 199, 600, "201", 200.0, True])
def test_a_status_that_is_none_is_refused(status: Any) -> None:
    with pytest.raises(TypeError, match="a status is a whole number from 200 to 599"):
        Photon().get("/", status=status)


@pytest.mark.parametrize(
    ("wrapper", "says"),
    [
        ("http", "@app.middleware stands without parentheses, above a function"),
        (None, "@app.middleware stands without parentheses, above a function"),
        (5, "5 is no middleware; give a function"),
        (around_async, f"the middleware around_async {HERE} is async: write def"),
        (AsyncAround(), "the middleware .*AsyncAround.* is async: write def"),
        (Around, r"the middleware Around is a class; give an object of it, Around\(...\), or a"),
        (one, f"one {HERE} cannot be called with the request and the application: it takes 1"),
        (three, "three .* it takes 3"),
    ],
)
def test_middleware_that_cannot_be_called_is_refused(wrapper: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Photon().middleware(wrapper)
    if wrapper is not None:
        with pytest.raises(TypeError, match=says):
            Photon(middleware=[around, wrapper])


def test_middleware_called_without_arguments_is_refused() -> None:
    with pytest.raises(TypeError, match="without parentheses"):
        Photon().middleware()


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (handling_async, f"the exception handler handling_async {HERE} is async: write def"),
        (one, f"one {HERE} cannot be called with the request and the error: it takes 1"),
        (three, "three .* it takes 3"),
        (Around, "is a class"),
        ("text", "'text' is no exception handler"),
    ],
)
def test_an_exception_handler_that_cannot_be_called_is_refused(handler: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Photon().exception_handler(404)(handler)


def test_an_exception_handler_for_nothing_is_refused() -> None:
    with pytest.raises(TypeError, match=f"handling {HERE} does not say what for"):
        Photon().exception_handler(handling)  # type: ignore[arg-type]
    for what in ("404", 200, int):
        with pytest.raises(TypeError, match=f"exception handler handling {HERE} is registered for"):
            Photon().exception_handler(what)(handling)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", [404, ValueError])
def test_a_second_exception_handler_is_refused_with_both_places(what: Any) -> None:
    app = Photon()
    app.exception_handler(what)(handling)
    with pytest.raises(ValueError, match=f"{HERE} and .* {HERE} would both answer"):
        app.exception_handler(what)(lambda request, error: "x")


def test_callables_of_other_kinds_are_taken() -> None:
    app = Photon(middleware=[functools.partial(three, 1)])
    app.middleware(mock.Mock())
    app.exception_handler(404)(lambda *arguments: "x")
    app.exception_handler(405)(mock.Mock())


# Paths from routes...


def test_a_path_is_built_from_the_name_of_its_route() -> None:
    app = Photon()

    @app.get("/items/{id:int}/{name}")
    def item(id: int, name: str) -> None: ...

    app.get("/all", name="every one")(lambda: None)
    assert app.path_for("item", id=7, name="a b/c") == "/items/7/a%20b%2Fc"
    assert app.path_for("every one") == "/all"
    with pytest.raises(BuildError, match="needs a value for 'name'"):
        app.path_for("item", id=7)
    with pytest.raises(BuildError, match="does not fit 'id'"):
        app.path_for("item", id="x", name="y")


def test_of_routes_of_one_name_the_one_that_takes_the_values_is_meant() -> None:
    app = Photon()

    app.get("/items", name="items")(lambda: None)
    app.get("/items/{id}", name="items")(lambda id: None)
    assert app.path_for("items") == "/items"
    assert app.path_for("items", id="7") == "/items/7"


def test_a_name_that_no_route_has_is_told_with_those_that_are_near() -> None:
    app = Photon()
    with pytest.raises(BuildError, match="no route named 'item'; there are none at all"):
        app.path_for("item")
    app.get("/a", name="items")(lambda: None)
    with pytest.raises(BuildError, match="no route named 'item'; did you mean 'items'"):
        app.path_for("item")
    with pytest.raises(BuildError, match="no route named 'zzz'; there are items"):
        app.path_for("zzz")


def day_of(text: str) -> date:
    return date.fromisoformat(text)


DAY = Converter("day", date, day_of, date.isoformat)


@pytest.mark.parametrize("converters", [[DAY], Converters(DAY)])
def test_an_application_has_converters_of_its_own(converters: Any) -> None:
    app = Photon(converters=converters)

    @app.get("/on/{day:day}")
    def on(day: date) -> str:
        return f"{day:%d.%m.%Y}"

    assert ask(app, "GET", "/on/2025-01-31").body == b"31.01.2025"
    assert ask(app, "GET", "/on/later").status == 404
    assert app.path_for("on", day=date(2025, 1, 31)) == "/on/2025-01-31"
    with pytest.raises(TemplateError):
        Photon().get("/on/{day:day}")


# While it is served...


def test_routes_come_and_go_while_requests_are_answered() -> None:
    app = Photon()
    app.get("/always/{name}")(lambda name: name)
    failures: list[object] = []
    answered = 0
    is_over = False

    def client_of(server: Any, path: str, statuses: set[int]) -> None:
        nonlocal answered
        with Client(server) as client:
            while not is_over:
                status = client.ask(path).status
                if status not in statuses:
                    failures.append((path, status))
                answered += 1

    with serve(app) as server:
        clients = [spawn(client_of, server, "/always/here", {200}) for _ in range(4)]
        clients += [spawn(client_of, server, "/sometimes/1", {200, 404, 405}) for _ in range(4)]
        for number in range(100):
            route = Route("/sometimes/{n}", ["GET"], lambda request: Response("x"))
            other = Route("/sometimes/1", ["POST"], lambda request: Response("x"))
            app.router.add(route, other)
            before = answered
            wait_until(lambda before=before: answered > before + 8)  # type: ignore[misc]
            app.router.remove(route)
            if number % 2:
                app.get(f"/new/{number}/{{name}}")(lambda name: name)
            wait_until(lambda before=before: answered > before + 16)  # type: ignore[misc]
            app.router.remove(other)
        is_over = True
        for client in clients:
            client.join()
            assert client.error is None
    assert failures == []
    assert answered > 1000
