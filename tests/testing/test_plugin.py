"""The fixtures, in a pytest of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

APP = """
    from photon import Photon

    app = Photon()
    story = []

    @app.lifespan
    def opened():
        story.append("open")
        yield
        story.append("close")

    @app.get("/")
    def index():
        return story
"""

USES = """
    def test_client(client):
        assert client.get("/").json()[-1] == "open"

    def test_over_a_socket(live_server):
        assert live_server.get("/").json()[-2:] == ["close", "open"]
        assert live_server.server.url.startswith("http://127.0.0.1:")
"""


def run_pytest(folder: Path, test: str, *, ini: str = "", conftest: str = "") -> str:
    """What a pytest printed that had our plugin alone."""
    (folder / "test_it.py").write_text(dedent(test))
    (folder / "conftest.py").write_text(dedent(conftest))
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    plugins = [
        "-p", "no:locust", "-p", "no:cacheprovider",
        "-p", "no:timeout", "-p", "no:schemathesis", "-p", "no:hypothesispytest",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *plugins, str(folder)],
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text("")
    (tmp_path / "shop" / "main.py").write_text(dedent(APP))
    return tmp_path


@pytest.mark.parametrize("patch", ["", "addopts = -p photon.testing.patch"])
def test_the_fixtures_serve_the_application_that_is_named(project: Path, patch: str) -> None:
    printed = run_pytest(project, USES, ini=f"photon_app = shop.main:app\n{patch}")
    assert "2 passed" in printed, printed


def test_the_application_may_be_a_fixture(project: Path) -> None:
    conftest = """
        import pytest

        @pytest.fixture
        def app():
            from shop.main import app
            return app
    """
    printed = run_pytest(project, USES, conftest=conftest)
    assert "2 passed" in printed, printed


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("", "which application is to be tested? set `photon_app"),
        ("shop/main.py:app", "photon_app is 'shop/main.py:app', which is no module"),
        ("shop.mian", "there is no module 'shop.mian' in "),
        ("shop.main:application", "has no 'application'"),
        ("shop.main:story", "TypeError: [] is no application"),
    ],
)
def test_what_names_no_application_is_told(project: Path, target: str, says: str) -> None:
    printed = run_pytest(project, USES, ini=f"photon_app = {target}")
    assert says in printed
    assert "2 errors" in printed


def test_an_error_in_the_application_is_its_own(project: Path) -> None:
    (project / "shop" / "main.py").write_text("import no_such_thing")
    printed = run_pytest(project, USES, ini="photon_app = shop.main")
    assert "No module named 'no_such_thing'" in printed


def test_who_does_not_use_it_does_not_pay_for_it(project: Path) -> None:
    test = """
        import sys

        def test_nothing_was_imported():
            heavy = ("gevent", "greenlet", "h11", "msgspec", "photon.http")
            assert not [name for name in heavy if name in sys.modules]
    """
    printed = run_pytest(project, test)
    assert "1 passed" in printed, printed
