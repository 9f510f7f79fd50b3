"""What an exception that ended a request amounts to, and its one line in the log."""

from __future__ import annotations

import logging

from photon.http.advice import advise
from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.http.request import Request
from photon.runtime.errors import Cancelled, StreamError

logger = logging.getLogger("photon.http")


def as_http_error(request: Request, error: BaseException) -> HTTPError | None:
    """The answer to a request that `error` ended: logged here, if it is the server's fault.

    Returns: None when nobody is left to answer, or when the connection itself has to answer
    (ProtocolError): then the error is to be raised on.
    """
    if isinstance(error, HTTPError):
        return error
    if isinstance(error, (ClientDisconnected, ProtocolError, StreamError)):
        return None
    if isinstance(error, Cancelled) and error.scope is None and error.source != "scope":
        return _as_cancelled(request, error)
    log_panic(request, error)
    return HTTPError(500, "the server failed to handle this request", request_id=request.id)


def _as_cancelled(request: Request, error: Cancelled) -> HTTPError | None:
    if error.source == "disconnect":
        return None
    logger.warning("%s: %s", request, error, extra=_names(request))
    if error.source == "shutdown":
        return HTTPError(503, "the server is stopping", headers={"retry-after": "1"})
    return HTTPError(504, error.reason or None, request_id=request.id)


def log_panic(request: Request, error: BaseException) -> None:
    """Log what a handler let through, once: traceback, method, path and request id."""
    request.failure = error
    advise(error)
    logger.error(
        "%s %s failed (request %s): %s",
        request.method,
        request.path,
        request.id,
        type(error).__name__,
        exc_info=error,
        extra=_names(request),
    )


def _names(request: Request) -> dict[str, str]:
    return {"request_id": request.id, "method": request.method, "path": request.path}
