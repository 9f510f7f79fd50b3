"""What stands around the handlers of an application: middleware, answers to errors, responders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from photon.app.dispatch import compose
from photon.app.links import Linker
from photon.app.living import Living
from photon.app.problems import ExceptionHandler, Problems
from photon.app.registering import (
    check_exception_handler,
    check_middleware,
    check_responder,
    check_responder_kind,
    shown,
)
from photon.app.respond import Convert, Responders
from photon.http.application import Application, Middleware
from photon.http.formats import JSON, Format

if TYPE_CHECKING:
    from photon.templating.engine import Templates
    from photon.templating.sources import Given


class Answering(Living, Linker):
    """What knows how values and errors become responses.

    Attributes: composed: the routes inside their middleware, as one function; what servers call.
    """

    is_dev: bool
    composed: Application
    _core: Application
    _middleware: list[Middleware]
    _problems: Problems
    _responders: dict[tuple[Format, ...], Responders]
    _own_responders: dict[type, Convert]
    _templates_given: Templates | Given | None
    _templates: Templates | None

    def middleware(self, wrapper: Middleware | None = None) -> Middleware:
        """Wrap every request: `wrapper(request, application)` gives the response.

        Inside those that are there already. Answers for failing handlers pass through it too.
        Raises: RuntimeError, when the application is running; TypeError, when `wrapper` cannot be
            called so.
        """
        check_middleware(wrapper)
        assert wrapper is not None
        self._refuse_if_running(f"the middleware {shown(wrapper)}")
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

    @property
    def templates(self) -> Templates:
        """The templates, where filters and globals are registered.

        Raises: RuntimeError, when the application was not told where they are.
        """
        if self._templates is None:
            self._templates = self._open_templates()
        return self._templates

    def _open_templates(self) -> Templates:
        from photon.templating.engine import Templates

        given = self._templates_given
        if given is None:
            raise RuntimeError(
                f"{self!r} has no templates; say where they are: Photon(templates='templates')"
            )
        templates = given if isinstance(given, Templates) else Templates(given, reload=self.is_dev)
        if templates.url_for is None:
            templates.url_for = self._link
        return templates

    def responder(self, kind: type) -> Callable[[Convert], Convert]:
        """Have a function make the response of values of a class that handlers return.

        It gets the value, and gives what a handler may return: `@app.responder(Money)`.
        Raises: TypeError; ValueError, for a second one.
        """
        check_responder_kind(kind)

        def register(fn: Convert) -> Convert:
            check_responder(fn)
            if kind in self._own_responders:
                raise ValueError(
                    f"{shown(fn)} and {shown(self._own_responders[kind])} would both make the "
                    f"responses of {kind.__name__}: keep one of them"
                )
            self._own_responders[kind] = fn
            for responders in self._responders.values():
                responders.forget()
            return fn

        return register

    def _responders_for(self, formats: tuple[Format, ...]) -> Responders:
        known = self._responders.get(formats)
        if known is None:
            known = self._responders[formats] = Responders(
                formats or (JSON,),
                templates=lambda: self.templates,
                own=self._own_responders,
            )
        return known
