"""What people say about their interface: the parts of a document that no handler knows.

    Photon(title="Shop", openapi=OpenAPI(servers=[Server("https://shop.example")]))

Each Struct has the members of the object it is named after, in Python's spelling.
Source: OpenAPI 3.1.0 §4.8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType


class _Object(Struct, frozen=True, rename="camel", omit_defaults=True):
    """An object of OpenAPI: written with the names it has there, without what nobody said."""


class Info(_Object, frozen=True, kw_only=True):
    """What the application is: the arguments of `Photon` with these names.

    Args: summary: one line. description: Markdown.
    """

    title: str
    version: str
    summary: str = ""
    description: str = ""


class Contact(_Object, frozen=True):
    """Whom to ask."""

    name: str = ""
    url: str = ""
    email: str = ""


class License(_Object, frozen=True):
    """What others may do with it. Args: identifier: of SPDX, instead of a URL."""

    name: str
    identifier: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        if self.identifier and self.url:
            raise ValueError("a License has an identifier or a url, not both")


class ExternalDocs(_Object, frozen=True):
    """Where there is more to read."""

    url: str
    description: str = ""


class ServerVariable(_Object, frozen=True):
    """A `{name}` in a server's URL. Args: enum: all values it can have, if not any."""

    default: str
    enum: Sequence[str] = ()
    description: str = ""

    def __post_init__(self) -> None:
        if self.enum and self.default not in self.enum:
            raise ValueError(f"the default {self.default!r} is not one of {list(self.enum)}")


class Server(_Object, frozen=True):
    """Where the application answers: a URL, or a path such as "/v1"."""

    url: str
    description: str = ""
    variables: Mapping[str, ServerVariable] = {}


class Tag(_Object, frozen=True):
    """A group of operations, in the order that documents show them."""

    name: str
    description: str = ""
    external_docs: ExternalDocs | UnsetType = UNSET


class OpenAPI(Struct, frozen=True, kw_only=True):
    """Everything else that the document is to say.

    Args:
        servers: where the application answers; the page's own when there are none.
        tags: with their descriptions; those that handlers name and this does not come last.
        contact, license, terms_of_service, external_docs: for people.
        security: of all operations that say nothing themselves: by name of a scheme its scopes.
        schemes: Security Scheme Objects by name, for what no provider checks.
        types: JSON Schemas by class, for classes that msgspec does not know.
        extra: members to merge into the document when all else is done; objects are merged, all
            else is replaced.
    """

    servers: Sequence[Server] = ()
    tags: Sequence[Tag] = ()
    contact: Contact | None = None
    license: License | None = None
    terms_of_service: str = ""
    external_docs: ExternalDocs | None = None
    security: Sequence[Mapping[str, Sequence[str]]] = ()
    schemes: Mapping[str, Mapping[str, Any]] = {}
    types: Mapping[type, Mapping[str, Any]] = {}
    extra: Mapping[str, Any] = {}


def merge(into: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """`into` with the members of `more`: objects in both are merged, all else is replaced."""
    for name, value in more.items():
        mine = into.get(name)
        if isinstance(mine, dict) and isinstance(value, Mapping):
            merge(mine, value)
        else:
            into[name] = merge({}, value) if isinstance(value, Mapping) else value
    return into


def as_object(value: Struct) -> dict[str, Any]:
    """A Struct of this file as the object that it stands for."""
    members: dict[str, Any] = msgspec.to_builtins(value)
    return members
