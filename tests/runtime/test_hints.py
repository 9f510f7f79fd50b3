"""Names that there are not."""

from __future__ import annotations

import pytest

from photon.runtime.hints import meant

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
