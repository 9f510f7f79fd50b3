"""Whole documents: valid, complete, and the same each time."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from photon.binding.markers import Body, Header, Query, Reply
from photon.binding.operation import Operation
from photon.http.response import Response
from photon.openapi.document import (
    Contact,
    ExternalDocs,
    Info,
    License,
    OpenAPI,
    Server,
    ServerVariable,
    Tag,
)
from photon.openapi.errors import OpenAPIError
from photon.openapi.generate import at_root, document_bytes, generate
from photon.security.basic import HTTPBasic
from photon.security.oauth2 import OAuth2Password
from tests.openapi.plans import (
    INFO,
    cookie,
    data,
    document,
    form,
    header,
    in_path,
    needs,
    only,
    operation,
    part,
    query,
    route,
    validate,
)


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Item(Struct):
    """A thing on the shelf."""

    name: Annotated[str, Meta(min_length=1, description="What people call it.")]
    size: Size = Size.SMALL
    parent: Item | None = None


class Money:
    """Nothing that msgspec knows."""


def get_item(id: int) -> Item:
    """Look at an item.

    It need not be on the shelf:

        get_item(3)
    """
    raise NotImplementedError


def kitchen_sink() -> list[tuple[Any, Operation]]:
    both = ("application/json", "application/msgpack")
    page = [query("page", int, default=1), query("tag", list[str], shape="list", default=[])]
    basic, oauth = HTTPBasic(), OAuth2Password("/token", scopes={"write": "Write."})
    return [
        route("/items", operation(*page, returns=list[Item], tags=("items",)), name="items"),
        route("/items", operation(body=data(Item), returns=Item, status=201), "POST"),
        route("/items/{id:int}", operation(in_path("id", int), fn=get_item, returns=Item)),
        route("/items/{item_id:int}", operation(in_path("item_id", int)), "DELETE"),
        route("/items/{slug}", operation(in_path("slug"), returns=Item | None)),
        route("/files/{rest:path}", operation(in_path("rest"), returns=Iterator[bytes])),
        route("/report-{year:int}.{ext}", operation(in_path("year", int), returns=str)),
        route("/café", operation(returns=Response)),
        route(
            "/both", operation(body=data(Item, media_types=both), media_types=both), "PUT", "PATCH"
        ),
        route("/form", operation(body=form(part("a", int), part("f", bytes, kind="file"))), "POST"),
        route("/me", operation(depends=[needs(basic)], returns=Item)),
        route("/own", operation(depends=[needs(oauth, scopes=("write",))]), "POST"),
        route("/seen", operation(header("if_none"), cookie("session", UUID, default=None))),
        route(
            "/said", operation(responses={404: "no such item", 409: Item, 200: Reply(type=Item)})
        ),
        route("/any", operation(), "TRACE", "OPTIONS", "HEAD"),
        route("/hidden", operation(include_in_schema=False)),
    ]


def test_the_kitchen_sink_is_a_valid_document() -> None:
    made = document(*kitchen_sink())
    assert list(made["paths"]) == [
        "/items",
        "/items/{id}",
        "/items/{slug}",
        "/files/{rest}",
        "/report-{year}.{ext}",
        "/caf%C3%A9",
        "/both",
        "/form",
        "/me",
        "/own",
        "/seen",
        "/said",
        "/any",
    ]
    assert set(made["components"]["schemas"]) >= {"Item", "Size", "Problem"}
    assert set(made["components"]["securitySchemes"]) == {"HTTPBasic", "OAuth2Password"}


def test_the_same_routes_make_the_same_bytes() -> None:
    first, second = (document_bytes(document(*kitchen_sink())) for _ in range(2))
    assert first == second
    assert msgspec.json.decode(first) == document(*kitchen_sink())


def test_for_files_it_is_indented() -> None:
    text = document_bytes(document(), pretty=True).decode()
    assert text.startswith('{\n  "openapi": "3.1.0",\n  "info": {\n    "title": "Shop"')
    assert text.endswith("}\n")


def test_an_application_without_routes() -> None:
    assert document() == {
        "openapi": "3.1.0",
        "info": {"title": "Shop", "version": "1.0"},
        "paths": {},
    }


def test_what_is_said_about_the_interface() -> None:
    said = OpenAPI(
        servers=[
            Server(
                "https://{where}.example",
                "All over the world",
                {"where": ServerVariable("eu", ["eu", "us"])},
            )
        ],
        tags=[Tag("items", "Things.", ExternalDocs("https://example.com"))],
        contact=Contact("Us", email="us@example.com"),
        license=License("Apache 2.0", identifier="Apache-2.0"),
        terms_of_service="https://example.com/terms",
        external_docs=ExternalDocs("https://example.com/more", "More"),
        security=[{"key": []}],
        schemes={"key": {"type": "apiKey", "in": "header", "name": "x-key"}},
        extra={"info": {"x-team": "shelf"}, "x-top": 1},
    )
    made = document(route("/", operation(tags=("others", "items"))), settings=said)
    assert made["info"] == {
        "title": "Shop",
        "version": "1.0",
        "termsOfService": "https://example.com/terms",
        "contact": {"name": "Us", "email": "us@example.com"},
        "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        "x-team": "shelf",
    }
    assert made["servers"] == [
        {
            "url": "https://{where}.example",
            "description": "All over the world",
            "variables": {"where": {"default": "eu", "enum": ["eu", "us"]}},
        }
    ]
    assert made["tags"] == [
        {
            "name": "items",
            "description": "Things.",
            "externalDocs": {"url": "https://example.com"},
        },
        {"name": "others"},
    ]
    assert made["externalDocs"] == {"url": "https://example.com/more", "description": "More"}
    assert made["security"] == [{"key": []}]
    assert made["components"]["securitySchemes"]["key"]["name"] == "x-key"
    assert made["x-top"] == 1


def test_what_cannot_be_said() -> None:
    with pytest.raises(ValueError, match="not both"):
        License("MIT", "MIT", "https://example.com")
    with pytest.raises(ValueError, match="'x' is not one of"):
        ServerVariable("x", ["a", "b"])


def test_where_it_is_mounted_is_its_server() -> None:
    assert document(root="/v1")["servers"] == [{"url": "/v1"}]
    plain = document()
    assert at_root(plain, "/v1") == document(root="/v1")
    assert list(at_root(plain, "/v1")) == ["openapi", "info", "servers", "paths"]
    assert at_root(plain, "") == plain
    elsewhere = document(settings=OpenAPI(servers=[Server("https://a.example")]), root="/v1")
    assert elsewhere["servers"] == [{"url": "https://a.example"}]
    assert at_root(elsewhere, "/v2") == elsewhere


def test_webhooks() -> None:
    made = document(webhooks=[("new-order", operation(body=data(Item), fn=get_item))])
    hook = made["webhooks"]["new-order"]["post"]
    assert hook["operationId"] == "get_item"
    assert "requestBody" in hook


def test_head_is_shown_only_where_it_is_a_route_of_its_own() -> None:
    both = route("/", operation(), "HEAD", "GET")
    made = document(route("/a", operation()), both, route("/big", operation(), "HEAD"))
    assert list(made["paths"]["/a"]) == ["get"]
    assert list(made["paths"]["/"]) == ["get"]
    assert list(made["paths"]["/big"]) == ["head"]


def test_methods_that_openapi_does_not_know_are_left_out() -> None:
    assert document(route("/", operation(), "PURGE"))["paths"] == {}
    made = document(route("/", operation(), "PURGE", "GET"))
    assert list(made["paths"]["/"]) == ["get"]


def test_the_words_of_an_operation() -> None:
    made = only(document(route("/items/{id}", operation(in_path("id"), fn=get_item))))
    assert made["summary"] == "Look at an item"
    assert made["description"] == "It need not be on the shelf:\n\n    get_item(3)"
    said = operation(
        fn=lambda: None,
        summary="S",
        description="D",
        deprecated=True,
        operation_id="mine",
        openapi={"x-more": 1, "externalDocs": {"url": "https://example.com"}},
    )
    made = only(document(route("/", said)))
    assert (made["summary"], made["description"], made["operationId"]) == ("S", "D", "mine")
    assert made["deprecated"] is True
    assert made["x-more"] == 1


def test_members_of_an_operation_are_merged_into_it() -> None:
    more = {"responses": {"200": {"description": "Fine"}}, "summary": "Mine"}
    made = only(document(route("/", operation(returns=Item, openapi=more))))
    assert made["summary"] == "Mine"
    assert made["responses"]["200"]["description"] == "Fine"
    assert "content" in made["responses"]["200"]


def test_the_settings_are_left_as_they_were() -> None:
    money: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    responses: dict[str, Any] = {"200": {"description": "Fine"}}
    said = OpenAPI(
        types={Money: money},
        extra={"paths": {"/": {"get": {"responses": {"200": {"x-more": 1}}}}}},
    )
    asked = operation(query("q", Money, default=Money()), openapi={"responses": responses})
    made = document(route("/", asked), settings=said)
    assert only(made)["responses"]["200"] == {"description": "Fine", "x-more": 1}
    assert only(made)["parameters"][0]["schema"] == {"type": "string"}
    assert money == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert responses == {"200": {"description": "Fine"}}


# Faults...


class Holds(Struct):
    price: Money


@pytest.mark.parametrize(
    ("made", "what"),
    [
        (lambda: operation(fn=get_item, body=data(Holds)), "the body has no schema"),
        (lambda: operation(query("q", Money), fn=get_item), "'q' in the query has no schema"),
        (lambda: operation(fn=get_item, returns=Holds), "what it returns has no schema"),
        (lambda: operation(fn=get_item, responses={404: Money}), "the response 404 has no schema"),
        (
            lambda: operation(fn=get_item, body=form(part("f", Money))),
            "'f' in the form has no schema",
        ),
    ],
)
def test_a_type_without_a_schema_names_the_handler_and_the_way_out(made: Any, what: str) -> None:
    with pytest.raises(OpenAPIError) as caught:
        generate(INFO, [route("/a", made())])
    message = str(caught.value)
    assert message.startswith("the handler get_item (tests/openapi/test_generate.py:")
    assert f" of GET /a: {what}: msgspec does not know the type Money. " in message
    assert 'OpenAPI(types={Money: {"type": "string"}})' in message
    assert "include_in_schema=False" in message


def test_a_type_may_be_given_a_schema() -> None:
    said = OpenAPI(types={Money: {"type": "string", "format": "money"}})
    made = document(route("/", operation(body=data(Holds), returns=Money)), settings=said)
    assert made["components"]["schemas"]["Holds"]["properties"]["price"]["format"] == "money"
    assert "content" in only(made)["responses"]["200"]


def test_what_json_has_not() -> None:
    with pytest.raises(OpenAPIError, match=r"something that JSON has not.*`extra` of OpenAPI"):
        generate(INFO, [], OpenAPI(extra={"x-a": object()}))
    asked = route("/", operation(query("q", marker=Query(examples=[object()]))))
    with pytest.raises(OpenAPIError, match="an example of 'q' in the query is nothing that JSON"):
        generate(INFO, [asked])


def test_two_operations_cannot_have_one_id() -> None:
    pairs = [
        route("/a", operation(fn=get_item, operation_id="x")),
        route("/b", operation(fn=kitchen_sink, operation_id="x")),
    ]
    with pytest.raises(OpenAPIError, match=r"'x': the handler get_item .*GET /a and .*GET /b"):
        generate(INFO, pairs)


# Properties...

FIELD_TYPES = st.recursive(
    st.sampled_from([int, str, float, bool, bytes, date, UUID, Any, Size, Item, Literal["a", "b"]]),
    lambda inner: st.one_of(
        inner.map(lambda t: list[t]),  # type: ignore[valid-type]
        inner.map(lambda t: dict[str, t]),  # type: ignore[valid-type]
        inner.map(lambda t: t | None if t is not Any else t),
        st.builds(
            lambda name, types: msgspec.defstruct(
                name, [(f"f{i}", t) for i, t in enumerate(types)]
            ),
            st.sampled_from(["Item", "Tree", "Node"]),
            st.lists(inner, max_size=3),
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(FIELD_TYPES, FIELD_TYPES, st.sampled_from(["a", "b"])), max_size=3))
def test_any_types_make_a_valid_document(types: list[tuple[Any, Any, str]]) -> None:
    pairs = [
        route(f"/{i}", operation(body=data(taken), returns=given, operation_id=f"{name}{i}"))
        for i, (taken, given, name) in enumerate(types)
    ]
    made = document(*pairs)
    assert msgspec.json.decode(document_bytes(made)) == made


def test_markers_reach_the_document() -> None:
    made = only(
        document(
            route(
                "/",
                operation(
                    query("q", marker=Query(description="What for.", deprecated=True)),
                    header("x_a", marker=Header(examples=["a", "b"]), default="a"),
                    header("hidden", marker=Header(include_in_schema=False)),
                    header("accept"),
                    body=data(Item, marker=Body(description="The new one.", examples=[Item("x")])),
                ),
                "POST",
            )
        )
    )
    assert made["parameters"] == [
        {
            "name": "q",
            "in": "query",
            "required": True,
            "description": "What for.",
            "deprecated": True,
            "schema": {"type": "string"},
        },
        {
            "name": "x-a",
            "in": "header",
            "required": False,
            "examples": {"example 1": {"value": "a"}, "example 2": {"value": "b"}},
            "schema": {"type": "string", "default": "a"},
        },
    ]
    assert made["requestBody"]["description"] == "The new one."
    example = {"value": {"name": "x", "size": "s", "parent": None}}
    assert made["requestBody"]["content"]["application/json"]["examples"] == {"example": example}


def test_info_has_what_people_read() -> None:
    info = Info(title="T", version="2", summary="S", description="*D*")
    made = generate(info, [])
    validate(made)
    assert made["info"] == {"title": "T", "version": "2", "summary": "S", "description": "*D*"}
