"""Paths as names of files."""

from __future__ import annotations

import os.path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.static_paths import names_of


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/", ("",)),
        ("/a", ("a",)),
        ("/a/b.css", ("a", "b.css")),
        ("/a/", ("a", "")),
        ("/a%20b/%C3%A9", ("a b", "é")),
        ("/a..b", ("a..b",)),
        ("/%zz", ("%zz",)),
        ("/a~1", ("a~1",)),
        ("/.well-known/security.txt", (".well-known", "security.txt")),
    ],
)
def test_names(path: str, names: tuple[str, ...]) -> None:
    assert names_of(path) == names


@pytest.mark.parametrize(
    "path",
    [
        "",
        "*",
        "a",
        "//",
        "//a",
        "/a//b",
        "/.",
        "/..",
        "/a/../b",
        "/a/..",
        "/../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/%2E%2e/x",
        "/.%2e",
        "/%2e",
        "/a%2f..%2fb",
        "/a%2fb",
        "/%2fetc/passwd",
        "/a\\b",
        "/..\\..\\x",
        "/%5c..%5cx",
        "/a%00.css",
        "/%ff",
        "/%c0%ae%c0%ae/x",  # ".." as no UTF-8
        "/%ed%a0%80",  # half a surrogate pair
    ],
)
@pytest.mark.parametrize("hidden", [False, True])
def test_no_names(path: str, hidden: bool) -> None:
    assert names_of(path, hidden=hidden) is None


@pytest.mark.parametrize(
    "path", ["/.env", "/.git/config", "/a/.htaccess", "/%2egit/x", "/...", "/.a/"]
)
def test_hidden_names(path: str) -> None:
    assert names_of(path) is None
    assert names_of(path, hidden=True) is not None
    assert names_of("/.well-known" + path) is None


@given(st.text("ab./\\%25efEFcC0\0é", max_size=30), st.booleans())
def test_whatever_comes_stays_below(path: str, hidden: bool) -> None:
    names = names_of("/" + path, hidden=hidden)
    if names is not None:
        joined = os.path.normpath("/root/" + "/".join(names))
        assert joined == "/root" or joined.startswith("/root/")
        assert all(names[:-1])
        assert len(joined.split("/")) == 2 + len([name for name in names if name])
