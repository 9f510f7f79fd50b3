"""A routing table: which routes there are, and one compiled finder for each method.

A table is not changed: `with_routes` and `without` make another. Only its finders come into being
later, when a method is asked for the first time; so that a start with hundreds of `add` calls
compiles once, and methods that nobody uses are not compiled at all.

Each method has a finder of its own, so a request never meets the routes of other methods:
`GET /items/{id:int}` cannot stand in the way of `POST /items/{name}`.
"""

from collections.abc import Iterable

from photon.routing.compiler import Finder, compile_finder
from photon.routing.errors import MethodNotAllowed, RouteConflict, RouteNotFound
from photon.routing.route import Match, Route
from photon.routing.template import TemplateKey


class Table:
    """Routes, no two of which would take the same request.

    Attributes:
        routes: in the order of their registration.
        methods: those that routes name; HEAD is not among them for the sake of GET.
        finders: the finders compiled so far, by method.
    """

    __slots__ = ("_claims", "finders", "methods", "routes")

    def __init__(self) -> None:
        self.routes: tuple[Route, ...] = ()
        self.methods: frozenset[str] = frozenset()
        self.finders: dict[str, Finder] = {}
        self._claims: dict[tuple[str, TemplateKey], Route] = {}

    def with_routes(self, routes: Iterable[Route]) -> "Table":
        """A table with more routes.

        Raises: RouteConflict: a route would take the requests of another.
        """
        table = Table()
        table._claims = self._claims.copy()
        added = tuple(routes)
        for route in added:
            table._claim(route)
        table.routes = self.routes + added
        table.methods = frozenset(method for method, _ in table._claims)
        return table

    def without(self, routes: Iterable[Route]) -> "Table":
        """A table with fewer routes.

        Raises: ValueError: a route is not in this one.
        """
        kept = list(self.routes)
        for route in routes:
            if route not in kept:
                raise ValueError(f"{route!r} is not registered here")
            kept.remove(route)
        return Table().with_routes(kept)

    def _claim(self, route: Route) -> None:
        key = route.template.key
        for method in sorted(route.methods):
            if other := self._claims.get((method, key)):
                raise RouteConflict(
                    f"{route} and {other} would take the same {method} requests: give one of them"
                    " another template or method, or remove the registered one first"
                )
            self._claims[method, key] = route

    def compile(self) -> None:
        """Compile all finders now, and not when they are first used."""
        for method in self.methods | {"HEAD"}:
            self._finder(method)

    def match_slowly(self, method: str, path: str) -> Match:
        """The match of a request that the finders compiled so far have none for.

        Raises: BadPath, RouteNotFound, MethodNotAllowed.
        """
        if method not in self.finders:
            finder = self._finder(method)
            if finder is not None and (match := finder(path)) is not None:
                return match
        if allow := self._allowed(path, self.methods - {method}):
            raise MethodNotAllowed(method, path, allow)
        raise RouteNotFound(path)

    def allowed(self, path: str) -> tuple[str, ...]:
        """The methods that `path` takes, sorted, with those that every resource has; () for none.

        Raises: BadPath.
        """
        return self._allowed(path, self.methods)

    def _allowed(self, path: str, methods: Iterable[str]) -> tuple[str, ...]:
        allow = {
            method
            for method in methods
            if (finder := self._finder(method)) is not None and finder(path) is not None
        }
        if "GET" in allow:
            allow.add("HEAD")
        return tuple(sorted(allow | {"OPTIONS"})) if allow else ()

    def _finder(self, method: str) -> Finder | None:
        finder = self.finders.get(method)
        if finder is None:
            if method in self.methods:
                finder = self.finders[method] = compile_finder(self._routes_for(method))
            elif method == "HEAD" and (finder := self._finder("GET")) is not None:
                self.finders[method] = finder
        return finder

    def _routes_for(self, method: str) -> Iterable[Route]:
        # RFC 9110 §9.3.2: HEAD is GET without the content, so GET routes serve it as well, unless
        # a template has a HEAD route of its own.
        wanted = ("GET", "HEAD") if method == "HEAD" else (method,)
        routes = {
            key: route
            for name in wanted
            for (claimed, key), route in self._claims.items()
            if claimed == name
        }
        return routes.values()
