"""Applications below a prefix of another one."""

from __future__ import annotations

from typing import Any

import msgspec

from photon.app.group import check_prefix
from photon.app.registering import shown
from photon.http.application import Application
from photon.http.request import Request
from photon.http.response import Response


class Mounts:
    """What is mounted, the longest prefix first."""

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
        if not callable(application) or isinstance(application, type):
            raise TypeError(f"mount() takes an application, not {shown(application)}")
        if prefix in self._defaults:
            self.all = [(other, there) for other, there in self.all if other != prefix]
        for other, there in self.all:
            if other == prefix:
                raise ValueError(f"{shown(there)} is mounted at {prefix or '/'!r} already")
        self._defaults = self._defaults | {prefix} if is_default else self._defaults - {prefix}
        self.all.append((prefix, application))
        self.all.sort(key=lambda mount: -len(mount[0]))

    def find(self, path: str) -> tuple[str, Application] | None:
        """The mount of a path as on the wire."""
        for prefix, application in self.all:
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("/", ""):
                return prefix, application
        return None


def hand_on(request: Request, prefix: str, application: Any) -> Response:
    """Have an application answer what lies below its prefix.

    It sees the rest of the path, which begins with "/", and the prefix in `request.root`.
    """
    head, root, values = request.head, request.root, request.path_values
    request.head = msgspec.structs.replace(head, path=head.path[len(prefix) :] or "/")
    request.root = root + prefix
    try:
        # PERF: what is behind an object's __call__, if it says so, saves a call.
        answer: Application = getattr(application, "composed", application)
        return answer(request)
    finally:
        request.head, request.root, request.path_values = head, root, values
