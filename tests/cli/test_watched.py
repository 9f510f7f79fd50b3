"""Which files `photon dev` watches."""

from __future__ import annotations

from pathlib import Path

import pytest

from photon.cli.watched import Watched, kind_of


@pytest.mark.parametrize(
    "name",
    [
        *("app.py", "shop/items.py", "templates/page.html", "a.jinja", "photon.toml", ".env"),
        *("static/site.css", "static/app.js", ".env.local"),
    ],
)
def test_what_is_watched(tmp_path: Path, name: str) -> None:
    assert Watched([str(tmp_path)]).has(str(tmp_path / name))


@pytest.mark.parametrize(
    "name",
    [
        *(".venv/lib/x.py", "node_modules/a/b.js", "__pycache__/app.cpython-311.pyc", ".git/x.py"),
        *("data.json", "db.sqlite3", "app.py~", ".#app.py", ".app.py.swp", "4913", "app.py.tmp"),
        *("a/venv/x.py", "app.pyc", "README.md", ".hidden/x.py"),
    ],
)
def test_what_is_not(tmp_path: Path, name: str) -> None:
    assert not Watched([str(tmp_path)]).has(str(tmp_path / name))


def test_what_is_elsewhere(tmp_path: Path) -> None:
    watched = Watched([str(tmp_path / "a")])
    assert not watched.has(str(tmp_path / "b/app.py"))
    assert not watched.has(str(tmp_path / "ab/app.py"))


@pytest.mark.parametrize(
    ("include", "name", "has"),
    [
        ("*.sql", "queries/all.sql", True),
        ("data/*.json", "data/a.json", True),
        ("data/*.json", "other/a.json", False),
        ("data/*.json", "data/deep/a.json", True),  # as fnmatch has it: * takes slashes
        ("*.py", ".venv/lib/x.py", True),  # asked for, so it is
    ],
)
def test_what_is_asked_for(tmp_path: Path, include: str, name: str, has: bool) -> None:
    assert Watched([str(tmp_path)], [include]).has(str(tmp_path / name)) is has


@pytest.mark.parametrize(
    ("exclude", "name", "has"),
    [
        ("migrations", "shop/migrations/0001.py", False),
        ("migrations", "shop/migrations.py", True),
        ("out/*", "out/a.py", False),
        ("out/", "out/deep/a.py", False),
        ("test_*.py", "tests/test_a.py", False),
        ("test_*.py", "tests/a.py", True),
    ],
)
def test_what_is_excluded(tmp_path: Path, exclude: str, name: str, has: bool) -> None:
    assert Watched([str(tmp_path)], (), [exclude]).has(str(tmp_path / name)) is has


def test_all_files(tmp_path: Path) -> None:
    for name in ("app.py", "a/b.html", "a/c.txt", ".venv/d.py", "out/e.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = Watched([str(tmp_path)], (), ["out"]).files()
    assert sorted(Path(path).relative_to(tmp_path).as_posix() for path in found) == [
        "a/b.html",
        "app.py",
    ]


@pytest.mark.parametrize(
    ("paths", "kind"),
    [
        (["a.css"], "styles"),
        (["a.css", "b.js"], "assets"),
        (["a.svg"], "assets"),
        (["a.css", "b.py"], "code"),
        (["a.html"], "code"),
        ([".env"], "code"),
    ],
)
def test_what_a_change_is_for(paths: list[str], kind: str) -> None:
    assert kind_of(paths) == kind
