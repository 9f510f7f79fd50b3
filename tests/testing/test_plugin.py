"""The fixtures, in a pytest of their own."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
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


def run_pytest(
    folder: Path,
    test: str,
    *,
    ini: str = "",
    conftest: str = "",
    args: Sequence[str] = (),
    what: str = "",
) -> str:
    """What a pytest printed that had our plugin alone."""
    (folder / "test_it.py").write_text(dedent(test))
    (folder / "conftest.py").write_text(dedent(conftest))
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}\n")
    plugins = [
        "-p", "no:locust", "-p", "no:cacheprovider",
        "-p", "no:timeout", "-p", "no:schemathesis", "-p", "no:hypothesispytest",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *plugins, *args, what or str(folder)],
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


# Seeds...

RACE = """
    from photon.runtime.nursery import nursery

    def test_a_race():
        balance = [0]

        def deposit():
            balance[0] += 100

        def withdraw():
            balance[0] = max(balance[0] - 50, 0)

        with nursery() as n:
            n.spawn(deposit)
            n.spawn(withdraw)
        assert balance == [50]

    def test_no_race():
        pass
"""


def failing_seed(project: Path) -> tuple[int, str]:
    """A seed under which the race is lost, and what pytest printed then."""
    for seed in range(20):
        printed = run_pytest(project, RACE, args=[f"--photon-seed={seed}"])
        if "1 failed, 1 passed" in printed:
            return seed, printed
    raise AssertionError("no seed shows the race")


def test_a_race_is_found_by_a_seed_and_repeated_by_it(project: Path) -> None:
    assert "2 passed" in run_pytest(project, RACE)
    seed, printed = failing_seed(project)
    assert "- photon seed -" in printed
    (line,) = [line.strip() for line in printed.splitlines() if line.startswith("    pytest ")]
    assert line == f"pytest test_it.py::test_a_race --photon-seed={seed}"
    _, name, option = shlex.split(line)
    for _ in range(2):
        assert "1 failed" in run_pytest(project, RACE, args=[option], what=name)
    # From another folder, too, where the root directory is another one.
    again = run_pytest(project, RACE, args=[option, f"--rootdir={project.parent}"], what=name)
    assert "1 failed" in again
    assert f"pytest {name} {option}" in again


def test_the_seed_may_stand_in_the_ini_file(project: Path) -> None:
    printed = run_pytest(project, RACE, ini="photon_seed = random", args=["-v"])
    assert "photon: the order of greenlets is permuted by seed " in printed
    printed = run_pytest(project, RACE, ini="photon_seed = 5", args=["-v", "--photon-seed=6"])
    assert "is permuted by seed 6" in printed


def test_a_test_may_make_its_order_itself(project: Path) -> None:
    seed, _ = failing_seed(project)
    marked = RACE.replace("def test_a_race", "@pytest.mark.photon_seed(False)\n    def test_a_race")
    marked = f"    import pytest\n{marked}"
    assert "2 passed" in run_pytest(project, marked, args=[f"--photon-seed={seed}"])


def test_what_is_no_seed_is_told(project: Path) -> None:
    printed = run_pytest(project, RACE, args=["--photon-seed=abc"])
    assert "ERROR: --photon-seed: 'abc' is no seed: it is a whole number from 0 on" in printed


# Leaks...

LEAKS = """
    import pytest
    from photon.runtime.greenlets import sleep, sleep_forever, spawn

    def test_leaks():
        spawn(sleep_forever)

    def test_fails_and_leaks():
        spawn(sleep_forever)
        assert 1 == 2

    @pytest.mark.photon_leaks(False)
    def test_may_leak():
        spawn(sleep_forever)

    @pytest.fixture
    def ends():
        handle = spawn(sleep_forever)
        yield
        handle.cancel()

    def test_what_fixtures_end_is_no_leak(ends):
        pass
"""


def test_tests_that_leave_something_behind_fail(project: Path) -> None:
    printed = run_pytest(project, LEAKS, ini="photon_leaks = true")
    assert "1 failed, 3 passed, 1 error" in printed, printed
    assert "ERROR test_it.py::test_leaks - AssertionError: 1 left behind" in printed
    assert "greenlet: sleep_forever waits at " in printed
    assert "spawned at test_it.py:" in printed


def test_only_those_that_want_it(project: Path) -> None:
    test = """
        import pytest
        from photon.runtime.greenlets import sleep_forever, spawn

        def test_may_leak():
            spawn(sleep_forever)

        @pytest.mark.photon_leaks
        def test_marked():
            spawn(sleep_forever)

        def test_with_the_fixture(no_leaks):
            spawn(sleep_forever)
    """
    printed = run_pytest(project, test)
    assert "3 passed, 2 errors" in printed, printed


def test_time_is_moved_by_the_fixture(project: Path) -> None:
    test = """
        from photon.runtime.greenlets import sleep, spawn

        def test_an_hour(clock):
            handle = spawn(sleep, 3600)
            clock.advance("59m")
            assert not handle.is_over
            clock.advance("1m")
            assert handle.is_over
    """
    assert "1 passed" in run_pytest(project, test)
