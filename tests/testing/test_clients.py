"""One behaviour of both clients, the one in memory and the one over sockets."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from photon.app.photon import Photon
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.settings import Limits, ServerSettings
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep_forever
from photon.testing.base import BaseClient
from photon.testing.client import TestClient
from photon.testing.errors import (
    ConnectionLost,
    ResponseTimeout,
    StatusError,
    TooManyRedirects,
)
from photon.testing.live import live_server
from tests.clients import wait_until

Make = Callable[..., AbstractContextManager[BaseClient]]


def in_memory(application: Any, **options: Any) -> AbstractContextManager[BaseClient]:
    return TestClient(application, raise_server_exceptions=False, **options)


@pytest.fixture(params=[in_memory, live_server], ids=["memory", "socket"])
def make(request: pytest.FixtureRequest) -> Make:
    chosen: Make = request.param
    return chosen


def mirror(request: Request) -> Response:
    """Tells what came."""
    body = request.body()
    return Response.json(
        {
            "method": request.method,
            "target": request.target,
            "headers": request.headers.pairs(),
            "cookies": request.cookies,
            "body": body.decode("latin-1"),
        }
    )


def headers_of(told: Any) -> dict[str, str]:
    return dict(told["headers"])


# Verbs and bodies...


@pytest.mark.parametrize("method", ["get", "options", "post", "put", "patch", "delete"])
def test_each_verb_sends_its_method(make: Make, method: str) -> None:
    with make(mirror) as client:
        assert getattr(client, method)("/a").json()["method"] == method.upper()
        assert client.request(method, "/a").json()["method"] == method.upper()


def test_head_has_headers_and_no_body(make: Make) -> None:
    with make(mirror) as client:
        answer = client.head("/")
        assert (answer.status, answer.content) == (200, b"")
        assert int(answer.headers["content-length"]) > 100
        assert client.get("/").status == 200  # the connection is at its end of that response


def test_a_request_says_who_it_is_for(make: Make) -> None:
    with make(mirror) as client:
        told = client.get("/a b/ü?x=1", params={"y": [1, 2], "z": None, "ok": True}).json()
        assert told["target"] == "/a%20b/%C3%BC?x=1&y=1&y=2&ok=true"
        sent = headers_of(told)
        assert client.base_url.endswith(sent["host"])
        assert sent["accept"] == "*/*"
        assert sent["user-agent"] == "photon-testing"
        assert "content-length" not in sent


def test_json_is_sent(make: Make) -> None:
    with make(mirror) as client:
        told = client.post("/", json={"name": "pen"}).json()
        assert json.loads(told["body"]) == {"name": "pen"}
        assert headers_of(told)["content-type"] == "application/json"


def test_a_form_is_sent(make: Make) -> None:
    with make(mirror) as client:
        told = client.post("/", data={"name": "a&b", "tag": ["x", "y"]}).json()
        assert told["body"] == "name=a%26b&tag=x&tag=y"
        assert headers_of(told)["content-type"] == "application/x-www-form-urlencoded"


def test_files_are_sent(make: Make) -> None:
    with make(mirror) as client:
        upload = io.BytesIO(b"abc")
        told = client.post("/", data={"a": 1}, files={"file": ("x.txt", upload)}).json()
        assert headers_of(told)["content-type"].startswith("multipart/form-data; boundary=")
        assert 'name="a"\r\n\r\n1\r\n' in told["body"]
        assert 'filename="x.txt"\r\nContent-Type: text/plain\r\n\r\nabc\r\n' in told["body"]


def test_an_iterator_is_sent_in_chunks(make: Make) -> None:
    with make(mirror) as client:
        told = client.put("/", content=(piece for piece in (b"one", b"", b"two"))).json()
        assert told["body"] == "onetwo"
        assert headers_of(told)["transfer-encoding"] == "chunked"


def test_a_post_without_a_body_says_so(make: Make) -> None:
    with make(mirror) as client:
        assert headers_of(client.post("/").json())["content-length"] == "0"


def test_large_bodies_go_both_ways(make: Make) -> None:
    def echo(request: Request) -> Response:
        return Response.stream(request.chunks())

    data = bytes(range(256)) * 12_000
    with make(echo) as client:
        assert client.post("/", content=data).content == data
        pieces = [data[at : at + 100_000] for at in range(0, len(data), 100_000)]
        assert client.post("/", content=iter(pieces)).content == data


def test_an_upload_ends_when_the_server_refuses_it(make: Make) -> None:
    taken = []

    def endless() -> Iterator[bytes]:
        while True:
            taken.append(1)
            yield b"x" * 10_000

    with make(mirror, settings=ServerSettings(limits=Limits(body_bytes=50_000))) as client:
        answer = client.post("/", content=endless())
        assert answer.status == 413
        assert answer.problem["limit"] == 50_000
        assert len(taken) < 2000
        assert client.post("/", content=b"x" * 5_000_000).status == 413
        assert client.get("/").status == 200


def test_a_client_that_announces_its_body_may_send_it_at_once(make: Make) -> None:
    with make(mirror) as client:
        answer = client.post("/", content=b"abc", headers={"expect": "100-continue"})
        assert answer.json()["body"] == "abc"


def test_files_are_received(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "film"
    path.write_bytes(bytes(range(256)) * 4000)
    with make(lambda request: Response.file(path)) as client:
        assert client.get("/").content == path.read_bytes()
        part = client.get("/", headers={"range": "bytes=-10"})
        assert (part.status, part.content) == (206, bytes(range(246, 256)))


def test_the_other_protocol_serves_as_well(make: Make) -> None:
    with make(mirror, settings=ServerSettings(protocol="h11")) as client:
        assert client.post("/", content=iter([b"a", b"b"])).json()["body"] == "ab"


# Headers and cookies...


def test_headers_of_the_client_and_of_the_request(make: Make) -> None:
    with make(mirror, headers={"X-One": "1", "X-Two": "2"}) as client:
        told = client.get("/", headers={"x-two": "b", "accept": None, "x-three": "3"}).json()
        sent = headers_of(told)
        assert (sent["x-one"], sent["x-two"], sent["x-three"]) == ("1", "b", "3")
        assert "accept" not in sent
        several = client.get("/", headers=[("x-two", "b"), ("x-two", "c")]).json()
        assert [v for n, v in several["headers"] if n == "x-two"] == ["b", "c"]


def test_response_headers_ignore_case_and_may_come_several_times(make: Make) -> None:
    def several(request: Request) -> Response:
        return Response("", headers=[("Link", "a"), ("link", "b"), ("X-Who", "me")])

    with make(several) as client:
        headers = client.get("/").headers
        assert headers["x-WHO"] == "me"
        assert headers.get_all("LINK") == ["a", "b"]


def cookie_app() -> Photon:
    app = Photon()

    @app.get("/in")
    def log_in() -> Response:
        response = Response("in")
        response.set_cookie("session", "s1")
        response.set_cookie("deep", "d", path="/deep")
        return response

    @app.get("/out")
    def log_out() -> Response:
        response = Response("out")
        response.delete_cookie("session")
        return response

    @app.get("/me")
    @app.get("/deep/er")
    def me(request: Request) -> dict[str, str]:
        return request.cookies

    return app


def test_cookies_are_kept(make: Make) -> None:
    with make(cookie_app(), cookies={"theme": "dark"}) as client:
        assert client.get("/me").json() == {"theme": "dark"}
        assert client.get("/in").cookies == {"session": "s1", "deep": "d"}
        assert client.get("/me").json() == {"theme": "dark", "session": "s1"}
        assert client.get("/deep/er").json() == {"theme": "dark", "session": "s1", "deep": "d"}
        assert client.cookies["session"] == "s1"
        once = client.get("/me", cookies={"session": "other", "once": "1"}).json()
        assert once == {"theme": "dark", "session": "other", "once": "1"}
        client.cookies["session"] = "mine"
        assert client.get("/me").json()["session"] == "mine"
        del client.cookies["session"]
        assert client.get("/me").json() == {"theme": "dark"}
        client.get("/in")
        assert client.get("/out").cookies == {}
        assert client.get("/me").json() == {"theme": "dark"}
        client.cookies.clear()
        assert client.get("/me").json() == {}


# Redirects...


def redirecting(request: Request) -> Response:
    if request.path.startswith("/to/"):
        return Response.redirect(request.query["url"], int(request.path[4:]))
    if request.path == "/loop":
        return Response.redirect("/loop")
    return mirror(request)


@pytest.mark.parametrize(
    ("status", "method", "becomes"),
    [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (302, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"),
        (307, "POST", "POST"),
        (308, "PATCH", "PATCH"),
    ],
)
def test_a_redirect_changes_the_method_as_browsers_do(
    make: Make, status: int, method: str, becomes: str
) -> None:
    with make(redirecting) as client:
        body = {} if method == "HEAD" else {"json": [1]}
        answer = client.request(method, f"/to/{status}", params={"url": "/end?a=1"}, **body)  # type: ignore[arg-type]
        assert answer.status == 200
        assert answer.method == becomes
        assert answer.url == f"{client.base_url}/end?a=1"
        assert [step.status for step in answer.history] == [status]
        if becomes != "HEAD":
            told = answer.json()
            assert told["method"] == becomes
            assert told["body"] == ("" if becomes == "GET" else "[1]")
            assert ("content-type" in headers_of(told)) == (becomes != "GET")


def test_redirects_are_left_alone_when_the_test_says_so(make: Make) -> None:
    with make(redirecting) as client:
        answer = client.get("/to/302?url=/end", follow_redirects=False)
        assert (answer.status, answer.headers["location"]) == (302, "/end")
        client.follow_redirects = False
        assert client.get("/to/302?url=/end").status == 302
        assert client.get("/to/302?url=/end", follow_redirects=True).status == 200


def test_a_redirect_to_what_is_no_page_is_the_answer(make: Make) -> None:
    with make(redirecting) as client:
        answer = client.get("/to/302", params={"url": "myapp://back?code=1"})
        assert (answer.status, answer.headers["location"]) == (302, "myapp://back?code=1")


def test_redirects_in_a_circle_end(make: Make) -> None:
    with make(redirecting) as client:
        with pytest.raises(TooManyRedirects, match="redirect number 21, to '/loop'"):
            client.get("/loop")
        assert client.get("/end").status == 200


def test_an_iterator_cannot_be_sent_twice(make: Make) -> None:
    with make(redirecting) as client:
        with pytest.raises(ValueError, match="an iterator that is used up: give it as bytes"):
            client.post("/to/307?url=/end", content=iter([b"x"]))


# Responses...


class Item(msgspec.Struct):
    id: int
    name: str


def test_a_response_is_read_in_all_ways(make: Make) -> None:
    def item(request: Request) -> Response:
        return Response.json({"id": 1, "name": "pén"}, 201)

    with make(item) as client:
        answer = client.get("/")
        assert (answer.status, answer.reason) == (201, "Created")
        assert answer.json(Item) == Item(1, "pén")
        assert answer.text == '{"id":1,"name":"pén"}'
        assert answer.raise_for_status() is answer
        assert b"".join(answer.iter_bytes()) == answer.content


def test_an_error_is_a_problem(make: Make) -> None:
    def missing(request: Request) -> Response:
        raise HTTPError(404, "there is no such pen", pen=3)

    with make(missing) as client:
        answer = client.get("/pens/3")
        assert answer.problem["detail"] == "there is no such pen"
        with pytest.raises(StatusError, match=r"404 Not Found to GET .*no such pen") as raised:
            answer.raise_for_status()
        assert raised.value.response is answer


def test_a_crash_is_a_500_for_who_wants_to_see_it(make: Make) -> None:
    with make(lambda request: 1 / 0) as client:
        assert client.get("/").status == 500


def test_a_crash_within_the_body_cuts_the_connection(make: Make) -> None:
    def crash(request: Request) -> Response:
        return Response.stream(pieces())

    def pieces() -> Iterator[bytes]:
        yield b"begun"
        raise ValueError("in the middle")

    with make(crash) as client:
        with pytest.raises(ConnectionLost, match="before its response was complete"):
            client.get("/")


# Streams...


def test_a_stream_is_read_as_it_comes(make: Make) -> None:
    gates: list[str] = []

    def pieces() -> Iterator[str]:
        yield "one\ntw"
        wait_until(lambda: "first" in gates)
        yield "o\r\nthree"

    with make(lambda request: Response.stream(pieces(), content_type="text/plain")) as client:
        with client.stream("GET", "/") as answer:
            assert answer.status == 200
            lines = answer.iter_lines()
            assert next(lines) == "one"
            gates.append("first")
            assert list(lines) == ["two", "three"]


def test_events_are_read_as_they_come(make: Make) -> None:
    text = "retry: 100\nid: 7\nevent: tick\ndata: 1\ndata: 2\n\n: nothing\n\ndata: é\n\ndata: cut"

    def events(request: Request) -> Response:
        return Response.stream(text, content_type="text/event-stream")

    with make(events) as client:
        with client.stream("GET", "/") as answer:
            first, second = answer.iter_events()
    assert (first.event, first.data, first.id, first.retry) == ("tick", "1\n2", "7", 100)
    assert (second.event, second.data, second.id, second.retry) == ("message", "é", "7", None)


class Endless:
    """Streams for ever, in one of two ways, and tells how it ended."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.ends: list[str] = []

    def __call__(self, request: Request) -> Response:
        if self.how == "before":
            self._wait()
        return Response.stream(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        try:
            yield b"begun"
            while self.how == "busy":
                yield b"x" * 10_000
            self._wait()
        finally:
            self.ends.append("closed")

    def _wait(self) -> None:
        try:
            sleep_forever()
        except Cancelled as error:
            self.ends.append(error.source)
            raise


@pytest.mark.parametrize("how", ["waiting", "busy"])
def test_who_leaves_a_stream_early_stops_its_handler(make: Make, how: str) -> None:
    endless = Endless(how)
    with make(endless) as client:
        with client.stream("GET", "/") as answer:
            assert next(answer.iter_bytes()).startswith(b"begun")
        wait_until(lambda: "closed" in endless.ends)
        assert endless.ends == (["disconnect", "closed"] if how == "waiting" else ["closed"])


def test_a_client_that_loses_patience_stops_the_handler(make: Make) -> None:
    endless = Endless("before")
    with make(endless) as client:
        with pytest.raises(ResponseTimeout, match=r"GET .*/slow: the server sent nothing for 0.05"):
            client.get("/slow", timeout_s=0.05)
        wait_until(lambda: endless.ends)
        assert endless.ends == ["disconnect"]


def test_an_error_of_the_test_leaves_the_stream(make: Make) -> None:
    endless = Endless("waiting")
    with make(endless) as client:
        with pytest.raises(KeyError), client.stream("GET", "/"):
            raise KeyError
        wait_until(lambda: endless.ends)


def test_a_stream_may_be_read_as_a_whole(make: Make) -> None:
    with make(mirror) as client:
        with client.stream("POST", "/", content=b"all") as answer:
            with pytest.raises(RuntimeError, match=r"the body is streamed: .* call read\(\)"):
                _ = answer.content
            assert "streamed" in repr(answer)
            answer.read()
            assert answer.json()["body"] == "all"


def test_a_body_is_iterated_once(make: Make) -> None:
    with make(mirror) as client, client.stream("GET", "/") as answer:
        assert b"".join(answer.iter_bytes())
        with pytest.raises(RuntimeError, match="already iterated"):
            list(answer.iter_bytes())


# Mistakes...


MISTAKES: list[tuple[str, dict[str, Any], str]] = [
    ("items", {}, "'items' is no path: it begins with a slash, as in '/items'"),
    ("/", {"json": 1, "data": {"a": 1}}, "one body: give json or data or files, not both"),
    ("/", {"json": 1, "content": b""}, "one body: give json or content, not both"),
    ("/", {"data": b"raw"}, "data is the fields of a form"),
    ("/", {"content": {"a": 1}}, "give a dict as json or as data"),
    ("/", {"content": 3}, "content is bytes, or an iterator of them, not int"),
    ("/", {"content": [1]}, "content gives int; its pieces are bytes"),
    ("/", {"files": b"raw"}, "files are named"),
    ("/", {"data": {"file": io.BytesIO()}}, "files go into files="),
    ("/", {"data": {"a": {"b": 1}}}, "nested values need json="),
    ("/", {"headers": {"a b": "c"}}, "'a b' cannot be the name of a header"),
    ("/", {"headers": {"a": "b\r\nc: d"}}, "has a line break"),
    ("/", {"headers": {"content-length": "3"}, "content": b"x"}, "is no HTTP: "),
    ("/", {"allow_redirects": False}, "a request has no 'allow_redirects': here it is follow_red"),
    ("/", {"parms": {}}, "a request has no 'parms': here it is params"),
    ("/", {"verify": False}, "a request has no 'verify': it has params, json, data, files, "),
    ("/", {"timeout_s": 0}, "timeout_s is 0; it is a number of seconds above 0"),
    ("ftp://host/", {}, "is no URL: it is written http://host/path"),
    ("http://me:pw@host/", {}, "send an Authorization header"),
]


@pytest.mark.parametrize(("url", "options", "says"), MISTAKES)
def test_a_mistake_is_told(make: Make, url: str, options: dict[str, Any], says: str) -> None:
    with make(mirror) as client:
        with pytest.raises((TypeError, ValueError)) as raised:
            client.post(url, **options)
        assert says in str(raised.value)
        assert client.get("/").status == 200


@pytest.mark.parametrize("application", [None, "app:app", Photon, lambda: None])
def test_what_is_no_application_is_refused(make: Make, application: Any) -> None:
    with pytest.raises(TypeError), make(application):
        pass
