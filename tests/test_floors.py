"""The house's first law: a package imports from floors below it, or from itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PHOTON = Path(__file__).parents[1] / "photon"

FLOORS = [
    {"runtime"},
    {"http", "db"},
    {"routing", "ws", "tasks", "templating"},
    {"binding"},
    {"security"},
    {"middleware", "openapi", "telemetry"},
    {"app"},
    {"cli", "testing"},
]
FLOOR_OF = {package: number for number, floor in enumerate(FLOORS) for package in floor}

# The front door, and the way in from the command line.
MAY_IMPORT_ANYTHING = {"__init__", "__main__"}

# Only the ground floor knows what its greenlets are made of.
ONLY_IN_RUNTIME = {"gevent", "greenlet"}

FILES = sorted(PHOTON.rglob("*.py"))


def package_of(path: Path) -> str:
    """Such as "http" for photon/http/server/server.py, "__init__" for photon/__init__.py."""
    first = path.relative_to(PHOTON).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each import, those below TYPE_CHECKING and in functions included."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: write imports in full"
            assert node.module is not None
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def faults_of(path: Path) -> list[str]:
    package = package_of(path)
    faults = []
    for line, name in imports_of(path):
        top, _, rest = name.partition(".")
        where = f"{path.relative_to(PHOTON.parent)}:{line} imports {name}"
        if top in ONLY_IN_RUNTIME and package != "runtime":
            faults.append(f"{where}: only photon/runtime does that")
        if top != "photon" or package in MAY_IMPORT_ANYTHING:
            continue
        target = rest.split(".")[0]
        if target in ("", "__version__"):  # the package itself, which imports nothing
            continue
        if target not in FLOOR_OF:
            faults.append(f"{where}: import from the room, not from the front door")
        elif target != package and FLOOR_OF[target] >= FLOOR_OF[package]:
            faults.append(f"{where}: {target} is not below {package}")
    return faults


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PHOTON)))
def test_a_file_imports_only_from_below(path: Path) -> None:
    assert faults_of(path) == []


def test_each_package_has_its_floor() -> None:
    packages = {package_of(path) for path in FILES} - MAY_IMPORT_ANYTHING
    assert packages <= FLOOR_OF.keys()


FAULTS = [
    ("runtime", "from photon.http.headers import Headers", "http is not below runtime"),
    ("http", "import photon.app.photon", "app is not below http"),
    ("http", "from photon.db import x", "db is not below http"),
    ("routing", "import gevent", "only photon/runtime"),
    ("app", "from gevent.event import Event", "only photon/runtime"),
    ("app", "from photon import Photon", "the front door"),
    ("telemetry", "if TYPE_CHECKING:\n    from photon.app.photon import Photon", "not below"),
    ("http", "def f():\n    from photon.cli.run import run", "cli is not below http"),
    ("testing", "from photon.cli.run import run", "cli is not below testing"),
]


@pytest.mark.parametrize(("package", "code", "says"), FAULTS)
def test_the_law_is_enforced(
    package: str, code: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = tmp_path / "photon"
    path = house / package / "wrong.py"
    path.parent.mkdir(parents=True)
    path.write_text(code)
    monkeypatch.setitem(globals(), "PHOTON", house)
    (fault,) = faults_of(path)
    assert says in fault


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ("runtime", "import gevent, greenlet, os"),
        ("app", "from photon.http.request import Request"),
        ("http", "from photon.http.body import Body"),
        ("__init__", "from photon.app.photon import Photon"),
    ],
)
def test_what_the_law_allows(
    package: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = tmp_path / "photon"
    path = house / package / "fine.py" if package != "__init__" else house / "__init__.py"
    path.parent.mkdir(parents=True)
    path.write_text(code)
    monkeypatch.setitem(globals(), "PHOTON", house)
    assert faults_of(path) == []
