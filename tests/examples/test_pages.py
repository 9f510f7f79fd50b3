"""The guest book is signed, shows what was written as it was, and looks as its style sheet says."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest

from examples.pages import app, entries
from photon import serve
from photon.testing import TestClient
from tests.browser import Browser


@pytest.fixture
def client() -> Iterator[TestClient]:
    entries.clear()
    with TestClient(app) as client:
        yield client


def test_who_signs_is_led_to_the_entry(client: TestClient) -> None:
    page = client.post("/", data={"name": "Ada", "text": "I was here"})
    assert [redirect.status for redirect in page.history] == [303]
    assert (page.method, page.url, page.status) == ("GET", "http://testserver/entries/1", 200)
    assert "<title>Ada - Guest book</title>" in page.text
    written = entries[0].written
    assert f"Entry 1, {written:%d %B %Y}" in page.text


def test_what_is_written_is_no_html(client: TestClient) -> None:
    page = client.post("/", data={"name": "<b>Eve</b>", "text": "<script>alert(1)</script>"})
    assert "&lt;b&gt;Eve&lt;" in page.text
    assert "<script>" not in page.text + client.get("/").text


def test_the_last_entry_comes_first(client: TestClient) -> None:
    assert "Nobody has written anything yet." in client.get("/").text
    for name in ("Ada", "Grace"):
        client.post("/", data={"name": name, "text": "hello"})
    page = html.unescape(client.get("/").text)
    assert page.index('<a href="/entries/2">Grace</a>') < page.index('<a href="/entries/1">Ada</a>')


def test_a_form_that_lacks_something_comes_back_as_it_was(client: TestClient) -> None:
    page = client.post("/", data={"name": "", "text": 'so "it" goes'})
    assert page.status == 422
    assert "Both fields, please." in page.text
    assert "so &quot;it&quot; goes</textarea>" in page.text
    assert not entries


@pytest.mark.parametrize("path", ["/entries/1", "/entries/x", "/nowhere"])
def test_what_is_not_there_has_a_page(path: str, client: TestClient) -> None:
    page = client.get(path)
    assert (page.status, page.content_type) == (404, "text/html")
    assert "<h1>Not here</h1>" in page.text


def test_the_style_sheet_is_served(client: TestClient) -> None:
    style = client.get("/static/style.css")
    assert (style.status, style.content_type) == (200, "text/css")
    assert client.get("/static/../__init__.py").status == 404


def test_it_works_in_a_browser() -> None:
    entries.clear()
    with serve(app) as server, Browser.launch() as page:
        page.goto(server.url)
        page.type("input", "Ada <3")
        page.type("textarea", "I was here")
        page.click("button")
        page.wait_for_text("Entry 1")
        assert page.evaluate("document.querySelector('h1').textContent") == "Ada <3"
        colour = "getComputedStyle(document.querySelector('footer')).color"
        assert page.evaluate(colour) == "rgb(178, 34, 34)"
        assert page.errors == []
