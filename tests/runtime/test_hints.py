"""Names that there are not."""

from __future__ import annotations

from typing import Any

import pytest

from photon.runtime.hints import meant, no_such_attribute

ELSEWHERE = {
    "regex": "pattern",
    "method": "route(path, methods=[...])",
    "default": "it stands behind the equals sign",
}


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("regex", ": here it is pattern"),
        ("method", ": here it is route(path, methods=[...])"),
        ("default", ": it stands behind the equals sign"),
        ("patern", "; did you mean pattern?"),
        ("xyz", "; there are alias, pattern"),
    ],
)
def test_what_was_meant(name: str, hint: str) -> None:
    assert meant(name, ("pattern", "alias"), ELSEWHERE) == hint


class House:
    door = "open"

    @property
    def cellar(self) -> str:
        raise AttributeError("it is under water")

    def __getattr__(self, name: str) -> Any:
        return no_such_attribute(self, name, {"gate": "door"})


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("gate", "a House has no 'gate': here it is door"),
        ("dor", r"a House has no 'dor'; did you mean door\?"),
        ("_door", "a House has no '_door'$"),
        ("cellar", "it is under water"),
    ],
)
def test_an_attribute_that_is_not_there_is_told_the_way(name: str, says: str) -> None:
    with pytest.raises(AttributeError, match=says):
        getattr(House(), name)
    assert not hasattr(House(), name)
    assert House().door == "open"
