"""From a request to its endpoint, through the middleware: composed once, before the first."""

from __future__ import annotations

from collections.abc import Sequence

from photon.app.problems import Problems
from photon.http.application import Application, Middleware
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.errors import MethodNotAllowed
from photon.routing.router import Router


def make_dispatch(router: Router, problems: Problems) -> Application:
    """The application at the core: finds the route, calls its endpoint, answers for failures.

    Middleware around it sees a response for every request, also when a handler failed.
    """

    def dispatch(request: Request) -> Response:
        try:
            head = request.head
            # PERF: Router.match without the call; what finds nothing goes through it after all.
            finder = router.table.finders.get(head.method)
            match = None if finder is None else finder(head.path)
            if match is None:
                match = router.match(head.method, head.path)
            route, request.path_values = match
            return route.endpoint(request)  # type: ignore[no-any-return]  # ours are Applications
        except MethodNotAllowed as error:
            if request.method == "OPTIONS":
                return _options(error)
            return problems.response_for(request, error)
        except Exception as error:
            if request.raw_path == "*":
                return _nothing_there()
            return problems.response_for(request, error)

    return dispatch


def compose(core: Application, middleware: Sequence[Middleware], problems: Problems) -> Application:
    """`core` inside its middleware, the first of them outermost.

    What middleware itself raises is answered too.
    """
    if not middleware:
        return core
    application = core
    for wrapper in reversed(middleware):
        application = _wrap(wrapper, application)
    wrapped = application

    def guarded(request: Request) -> Response:
        try:
            return wrapped(request)
        except Exception as error:
            return problems.response_for(request, error)

    return guarded


def _wrap(wrapper: Middleware, inner: Application) -> Application:
    return lambda request: wrapper(request, inner)


def _options(error: MethodNotAllowed) -> Response:
    """RFC 9110 §9.3.7: what the resource can do."""
    response = _nothing_there()
    response.headers["allow"] = ", ".join(error.allow)
    return response


def _nothing_there() -> Response:
    response = Response(b"", 204)
    del response.headers["content-type"]
    return response
