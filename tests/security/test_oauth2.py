from __future__ import annotations

from typing import Any

import msgspec
import pytest

from photon.http.errors import HTTPError
from photon.security.oauth2 import OAuth2, OAuth2Password, OAuthFlow, OpenIdConnect, PasswordForm
from tests.http.requests import make_request

SCHEMES = [OAuth2Password("/token"), OpenIdConnect("https://id.example")]


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_tokens_are_taken_as_bearer_tokens(scheme: Any) -> None:
    assert scheme(make_request(headers={"authorization": "Bearer abc"})) == "abc"
    with pytest.raises(HTTPError) as caught:
        scheme(make_request())
    assert (caught.value.status, caught.value.headers["www-authenticate"]) == (401, "Bearer")


def test_flows_in_documents() -> None:
    scheme = OAuth2(
        authorization_code=OAuthFlow(
            authorization_url="/authorize",
            token_url="/token",
            refresh_url="/refresh",
            scopes={"read": "Look."},
        ),
        client_credentials=OAuthFlow(token_url="/token"),
    )
    assert scheme.scheme == {
        "type": "oauth2",
        "flows": {
            "authorizationCode": {
                "authorizationUrl": "/authorize",
                "tokenUrl": "/token",
                "refreshUrl": "/refresh",
                "scopes": {"read": "Look."},
            },
            "clientCredentials": {"tokenUrl": "/token", "scopes": {}},
        },
    }


def test_openid_in_documents() -> None:
    assert OpenIdConnect("https://id.example").scheme == {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://id.example",
    }


@pytest.mark.parametrize(
    ("flows", "says"),
    [
        ({}, "needs a flow"),
        ({"password": OAuthFlow()}, "password needs its token_url"),
        ({"implicit": OAuthFlow(token_url="/t")}, "implicit needs its authorization_url"),
        ({"authorization_code": OAuthFlow(authorization_url="/a")}, "needs its token_url"),
    ],
)
def test_flows_that_lack_something(flows: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        OAuth2(**flows)


def test_the_form_for_a_token() -> None:
    sent = {"grant_type": "password", "username": "ann", "password": "x", "scope": "a  b"}
    form = msgspec.convert(sent, PasswordForm)
    assert form.scopes == ["a", "b"]
    assert repr(form) == "PasswordForm('ann', '***')"
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**sent, "grant_type": "code"}, PasswordForm)
