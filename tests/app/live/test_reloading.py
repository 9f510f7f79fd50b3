"""Pages get a script that tells them of new code; nothing else is changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from photon.app.live.reloading import LiveReload
from photon.app.photon import Photon
from photon.http.request import Request
from photon.http.response import Response
from photon.http.static import StaticFiles
from photon.middleware.compression import Compression
from photon.runtime.cancel import fail_after
from photon.testing.client import TestClient
from tests.clients import PATIENCE_S

PAGE = "<!DOCTYPE html><html><body><h1>Shop</h1></body></html>"
NAVIGATION = {"sec-fetch-dest": "document", "accept": "text/html", "accept-encoding": "gzip"}


def make_app(folder: Path) -> Photon:
    app = Photon(middleware=[Compression(minimum_bytes=1)])
    kept = Response.html(PAGE, headers={"etag": '"1"'})

    @app.get("/")
    def index() -> Response:
        return kept

    @app.route("/form", methods=["POST"])
    def form() -> Response:
        return Response.html(PAGE, 422)

    @app.get("/guarded")
    def guarded() -> Response:
        return Response.html(PAGE, headers={"content-security-policy": "default-src 'none'"})

    @app.get("/stream")
    def stream() -> Response:
        return Response.stream(iter([PAGE[:20], PAGE[20:]]), content_type="text/html")

    @app.get("/stream/long")
    def stream_long() -> Response:
        length = {"content-length": str(len(PAGE))}
        return Response.stream(iter([PAGE]), headers=length, content_type="text/html")

    @app.get("/zipped")
    def zipped() -> Response:
        data = gzip.compress(PAGE.encode())
        return Response(data, 200, {"content-encoding": "gzip"}, "text/html")

    @app.get("/json")
    def as_json() -> dict[str, str]:
        return {"page": PAGE}

    @app.get("/nothing")
    def nothing() -> None:
        return None

    @app.get("/away")
    def away() -> Response:
        return Response.redirect("/")

    @app.get("/file")
    def file() -> Response:
        return Response.file(folder / "page.html")

    @app.get("/download")
    def download() -> Response:
        return Response.file(folder / "page.html", download_as="page.html")

    app.mount("/static", StaticFiles(folder))
    return app


@pytest.fixture
def live(tmp_path: Path) -> LiveReload:
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "large.html").write_text(PAGE + " " * 500_000)
    return LiveReload(make_app(tmp_path))


@pytest.fixture
def client(live: LiveReload) -> Iterator[TestClient]:
    with TestClient(live) as client:
        yield client


def script_of(live: LiveReload) -> str:
    return f'<script src="/__photon__/live.js" data-generation="{live.generation}"'


@pytest.mark.parametrize("path", ["/", "/file", "/static/page.html", "/static/large.html"])
def test_a_page_gets_the_script_before_its_end(
    client: TestClient, live: LiveReload, path: str
) -> None:
    response = client.get(path, headers=NAVIGATION)
    assert f"</h1>{script_of(live)}" in response.text
    assert response.text.count("<script") == 1
    assert int(response.headers["content-length"]) == len(response.content)
    assert "etag" not in response.headers
    assert response.headers["cache-control"] == "no-store"


def test_the_handlers_own_response_stays_as_it_was(client: TestClient) -> None:
    first = client.get("/", headers=NAVIGATION).text
    second = client.get("/", headers=NAVIGATION).text
    assert first.count("<script") == second.count("<script") == 1
    assert client.get("/").headers["etag"] == '"1"'


@pytest.mark.parametrize("path", ["/stream", "/stream/long"])
def test_a_stream_gets_it_at_its_end(client: TestClient, live: LiveReload, path: str) -> None:
    text = client.get(path, headers=NAVIGATION).text
    assert text.startswith(PAGE)
    assert script_of(live) in text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/", {"accept": "*/*"}),
        ("/", {"accept": "text/html", "sec-fetch-dest": "empty"}),
        ("/", {"accept": "text/html", "hx-request": "true"}),
        ("/", {"accept": "text/html", "x-requested-with": "XMLHttpRequest"}),
        ("/json", NAVIGATION),
        ("/zipped", NAVIGATION),
        ("/download", NAVIGATION),
        ("/nothing", NAVIGATION),
        ("/static/page.html", {**NAVIGATION, "range": "bytes=0-9"}),
    ],
)
def test_everything_else_stays_as_it_is(
    client: TestClient, path: str, headers: dict[str, str]
) -> None:
    response = client.get(path, headers=headers)
    assert "__photon__" not in response.text


def test_a_redirect_stays_as_it_is(client: TestClient) -> None:
    assert client.get("/away", headers=NAVIGATION, follow_redirects=False).status == 307


def test_what_answers_a_form_says_so(client: TestClient) -> None:
    assert 'data-sent=""' in client.post("/form", headers=NAVIGATION).text
    assert "data-sent" not in client.get("/", headers=NAVIGATION).text


def test_a_pages_policy_lets_it_through(client: TestClient) -> None:
    response = client.get("/guarded", headers={**NAVIGATION, "host": "localhost:8000"})
    assert response.headers["content-security-policy"] == (
        "default-src 'none'; script-src-elem http://localhost:8000/__photon__/live.js; "
        "connect-src http://localhost:8000/__photon__/live"
    )


def test_the_script_is_served(client: TestClient) -> None:
    response = client.get("/__photon__/live.js")
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "EventSource" in response.text
    assert client.get("/__photon__/other").status == 404
    assert client.post("/__photon__/live").status == 405


@pytest.mark.parametrize("headers", [{"host": "evil.com"}, {"origin": "https://evil.com"}])
def test_strangers_hear_nothing(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/__photon__/live", headers=headers).status == 403


class Heard:
    """What a page hears."""

    def __init__(self, response: Any) -> None:
        self._lines = iter(response.iter_lines())

    def next(self) -> tuple[str, Any]:
        name = ""
        with fail_after(PATIENCE_S):
            for line in self._lines:
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    return name, json.loads(line[6:])
        raise AssertionError("the stream ended")


def test_pages_are_told_who_answers_and_what_happens(client: TestClient, live: LiveReload) -> None:
    with client.stream("GET", "/__photon__/live") as response:
        heard = Heard(response)
        assert heard.next() == ("hello", {"generation": live.generation, "error": ""})
        live.show_error("SyntaxError <b>")
        assert heard.next() == ("error-text", {"text": "SyntaxError <b>"})
        live.change_styles()
        live.show_error("")
        assert heard.next() == ("styles", {"text": ""})
        assert heard.next() == ("error-text", {"text": ""})


def test_who_comes_later_hears_of_the_error(client: TestClient, live: LiveReload) -> None:
    live.show_error("broken")
    with client.stream("GET", "/__photon__/live") as response:
        assert Heard(response).next()[1]["error"] == "broken"


def test_each_process_has_another_name(live: LiveReload, tmp_path: Path) -> None:
    assert LiveReload(make_app(tmp_path)).generation != live.generation


def test_any_application_can_be_followed() -> None:
    def plain(request: Request) -> Response:
        return Response.html(PAGE)

    with TestClient(LiveReload(plain)) as client:
        assert "__photon__" in client.get("/x", headers=NAVIGATION).text


def test_the_application_is_opened_and_closed(tmp_path: Path) -> None:
    app = make_app(tmp_path)
    with TestClient(LiveReload(app)):
        assert app.is_running
    assert not app.is_running
