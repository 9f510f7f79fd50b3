"""`Photon`, the class users hold: it registers, composes, and answers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal, Never, Unpack

from photon.app.answering import Answering
from photon.app.development import is_development
from photon.app.dispatch import compose, guarded, make_dispatch
from photon.app.documents import Documents, DocumentSettings
from photon.app.endpoint import Surroundings, Unmade, make_endpoint, make_operation
from photon.app.group import Group, Undo, check_group
from photon.app.lifespan import Life, Lifespan
from photon.app.mounting import Mounts
from photon.app.options import (
    Registration,
    RouteOptions,
    SharedOptions,
    check_options,
    check_shared,
    join,
)
from photon.app.overrides import Overrides
from photon.app.problems import Problems
from photon.app.registering import (
    check_middleware,
    shown,
)
from photon.app.registrar import Decorator, H, Registrar
from photon.app.respond import Convert, Responders
from photon.app.sockets import make_socket_endpoint, make_socket_operation
from photon.binding.app_scope import AppScope
from photon.binding.errors import check_kind
from photon.binding.operation import Operation
from photon.http.application import Application, Middleware
from photon.http.errors import HTTPError
from photon.http.formats import Format
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.converters import Converter, Converters
from photon.routing.errors import TemplateError
from photon.routing.route import Route
from photon.routing.router import Router
from photon.routing.template import Template
from photon.runtime.source import place_of
from photon.tasks.settings import TaskSettings

if TYPE_CHECKING:
    from photon.openapi.document import OpenAPI
    from photon.tasks.queue import Queue
    from photon.templating.engine import Templates
    from photon.templating.sources import Given

TrailingSlash = Literal["strict", "redirect", "ignore"]


class Photon(Registrar, Answering):
    """A web application: plain functions, registered for paths. It is an `Application` itself.

        app = Photon()

        @app.get("/hello/{name}")
        def hello(name: str):
            return {"hello": name}

    Args:
        title, version, summary, description: of the application, for people and documents.
        middleware: wraps every request; the first is outermost.
        lifespan: opens and closes what the application needs while it runs.
        converters: what paths may say besides `{id:int}` and the other built-in ones.
        templates: the folder of its templates, several, their texts by name, or a `Templates`.
        trailing_slash: what is done for a path that only differs in its last slash from one that
            there is: "strict" answers 404 and says so, "redirect" 308, "ignore" answers as there.
        check_responses: whether what handlers return is compared with what they declare; None
            does so in development, that is under `photon dev`.
        openapi: what else the OpenAPI document says: servers, tags, contact, webhooks.
        openapi_url, docs_url: where the document and the page for it are; None for nowhere.
        queue: what takes the jobs of `task`: a `Queue`, or the URL of one (redis://,
            postgresql://); None for this process, or what PHOTON_QUEUE says.
        watchdog: whether handlers that compute past their deadline are interrupted, too; None does
            so in development. See `photon.runtime.watchdog`.
        task_settings: how timers, cron jobs and what was spawned are run and ended.
        dependencies, formats, strict, timeout, form_limits, body_limit, responses: for all its
            routes, see `RouteOptions`.

    Attributes:
        router: the routes.
        converters: the kinds of values in paths, by name.
        state: a place for what the application holds.
        watchdog: whether handlers that compute past their deadline are interrupted.
        composed: the routes inside their middleware, as one function; what servers call.
    """

    def __init__(
        self,
        *positional: Never,
        title: str = "Photon",
        version: str = "0.1.0",
        summary: str = "",
        description: str = "",
        middleware: Iterable[Middleware] = (),
        lifespan: Lifespan | None = None,
        converters: Converters | Iterable[Converter] = (),
        templates: Templates | Given | None = None,
        trailing_slash: TrailingSlash = "strict",
        check_responses: bool | None = None,
        openapi: OpenAPI | None = None,
        openapi_url: str | None = "/openapi.json",
        docs_url: str | None = "/docs",
        queue: Queue | str | None = None,
        task_settings: TaskSettings | None = None,
        watchdog: bool | None = None,
        **options: Unpack[SharedOptions],
    ) -> None:
        if positional:
            raise TypeError(
                f"an application needs no name: Photon() for Photon({positional[0]!r}); all else "
                "is said by keywords, such as title='Shop'"
            )
        check_shared(options, _KEYWORDS)
        if trailing_slash not in ("strict", "redirect", "ignore"):
            raise TypeError(
                f'trailing_slash is "strict", "redirect" or "ignore", not {trailing_slash!r}'
            )
        self.trailing_slash = trailing_slash
        self.title = title
        self.version = version
        self.summary = summary
        self.description = description
        self.state = SimpleNamespace()
        self.router = Router()
        self.converters = (
            converters if isinstance(converters, Converters) else Converters(*converters)
        )
        self.is_dev = is_development()
        self.watchdog = self.is_dev if watchdog is None else watchdog
        self._options: Mapping[str, Any] = dict(options)
        self._responders: dict[tuple[Format, ...], Responders] = {}
        self._own_responders: dict[type, Convert] = {}
        self._templates_given = templates
        self._templates: Templates | None = None
        self._problems = Problems(self._responders_for(()), self._debug if self.is_dev else None)
        self._middleware = list(middleware)
        for wrapper in self._middleware:
            check_middleware(wrapper)
        self._life = Life(self, self._open)
        self._lifespans: list[Lifespan] = []
        if lifespan is not None:
            self.lifespan(lifespan)
        self._app_scope = AppScope()
        self._overrides = Overrides(self._app_scope)
        self._given = Surroundings(
            responders=self._responders_for,
            overrides=self._overrides,
            app_scope=self._app_scope,
            checks_responses=self.is_dev if check_responses is None else check_responses,
        )
        self._mounts = Mounts()
        self._scheduler = None
        self._tasks = None
        self._queue_given = queue
        self._task_settings = task_settings or TaskSettings()
        self._webhooks: list[tuple[str, Operation]] = []
        self._documents = Documents(
            DocumentSettings(openapi, openapi_url, docs_url), self, self._mounts
        )
        self._core = make_dispatch(self.router, self._problems, self._mounts, trailing_slash)
        self.composed = compose(self._core, self._middleware, self._problems)

    def __call__(self, request: Request) -> Response:
        """Answer a request."""
        return self.composed(request)

    # Registering handlers...

    def _check_path(self, decorator: str, path: str) -> None:
        super()._check_path(decorator, path)
        Template.parse(path, self.converters)  # here, for the traceback to end at the decorator

    def _register(self, registration: Registration) -> None:
        self._take([registration])

    def _take(self, registrations: list[Registration]) -> Undo:
        """Take on handlers, all or none.   Returns: what takes them back."""
        routes = [self._route_of(registration) for registration in registrations]
        self.router.add(*routes)
        for route in routes:
            if route.operation is not None:
                self._app_scope.learn(route.operation.plan.dependencies)
        self._documents.forget()
        return lambda: self._take_back(routes)

    def _take_back(self, routes: list[Route]) -> None:
        self.router.remove(*routes)
        self._documents.forget()

    def _route_of(self, registration: Registration) -> Route:
        try:
            return self._make_route(registration)
        except TemplateError as error:
            # Of a group's handler only the place where the group is included is in the traceback.
            error.add_note(f"the path of {shown(registration.handler)}")
            raise

    def _make_route(self, registration: Registration) -> Route:
        options = join(self._options, registration.options)
        handler = registration.handler
        template = Template.parse(registration.path, self.converters)
        is_websocket = registration.decorator == "websocket"
        make, make_end = (
            (make_socket_operation, make_socket_endpoint)
            if is_websocket
            else (make_operation, make_endpoint)
        )
        types = {
            placeholder.name: placeholder.converter.type
            for segment in template.segments
            for placeholder in segment.placeholders
        }
        operation = make(handler, types, options)
        endpoint: Application = make_end(operation, types, options, self._given)
        if options.get("middleware"):
            inner = guarded(endpoint, self._problems)
            endpoint = compose(inner, options["middleware"], self._problems)
        route = Route(
            template,
            registration.methods,
            endpoint,
            name=options.get("name") or str(getattr(handler, "__name__", "")),
            place=place_of(handler),
            operation=operation,
            middleware=tuple(options.get("middleware", ())),
        )
        if isinstance(endpoint, Unmade):
            endpoint.on_made = route.settle
        return route

    def include(self, group: Group, prefix: str = "", **options: Unpack[RouteOptions]) -> None:
        """Take in the routes of a group, those it is given later included.

        Args: prefix: before the group's own. options: for all of them, see `RouteOptions`.
        """
        check_group(group)
        group.tell(self._take, prefix, options)

    def webhook(self, name: str, /, **options: Unpack[RouteOptions]) -> Decorator:
        """Describe a request that this application sends, by the function that would take it.

        It is for documents alone, and never called.
        """
        check_options(options, "@app.webhook")

        def register(handler: H) -> H:
            self._webhooks.append((name, make_operation(handler, {}, dict(options))))
            self._documents.forget()
            return handler

        return register

    def mount(self, prefix: str, application: Application) -> None:
        """Have another application answer everything below a prefix that no route here answers.

        It sees the rest of the path, and the prefix in `request.root`. What it opens and closes
        is opened and closed with this one.

        Args: prefix: such as "/admin"; "" for all that is left.
        Raises: TypeError, ValueError, for what cannot be mounted there; RuntimeError, when this
            application runs and that one would have to be opened.
        """
        if application is self:
            raise ValueError(f"{self!r} would be mounted in itself")
        if isinstance(application, Group):
            raise TypeError(f"{application!r} is no application: app.include(group, {prefix!r})")
        if hasattr(application, "running"):
            self._refuse_if_running(f"{shown(application)}, mounted at {prefix!r},")
        self._mounts.add(prefix, application)

    @property
    def operations(self) -> list[tuple[Route, Operation]]:
        """Each route with what is known of its handler, in the order of their registration."""
        return [(r, r.operation) for r in self.router.routes if r.operation is not None]

    @property
    def webhooks(self) -> list[tuple[str, Operation]]:
        """What `webhook` described, by name."""
        return list(self._webhooks)

    # Documents...

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI 3.1 document of the application, made once."""
        return self._documents.document

    @property
    def docs_url(self) -> str | None:
        """The path of the page that shows the document; None where there is none."""
        return self._documents.page_url

    # What handlers stand on...

    def override(
        self, provider: Callable[..., Any], fake: Callable[..., Any]
    ) -> AbstractContextManager[None]:
        """Have `fake` called in the place of a provider, for the length of a `with`.

        What a fake of the scope "app" made is closed at the end of the `with`. The provider that
        it replaces is not called by `running` meanwhile.

        Args: fake: a function with parameters of its own, filled as any provider's.
        Raises: TypeError; ValueError, for a provider that nothing here asks for: the test would
            talk to the real thing.
        """
        check_kind("provider", provider)
        plans = (operation.plan for _, operation in self.operations)
        self._overrides.check_asked_for(provider, plans, self)
        return self._overrides.replacing(provider, fake)

    def _debug(self, request: Request, cause: BaseException, error: HTTPError) -> Response:
        from photon.telemetry.debug_page.answer import debug_response  # nobody else needs it

        return debug_response(
            request,
            cause,
            error,
            routes=lambda: self.router.routes,
            mounts=lambda: [prefix for prefix, _ in self._mounts.all],
        )

    def _prepare(self) -> None:
        super()._prepare()
        if self._templates_given is not None:
            self.templates.load()
        if self.is_dev and self._documents.are_served:
            _ = self._documents.document  # what cannot be described is told at once

    def __repr__(self) -> str:
        return f"<Photon {self.title!r} {self.version}, {len(self.router.routes)} routes>"


_KEYWORDS = tuple(inspect.signature(Photon).parameters)[1:-1]

# An application is what it is called with; mypy shall see that this class is one.
_: Callable[[], Application] = Photon
