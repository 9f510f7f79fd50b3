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


def respond_to(problems: Problems, error: BaseException) -> Response:
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


@pytest.mark.parametrize("what", [ClientDisconnected, ProtocolError, StreamClosed])
def test_what_leaves_nobody_to_answer_cannot_be_handled(
    what: type[Exception], problems: Problems
) -> None:
    with pytest.raises(TypeError, match=f"after {what.__name__} the client cannot be answered"):
        problems.register(what, saying("never"))


@pytest.mark.parametrize("what", [200, 399, 600, True, "404", None, int, 404.0])
def test_what_is_no_error_cannot_be_handled(what: Any, problems: Problems) -> None:
    with pytest.raises(TypeError, match=r"test_problems\.py:\d+\) is registered for"):
        problems.register(what, saying("never"))


@pytest.mark.parametrize("what", [404, Mine])
def test_two_handlers_for_the_same_are_refused_with_both_places(
    what: Any, problems: Problems
) -> None:
    problems.register(what, saying("one"))
    with pytest.raises(ValueError, match="would both answer") as caught:
        problems.register(what, saying("two"))
    assert str(caught.value).count("test_problems.py:") == 2


# Crashes...


@pytest.mark.parametrize("answer", ["sorry", ("sorry", 503)])
def test_a_handler_of_all_exceptions_does_not_hide_a_crash(
    answer: object, problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    problems.register(Exception, lambda request, error: answer)
    crash = Mine("the shelf is empty")
    assert respond_to(problems, crash).body == b"sorry"
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is crash


def test_nor_does_one_that_raises_an_http_error(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    def busy(request: Request, error: Exception) -> None:
        raise HTTPError(503, "later")

    problems.register(Exception, busy)
    assert respond_to(problems, Mine()).status == 503
    assert len(caplog.records) == 1


def test_one_that_makes_it_the_clients_fault_is_not_logged(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    problems.register(Exception, lambda request, error: ("your fault", 400))
    assert respond_to(problems, Mine()).status == 400
    assert not caplog.records


def test_a_handler_of_all_exceptions_gets_no_http_errors(problems: Problems) -> None:
    problems.register(Exception, saying("all"))
    assert respond_to(problems, HTTPError(409)).content_type == "application/problem+json"
    assert respond_to(problems, RouteNotFound("/x")).status == 404


@pytest.mark.parametrize("crash", [Mine(), SystemExit(1), KeyboardInterrupt()])
def test_a_handler_of_500_answers_for_crashes_that_are_logged(
    crash: BaseException, problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    problems.register(500, lambda request, error: f"sorry, {error.status}")
    response = respond_to(problems, crash)
    assert (response.status, response.body) == (500, b"sorry, 500")
    (record,) = caplog.records
    assert record.exc_info is not None
    assert record.exc_info[1] is crash


@pytest.mark.parametrize(
    ("source", "status"), [("deadline", 504), ("shutdown", 503), ("scope", 500)]
)
def test_a_cancelled_request_is_answered_by_the_handler_of_its_status(
    source: Any, status: int, problems: Problems
) -> None:
    assert respond_to(problems, Cancelled(source)).status == status
    problems.register(status, saying("mine"))
    response = respond_to(problems, Cancelled(source))
    assert (response.status, response.body) == (status, b"mine")


def test_cancelled_since_the_client_left_is_raised_on(problems: Problems) -> None:
    problems.register(HTTPError, saying("never"))
    with pytest.raises(Cancelled):
        respond_to(problems, Cancelled("disconnect"))


def test_a_handler_that_raises_the_error_again_is_a_crash(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    def again(request: Request, error: Exception) -> None:
        raise error

    problems.register(Mine, again)
    problems.register(409, again)
    assert respond_to(problems, HTTPError(409)).status == 409
    assert not caplog.records
    error = Mine()
    assert respond_to(problems, error).status == 500
    assert error.__context__ is None
    assert len(caplog.records) == 1


def test_a_handler_that_returns_a_mistake_is_named(
    problems: Problems, caplog: pytest.LogCaptureFixture
) -> None:
    problems.register(Mine, lambda request, error: HTTPError)
    assert respond_to(problems, Mine()).status == 500
    assert caplog.records[0].exc_info is not None
    message = str(caplog.records[0].exc_info[1])
    assert "the exception handler test_a_handler_that_returns_a_mistake_is_named" in message
    assert message.endswith("returned the class HTTPError: raise it")


def test_the_status_of_other_exceptions_is_not_ours(problems: Problems) -> None:
    error = Mine()
    error.status = 200  # type: ignore[attr-defined]
    problems.register(Mine, saying("mine"))
    assert respond_to(problems, error).status == 500
