"""What a plan reads from the body as a Request Body Object.   Source: OpenAPI 3.1.0 §4.8.13."""

from __future__ import annotations

from typing import Any

from photon.binding.plan import BodyPart, BodyPlan
from photon.http.response import BYTES, JSON
from photon.openapi.components import Components, examples_of, without_null
from photon.openapi.parameters import describe, not_empty, with_default
from photon.openapi.scalars import Schema

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"

# Raw bytes. JSON Schema has no word for them; tools know "binary" of OpenAPI 3.0.
BINARY: Schema = {"type": "string", "format": "binary"}


def body_object(body: BodyPlan, components: Components) -> dict[str, Any]:
    """The Request Body Object of a plan that reads the body."""
    # Of a stream nobody knows that it is empty before it was read.
    members: dict[str, Any] = {"required": body.required and body.kind != "stream"}
    content: dict[str, Any] = {}
    for media_type in body.media_types or _usual(body):
        # One of its own for each, as references in it are filled in later.
        content[media_type] = _media_type_object(body, media_type, components)
    members["content"] = content
    marker = body.parts[0].marker if len(body.parts) == 1 and not body.embedded else None
    if marker is not None and marker.description and body.kind != "form":
        members = {"description": marker.description, **members}
    return members


def _usual(body: BodyPlan) -> tuple[str, ...]:
    if body.kind == "data":
        return (JSON,)
    if body.kind == "form":
        return (MULTIPART,) if body.has_files else (URLENCODED, MULTIPART)
    return (BYTES,)


def _media_type_object(body: BodyPlan, media_type: str, components: Components) -> dict[str, Any]:
    if body.kind == "form":
        return _form(body, media_type, components)
    if body.kind != "data":
        is_text = body.type is str or media_type.startswith("text/")
        members: dict[str, Any] = {"schema": {"type": "string"} if is_text else dict(BINARY)}
    elif body.embedded:
        return {"schema": _fields(body.parts, components)}
    else:
        type_ = body.parts[0].type if body.parts else body.type
        members = {"schema": components.schema_of(type_, "the body")}
    if body.parts and (marker := body.parts[0].marker) is not None:
        if marker.title:
            members["schema"]["title"] = marker.title
        members.update(examples_of(marker.examples, "the body"))
    return members


def _form(body: BodyPlan, media_type: str, components: Components) -> dict[str, Any]:
    members: dict[str, Any] = {"schema": _fields(body.parts, components, is_form=True)}
    encoding: dict[str, Any] = {}
    properties = members["schema"].get("properties", {})
    files = {part.alias for part in body.parts if part.kind in ("file", "files")}
    for name, schema in properties.items():
        if name in files:
            # OpenAPI 3.1.0 §4.8.15.1: a string without an encoding would be text/plain.
            encoding[name] = {"contentType": BYTES}
        elif schema.get("type") == "array" and media_type == URLENCODED:
            encoding[name] = {"style": "form", "explode": True}
    if encoding:
        members["encoding"] = encoding
    return members


def _fields(
    parts: tuple[BodyPart, ...], components: Components, *, is_form: bool = False
) -> Schema:
    """The schema of an object with a member for each part."""
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for part in parts:
        what = f"{part.name!r} in the {'form' if is_form else 'body'}"
        if part.kind == "object":
            inner = components.properties_of(part.type, what)
            if inner is not None:
                properties.update((name, without_null(field)) for name, field in inner[0].items())
                required += inner[1] if part.required else ()
                continue
        if part.marker is not None and not part.marker.include_in_schema:
            continue
        properties[part.alias] = _field(part, what, components, is_form)
        if part.required:
            required.append(part.alias)
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(dict.fromkeys(required))
    return schema


def _field(part: BodyPart, what: str, components: Components, is_form: bool) -> Schema:
    if part.kind == "file":
        schema = {**BINARY, "contentMediaType": BYTES}
    elif part.kind == "files":
        schema = {"type": "array", "items": {**BINARY, "contentMediaType": BYTES}}
    else:
        schema = components.schema_of(part.type, what)
        if is_form:
            schema = without_null(schema)
        if not part.required:
            with_default(schema, part.default)
    if part.required and part.kind in ("list", "files"):
        not_empty(schema)
    return describe(schema, part.marker)
