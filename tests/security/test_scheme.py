from __future__ import annotations

import pytest

from photon.security.bearer import HTTPBearer
from photon.security.scheme import authorization, matches, quoted
from tests.http.requests import make_request


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("secret", "secret", True),
        ("secret", b"secret", True),
        ("geheim\xfc", "geheim\xfc".encode(), True),
        ("secret", "Secret", False),
        ("secret", "secret ", False),
        ("", "", True),
        ("\ud800", "\ud800", True),
        ("\ud800", "x", False),
    ],
)
def test_secrets_are_compared(a: str | bytes, b: str | bytes, equal: bool) -> None:
    assert matches(a, b) is equal


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer abc", "abc"),
        ("bEARER   abc  ", "abc"),
        ("Bearer", ""),
        ("Basic abc", None),
        ("Bearerabc", None),
        ("", None),
    ],
)
def test_the_scheme_ignores_case(header: str, found: str | None) -> None:
    assert authorization(make_request(headers={"authorization": header}), "bearer") == found


def test_no_header_at_all() -> None:
    assert authorization(make_request(), "bearer") is None


def test_a_text_in_a_challenge() -> None:
    assert quoted('a "b" \\') == '"a \\"b\\" \\\\"'
    for bad in ("\r\nset-cookie: a", "\x00", "\xfc"):
        with pytest.raises(ValueError, match="cannot stand in a header"):
            quoted(bad)


def test_a_name_that_documents_could_not_have() -> None:
    with pytest.raises(ValueError, match="cannot be a scheme_name"):
        HTTPBearer(scheme_name="my token")


def test_what_a_scheme_says_about_itself() -> None:
    scheme = HTTPBearer(description="From the desk.")
    assert scheme.scheme == {"type": "http", "scheme": "bearer", "description": "From the desk."}
    assert repr(scheme) == "<HTTPBearer 'HTTPBearer'>"
