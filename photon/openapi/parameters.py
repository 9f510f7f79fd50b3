"""Parameters of a plan as Parameter Objects.   Source: OpenAPI 3.1.0 §4.8.12."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import UNSET

from photon.binding.markers import Marker
from photon.binding.plan import BindingPlan, Parameter
from photon.binding.texts import takes_empty
from photon.openapi.components import Components, examples_of, without_null
from photon.openapi.defaults import json_default
from photon.openapi.scalars import Schema
from photon.openapi.schema import Undescribable
from photon.routing.template import Placeholder, Template

# OpenAPI 3.1.0 §4.8.12.2: "If in is "header" and the name field is "Accept", "Content-Type" or
# "Authorization", the parameter definition SHALL be ignored."
_NOT_PARAMETERS = {"accept", "content-type", "authorization"}


def parameter_objects(
    template: Template | None, plan: BindingPlan, components: Components
) -> list[dict[str, Any]]:
    """The parameters of an operation: those of the path in its order, then the others.

    Args: template: of the route; None for a webhook.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    asked = {p.alias: p for p in plan.from_source("path")}
    for placeholder in placeholders_of(template):
        parameter = asked.get(placeholder.name)
        found["path", placeholder.name] = _path_object(placeholder, parameter, components)
    for parameter in _leaves(plan.parameters):
        if parameter.source == "path" or not _is_shown(parameter):
            continue
        name = parameter.alias
        if parameter.source == "header":
            name = name.lower()
            if name in _NOT_PARAMETERS:
                continue
        known = found.get((parameter.source, name))
        if known is None:
            found[parameter.source, name] = _object(parameter, components)
        elif parameter.required:  # two providers ask for it, each in its way
            known["required"] = True
    return list(found.values())


def placeholders_of(template: Template | None) -> Iterator[Placeholder]:
    """All placeholders of a template in their order."""
    for segment in template.segments if template is not None else ():
        yield from segment.placeholders


def describe(schema: Schema, marker: Marker | None) -> Schema:
    """A schema with what a marker says about the value."""
    if marker is not None:
        if marker.title:
            schema["title"] = marker.title
        if marker.description:
            schema["description"] = marker.description
        if marker.deprecated:
            schema["deprecated"] = True
        if marker.examples:
            named = examples_of(marker.examples, "a value")["examples"]
            schema["examples"] = [example["value"] for example in named.values()]
    return schema


def with_default(schema: Schema, default: Any) -> Schema:
    """A schema with a default, where it is something that a text can say."""
    if default is not None and default is not UNSET:
        value = json_default(default)
        if value is not UNSET and value is not None:
            schema["default"] = value
    return schema


def not_empty(schema: Schema) -> Schema:
    """The schema of a list in a text that has to be there: of an empty one there is no sign."""
    if schema.get("type") == "array":
        schema.setdefault("minItems", 1)
    return schema


def _leaves(parameters: Iterable[Parameter]) -> Iterator[Parameter]:
    """The parameters that stand in a request; of an object in several, its fields."""
    for parameter in parameters:
        if parameter.fields:
            if _is_shown(parameter):
                yield from _leaves(parameter.fields)
        else:
            yield parameter


def _is_shown(parameter: Parameter) -> bool:
    return parameter.marker is None or parameter.marker.include_in_schema


def _object(parameter: Parameter, components: Components) -> dict[str, Any]:
    what = f"{parameter.name!r} in the {parameter.source}"
    schema = without_null(components.schema_of(parameter.type, what))
    members: dict[str, Any] = {"name": parameter.alias, "in": parameter.source}
    members["required"] = parameter.required
    if not parameter.required:
        with_default(schema, parameter.default)
    elif parameter.shape == "list":
        not_empty(schema)
    if _may_be_empty(parameter):
        members["allowEmptyValue"] = True
    _write_style(members, parameter)
    return _finished(members, schema, parameter.marker, what)


def _may_be_empty(parameter: Parameter) -> bool:
    """Whether `a=` is taken for no `a` at all, as browsers send a field that was left empty.

    OpenAPI 3.1.1 §4.8.12.2.1: "clients MAY pass a zero-length string value in place of parameters
    that would otherwise be omitted entirely".
    """
    if parameter.source != "query" or parameter.required or parameter.shape != "value":
        return False
    return not takes_empty(parameter.type)


def _write_style(members: dict[str, Any], parameter: Parameter) -> None:
    # The styles of the other sources are what they are when nothing is said.
    if parameter.source != "query" or parameter.shape == "value":
        return
    if parameter.style != "form":
        members["style"] = parameter.style
        # OpenAPI 3.1.0 §4.8.12.3 knows deepObject only exploded.
        members["explode"] = parameter.explode or parameter.style == "deepObject"
    elif not parameter.explode:
        members["explode"] = False


def _path_object(
    placeholder: Placeholder, parameter: Parameter | None, components: Components
) -> dict[str, Any]:
    what = f"{placeholder.name!r} in the path"
    converter = placeholder.converter
    if parameter is None or parameter.type is Any or (parameter.type is str is not converter.type):
        # The handler says less than the template does.
        try:
            schema = components.schemas.schema_of(converter.type)
        except Undescribable:  # an application's own; what it reads is text
            schema = {"type": "string"}
    else:
        schema = without_null(components.schema_of(parameter.type, what))
    members: dict[str, Any] = {"name": placeholder.name, "in": "path", "required": True}
    if converter.spans:
        members["description"] = "The rest of the path, which may hold slashes."
    return _finished(members, schema, parameter.marker if parameter else None, what)


def _finished(
    members: dict[str, Any], schema: Schema, marker: Marker | None, what: str
) -> dict[str, Any]:
    if marker is not None:
        if marker.description:
            members["description"] = marker.description
        if marker.deprecated:
            members["deprecated"] = True
        if marker.title:
            schema["title"] = marker.title
        members.update(examples_of(marker.examples, what))
    if "description" not in members and "$ref" not in schema and "description" in schema:
        members["description"] = schema.pop("description")  # shown there by more tools
    members["schema"] = schema
    return members
