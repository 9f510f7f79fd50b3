"""Pages follow the code, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.app.live.reloading import LiveReload
from photon.app.photon import Photon
from photon.cli.broken import BrokenApplication
from photon.http.application import Application
from photon.http.response import Response
from photon.http.server.serving import serve
from photon.http.static import StaticFiles
from tests.browser import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser.launch() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Browser:
    browser.goto("about:blank")
    browser.errors.clear()
    return browser


def shop(title: str, policy: str = "") -> Photon:
    app = Photon()
    filler = "<p>line</p>" * 200

    @app.get("/")
    def index() -> Response:
        fields = {"content-security-policy": policy} if policy else {}
        text = f"<!DOCTYPE html><title>{title}</title><body><h1>{title}</h1>{filler}</body>"
        return Response.html(text, headers=fields)

    return app


OVERLAY = "document.querySelector('photon-overlay').shadowRoot.textContent"


@pytest.mark.parametrize("policy", ["", "default-src 'none'", "script-src 'nonce-x'"])
def test_a_page_reloads_when_another_process_answers(page: Browser, policy: str) -> None:
    with serve(LiveReload(shop("One", policy))) as server:
        port = server.port
        page.goto(server.url)
        page.wait_for("document.title === 'One' && window.__photonLive")
        page.evaluate("scrollTo(0, 700)")
    with serve(LiveReload(shop("Two", policy)), port=port):
        page.wait_for("document.title === 'Two'")
        page.wait_for("scrollY === 700")


def test_the_error_of_the_newest_code_is_shown_until_it_is_mended(page: Browser) -> None:
    live = LiveReload(shop("One"))
    with serve(live) as server:
        page.goto(server.url)
        live.show_error("SyntaxError: <img src=x onerror=document.title='attacked'>")
        page.wait_for(f"{OVERLAY}.includes('SyntaxError: <img')")
        live.show_error("")
        page.wait_for("!document.querySelector('photon-overlay')")
        live.show_error("again")
        page.goto(server.url)
        page.wait_for(f"{OVERLAY}.includes('again')")
        assert page.evaluate("document.title") == "One"
    assert [error for error in page.errors if "favicon" not in error] == []


def test_a_page_without_code_that_works_becomes_the_applications(page: Browser) -> None:
    broken: Application = BrokenApplication("shop:app", "NameError: x\n\nError: shop failed")
    with serve(LiveReload(broken)) as server:
        port = server.port
        page.goto(server.url)
        page.wait_for_text("The application cannot be served")
    with serve(LiveReload(shop("Mended")), port=port):
        page.wait_for("document.title === 'Mended'")


def test_styles_are_changed_in_place(page: Browser, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("h1 { color: rgb(1, 2, 3) }")
    app = Photon()
    app.mount("/static", StaticFiles(tmp_path))

    @app.get("/")
    def index() -> Response:
        return Response.html('<link rel=stylesheet href="/static/a.css"><h1>A</h1>')

    live = LiveReload(app)
    with serve(live) as server:
        page.goto(server.url)
        page.evaluate("window.kept = true")
        (tmp_path / "a.css").write_text("h1 { color: rgb(4, 5, 6) }")
        live.change_styles()
        page.wait_for("getComputedStyle(document.querySelector('h1')).color === 'rgb(4, 5, 6)'")
        assert page.evaluate("window.kept") is True
    assert [error for error in page.errors if "favicon" not in error] == []
