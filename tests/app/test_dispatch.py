"""From a request to its endpoint, through the middleware."""

from __future__ import annotations

import json
import logging
from typing import Annotated, Any

import pytest

from photon.app.dispatch import compose, make_dispatch
from photon.app.group import Group
from photon.app.photon import Photon
from photon.app.problems import Problems
from photon.binding.markers import Body
from photon.http.application import Application
from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.middleware.cors import CORS
from photon.routing.route import Route
from photon.routing.router import Router
from photon.runtime.cancel import CancelScope
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep
from photon.testing.client import TestClient
from photon.testing.wire import Wire
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


# A slash at the end...


def slashing(policy: Any, **options: Any) -> Photon:
    app = Photon(trailing_slash=policy, **options)
    app.get("/plain")(lambda: "plain")
    app.post("/plain")(lambda: "posted")
    app.get("/slashed/")(lambda: "slashed")
    app.get("/files/{rest:path}")(lambda rest: rest)
    return app


def test_strict_says_what_was_meant() -> None:
    client = TestClient(slashing("strict"))
    for method in ("GET", "POST", "OPTIONS"):
        problem = client.request(method, "/plain/").problem
        assert problem["detail"] == "no route matches '/plain/'; did you mean '/plain'?"
    assert client.get("/slashed").problem["detail"].endswith("did you mean '/slashed/'?")
    assert client.head("/slashed").status == 404


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("/plain/", "/plain"),
        ("/slashed", "/slashed/"),
        ("/plain/?a=b%20c&d", "/plain?a=b%20c&d"),
        ("/pl%61in/", "/pl%61in"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_redirect_keeps_method_and_query(method: str, target: str, location: str) -> None:
    for app, root in ((slashing("redirect"), ""), (below_root(slashing("redirect")), "/in")):
        response = TestClient(app, follow_redirects=False).request(method, f"{root}{target}")
        assert response.status == 308
        assert response.headers["location"] == f"{root}{location}"
    followed = TestClient(slashing("redirect")).post("/plain/", content=b"x")
    assert followed.text == "posted"


def below_root(app: Photon) -> Photon:
    outer = Photon()
    outer.mount("/in", app)
    return outer


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "//evil.example",
        "/%2Fevil.example/",
        "/%5Cevil.example/",
        "///e.example/",
    ],
)
def test_redirect_never_leaves_the_host(target: str) -> None:
    app = Photon(trailing_slash="redirect")
    app.get("/{a}")(lambda a: a)
    app.get("/{a}/{b}/")(lambda a, b: a)
    app.get("/{a}/{b}/{c}/")(lambda a, b, c: a)
    app.get("/x/{rest:path}")(lambda rest: rest)
    location = ask(app, "GET", target).headers.get("location") or "/"
    assert location[0] == "/"
    assert location[1:2] not in ("/", "\\")


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_ignore_answers_as_there(method: str) -> None:
    client = TestClient(slashing("ignore"))
    assert client.request(method, "/plain/").status == 200
    assert client.get("/slashed").text == "slashed"
    response = client.delete("/plain/")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert client.get("/nowhere/").status == client.get("/plain//").status == 404


@pytest.mark.parametrize("policy", ["redirect", "ignore"])
def test_options_are_told_with_either_slash(policy: str) -> None:
    app = slashing(policy)
    client = TestClient(app, follow_redirects=False)
    response = client.options("/plain/")
    assert (response.status, response.headers["allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    app.options("/plain")(lambda: "own")
    assert client.options("/plain/").text == "own"


@pytest.mark.parametrize("policy", ["strict", "redirect", "ignore"])
def test_a_mount_comes_before_the_other_slash(policy: str) -> None:
    app = slashing(policy)
    app.mount("/plain", lambda request: Response("mounted"))
    client = TestClient(app)
    assert client.get("/plain").text == "plain"
    assert client.get("/plain/").text == "mounted"


def test_values_are_taken_from_the_path_as_there() -> None:
    app = Photon(trailing_slash="ignore")
    app.get("/items/{id:int}")(lambda id: id)
    assert TestClient(app).get("/items/7/").json() == 7


# Preflights and CORS...


def preflight(
    app: Photon, path: str, method: str = "GET", origin: str = "https://a.example"
) -> Any:
    headers = {"origin": origin, "access-control-request-method": method}
    return TestClient(app, follow_redirects=False).options(path, headers=headers)


def test_a_preflight_is_told_the_methods_of_its_path() -> None:
    app = slashing("ignore", middleware=[CORS(origins="*"), lambda request, inner: inner(request)])
    inner = Photon()
    inner.put("/put")(lambda: None)
    app.mount("/in", inner)
    app.mount("/function", lambda request: Response("x"))
    methods = "access-control-allow-methods"
    assert preflight(app, "/plain").headers[methods] == "GET, HEAD, OPTIONS, POST"
    assert preflight(app, "/plain/").headers[methods] == "GET, HEAD, OPTIONS, POST"
    assert preflight(app, "/in/put", "PUT").headers[methods] == "OPTIONS, PUT"
    usual = "GET, HEAD, POST, PUT, PATCH, DELETE"
    for path in ("/nowhere", "/in/nowhere", "/function/x", "/%ff"):
        assert preflight(app, path).headers[methods] == usual


@pytest.mark.parametrize("where", ["group", "route"])
def test_a_preflight_is_answered_by_the_middleware_of_its_route(where: str) -> None:
    cors = CORS(origins=["https://a.example"])
    app, group = Photon(trailing_slash="redirect"), Group("/items")
    options: Any = {"middleware": [cors]} if where == "route" else {}
    group.put("/{id}", **options)(lambda id: None)
    group.get("/{id}")(lambda id: None)
    app.include(group, middleware=[cors] if where == "group" else [])
    for path in ("/items/7", "/items/7/"):
        response = preflight(app, path, "PUT")
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert response.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, PUT"
        assert "access-control-allow-origin" not in preflight(app, path, "DELETE").headers
    stranger = preflight(app, "/items/7", "PUT", "https://b.example")
    assert (stranger.status, stranger.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PUT")
    assert "access-control-allow-origin" not in stranger.headers
    assert ("access-control-allow-origin" in preflight(app, "/items/7").headers) == (
        where == "group"
    )


def test_two_routes_of_one_path_have_each_their_own_cors() -> None:
    app = Photon()
    app.get("/x", middleware=[CORS(origins=["https://a.example"])])(lambda: None)
    app.post("/x", middleware=[CORS(origins=["https://b.example"])])(lambda: None)
    allow = "access-control-allow-origin"
    assert preflight(app, "/x", "GET").headers[allow] == "https://a.example"
    assert preflight(app, "/x", "HEAD").headers[allow] == "https://a.example"
    assert allow not in preflight(app, "/x", "POST").headers
    assert preflight(app, "/x", "POST", "https://b.example").headers[allow] == "https://b.example"
    assert preflight(app, "/x", "OPTIONS").status == 204


def test_a_group_may_be_more_generous_than_its_application() -> None:
    app = Photon(middleware=[CORS(origins=["https://a.example"])])
    app.get("/open", middleware=[CORS(origins="*")])(lambda: "x")
    assert preflight(app, "/open", origin="https://b.example").headers[
        "access-control-allow-origin"
    ] == "*"  # fmt: skip
    response = TestClient(app).get("/open", headers={"origin": "https://a.example"})
    assert response.headers.get_all("access-control-allow-origin") == ["*"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/fails", 405),
        ("POST", "/small", 413),
        ("POST", "/typed", 422),
        ("GET", "/fails", 500),
        ("GET", "/slow", 504),
        ("GET", "/in/nowhere", 404),
    ],
)
def test_pages_may_read_why_they_were_refused(method: str, path: str, status: int) -> None:
    app = Photon(middleware=[CORS(origins=["https://a.example"])])
    app.mount("/in", Photon())

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("oh")

    @app.post("/small", body_limit=3)
    def small(body: dict[str, int]) -> None: ...

    @app.post("/typed")
    def typed(body: dict[str, int]) -> None: ...

    @app.get("/slow", timeout=0.01)
    def slow() -> None:
        sleep(60)

    client = TestClient(app, raise_server_exceptions=False)
    response = client.request(
        method, path, json={"a": "b"}, headers={"origin": "https://a.example"}
    )
    assert response.status == status
    assert response.headers["access-control-allow-origin"] == "https://a.example"


# Time and size...


def test_a_request_that_takes_too_long_is_told_where_it_waits() -> None:
    story: list[str] = []
    app = Photon()

    @app.get("/slow", timeout=0.01)
    def slow() -> None:
        try:
            sleep(60)
        except Cancelled as error:
            story.append(error.source)
            raise
        finally:
            story.append("cleaned")

    assert TestClient(app).get("/slow").status == 504
    assert story == ["deadline", "cleaned"]


def test_a_limit_that_middleware_read_past_is_still_kept() -> None:
    def reading(request: Request, application: Application) -> Response:
        request.body()
        return application(request)

    app = Photon(middleware=[reading])

    @app.post("/", body_limit=5)
    def post(body: Annotated[bytes, Body()]) -> int:
        return len(body)

    client = TestClient(app)
    assert client.post("/", content=b"12345").json() == 5
    assert client.post("/", content=b"123456").status == 413
    pieces = client.post("/", content=iter([b"123", b"45"]))
    assert pieces.json() == 5
    assert client.post("/", content=iter([b"123", b"456"])).status == 413
    large = b"x" * 100_000
    assert client.post("/", content=large).status == 413


def test_a_body_that_says_it_is_too_large_is_not_read() -> None:
    called: list[int] = []
    app = Photon()

    @app.post("/", body_limit=5)
    def post(body: Annotated[bytes, Body()]) -> None:
        called.append(len(body))

    with Wire(app) as wire:
        wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n")
        assert wire.receive().startswith(b"HTTP/1.1 413 ")
    assert called == []
