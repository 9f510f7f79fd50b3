"""The debug page as a developer has it: in a browser, served by a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from photon.http.server.serving import serve
from tests.browser import Browser
from tests.telemetry.debug_page.shop import make_app


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser.launch() as browser:
        yield browser


def test_it_is_read_and_used(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTON_DEV", "1")
    with serve(make_app()) as server:
        browser.goto(f"{server.url}/cart/7?currency=%3Cscript%3Edocument.title=1%3C/script%3E")
        browser.wait_for_text("LookupError")
        browser.wait_for_text("Which was caused by")
        far = "getComputedStyle(document.querySelector('.line.far')).display"
        assert browser.evaluate(far) == "none"
        browser.click("button.whole")
        assert browser.evaluate(far) == "block"
        browser.click("#theme")
        assert browser.evaluate("document.documentElement.className") in ("dark", "light")
        browser.click("#copy")
        browser.wait_for("document.getElementById('copy').textContent === 'Copied'")
        assert "LookupError" in browser.evaluate("document.title")
        # The status itself is what the console calls an error; a policy broken would be another.
        assert all("status of 500" in error for error in browser.errors), browser.errors
        assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_links_of_a_404_lead_to_routes(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTON_DEV", "1")
    with serve(make_app()) as server:
        browser.goto(f"{server.url}/on-purposes")
        browser.click("tr.near a")
        browser.wait_for_text("closed for lunch")
