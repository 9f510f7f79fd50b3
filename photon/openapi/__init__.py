"""The OpenAPI document of an application, and the page that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from photon.runtime.lazy import front_door

if TYPE_CHECKING:
    from photon.openapi.contract import difference as difference
    from photon.openapi.document import Contact as Contact
    from photon.openapi.document import ExternalDocs as ExternalDocs
    from photon.openapi.document import Info as Info
    from photon.openapi.document import License as License
    from photon.openapi.document import OpenAPI as OpenAPI
    from photon.openapi.document import Server as Server
    from photon.openapi.document import ServerVariable as ServerVariable
    from photon.openapi.document import Tag as Tag
    from photon.openapi.errors import OpenAPIError as OpenAPIError
    from photon.openapi.generate import document_bytes as document_bytes
    from photon.openapi.ui import DocsPage as DocsPage

# Each name and the room it lives in.
_ROOMS = {
    "Contact": "photon.openapi.document",
    "DocsPage": "photon.openapi.ui",
    "ExternalDocs": "photon.openapi.document",
    "Info": "photon.openapi.document",
    "License": "photon.openapi.document",
    "OpenAPI": "photon.openapi.document",
    "OpenAPIError": "photon.openapi.errors",
    "Server": "photon.openapi.document",
    "ServerVariable": "photon.openapi.document",
    "Tag": "photon.openapi.document",
    "difference": "photon.openapi.contract",
    "document_bytes": "photon.openapi.generate",
}

__all__ = sorted(_ROOMS)  # noqa: PLE0605  # a test holds it against the imports above
__getattr__, __dir__ = front_door(__name__, _ROOMS)
