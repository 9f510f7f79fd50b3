"""`photon dev` and a browser: the page follows the file that is saved."""

from __future__ import annotations

import signal
from pathlib import Path

from photon.cli.exits import ExitCode
from tests.browser import Browser
from tests.cli.test_dev import APP, BROKEN, developing, save

OVERLAY = "document.querySelector('photon-overlay').shadowRoot.textContent"


def test_the_page_follows_the_code(tmp_path: Path) -> None:
    save(tmp_path, "one")
    with developing(tmp_path) as (process, port), Browser.launch() as page:
        url = f"http://127.0.0.1:{port}"
        page.goto(f"{url}/page")
        page.wait_for("document.title === 'one' && window.__photonLive")

        save(tmp_path, "two")
        page.wait_for("document.title === 'two'")

        (tmp_path / "shop.py").write_text(BROKEN)
        page.wait_for(f"{OVERLAY}.includes('SyntaxError')")
        assert page.evaluate("document.title") == "two"

        save(tmp_path, "three")
        page.wait_for("document.title === 'three'")
        page.wait_for("!document.querySelector('photon-overlay')")

        page.goto(f"{url}/fails")
        page.wait_for_text("the shelf is empty")
        mended = APP.replace('raise ValueError("the shelf is empty")', 'return "mended"')
        (tmp_path / "shop.py").write_text(mended.format(version="four"))
        page.wait_for_text("mended")

        process.kill(signal.SIGINT)  # with the page still open
        assert process.wait() == ExitCode.OK


def test_a_page_that_begins_broken_becomes_the_applications(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(BROKEN)
    with developing(tmp_path) as (_, port), Browser.launch() as page:
        page.goto(f"http://127.0.0.1:{port}/page")
        page.wait_for_text("The application cannot be served")
        save(tmp_path, "one")
        page.wait_for("document.title === 'one'")
