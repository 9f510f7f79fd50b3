"""The front door: each name in one place, found when it is asked for and not before."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

import photon
import photon.middleware
import photon.openapi
import photon.security
import photon.testing

DOORS = [photon, photon.middleware, photon.openapi, photon.security, photon.testing]


def typed_imports(door: ModuleType) -> dict[str, str]:
    """The names that editors see, and where from."""
    assert door.__file__ is not None
    tree = ast.parse(Path(door.__file__).read_text())
    (block,) = [
        node
        for node in tree.body
        if isinstance(node, ast.If)
        and isinstance(node.test, ast.Name)
        and node.test.id == "TYPE_CHECKING"
    ]
    found = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.asname == alias.name, "`X as X` says that it is exported"
            found[alias.name] = str(node.module)
    return found


def run(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_editors_and_programs_see_the_same_names_in_the_same_rooms(door: ModuleType) -> None:
    assert typed_imports(door) == door._ROOMS
    assert door.__all__ == sorted(door._ROOMS)


@pytest.mark.parametrize(
    ("door", "name"), [(door, name) for door in DOORS for name in door.__all__]
)
def test_each_name_can_be_imported(door: ModuleType, name: str) -> None:
    value = getattr(door, name)
    assert value is getattr(door, name)
    module = sys.modules[door._ROOMS[name]]
    assert value is getattr(module, name)


def test_all_names_are_listed() -> None:
    assert set(photon.__all__) <= set(dir(photon))
    assert "__version__" in dir(photon)


def test_a_name_that_is_not_there_says_which_are() -> None:
    with pytest.raises(AttributeError, match=r"photon has no 'zzz'; there are .*Photon"):
        _ = photon.zzz


def test_a_star_imports_everything() -> None:
    scope: dict[str, object] = {}
    exec("from photon import *", scope)
    assert set(photon.__all__) <= scope.keys()


def test_importing_photon_alone_imports_nothing_that_must_be_patched_first() -> None:
    heavy = ["gevent", "greenlet", "socket", "ssl", "msgspec", "h11", "photon.runtime.hub"]
    (imported,) = run(f"""
        import sys
        before = set(sys.modules)
        import photon
        print([name for name in {heavy!r} if name in set(sys.modules) - before])
    """)
    assert imported == "[]"


def test_the_version_is_the_distributions() -> None:
    text = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    assert f'version = "{photon.__version__}"' in text
