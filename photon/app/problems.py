"""Any exception as a response, by the handlers the user registered or as a problem."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from photon.app.respond import respond
from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.http.failures import log_panic
from photon.http.problems import problem, problem_of
from photon.http.request import Request
from photon.http.response import Response
from photon.routing.errors import BadPath, MethodNotAllowed, RouteNotFound
from photon.runtime.errors import StreamError

ExceptionHandler = Callable[[Request, Any], Any]
"""Gets the request and the exception; what it returns is sent as from any handler."""

# Nobody is left to answer, or the connection itself must answer: the server's matter.
_NOT_OURS = (ClientDisconnected, ProtocolError, StreamError)


class Problems:
    """The exception handlers of one application."""

    def __init__(self) -> None:
        self._by_type: dict[type[BaseException], ExceptionHandler] = {}
        self._by_status: dict[int, ExceptionHandler] = {}

    def register(self, what: type[BaseException] | int, handler: ExceptionHandler) -> None:
        """Have `handler` answer exceptions of a type, or HTTPErrors of a status.

        Raises: TypeError, for what ends a request whatever anybody says, such as Cancelled.
        """
        if isinstance(what, int):
            self._by_status[what] = handler
        elif issubclass(what, Exception):
            self._by_type[what] = handler
        else:
            raise TypeError(
                f"{what.__name__} is no Exception, and ends a request in any case; to clean up "
                "after it use `finally`"
            )

    def response_for(self, request: Request, error: Exception) -> Response:
        """The response to a request whose handling raised `error`.

        Raises: `error` itself, when it is the server's to deal with.
        """
        if isinstance(error, _NOT_OURS):
            raise error
        error = _as_http_error(error)
        handler = self._handler_for(error)
        if handler is not None:
            try:
                return respond(handler(request, error), getattr(error, "status", 500))
            except _NOT_OURS:
                raise
            except Exception as second:
                second.__context__ = error
                error = _as_http_error(second)
        if isinstance(error, HTTPError):
            return problem_of(error)
        log_panic(request, error)
        return problem(500, "the server failed to handle this request", request_id=request.id)

    def _handler_for(self, error: Exception) -> ExceptionHandler | None:
        if isinstance(error, HTTPError) and error.status in self._by_status:
            return self._by_status[error.status]
        for kind in type(error).__mro__:  # the closest class wins
            if kind in self._by_type:
                return self._by_type[kind]
        return None


def _as_http_error(error: Exception) -> Exception:
    """The errors of routing as what HTTP calls them; others as they are."""
    if isinstance(error, RouteNotFound):
        return HTTPError(404, str(error))
    if isinstance(error, MethodNotAllowed):
        return HTTPError(405, str(error), headers={"allow": ", ".join(error.allow)})
    if isinstance(error, BadPath):
        return HTTPError(400, str(error))
    return error
