"""Errors as problem+json (RFC 9457)."""

from __future__ import annotations

import json

import pytest

from photon.http.errors import BadBody, BodyTimeout, BodyTooLarge, HTTPError, InvalidBody
from photon.http.problems import PROBLEM, problem, problem_of


def test_a_problem_says_status_and_title() -> None:
    response = problem(404)
    assert (response.status, response.content_type) == (404, PROBLEM)
    assert json.loads(response.body) == {"status": 404, "title": "Not Found"}


def test_a_problem_says_more_when_told() -> None:
    response = problem(
        409, "taken", title="Conflict of names", headers={"Retry-After": "1"}, name="a", ids=[1]
    )
    assert json.loads(response.body) == {
        "status": 409,
        "title": "Conflict of names",
        "detail": "taken",
        "name": "a",
        "ids": [1],
    }
    assert list(response.headers) == [("content-type", PROBLEM), ("retry-after", "1")]


@pytest.mark.parametrize(
    ("error", "members"),
    [
        (HTTPError(404), {"status": 404, "title": "Not Found"}),
        (
            HTTPError(400, "why", title="Oh", a=1),
            {"status": 400, "title": "Oh", "detail": "why", "a": 1},
        ),
        (BadBody("no"), {"status": 400, "title": "Bad Request", "detail": "no"}),
        (
            BodyTimeout(30.0),
            {
                "status": 408,
                "title": "Request Timeout",
                "detail": "no byte of the body came for 30 s",
            },
        ),
        (
            BodyTooLarge(5),
            {
                "status": 413,
                "title": "Content Too Large",
                "detail": "the body is larger than the limit of 5 bytes",
                "limit": 5,
            },
        ),
        (
            InvalidBody([{"loc": ["body"], "msg": "m", "type": "t"}]),
            {
                "status": 422,
                "title": "Unprocessable Content",
                "detail": "the body is not what is expected here",
                "errors": [{"loc": ["body"], "msg": "m", "type": "t"}],
            },
        ),
    ],
)
def test_an_error_becomes_a_problem(error: HTTPError, members: dict[str, object]) -> None:
    response = problem_of(error)
    assert response.status == error.status
    assert json.loads(response.body) == members


def test_the_headers_of_an_error_are_sent() -> None:
    response = problem_of(HTTPError(401, headers={"WWW-Authenticate": "Basic"}))
    assert response.headers["www-authenticate"] == "Basic"


def test_an_error_cannot_split_the_response() -> None:
    with pytest.raises(ValueError, match="line break"):
        problem_of(HTTPError(400, headers={"x": "a\r\nb: c"}))
    response = problem_of(HTTPError(400, "a\r\nX: y"))
    assert b"\r" not in response.body


@pytest.mark.parametrize("status", [0, 200, 302, 399, 600])
def test_an_error_has_the_status_of_an_error(status: int) -> None:
    with pytest.raises(ValueError, match="400 to 599"):
        HTTPError(status)


def test_an_error_reads_well_in_a_log() -> None:
    assert str(HTTPError(404)) == "404 Not Found"
    assert str(HTTPError(404, "no such item", title="Gone astray")) == (
        "404 Gone astray: no such item"
    )
