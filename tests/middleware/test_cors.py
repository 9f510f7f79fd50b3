"""CORS, by the cases of the Fetch standard §3.3."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.app.photon import Photon
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.cors import CORS
from tests.http.requests import make_request
from tests.middleware.wires import Reply, ask

A = "https://a.example"
B = "https://b.example"
ORIGIN = "access-control-allow-origin"
USUAL = "GET, HEAD, POST, PUT, PATCH, DELETE"
KNOWN = "GET, HEAD, OPTIONS"
CONSTANT = Response("the same for all")


def make_app(**options: Any) -> Photon:
    app = Photon(middleware=[CORS(**options)])

    @app.get("/")
    def read() -> str:
        return "hello"

    @app.get("/constant")
    def constant() -> Response:
        return CONSTANT

    @app.options("/own")
    def own() -> str:
        return "my options"

    @app.get("/mine")
    def mine() -> Response:
        return Response("x", headers={ORIGIN: "https://mine.example"})

    @app.get("/fails")
    def fails() -> None:
        raise ValueError("no")

    @app.get("/refuses")
    def refuses() -> None:
        raise HTTPError(401, "who are you?", headers={"www-authenticate": "Bearer"})

    return app


def preflight(
    app: Photon, origin: str, *headers: str, path: str = "/", method: str = "PUT"
) -> Reply:
    return ask(
        app,
        "OPTIONS",
        path,
        f"Origin: {origin}",
        f"Access-Control-Request-Method: {method}",
        *headers,
    )


def cors_headers(reply: Reply) -> dict[str, str]:
    """What CORS says, with the beginning of the names left off."""
    return {
        name.removeprefix("access-control-"): ", ".join(values)
        for name, values in reply.headers.items()
        if name.startswith("access-control-") or name == "vary"
    }


# Requests...


@pytest.mark.parametrize(
    ("options", "origin", "expected"),
    [
        ({"origins": "*"}, A, {"allow-origin": "*"}),
        ({"origins": ["*"]}, "null", {"allow-origin": "*"}),
        ({"origins": "*"}, None, {"allow-origin": "*"}),
        ({"origins": [A]}, A, {"allow-origin": A, "vary": "origin"}),
        ({"origins": [A]}, B, {"vary": "origin"}),
        ({"origins": [A]}, None, {"vary": "origin"}),
        ({"origins": [A]}, "null", {"vary": "origin"}),
        ({"origins": ["null"]}, "null", {"allow-origin": "null", "vary": "origin"}),
        ({"origins": [A, B]}, B, {"allow-origin": B, "vary": "origin"}),
        (
            {"origins": [A], "credentials": True},
            A,
            {"allow-origin": A, "allow-credentials": "true", "vary": "origin"},
        ),
        ({"origins": [A], "credentials": True}, B, {"vary": "origin"}),
        (
            {"origins": "*", "expose": ["x-total", "ETag"]},
            A,
            {"allow-origin": "*", "expose-headers": "x-total, ETag"},
        ),
        ({"origins": "*", "expose": "*"}, A, {"allow-origin": "*", "expose-headers": "*"}),
        ({"origin_pattern": r"https://\w\.example"}, A, {"allow-origin": A, "vary": "origin"}),
        ({"origins": ["https://*.example"]}, A, {"allow-origin": A, "vary": "origin"}),
        ({"origins": [A]}, f"{A}/", {"vary": "origin"}),
        ({"origins": [A]}, f"{A}, {A}", {"vary": "origin"}),
    ],
)
def test_who_may_read(
    options: dict[str, Any], origin: str | None, expected: dict[str, str]
) -> None:
    reply = ask(make_app(**options), "GET", "/", *([f"Origin: {origin}"] if origin else []))
    assert (reply.status, reply.body) == (200, b"hello")
    assert cors_headers(reply) == expected


@pytest.mark.parametrize(
    ("path", "status"),
    [("/fails", 500), ("/refuses", 401), ("/nowhere", 404), ("/own", 405), ("/%ff", 400)],
)
@pytest.mark.parametrize("origins", ["*", [A]])
def test_errors_can_be_read_too(path: str, status: int, origins: Any) -> None:
    reply = ask(make_app(origins=origins), "GET", path, f"Origin: {A}")
    assert reply.status == status
    assert reply.header(ORIGIN) == ("*" if origins == "*" else A)


def test_a_response_that_all_are_given_keeps_no_origin() -> None:
    app = make_app(origins=[A, B])
    for origin in (A, B, "https://c.example", A):
        reply = ask(app, "GET", "/constant", f"Origin: {origin}")
        assert reply.headers.get(ORIGIN) == ([origin] if origin in (A, B) else None)
        assert reply.header("vary") == "origin"
    assert ORIGIN not in CONSTANT.headers


def test_what_a_handler_said_itself_stays() -> None:
    for origins in ("*", [A]):
        reply = ask(make_app(origins=origins), "GET", "/mine", f"Origin: {A}")
        assert reply.header(ORIGIN) == "https://mine.example"


# Preflights...


@pytest.mark.parametrize(
    ("options", "asked", "expected"),
    [
        ({"origins": "*"}, [], {"allow-origin": "*", "allow-methods": KNOWN}),
        ({"origins": [A]}, [], {"allow-origin": A, "allow-methods": KNOWN}),
        (
            {"origins": [A], "methods": ["GET", "PROPFIND"], "headers": []},
            ["Access-Control-Request-Headers: content-type"],
            {"allow-origin": A, "allow-methods": "GET, PROPFIND"},
        ),
        (
            {"origins": [A]},
            ["Access-Control-Request-Headers: authorization,content-type"],
            {
                "allow-origin": A,
                "allow-methods": KNOWN,
                "allow-headers": "authorization,content-type",
            },
        ),
        (
            {"origins": [A], "headers": ["X-Mine", "content-type"]},
            ["Access-Control-Request-Headers: x-other"],
            {"allow-origin": A, "allow-methods": KNOWN, "allow-headers": "X-Mine, content-type"},
        ),
        (
            {"origins": [A], "credentials": True, "max_age_s": 0},
            [],
            {
                "allow-origin": A,
                "allow-methods": KNOWN,
                "allow-credentials": "true",
                "max-age": "0",
            },
        ),
        (
            {"origins": "*", "private_network": True},
            ["Access-Control-Request-Private-Network: true"],
            {"allow-origin": "*", "allow-methods": KNOWN, "allow-private-network": "true"},
        ),
        (
            {"origins": "*", "private_network": True},
            [],
            {"allow-origin": "*", "allow-methods": KNOWN},
        ),
        (
            {"origins": "*"},
            ["Access-Control-Request-Private-Network: true"],
            {"allow-origin": "*", "allow-methods": KNOWN},
        ),
    ],
)
def test_preflights(options: dict[str, Any], asked: list[str], expected: dict[str, str]) -> None:
    reply = preflight(make_app(**options), A, *asked)
    assert (reply.status, reply.body) == (204, b"")
    assert "content-type" not in reply.headers
    assert cors_headers(reply) == {
        "max-age": "600",
        "vary": "origin, access-control-request-method, access-control-request-headers",
        **expected,
    }


def test_a_preflight_reaches_nobody() -> None:
    def refuse(request: Request, application: Any) -> Response:
        raise AssertionError("it came here")

    app = Photon(middleware=[CORS(origins=[A]), refuse])
    for path in ("/", "/nowhere", "/%ff"):
        assert preflight(app, A, path=path).status == 204


def test_a_preflight_of_another_origin_gets_no_permission() -> None:
    reply = preflight(make_app(origins=[A]), B)
    assert (reply.status, reply.header("allow")) == (204, "GET, HEAD, OPTIONS")
    assert cors_headers(reply) == {"vary": "origin"}


@pytest.mark.parametrize("headers", [[], [f"Origin: {A}"], ["Access-Control-Request-Method: PUT"]])
def test_other_options_are_the_applications(headers: list[str]) -> None:
    for origins in ("*", [A]):
        app = make_app(origins=origins)
        assert ask(app, "OPTIONS", "/own", *headers).body == b"my options"
        assert ask(app, "OPTIONS", "/", *headers).header("allow") == "GET, HEAD, OPTIONS"
        assert ask(app, "OPTIONS", "*", *headers).status == 204


def test_a_preflight_of_a_handler_for_options_is_answered_here() -> None:
    reply = preflight(make_app(origins=[A]), A, path="/own")
    assert (reply.status, reply.body) == (204, b"")


@pytest.mark.parametrize("names", ["x\x80y", "a;b", "a" * 3000, '"', ""])
def test_names_that_are_none_are_not_repeated(names: str) -> None:
    reply = preflight(make_app(origins=[A]), A, f"Access-Control-Request-Headers: {names}")
    assert reply.status == 204
    assert "access-control-allow-headers" not in reply.headers


def test_where_the_methods_of_a_path_are_known_they_are_said() -> None:
    app = make_app(origins=[A])

    def inner(request: Request) -> Response:
        raise AssertionError("it came here")

    inner.allowed = app.router.allowed  # type: ignore[attr-defined]
    cors = CORS(origins=[A])
    for path, methods in [("/", "GET, HEAD, OPTIONS"), ("/nowhere", USUAL), ("/a%ff", USUAL)]:
        headers = {"Origin": A, "Access-Control-Request-Method": "GET"}
        response = cors(make_request(path, headers, method="OPTIONS"), inner)
        assert response.headers["access-control-allow-methods"] == methods


# One inside the other...


def test_the_inner_one_may_be_more_generous() -> None:
    app = Photon(middleware=[CORS(origins=[A]), CORS(origins=[B], credentials=True)])

    @app.get("/")
    def read() -> str:
        return "hello"

    for origin, credentials in ((A, None), (B, "true")):
        reply = ask(app, "GET", "/", f"Origin: {origin}")
        assert reply.header(ORIGIN) == origin
        assert reply.header("vary") == "origin"
        assert reply.headers.get("access-control-allow-credentials") == (
            [credentials] if credentials else None
        )
        assert preflight(app, origin).header(ORIGIN) == origin


# What comes...


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=300))
def test_no_origin_is_repeated_that_is_not_allowed(origin: str) -> None:
    cors = CORS(origins=["https://*.example"], credentials=True)
    for method in ("GET", "OPTIONS"):
        request = make_request(
            headers={"Origin": origin, "Access-Control-Request-Method": "PUT"}, method=method
        )
        response = cors(request, lambda _: Response("x"))
        assert response.headers.get(ORIGIN) in (None, origin)
        assert ORIGIN not in response.headers or origin.endswith(".example")


# Options...


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "allows nobody: name origins"),
        ({"origins": []}, "allows nobody: name origins"),
        ({"origins": A}, "give a list"),
        (
            {"origins": ["a.example"]},
            r"CORS\(origins=...\): 'a.example' is no origin: write it with",
        ),
        ({"origins": ["*", A]}, "all there are; leave the others out"),
        ({"origins": "*", "origin_pattern": "a"}, "all there are; leave the others out"),
        ({"origins": "*", "credentials": True}, "browsers refuse that, .* name the origins"),
        ({"origins": ["null"], "credentials": True}, "any page can have the origin 'null'"),
        ({"origins": [A], "expose": "*", "credentials": True}, "take '\\*' for a name"),
        ({"origins": [A], "credentials": "yes"}, "give True or False"),
        ({"origins": [A], "max_age_s": -1}, "give 0 or more"),
        ({"origins": [A], "methods": "GET"}, r"give a list, as in methods=\['GET'\]"),
        ({"origins": [A], "methods": ["get"]}, "write 'GET' for 'get'"),
        ({"origins": [A], "methods": ["*"]}, "leave it out for all methods"),
        ({"origins": [A], "headers": "x-a"}, "give a list"),
        ({"origins": [A], "headers": ["x a"]}, "'x a' is no name"),
        ({"origins": [A], "expose": ["x:"]}, "'x:' is no name"),
        ({"origin_pattern": "("}, "no regular expression"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        CORS(**options)


def test_it_shows_how_it_was_made() -> None:
    assert repr(CORS(origins=[A])) == f"CORS(origins=['{A}'], credentials=False, max_age_s=600)"
    full = repr(
        CORS(
            origin_pattern="a",
            methods=["GET"],
            headers=["b"],
            expose=["c"],
            credentials=True,
            private_network=True,
        )
    )
    assert full == (
        "CORS(origins=[], origin_pattern='a', methods=['GET'], headers=['b'], expose=['c'], "
        "credentials=True, max_age_s=600, private_network=True)"
    )
