"""URLs, queries and forms as a client writes them."""

from __future__ import annotations

from typing import Any

import pytest

from photon.testing.address import Address, encode_fields

BASE = Address.parse("http://Shop.example:8000")


def test_a_url_is_taken_apart() -> None:
    address = Address.parse("https://[::1]:8443/a b?c=d#e")
    assert address == ("https", "[::1]:8443", "/a%20b?c=d")
    assert (address.hostname, address.port, address.path) == ("::1", 8443, "/a%20b")
    assert str(address) == "https://[::1]:8443/a%20b?c=d"
    assert [Address.parse(f"{scheme}://x").port for scheme in ("http", "https")] == [80, 443]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/", "http://shop.example:8000/"),
        ("/a%20b/%zz?x#y", "http://shop.example:8000/a%20b/%zz?x"),
        ('/"<>\\^`{|}\r\n', "http://shop.example:8000/%22%3C%3E%5C%5E%60%7B%7C%7D%0D%0A"),
        ("//not/a/host", "http://shop.example:8000//not/a/host"),
        ("http://other/x", "http://other/x"),
        ("https://other", "https://other/"),
        ("*", "http://shop.example:8000"),
    ],
)
def test_where_a_url_leads(url: str, expected: str) -> None:
    assert str(BASE.at(url)) == expected


def test_a_base_may_have_a_path() -> None:
    for base in ("http://x/api", "http://x/api/"):
        assert str(Address.parse(base).at("/items")) == "http://x/api/items"


def test_params_are_added_to_what_is_there() -> None:
    assert BASE.at("/?a=1", {"b": 2}).target == "/?a=1&b=2"
    assert BASE.at("/", [("b", "ü &"), ("b", "")]).target == "/?b=%C3%BC+%26&b="
    assert BASE.at("/", {"b": None}).target == "/"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"a": True, "b": 1.5, "c": b"x"}, "a=true&b=1.5&c=x"),
        ({"a": ["x", None, "y"], "b": ()}, "a=x&a=y"),
        ([("a", "1"), ("a", "2")], "a=1&a=2"),
    ],
)
def test_fields(fields: Any, expected: str) -> None:
    assert encode_fields(fields) == expected


@pytest.mark.parametrize("url", ["", "a/b", "?a=b", "ftp://x/", "http://", "http://x:port/"])
def test_what_leads_nowhere_is_told(url: str) -> None:
    with pytest.raises(ValueError, match=r"is no path|is no URL|Port"):
        BASE.at(url)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("c?d", "http://x/a/c?d"),
        ("../c#e", "http://x/c"),
        ("//y/z", "http://y/z"),
        ("https://y", "https://y/"),
        ("mailto:me@y", None),
        ("http://[bad", None),
        ("http://user:pw@y/", None),
    ],
)
def test_following_a_location(location: str, expected: str | None) -> None:
    followed = Address.parse("http://x/a/b").follow(location)
    assert (None if followed is None else str(followed)) == expected
