"""The routes of an application as one JSON document, for programs.

It says everything that is known of a route: members may come, none goes or changes its meaning.
What stands in no request, such as `default` of what has to be there, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from photon.app.choosing import Hosts, Versions
from photon.app.photon import Photon
from photon.binding.operation import Operation
from photon.binding.plan import Argument, BodyPart, BodyPlan, Dependency, Parameter
from photon.binding.wording import (
    constraints_of,
    function_name,
    function_place,
    repr_of,
    short_place,
    type_name,
)
from photon.cli.route_table import methods_of
from photon.cli.survey import (
    Part,
    described,
    handler_of,
    is_open,
    is_websocket,
    middleware_of,
    mounts_of,
    parts_of,
)
from photon.http.application import Application
from photon.routing.route import Route

Object = dict[str, Any]

FORMAT = 1
"""Of the document; another number is another meaning."""


def document(application: Application, name: str) -> Object:
    """The document, as values of JSON.   Args: name: of the application, such as "app:app"."""
    return {
        "format": FORMAT,
        "application": name,
        "parts": [_part(part) for part in parts_of(application)],
    }


def as_bytes(value: Object) -> bytes:
    """Indented, the same bytes for the same routes."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2)


def _part(part: Part) -> Object:
    application = part.application
    members: Object = {
        "kind": _kind(application),
        "prefix": part.prefix,
        "conditions": [{"of": c.of, "value": c.value} for c in part.conditions],
        "description": described(application),
        "middleware": _functions(middleware_of(application)),
    }
    if isinstance(application, Photon):
        members["routes"] = [_route(part.prefix, r) for r in application.router.routes]
        members["mounts"] = [
            {
                "prefix": part.prefix + prefix,
                "kind": _kind(mounted),
                "description": described(mounted),
                "is_part": is_open(mounted),
            }
            for prefix, mounted in mounts_of(application)
        ]
        members["webhooks"] = [
            {"name": name, **_operation(operation)} for name, operation in application.webhooks
        ]
    return members


def _kind(application: Application) -> str:
    kinds = {Photon: "photon", Hosts: "hosts", Versions: "versions"}
    return next((kind for cls, kind in kinds.items() if isinstance(application, cls)), "other")


# One route...


def _route(prefix: str, route: Route) -> Object:
    members: Object = {
        "methods": methods_of(route),
        "path": prefix + route.template.text,
        "name": route.name,
        "handler": function_name(handler_of(route)),
        "place": short_place(route.place),
        "is_websocket": is_websocket(route),
        "middleware": _functions(route.middleware),
    }
    if isinstance(route.operation, Operation):
        members |= _operation(route.operation)
    return members


def _operation(operation: Operation) -> Object:
    plan = operation.plan
    return {
        "parameters": [_parameter(parameter) for parameter in plan.parameters],
        "body": None if plan.body is None else _body(plan.body),
        "arguments": _arguments(plan.arguments),
        "guards": [_dependency(d) for d in plan.guards],
        "returns": {
            "type": type_name(operation.response_type),
            "status": operation.status,
            "media_types": list(operation.media_types),
        },
        "responses": [_response(status, what) for status, what in operation.responses.items()],
        "timeout_s": operation.timeout_s,
        "tags": list(operation.tags),
        "summary": operation.summary,
        "description": operation.description,
        "operation_id": operation.operation_id,
        "deprecated": operation.deprecated,
        "in_documents": operation.include_in_schema,
    }


def _response(status: int, what: Any) -> Object:
    if isinstance(what, str):
        return {"status": status, "type": "", "description": what}
    described_ = getattr(what, "description", "")
    type_ = getattr(what, "type", None) if hasattr(what, "media_type") else what
    return {"status": status, "type": type_name(type_), "description": str(described_ or "")}


def _functions(functions: Iterable[Any]) -> list[Object]:
    return [{"name": function_name(fn), "place": function_place(fn)} for fn in functions]


# Its values...


def _parameter(parameter: Parameter) -> Object:
    members: Object = {
        "name": parameter.name,
        "alias": parameter.alias,
        "source": parameter.source,
        **_value(parameter),
        "style": parameter.style,
        "explode": parameter.explode,
        "shape": parameter.shape,
    }
    if parameter.fields:
        members["fields"] = [_parameter(field) for field in parameter.fields]
    return members


def _value(of: Parameter | BodyPart) -> Object:
    members: Object = {
        "type": type_name(of.type),
        "constraints": _plain(constraints_of(of.type)),
        "required": of.required,
    }
    if not of.required:
        members["default"] = _plain(of.default)
    if of.marker is not None and of.marker.description:
        members["description"] = of.marker.description
    if of.marker is not None and of.marker.deprecated:
        members["deprecated"] = True
    return members


def _plain(value: Any) -> Any:
    """A value as JSON has it, or as Python shows it where JSON has it not."""
    try:
        return msgspec.to_builtins(value, str_keys=True, order="deterministic")
    except (TypeError, ValueError, OverflowError, RecursionError):
        return repr_of(value)


def _body(body: BodyPlan) -> Object:
    return {
        "kind": body.kind,
        "media_types": list(body.media_types),
        "required": body.required,
        "embedded": body.embedded,
        "type": "" if body.type is None else type_name(body.type),
        "parts": [
            {"name": part.name, "alias": part.alias, "kind": part.kind, **_value(part)}
            for part in body.parts
        ],
    }


def _arguments(arguments: Iterable[Argument]) -> list[Object]:
    """By name where each comes from; a provider with its own, which is the tree."""
    return [{"name": argument.name, **_from(argument.of)} for argument in arguments]


def _from(of: Any) -> Object:
    if isinstance(of, Dependency):
        return {"from": "provider", "provider": _dependency(of)}
    if isinstance(of, Parameter):
        return {"from": of.source, "alias": of.alias}
    if isinstance(of, BodyPart):
        return {"from": "body", "alias": of.alias}
    return {"from": str(of)}


def _dependency(dependency: Dependency) -> Object:
    return {
        "name": function_name(dependency.provider),
        "place": function_place(dependency.provider),
        "kind": dependency.kind,
        "scope": dependency.scope,
        "concurrent": dependency.concurrent,
        "guard": dependency.is_guard,
        "scopes": list(dependency.scopes),
        "arguments": _arguments(dependency.arguments),
    }
