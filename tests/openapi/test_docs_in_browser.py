"""The docs page as a user has it: in a browser, served by a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from photon.app.photon import Photon
from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import Server
from photon.http.server.serving import serve
from photon.openapi.ui import DocsPage
from tests.browser import Browser

STRING = {"type": "string"}
ITEM = {
    "type": "object",
    "required": ["name", "price"],
    "properties": {
        "name": {**STRING, "examples": ["lamp"]},
        "price": {"type": ["number", "null"], "exclusiveMinimum": 0},
    },
}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1.0", "description": "All of it, **with prices**."},
    "paths": {
        "/items": {
            "post": {
                "operationId": "create_item",
                "summary": "Put an item on the shelf",
                "tags": ["items"],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Item"}}
                    },
                },
                "responses": {"201": {"description": "It is there"}},
            }
        },
        "/items/{name}": {
            "get": {
                "operationId": "read_item",
                "summary": "Look at an item",
                "tags": ["items"],
                "security": [{"token": []}],
                "parameters": [{"name": "name", "in": "path", "required": True, "schema": STRING}],
                "responses": {"200": {"description": "It is this"}},
            }
        },
    },
    "components": {
        "schemas": {"Item": ITEM},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    },
}


def shop(document: object) -> Photon:
    app = Photon()

    @app.get("/openapi.json")
    def openapi() -> object:
        return document

    @app.post("/items", status=201)
    def create_item(request: Request) -> object:
        return {"made": request.json()}

    @app.get("/items/{name}")
    def read_item(name: str, request: Request) -> object:
        return {"seen": name, "by": request.headers.get("authorization")}

    return app


def mounted(prefix: str, inner: Application, outer: Application) -> Application:
    """`inner` for what is at `prefix` and below it, `outer` for all else."""

    def application(request: Request) -> Response:
        rest = request.raw_path.removeprefix(prefix)
        if rest == request.raw_path or (rest and rest[0] != "/"):
            return outer(request)
        head = msgspec.structs.replace(request.head, path=rest or "/")
        request = Request(head, request._body, request._link, root=request.root + prefix)
        return inner(request)

    return application


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser.launch() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Browser:
    browser.errors.clear()
    browser.requests.clear()
    browser.prefer_dark(False)
    return browser


def expect_quiet(page: Browser, origin: str) -> None:
    """No error in the console, and no request to anybody else."""
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith(f"{origin}/")] == []


def with_docs(document: object = DOCUMENT, **options: Any) -> Application:
    page = DocsPage("../openapi.json", title="The shop's docs", **options)
    return mounted("/docs", page, shop(document))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Most tests are of the same docs, so that the browser has read them already."""
    with serve(with_docs()) as server:
        yield server


def nothing(request: Request) -> Response:
    raise HTTPError(404)


def try_out(page: Browser, operation: str, field: str, value: str) -> str:
    """Open an operation, fill in a value and execute it; what the page shows as the response."""
    block = f"#operations-items-{operation}"
    page.click(f"{block} .opblock-summary-control")
    page.click(f"{block} .try-out__btn")
    page.type(f"{block} {field}", value)
    page.click(f"{block} .execute")
    response = f"document.querySelector('{block} .live-responses-table .response')"
    return str(page.wait_for(f"{response}.innerText"))


def test_operations_are_listed_and_tried_out(page: Browser, server: Server) -> None:
    page.goto(f"{server.url}/docs")
    page.wait_for_text("Put an item on the shelf")
    page.wait_for_text("Look at an item")
    assert page.evaluate("document.title") == "The shop's docs"

    shown = try_out(page, "create_item", "textarea", '{"name": "lamp", "price": 12.5}')
    assert shown.startswith("201")
    assert '"made": {\n    "name": "lamp",\n    "price": 12.5\n  }' in shown

    shown = try_out(page, "read_item", "input", "a/b ü")
    assert shown.startswith("200")
    assert '"seen": "a/b ü"' in shown
    assert f"{server.url}/items/a%2Fb%20%C3%BC" in page.requests
    expect_quiet(page, server.url)


def test_an_error_of_the_application_is_shown(page: Browser, server: Server) -> None:
    page.goto(f"{server.url}/docs")
    shown = try_out(page, "create_item", "textarea", "{broken")
    assert shown.startswith("400")
    assert "the body is not JSON" in shown
    (error,) = page.errors  # of the browser, for every status from 400
    assert "400 (Bad Request)" in error


def test_what_was_authorized_is_sent_along(page: Browser, server: Server) -> None:
    page.goto(f"{server.url}/docs/")
    page.click(".auth-wrapper .authorize")
    page.type(".auth-container input", "secret")
    page.click(".auth-btn-wrapper .authorize")
    page.click(".auth-btn-wrapper .btn-done")
    assert '"by": "Bearer secret"' in try_out(page, "read_item", "input", "lamp")
    expect_quiet(page, server.url)


def test_all_of_it_works_below_the_prefix_of_a_proxy(page: Browser) -> None:
    # A server's URL is relative to the document's (OpenAPI 3.1, Server Object).
    document = {**DOCUMENT, "servers": [{"url": "."}]}
    with serve(mounted("/shops/1", with_docs(document), nothing)) as server:
        page.goto(f"{server.url}/shops/1/docs")
        assert '"seen": "lamp"' in try_out(page, "read_item", "input", "lamp")
        assert f"{server.url}/shops/1/items/lamp" in page.requests
        expect_quiet(page, f"{server.url}/shops/1")


def test_schemas_of_openapi_3_1_are_read(page: Browser) -> None:
    with serve(with_docs(options={"defaultModelExpandDepth": 3})) as server:
        page.goto(f"{server.url}/docs")
        page.click(".models .json-schema-2020-12-accordion")
        page.wait_for_text("number | null")
        page.wait_for_text("> 0")
        expect_quiet(page, server.url)


def test_options_arrive(page: Browser) -> None:
    with serve(with_docs(options={"docExpansion": "none"}, oauth={"clientId": "x"})) as server:
        page.goto(f"{server.url}/docs")
        page.wait_for("document.querySelector('.opblock-tag-section:not(.is-open)')")
        assert page.evaluate("document.querySelectorAll('.opblock').length") == 0
        expect_quiet(page, server.url)


def test_the_page_is_as_dark_as_the_user_likes_it(page: Browser, server: Server) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    colour = "getComputedStyle(document.querySelector('.opblock-summary-description')).color"
    page.prefer_dark()
    page.goto(f"{server.url}/docs")
    page.wait_for_text("Look at an item")
    assert page.evaluate(background) == "rgb(28, 32, 34)"
    assert page.evaluate(colour) == "rgb(228, 230, 230)"
    page.prefer_dark(False)
    page.wait_for(f"{background} === 'rgb(250, 250, 250)'")
    page.wait_for(f"{colour} === 'rgb(59, 65, 81)'")


def test_a_second_visit_asks_for_the_page_and_the_document_only(page: Browser) -> None:
    seen: list[str] = []
    docs = with_docs()

    def noting(request: Request) -> Response:
        seen.append(request.path)
        return docs(request)

    with serve(noting) as server:
        page.goto(f"{server.url}/docs")
        page.wait_for_text("Look at an item")
        assert "/docs/swagger-ui-bundle.js" in seen
        seen.clear()
        page.goto("about:blank")
        page.goto(f"{server.url}/docs")
        page.wait_for_text("Look at an item")
        # The first visit's icon is asked for when there is time.
        assert [path for path in seen if "favicon" not in path] == ["/docs", "/openapi.json"]


def test_the_policy_lets_no_other_script_run_or_host_be_asked(
    page: Browser, server: Server
) -> None:
    page.goto(f"{server.url}/docs")
    page.wait_for_text("Look at an item")
    page.evaluate(
        """{
            const script = document.createElement("script");
            script.text = "window.ran = true";
            document.head.append(script);
        }"""
    )
    assert page.evaluate("window.ran === undefined")
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
    assert len(page.errors) >= 2
    assert all("Content Security Policy" in error for error in page.errors)
