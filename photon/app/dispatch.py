"""From a request to its endpoint, through the middleware: composed once, before the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from photon.app.mounting import Mounts, hand_on
from photon.app.problems import Problems
from photon.http.application import Application, Middleware
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.errors import MethodNotAllowed, RouteNotFound
from photon.routing.router import Router
from photon.runtime.source import place_of


def make_dispatch(
    router: Router,
    problems: Problems,
    mounts: Mounts | None = None,
    trailing_slash: Literal["strict", "redirect", "ignore"] = "strict",
) -> Application:
    """The application at the core: finds the route, calls its endpoint, answers for failures.

    Middleware around it sees a response for every request, also when a handler failed, called
    sys.exit, or took longer than it may. All that passes is what leaves nobody to answer.
    """
    mounts = Mounts() if mounts is None else mounts

    def dispatch(request: Request) -> Response:
        try:
            head = request.head
            # PERF: Router.match without the call; what finds nothing goes through it after all.
            finder = router.table.finders.get(head.method)
            match = None if finder is None else finder(head.path)
            if match is None:
                return slowly(request)
            route, request.path_values = match
            return route.endpoint(request)  # type: ignore[no-any-return]  # ours are Applications
        except BaseException as error:
            return problems.response_for(request, error)

    def slowly(request: Request) -> Response:
        path = request.raw_path
        if router.allowed(path):
            return _answer(router, problems, request, path)
        mounted = mounts.find(path)
        if mounted is not None:
            return hand_on(request, mounted)
        return _unmatched(router, problems, request, trailing_slash)

    def allowed(path: str) -> Sequence[str]:
        """The methods of a path; () where nobody knows them.   Raises: BadPath."""
        methods = router.allowed(path)
        mounted = None if methods else mounts.find(path)
        if mounted is not None:
            ask = allowed_of(getattr(mounted.application, "composed", mounted.application))
            return () if ask is None else ask(mounted.rest)
        if not methods and trailing_slash == "ignore":
            methods = router.allowed(_with_other_slash(path))
        return methods

    def route_of(method: str, path: str) -> str | None:
        """The template of the route that takes a request, for dumps; None when none does."""
        for one in (path, _with_other_slash(path)) if trailing_slash == "ignore" else (path,):
            try:
                return str(router.match(method, one)[0].template)
            except MethodNotAllowed:
                return None
            except RouteNotFound:
                pass
        mounted = mounts.find(path)
        if mounted is None:
            return None
        application = getattr(mounted.application, "composed", mounted.application)
        ask = getattr(application, "route_of", None)
        inner = None if ask is None else ask(method, mounted.rest)
        return f"{mounted.prefix}{inner or '/...'}"

    dispatch.allowed = allowed  # type: ignore[attr-defined]
    dispatch.route_of = route_of  # type: ignore[attr-defined]
    return dispatch


Allowed = Callable[[str], Sequence[str]]


def allowed_of(application: Application) -> Allowed | None:
    """What tells the methods of a path, of an application that knows its own."""
    return getattr(application, "allowed", None)


def guarded(application: Application, problems: Problems) -> Application:
    """An application whose failures are answered."""

    def answering(request: Request) -> Response:
        try:
            return application(request)
        except BaseException as error:
            return problems.response_for(request, error)

    answering.allowed = allowed_of(application)  # type: ignore[attr-defined]
    answering.route_of = getattr(application, "route_of", None)  # type: ignore[attr-defined]
    return answering


def compose(core: Application, middleware: Sequence[Middleware], problems: Problems) -> Application:
    """`core` inside its middleware, the first of them outermost.

    What middleware itself raises is answered too.
    """
    if not middleware:
        return core
    application = core
    for wrapper in reversed(middleware):
        # Each on its own: what one of them raises is a response for those around it.
        application = guarded(_wrap(wrapper, application), problems)
    return application


def _wrap(wrapper: Middleware, inner: Application) -> Application:
    def wrapping(request: Request) -> Response:
        response = wrapper(request, inner)
        # Here and not at the end, where nobody knows any more which of them it was.
        if not isinstance(response, Response):
            raise _no_response(wrapper, response)
        return response

    wrapping.allowed = allowed_of(inner)  # type: ignore[attr-defined]
    wrapping.route_of = getattr(inner, "route_of", None)  # type: ignore[attr-defined]
    return wrapping


def _no_response(wrapper: Middleware, value: object) -> TypeError:
    name = getattr(wrapper, "__qualname__", repr(wrapper))
    what = "None" if value is None else f"{type(value).__name__}"
    return TypeError(
        f"the middleware {name} ({place_of(wrapper)}) returned {what} instead of a Response; "
        + ("forgot `return`?" if value is None else "make one of it, as by Response.json")
    )


def _answer(router: Router, problems: Problems, request: Request, path: str) -> Response:
    """The answer at a path that has routes.   Raises: MethodNotAllowed."""
    try:
        route, request.path_values = router.match(request.method, path)
    except MethodNotAllowed as error:
        if request.method != "OPTIONS":
            raise
        return _options(router, problems, request, error)
    return route.endpoint(request)  # type: ignore[no-any-return]  # ours are Applications


# Requests without a route...


def _unmatched(
    router: Router, problems: Problems, request: Request, trailing_slash: str
) -> Response:
    path = request.raw_path
    if path == "*":
        return _nothing_there()
    other = _with_other_slash(path)
    if not other or not router.allowed(other):
        raise RouteNotFound(path)
    if trailing_slash == "strict":
        raise HTTPError(404, f"{RouteNotFound(path)}; did you mean {other!r}?")
    # Fetch §4.8: a preflight that is redirected has failed.
    if trailing_slash == "redirect" and request.method != "OPTIONS":
        return _redirect_to(request, other)
    return _answer(router, problems, request, other)


def _redirect_to(request: Request, path: str) -> Response:
    # A path that begins with two slashes would be the name of another host.
    query = f"?{request.query_string}" if request.query_string else ""
    return Response.redirect(f"{request.root}/{path.lstrip('/')}{query}", 308)


def _with_other_slash(path: str) -> str:
    return path[:-1] if path.endswith("/") else f"{path}/"


def _options(
    router: Router, problems: Problems, request: Request, error: MethodNotAllowed
) -> Response:
    """RFC 9110 §9.3.7: what the resource can do."""
    response = _nothing_there()
    response.headers["allow"] = ", ".join(error.allow)
    # Fetch §4.8: a preflight asks for the method that is to come, whose own middleware answers.
    asked = request.headers.get("access-control-request-method", "")
    has_route = asked in error.allow and asked != "OPTIONS"
    middleware = router.match(asked, error.path)[0].middleware if has_route else ()

    def answer(request: Request) -> Response:
        return response

    answer.allowed = lambda path: error.allow  # type: ignore[attr-defined]
    return compose(answer, middleware, problems)(request)


def _nothing_there() -> Response:
    response = Response(b"", 204)
    del response.headers["content-type"]
    return response
