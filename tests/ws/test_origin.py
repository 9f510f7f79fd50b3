"""Whose pages may open a WebSocket."""

from __future__ import annotations

import pytest

from photon.http.errors import HTTPError
from photon.ws.origin import Origins, check_origin
from tests.http.requests import make_request


def is_allowed(
    origin: str | None, origins: Origins = "same", host: str = "example.com", scheme: str = "http"
) -> bool:
    request = make_request("/", {"host": host} | ({} if origin is None else {"origin": origin}))
    request.scheme = scheme
    try:
        check_origin(request, origins)
    except HTTPError as error:
        return error.status != 403
    return True


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "expected"),
    [
        (None, "example.com", "http", True),  # no browser
        ("http://example.com", "example.com", "http", True),
        ("http://example.com", "EXAMPLE.com:80", "http", True),
        ("https://example.com", "example.com", "https", True),
        ("https://example.com", "example.com:443", "https", True),
        ("https://example.com", "example.com", "http", True),  # a proxy ended TLS
        ("https://example.com:8443", "example.com:8443", "http", True),
        ("http://localhost:8000", "localhost:8000", "http", True),
        ("http://[::1]:8000", "[::1]:8000", "http", True),
        ("http://example.com", "example.com", "https", False),  # anybody can forge what is not TLS
        ("http://example.com:81", "example.com", "http", False),
        ("http://evil.com", "example.com", "http", False),
        ("https://evil.com", "example.com", "http", False),
        ("http://example.com.evil.com", "example.com", "http", False),
        ("http://sub.example.com", "example.com", "http", False),
        ("null", "example.com", "http", False),
        ("", "example.com", "http", False),
        ("", "", "http", False),
        ("http://", "", "http", False),
        ("http://a b", "a b", "http", False),
        ("https://", "", "http", False),
    ],
)
def test_the_same_origin(origin: str | None, host: str, scheme: str, expected: bool) -> None:
    assert is_allowed(origin, "same", host, scheme) is expected


@pytest.mark.parametrize(
    ("origin", "origins", "expected"),
    [
        ("https://a.com", ["https://a.com"], True),
        ("https://b.com", ["https://a.com"], False),
        ("https://x.a.com", ["https://*.a.com"], True),
        ("http://localhost:3000", ["http://localhost:*"], True),
        ("http://example.com", ["https://a.com"], False),
        ("http://example.com", ["same", "https://a.com"], True),
        ("https://a.com", ("same", "https://a.com"), True),
        ("https://b.com", ("same", "https://a.com"), False),
        ("null", ["null"], True),
        ("https://anybody.com", "*", True),
        ("null", "*", True),
    ],
)
def test_listed_origins(origin: str, origins: Origins, expected: bool) -> None:
    assert is_allowed(origin, origins) is expected


def test_the_refusal_says_why_and_the_way_out() -> None:
    request = make_request("/", {"host": "example.com", "origin": "https://evil.com"})
    with pytest.raises(HTTPError) as caught:
        check_origin(request)
    detail = caught.value.detail or ""
    assert "'https://evil.com'" in detail
    assert "cross-site WebSocket hijacking" in detail
    assert "origins=[...]" in detail
    assert "Forwarded" in detail


@pytest.mark.parametrize(
    ("origins", "says"),
    [
        ("https://a.com", "give a list"),
        (["*"], 'give "\\*" itself'),
        (["a.com"], "write it with its scheme"),
        (["https://a.com/path"], "it has no path"),
    ],
)
def test_origins_that_are_none_are_told(origins: Origins, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        check_origin(make_request(), origins)
