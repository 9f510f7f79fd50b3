"""`Photon`, the class users hold: it registers, composes, and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar

from photon.app.dispatch import compose, make_dispatch
from photon.app.endpoint import make_endpoint
from photon.app.lifespan import Lifespan, running
from photon.app.problems import ExceptionHandler, Problems
from photon.app.registering import (
    check_exception_handler,
    check_lifespan,
    check_middleware,
    check_path,
    check_route_status,
    shown,
)
from photon.http.application import Application, Middleware
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.converters import Converter, Converters
from photon.routing.errors import BuildError
from photon.routing.route import Route
from photon.routing.router import Router
from photon.routing.template import Template
from photon.runtime.source import place_of

H = TypeVar("H", bound=Callable[..., Any])


class Decorator(Protocol):
    """Takes a function, registers it, and gives it back as it was."""

    def __call__(self, handler: H, /) -> H: ...


class Photon:
    """A web application: plain functions, registered for paths. It is an `Application` itself.

        app = Photon()

        @app.get("/hello/{name}")
        def hello(name: str):
            return {"hello": name}

    Args:
        title, version: of the application, for people and documents.
        middleware: wraps every request; the first is outermost.
        lifespan: opens and closes what the application needs while it runs.
        converters: what paths may say besides `{id:int}` and the other built-in ones.

    Attributes:
        router: the routes.
        converters: the kinds of values in paths, by name.
        state: a place for what the application holds.
        composed: the routes inside their middleware, as one function; what servers call.
    """

    def __init__(
        self,
        *,
        title: str = "Photon",
        version: str = "0.1.0",
        middleware: Iterable[Middleware] = (),
        lifespan: Lifespan | None = None,
        converters: Converters | Iterable[Converter] = (),
    ) -> None:
        self.title = title
        self.version = version
        self.state = SimpleNamespace()
        self.router = Router()
        self.converters = (
            converters if isinstance(converters, Converters) else Converters(*converters)
        )
        self._problems = Problems()
        self._middleware = list(middleware)
        for wrapper in self._middleware:
            check_middleware(wrapper)
        self._lifespans: list[Lifespan] = []
        if lifespan is not None:
            self.lifespan(lifespan)
        self._core = make_dispatch(self.router, self._problems)
        self.composed = compose(self._core, self._middleware, self._problems)
        self._is_running = False

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        return self.composed(request)

    # Registering handlers...

    def route(
        self,
        path: str,
        methods: Iterable[str] = ("GET",),
        *,
        status: int | None = None,
        name: str = "",
    ) -> Decorator:
        """Have a function answer requests for a path.

        Args:
            path: a template such as `/items/{id}` or `/files/{rest:path}`.
            methods: such as ["GET", "POST"]; HEAD comes with GET, OPTIONS with any.
            status: of what the function returns, if it does not say: 200, or 204 for None.
            name: to find the route by, see `path_for`; the function's name when left out.
        Raises: TemplateError, RouteConflict, HandlerError, TypeError, each naming the place and
            the way out.
        """
        return self._registering("route", path, methods, status, name)

    def get(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for GET and HEAD."""
        return self._registering("get", path, ("GET",), status, name)

    def head(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for HEAD alone, where GET would take too long to answer it."""
        return self._registering("head", path, ("HEAD",), status, name)

    def post(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for POST."""
        return self._registering("post", path, ("POST",), status, name)

    def put(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for PUT."""
        return self._registering("put", path, ("PUT",), status, name)

    def patch(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for PATCH."""
        return self._registering("patch", path, ("PATCH",), status, name)

    def delete(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for DELETE."""
        return self._registering("delete", path, ("DELETE",), status, name)

    def options(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for OPTIONS, in place of the answer that every path has."""
        return self._registering("options", path, ("OPTIONS",), status, name)

    def websocket(self, path: str, *, name: str = "") -> Decorator:
        """Have a function talk over the WebSockets of a path.

        This release has no WebSockets: the path answers 501, and the function is never called.
        """
        check_path("websocket", path)
        template = Template.parse(path, self.converters)

        def register(handler: H) -> H:
            self._add(template, ("GET",), _no_websockets_yet, handler, name)
            return handler

        return register

    def _registering(
        self, decorator: str, path: str, methods: Iterable[str], status: int | None, name: str
    ) -> Decorator:
        check_path(decorator, path)
        check_route_status(status)
        template = Template.parse(path, self.converters)
        types = {
            placeholder.name: placeholder.converter.type
            for segment in template.segments
            for placeholder in segment.placeholders
        }

        def register(handler: H) -> H:
            self._add(
                template, methods, make_endpoint(handler, types, status=status), handler, name
            )
            return handler

        return register

    def _add(
        self,
        template: Template,
        methods: Iterable[str],
        endpoint: Application,
        handler: Callable[..., Any],
        name: str,
    ) -> None:
        name = name or getattr(handler, "__name__", "")
        self.router.add(Route(template, methods, endpoint, name=name, place=place_of(handler)))

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

    # Registering what stands around them...

    def middleware(self, wrapper: Middleware | None = None) -> Middleware:
        """Wrap every request: `wrapper(request, application)` gives the response.

        Inside those that are there already. Answers for failing handlers pass through it too.
        Raises: RuntimeError, when the application is running; TypeError, when `wrapper` cannot be
            called so.
        """
        check_middleware(wrapper)
        assert wrapper is not None
        if self._is_running:
            raise RuntimeError(
                f"the middleware {shown(wrapper)} comes too late: {self!r} is running already; "
                "add it before the application is served"
            )
        self._middleware.append(wrapper)
        self.composed = compose(self._core, self._middleware, self._problems)
        return wrapper

    def exception_handler(
        self, what: type[BaseException] | int
    ) -> Callable[[ExceptionHandler], ExceptionHandler]:
        """Have a function answer for exceptions of a type, or for errors of a status.

        It gets the request and the exception, and returns what a handler may return; the status
        is the error's own, or 500, unless it says another.

        The handler of `Exception` gets what is no HTTPError, and if it answers 500 or more the
        exception is logged; handlers of other classes decide that themselves. HTTPErrors are
        answers already: register their status, or HTTPError. The handlers of 500, 503 and 504,
        or the one of HTTPError, get an HTTPError too for a handler that crashed (it was logged),
        for a server that stops, and for a request that took too long.

        Args: what: a subclass of Exception, the closest one wins; or a status, before any class.
        Raises: TypeError, ValueError, naming the place: what can never be called, and a second
            handler for the same.
        """
        if callable(what) and not isinstance(what, type):
            raise TypeError(
                f"the exception handler {shown(what)} does not say what for: write "
                "@app.exception_handler(404), or a class in place of 404"
            )

        def register(handler: ExceptionHandler) -> ExceptionHandler:
            check_exception_handler(handler)
            self._problems.register(what, handler)
            return handler

        return register

    def lifespan(self, function: Lifespan) -> Lifespan:
        """Open something before the first request, and close it after the last.

        Args: function: a generator function that yields once, with or without the application as
            its argument. Several are opened in order and closed in reverse.
        """
        check_lifespan(function)
        self._lifespans.append(function)
        return function

    def running(self) -> AbstractContextManager[None]:
        """The time in which requests may come; servers and test clients enter it."""
        return self._running()

    @contextmanager
    def _running(self) -> Iterator[None]:
        self.router.compile()
        self._is_running = True
        try:
            with running(self, self._lifespans):
                yield
        finally:
            self._is_running = False

    def __repr__(self) -> str:
        return f"<Photon {self.title!r} {self.version}, {len(self.router.routes)} routes>"


def _no_websockets_yet(request: Request) -> Response:
    raise HTTPError(501, "WebSockets are not served by this release")


# An application is what it is called with; mypy shall see that this class is one.
_: Callable[[], Application] = Photon
