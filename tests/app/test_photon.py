"""`Photon`: what it registers, what it refuses, and routes that come and go."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest

from photon.app.endpoint import HandlerError
from photon.app.photon import Photon
from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.routing.errors import RouteConflict, TemplateError
from photon.routing.route import Route
from photon.runtime.greenlets import spawn
from tests.app.requests import make_request
from tests.clients import Client, request, wait_until


def ask(app: Application, method: str, target: str) -> Response:
    return app(make_request(method, target))


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
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


def test_a_websocket_is_answered_501_in_this_release() -> None:
    app = Photon()

    @app.websocket("/chat/{room}")
    def chat(ws: Any, room: str) -> None: ...

    assert ask(app, "GET", "/chat/x").status == 501


def test_an_application_says_what_it_is() -> None:
    app = Photon(title="Shop", version="2.0")
    app.get("/")(lambda: "x")
    assert repr(app) == "<Photon 'Shop' 2.0, 1 routes>"
    assert Photon().state.__dict__ == {}


# What is refused...


async def not_here() -> None: ...


def without_the_name() -> None: ...


def with_a_stranger(id: int, stranger: str) -> None: ...


def undefined(id: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("handler", "says"),
    [
        (not_here, "not_here .* is async; .* write `def`"),
        (without_the_name, "without_the_name .* does not take 'id' from the path; add it"),
        (with_a_stranger, "with_a_stranger .* 'stranger' that nothing fills"),
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


def test_a_route_without_methods_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a method"):
        Photon().route("/", [])(lambda: "x")


def test_middleware_comes_too_late_when_the_application_runs() -> None:
    app = Photon()
    with app.running(), pytest.raises(RuntimeError, match="comes too late"):
        app.middleware(lambda request, application: application(request))
    app.middleware(lambda request, application: application(request))


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
