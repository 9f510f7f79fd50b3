"""Paths and URLs of an application's routes, by their names."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from photon.http.request import Request
from photon.routing.errors import BuildError
from photon.routing.router import Router


class Linker:
    """What knows its routes by name.

    Attributes: router: the routes.
    """

    router: Router

    def path_for(self, name: str, /, **values: Any) -> str:
        """The path of a route, percent-encoded, that brings these values back.

        Args:
            name: the route's, which is its function's if none was given. Of several routes with
                that name the first one that takes these values is meant.
        Raises: BuildError: there is no such route, or a value is missing, unknown or does not fit.
        """
        routes = [route for route in self.router.routes if route.name == name]
        if not routes:
            raise BuildError(name, self._no_route_named(name))
        fitting = [route for route in routes if set(route.template.names) == values.keys()]
        return (fitting or routes)[0].build_path(**values)

    def _no_route_named(self, name: str) -> str:
        names = sorted({route.name for route in self.router.routes if route.name})
        close = get_close_matches(name, names, n=3)
        known = (
            f"did you mean {' or '.join(map(repr, close))}?"
            if close
            else (f"there are {', '.join(names)}" if names else "there are none at all")
        )
        return f"there is no route named {name!r}; {known}"

    def url_for(self, request: Request, name: str, /, **values: Any) -> str:
        """The whole URL of a route, with the host that the client asked for.

        Raises: BuildError, as `path_for`.
        """
        return f"{request.scheme}://{request.host}{request.root}{self.path_for(name, **values)}"

    def _link(self, request: Request | None, name: str, values: dict[str, Any]) -> str:
        """What `url_for` gives in a template: a path, which works behind any proxy."""
        root = "" if request is None else request.root
        return root + self.path_for(name, **values)
