"""One operation as an Operation Object.   Source: OpenAPI 3.1.0 §4.8.10."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from photon.binding.operation import Operation
from photon.openapi.bodies import body_object
from photon.openapi.components import Components
from photon.openapi.document import merge
from photon.openapi.parameters import parameter_objects
from photon.openapi.requirements import requirements_of
from photon.openapi.responses import responses_object
from photon.openapi.wording import words_of
from photon.routing.template import Template


def operation_object(
    operation: Operation,
    components: Components,
    *,
    operation_id: str,
    template: Template | None = None,
    path_names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """An operation as documents have it.

    Args:
        template: of its route; None for a webhook.
        path_names: what the values of the path are called in the document, if not as here.
    Raises: OpenAPIError, which lacks the handler's name.
    """
    plan = operation.plan
    security = requirements_of(plan, components)
    summary, description = words_of(plan.handler)
    parameters = parameter_objects(template, plan, components)
    for parameter in parameters:
        if path_names and parameter["in"] == "path":
            parameter["name"] = path_names[parameter["name"]]
    members: dict[str, Any] = {
        "tags": list(operation.tags),
        "summary": operation.summary or summary,
        "description": operation.description or description,
        "operationId": operation_id,
        "deprecated": operation.deprecated,
        "parameters": parameters,
        "requestBody": body_object(plan.body, components) if plan.body is not None else None,
        "responses": responses_object(template, operation, components, is_guarded=bool(security)),
        "security": security,
    }
    return merge({name: value for name, value in members.items() if value}, operation.openapi)
