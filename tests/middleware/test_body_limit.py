"""Bodies up to a size."""

from __future__ import annotations

from typing import Any

import pytest

from photon.app.photon import Photon
from photon.http.request import Request
from photon.http.server.settings import Limits
from photon.middleware.body_limit import BodyLimit
from photon.testing.wire import Wire
from tests.clients import request, settings
from tests.middleware.wires import read_reply

CHUNKED = "Transfer-Encoding: chunked"


def statuses(limit_bytes: int, *sent: bytes, server_bytes: int = 100) -> int:
    """The status that an application that reads its body answers, of a server with a limit."""
    app = Photon(middleware=[BodyLimit(limit_bytes)])

    @app.post("/")
    def echo(request: Request) -> int:
        return len(request.body())

    @app.get("/")
    def read() -> str:
        return "hello"

    with Wire(app, settings(limits=Limits(body_bytes=server_bytes))) as wire:
        for each in sent:
            wire.send(each)
        return read_reply(wire.receive()).status


@pytest.mark.parametrize(
    ("limit", "size", "status"),
    [(50, 50, 200), (50, 51, 413), (500, 500, 200), (500, 501, 413), (0, 1, 413), (0, 0, 200)],
)
def test_less_and_more_than_the_server_takes(limit: int, size: int, status: int) -> None:
    assert statuses(limit, request("POST", "/", body=b"x" * size)) == status
    chunk = b"%x\r\n%b\r\n" % (size, b"x" * size) if size else b""
    assert statuses(limit, request("POST", "/", CHUNKED), chunk + b"0\r\n\r\n") == status


def test_what_is_announced_too_large_is_refused_at_once() -> None:
    head = request("POST", "/", "Content-Length: 51", "Expect: 100-continue")
    assert statuses(50, head) == 413


def test_requests_without_a_body_pass() -> None:
    assert statuses(0, request("GET", "/")) == 200


@pytest.mark.parametrize(
    ("limit", "says"), [(-1, "give 0 or more"), ("1M", "give a whole number"), (None, "whole")]
)
def test_options_that_cannot_be(limit: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        BodyLimit(limit)


def test_it_shows_how_it_was_made() -> None:
    assert repr(BodyLimit(5)) == "BodyLimit(5)"
