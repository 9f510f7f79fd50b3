"""What is compiled does what reading each parameter alone does, for signatures of all kinds."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from photon.app.photon import Photon
from photon.binding.getters import getter_of
from photon.binding.markers import Cookie, Header, Query
from photon.binding.shapes import shape_of
from photon.binding.signature import read_plan
from photon.http.headers import Headers
from photon.http.protocol.events import FieldBlock, RequestHead
from photon.http.request import Request
from photon.http.response import Response
from photon.testing.client import TestClient

ABSENT = inspect.Parameter.empty


class Color(Enum):
    RED = "red"
    NONE = ""


class Point(Struct):
    px: int
    py: float = 0.5


TYPES: list[Any] = [
    str,
    int,
    float,
    bool,
    UUID,
    date,
    Color,
    Any,
    Literal[1, "a"],
    str | None,
    int | None,
    Annotated[int, Meta(ge=2)],
    list[int],
    list[str] | None,
    tuple[int, ...],
    Point,
]
SOURCES = {"query": Query, "header": Header, "cookie": Cookie, "path": None}
TEXTS = [
    "",
    "0",
    "1",
    "5",
    "-2",
    "a",
    "on",
    "1.5",
    "nan",
    "red",
    "null",
    "1,2",
    "x,1",
    "2025-01-31",
]


def wanted(name: str, type_: Any, source: str, default: Any) -> tuple[str, Any, Any, bool]:
    """A parameter: its name, its annotation, its default, whether it is of the path."""
    marker = SOURCES[source]
    if marker is None:
        type_ = int if shape_of(type_) != "value" else type_
        return name, type_, ABSENT, True
    return name, Annotated[type_, marker()], default, False


names = st.sampled_from(["a", "value", "handler", "text", "v0", "query", "path", "error", "form"])
parameters = st.builds(
    wanted,
    names,
    st.sampled_from(TYPES),
    st.sampled_from(sorted(SOURCES)),
    st.sampled_from([ABSENT, None, 7]),
)
signatures = st.lists(parameters, min_size=1, max_size=5, unique_by=lambda parameter: parameter[0])
texts = st.lists(st.sampled_from(TEXTS), max_size=2)


@settings(max_examples=150, deadline=None)
@given(signatures, st.data())
def test_a_request_is_bound_as_each_value_alone(signature: Any, data: st.DataObject) -> None:
    seen: list[dict[str, Any]] = []

    def handler(**values: Any) -> None:
        seen.append(values)

    handler.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
            for name, _, default, _ in signature
        ]
    )
    handler.__annotations__ = {name: annotation for name, annotation, _, _ in signature}
    in_path = [name for name, _, _, is_path in signature if is_path]
    app = Photon(openapi_url=None, docs_url=None)
    app.get("/" + "/".join(f"{{{name}}}" for name in in_path))(handler)
    plan = read_plan(handler, dict.fromkeys(in_path, str))

    fields = [(f.alias, f.source) for p in plan.parameters for f in (p.fields or (p,))]
    request = _request(fields, in_path, data)
    expected, failing = {}, set()
    request.path_values = dict(zip(in_path, request.head.path[1:].split("/"), strict=False))
    for parameter in plan.parameters:
        try:
            expected[parameter.name] = getter_of(parameter)(request)
        except msgspec.ValidationError:
            failing.add(parameter.source if parameter.fields else parameter.alias)
    response = app(request)
    assert isinstance(response, Response)
    if not failing:
        assert response.status == 204, response.body
        assert list(map(repr, seen[0].values())) == list(map(repr, expected.values()))
        return
    assert response.status == 422, response.body
    assert not seen
    errors = msgspec.json.decode(response.body)["errors"]
    known = {p.alias for p in plan.parameters if not p.fields}
    told = {e["loc"][1] if e["loc"][1] in known else e["loc"][0] for e in errors}
    assert told == failing, errors


def _request(fields: Sequence[tuple[str, str]], in_path: list[str], data: st.DataObject) -> Request:
    query, headers, cookies, path = [], [], [], {}
    for alias, source in fields:
        given_texts = data.draw(texts)
        if source == "path":
            path[alias] = given_texts[0] if given_texts and given_texts[0] else "1"
        elif source == "query":
            query += [f"{alias}={quote(text)}" for text in given_texts]
        elif source == "header":
            headers += [(alias, text) for text in given_texts]
        else:
            cookies += [f"{alias}={text}" for text in given_texts]
    if cookies:
        headers.append(("cookie", "; ".join(cookies)))
    target = "/" + "/".join(path[name] for name in in_path)
    block = FieldBlock(Headers(headers))
    return Request(RequestHead("GET", target, target, "&".join(query), block))


def test_the_source_of_an_endpoint_can_be_read() -> None:
    app = Photon()

    @app.get("/{id}")
    def handler(id: int, q: str = "") -> None: ...

    (route,) = (route for route in app.router.routes if route.name == "handler")
    with TestClient(app) as client:  # it is compiled when its first request comes
        client.get("/1")
    source = route.endpoint.source
    assert source.startswith("def endpoint(request):")
    assert "handler(id=" in source
