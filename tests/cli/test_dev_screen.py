"""What `photon dev` says in the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from photon.cli.dev_screen import Screen


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_start(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Screen().start("shop:app", "http://127.0.0.1:8000", "http://127.0.0.1:8000/docs", [str(here)])
    told = capfd.readouterr().err
    assert "serves shop:app\n" in told
    assert "    serving   http://127.0.0.1:8000\n" in told
    assert "    docs      http://127.0.0.1:8000/docs\n" in told
    assert "    watching  .\n" in told
    assert "\x1b" not in told


def test_a_reload(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.reloaded([str(here / "shop.py")], 0.2134)
    screen.reloaded([str(here / f"{name}.py") for name in "abcdef"], 1.25)
    screen.reloaded(["/elsewhere/x.py"], 0.0021)
    assert capfd.readouterr().err.splitlines() == [
        "shop.py changed: reloaded in 213 ms",
        "a.py, b.py, c.py and 3 more changed: reloaded in 1.2 s",
        "/elsewhere/x.py changed: reloaded in 2.1 ms",
    ]


def test_an_error_is_told_once(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    path = [str(here / "shop.py")]
    screen.broken(path, "SyntaxError: x", is_served=True)
    screen.broken(path, "SyntaxError: x", is_served=True)
    screen.reloaded(path, 0.1)
    screen.broken(path, "SyntaxError: x", is_served=True)
    told = capfd.readouterr().err
    assert told.count("SyntaxError: x") == 2
    assert "shop.py changed: still does not work, as above; the code of before is served" in told


def test_colours_where_they_are_wanted(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Screen(colours=True).reloaded([str(here / "a.py")], 0.1)
    assert "\x1b[32mreloaded\x1b[0m" in capfd.readouterr().err


def test_no_name_of_a_file_can_write_to_the_terminal(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Screen().reloaded([str(here / "\x1b[2J\n.py")], 0.1)
    assert "\x1b[2J" not in capfd.readouterr().err
