from __future__ import annotations

from typing import Any

import pytest

from photon.http.errors import HTTPError
from photon.security.api_key import APIKey
from tests.http.requests import make_request

HEADER, QUERY, COOKIE = (
    APIKey("X-Key"),
    APIKey("key", "query"),
    APIKey("key", in_="cookie"),
)


@pytest.mark.parametrize(
    ("scheme", "target", "headers"),
    [
        (HEADER, "/", {"x-key": "abc"}),
        (QUERY, "/?key=abc", {}),
        (QUERY, "/?key=abc&key=abc", {}),
        (COOKIE, "/", {"cookie": "a=b; key=abc"}),
    ],
)
def test_a_key(scheme: APIKey, target: str, headers: dict[str, str]) -> None:
    assert scheme(make_request(target, headers)) == "abc"


@pytest.mark.parametrize("target", ["/", "/?key=", "/?Key=abc", "/?other=abc"])
@pytest.mark.parametrize(("name", "in_"), [("X-Key", "header"), ("key", "query")])
def test_no_key(target: str, name: str, in_: Any) -> None:
    scheme = APIKey(name, in_)
    with pytest.raises(HTTPError, match=f"this needs a key: '{name}' in the {in_}") as caught:
        scheme(make_request(target))
    assert caught.value.status == 401
    assert caught.value.headers == {"www-authenticate": f'APIKey in="{in_}", name="{name}"'}
    assert APIKey(name, in_, optional=True)(make_request(target)) is None


def test_two_keys_are_one_too_many() -> None:
    with pytest.raises(HTTPError, match="several keys"):
        QUERY(make_request("/?key=a&key=b"))


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("key", "body"), "one of header, query, cookie, not in 'body'"),
        (("", "header"), "cannot be the name"),
        (("a b", "header"), "cannot be the name"),
        (("a;b", "cookie"), "cannot be the name"),
    ],
)
def test_what_no_key_can_be(args: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        APIKey(*args)


def test_what_documents_are_told() -> None:
    assert HEADER.scheme == {"type": "apiKey", "in": "header", "name": "X-Key"}
    assert HEADER.scheme_name == "APIKey_X-Key"
    odd = APIKey("schlüssel[1]", "query")
    assert odd.scheme_name == "APIKey_schl_ssel_1_"
    assert odd.challenge() == 'APIKey in="query", name="APIKey_schl_ssel_1_"'
    assert APIKey("a", scheme_name="mine").scheme_name == "mine"
