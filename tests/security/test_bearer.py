from __future__ import annotations

import pytest

from photon.http.errors import HTTPError
from photon.http.headers import Headers
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.request import Request
from photon.security.bearer import HTTPBearer
from tests.http.requests import make_request


def ask(scheme: HTTPBearer, header: str | None) -> str | None:
    return scheme(make_request(headers={} if header is None else {"authorization": header}))


@pytest.mark.parametrize("token", ["abc", "a.b-c_d~e+f/g==", "x" * 30_000])
def test_a_token(token: str) -> None:
    assert ask(HTTPBearer(), f"Bearer {token}") == token


@pytest.mark.parametrize("header", [None, "", "Basic abc"])
def test_no_token(header: str | None) -> None:
    with pytest.raises(HTTPError, match="needs a token") as caught:
        ask(HTTPBearer(realm="shop"), header)
    assert caught.value.status == 401
    assert caught.value.headers == {"www-authenticate": 'Bearer realm="shop"'}
    assert ask(HTTPBearer(optional=True), header) is None


@pytest.mark.parametrize("token", ["", "a b", "=", "a=b", "ü", "a,b", "=" * 30_000, "a\x00"])
@pytest.mark.parametrize("optional", [False, True])
def test_a_malformed_token(token: str, optional: bool) -> None:
    with pytest.raises(HTTPError, match="malformed") as caught:
        ask(HTTPBearer(optional=optional), f"Bearer {token}")
    assert caught.value.headers == {"www-authenticate": 'Bearer error="invalid_token"'}


def test_two_headers_are_one_too_many() -> None:
    fields = FieldBlock(Headers([("authorization", "Bearer a"), ("authorization", "Bearer b")]))
    request = Request(RequestHead("GET", "/", "/", "", fields, "1.1"))
    with pytest.raises(HTTPError, match="several Authorization headers") as caught:
        HTTPBearer(optional=True)(request)
    assert caught.value.status == 401


def test_a_challenge_without_parameters() -> None:
    assert HTTPBearer().challenge() == "Bearer"


def test_the_refusal_of_a_token_that_was_looked_at() -> None:
    error = HTTPBearer().refusal(
        "not yours", status=403, error="insufficient_scope", scope="read write"
    )
    assert error.status == 403
    challenge = 'Bearer error="insufficient_scope", scope="read write"'
    assert error.headers == {"www-authenticate": challenge}


def test_what_documents_are_told() -> None:
    scheme = HTTPBearer(bearer_format="JWT").scheme
    assert scheme == {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
