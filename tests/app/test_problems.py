"""Who answers for which exception."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from photon.app.problems import Problems
from photon.http.errors import BodyTooLarge, ClientDisconnected, HTTPError, ProtocolError
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.errors import BadPath, MethodNotAllowed, RouteNotFound
from photon.runtime.errors import Cancelled, StreamClosed
from tests.app.requests import make_request


class Mine(Exception):
    pass


class Closer(Mine):
    pass


@pytest.fixture
def problems() -> Problems:
    return Problems()


def respond_to(problems: Problems, error: Exception) -> Response:
    return problems.response_for(make_request("GET", "/items/1?a=b"), error)


def saying(text: str) -> Any:
    return lambda request, error: text


def test_an_http_error_is_a_problem(problems: Problems) -> None:
    error = HTTPError(409, "twice", headers={"x-a": "1"}, title="Conflict of names", item=7)
    response = respond_to(problems, error)
    assert (response.status, response.headers["x-a"]) == (409, "1")
    assert response.content_type == "application/problem+json"
    assert json.loads(response.body) == {
        "status": 409,
        "title": "Conflict of names",
        "detail": "twice",
        "item": 7,
    }


def test_any_other_exception_is_a_500_that_tells_nothing_and_is_logged_once(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    response = respond_to(problems, Mine("secret"))
    assert response.status == 500
    assert b"secret" not in response.body
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("photon.http", logging.ERROR)
    assert record.__dict__["request_id"] == json.loads(response.body)["request_id"]
    assert record.__dict__["path"] == "/items/1"


ROUTING = [
    (RouteNotFound("/x"), 404, None),
    (MethodNotAllowed("PUT", "/x", ("GET", "HEAD", "OPTIONS")), 405, "GET, HEAD, OPTIONS"),
    (BadPath("no UTF-8"), 400, None),
]


@pytest.mark.parametrize(("error", "status", "allow"), ROUTING)
def test_what_routing_raises_has_its_status(
    error: Exception, status: int, allow: str | None, problems: Problems
) -> None:
    response = respond_to(problems, error)
    assert (response.status, response.headers.get("allow")) == (status, allow)


@pytest.mark.parametrize(
    "error", [ClientDisconnected("gone"), ProtocolError("x", 400, "y"), StreamClosed("closed")]
)
def test_what_is_the_servers_matter_is_raised_again(error: Exception, problems: Problems) -> None:
    problems.register(Exception, saying("never"))
    with pytest.raises(type(error)):
        respond_to(problems, error)


def test_the_closest_class_wins_whatever_the_order(problems: Problems) -> None:
    problems.register(Closer, saying("closer"))
    problems.register(Exception, saying("any"))
    problems.register(Mine, saying("mine"))
    assert respond_to(problems, Closer()).body == b"closer"
    assert respond_to(problems, Mine()).body == b"mine"
    assert respond_to(problems, KeyError()).body == b"any"


def test_a_status_comes_before_a_class(problems: Problems) -> None:
    problems.register(HTTPError, saying("class"))
    problems.register(404, saying("status"))
    assert respond_to(problems, HTTPError(404)).body == b"status"
    assert respond_to(problems, RouteNotFound("/x")).body == b"status"
    assert respond_to(problems, HTTPError(409)).body == b"class"
    assert respond_to(problems, BodyTooLarge(10)).body == b"class"


def test_the_status_is_the_errors_own_unless_the_handler_says_another(problems: Problems) -> None:
    problems.register(404, saying("gone"))
    problems.register(409, lambda request, error: ("again", 410))
    problems.register(Mine, saying("mine"))
    assert respond_to(problems, HTTPError(404)).status == 404
    assert respond_to(problems, HTTPError(409)).status == 410
    assert respond_to(problems, Mine()).status == 500


def test_a_handler_gets_the_request_and_the_error(problems: Problems) -> None:
    seen: list[object] = []

    def handler(request: Request, error: Mine) -> None:
        seen.extend((request.path, error))

    problems.register(Mine, handler)
    error = Mine()
    assert respond_to(problems, error).status == 500
    assert seen == ["/items/1", error]


def test_an_error_that_somebody_handles_is_not_logged(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    problems.register(Mine, saying("handled"))
    respond_to(problems, Mine())
    assert not caplog.records


def test_a_handler_that_fails_itself_is_a_500_that_shows_both(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(request: Request, error: Mine) -> None:
        raise KeyError("second")

    problems.register(Mine, failing)
    first = Mine("first")
    assert respond_to(problems, first).status == 500
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)
    assert record.exc_info[1].__context__ is first


def test_a_handler_that_returns_nothing_that_can_be_sent_is_a_500(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    problems.register(Mine, lambda request, error: object())
    assert respond_to(problems, Mine()).status == 500
    assert len(caplog.records) == 1


def test_a_handler_may_raise_an_http_error(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    def translate(request: Request, error: Mine) -> None:
        raise HTTPError(410, "translated")

    problems.register(Mine, translate)
    assert respond_to(problems, Mine()).status == 410
    assert not caplog.records


def test_a_handler_whose_client_went_away_is_the_servers_matter(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    def read(request: Request, error: Mine) -> None:
        raise ClientDisconnected("while its body was read")

    problems.register(Mine, read)
    with pytest.raises(ClientDisconnected):
        respond_to(problems, Mine())
    assert not caplog.records


@pytest.mark.parametrize("what", [SystemExit, KeyboardInterrupt, BaseException, Cancelled])
def test_what_is_no_exception_cannot_be_handled(
    what: type[BaseException], problems: Problems
) -> None:
    with pytest.raises(TypeError, match=f"{what.__name__} is no Exception"):
        problems.register(what, saying("never"))
