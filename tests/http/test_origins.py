"""Origins, as browsers write them and as users mean them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.origins import checked_origin, make_origin_check

WILD = ("https://*.example.com", "http://localhost:*")


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://xn--bcher-kva.example.com", True),
        ("https://example.com", False),
        ("https://.example.com", False),
        ("https://a..example.com", False),
        ("https://evilexample.com", False),
        ("https://a.example.com.evil.com", False),
        ("https://a.example.com:8443", False),
        ("https://a.exampleXcom", False),
        ("http://a.example.com", False),
        ("https://evil.com/.example.com", False),
        ("https://evil.com#.example.com", False),
        ("https://user@a.example.com", False),
        ("https://a.example.com\n", False),
        ("https://A.example.com", False),
        ("http://localhost", True),
        ("http://localhost:3000", True),
        ("http://localhost:", False),
        ("http://localhost:300000", False),
        ("http://localhost:3000.evil.com", False),
        ("null", False),
        ("", False),
    ],
)
def test_wildcards(origin: str, is_allowed: bool) -> None:
    assert make_origin_check(WILD)(origin) is is_allowed


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://example.com", True),
        ("https://example.com:443", False),
        ("https://example.com/", False),
        ("HTTPS://example.com", False),
        ("http://example.com", False),
        ("https://[::1]:8000", True),
        ("null", False),
    ],
)
def test_exact_origins(origin: str, is_allowed: bool) -> None:
    check = make_origin_check(["HTTPS://Example.com:443", "https://[::1]:8000"])
    assert check(origin) is is_allowed


def test_null_is_allowed_only_by_its_name() -> None:
    assert make_origin_check(["null"])("null")
    assert not make_origin_check([], ".*")("null")


@pytest.mark.parametrize(
    "pattern", [r"https://pr-\d+\.example\.com", re.compile(r"HTTPS://PR-\d+\.EXAMPLE\.COM", re.I)]
)
def test_a_pattern_matches_from_end_to_end(pattern: str | re.Pattern[str]) -> None:
    check = make_origin_check(["https://a.com"], pattern)
    assert check("https://a.com")
    assert check("https://pr-12.example.com")
    assert not check("https://pr-12.example.com.evil.com")
    assert not check("x https://pr-12.example.com")


@given(st.text(max_size=400))
def test_whatever_comes_is_answered(origin: str) -> None:
    assert not make_origin_check(WILD)(origin)


@pytest.mark.parametrize(
    "origin", ["https://" + "a." * 4000 + "example.com", "https://" + "a" * 8000]
)
def test_a_long_origin_is_none_and_is_not_kept(origin: str) -> None:
    assert not make_origin_check(WILD, "(a|a)*b")(origin)


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("example.com", "write it with its scheme, as in 'https://example.com'"),
        ("https://example.com/", "it has no path; write 'https://example.com'"),
        ("https://example.com/app", "it has no path; write 'https://example.com'"),
        ("https://ex*.com", "`\\*` stands only for subdomains or a port"),
        ("https://*", "`\\*` stands only for subdomains or a port"),
        ("https://user@example.com", "write scheme, host and perhaps port"),
        (
            "https://bücher.example",
            "browsers send the name in ASCII, as 'https://xn--bcher-kva.example'",
        ),
        ("", "write it with its scheme"),
    ],
)
def test_what_no_browser_would_send(origin: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        checked_origin(origin)


def test_a_pattern_that_is_none() -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        make_origin_check([], "(")
