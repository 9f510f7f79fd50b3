"""The one script gets through a page's policy, and nothing else does."""

from __future__ import annotations

import pytest

from photon.app.live.policies import let_through, origin_of

URL, LIVE = "http://h/s.js", "http://h/live"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", ""),
        ("img-src 'none'", "img-src 'none'"),
        ("default-src 'self'", "default-src 'self'"),
        ("script-src *; connect-src *", "script-src *; connect-src *"),
        (
            "default-src 'none'",
            f"default-src 'none'; script-src-elem {URL}; connect-src {LIVE}",
        ),
        (
            "script-src 'nonce-a'; connect-src 'none'",
            f"script-src 'nonce-a' {URL}; connect-src {LIVE}",
        ),
        ("SCRIPT-SRC 'none'", f"script-src {URL}"),
        (
            "script-src-elem a.com; script-src b.com",
            f"script-src-elem a.com {URL}; script-src b.com",
        ),
        (
            "script-src 'self' 'strict-dynamic' 'nonce-a'",
            "script-src 'self' 'strict-dynamic' 'nonce-a' 'nonce-N'",
        ),
        ("sandbox; script-src 'none'", "sandbox; script-src 'none'"),
        ("script-src 'none', img-src *", f"script-src {URL}, img-src *"),
        (";; script-src a.com; script-src *;", f"script-src a.com {URL}"),
    ],
)
def test_what_is_let_through(policy: str, expected: str) -> None:
    assert let_through(policy, URL, LIVE, "N") == expected


def test_without_a_name_for_ourselves_there_is_the_nonce() -> None:
    assert let_through("script-src 'nonce-a'", "", "", "N") == "script-src 'nonce-a' 'nonce-N'"
    assert let_through("script-src 'unsafe-inline'", "", "", "N") == "script-src 'unsafe-inline'"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:8000", "http://localhost:8000"),
        ("[::1]:80", "http://[::1]:80"),
        ("a; script-src *", ""),
        ("a b", ""),
        ("a,b", ""),
        ("", ""),
        ("*", ""),
    ],
)
def test_a_host_cannot_write_policies(host: str, origin: str) -> None:
    assert origin_of("http", host) == origin
