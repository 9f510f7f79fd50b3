"""What an operation may answer, as a Responses Object.   Source: OpenAPI 3.1.0 §4.8.16."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from msgspec import inspect as kinds

from photon.binding.markers import Reply
from photon.binding.operation import Operation
from photon.binding.plan import BodyPlan, Parameter
from photon.http.problems import PROBLEM
from photon.http.response import BYTES, JSON
from photon.http.status import reason_phrase
from photon.openapi.bodies import BINARY
from photon.openapi.components import Components, examples_of
from photon.openapi.parameters import placeholders_of
from photon.openapi.problems import Problem
from photon.openapi.returns import TEXT, Returned, read_returns
from photon.openapi.scalars import Schema
from photon.openapi.schema import Undescribable
from photon.routing.template import Template

_FORMATS = ("json", "msgpack", "yaml")


def responses_object(
    template: Template | None, operation: Operation, components: Components, *, is_guarded: bool
) -> dict[str, Any]:
    """Everything that an operation may answer, by status, problems last.

    Args: is_guarded: whether it has a security scheme.
    """
    responses = _successes(operation, components)
    for status, said in operation.responses.items():
        key = str(status)
        responses[key] = _declared(key, said, responses.get(key), components)
    for status in _own_problems(template, operation, is_guarded):
        responses.setdefault(str(status), components.problem(status))
    responses.setdefault("default", components.problem(None))
    return {key: responses[key] for key in sorted(responses)}


# What the handler returns...


def _successes(operation: Operation, components: Components) -> dict[str, Any]:
    by_status: dict[int, list[Returned]] = {}
    for returned in read_returns(operation.response_type):
        usual = 204 if returned.kind == "nothing" else 200
        by_status.setdefault(returned.status or operation.status or usual, []).append(returned)
    return {
        str(status): _described(status, _content(several, operation, components))
        for status, several in by_status.items()
    }


def _described(status: int | str, content: dict[str, Any]) -> dict[str, Any]:
    phrase = reason_phrase(int(status)) if str(status).isdecimal() else f"{status}"
    return {"description": phrase, **({"content": content} if content else {})}


def _content(
    several: list[Returned], operation: Operation, components: Components
) -> dict[str, Any]:
    content: dict[str, Any] = {}
    data = [r.type for r in several if r.kind == "data" and _is_known(r.type, components)]
    for media_type in operation.media_types if data else ():
        content[media_type] = {"schema": _either(data, components)}
    for returned in several:
        if returned.kind == "raw":
            for media_type in _raw_types(returned.media_type, operation):
                content[media_type] = _raw(returned.type, media_type, components)
    return content


def _either(types: list[Any], components: Components) -> Schema:
    what, union = "what it returns", reduce(or_, types)
    if len(types) == 1 or _is_known(union, components):
        return components.schema_of(union, what)
    # What is only sent need not be told apart, as msgspec wants it of what it reads.
    return {"anyOf": [components.schema_of(type_, what) for type_ in types]}


def _is_known(type_: Any, components: Components) -> bool:
    """Whether the annotation is of data: some name a class that becomes a response elsewhere."""
    try:
        kind = components.schemas.info_of(type_)
    except Undescribable:
        return False
    return not isinstance(kind, kinds.CustomType) or components.schemas.owns(kind.cls)


def _raw_types(media_type: str, operation: Operation) -> tuple[str, ...]:
    """What texts and bytes are sent as: what the route says, unless that is a format of data."""
    said = tuple(m for m in operation.media_types if not m.endswith(_FORMATS))
    return said if said and media_type in (TEXT, BYTES) else (media_type,)


def _raw(type_: Any, media_type: str, components: Components) -> dict[str, Any]:
    if type_ is not None:
        return {"schema": components.schema_of(type_, "what it returns")}
    is_text = media_type.startswith("text/") or media_type.endswith(("jsonl", "ndjson", "json-seq"))
    return {"schema": {"type": "string"} if is_text else dict(BINARY)}


# What the author says besides...


def _declared(status: str, said: Any, known: Any, components: Components) -> dict[str, Any]:
    """One of `responses=`: a text, a type or a `Reply`.   Args: known: what is there already."""
    if isinstance(said, str):
        if known is None and status.startswith(("4", "5")):
            schema = components.schema_of(Problem, "a problem")
            known = {"content": {PROBLEM: {"schema": schema}}}
        return {"description": said, **{k: v for k, v in (known or {}).items() if k == "content"}}
    what = f"the response {status}"
    if isinstance(said, Reply):
        response = _described(status, {})
        if said.description:
            response["description"] = said.description
        if said.headers:
            response["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in said.headers.items()
            }
        if said.type is None and known is not None and "content" in known:
            response["content"] = known["content"]  # of which the annotation tells
        if said.type is not None:
            media = {"schema": _schema_of_reply(said.type, said.media_type, components, what)}
            media.update(examples_of(said.examples, what))
            response["content"] = {said.media_type: media}
        return response
    if isinstance(said, Mapping):
        return dict(said)  # a Response Object
    (returned, *_) = read_returns(said)
    content: dict[str, Any] = {}
    if returned.kind == "data":
        content = {JSON: {"schema": components.schema_of(said, what)}}
    elif returned.kind == "raw":
        content = {returned.media_type: _raw(returned.type, returned.media_type, components)}
    return _described(status, content)


def _schema_of_reply(type_: Any, media_type: str, components: Components, what: str) -> Schema:
    if type_ in (bytes, bytearray, memoryview) and not media_type.endswith(_FORMATS):
        return dict(BINARY)
    return components.schema_of(type_, what)


# What the framework answers...


def _own_problems(template: Template | None, operation: Operation, is_guarded: bool) -> list[int]:
    plan, body = operation.plan, operation.plan.body
    is_decoded = body is not None and body.kind in ("data", "form")
    # A value that a converter does not read is another path; any text is a value of the others.
    may_miss = any(p.converter.parse is not None for p in placeholders_of(template))
    happens = {
        400: is_decoded,
        401: is_guarded,
        403: is_guarded,
        404: may_miss,
        406: _is_negotiated(operation),
        413: body is not None,
        415: body is not None and (is_decoded or bool(body.media_types)),
        422: is_decoded or _may_be_missing(body) or any(map(_may_be_invalid, plan.parameters)),
    }
    return [status for status, does in happens.items() if does]


def _is_negotiated(operation: Operation) -> bool:
    may_be_data = any(r.kind in ("data", "unknown") for r in read_returns(operation.response_type))
    return len(operation.media_types) > 1 and may_be_data


def _may_be_missing(body: BodyPlan | None) -> bool:
    return body is not None and body.kind == "bytes" and body.required


def _may_be_invalid(parameter: Parameter) -> bool:
    is_any_text = parameter.type in (str, Any, str | None)
    return not is_any_text or (parameter.source != "path" and parameter.required)
