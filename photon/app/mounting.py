"""Applications below a prefix of another one."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from photon.app.group import check_prefix
from photon.app.registering import check_application, shown
from photon.http.application import Application
from photon.http.protocol.events import RequestHead
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.routing.template import Template


class Mounted(NamedTuple):
    """Who answers for a path.

    Attributes: prefix: as links have it, percent-encoded. rest: of the path, as on the wire.
    """

    application: Application
    prefix: str
    rest: str


class Mounts:
    """What is mounted, the longest prefix first.

    Attributes: all: pairs of a prefix, percent-encoded, and what is mounted there.
    """

    def __init__(self) -> None:
        self.all: list[tuple[str, Application]] = []
        self._defaults: set[str] = set()

    def add(self, prefix: str, application: Application, *, is_default: bool = False) -> None:
        """Mount an application.

        Args: is_default: whether another one may take its place.
        Raises: TypeError, ValueError, for what cannot be mounted, or is in the way.
        """
        check_prefix(prefix)
        if "{" in prefix:
            raise ValueError(f"the prefix of a mount has no placeholders: {prefix!r}")
        if prefix:
            Template.parse(prefix)  # it refuses what no client sends
        check_application(application)
        prefix = quote(prefix, safe="/~!$&'()*+,;=:@")
        if prefix in self._defaults:
            self.all = [(other, there) for other, there in self.all if other != prefix]
        for other, there in self.all:
            if other == prefix:
                raise ValueError(f"{shown(there)} is mounted at {prefix or '/'!r} already")
        self._defaults = self._defaults | {prefix} if is_default else self._defaults - {prefix}
        self.all = sorted((*self.all, (prefix, application)), key=lambda mount: -len(mount[0]))

    def find(self, path: str) -> Mounted | None:
        """What is mounted at a path as on the wire."""
        for prefix, application in self.all:
            rest = _rest(path, prefix)
            if rest is not None:
                return Mounted(application, prefix, rest or "/")
        return None


def _rest(path: str, prefix: str) -> str | None:
    """What follows a prefix; None for a path that is not below it."""
    if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("/", ""):
        return path[len(prefix) :]
    if "%" not in path:
        return None
    # RFC 3986 §6.2.2.2: clients may encode what they need not, and it is the same path.
    steps = prefix.split("/")
    parts = path.split("/", len(steps))
    if list(map(unquote, parts[: len(steps)])) != list(map(unquote, steps)):
        return None
    return "".join(f"/{part}" for part in parts[len(steps) :])


def hand_on(request: Request, mounted: Mounted) -> Response:
    """Have an application answer what lies below its prefix.

    It sees the rest of the path, which begins with "/", and the prefix in `request.root`.
    """
    application: Any = mounted.application
    outside = _View(request.head, request.root, request.path_values)
    head = msgspec.structs.replace(request.head, path=mounted.rest)
    inside = _View(head, request.root + mounted.prefix, request.path_values)
    inside.show(request)
    put_off = len(request._after or ())
    try:
        # PERF: what is behind an object's __call__, if it says so, saves a call.
        answer: Application = getattr(application, "composed", application)
        response = answer(request)
        if isinstance(response, StreamResponse):
            inside = _View(request.head, request.root, request.path_values)
            response = copy.copy(response)  # it may be one that every request is given
            response.chunks = _Stream(response.chunks, request, inside, outside)
        elif not isinstance(response, Response):
            raise TypeError(
                f"{shown(application)}, mounted at {mounted.prefix or '/'!r}, returned "
                f"{type(response).__name__} instead of a Response"
            )
        return response
    finally:
        for index in range(put_off, len(request._after or ())):
            assert request._after is not None
            run = request._after[index]
            request._after[index] = partial(inside.during, request, outside, run)
        outside.show(request)


class _View(NamedTuple):
    """What of a request depends on who looks at it."""

    head: RequestHead
    root: str
    path_values: Mapping[str, Any]

    def show(self, request: Request) -> None:
        request.head, request.root, request.path_values = self

    def during(self, request: Request, outside: _View, run: Callable[[], object]) -> None:
        """Call a function that sees the request from here."""
        self.show(request)
        try:
            run()
        finally:
            outside.show(request)


class _Stream:
    """The pieces of a mounted application's response, made where the request is seen as there.

    A handler that is a generator begins when all middleware is through: it shall find the path
    and the root that it was called with.
    """

    def __init__(
        self, chunks: Iterable[bytes | str], request: Request, inside: _View, outside: _View
    ) -> None:
        self._chunks = chunks
        self._request = request
        self._inside = inside
        self._outside = outside

    def __iter__(self) -> Iterator[bytes | str]:
        self._inside.show(self._request)
        try:
            yield from self._chunks
        finally:
            self._outside.show(self._request)

    def close(self) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
