"""Applications below a prefix of another one."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photon.app.mounting import Mounts
from photon.app.photon import Photon
from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.ndjson import NDJSON
from photon.http.request import Request
from photon.http.response import Response
from photon.http.sse import EventStream
from photon.http.static import StaticFiles
from photon.openapi.ui import DocsPage
from photon.templating.response import TemplateResponse, TemplateStream
from photon.testing.client import TestClient
from tests.app.requests import make_request


@pytest.mark.parametrize(
    ("prefix", "wanted"),
    [("admin", "'/admin'"), ("/admin/", "'/admin'"), ("/", "''"), ("//", "''")],
)
def test_a_prefix_that_will_not_do_is_told_with_one_that_does(prefix: str, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"write {wanted}$"):
        Photon().mount(prefix, Photon())
    Photon().mount(wanted.strip("'"), Photon())


def seen(request: Request) -> Response:
    """An application that tells what it sees."""
    return Response.json(
        {"path": request.path, "raw": request.raw_path, "root": request.root, "url": request.url}
    )


def view_of(app: Application, target: str) -> tuple[str, str]:
    answer = TestClient(app).get(target)
    assert answer.status == 200, answer
    return answer.json()["path"], answer.json()["root"]


# Who answers...


@pytest.fixture
def app() -> Photon:
    app = Photon()
    app.mount("/a", seen)
    app.mount("/a/b", seen)
    app.mount("/grüße", seen)
    app.mount("/x y", seen)

    @app.get("/a/own")
    def own() -> str:
        return "own"

    @app.post("/a/posted")
    def posted() -> str:
        return "posted"

    return app


@pytest.mark.parametrize(
    ("target", "path", "root"),
    [
        ("/a", "/", "/a"),
        ("/a/", "/", "/a"),
        ("/a/c/d", "/c/d", "/a"),
        ("/a//evil", "//evil", "/a"),
        ("/a/b", "/", "/a/b"),
        ("/a/b/c", "/c", "/a/b"),
        ("/a/bc", "/bc", "/a"),
        ("/a/%2E%2E/c", "/../c", "/a"),
        ("/a?b=c", "/", "/a"),
        ("/%61", "/", "/a"),
        ("/%61/%62/c", "/c", "/a/b"),
        ("/a/%62%2Fc", "/b/c", "/a"),
        ("/gr%C3%BC%c3%9fe/c", "/c", "/gr%C3%BC%C3%9Fe"),
        ("/x%20y/c", "/c", "/x%20y"),
    ],
)
def test_the_longest_prefix_of_whole_segments_answers(
    app: Photon, target: str, path: str, root: str
) -> None:
    assert view_of(app, target) == (path, root)


@pytest.mark.parametrize("target", ["/", "/ab", "//a", "/b/a", "/A", "/a%2Fb", "/%61b"])
def test_what_is_not_below_a_prefix_is_404(app: Photon, target: str) -> None:
    assert TestClient(app).get(target).status == 404


def test_routes_come_before_mounts(app: Photon) -> None:
    client = TestClient(app)
    assert client.get("/a/own").text == "own"
    assert client.post("/a/posted").text == "posted"
    response = client.get("/a/posted")
    assert (response.status, response.headers["allow"]) == (405, "OPTIONS, POST")
    assert client.options("/a/own").headers["allow"] == "GET, HEAD, OPTIONS"


def test_an_empty_prefix_takes_all_that_is_left() -> None:
    app = Photon()
    app.get("/own")(lambda: "own")
    app.mount("", seen)
    client = TestClient(app)
    assert client.get("/own").text == "own"
    for target in ("/", "/x/y", "//evil", "/own/"):
        assert view_of(app, target) == (target, "")
    assert client.options("*").status == 204


def test_mounts_within_mounts_see_all_of_the_root() -> None:
    inner, outer = Photon(), Photon()
    inner.mount("/c", seen)
    outer.mount("/b", inner)
    app = Photon()
    app.mount("/a", outer)
    answer = TestClient(app).get("/a/b/c/d?e=f").json()
    assert answer == {
        "path": "/d",
        "raw": "/d",
        "root": "/a/b/c",
        "url": "http://testserver/a/b/c/d?e=f",
    }


def test_all_methods_and_bodies_pass() -> None:
    def echo(request: Request) -> Response:
        return Response(request.method.encode() + request.body())

    app = Photon()
    app.mount("/echo", echo)
    client = TestClient(app)
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert client.request(method, "/echo/x", content=b" body").content == (
            f"{method} body".encode()
        )
    assert client.head("/echo").headers["content-length"] == "4"


# A Photon in a Photon...


@pytest.fixture
def inner() -> Photon:
    inner = Photon(title="Inner", trailing_slash="redirect")

    @inner.get("/items/{id:int}")
    def item(request: Request, id: int) -> dict[str, Any]:
        return {
            "url": inner.url_for(request, "item", id=id),
            "path": inner.path_for("item", id=id),
            "values": dict(request.path_values),
        }

    @inner.get("/fails")
    def fails() -> None:
        raise LookupError("nothing there")

    @inner.get("/slashed/")
    def slashed() -> str:
        return "slashed"

    @inner.exception_handler(LookupError)
    def lost(request: Request, error: LookupError) -> tuple[str, int]:
        return f"inner: {error}", 410

    return inner


@pytest.fixture
def outer(inner: Photon) -> Photon:
    outer = Photon()

    @outer.exception_handler(LookupError)
    def lost(request: Request, error: LookupError) -> tuple[str, int]:
        return f"outer: {error}", 410

    outer.mount("/in", inner)
    return outer


def test_links_inside_begin_with_the_root(outer: Photon) -> None:
    assert TestClient(outer).get("/in/items/7").json() == {
        "url": "http://testserver/in/items/7",
        "path": "/items/7",
        "values": {"id": 7},
    }


def test_what_is_not_there_is_told_by_the_inner_one(outer: Photon) -> None:
    client = TestClient(outer)
    assert client.get("/in/nowhere").status == 404
    assert client.post("/in/items/7").headers["allow"] == "GET, HEAD, OPTIONS"
    assert client.options("/in/items/7").headers["allow"] == "GET, HEAD, OPTIONS"


def test_errors_inside_are_answered_inside(outer: Photon) -> None:
    assert TestClient(outer).get("/in/fails").text == "inner: nothing there"

    def broken(request: Request) -> Response:
        raise LookupError("of a function")

    outer.mount("/broken", broken)
    assert TestClient(outer).get("/broken").text == "outer: of a function"

    def refusing(request: Request) -> Response:
        raise HTTPError(409, "no")

    outer.mount("/refusing", refusing)
    assert TestClient(outer).get("/refusing").problem["detail"] == "no"


def test_redirects_inside_keep_the_root_and_the_query(outer: Photon) -> None:
    response = TestClient(outer).get("/in/slashed?a=b%20c")
    assert response.text == "slashed"
    assert response.url == "http://testserver/in/slashed/?a=b%20c"


@pytest.mark.parametrize("target", ["/in//evil.example/", "/in/%2Fevil.example/", "/in/\\evil/"])
def test_no_redirect_leaves_the_host(outer: Photon, target: str) -> None:
    client = TestClient(outer, follow_redirects=False)
    assert client.get(target.replace("\\", "%5C")).status == 404


def test_the_document_inside_says_where_it_is(outer: Photon) -> None:
    client = TestClient(outer)
    document = client.get("/in/openapi.json").json()
    assert document["info"]["title"] == "Inner"
    assert document["servers"] == [{"url": "/in"}]
    assert "/items/{id}" in document["paths"]
    assert "Inner" in client.get("/in/docs").text
    assert client.get("/openapi.json").json()["paths"] == {}


def test_what_a_request_carries_is_one_inside_and_outside() -> None:
    story: list[object] = []

    def around(request: Request, application: Application) -> Response:
        request.state.user = "Ann"
        response = application(request)
        story.extend([request.path, request.root, request.state.seen, request.id])
        return response

    inner = Photon()

    @inner.get("/{name}")
    def show(request: Request, name: str) -> str:
        request.on_done(lambda: story.append("done"))
        request.state.seen = (name, request.state.user)
        request.id = "mine"
        return name

    outer = Photon(middleware=[around])
    outer.mount("/in", inner)
    assert TestClient(outer).get("/in/x").text == "x"
    assert story == ["/in/x", "", ("x", "Ann"), "mine", "done"]


def test_the_path_is_whole_again_after_a_failure() -> None:
    def broken(request: Request) -> Response:
        raise ValueError

    paths: list[str] = []

    def around(request: Request, application: Application) -> Response:
        response = application(request)
        paths.append(request.path)
        return response

    app = Photon(middleware=[around])
    app.mount("/broken", broken)
    assert TestClient(app, raise_server_exceptions=False).get("/broken/x").status == 500
    assert paths == ["/broken/x"]


# Streams...


def test_a_handler_that_is_a_generator_sees_what_it_was_called_with() -> None:
    outside: list[str] = []

    def around(request: Request, application: Application) -> Response:
        response = application(request)
        outside.append(request.path)
        request.on_done(lambda: outside.append(request.path))
        return response

    inner = Photon()

    def pieces(request: Request) -> Iterator[str]:
        for _ in range(2):
            yield f"{request.root} {request.path} {inner.url_for(request, 'plain')}\n"

    inner.get("/plain", name="plain")(pieces)

    @inner.get("/events")
    def events(request: Request) -> EventStream:
        return EventStream(pieces(request))

    @inner.get("/lines")
    def lines(request: Request) -> NDJSON:
        return NDJSON(pieces(request))

    middle = Photon()
    middle.mount("/b", inner)
    outer = Photon(middleware=[around])
    outer.mount("/a", middle)
    client = TestClient(outer)
    for name in ("plain", "events", "lines"):
        text = client.get(f"/a/b/{name}").text
        assert text.count(f"/a/b /{name} http://testserver/a/b/plain") == 2
        assert outside == [f"/a/b/{name}"] * 2
        outside.clear()


def test_a_stream_is_closed_when_the_client_leaves() -> None:
    story: list[str] = []
    inner = Photon()

    @inner.get("/endless")
    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            story.append("closed")

    @inner.get("/never")
    def never() -> Iterator[bytes]:
        yield b"x"

    outer = Photon()
    outer.mount("/in", inner)
    client = TestClient(outer)
    with client.stream("GET", "/in/endless") as response:
        assert next(response.iter_bytes())
    assert story == ["closed"]
    assert client.head("/in/never").status == 200


def test_pages_link_to_routes_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<a href='{{ url_for('page', n=7) }}'></a>")
    inner = Photon(templates=tmp_path)

    @inner.get("/page/{n}", name="page")
    def page(n: int) -> TemplateResponse:
        return TemplateResponse("page.html")

    @inner.get("/streamed")
    def streamed() -> TemplateStream:
        return TemplateStream("page.html")

    outer = Photon(templates=tmp_path)
    outer.mount("/in", inner)
    client = TestClient(outer)
    for path in ("/in/page/1", "/in/streamed"):
        assert client.get(path).text == "<a href='/in/page/7'></a>"


# Applications of other kinds...


def test_folders_and_pages_are_mounted(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "index.html").write_text("index")
    app = Photon()
    app.mount("/static", StaticFiles(tmp_path))
    app.mount("/pages", DocsPage("/openapi.json", title="Docs"))
    client = TestClient(app)
    assert client.get("/static/a.txt").text == "text"
    assert client.get("/st%61tic/a.txt").text == "text"
    for path in ("/static/../a.txt", "/static/%2E%2E/x", "/static/..%2Fx", "/static/nope"):
        assert client.get(path).status in (400, 403, 404)
    response = client.post("/static/a.txt")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")
    assert client.get("/pages").status == 200


def test_what_returns_no_response_is_named() -> None:
    app = Photon()
    app.mount("/x", lambda request: "text")  # type: ignore[arg-type, return-value]
    says = r"lambda.* \(tests/app/test_mounting.py:\d+\), mounted at '/x', returned str instead of"
    with pytest.raises(TypeError, match=says):
        TestClient(app).get("/x")


# What they open...


def test_what_mounted_applications_open_is_opened_once_and_closed() -> None:
    story: list[str] = []

    def lifespan_of(name: str) -> Any:
        def lifespan() -> Iterator[None]:
            story.append(f"open {name}")
            yield
            story.append(f"close {name}")

        return lifespan

    inner = Photon(lifespan=lifespan_of("inner"))
    middle = Photon(lifespan=lifespan_of("middle"))
    middle.mount("/inner", inner)
    outer = Photon(lifespan=lifespan_of("outer"))
    outer.mount("/middle", middle)
    outer.mount("/inner", inner)
    outer.mount("/again", inner)
    with TestClient(outer) as client:
        assert client.get("/again/docs").status == 200
        states = [inner.is_running]
    assert [*states, inner.is_running] == [True, False]
    opened = ["open outer", "open middle", "open inner"]
    assert sorted(story[:3]) == sorted(opened)
    assert story[0] == "open outer"
    assert story[3:] == [text.replace("open", "close") for text in reversed(story[:3])]


def test_a_lifespan_of_a_mounted_application_has_to_be_opened() -> None:
    def lifespan() -> Iterator[None]:
        yield

    outer = Photon()
    before = outer.has_lifespan
    outer.mount("/in", Photon(lifespan=lifespan))
    assert (before, outer.has_lifespan) == (False, True)
    with pytest.raises(RuntimeError, match="has a lifespan to open first"):
        TestClient(outer).get("/")


# What is refused...


class NoApplication:
    pass


async def asynchronous(request: Request) -> Response:
    return Response("x")


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


@pytest.mark.parametrize(
    ("application", "says"),
    [
        (Photon, "Photon is a class, not an application: give an object of it"),
        (None, "None is no application"),
        ("static", "'static' is no application"),
        (NoApplication(), "is no application; give one, or a function"),
        (asynchronous, r"application asynchronous \(.*\) is async: write def"),
        (wsgi, r"the application wsgi \(.*\) cannot be called with a request: it takes 2"),
        (lambda: None, "cannot be called with a request: it takes 0"),
    ],
)
def test_what_is_no_application_is_refused(application: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Photon().mount("/x", application)


def test_a_function_with_more_to_it_is_an_application() -> None:
    def with_default(request: Request, more: int = 1) -> Response:
        return Response("x")

    app = Photon()
    app.mount("/default", with_default)
    app.mount("/partial", functools.partial(seen))
    app.mount("/object", Photon())


@pytest.mark.parametrize("prefix", ["/a%62", "/a?b", "/a#b", "/a//b", "/a/..", "/a/{b}"])
def test_a_prefix_that_no_client_sends_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Photon().mount(prefix, seen)


def test_two_at_one_prefix_are_refused() -> None:
    app = Photon()
    app.mount("/x", seen)
    with pytest.raises(ValueError, match=r"seen \(.*\) is mounted at '/x' already"):
        app.mount("/x", Photon())
    app.mount("", seen)
    with pytest.raises(ValueError, match="is mounted at '/' already"):
        app.mount("", Photon())


def test_an_application_is_not_mounted_in_itself() -> None:
    app, other = Photon(), Photon()
    with pytest.raises(ValueError, match="would be mounted in itself"):
        app.mount("/x", app)
    app.mount("/other", other)
    other.mount("/app", app)
    with pytest.raises(RuntimeError, match="would start itself: it is mounted in itself"):
        with app.running():
            raise AssertionError
    assert not app.is_running
    assert not other.is_running


def test_what_would_have_to_be_opened_comes_too_late() -> None:
    app = Photon()
    with TestClient(app) as client:
        with pytest.raises(RuntimeError, match=r"<Photon 'Late'.*comes too late: .* is running al"):
            app.mount("/late", Photon(title="Late"))
        app.mount("/plain", seen)
        assert client.get("/plain").status == 200


def test_a_default_may_be_replaced_once() -> None:
    mounts = Mounts()
    mounts.add("/docs", seen, is_default=True)
    mounts.add("/docs", Photon())
    with pytest.raises(ValueError, match="already"):
        mounts.add("/docs", seen)
    assert len(mounts.all) == 1


def test_a_request_without_a_wire_is_handed_on() -> None:
    app = Photon()
    app.mount("/a", seen)
    request = make_request("GET", "/a/b")
    assert app(request).status == 200
    assert (request.path, request.root) == ("/a/b", "")
