"""The application's document and its page, below its own URLs."""

from __future__ import annotations

import threading
from typing import Any
from unittest import mock

import pytest

from photon.app.photon import Photon
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.cors import CORS
from photon.openapi import generate as generating
from photon.openapi.document import OpenAPI, Server
from photon.openapi.errors import OpenAPIError
from photon.testing.client import TestClient


@pytest.fixture
def app() -> Photon:
    app = Photon(title="Shop", version="2.0", summary="Buys and sells")

    @app.get("/items/{id}")
    def item(id: int) -> dict[str, int]:
        """One item."""
        return {"id": id}

    return app


def test_the_document_is_served(app: Photon) -> None:
    response = TestClient(app).get("/openapi.json")
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert document == app.openapi()
    assert document["openapi"].startswith("3.1")
    assert document["info"] == {"title": "Shop", "version": "2.0", "summary": "Buys and sells"}
    assert document["paths"]["/items/{id}"]["get"]["summary"] == "One item"
    assert "/docs" not in document["paths"]


def test_the_page_shows_it(app: Photon) -> None:
    client = TestClient(app)
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "Shop" in page.text
    assert "openapi.json" in page.text


def made(app: Photon, times: int = 1) -> Any:
    return mock.patch.object(generating, "generate", wraps=generating.generate)


def test_it_is_made_when_it_is_asked_for_and_once(app: Photon) -> None:
    with made(app) as generate, TestClient(app) as client:
        client.get("/items/7")
        assert generate.call_count == 0
        for _ in range(3):
            client.get("/openapi.json")
            app.openapi()
        assert generate.call_count == 1


def test_it_is_made_once_for_many_who_ask_at_the_same_time(app: Photon) -> None:
    bodies: list[bytes] = []

    def ask() -> None:
        bodies.append(TestClient(app).get("/openapi.json").content)

    with made(app) as generate:
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert generate.call_count == 1
    assert len(bodies) == 8
    assert len(set(bodies)) == 1


def test_it_is_forgotten_when_there_is_another_route(app: Photon) -> None:
    client = TestClient(app)
    before = client.get("/openapi.json")
    app.get("/more")(lambda: None)
    after = client.get("/openapi.json")
    assert "/more" in after.json()["paths"]
    assert before.headers["etag"] != after.headers["etag"]
    app.webhook("sold")(lambda: None)
    assert "sold" in client.get("/openapi.json").json()["webhooks"]


def test_who_has_it_already_is_told_so(app: Photon) -> None:
    client = TestClient(app)
    tag = client.get("/openapi.json").headers["etag"]
    response = client.get("/openapi.json", headers={"if-none-match": tag})
    assert (response.status, response.content, response.headers["etag"]) == (304, b"", tag)
    assert client.get("/openapi.json", headers={"if-none-match": '"other"'}).status == 200


def test_it_is_only_read(app: Photon) -> None:
    client = TestClient(app)
    head, got = client.head("/openapi.json"), client.get("/openapi.json")
    assert head.headers["content-length"] == got.headers["content-length"]
    assert head.headers["etag"] == got.headers["etag"]
    assert client.head("/docs").status == 200
    for path in ("/openapi.json", "/docs"):
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            response = client.request(method, path)
            assert (response.status, response.headers["allow"]) == (405, "GET, HEAD")
    assert client.get("/openapi.json/more").status == 404
    assert client.get("/openapi%2Ejson").content == got.content


def test_a_preflight_for_it_is_answered() -> None:
    app = Photon(middleware=[CORS(origins="*")])
    headers = {"origin": "https://a.example", "access-control-request-method": "GET"}
    response = TestClient(app).options("/openapi.json", headers=headers)
    assert response.status == 204
    assert response.headers["access-control-allow-origin"] == "*"


# Where it is...


def test_it_may_be_elsewhere_or_nowhere() -> None:
    app = Photon(openapi_url="/api/v1.json", docs_url="/help/docs")
    client = TestClient(app)
    assert client.get("/api/v1.json").status == client.get("/help/docs").status == 200
    assert client.get("/openapi.json").status == client.get("/docs").status == 404
    assert 'href="/api/v1.json"' in client.get("/help/docs").text
    without = TestClient(Photon(docs_url=None))
    assert (without.get("/openapi.json").status, without.get("/docs").status) == (200, 404)
    nowhere = Photon(openapi_url=None)
    client = TestClient(nowhere)
    assert (client.get("/openapi.json").status, client.get("/docs").status) == (404, 404)
    assert nowhere.openapi()["paths"] == {}
    assert [each.docs_url for each in (app, Photon(docs_url=None), nowhere)] == [
        "/help/docs",
        None,
        None,
    ]


@pytest.mark.parametrize("url", ["docs", "/docs/", "/{docs}", 5])
def test_a_url_that_cannot_be_one_is_refused(url: Any) -> None:
    for option in ("openapi_url", "docs_url"):
        with pytest.raises((TypeError, ValueError)):
            Photon(**{option: url})


def test_routes_and_mounts_of_the_application_win() -> None:
    app = Photon()
    app.get("/docs")(lambda: "my docs")
    app.mount("/openapi.json", lambda request: Response("my document"))
    client = TestClient(app)
    assert client.get("/docs").text == "my docs"
    assert client.get("/openapi.json").text == "my document"


def test_a_mounted_one_says_where_it_is(app: Photon) -> None:
    outer = Photon()
    outer.mount("/shop", app)
    outer.mount("/again", app)
    client = TestClient(outer)
    for root in ("/shop", "/again"):
        assert client.get(f"{root}/openapi.json").json()["servers"] == [{"url": root}]
    # By no other name, however a client writes the path.
    assert client.get("/%73hop/openapi%2Ejson").json()["servers"] == [{"url": "/shop"}]
    assert "servers" not in TestClient(app).get("/openapi.json").json()


def test_servers_that_were_named_stay() -> None:
    app = Photon(openapi=OpenAPI(servers=[Server(url="https://api.example")]))
    outer = Photon()
    outer.mount("/in", app)
    document = TestClient(outer).get("/in/openapi.json").json()
    assert document["servers"][0]["url"].startswith("https://api.example")


# What cannot be described...


@pytest.fixture
def broken() -> Photon:
    app = Photon()
    app.get("/one", operation_id="same")(lambda: None)

    @app.get("/two", operation_id="same")
    def two(request: Request) -> None: ...

    return app


def test_what_cannot_be_described_is_a_500_that_names_the_handler(broken: Photon) -> None:
    with pytest.raises(OpenAPIError, match=r"tests/app/test_documents\.py:\d+"):
        TestClient(broken).get("/openapi.json")
    response = TestClient(broken, raise_server_exceptions=False).get("/openapi.json")
    assert response.status == 500
    assert TestClient(broken).get("/one").status == 204
    assert TestClient(broken).get("/docs").status == 200


def test_in_development_it_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTON_DEV", "1")

    def make(**options: Any) -> Photon:
        app = Photon(**options)
        app.get("/one", operation_id="same")(lambda: None)
        app.get("/two", operation_id="same")(lambda: None)
        return app

    with pytest.raises(OpenAPIError), make().running():
        raise AssertionError
    with make(openapi_url=None).running():
        pass
    monkeypatch.setenv("PHOTON_DEV", "0")
    with make().running():
        pass
