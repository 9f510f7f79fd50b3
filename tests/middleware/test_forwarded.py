"""What a proxy says of the request, and whether it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from photon.app.photon import Photon
from photon.http.request import Request
from photon.http.server.serving import serve
from photon.middleware.forwarded import Forwarded
from tests.clients import Client
from tests.http.requests import make_request


class Link:
    """What the request came by."""

    scheme = "http"

    def __init__(self, peer: str) -> None:
        self.peer = peer

    def allow(self, *_: Any) -> None:
        raise AssertionError("nobody asks that here")


def seen(
    middleware: Forwarded, headers: dict[str, str], *, peer: str = "127.0.0.1:5000"
) -> tuple[str, str, str]:
    """Scheme, peer and host of a request as the handler sees them."""
    request = make_request(headers={"Host": "inner:8000", **headers})
    request.peer = peer
    told: list[Request] = []

    def application(request: Request) -> Any:
        told.append(request)

    middleware(request, application)
    (request,) = told
    return request.scheme, request.peer, request.host


ALL = ("for", "proto", "host", "port")
NOTHING = ("http", "127.0.0.1:5000", "inner:8000")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, NOTHING),
        ({"X-Forwarded-For": "203.0.113.9"}, ("http", "203.0.113.9:0", "inner:8000")),
        ({"X-Forwarded-For": "6.6.6.6, 203.0.113.9"}, ("http", "203.0.113.9:0", "inner:8000")),
        ({"X-Forwarded-For": "2001:db8::1"}, ("http", "[2001:db8::1]:0", "inner:8000")),
        ({"X-Forwarded-For": "unknown"}, NOTHING),
        ({"X-Forwarded-For": "<script>"}, NOTHING),
        ({"X-Forwarded-Proto": "https"}, ("https", "127.0.0.1:5000", "inner:8000")),
        ({"X-Forwarded-Proto": "HTTPS"}, ("https", "127.0.0.1:5000", "inner:8000")),
        ({"X-Forwarded-Proto": "wss"}, ("https", "127.0.0.1:5000", "inner:8000")),
        ({"X-Forwarded-Proto": "https, http"}, NOTHING),
        ({"X-Forwarded-Proto": "javascript"}, NOTHING),
        ({"X-Forwarded-Host": "shop.example"}, ("http", "127.0.0.1:5000", "shop.example")),
        ({"X-Forwarded-Host": "evil, shop:81"}, ("http", "127.0.0.1:5000", "shop:81")),
        ({"X-Forwarded-Host": "a/b"}, NOTHING),
        ({"X-Forwarded-Host": "a b"}, NOTHING),
        ({"X-Forwarded-Port": "8443"}, ("http", "127.0.0.1:5000", "inner:8443")),
        ({"X-Forwarded-Port": "80"}, ("http", "127.0.0.1:5000", "inner")),
        ({"X-Forwarded-Port": "99999"}, NOTHING),
        ({"X-Forwarded-Port": "0"}, NOTHING),
        ({"X-Forwarded-Port": "1" * 5000}, NOTHING),
        ({"X-Forwarded-Port": "x"}, NOTHING),
        (
            {
                "X-Forwarded-Proto": "https",
                "X-Forwarded-Host": "shop.example",
                "X-Forwarded-Port": "443",
            },
            ("https", "127.0.0.1:5000", "shop.example"),
        ),
        ({"Forwarded": "for=6.6.6.6;proto=https;host=evil"}, NOTHING),
    ],
)
def test_x_forwarded(headers: dict[str, str], expected: tuple[str, str, str]) -> None:
    assert seen(Forwarded(["127.0.0.1"], fields=ALL), headers) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            'for="[2001:db8::1]:47";proto=https;host=shop.example',
            ("https", "[2001:db8::1]:47", "shop.example"),
        ),
        (
            "for=6.6.6.6;proto=http;host=evil, for=203.0.113.9;proto=https",
            ("https", "203.0.113.9:0", "inner:8000"),
        ),
        (
            "for=203.0.113.9;proto=https;host=shop, for=10.0.0.1;proto=http;host=mid",
            ("https", "203.0.113.9:0", "shop"),
        ),
        ("for=_hidden;proto=https", ("https", "127.0.0.1:5000", "inner:8000")),
        ("for=unknown;proto=https;host=shop", ("https", "127.0.0.1:5000", "shop")),
        ('for="evil, for=203.0.113.9', ("http", "203.0.113.9:0", "inner:8000")),
        ('for="', NOTHING),
        ("proto=gopher;host=a/b", NOTHING),
    ],
)
def test_forwarded(value: str, expected: tuple[str, str, str]) -> None:
    middleware = Forwarded(["127.0.0.1", "10.0.0.0/8"], headers="forwarded")
    headers = {"Forwarded": value, "X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}
    assert seen(middleware, headers) == expected
    assert seen(middleware, {"X-Forwarded-For": "6.6.6.6"}) == NOTHING


@pytest.mark.parametrize("family", ["x-forwarded", "forwarded"])
def test_strangers_are_not_believed(family: Any) -> None:
    headers = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=203.0.113.9;proto=https",
    }
    middleware = Forwarded(["127.0.0.1"], headers=family)
    assert seen(middleware, headers, peer="192.0.2.1:1") == ("http", "192.0.2.1:1", "inner:8000")
    assert seen(middleware, headers, peer="") == ("http", "", "inner:8000")
    expected = ("https", "203.0.113.9:0", "inner:8000")
    assert seen(Forwarded(["unix"], headers=family), headers, peer="") == expected
    assert seen(Forwarded(["*"], headers=family), headers, peer="192.0.2.1:1") == expected


def test_what_the_proxy_does_not_set_is_not_read() -> None:
    headers = {"X-Forwarded-Host": "evil", "X-Forwarded-Port": "1", "X-Forwarded-Proto": "https"}
    assert seen(Forwarded(["127.0.0.1"]), headers) == ("https", *NOTHING[1:])
    assert seen(Forwarded(["127.0.0.1"], fields=["host"]), headers) == (*NOTHING[:2], "evil")
    chain = {"X-Forwarded-For": "203.0.113.9"}
    assert seen(Forwarded(["127.0.0.1"], fields=["proto"]), chain) == NOTHING
    value = {"Forwarded": "for=203.0.113.9;proto=https;host=shop"}
    middleware = Forwarded(["127.0.0.1"], headers="forwarded", fields=["host"])
    assert seen(middleware, value) == (*NOTHING[:2], "shop")


def test_anybody_is_believed_for_one_hop() -> None:
    headers = {"X-Forwarded-For": "6.6.6.6, 10.0.0.1"}
    assert seen(Forwarded(["*"]), headers)[1] == "10.0.0.1:0"


def test_over_a_socket() -> None:
    app = Photon(middleware=[Forwarded(["127.0.0.1"])])

    @app.get("/")
    def read(request: Request) -> str:
        return f"{request.peer} {request.url}"

    with serve(app) as server, Client(server) as client:
        answer = client.ask("/", "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
        assert answer.body == b"203.0.113.9:0 https://test/"


@pytest.mark.parametrize(
    ("trusted", "options", "says"),
    [
        ("127.0.0.1", {}, r"give a list, as in trusted=\['127.0.0.1'\]"),
        ([], {}, "believes nobody: name your proxies"),
        (["10.0.0.1/8"], {}, r"Forwarded\(trusted=...\): '10.0.0.1/8': write '10.0.0.0/8'"),
        (["*"], {"headers": "both"}, "'x-forwarded' or 'forwarded'"),
        (["*"], {"fields": "for"}, "give a list"),
        (["*"], {"fields": ["by"]}, "there is no 'by'"),
        (["*"], {"headers": "forwarded", "fields": ["port"]}, "the port is in the host"),
    ],
)
def test_options_that_cannot_be(trusted: Any, options: dict[str, Any], says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        Forwarded(trusted, **options)


def test_it_shows_how_it_was_made() -> None:
    assert repr(Forwarded(["unix"])) == (
        "Forwarded(['unix'], headers='x-forwarded', fields=['for', 'proto'])"
    )
