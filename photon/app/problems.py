"""Any exception as a response, by the handlers the user registered or as a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from photon.app.respond import Responders
from photon.app.unsendable import Unsendable
from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.http.failures import alone_in, as_http_error, log_panic
from photon.http.problems import problem_of
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.errors import MatchError, MethodNotAllowed
from photon.runtime.errors import StreamError
from photon.runtime.source import place_of

ExceptionHandler = Callable[[Request, Any], Any]
"""Gets the request and the exception; what it returns is sent as from any handler."""

# Nobody is left to answer, or the connection itself must answer: the server's matter.
_NOT_OURS = (ClientDisconnected, ProtocolError, StreamError)


Debug = Callable[[Request, BaseException, HTTPError], Response]
"""Answers in development: gets the request, the exception, and what that amounts to."""


class Problems:
    """The exception handlers of one application.

    Args: debug: answers in the place of a problem, for who develops.
    """

    def __init__(self, responders: Responders | None = None, debug: Debug | None = None) -> None:
        self._debug = debug
        self._responders = responders or Responders()
        self._by_type: dict[type[BaseException], ExceptionHandler] = {}
        self._by_status: dict[int, ExceptionHandler] = {}

    def register(self, what: type[BaseException] | int, handler: ExceptionHandler) -> None:
        """Have `handler` answer exceptions of a type, or HTTPErrors of a status.

        Raises: TypeError, ValueError: for what ends a request whatever anybody says, such as
            Cancelled, for what is no error at all, and for what has a handler already.
        """
        handlers: dict[Any, ExceptionHandler]
        if isinstance(what, type):
            _check_type(what, handler)
            handlers = cast("dict[Any, ExceptionHandler]", self._by_type)
        else:
            _check_status(what, handler)
            handlers = cast("dict[Any, ExceptionHandler]", self._by_status)
        if what in handlers:
            raise ValueError(
                f"{_named(handler)} and {_named(handlers[what])} would both answer "
                f"{what.__name__ if isinstance(what, type) else what}: keep one of them"
            )
        handlers[what] = handler

    def response_for(self, request: Request, error: BaseException) -> Response:
        """The response to a request whose handling raised `error`.

        What nobody registered a handler for by its class becomes an HTTPError, a crash is logged;
        and that may have a handler again, by its status.

        Raises: `error` itself, when it is the server's to deal with.
        """
        cause = error
        if isinstance(error, MatchError):
            error = _of_routing(error)
        elif isinstance(error, _NOT_OURS):
            raise error
        elif isinstance(error, BaseExceptionGroup):
            # Of a nursery, in which one child failed: it is answered as without the nursery.
            alone = alone_in(error)
            if alone is not None and self._is_answered(alone):
                cause = error = alone
        handler = self._handler_for(error)
        if handler is None and not isinstance(error, HTTPError):
            error = _logged(request, error)
            handler = self._handler_for(error)
        if handler is not None:
            return self._answer_by(handler, request, error)
        assert isinstance(error, HTTPError)
        return self._problem(request, cause, error)

    def _problem(self, request: Request, cause: BaseException, error: HTTPError) -> Response:
        return problem_of(error) if self._debug is None else self._debug(request, cause, error)

    def _handler_for(self, error: BaseException) -> ExceptionHandler | None:
        if isinstance(error, HTTPError) and error.status in self._by_status:
            return self._by_status[error.status]
        kind = self._closest(error)
        return None if kind is None else self._by_type[kind]

    def _closest(self, error: BaseException) -> type[BaseException] | None:
        """The class nearest to the error's own that has a handler."""
        for kind in type(error).__mro__:
            if kind is Exception and isinstance(error, HTTPError):
                return None  # an answer, not a failure
            if kind in self._by_type:
                return kind
        return None

    def _is_answered(self, error: BaseException) -> bool:
        """Whether it is an answer, or has a handler of its own."""
        return isinstance(error, HTTPError) or self._closest(error) not in (None, Exception)

    def _answer_by(
        self, handler: ExceptionHandler, request: Request, error: BaseException
    ) -> Response:
        try:
            response = self._ask(handler, request, error)
        except BaseException as second:
            if second is not error and second.__context__ is None:
                second.__context__ = error
            return self._problem(request, second, _logged(request, second))
        # Whoever answers for all exceptions wants to choose what clients see of a crash; who runs
        # the server still has to hear of it. A class of its own is the user's decision.
        if response.status >= 500 and self._closest(error) is Exception:
            log_panic(request, error)
        return response

    def _ask(self, handler: ExceptionHandler, request: Request, error: BaseException) -> Response:
        status = error.status if isinstance(error, HTTPError) else 500
        try:
            return self._responders.respond(handler(request, error), status, request)
        except HTTPError as other:
            return problem_of(other)
        except Unsendable as fault:
            raise TypeError(f"{_named(handler)} {fault}") from error


def _logged(request: Request, error: BaseException) -> HTTPError:
    """What any failure amounts to.   Raises: `error` itself, when nobody can be answered."""
    failure = as_http_error(request, error)
    if failure is None:
        raise error
    return failure


def _of_routing(error: MatchError) -> HTTPError:
    headers = None
    if isinstance(error, MethodNotAllowed):
        headers = {"allow": ", ".join(error.allow)}
    return HTTPError(error.status, str(error), headers=headers)


# What is refused when it is registered...


def _check_type(what: type, handler: ExceptionHandler) -> None:
    if not issubclass(what, BaseException):
        raise TypeError(
            f"{_named(handler)} is registered for the class {what.__name__}, which is no "
            "exception; give a subclass of Exception, or a status such as 404"
        )
    if not issubclass(what, Exception):
        raise TypeError(
            f"{_named(handler)} would never be called: {what.__name__} is no Exception, and ends a "
            "request in any case; to clean up after it use `finally`, to answer for it register "
            "the status it becomes: 500, 503 or 504"
        )
    if issubclass(what, _NOT_OURS):
        raise TypeError(
            f"{_named(handler)} would never be called: after {what.__name__} the client cannot be "
            "answered; to clean up use `finally`"
        )


def _check_status(what: object, handler: ExceptionHandler) -> None:
    if not isinstance(what, int) or not 400 <= what <= 599:
        raise TypeError(
            f"{_named(handler)} is registered for {what!r}; give an exception class, or a status "
            "from 400 to 599 as a number"
        )


def _named(handler: ExceptionHandler) -> str:
    name = getattr(handler, "__qualname__", repr(handler))
    return f"the exception handler {name} ({place_of(handler)})"
