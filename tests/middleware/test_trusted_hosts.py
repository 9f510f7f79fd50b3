"""Requests for hosts that are not served here."""

from __future__ import annotations

from typing import Any

import pytest

from photon.app.photon import Photon
from photon.http.errors import HTTPError
from photon.http.response import Response
from photon.middleware.trusted_hosts import TrustedHosts
from photon.testing.wire import Wire
from tests.http.requests import make_request
from tests.middleware.wires import Reply, read_reply

HOSTS = ("example.com", "*.Example.org.", "10.0.0.7", "::1", "[2001:db8::7]")


def hello(_: object) -> Response:
    return Response("hello")


def ask_host(host: str, *, target: str = "/", version: str = "1.1", **options: Any) -> Reply:
    app = Photon(middleware=[TrustedHosts(HOSTS, **options)])

    @app.get("/")
    def read() -> str:
        return "hello"

    @app.get("/healthz")
    def health() -> str:
        return "well"

    lines = [f"GET {target} HTTP/{version}", *([f"Host: {host}"] if host else [])]
    with Wire(app) as wire:
        wire.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        return read_reply(wire.receive())


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("example.com", 200),
        ("example.com:8000", 200),
        ("EXAMPLE.com.", 200),
        ("a.example.com", 421),
        ("example.com.evil.com", 421),
        ("evilexample.com", 421),
        ("a.example.org", 200),
        ("A.b.example.org:1", 200),
        ("example.org", 421),
        ("evilexample.org", 421),
        (".example.org", 400),
        ("a..example.org", 400),
        ("10.0.0.7:80", 200),
        ("10.0.0.8", 421),
        ("[::1]:8000", 200),
        ("[0:0::1]", 200),
        ("[::2]", 421),
        ("[2001:DB8:0::7]", 200),
        ("[:::]", 400),
        ("example.com:80:80", 400),
        ("example.com:port", 400),
        ("a'.example.org", 400),
        ("%65xample.com", 400),
    ],
)
def test_which_hosts_are_served(host: str, status: int) -> None:
    reply = ask_host(host)
    assert reply.status == status
    if status != 200:
        assert reply.header("content-type") == "application/problem+json"
    if status == 421:
        assert b"is not served here" in reply.body


def test_the_host_of_the_target_counts() -> None:
    assert ask_host("evil.com", target="http://example.com/").status == 200
    assert ask_host("example.com", target="http://evil.com/").status == 421
    assert ask_host("example.com", target="http://example.com:99?x").status == 200


def test_no_host_at_all() -> None:
    reply = ask_host("", version="1.0")
    assert (reply.status, b"names no host" in reply.body) == (400, True)


def test_health_checks_may_come_by_address() -> None:
    assert ask_host("10.9.9.9", target="/healthz", exempt=["/healthz"]).status == 200
    assert ask_host("10.9.9.9", target="/", exempt=["/healthz"]).status == 421
    assert ask_host("10.9.9.9", target="/healthz").status == 421


def test_any_host_that_is_one() -> None:
    def status(host: str) -> int:
        try:
            return TrustedHosts(["*"])(make_request(headers={"Host": host}), hello).status
        except HTTPError as error:
            return error.status

    assert status("whatever.example:1") == 200
    assert status("what ever") == 400


def test_hosts_that_are_made_up_are_bounded() -> None:
    middleware = TrustedHosts(["example.com"])
    for number in range(1000):
        with pytest.raises(HTTPError):
            middleware(make_request(headers={"Host": f"h{number}" + "x" * 100}), hello)
    assert middleware._verdict.cache_info().currsize == 512
    with pytest.raises(HTTPError) as refused:
        middleware(make_request(headers={"Host": "x" * 8000}), hello)
    assert refused.value.status == 400
    assert middleware._verdict.cache_info().currsize == 512


@pytest.mark.parametrize(
    ("hosts", "says"),
    [
        ("example.com", r"give a list, as in hosts=\['example.com'\]"),
        ([], "serves nobody: name the hosts"),
        (["https://example.com/a"], "leave the scheme off: 'example.com'"),
        (["example.com:8000"], "leave the port off, any is taken: 'example.com'"),
        (["*.example.com:80"], r"leave the port off, any is taken: '\*.example.com'"),
        ([".example.com"], r"write '\*.example.com' for its subdomains, and 'example.com' beside"),
        (["*example.com"], "write it as 'example.com', or"),
        (["a.*.com"], "write it as 'example.com', or"),
        (["bücher.de"], "in ASCII, as xn--"),
        (["exa mple"], "write it as 'example.com', or"),
        ([""], "write it as 'example.com', or"),
        (["*."], "write it as 'example.com', or"),
    ],
)
def test_hosts_that_cannot_be(hosts: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        TrustedHosts(hosts)


def test_it_shows_how_it_was_made() -> None:
    assert repr(TrustedHosts(["a", "*.b"])) == "TrustedHosts(['a', '*.b'])"
    assert repr(TrustedHosts(["a"], exempt=["/x"])) == "TrustedHosts(['a'], exempt=['/x'])"
