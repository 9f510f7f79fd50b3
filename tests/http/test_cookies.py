"""Cookies, both ways."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from photon.http.cookies import format_set_cookie, parse_cookies


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        ("a=b; c=d", {"a": "b", "c": "d"}),
        ("a=b;c=d;", {"a": "b", "c": "d"}),
        (" a = b ;\tc=d", {"a": "b", "c": "d"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
        ('a="b c"', {"a": "b c"}),
        ('a="', {"a": '"'}),
        ('a=""', {"a": ""}),
        ("a=1; a=2", {"a": "1"}),
        ("A=1; a=2", {"A": "1", "a": "2"}),
        ("nameless; =b; a=b", {"a": "b"}),
        ("; ; ;", {}),
        ("a=é,%20", {"a": "é,%20"}),
        ("$Version=1; a=b", {"$Version": "1", "a": "b"}),
    ],
)
def test_a_cookie_header_is_taken_apart(header: str, cookies: dict[str, str]) -> None:
    assert parse_cookies(header) == cookies


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "a=b; Path=/; SameSite=Lax; HttpOnly"),
        ({"http_only": False, "same_site": None, "path": None}, "a=b"),
        ({"max_age": 0}, "a=b; Max-Age=0; Path=/; SameSite=Lax; HttpOnly"),
        (
            {"expires": datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)},
            "a=b; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Path=/; SameSite=Lax; HttpOnly",
        ),
        (
            {"domain": "photon.example", "path": "/a b", "same_site": "strict", "secure": True},
            "a=b; Path=/a b; Domain=photon.example; SameSite=Strict; Secure; HttpOnly",
        ),
        (
            {"same_site": "none", "secure": True, "partitioned": True},
            "a=b; Path=/; SameSite=None; Secure; HttpOnly; Partitioned",
        ),
    ],
)
def test_a_set_cookie_header_is_put_together(options: dict[str, Any], text: str) -> None:
    assert format_set_cookie("a", "b", **options) == text


@pytest.mark.parametrize("value", ["", "abc", "a=b", "!#$%&'()*+-./:<=>?@[]^_`{|}~"])
def test_what_is_set_comes_back(value: str) -> None:
    assert parse_cookies(format_set_cookie("a", value))["a"] == value


@pytest.mark.parametrize(
    ("name", "value", "options"),
    [
        ("", "b", {}),
        ("a b", "b", {}),
        ("a=b", "b", {}),
        ("a;b", "b", {}),
        ("a\r\nSet-Cookie: x", "b", {}),
        ("a\n", "b", {}),
        ("é", "b", {}),
        ("a", "b c", {}),
        ("a", "b;c", {}),
        ("a", "b,c", {}),
        ("a", 'b"c', {}),
        ("a", "b\\c", {}),
        ("a", "b\r\nX: y", {}),
        ("a", "b\n", {}),
        ("a", "é", {}),
        ("a", "b" * 4096, {}),
        ("a", "b", {"path": "/; Domain=evil.example"}),
        ("a", "b", {"path": "/\r\nX: y"}),
        ("a", "b", {"path": "/é"}),
        ("a", "b", {"path": ""}),
        ("a", "b", {"path": "relative"}),
        ("a", "b", {"domain": "evil.example; Path=/"}),
        ("a", "b", {"domain": "evil.example\n"}),
        ("a", "b", {"same_site": "none"}),
        ("a", "b", {"partitioned": True}),
        ("__Secure-a", "b", {}),
        ("__SECURE-a", "b", {}),
        ("__Host-a", "b", {}),
        ("__Host-a", "b", {"secure": True, "domain": "photon.example"}),
        ("__host-a", "b", {"secure": True, "path": "/a"}),
        ("__Host-a", "b", {"secure": True, "path": None}),
    ],
)
def test_what_browsers_refuse_or_read_differently_is_refused(
    name: str, value: str, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="cookie"):
        format_set_cookie(name, value, **options)


def test_the_prefixes_ask_for_no_more_than_they_must() -> None:
    assert format_set_cookie("__Host-a", "b", secure=True).startswith("__Host-a=b; Path=/;")
    assert "Domain=b" in format_set_cookie("__Secure-a", "b", secure=True, domain="b", path="/c")
    assert len(format_set_cookie("a", "b" * 4095)) > 4095
