from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from msgspec import Struct

from photon.binding.markers import Reply
from photon.binding.operation import Operation
from photon.binding.plan import BodyPlan
from photon.http.response import Response, StreamResponse
from photon.openapi.components import Components
from photon.openapi.responses import responses_object
from photon.routing.template import Template
from tests.openapi.plans import data, header, in_path, operation, part, query

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


class Item(Struct):
    x: int


class Gone(Struct):
    since: int


class Events(StreamResponse):
    media_type = "text/event-stream"


class Connection:
    """Nothing that msgspec knows."""


def shown(made: Operation, *, path: str = "/", is_guarded: bool = False) -> dict[str, Any]:
    components = Components()
    responses = responses_object(Template.parse(path), made, components, is_guarded=is_guarded)
    components.as_object()
    return responses


def success(made: Operation) -> dict[str, Any]:
    """What is answered when all is well, by status."""
    return {k: v for k, v in shown(made).items() if k.startswith("2")}


def ref(name: str) -> dict[str, Any]:
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


@pytest.mark.parametrize(
    ("annotation", "status", "expected"),
    [
        (Item, None, {"200": ref("Item")}),
        (Item, 201, {"201": ref("Item")}),
        (None, None, {"204": None}),
        (None, 202, {"202": None}),
        (Item | None, None, {"200": ref("Item"), "204": None}),
        (Item | None, 201, {"201": ref("Item")}),
        (
            Item | Gone | None,
            201,
            {"201": {"schema": {"anyOf": [ref("Item")["schema"], ref("Gone")["schema"]]}}},
        ),
        (tuple[Item, Literal[201]], None, {"201": ref("Item")}),
        (Response, None, {"200": None}),
        (Connection, None, {"200": None}),
        ("not a type", None, {"200": None}),
        (Item | Response, None, {"200": ref("Item")}),
    ],
    ids=str,
)
def test_what_a_handler_returns(annotation: Any, status: int | None, expected: Any) -> None:
    made = success(operation(returns=annotation, status=status))
    content = {k: v.get("content") for k, v in made.items()}
    assert content == {k: v and {"application/json": v} for k, v in expected.items()}


def test_statuses_have_their_phrases() -> None:
    assert success(operation(returns=None)) == {"204": {"description": "No Content"}}


@pytest.mark.parametrize(
    ("annotation", "media_types", "content"),
    [
        (str, ("application/json",), {"text/plain": {"schema": {"type": "string"}}}),
        (str, ("text/html",), {"text/html": {"schema": {"type": "string"}}}),
        (
            bytes,
            ("application/json", "application/msgpack"),
            {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        ),
        (
            bytes,
            ("image/png",),
            {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        ),
        (Iterator[bytes], ("text/csv",), {"text/csv": {"schema": {"type": "string"}}}),
        (Events, ("application/json",), {"text/event-stream": {"schema": {"type": "string"}}}),
        (
            Item | str,
            ("application/json",),
            {"application/json": ref("Item"), "text/plain": {"schema": {"type": "string"}}},
        ),
    ],
    ids=str,
)
def test_what_is_sent_as_it_is(annotation: Any, media_types: Any, content: Any) -> None:
    (response,) = success(operation(returns=annotation, media_types=media_types)).values()
    assert response["content"] == content


def test_data_comes_in_all_formats_of_the_route() -> None:
    both = ("application/json", "application/msgpack")
    (response,) = success(operation(returns=Item, media_types=both)).values()
    assert list(response["content"]) == list(both)


# What the author says...


def test_a_text_describes() -> None:
    made = shown(operation(returns=Item, responses={200: "It.", 404: "No such item.", 302: "Off."}))
    assert made["200"] == {"description": "It.", "content": {"application/json": ref("Item")}}
    assert made["404"] == {"description": "No such item.", "content": PROBLEM}
    assert made["302"] == {"description": "Off."}


def test_a_type_is_a_body() -> None:
    made = shown(operation(responses={409: Gone, 410: str, 304: None}))
    assert made["409"] == {
        "description": "Conflict",
        "content": {"application/json": ref("Gone")},
    }
    assert list(made["410"]["content"]) == ["text/plain"]
    assert made["304"] == {"description": "Not Modified"}


def test_a_reply_says_all() -> None:
    reply = Reply(
        type=Gone,
        description="It was here.",
        media_type="application/x-gone+json",
        headers={"retry-after": "When, in seconds."},
        examples=[Gone(3)],
    )
    made = shown(operation(responses={410: reply, 202: Reply(), 200: Reply(type=bytes)}))
    assert made["410"] == {
        "description": "It was here.",
        "headers": {
            "retry-after": {"description": "When, in seconds.", "schema": {"type": "string"}}
        },
        "content": {
            "application/x-gone+json": {
                **ref("Gone"),
                "examples": {"example": {"value": {"since": 3}}},
            }
        },
    }
    assert made["202"] == {"description": "Accepted"}


def test_a_reply_without_a_type_leaves_what_the_annotation_says() -> None:
    replies = {200: Reply(headers={"etag": "Its state."}), 204: Reply(description="Nothing.")}
    made = shown(operation(returns=Item | None, responses=replies))
    assert made["200"] == {
        "description": "OK",
        "headers": {"etag": {"description": "Its state.", "schema": {"type": "string"}}},
        "content": {"application/json": ref("Item")},
    }
    assert made["204"] == {"description": "Nothing."}
    other = shown(operation(returns=Item, responses={200: Reply(type=Gone)}))
    assert other["200"]["content"] == {"application/json": ref("Gone")}


def test_a_reply_of_bytes_is_binary() -> None:
    made = shown(operation(responses={200: Reply(type=bytes, media_type="image/png")}))
    assert made["200"]["content"]["image/png"]["schema"]["format"] == "binary"


def test_openapis_own_words_are_taken_as_they_are() -> None:
    said: Any = {"4XX": {"description": "Anything"}, 418: {"$ref": "#/components/responses/Pot"}}
    made = shown(operation(responses=said))
    assert made["4XX"] == {"description": "Anything"}
    assert made["418"] == {"$ref": "#/components/responses/Pot"}


# What the framework answers...

ALWAYS = {"204", "default"}
BOTH = ("application/json", "application/yaml")
BODY = BodyPlan(kind="bytes", parts=(part("raw", bytes),))
CSV = BodyPlan(kind="bytes", parts=(part("raw", bytes),), media_types=("text/csv",), required=False)
STREAM = BodyPlan(kind="stream", parts=(part("raw", bytes),))


@pytest.mark.parametrize(
    ("made", "more"),
    [
        (operation(), set()),
        (operation(in_path("id")), set()),
        (operation(in_path("id", int)), {"422"}),
        (operation(query("q", default="")), set()),
        (operation(query("q")), {"422"}),
        (operation(query("q", str | None, default=None)), set()),
        (operation(query("q", int, default=1)), {"422"}),
        (operation(header("h")), {"422"}),
        (operation(body=data(Item)), {"400", "413", "415", "422"}),
        (operation(body=BODY), {"413", "422"}),
        (operation(body=CSV), {"413", "415"}),
        (operation(body=STREAM), {"413"}),
        (operation(returns=Any, media_types=BOTH), {"406"}),
        (operation(returns=str, media_types=BOTH), set()),
    ],
    ids=range(14),
)
def test_problems_stand_where_they_happen(made: Operation, more: set[str]) -> None:
    assert set(shown(made)) - {"200", "204"} == more | {"default"}


def test_who_must_be_somebody_may_be_refused() -> None:
    assert set(shown(operation(), is_guarded=True)) == ALWAYS | {"401", "403"}


def test_a_value_that_no_converter_reads_is_another_path() -> None:
    assert "404" in shown(operation(in_path("id", int)), path="/{id:int}")
    assert "404" not in shown(operation(in_path("id", int)), path="/{id}")


def test_problems_are_shared() -> None:
    components = Components()
    made = responses_object(None, operation(body=data(Item)), components, is_guarded=False)
    assert made["422"] == {"$ref": "#/components/responses/UnprocessableContent"}
    assert made["default"] == {"$ref": "#/components/responses/Problem"}
    shared = components.as_object()
    assert shared["responses"]["Problem"] == {
        "description": "Any other problem",
        "content": PROBLEM,
    }
    content = shared["responses"]["UnprocessableContent"]["content"]
    assert content["application/problem+json"] == ref("ValidationProblem")
    assert shared["schemas"]["ValidationProblem"]["required"] == ["status", "title", "errors"]


def test_what_the_author_says_stays() -> None:
    made = shown(operation(body=data(Item), responses={422: "Not that."}))
    assert made["422"]["description"] == "Not that."
