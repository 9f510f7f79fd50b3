"""The application's OpenAPI document and the page for it, below its own URLs."""

from __future__ import annotations

import posixpath
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from photon.app.mounting import Mounts
from photon.binding.operation import Operation
from photon.http.application import Application
from photon.http.conditional import evaluate
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import JSON, Response
from photon.routing.route import Route
from photon.runtime.sync import RLock

if TYPE_CHECKING:
    from photon.openapi.document import OpenAPI


class DocumentSettings(NamedTuple):
    """What an application says about its documents."""

    openapi: OpenAPI | None
    openapi_url: str | None
    docs_url: str | None


class Documented(Protocol):
    """An application, as its document sees it."""

    title: str
    version: str
    summary: str
    description: str

    @property
    def operations(self) -> list[tuple[Route, Operation]]: ...

    @property
    def webhooks(self) -> list[tuple[str, Operation]]: ...


class Documents:
    """Makes the document when it is first asked for, and mounts it and its page."""

    def __init__(self, settings: DocumentSettings, application: Documented, mounts: Mounts) -> None:
        self._settings = settings
        self._application = application
        self._making = RLock()
        self._document: dict[str, Any] | None = None
        self._bytes: dict[str, tuple[bytes, str]] = {}
        if settings.openapi_url is not None:
            mounts.add(settings.openapi_url, self._serve, is_default=True)
            if settings.docs_url is not None:
                mounts.add(settings.docs_url, self._show, is_default=True)

    @property
    def are_served(self) -> bool:
        return self._settings.openapi_url is not None

    @property
    def page_url(self) -> str | None:
        """The path of the page that shows it; None where there is none."""
        return self._settings.docs_url if self.are_served else None

    def forget(self) -> None:
        """There is another route: make it anew."""
        self._document = None
        self._bytes = {}  # who is making one puts it into the old ones

    @property
    def document(self) -> dict[str, Any]:
        """The document, as JSON would have it.   Raises: OpenAPIError."""
        with self._making:
            if self._document is None:
                self._document = self._make()
            return self._document

    def _make(self) -> dict[str, Any]:
        # Importing it takes 10 ms, which only those pay who look at it.
        from photon.openapi.document import Info, OpenAPI
        from photon.openapi.generate import generate

        about = self._application
        info = Info(
            title=about.title,
            version=about.version,
            summary=about.summary,
            description=about.description,
        )
        return generate(
            info,
            about.operations,
            self._settings.openapi or OpenAPI(),
            webhooks=about.webhooks,
        )

    def _serve(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            raise HTTPError(405, "the document is only read", headers={"allow": "GET, HEAD"})
        if request.path != "/":
            raise HTTPError(404, "nothing is below the document")
        # The mount's own prefix is the document's name, what stands before it the application's.
        body, tag = self._made_for(request.root.removesuffix(self._settings.openapi_url or ""))
        headers = {"etag": tag, "cache-control": "no-cache"}
        if evaluate(request.method, request.headers, tag, 0) == "not modified":
            return Response(b"", 304, headers)
        return Response(body, 200, headers, JSON)

    def _made_for(self, root: str) -> tuple[bytes, str]:
        """The bytes and their tag, for an application that is mounted there."""
        known = self._bytes
        made = known.get(root)
        if made is None:
            from hashlib import blake2b

            from photon.openapi.generate import at_root, document_bytes

            body = document_bytes(at_root(self.document, root))
            made = body, f'"{blake2b(body, digest_size=12).hexdigest()}"'
            if len(known) < 16:  # a proxy may make up as many as it likes
                known[root] = made
        return made

    def _show(self, request: Request) -> Response:
        return self._page(request)

    @cached_property
    def _page(self) -> Application:
        from photon.openapi.ui import DocsPage

        url, page = self._settings.openapi_url, self._settings.docs_url
        assert url is not None
        assert page is not None
        return DocsPage(posixpath.relpath(url, page), title=self._application.title)
