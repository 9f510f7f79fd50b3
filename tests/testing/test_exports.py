"""The test bench's own front door."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import photon.testing


def test_editors_and_programs_see_the_same_names_in_the_same_rooms() -> None:
    tree = ast.parse(Path(photon.testing.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    typed = {
        alias.asname: node.module
        for node in imports
        for alias in node.names
        if alias.asname == alias.name
    }
    assert typed == photon.testing._ROOMS
    assert photon.testing.__all__ == sorted(photon.testing._ROOMS)


@pytest.mark.parametrize("name", photon.testing.__all__)
def test_each_name_can_be_imported(name: str) -> None:
    value = getattr(photon.testing, name)
    assert value is getattr(sys.modules[photon.testing._ROOMS[name]], name)
    assert name in dir(photon.testing)


def test_a_name_that_is_not_there_says_which_are() -> None:
    with pytest.raises(AttributeError, match=r"photon.testing has no 'Client'; .*TestClient"):
        _ = photon.testing.Client
