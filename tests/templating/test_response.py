"""Responses that name a template."""

from __future__ import annotations

from typing import Any

import pytest

from photon.http.response import Response, StreamResponse
from photon.runtime.cancel import CancelScope
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep_forever
from photon.templating.engine import Templates
from photon.templating.errors import RenderFailed, TemplateNotFound
from photon.templating.response import TemplateResponse, TemplateStream
from photon.testing.wire import Wire
from tests.clients import request, wait_until
from tests.http.requests import make_request

TEMPLATES = Templates(
    {
        "page.html": "<p>{{ name }} at {{ request.path }}</p>",
        "plain.txt": "{{ name }}",
        "data.json": '{"name": {{ name }}}',
        "fails.html": "{{ nothing }}",
        "parts.html": "<head>{% flush %}<body>{{ body() }}",
    }
)


def test_it_is_rendered_with_the_request_and_the_values() -> None:
    response = TemplateResponse("page.html", {"name": "<b>"})
    done = response.render(TEMPLATES, make_request("/a"))
    assert type(done) is Response
    assert done.body == b"<p>&lt;b&gt; at &#x2f;a</p>"
    assert (done.status, done.content_type) == (200, "text/html; charset=utf-8")
    assert done.for_request(make_request()) is done


def test_what_was_set_on_it_is_kept() -> None:
    response = TemplateResponse(
        "plain.txt", {"name": "é"}, status=404, headers={"X-A": "1"}, content_type="text/x-odd"
    )
    response.set_cookie("a", "b")
    response.headers["x-b"] = "2"
    done = response.render(TEMPLATES, None)
    assert (done.status, done.body) == (404, "é".encode())
    assert list(done.headers) == list(response.headers)
    assert [done.headers[n] for n in ("content-type", "x-a", "x-b")] == ["text/x-odd", "1", "2"]
    assert done.headers.get_all("set-cookie") == ["a=b; Path=/; SameSite=Lax; HttpOnly"]
    done.headers["x-b"] = "3"
    assert response.headers["x-b"] == "2"


def test_one_may_be_rendered_for_every_request() -> None:
    response = TemplateResponse("page.html", {"name": "a"})
    bodies = [response.render(TEMPLATES, make_request(path)).body for path in ("/1", "/2")]
    assert bodies == [b"<p>a at &#x2f;1</p>", b"<p>a at &#x2f;2</p>"]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("plain.txt", "text/plain; charset=utf-8"),
        ("data.json", "application/json"),
        ("page.html", "text/html; charset=utf-8"),
    ],
)
def test_the_content_type_is_that_of_the_name(name: str, content_type: str) -> None:
    response = TemplateResponse(name, {"name": "a"})
    assert response.content_type == content_type
    assert response.render(TEMPLATES, make_request()).headers["content-type"] == content_type


def test_a_content_type_among_the_headers_counts() -> None:
    response = TemplateResponse("plain.txt", {"name": ""}, headers={"Content-Type": "text/odd"})
    assert response.render(TEMPLATES, None).headers.get_all("content-type") == ["text/odd"]


def test_the_values_may_bring_a_request_of_their_own() -> None:
    other = make_request("/other")
    response = TemplateResponse("page.html", {"name": "", "request": other})
    assert b"other" in response.render(TEMPLATES, make_request("/a")).body


@pytest.mark.parametrize("kind", [TemplateResponse, TemplateStream])
def test_unrendered_it_cannot_be_sent(kind: type[TemplateResponse]) -> None:
    response = kind("page.html")
    with pytest.raises(RuntimeError, match=r"'page.html'.*Photon\(templates='templates'\)"):
        response.for_request(make_request())
    assert repr(response) == "<Response 200 OK template page.html, not rendered>"


def test_its_failures_are_those_of_the_template() -> None:
    with pytest.raises(RenderFailed, match="'nothing' is undefined"):
        TemplateResponse("fails.html").render(TEMPLATES, None)
    with pytest.raises(TemplateNotFound, match=r"did you mean 'page.html'"):
        TemplateResponse("pgae.html").render(TEMPLATES, None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((make_request(), "a.html"), "the request comes by itself"),
        (("a.html", make_request()), "needs no request"),
        (("a.html", ["a"]), "a mapping of names to values, not list"),
        (("a.html", {1: 2}), "the name 1, which is no text"),
        ((None,), "the name of a template is text, not NoneType"),
    ],
)
def test_obvious_mistakes_are_told(arguments: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        TemplateResponse(*arguments)


# Streams...


def test_a_stream_sends_what_stands_before_a_flush_at_once() -> None:
    asked = []

    def body() -> str:
        asked.append("body")
        return "late"

    response = TemplateStream("parts.html", {"body": body}, status=201, headers={"x-a": "1"})
    done = response.render(TEMPLATES, make_request())
    assert isinstance(done, StreamResponse)
    assert (done.status, done.headers["x-a"]) == (201, "1")
    assert done.content_type == "text/html; charset=utf-8"
    assert asked == []
    assert list(done.pieces()) == [b"<head>", b"<body>late"]


def test_a_stream_of_a_template_that_is_not_there_fails_before_it_begins() -> None:
    with pytest.raises(TemplateNotFound):
        TemplateStream("prats.html").render(TEMPLATES, None)


class Body:
    """A function of a page that waits until it is told to go on."""

    def __init__(self) -> None:
        self.state = ""
        self.go_on = CancelScope()

    def __call__(self) -> str:
        self.state = "waits"
        try:
            with self.go_on:
                sleep_forever()
        except Cancelled as error:
            self.state = error.source
            raise
        return "late"


def streaming(body: Body) -> Wire:
    return Wire(
        lambda request: TemplateStream("parts.html", {"body": body}).render(TEMPLATES, request)
    )


def test_a_client_has_the_head_while_the_page_waits() -> None:
    body = Body()
    with streaming(body) as wire:
        wire.send(request("GET", "/"))
        wait_until(lambda: body.state == "waits")
        assert wire.receive().endswith(b"6\r\n<head>\r\n")
        body.go_on.cancel()
        wait_until(lambda: bool(wire.stream.outbox))
        assert wire.receive().startswith(b"a\r\n<body>late\r\n")


def test_a_client_that_leaves_ends_the_rendering() -> None:
    body = Body()
    with streaming(body) as wire:
        wire.send(request("GET", "/"))
        wait_until(lambda: body.state == "waits")
        wire.reset()
        wait_until(lambda: body.state == "scope")
