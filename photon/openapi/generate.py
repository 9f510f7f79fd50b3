"""The OpenAPI document of an application, out of its routes and what is known of their handlers.

Nothing is read here but data: the plan that fills a handler's arguments is the one that its
parameters are printed from, so the two cannot disagree.

Source: OpenAPI Specification 3.1.0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from photon.binding.operation import Operation
from photon.http.response import encode_json
from photon.openapi.components import Components
from photon.openapi.document import Info, OpenAPI, Server, as_object, merge
from photon.openapi.errors import OpenAPIError
from photon.openapi.ids import Naming, operation_ids
from photon.openapi.names import plain_name
from photon.openapi.operations import operation_object
from photon.openapi.paths import METHODS, Paths
from photon.openapi.returns import read_returns
from photon.openapi.wording import function_of, name_of
from photon.routing.route import Route
from photon.runtime.source import place_of

VERSION = "3.1.0"

_NO_SETTINGS = OpenAPI()


def generate(
    info: Info,
    operations: Iterable[tuple[Route, Operation]],
    settings: OpenAPI = _NO_SETTINGS,
    *,
    webhooks: Iterable[tuple[str, Operation]] = (),
    root: str = "",
) -> dict[str, Any]:
    """The document, as values of JSON.

    Args:
        operations: in the order that documents show them.
        webhooks: requests that the application sends, by name.
        root: the path where it is mounted, the server of the document when the settings name none.
    Raises: OpenAPIError: it names the handler, its place and the way out.
    """
    components = Components(settings.types, settings.schemes)
    entries = [*_entries(operations), *_hooks(webhooks)]
    _check_ids(entries)
    components.schemas.expect(_types_of(entry.operation for entry in entries))
    ids = operation_ids([entry.naming for entry in entries])
    paths, hooks = Paths(), {}
    for entry, operation_id in zip(entries, ids, strict=True):
        try:
            if entry.route is None:
                hooks[entry.naming.path] = {
                    entry.naming.method: operation_object(
                        entry.operation, components, operation_id=operation_id
                    )
                }
            else:
                _add(paths, entry, entry.route, components, operation_id)
        except OpenAPIError as error:
            raise OpenAPIError(f"{_named(entry)}: {error}") from error
    document: dict[str, Any] = {
        "openapi": VERSION,
        "info": _info(info, settings),
        "servers": [as_object(server) for server in _servers(settings, root)],
        "paths": paths.as_object(),
        "webhooks": hooks,
        "components": components.as_object(),
        "security": [dict(requirement) for requirement in settings.security],
        "tags": _tags(settings, entries),
        "externalDocs": as_object(settings.external_docs) if settings.external_docs else None,
    }
    always = ("openapi", "info", "paths")
    document = {name: value for name, value in document.items() if value or name in always}
    return _as_json(merge(document, settings.extra))


def document_bytes(document: Mapping[str, Any], *, pretty: bool = False) -> bytes:
    """A document as JSON, the same bytes for the same routes.

    Args: pretty: indented, with a line break at the end, for files.
    """
    data = msgspec.json.encode(document)
    return msgspec.json.format(data, indent=2) + b"\n" if pretty else data


def at_root(document: Mapping[str, Any], root: str) -> dict[str, Any]:
    """A document that was made without a root, for an application that is mounted at one.

    One that names servers stays as it is.
    """
    if not root or "servers" in document:
        return dict(document)
    members = {}
    for name, value in document.items():
        members[name] = value
        if name == "info":
            members["servers"] = [{"url": root}]
    return members


# What there is...


class _Entry(Struct, frozen=True):
    """One operation of the document. Attributes: route: None for a webhook."""

    route: Route | None
    operation: Operation
    naming: Naming


def _entries(operations: Iterable[tuple[Route, Operation]]) -> Iterable[_Entry]:
    for route, operation in operations:
        if operation.include_in_schema:
            path, name = route.template.text, operation.name or route.name
            methods = [method for method in METHODS if method.upper() in route.methods]
            if "get" in methods and "head" in methods:
                methods.remove("head")  # as it comes with GET everywhere else
            for method in methods:
                naming = _naming(operation, name, method, path, len(methods) == 1)
                yield _Entry(route, operation, naming)


def _hooks(webhooks: Iterable[tuple[str, Operation]]) -> Iterable[_Entry]:
    for name, operation in webhooks:
        if operation.include_in_schema:
            yield _Entry(None, operation, _naming(operation, operation.name, "post", name, True))


def _naming(operation: Operation, name: str, method: str, path: str, is_single: bool) -> Naming:
    if operation.operation_id:
        return Naming(operation.operation_id, method, path, fixed=is_single)
    return Naming(plain_name(name or name_of(operation.plan.handler)), method, path)


def _check_ids(entries: Iterable[_Entry]) -> None:
    seen: dict[str, _Entry] = {}
    for entry in entries:
        if entry.naming.fixed:
            other = seen.setdefault(entry.naming.name, entry)
            if other is not entry:
                raise OpenAPIError(
                    f"two operations have the operation_id {entry.naming.name!r}: "
                    f"{_named(other)} and {_named(entry)}; give one of them another, or none"
                )


def _named(entry: _Entry) -> str:
    handler = entry.operation.plan.handler
    fn = function_of(handler)
    name = getattr(fn, "__qualname__", None) or type(fn).__name__
    place = place_of(handler)
    if place == "?" and entry.route is not None and entry.route.place:
        place = entry.route.place
    what = entry.naming.path if entry.route is not None else f"the webhook {entry.naming.path!r}"
    return f"the handler {name} ({place}) of {entry.naming.method.upper()} {what}"


def _types_of(operations: Iterable[Operation]) -> Iterable[Any]:
    for operation in operations:
        plan = operation.plan
        yield from (parameter.type for parameter in plan.parameters if not parameter.fields)
        yield from (part.type for part in plan.body.parts) if plan.body is not None else ()
        yield from (r.type for r in read_returns(operation.response_type) if r.kind == "data")


# What is written...


def _add(
    paths: Paths, entry: _Entry, route: Route, components: Components, operation_id: str
) -> None:
    method = entry.naming.method
    path, names = paths.place(route.template, method)
    paths.items[path][method] = operation_object(
        entry.operation,
        components,
        operation_id=operation_id,
        template=route.template,
        path_names=dict(zip(route.template.names, names, strict=True)),
    )


def _info(info: Info, settings: OpenAPI) -> dict[str, Any]:
    members = as_object(info)
    if settings.terms_of_service:
        members["termsOfService"] = settings.terms_of_service
    for name, value in (("contact", settings.contact), ("license", settings.license)):
        if value is not None:
            members[name] = as_object(value)
    return members


def _servers(settings: OpenAPI, root: str) -> Iterable[Server]:
    return settings.servers or ([Server(root)] if root else [])


def _tags(settings: OpenAPI, entries: Iterable[_Entry]) -> list[dict[str, Any]]:
    """The tags that were declared, then those that operations name besides."""
    tags = {tag.name: as_object(tag) for tag in settings.tags}
    for entry in entries:
        for name in entry.operation.tags:
            tags.setdefault(name, {"name": name})
    return list(tags.values())


def _as_json(document: dict[str, Any]) -> dict[str, Any]:
    try:
        # PERF: `to_builtins` takes six times as long, for the small objects it makes one by one.
        plain: dict[str, Any] = msgspec.json.decode(encode_json(document))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise OpenAPIError(
            f"the document holds something that JSON has not: {error}; look at `extra` of OpenAPI, "
            "and at `openapi` and `responses` of the routes"
        ) from error
    return plain
