"""Plain HTTP is sent to HTTPS."""

from __future__ import annotations

from typing import Any

import pytest

from photon.app.photon import Photon
from photon.http.errors import HTTPError
from photon.http.response import Response
from photon.middleware.https_redirect import HTTPSRedirect
from tests.http.requests import make_request
from tests.middleware.wires import ask

HSTS = "strict-transport-security"


def hello(_: object) -> Response:
    return Response("hello")


def by_http(
    target: str, headers: dict[str, str] | None = None, method: str = "GET", **options: Any
) -> Response:
    request = make_request(target, headers or {"Host": "a.example"}, method=method)
    return HTTPSRedirect(**options)(request, hello)


@pytest.mark.parametrize(
    ("target", "host", "location"),
    [
        ("/", "a.example", "https://a.example/"),
        ("/b%20c?d=%20&e", "a.example", "https://a.example/b%20c?d=%20&e"),
        ("/", "A.example:8000", "https://a.example/"),
        ("/", "[::1]:8000", "https://[::1]/"),
        ("//evil.com/x", "a.example", "https://a.example//evil.com/x"),
        ("http://b.example/c", "a.example", "https://b.example/c"),
    ],
)
def test_the_same_url_by_https(target: str, host: str, location: str) -> None:
    response = by_http(target, {"Host": host}, "POST")
    assert (response.status, response.headers["location"]) == (308, location)


def test_another_port_and_another_status() -> None:
    response = by_http("/", port=8443, status=301)
    assert (response.status, response.headers["location"]) == (301, "https://a.example:8443/")


def test_through_an_application() -> None:
    app = Photon(middleware=[HTTPSRedirect()])
    reply = ask(app, "PUT", "/nowhere?a", body=b"left unread")
    assert (reply.status, reply.header("location")) == (308, "https://test/nowhere?a")


def test_where_it_is_mounted() -> None:
    app = Photon()
    app.mount("/api", Photon(middleware=[HTTPSRedirect()]))
    reply = ask(app, "GET", "/api/x?a")
    assert (reply.status, reply.header("location")) == (308, "https://test/api/x?a")


def test_what_is_answered_by_http_too() -> None:
    assert by_http("/.well-known/acme-challenge/token").body == b"hello"
    assert by_http("/.well-known/other").status == 308
    assert by_http("/healthz", exempt=["/healthz"]).body == b"hello"
    assert by_http("*", method="OPTIONS").body == b"hello"


def test_by_https_it_is_answered() -> None:
    request = make_request(headers={"Host": "a.example"})
    request.scheme = "https"
    assert HTTPSRedirect()(request, hello).headers.get(HSTS) is None
    assert HTTPSRedirect(hsts_s=60)(request, hello).headers[HSTS] == "max-age=60"
    mine = Response("x", headers={HSTS: "max-age=1"})
    assert HTTPSRedirect(hsts_s=60)(request, lambda _: mine).headers.get_all(HSTS) == ["max-age=1"]
    # RFC 6797 §7.2: an HSTS host must not send it over plain HTTP.
    assert HSTS not in by_http("/", hsts_s=60).headers


@pytest.mark.parametrize("headers", [{"X": "y"}, {"Host": "a'b"}, {"Host": "x" * 8000}])
def test_a_request_that_names_no_host(headers: dict[str, str]) -> None:
    with pytest.raises(HTTPError, match="names no host to ask by it") as refused:
        by_http("/", headers)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"status": 303}, "use 308, 307, 301 or 302"),
        ({"exempt": "/a"}, "give a list"),
        ({"exempt": ["a"]}, "begins no path; write '/a'"),
        ({"port": 0}, "give 1 or more"),
        ({"hsts_s": -1}, "give 0 or more"),
        ({"hsts_s": True}, "give a whole number"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        HTTPSRedirect(**options)


def test_it_shows_how_it_was_made() -> None:
    assert repr(HTTPSRedirect(exempt=[], hsts_s=5)) == (
        "HTTPSRedirect(status=308, exempt=[], port=443, hsts_s=5)"
    )
