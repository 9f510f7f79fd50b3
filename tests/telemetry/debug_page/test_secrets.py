"""Secrets are left out; what is none stays."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.telemetry.debug_page.secrets import REDACTED, Redactor, is_secret_name


@pytest.mark.parametrize(
    "name",
    [
        *("password", "DB_PASSWORD", "passwd", "user_pwd", "secretKey", "access_token", "apikey"),
        *("X-Api-Key", "Authorization", "Set-Cookie", "sessionid", "csrf_token", "credit_card"),
        *("private_key", "card_number", "jwt", "pin", "otp", "auth", "x-auth"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["author", "name", "items", "path", "pinned", "cards", "option"])
def test_names_of_others(name: str) -> None:
    assert not is_secret_name(name)


TEXTS = [
    ("{'password': 'x', 'a': 1}", "{'password': '[redacted]', 'a': 1}"),
    ('{"token": "a\\"b", "c": 2}', '{"token": "[redacted]", "c": 2}'),
    ("{'secret': b'x'}", "{'secret': '[redacted]'}"),
    ("host=db password=x1 port=5", "host=db password=[redacted] port=5"),
    ("connect(password='a b')", "connect(password='[redacted]')"),
    ("postgres://me:pw@db/x?y", "postgres://me:[redacted]@db/x?y"),
    ("postgres://me:p@ss:word@db/x", "postgres://me:[redacted]@db/x"),
    ("Authorization was Bearer abc.def.ghi", "Authorization was Bearer [redacted]"),
    ("?api_key=123&b=2", "?api_key=[redacted]&b=2"),
    ("password: x", "password: [redacted]"),
    ("unexpected token: }", "unexpected token: }"),
    ("password=None", "password=None"),
    ("if token == other:", "if token == other:"),
    ("http://localhost:8000/x", "http://localhost:8000/x"),
    ("the session was closed", "the session was closed"),
]


@pytest.mark.parametrize(("text", "cleaned"), TEXTS)
def test_a_text_is_cleaned(text: str, cleaned: str) -> None:
    assert Redactor({}).clean(text) == cleaned


@pytest.mark.parametrize(
    ("value", "is_left_out"),
    [("hunter2", True), ("Tr0ub4dor", True), ("postgres", False), ("abc", False), (7, False)],
)
def test_a_secret_that_is_known_is_left_out_elsewhere(value: Any, is_left_out: bool) -> None:
    redactor = Redactor({})
    assert redactor.hides("password", value)
    assert (redactor.clean(f"with {value} in it") == f"with {REDACTED} in it") is is_left_out


def test_the_environments_secrets_are_known() -> None:
    redactor = Redactor({"AWS_SECRET": "wJalrXUtn/1", "DATABASE_URL": "pg://u:zyx-987@h/d"})
    assert redactor.clean("wJalrXUtn/1 and zyx-987") == f"{REDACTED} and {REDACTED}"


def test_the_current_folder_is_no_secret_though_a_shell_calls_it_pwd() -> None:
    redactor = Redactor({"PWD": "/srv/shop", "OLDPWD": "/srv", "DB_PWD": "hunter2!"})
    text = 'File "/srv/shop/shop.py", line 3, knows hunter2!'
    assert redactor.clean(text) == f'File "/srv/shop/shop.py", line 3, knows {REDACTED}'


@pytest.mark.parametrize("value", [None, True, len, str, pytest])
def test_what_says_nothing_is_shown(value: Any) -> None:
    assert not Redactor({}).hides("token", value)


@pytest.mark.parametrize(
    "text",
    [
        *("password" * 20_000, "password=" * 20_000, "'" * 100_000, "password: '" + "\\" * 99_999),
        *("://a:" * 20_000, "bearer " * 20_000, "token\t" * 20_000, '"password": ' * 9_000),
    ],
    ids=range(8),
)
def test_no_text_takes_long(text: str) -> None:
    began = time.process_time()
    Redactor({}).clean(text)
    assert time.process_time() - began < 5  # seconds where quadratic time would take minutes


@given(st.text())
def test_any_text_is_cleaned(text: str) -> None:
    Redactor({}).clean(text)
