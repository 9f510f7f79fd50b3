"""Each response names its request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.app.photon import Photon
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.request_id import RequestId
from tests.http.requests import make_request
from tests.middleware.wires import ask

CONSTANT = Response("the same for all")


def make_app(**options: Any) -> Photon:
    app = Photon(middleware=[RequestId(**options)])

    @app.get("/")
    def read(request: Request) -> str:
        return request.id

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("no")

    @app.get("/constant")
    def constant() -> Response:
        return CONSTANT

    return app


def test_the_response_names_the_request() -> None:
    app = make_app()
    first, second = ask(app, "GET", "/"), ask(app, "GET", "/", "X-Request-Id: mine")
    assert first.header("x-request-id") == first.body.decode()
    assert second.header("x-request-id") == second.body.decode() != "mine"
    assert first.body != second.body


def test_errors_name_it_too() -> None:
    reply = ask(make_app(), "GET", "/fails")
    assert reply.status == 500
    assert json.loads(reply.body)["request_id"] == reply.header("x-request-id")
    assert ask(make_app(), "GET", "/nowhere").header("x-request-id")


def test_a_response_that_all_are_given() -> None:
    ids = {ask(make_app(), "GET", "/constant").header("x-request-id") for _ in range(3)}
    assert len(ids) == 3
    assert "x-request-id" not in CONSTANT.headers


@pytest.mark.parametrize(
    ("given_id", "is_taken"),
    [
        ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", True),
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("a" * 128, True),
        ("a" * 129, False),
        ("a" * 8000, False),
        ("", False),
        ("a b", False),
        ("a, b", False),
        ("<script>", False),
        ("a\tb", False),
        ("a;b", False),
        ("\x85", False),
    ],
)
def test_an_id_that_came(given_id: str, is_taken: bool) -> None:
    app = make_app(trust_incoming=True)
    reply = ask(app, "GET", "/", f"X-Request-Id: {given_id}")
    assert reply.header("x-request-id") == reply.body.decode()
    assert (reply.body.decode() == given_id) is is_taken


def test_a_pattern_of_the_users() -> None:
    app = make_app(trust_incoming=True, pattern=r"[0-9]+", header="Trace-Id")
    assert ask(app, "GET", "/", "Trace-Id: 123").header("trace-id") == "123"
    assert ask(app, "GET", "/", "Trace-Id: 123x").header("trace-id") != "123x"


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_whatever_comes_can_be_sent_back(given_id: str) -> None:
    for pattern in (None, ".*"):
        middleware = RequestId(trust_incoming=True, pattern=pattern)
        request = make_request(headers={"x-request-id": given_id})
        assert middleware(request, lambda _: Response("x")).headers["x-request-id"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"header": "request id"}, "cannot be the name of a header"),
        ({"trust_incoming": "no"}, "give True or False"),
        ({"pattern": "a"}, "add trust_incoming=True"),
        ({"pattern": "(", "trust_incoming": True}, r"RequestId\(pattern='\('\)"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        RequestId(**options)


def test_it_shows_how_it_was_made() -> None:
    assert repr(RequestId()) == "RequestId(header='x-request-id', trust_incoming=False)"
    assert "pattern='a'" in repr(RequestId(trust_incoming=True, pattern="a"))
