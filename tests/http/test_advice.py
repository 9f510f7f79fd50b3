"""What is noted beside failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from photon.http import advice
from photon.http.advice import advise
from photon.http.errors import HTTPError
from photon.http.failures import log_panic
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from tests.http.requests import make_request

REQUEST: Any = make_request("/")
RESPONSE: Any = Response()
MAKE: Any = Response
ERROR: Any = HTTPError


class Own:
    pass


def own_failure() -> None:
    class Failure(AttributeError):
        def __str__(self) -> str:
            raise RuntimeError

    raise Failure


def failure_of(fn: Callable[[], object]) -> BaseException:
    try:
        fn()
    except Exception as error:
        return error
    raise AssertionError("it did not fail")


def set_account() -> None:
    REQUEST.account = 1


@pytest.mark.parametrize(
    ("fn", "note"),
    [
        (lambda: REQUEST.args["x"], "here it is request.query"),
        (lambda: REQUEST.query_params, "here it is request.query"),
        (lambda: REQUEST.path_params, "request.path_values, or parameters of the handler"),
        (lambda: REQUEST.app, "a request knows no application: import it"),
        (lambda: REQUEST.form["x"], "a method is called first, as in request.form()"),
        (set_account, "request.state is a place"),
        (lambda: RESPONSE.status_code, "here it is status"),
        (lambda: setattr(RESPONSE, "status_code", 404), "here it is status"),
        (lambda: MAKE(status_code=201), "here it is status"),
        (lambda: MAKE(content="x"), "here it is body"),
        (lambda: MAKE.json({}, status_code=201), "here it is status"),
        (lambda: MAKE.file("x", filename="y"), "here it is download_as"),
        (lambda: RESPONSE.set_cookie("a", "b", httponly=True), "here it is http_only"),
        (lambda: ERROR(status_code=404), "its status comes first: HTTPError(404, "),
        (lambda: ERROR(detail="x"), "its status comes first: HTTPError(404, "),
    ],
)
def test_what_is_written_otherwise_here(fn: Callable[[], object], note: str) -> None:
    error = failure_of(fn)
    advise(error)
    advise(error)
    (noted,) = error.__notes__
    assert noted.startswith(note)


@pytest.mark.parametrize(
    "fn",
    [
        lambda: REQUEST.zzz,
        lambda: MAKE(zzz=1),
        lambda: Own().args,  # type: ignore[attr-defined]
        lambda: 1 + "a",  # type: ignore[operator]
        lambda: int("a"),
        own_failure,
    ],
)
def test_what_nobody_knows_is_left_as_it_is(fn: Callable[[], object]) -> None:
    error = failure_of(fn)
    advise(error)
    assert not hasattr(error, "__notes__")


def test_no_hint_is_about_what_there_is() -> None:
    assert not [name for name in advice._REQUEST if hasattr(Request, name)]
    for cls in (Response, StreamResponse):
        assert not [name for name in advice._RESPONSE if hasattr(cls, name)]


def test_it_is_said_when_a_failure_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    log_panic(make_request("/"), failure_of(lambda: REQUEST.args))
    assert "here it is request.query" in caplog.text
