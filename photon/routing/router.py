"""The router: the routes of an application, and the way from a request to one of them.

All its state is one table that never changes. A change makes a new table and puts it in the place
of the old one by a single assignment, so routes may come and go while requests are served: each
request is matched by the old table or by the new one, never by half of either.
"""

from collections.abc import Iterable
from threading import Lock

from photon.routing.route import Match, Route
from photon.routing.table import Table


class Router:
    """Finds the route of a request.

    The more specific template wins, segment by segment: text before a mix of text and values,
    that before typed values, those before plain ones, and `path` last. If the rest of a path does
    not fit, the next best is tried. The order of registration does not matter.

    Attributes: table: what is in force now; a hot path may look into it, as `match` does.
    """

    __slots__ = ("_changing", "table")

    def __init__(self, *routes: Route) -> None:
        self._changing = Lock()
        self.table = Table().with_routes(routes)

    def match(self, method: str, path: str) -> Match:
        """The route of a request and the values in its path, read by its converters.

        Args: method: upper-case, as on the wire. path: as on the wire too, still percent-encoded,
            without the query.
        Returns: (route, values by name); do not write into the values, static routes share them.
        Raises: BadPath (400); RouteNotFound (404); MethodNotAllowed (405, or what OPTIONS wants to
            know), with `allow`.
        """
        table = self.table
        finder = table.finders.get(method)
        if finder is not None:
            match = finder(path)
            if match is not None:
                return match
        return table.match_slowly(method, path)

    def allowed(self, path: str) -> tuple[str, ...]:
        """The methods that `path` takes, for the Allow header: sorted, with HEAD where GET is and
        with OPTIONS; () if no route matches.

        Raises: BadPath.
        """
        return self.table.allowed(path)

    @property
    def routes(self) -> tuple[Route, ...]:
        """In the order of their registration."""
        return self.table.routes

    # All or nothing: a change that fails leaves the routes as they were.

    def add(self, *routes: Route) -> None:
        """Take on routes.

        Raises: RouteConflict: one would take the requests of another.
        """
        with self._changing:
            self.table = self.table.with_routes(routes)

    def remove(self, *routes: Route) -> None:
        """Forget routes.

        Raises: ValueError: one of them is not registered here.
        """
        with self._changing:
            self.table = self.table.without(routes)

    def replace(self, routes: Iterable[Route]) -> None:
        """Take these routes in the place of all there are.

        Raises: RouteConflict: one would take the requests of another.
        """
        with self._changing:
            self.table = Table().with_routes(routes)

    def compile(self) -> None:
        """Compile the table now, some 0.1 ms a route, instead of when a request needs it."""
        self.table.compile()

    def __repr__(self) -> str:
        return f"<Router {len(self.routes)} routes>"
