"""What operations of a document share: schemas, the framework's own answers, security schemes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from photon.openapi.defaults import json_default
from photon.openapi.errors import OpenAPIError
from photon.openapi.problems import component_name, problem_response
from photon.openapi.scalars import Schema
from photon.openapi.schema import Schemas, Undescribable


class Components:
    """The Components Object in the making.

    Args:
        own: schemas of classes that msgspec does not know.
        schemes: Security Scheme Objects by name.
    """

    def __init__(
        self,
        own: Mapping[type, Mapping[str, Any]] | None = None,
        schemes: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.schemas = Schemas(own)
        self._responses: dict[str, dict[str, Any]] = {}
        self._schemes = {name: dict(scheme) for name, scheme in (schemes or {}).items()}

    def schema_of(self, type_: Any, what: str) -> Schema:
        """The schema of a type.   Args: what: it is of, such as "the body".

        Raises: OpenAPIError, which says what to do; it lacks the handler's name.
        """
        try:
            return self.schemas.schema_of(type_)
        except Undescribable as error:
            raise _undescribed(error, what) from error

    def properties_of(self, type_: Any, what: str) -> tuple[dict[str, Schema], list[str]] | None:
        """As `Schemas.properties_of`.   Raises: OpenAPIError, as `schema_of`."""
        try:
            return self.schemas.properties_of(type_)
        except Undescribable as error:
            raise _undescribed(error, what) from error

    def problem(self, status: int | None) -> dict[str, str]:
        """A reference to the framework's own answer with a status; None for any other problem."""
        name = component_name(status)
        if name not in self._responses:
            self._responses[name] = problem_response(status, self.schemas)
        return {"$ref": f"#/components/responses/{name}"}

    def add_scheme(self, name: str, scheme: Mapping[str, Any]) -> None:
        """Raises: OpenAPIError, when there is another scheme of this name."""
        known = self._schemes.setdefault(name, dict(scheme))
        if known != scheme:
            raise OpenAPIError(
                f"two security schemes are named {name!r}: {known} and {dict(scheme)}; give one "
                "of them another scheme_name"
            )

    def as_object(self) -> dict[str, Any]:
        """The Components Object. No type may come after it: names are given now."""
        members: dict[str, dict[str, Any]] = {
            "schemas": self.schemas.components(),
            "responses": dict(sorted(self._responses.items())),
            "securitySchemes": self._schemes,
        }
        return {name: member for name, member in members.items() if member}


def examples_of(values: Sequence[Any], what: str) -> dict[str, Any]:
    """The `examples` of a Parameter or a Media Type Object; {} without them."""
    examples = {}
    for number, value in enumerate(values, 1):
        plain = json_default(value)
        if plain is UNSET:
            raise OpenAPIError(f"an example of {what} is nothing that JSON has: {value!r}")
        examples[f"example {number}" if len(values) > 1 else "example"] = {"value": plain}
    return {"examples": examples} if examples else {}


def without_null(schema: Schema) -> Schema:
    """The schema of what is not null: what a text of a request can be."""
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    options = schema.get("anyOf")
    if options is not None:
        left = [option for option in options if option.get("type") != "null"]
        if len(left) == 1:
            # The very same object, as a reference in it gets its name later.
            only: Schema = left[0]
            only.update({name: value for name, value in schema.items() if name != "anyOf"})
            return only
        schema["anyOf"] = left
    if isinstance(schema.get("type"), list) and "null" in schema["type"]:
        types = [name for name in schema["type"] if name != "null"]
        schema["type"] = types[0] if len(types) == 1 else types
        if "enum" in schema:
            schema["enum"] = [value for value in schema["enum"] if value is not None]
    return schema


def _undescribed(error: Undescribable, what: str) -> OpenAPIError:
    name = getattr(error.cls, "__qualname__", None) or str(error.cls)
    return OpenAPIError(
        f"{what} has no schema: {error}. Say what it is in JSON: "
        f'Photon(openapi=OpenAPI(types={{{name}: {{"type": "string"}}}})), or '
        f"Annotated[{name}, msgspec.Meta(extra_json_schema={{...}})]; or leave the route out with "
        "include_in_schema=False"
    )
