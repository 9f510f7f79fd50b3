from __future__ import annotations

from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.errors import HTTPError
from photon.security.basic import BasicCredentials, HTTPBasic
from tests.http.requests import make_request


def encoded(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return f"Basic {b64encode(raw).decode()}"


def ask(header: str | None, **more: bool) -> BasicCredentials | None:
    headers = {} if header is None else {"authorization": header}
    return HTTPBasic(realm="the shop", **more)(make_request(headers=headers))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "username", "password"),
    [
        ("ann:secret", "ann", "secret"),
        ("ann:a:b", "ann", "a:b"),
        (":", "", ""),
        ("jürgen:£", "jürgen", "£"),
    ],
)
def test_credentials(text: str, username: str, password: str) -> None:
    assert ask(encoded(text)) == BasicCredentials(username, password)
    assert ask(encoded(text), optional=True) == BasicCredentials(username, password)


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (None, "needs a user name and a password"),
        ("", "needs a user name"),
        ("Bearer abc", "needs a user name"),
    ],
)
def test_no_credentials(header: str | None, says: str) -> None:
    with pytest.raises(HTTPError, match=says) as caught:
        ask(header)
    assert caught.value.status == 401
    assert caught.value.headers == {"www-authenticate": 'Basic realm="the shop", charset="UTF-8"'}
    assert ask(header, optional=True) is None


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("Basic", "no colon"),
        ("Basic !!!", "not Base64"),
        ("Basic YW5uOnNlY3JldA", "not Base64"),
        ("Basic YW5u OnNl", "not Base64"),
        ("Basic \xfc\xfc\xfc\xfc", "not Base64"),
        (encoded("ann"), "no colon"),
        (encoded(b"ann:\xff"), "not UTF-8"),
        (encoded("ann:a\nb"), "control character"),
        (encoded("ann\x00:x"), "control character"),
        ("Basic " + "A" * 2_000_001, "not Base64"),
        ("Basic " + "QUFB" * 500_000, "no colon"),
    ],
    ids=range(11),
)
def test_malformed_credentials_are_refused_even_where_none_are_needed(
    header: str, says: str
) -> None:
    for optional in (False, True):
        with pytest.raises(HTTPError, match=says) as caught:
            ask(header, optional=optional)
        assert caught.value.status == 401
        assert "www-authenticate" in caught.value.headers


@given(st.text(max_size=40))
def test_nothing_but_an_http_error_comes_of_a_header(text: str) -> None:
    with suppress(HTTPError):
        ask(f"Basic {text}")


def test_the_password_is_not_shown() -> None:
    assert repr(BasicCredentials("ann", "secret")) == "BasicCredentials('ann', '***')"
    with pytest.raises(HTTPError) as caught:
        ask(encoded("ann-secret"))
    assert "secret" not in str(caught.value)


def test_a_realm_that_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="cannot stand in a header"):
        HTTPBasic(realm="a\r\nb")
