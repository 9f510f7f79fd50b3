"""One request and its response, on a carrier: call the application, send what it gives.

The second barrier stands here, the one that still can answer: whatever the application raises,
this request gets its 500 or 504, or, when the head is out already, its connection is cut, which
is the only way HTTP/1.1 has to say that a body is not complete.
"""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING

from photon.http.errors import ClientDisconnected, ProtocolError
from photon.http.failures import as_http_error, log_panic
from photon.http.problems import problem, problem_of
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.phases import FINISHING, LINGERING
from photon.http.server.sending import send_all, send_response
from photon.http.status import CLIENT_CLOSED_REQUEST
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, StreamError

if TYPE_CHECKING:
    from photon.http.server.connection import Connection

logger = logging.getLogger("photon.http")

_NO_LIMIT = nullcontext()


def answer(connection: Connection, request: Request) -> int:
    """Have the application answer `request`, and send what it gives. Never raises.

    Returns: the status; 499 when the client went away.
    """
    try:
        response = connection.server.application(request)
        # PERF: a response without headers of its own goes out under a ready-made head.
        if response.__class__ is Response and response._headers is None:
            protocol = connection.protocol
            if protocol.body_is_complete:
                status = response.status
                send_all(connection, protocol.plain(status, response._content_type, response.body))
                return status
        if not isinstance(response, Response):
            raise TypeError(
                f"the application returned {type(response).__name__} instead of a Response"
            )
        return send_response(connection, request, response)
    except BaseException as error:
        return _fail(connection, request, error)


def answer_and_tell(connection: Connection, request: Request) -> int:
    """As `answer`, and tells the server's `on_answer` of it."""
    started = now()
    status = answer(connection, request)
    tell = connection.server.on_answer
    if tell is not None:
        try:
            tell(request, status, now() - started)
        except BaseException:
            logger.exception("%r failed", tell)
    return status


def finish(connection: Connection, request: Request) -> None:
    """Do what the request put off until its response was written. Never raises."""
    server = connection.server
    if connection.phase < LINGERING:
        if connection.has_waited:
            connection.enter(FINISHING)
        else:
            connection.phase = FINISHING  # PERF: its time is kept when it waits, as a handler's
    server.finishing += 1
    if request.ended_by is None:
        request.ended_by = request.failure  # of middleware, when the handler had returned
    try:
        while request._after:
            run = request._after.pop()
            try:
                with server.last_words() if connection.phase >= LINGERING else _NO_LIMIT:
                    run()
            except BaseException as error:
                log_panic(request, error)
    finally:
        server.finishing -= 1
        request.ended_by = None  # its traceback leads to the request


def _fail(connection: Connection, request: Request, error: BaseException) -> int:
    """The application or the sending of its response failed: answer, if that can be done."""
    if request._after is not None and not isinstance(error, StreamError):
        request.ended_by = error  # a handler that is a generator failed, say
    if connection.response_begun:
        return _cut(connection, request, error)
    try:
        failure = _answer_to(request, error)
        if failure is None:
            connection.close()
            return CLIENT_CLOSED_REQUEST
        return send_response(connection, request, failure)
    except BaseException as second:
        return _cut(connection, request, second)


def _answer_to(request: Request, error: BaseException) -> Response | None:
    """The response to a request that `error` ended; None when nobody is there to take it."""
    if isinstance(error, ProtocolError):
        logger.info("%s: refused: %s (%s)", request, error.detail, error.rule)
        return problem(error.status, error.detail)
    failure = as_http_error(request, error)
    if failure is None:
        where = getattr(error, "where", "")
        told = f"; the handler was {where}" if where else ""
        logger.info("%s: the client went away%s", request, told)
        return None
    return problem_of(failure)


def _cut(connection: Connection, request: Request, error: BaseException) -> int:
    """Close a connection whose response cannot be completed; the status to note for it."""
    connection.close()
    if isinstance(error, (StreamError, ClientDisconnected)):
        logger.info("%s: the response was not taken: %s", request, error)
    elif isinstance(error, Cancelled) and error.scope is None and error.source != "scope":
        logger.info("%s: %s while it was sent", request, error)
    else:
        log_panic(request, error)
        return 500
    return CLIENT_CLOSED_REQUEST
