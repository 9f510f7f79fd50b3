"""The way of a request in words."""

from __future__ import annotations

import re
from typing import Any

import pytest

from photon.cli.explained import explained
from photon.cli.tracing import make_request, trace
from tests.cli.shop import make_hosts, make_shop


def told(line: str, application: Any = None, width: int | None = None) -> list[str]:
    method, target = line.split(" ", 1)
    found = trace(application or make_shop(), make_request(method, target))
    return [
        re.sub(r"[^\s(]*cli/shop\.py:\d+", "shop.py:12", each) for each in explained(found, width)
    ]


def section(lines: list[str], title: str) -> list[str]:
    """The lines below a title."""
    rest = lines[lines.index(title) + 1 :]
    return [line.removeprefix("  ") for line in (rest[: rest.index("")] if "" in rest else rest)]


def test_who_answers_and_why() -> None:
    lines = told("GET /items/7")
    assert lines[:2] == [
        "GET /items/7 is answered by show (shop.py:12)",
        "  the route GET /items/{id:int}, named 'items.show'",
    ]
    assert section(lines, "Why this route") == [
        "→  GET     /items/{id:int}  answers",
        "✗  DELETE  /items/{id:int}  takes DELETE",
        "·  GET     /items/{slug}    fits too, but {id:int} is tried before {slug}",
    ]
    assert section(lines, "Values of the path") == ["id  =  7  int"]


def test_what_the_handler_gets() -> None:
    assert section(told("GET /items/7"), "Its arguments, and where they come from") == [
        "show  shop.py:12",
        "├─ *     signed_in   shop.py:12, a guard",
        "│  └─ token  header  str",
        "├─ id    path        int, >= 1",
        "└─ conn  connection  shop.py:12, closed after the response, concurrent",
        "*  called first, for what it refuses",
        "concurrent ones that are ready together are called side by side",
    ]
    assert section(told("GET /"), "Its arguments, and where they come from") == ["it takes none"]


def test_the_middleware_in_its_order() -> None:
    lines = section(told("POST /items"), "Middleware, the outermost first")
    assert [line.split()[-1] for line in lines] == ["2.1", "2.1", "route"]
    assert lines[0].startswith("1  RequestId(header='x-request-id'")
    narrow = section(told("POST /items", width=80), "Middleware, the outermost first")
    assert narrow[0].startswith("1  RequestId  photon/middleware/request_id.py:")


BODIES = [
    ("POST /items", ["required, decoded as Item", "sent as application/json"]),
    (
        "PUT /items/7/photo",
        [
            "required, a form",
            "sent as application/x-www-form-urlencoded or multipart/form-data",
        ],
    ),
    ("PUT /raw/x", ["optional, as it is", "sent as image/png"]),
]


@pytest.mark.parametrize(("line", "expected"), BODIES)
def test_the_body(line: str, expected: list[str]) -> None:
    lines = section(told(line), "The body")
    assert lines[:2] == expected
    assert "16MiB" in lines[2]


ANSWERS = [
    (
        "GET /items/7",
        ["200  Item as application/json", "204  without a body", "within 2s, or 504"],
    ),
    ("GET /", ["200  text/plain"]),
    ("POST /items", ["201  Item as application/json", "409  taken"]),
    ("DELETE /items/7", ["204  without a body"]),
]


@pytest.mark.parametrize(("line", "expected"), ANSWERS)
def test_the_answer(line: str, expected: list[str]) -> None:
    assert section(told(line), "The answer")[: len(expected)] == expected


def test_nothing_answers() -> None:
    lines = told("GET /itms")
    assert lines[:2] == ["GET /itms: nothing answers, 404 Not Found", "  no route has this path."]
    assert section(lines, "Did you mean") == ["/items"]
    assert not [line for line in lines if line.startswith("Middleware")]
    lines = told("DELETE /items/abc")
    assert lines[0] == "DELETE /items/abc: nothing answers, 405 Method Not Allowed"
    near = [line.split(maxsplit=3)[1:] for line in section(lines, "Routes that come near")]
    assert near[-2:] == [
        ["DELETE", "/items/{id:int}", "'abc' is no int, which {id} has to be"],
        ["GET", "/items/{slug}", "takes GET"],
    ]


def test_special_answers() -> None:
    assert told("OPTIONS /items")[0] == "OPTIONS /items: no handler is called, 204 No Content"
    assert "  HEAD is answered as GET is, without the body" in told("HEAD /items")
    assert "  it is for WebSockets: whoever asks for no WebSocket gets 426" in told("GET /chat")
    assert told("GET /files/x")[0].startswith("GET /files/x is taken by the application plain")
    assert "421 Misdirected Request" in told("GET http://other/", make_hosts())[0]


def test_the_way_through_several_applications() -> None:
    lines = told("GET http://shop.test/admin/users/x", make_hosts())
    assert section(lines, "On its way through")[1:] == ["2  Shop 2.1", "3  Admin 0.1.0 at /admin"]
    assert "→  GET  /admin/users/{name}  answers" in section(lines, "Why this route")


def test_what_was_typed_does_not_control_the_terminal() -> None:
    assert "\x1b" not in "".join(told("GET /\x1b[2J"))


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("line", ["GET /items/7", "POST /items", "GET /items/", "PUT /files/x"])
def test_lines_fit_the_terminal(line: str, width: int) -> None:
    long = [each for each in told(line, width=width) if len(each) > width]
    assert width == 40 or not long
