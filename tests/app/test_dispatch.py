"""From a request to its endpoint, through the middleware."""

from __future__ import annotations

import json
import logging

import pytest

from photon.app.dispatch import compose, make_dispatch
from photon.app.photon import Photon
from photon.app.problems import Problems
from photon.http.application import Application
from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.routing.route import Route
from photon.routing.router import Router
from photon.runtime.cancel import CancelScope
from photon.runtime.errors import Cancelled
from tests.app.requests import make_request
from tests.clients import Client, request


@pytest.fixture
def app() -> Photon:
    app = Photon()

    @app.get("/items/{id:int}")
    def item(id: int) -> dict[str, int]:
        return {"id": id}

    @app.delete("/items/{id:int}")
    def delete(id: int) -> None: ...

    @app.post("/only-post")
    def create() -> tuple[str, int]:
        return "made", 201

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("oh")

    @app.get("/refuses")
    def refuses() -> None:
        raise HTTPError(409, "no")

    return app


def ask(app: Application, method: str, target: str) -> Response:
    return app(make_request(method, target))


# Routes...


def test_a_request_finds_its_route(app: Photon) -> None:
    assert ask(app, "GET", "/items/7?x=y").body == b'{"id":7}'
    assert ask(app, "DELETE", "/items/7").status == 204


@pytest.mark.parametrize("target", ["/nowhere", "/items/seven", "/items/7/", "//items/7"])
def test_no_route_is_a_404(app: Photon, target: str) -> None:
    response = ask(app, "GET", target)
    assert response.status == 404
    assert response.content_type == "application/problem+json"


def test_a_path_that_is_no_text_is_a_400() -> None:
    app = Photon()

    @app.get("/{name}")
    def hello(name: str) -> str:
        return name

    assert ask(app, "GET", "/%ff").status == 400


@pytest.mark.parametrize("method", ["PUT", "POST", "BREW"])
def test_another_method_is_a_405_with_allow(app: Photon, method: str) -> None:
    response = ask(app, method, "/items/7")
    assert response.status == 405
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_head_is_answered_by_get(app: Photon) -> None:
    assert ask(app, "HEAD", "/items/7").status == 200
    assert ask(app, "HEAD", "/only-post").status == 405
    with serve(app) as server, Client(server) as client:
        client.send(request("HEAD", "/items/7"))
        answer = client.answer(has_content=False)
        assert (answer.status, answer.headers["content-length"]) == (200, "8")
        assert client.ask("/items/7").body == b'{"id":7}'


def test_options_says_what_a_resource_takes(app: Photon) -> None:
    response = ask(app, "OPTIONS", "/items/7")
    assert (response.status, response.body) == (204, b"")
    assert response.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"
    assert "content-type" not in response.headers
    assert ask(app, "OPTIONS", "/nowhere").status == 404


def test_options_of_a_route_of_its_own_is_the_routes(app: Photon) -> None:
    app.route("/own", ["OPTIONS", "GET"])(lambda: "mine")
    assert ask(app, "OPTIONS", "/own").body == b"mine"


def test_options_of_the_whole_server_is_answered(app: Photon) -> None:
    with serve(app) as server, Client(server) as client:
        client.send(request("OPTIONS", "*"))
        assert client.answer().status == 204
        assert client.ask("/items/7").status == 200


def test_an_absolute_target_finds_its_route(app: Photon) -> None:
    with serve(app) as server, Client(server) as client:
        assert client.ask("http://test/items/7?x").body == b'{"id":7}'


# Failures...


def test_a_failure_is_answered_with_its_status(
    app: Photon, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(app, "GET", "/refuses").status == 409
    assert not caplog.records
    assert ask(app, "GET", "/fails").status == 500
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


FATAL: list[tuple[BaseException, int]] = [
    (SystemExit(1), 500),
    (KeyboardInterrupt(), 500),
    (GeneratorExit(), 500),
    (Cancelled("deadline"), 504),
    (Cancelled("shutdown"), 503),
    (Cancelled("scope"), 500),
    (Cancelled("deadline", scope=CancelScope()), 500),
]


@pytest.mark.parametrize(("error", "status"), FATAL)
def test_middleware_sees_a_response_also_for_what_is_no_exception(
    error: BaseException, status: int
) -> None:
    story: list[str] = []
    app = Photon(middleware=[noting(story, "m")])  # type: ignore[list-item]

    @app.get("/")
    def leave() -> None:
        raise error

    assert ask(app, "GET", "/").status == status
    assert story == ["m in", f"m out {status}"]


@pytest.mark.parametrize(
    "error", [Cancelled("disconnect"), ClientDisconnected("gone"), ProtocolError("x", 400, "y")]
)
def test_what_leaves_nobody_to_answer_passes_through_to_the_server(error: BaseException) -> None:
    story: list[str] = []
    app = Photon(middleware=[noting(story, "m")])  # type: ignore[list-item]

    @app.get("/")
    def leave() -> None:
        raise error

    with pytest.raises(type(error)):
        ask(app, "GET", "/")
    assert story == ["m in"]


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("/only-post/", "; did you mean '/only-post'?"),
        ("/items/7/?x", "; did you mean '/items/7'?"),
        ("/folder", "; did you mean '/folder/'?"),
        ("/", "'/'"),
        ("/nowhere/", "'/nowhere/'"),
    ],
)
def test_a_slash_too_many_or_too_few_is_told(app: Photon, target: str, hint: str) -> None:
    app.get("/folder/")(lambda: "x")
    response = ask(app, "GET", target)
    assert response.status == 404
    assert json.loads(response.body)["detail"].endswith(hint)


# Middleware...


def noting(story: list[str], name: str) -> object:
    def middleware(request: Request, application: Application) -> Response:
        story.append(f"{name} in")
        response = application(request)
        story.append(f"{name} out {response.status}")
        return response

    return middleware


def test_the_first_middleware_is_outermost() -> None:
    story: list[str] = []
    first = noting(story, "first")
    app = Photon(middleware=[first])  # type: ignore[list-item]
    app.middleware(noting(story, "second"))  # type: ignore[arg-type]

    @app.get("/")
    def index() -> str:
        story.append("handler")
        return "x"

    assert ask(app, "GET", "/").body == b"x"
    assert story == ["first in", "second in", "handler", "second out 200", "first out 200"]


def test_middleware_sees_the_responses_of_failures_and_of_what_is_not_there() -> None:
    story: list[str] = []
    app = Photon(middleware=[noting(story, "m")])  # type: ignore[list-item]

    @app.get("/fails")
    def fails() -> None:
        raise ValueError

    assert [ask(app, "GET", path).status for path in ("/fails", "/nowhere")] == [500, 404]
    assert ask(app, "OPTIONS", "/fails").status == 204
    assert [line for line in story if "out" in line] == ["m out 500", "m out 404", "m out 204"]


def test_middleware_may_answer_by_itself_and_change_what_comes_back() -> None:
    app = Photon()

    @app.get("/")
    def index() -> str:
        return "x"

    @app.middleware
    def guard(request: Request, application: Application) -> Response:
        if request.query_string:
            return Response("no", 403)
        response = application(request)
        response.headers["x-seen"] = "1"
        return response

    assert ask(app, "GET", "/?x").status == 403
    assert ask(app, "GET", "/").headers["x-seen"] == "1"


def test_middleware_that_raises_is_answered_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    story: list[str] = []
    app = Photon(middleware=[noting(story, "outer")])  # type: ignore[list-item]

    @app.middleware
    def broken(request: Request, application: Application) -> Response:
        if request.query_string:
            raise HTTPError(401, "who are you?")
        raise ValueError("oh")

    assert ask(app, "GET", "/").status == 500
    assert ask(app, "GET", "/?x").status == 401
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert story == ["outer in", "outer out 500", "outer in", "outer out 401"]


def test_an_exception_handler_answers_for_middleware_too() -> None:
    app = Photon()

    @app.exception_handler(ValueError)
    def teapot(request: Request, error: ValueError) -> tuple[str, int]:
        return str(error), 418

    @app.middleware
    def broken(request: Request, application: Application) -> Response:
        raise ValueError("short and stout")

    response = ask(app, "GET", "/")
    assert (response.status, response.body) == (418, b"short and stout")


def test_middleware_that_returns_nothing_is_a_500(caplog: pytest.LogCaptureFixture) -> None:
    app = Photon(middleware=[lambda request, application: None])  # type: ignore[return-value,list-item]
    with serve(app) as server, Client(server) as client:
        assert client.ask("/").status == 500
    (record,) = caplog.records
    assert record.exc_info is not None
    message = str(record.exc_info[1])
    assert message.startswith("the middleware test_middleware_that_returns_nothing_is_a_500.<")
    assert "test_dispatch.py:" in message
    assert message.endswith("returned None instead of a Response; forgot `return`?")


def test_middleware_that_returns_something_else_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = Photon(middleware=[lambda request, application: {"a": 1}])  # type: ignore[return-value,list-item]
    assert ask(app, "GET", "/").status == 500
    assert "returned dict instead of a Response" in caplog.text


@pytest.mark.parametrize(("error", "status"), FATAL)
def test_what_middleware_raises_is_answered_whatever_it_is(
    error: BaseException, status: int
) -> None:
    def leaving(request: Request, application: Application) -> Response:
        raise error

    assert ask(Photon(middleware=[leaving]), "GET", "/").status == status


def test_without_middleware_nothing_is_wrapped() -> None:
    problems = Problems()
    router = Router(Route("/", ["GET"], lambda request: Response("core")))
    core = make_dispatch(router, problems)
    assert compose(core, [], problems) is core
    assert ask(core, "GET", "/").body == b"core"
