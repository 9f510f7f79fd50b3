"""The jar: what is kept, and who is shown it."""

from __future__ import annotations

from time import time

import pytest

from photon.http.dates import http_date
from photon.testing.address import Address
from photon.testing.cookies import Cookies, parse_set_cookie

HOME = Address.parse("http://shop.example/cart/items")


def shown(jar: Cookies, url: str) -> str:
    return jar.header_for(Address.parse(url), {})


def test_it_is_a_mapping() -> None:
    jar = Cookies({"a": "1"})
    jar["b"] = "2"
    assert dict(jar) == {"a": "1", "b": "2"}
    assert len(jar) == 2
    assert "a" in jar
    assert repr(jar) == "Cookies({'a': '1', 'b': '2'})"
    del jar["a"]
    with pytest.raises(KeyError):
        _ = jar["a"]
    with pytest.raises(KeyError):
        del jar["a"]


def test_what_is_set_by_name_alone_is_for_everybody() -> None:
    jar = Cookies({"a": "1"})
    assert shown(jar, "http://x/") == shown(jar, "https://y.z/deep") == "a=1"


def test_setting_by_name_replaces_what_a_server_set() -> None:
    jar = Cookies()
    jar.take(["a=1; Path=/", "a=2; Path=/cart"], HOME)
    assert jar["a"] == "2"
    assert len(jar) == 1
    assert [(c.value, c.path) for c in jar.details("a")] == [("1", "/"), ("2", "/cart")]
    jar["a"] = "3"
    assert shown(jar, str(HOME)) == "a=3"


@pytest.mark.parametrize(
    ("header", "url", "expected"),
    [
        # The host...
        ("a=1", "http://shop.example/cart/", True),
        ("a=1", "http://shop.example:8080/cart/", True),
        ("a=1", "http://sub.shop.example/cart/", False),
        ("a=1; Domain=shop.example", "http://sub.shop.example/cart/", True),
        ("a=1; Domain=.Shop.Example", "http://sub.shop.example/cart/", True),
        ("a=1; Domain=example", "http://other.example/cart/", True),
        ("a=1; Domain=shop.example", "http://badshop.example/cart/", False),
        # The path...
        ("a=1", "http://shop.example/cart", True),
        ("a=1", "http://shop.example/cart/other", True),
        ("a=1", "http://shop.example/cartoon", False),
        ("a=1", "http://shop.example/", False),
        ("a=1; Path=/", "http://shop.example/", True),
        ("a=1; Path=relative", "http://shop.example/cart/x", True),
        ("a=1; path=/cart/", "http://shop.example/cart", False),
        # The scheme...
        ("a=1; Secure", "http://shop.example/cart/", False),
        ("a=1; Secure", "https://shop.example/cart/", True),
        # The time...
        ("a=1; Max-Age=60", "http://shop.example/cart/", True),
        ("a=1; Max-Age=0", "http://shop.example/cart/", False),
        ("a=1; Max-Age=-1", "http://shop.example/cart/", False),
        ("a=1; Max-Age=soon", "http://shop.example/cart/", True),
        ("a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://shop.example/cart/", False),
        ("a=1; Expires=Thu, 01-Jan-1970 00:00:00 GMT", "http://shop.example/cart/", False),
        ("a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "http://shop.example/cart/", True),
        ("a=1; Expires=never", "http://shop.example/cart/", True),
        (
            "a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=9",
            "http://shop.example/cart/",
            True,
        ),
    ],
)
def test_who_is_shown_a_cookie(header: str, url: str, expected: bool) -> None:
    jar = Cookies()
    jar.take([header], HOME)
    assert shown(jar, url) == ("a=1" if expected else "")


@pytest.mark.parametrize(
    "header", ["", "novalue", "=1", "a=1; Domain=other.example", "a=1; Domain=sub.shop.example"]
)
def test_what_a_browser_ignores_is_ignored(header: str) -> None:
    assert parse_set_cookie(header, HOME) is None


def test_a_domain_above_an_ip_address_is_none() -> None:
    assert parse_set_cookie("a=1; Domain=0.0.1", Address.parse("http://127.0.0.1/")) is None


def test_a_cookie_is_replaced_by_one_of_its_name_domain_and_path() -> None:
    jar = Cookies()
    jar.take(["a=1; Path=/", "a=2; Path=/cart", "a=3; Path=/"], HOME)
    assert shown(jar, str(HOME)) == "a=2; a=3"
    assert jar.take(["a=; Path=/; Max-Age=0", "b=5"], HOME) == {"b": "5"}
    assert jar["a"] == "2"


def test_longer_paths_come_first_and_older_cookies_before_newer_ones() -> None:
    jar = Cookies()
    jar.take(["a=1; Path=/", "b=2; Path=/", "c=3; Path=/cart"], HOME)
    assert shown(jar, str(HOME)) == "c=3; a=1; b=2"


def test_a_cookie_expires_while_it_lies_there() -> None:
    jar = Cookies()
    jar.take([f"a=1; Expires={http_date(time() + 100)}"], HOME)
    (cookie,) = jar.details("a")
    cookie.expires = time() - 1
    assert len(jar) == 0
    assert shown(jar, str(HOME)) == ""


def test_values_are_as_the_server_wrote_them() -> None:
    jar = Cookies()
    assert jar.take(['a="x y"; HttpOnly; SameSite=Lax', "b=x=y"], HOME) == {
        "a": '"x y"',
        "b": "x=y",
    }
    assert shown(jar, str(HOME)) == 'a="x y"; b=x=y'


def test_a_cookie_for_one_host_or_path() -> None:
    jar = Cookies()
    jar.set("a", "1", domain="Shop.example", path="/cart")
    assert shown(jar, str(HOME)) == "a=1"
    assert shown(jar, "http://other.example/cart") == ""
    with pytest.raises(ValueError, match="cannot be of a cookie"):
        jar.set("a", "1; b=2")
