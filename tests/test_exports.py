"""The front door: each name in one place, found when it is asked for and not before."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import photon

SOURCE = Path(photon.__file__)


def typed_imports() -> dict[str, str]:
    """The names that editors see, and where from."""
    tree = ast.parse(SOURCE.read_text())
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


def test_editors_and_programs_see_the_same_names_in_the_same_rooms() -> None:
    assert typed_imports() == photon._ROOMS
    assert photon.__all__ == sorted(photon._ROOMS)


@pytest.mark.parametrize("name", photon.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    value = getattr(photon, name)
    assert value is getattr(photon, name)
    module = sys.modules[photon._ROOMS[name]]
    assert value is getattr(module, name)


def test_all_names_are_listed() -> None:
    assert set(photon.__all__) <= set(dir(photon))
    assert "__version__" in dir(photon)


def test_a_name_that_is_not_there_says_which_are() -> None:
    with pytest.raises(AttributeError, match=r"photon has no 'Foton'; it has .*Photon"):
        _ = photon.Foton


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
    text = (SOURCE.parents[1] / "pyproject.toml").read_text()
    assert f'version = "{photon.__version__}"' in text
