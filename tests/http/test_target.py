"""Request targets: path and query."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.errors import HTTPError
from photon.http.target import MAX_QUERY_FIELDS, Query, decode_path, split_target


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/", "/", ""),
        ("/a/b?c=d", "/a/b", "c=d"),
        ("/a?", "/a", ""),
        ("/a?b?c", "/a", "b?c"),
        ("/?http://b/", "/", "http://b/"),
        ("/http://b", "/http://b", ""),
        ("//a/b", "//a/b", ""),
        ("http://a", "/", ""),
        ("http://a/", "/", ""),
        ("http://a/b?c", "/b", "c"),
        ("http://a?b/c", "/", "b/c"),
        ("https://[::1]:80/b", "/b", ""),
        ("http://a//b", "//b", ""),
        ("http://a/?b=http://c/d", "/", "b=http://c/d"),
        ("*", "*", ""),
        ("a:443", "a:443", ""),
    ],
)
def test_a_target_is_split(target: str, path: str, query: str) -> None:
    assert split_target(target) == (path, query)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/a", "/a"),
        ("/a%20b", "/a b"),
        ("/%C3%A9", "/é"),
        ("/%ff", "/\ufffd"),
        ("/%", "/%"),
        ("/%zz", "/%zz"),
        ("/a+b", "/a+b"),
        ("/%2F%2e%2E", "//.."),
    ],
)
def test_a_path_is_decoded(path: str, text: str) -> None:
    assert decode_path(path) == text


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", []),
        ("a=b", [("a", "b")]),
        ("a=b&c=d&a=e", [("a", "b"), ("a", "e"), ("c", "d")]),
        ("a", [("a", "")]),
        ("a=", [("a", "")]),
        ("=b", [("", "b")]),
        ("&&a=b&", [("a", "b")]),
        ("a=b=c", [("a", "b=c")]),
        ("a=b+c%20d", [("a", "b c d")]),
        ("a=%C3%A9&%61=x", [("a", "é"), ("a", "x")]),
        ("a=b;c=d", [("a", "b;c=d")]),
    ],
)
def test_a_query_is_taken_apart(text: str, pairs: list[tuple[str, str]]) -> None:
    assert Query(text).pairs() == pairs


def test_of_several_values_the_last_one_counts_and_all_can_be_had() -> None:
    query = Query("a=1&b=2&a=3")
    assert query["a"] == "3"
    assert query.get_all("a") == ["1", "3"]
    assert query.get_all("z") == []
    assert query.get("z") is None
    assert "z" not in query
    assert (list(query), len(query)) == (["a", "b"], 2)
    assert repr(query) == "Query([('a', '1'), ('a', '3'), ('b', '2')])"
    query.get_all("a").clear()
    assert query.get_all("a") == ["1", "3"]


@given(st.text(st.sampled_from("ab=&;%+2C é"), max_size=30))
def test_a_query_is_read_as_the_standard_library_reads_it(text: str) -> None:
    expected: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(HTTPError, match="is not UTF-8"):
            Query(text)
        return
    for name, value in pairs:
        expected.setdefault(name, []).append(value)
    query = Query(text)
    assert {name: query.get_all(name) for name in query} == expected


def test_a_flood_of_fields_is_refused() -> None:
    assert len(Query("&".join(f"a{n}=" for n in range(MAX_QUERY_FIELDS)))) == MAX_QUERY_FIELDS
    with pytest.raises(HTTPError, match="more than 1000 fields") as refused:
        Query("a&" * MAX_QUERY_FIELDS + "a")
    assert refused.value.status == 400
