from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.openapi.ids import Naming, operation_ids

CASES = [
    ([], []),
    ([Naming("a", "get", "/")], ["a"]),
    ([Naming("a", "get", "/"), Naming("b", "get", "/b")], ["a", "b"]),
    ([Naming("a", "get", "/"), Naming("a", "post", "/")], ["a_get", "a_post"]),
    ([Naming("a", "get", "/x/{id}"), Naming("a", "get", "/y")], ["a_get_x_id", "a_get_y"]),
    ([Naming("a", "get", "/"), Naming("a", "get", "/", fixed=True)], ["a_get", "a"]),
    ([Naming("a", "get", "/x"), Naming("a", "get", "/{x}")], ["a_get_x", "a_get_x_2"]),
    ([Naming("a_get", "put", "/"), Naming("a", "get", "/"), Naming("a", "put", "/")], None),
]


@pytest.mark.parametrize(("namings", "expected"), CASES, ids=range(len(CASES)))
def test_ids(namings: list[Naming], expected: list[str] | None) -> None:
    made = operation_ids(namings)
    assert len(set(made)) == len(namings)
    assert expected is None or made == expected


NAMINGS = st.builds(
    Naming,
    st.sampled_from(["a", "a_get", "a_get_x"]),
    st.sampled_from(["get", "post"]),
    st.sampled_from(["/", "/x", "/{x}"]),
)


@given(st.lists(NAMINGS, max_size=8))
def test_no_two_are_the_same(namings: list[Naming]) -> None:
    assert len(set(operation_ids(namings))) == len(namings)


PLAIN = st.builds(
    Naming,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["get", "post"]),
    st.sampled_from(["/", "/x", "/y/{z}"]),
)


@given(st.lists(PLAIN, max_size=8, unique_by=lambda n: (n.name, n.method, n.path)))
def test_none_depends_on_which_came_first(namings: list[Naming]) -> None:
    assert operation_ids(namings[::-1]) == operation_ids(namings)[::-1]
