"""From a request to its endpoint, through the middleware: composed once, before the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from photon.app.mounting import Mounts, hand_on
from photon.app.problems import Problems
from photon.http.application import Application, Middleware
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.errors import MatchError, MethodNotAllowed, RouteNotFound
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
                mount = mounts.find(head.path)
                if mount is not None and not router.allowed(head.path):
                    return hand_on(request, *mount)
                match = router.match(head.method, head.path)
            route, request.path_values = match
            return route.endpoint(request)  # type: ignore[no-any-return]  # ours are Applications
        except MatchError as error:
            return unmatched(request, error)
        except BaseException as error:
            return problems.response_for(request, error)

    def unmatched(request: Request, error: MatchError) -> Response:
        try:
            return _unmatched(router, problems, request, error, trailing_slash)
        except BaseException as failure:
            return problems.response_for(request, failure)

    return dispatch


def guarded(application: Application, problems: Problems) -> Application:
    """An application whose failures are answered."""

    def answering(request: Request) -> Response:
        try:
            return application(request)
        except BaseException as error:
            return problems.response_for(request, error)

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

    return wrapping


def _no_response(wrapper: Middleware, value: object) -> TypeError:
    name = getattr(wrapper, "__qualname__", repr(wrapper))
    what = "None" if value is None else f"{type(value).__name__}"
    return TypeError(
        f"the middleware {name} ({place_of(wrapper)}) returned {what} instead of a Response; "
        + ("forgot `return`?" if value is None else "make one of it, as by Response.json")
    )


# Requests without a route...


def _unmatched(
    router: Router, problems: Problems, request: Request, error: MatchError, trailing_slash: str
) -> Response:
    if isinstance(error, MethodNotAllowed) and request.method == "OPTIONS":
        return _options(router, problems, request, error)
    if isinstance(error, RouteNotFound):
        if request.raw_path == "*":
            return _nothing_there()
        other = _with_other_slash(request.raw_path)
        if other and router.allowed(other):
            if trailing_slash == "ignore":
                return _answer_as(router, request, other)
            if trailing_slash == "redirect":
                return _redirect_to(request, other)
            detail = f"{error}; did you mean {other!r}?"
            return problems.response_for(request, HTTPError(404, detail))
    return problems.response_for(request, error)


def _answer_as(router: Router, request: Request, path: str) -> Response:
    route, request.path_values = router.match(request.method, path)
    return route.endpoint(request)  # type: ignore[no-any-return]  # ours are Applications


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
    middleware = router.match(asked, request.raw_path)[0].middleware if asked in error.allow else ()
    return compose(lambda request: response, middleware, problems)(request)


def _nothing_there() -> Response:
    response = Response(b"", 204)
    del response.headers["content-type"]
    return response
