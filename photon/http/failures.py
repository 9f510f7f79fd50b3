"""What an exception that ended a request amounts to, and its one line in the log."""

from __future__ import annotations

import logging
import math

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
    if isinstance(error, BaseExceptionGroup):
        return _as_group(request, error)
    told = getattr(error, "unavailable", None)
    if isinstance(told, str) and isinstance(error, Exception):
        return _as_unavailable(request, error, told)
    log_panic(request, error)
    return _failed(request)


def _as_unavailable(request: Request, error: Exception, told: str) -> HTTPError:
    """The answer for what knows itself that it is no fault of the code: something else is away.

    Such as an open circuit breaker, or a queue that cannot be reached; `told` is for the client.
    """
    logger.warning("%s (request %s): %s", request, request.id, error, extra=_names(request))
    seconds = max(1, math.ceil(getattr(error, "retry_after", 1)))
    return HTTPError(503, told, headers={"retry-after": str(seconds)})


def _as_group(request: Request, group: BaseExceptionGroup[BaseException]) -> HTTPError | None:
    """What a nursery raised: a cancel decides; then one that is all; then it is a failure."""
    cancelled, failed = group.split(Cancelled)
    if cancelled is not None:
        if failed is not None:
            log_panic(request, failed)
        return as_http_error(request, first_of(cancelled))
    only = alone_in(group)
    if isinstance(only, HTTPError):
        return only
    log_panic(request, group)
    return _failed(request)


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first exception in a group that is no group."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def alone_in(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """The one exception that a group holds, however deep; None when there are several."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        if len(error.exceptions) != 1:
            return None
        error = error.exceptions[0]
    return error


def _failed(request: Request) -> HTTPError:
    return HTTPError(500, "the server failed to handle this request", request_id=request.id)


def _as_cancelled(request: Request, error: Cancelled) -> HTTPError | None:
    if error.source == "disconnect":
        return None
    where = f", {error.where}" if error.where else ""
    logger.warning(
        "%s (request %s): %s%s", request, request.id, error, where, extra=_names(request)
    )
    if error.source == "shutdown":
        return HTTPError(503, "the server is stopping", headers={"retry-after": "1"})
    return HTTPError(504, error.reason or None, request_id=request.id)


def log_panic(request: Request, error: BaseException) -> None:
    """Log what a handler let through, once: traceback, method, path and request id."""
    request.failure = error
    advise(error)
    logger.error(
        "%s %s failed (request %s): %s",
        "WebSocket" if request.is_upgraded else request.method,
        request.path,
        request.id,
        type(error).__name__,
        exc_info=error,
        extra=_names(request),
    )


def _names(request: Request) -> dict[str, str]:
    return {"request_id": request.id, "method": request.method, "path": request.path}
