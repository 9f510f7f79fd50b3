"""Markers written as other frameworks have them."""

from __future__ import annotations

from typing import Any

import pytest

from photon.binding import markers

CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("Query", (5,), {}, r"Query takes no default: .*`name: Annotated\[int, Query\(\)\] = 5`"),
    ("Header", (), {"default": 5}, r"Header takes no default: it stands behind the equals sign"),
    ("Form", (None,), {}, "Form takes no default"),
    ("Body", (...,), {"embed": True}, r"Body\(\.\.\.\): .*: write Body\(\)"),
    ("Query", (), {"default_factory": list}, "Query takes no default_factory, .* it stands behind"),
    ("Query", (), {"regex": "a"}, "Query has no 'regex': here it is pattern"),
    ("Query", (), {"gte": 1}, "here it is ge"),
    ("Query", (), {"min_items": 1}, "here it is min_length"),
    ("Query", (), {"example": 1}, r"'example': here it is examples=\[\.\.\.\]"),
    ("Header", (), {"convert_underscores": False}, "alias="),
    ("Query", (), {"max_lenght": 3}, "did you mean max_length"),
    ("Query", (), {"zzz": 3}, "Query has no 'zzz'; there are alias, "),
    ("Depends", (), {"use_cache": False}, "Depends has no 'use_cache': here it is cached"),
    ("Depends", (1, 2, 3, 4, 5), {}, "Depends takes provider, scope, cached, concurrent"),
    ("Reply", (int,), {}, "Reply takes type, description"),
]


@pytest.mark.parametrize(("marker", "args", "kwargs", "says"), CALLS)
def test_what_is_written_otherwise_here_is_told(
    marker: str, args: tuple[Any, ...], kwargs: dict[str, Any], says: str
) -> None:
    with pytest.raises(TypeError, match=says) as caught:
        getattr(markers, marker)(*args, **kwargs)
    assert len(str(caught.value)) < 300
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_what_they_take_they_take() -> None:
    assert markers.Query(ge=1, alias="a").ge == 1
    assert markers.Depends(print, "app").scope == "app"
    assert isinstance(markers.Security(), markers.Depends)
