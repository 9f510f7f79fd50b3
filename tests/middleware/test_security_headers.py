"""Headers by which browsers take fewer chances."""

from __future__ import annotations

from typing import Any

import pytest

from photon.app.photon import Photon
from photon.http.response import Response
from photon.middleware.security_headers import SecurityHeaders
from tests.http.requests import make_request
from tests.middleware.wires import ask

DEFAULTS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "x-frame-options": "SAMEORIGIN",
    "cross-origin-opener-policy": "same-origin",
}
HSTS = "strict-transport-security"


def added(scheme: str = "http", **options: Any) -> dict[str, str]:
    request = make_request()
    request.scheme = scheme
    response = SecurityHeaders(**options)(request, lambda _: Response("x"))
    del response.headers["content-type"]
    return dict(response.headers)


def test_by_itself() -> None:
    assert added() == DEFAULTS
    assert added("https") == {**DEFAULTS, HSTS: "max-age=31536000"}


def test_each_can_be_left_out() -> None:
    nothing: dict[str, Any] = {
        "content_type_options": False,
        "referrer_policy": None,
        "frame": None,
        "opener_policy": None,
        "hsts_s": None,
    }
    assert added("https", **nothing) == {}
    assert repr(SecurityHeaders(**nothing)) == "<SecurityHeaders without any>"


@pytest.mark.parametrize(
    ("options", "name", "value"),
    [
        (
            {"referrer_policy": ["no-referrer", "same-origin"]},
            "referrer-policy",
            "no-referrer, same-origin",
        ),
        ({"frame": "deny"}, "x-frame-options", "DENY"),
        (
            {"content_security_policy": "default-src 'self'; "},
            "content-security-policy",
            "default-src 'self'",
        ),
        (
            {
                "content_security_policy": {
                    "default-src": "'self'",
                    "img-src": ["'self'", "data:"],
                    "sandbox": [],
                }
            },
            "content-security-policy",
            "default-src 'self'; img-src 'self' data:; sandbox",
        ),
        (
            {"content_security_policy_report_only": {"default-src": "'none'"}},
            "content-security-policy-report-only",
            "default-src 'none'",
        ),
        (
            {"opener_policy": "same-origin-allow-popups"},
            "cross-origin-opener-policy",
            "same-origin-allow-popups",
        ),
        ({"embedder_policy": "require-corp"}, "cross-origin-embedder-policy", "require-corp"),
        ({"resource_policy": "same-site"}, "cross-origin-resource-policy", "same-site"),
        ({"permissions_policy": "camera=()"}, "permissions-policy", "camera=()"),
        ({"more": {"X-Mine": "a"}}, "x-mine", "a"),
        ({"more": {"X-Frame-Options": "DENY"}}, "x-frame-options", "DENY"),
        ({"hsts_s": 0}, HSTS, "max-age=0"),
        ({"hsts_s": 60, "hsts_subdomains": True}, HSTS, "max-age=60; includeSubDomains"),
        (
            {"hsts_s": 63072000, "hsts_subdomains": True, "hsts_preload": True},
            HSTS,
            "max-age=63072000; includeSubDomains; preload",
        ),
    ],
)
def test_what_is_asked_for(options: dict[str, Any], name: str, value: str) -> None:
    assert added("https", **options)[name] == value


def test_what_a_handler_set_stays() -> None:
    app = Photon(middleware=[SecurityHeaders(content_security_policy="default-src 'self'")])

    @app.get("/")
    def read() -> Response:
        return Response("x", headers={"X-Frame-Options": "DENY", "Content-Security-Policy": "mine"})

    for _ in range(2):
        reply = ask(app, "GET", "/")
        assert reply.header("x-frame-options") == "DENY"
        assert reply.header("content-security-policy") == "mine"
        assert reply.header("x-content-type-options") == "nosniff"


def test_errors_have_them_too() -> None:
    reply = ask(Photon(middleware=[SecurityHeaders()]), "GET", "/nowhere")
    assert reply.status == 404
    assert {name: reply.header(name) for name in DEFAULTS} == DEFAULTS


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"content_type_options": "nosniff"}, "give True or False"),
        ({"referrer_policy": "never"}, "there is no 'never'; there are no-referrer"),
        ({"frame": "ALLOW-FROM x"}, "frame-ancestors"),
        ({"content_security_policy": {"default-src": "'self'; script-src x"}}, "its own key"),
        ({"content_security_policy": "a\r\nb: c"}, "line break"),
        ({"content_security_policy": {"default-src": [1]}}, "give a list of strings"),
        ({"hsts_s": -1}, "give 0 or more"),
        ({"hsts_s": "1y"}, "give a whole number"),
        ({"hsts_preload": True}, "needs hsts_subdomains=True"),
        ({"more": {"x y": "z"}}, "cannot be the name of a header"),
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        SecurityHeaders(**options)


def test_it_shows_what_it_sends() -> None:
    assert repr(SecurityHeaders()).startswith("<SecurityHeaders x-content-type-options: nosniff; ")
