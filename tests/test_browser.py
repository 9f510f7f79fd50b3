"""The browser of the tests does what tests believe of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from photon.app.photon import Photon
from photon.http.response import Response
from photon.http.server.server import Server
from photon.http.server.serving import serve
from tests import browser as module
from tests.browser import Browser, BrowserError, require_browser
from tests.clients import wait_until

PAGE = """<!DOCTYPE html>
<title>Page</title>
<button onclick="document.querySelector('output').textContent += 'clicked'">Go</button>
<input value="old">
<output></output>
<form action="/next" method="post"></form>
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    app = Photon()

    @app.get("/")
    def index() -> Response:
        return Response.html(PAGE)

    @app.post("/next")
    def following() -> Response:
        return Response.html("<!DOCTYPE html><p>the next page")

    with serve(app) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser.launch() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, server: Server) -> Browser:
    browser.goto(server.url)
    browser.errors.clear()
    browser.requests.clear()
    return browser


def test_a_page_is_used(page: Browser, tmp_path: Path) -> None:
    page.click("button")
    page.type("input", "new")
    assert page.wait_for("document.querySelector('output').textContent") == "clicked"
    assert page.evaluate("document.querySelector('input').value") == "new"
    page.wait_for_text("clicked")
    assert page.wait_for("document.querySelector('button')") is True
    page.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_waited_for_may_be_on_the_next_page(page: Browser) -> None:
    page.evaluate("void setTimeout(() => document.forms[0].submit(), 50)")
    page.wait_for_text("the next page")


def test_errors_are_noted(page: Browser, server: Server) -> None:
    page.evaluate("console.error('one', 2)")
    page.evaluate("fetch('/none').then(() => undefined)")
    page.evaluate("void setTimeout(() => { throw new Error('late'); })")
    page.evaluate("new Promise(done => setTimeout(done))")
    errors = "\n".join(page.errors)
    assert "one 2" in errors
    assert f"404 (Not Found) ({server.url}/none)" in errors
    assert "Error: late" in errors
    assert page.requests == [f"{server.url}/none"]


def test_nobody_else_can_be_reached(page: Browser) -> None:
    assert page.evaluate("fetch('http://localhost.example/').catch(() => 'refused')") == "refused"
    assert page.requests == ["http://localhost.example/"]
    with pytest.raises(BrowserError, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.com/")


@pytest.mark.parametrize("selector", ["nothing", "title"])
def test_what_does_not_come_is_not_waited_for_for_ever(
    page: Browser, selector: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.evaluate("console.error('the cause')")
    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    with pytest.raises(BrowserError, match=r"waited 0\.3 s in vain for [^$]*the cause"):
        page.click(selector)
    monkeypatch.undo()
    assert page.evaluate("1 + 1") == 2


def test_an_expression_that_fails_says_so(page: Browser) -> None:
    with pytest.raises(BrowserError, match="ReferenceError: nobody is not defined"):
        page.evaluate("nobody.there")


def test_a_browser_is_gone_after_its_block() -> None:
    with Browser.launch() as page:
        page.evaluate("1")
        assert is_there(page.process_group)
    wait_until(lambda: not is_there(page.process_group))


def test_a_browser_is_gone_after_a_failure() -> None:
    groups = []

    def fail() -> None:
        with Browser.launch() as page:
            groups.append(page.process_group)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    wait_until(lambda: not is_there(groups[0]))


def is_there(group: int) -> bool:
    """Whether a process of the group runs. What has ended, and init did not notice, does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, of = stat.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it ended just now
        if int(of) == group and state != "Z":
            return True
    return False


def test_a_browser_that_dies_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho 'no such display' >&2\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BrowserError, match="the browser ended: no such display"):
        with Browser.launch():
            pass


def test_without_a_browser_tests_are_skipped_or_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PHOTON_REQUIRE_BROWSER", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no browser on the PATH: none of chromium"):
        require_browser()
    monkeypatch.setenv("PHOTON_REQUIRE_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        require_browser()
