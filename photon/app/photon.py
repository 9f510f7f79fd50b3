"""`Photon`, the class users hold: it registers, composes, and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar

from photon.app.dispatch import compose, make_dispatch
from photon.app.endpoint import make_endpoint
from photon.app.lifespan import Lifespan, running
from photon.app.problems import ExceptionHandler, Problems
from photon.http.application import Application, Middleware
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
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

    Attributes:
        router: the routes.
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
    ) -> None:
        self.title = title
        self.version = version
        self.state = SimpleNamespace()
        self.router = Router()
        self._problems = Problems()
        self._middleware = list(middleware)
        self._lifespans = [lifespan] if lifespan is not None else []
        self._core = make_dispatch(self.router, self._problems)
        self.composed = compose(self._core, self._middleware, self._problems)
        self._is_running = False

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        return self.composed(request)

    # Registering handlers...

    def route(
        self, path: str, methods: Iterable[str], *, status: int | None = None, name: str = ""
    ) -> Decorator:
        """Have a function answer requests for a path.

        Args:
            path: a template such as `/items/{id}` or `/files/{rest:path}`.
            methods: such as ["GET", "POST"]; HEAD comes with GET, OPTIONS with any.
            status: of what the function returns, if it does not say: 200, or 204 for None.
            name: to find the route by; the function's name when left out.
        Raises: TemplateError, RouteConflict, HandlerError, each naming the place and the way out.
        """
        template = Template.parse(path)

        def register(handler: H) -> H:
            endpoint = make_endpoint(handler, template.names, status=status)
            self.router.add(
                Route(
                    template,
                    methods,
                    endpoint,
                    name=name or getattr(handler, "__name__", ""),
                    place=place_of(handler),
                )
            )
            return handler

        return register

    def get(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for GET and HEAD."""
        return self.route(path, ("GET",), status=status, name=name)

    def post(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for POST."""
        return self.route(path, ("POST",), status=status, name=name)

    def put(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for PUT."""
        return self.route(path, ("PUT",), status=status, name=name)

    def patch(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for PATCH."""
        return self.route(path, ("PATCH",), status=status, name=name)

    def delete(self, path: str, *, status: int | None = None, name: str = "") -> Decorator:
        """As `route`, for DELETE."""
        return self.route(path, ("DELETE",), status=status, name=name)

    def websocket(self, path: str, *, name: str = "") -> Decorator:
        """Have a function talk over the WebSockets of a path.

        This release answers 501 there: the handshake comes with the `ws` room.
        """

        def register(handler: H) -> H:
            place = place_of(handler)
            route_name = name or getattr(handler, "__name__", "")
            self.router.add(Route(path, ("GET",), _no_websockets_yet, name=route_name, place=place))
            return handler

        return register

    # Registering what stands around them...

    def middleware(self, wrapper: Middleware) -> Middleware:
        """Wrap every request: `wrapper(request, application)` gives the response.

        Inside those that are there already. Answers for failing handlers pass through it too.
        Raises: RuntimeError, when the application is running.
        """
        if self._is_running:
            raise RuntimeError(
                f"the middleware {wrapper!r} comes too late: {self!r} is running already; add it "
                "before the application is served"
            )
        self._middleware.append(wrapper)
        self.composed = compose(self._core, self._middleware, self._problems)
        return wrapper

    def exception_handler(
        self, what: type[BaseException] | int
    ) -> Callable[[ExceptionHandler], ExceptionHandler]:
        """Have a function answer for exceptions of a type, or for HTTPErrors of a status.

        It gets the request and the exception, and returns what a handler may return; the status
        is the error's own, or 500, unless it says another.
        """

        def register(handler: ExceptionHandler) -> ExceptionHandler:
            self._problems.register(what, handler)
            return handler

        return register

    def lifespan(self, function: Lifespan) -> Lifespan:
        """Open something before the first request, and close it after the last.

        Args: function: a generator function that yields once, with or without the application as
            its argument. Several are opened in order and closed in reverse.
        """
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
