"""One request and its response, on a carrier: call the application, send what it gives.

The second barrier stands here, the one that still can answer: whatever the application raises,
this request gets its 500 or 504, or, when the head is out already, its connection is cut, which
is the only way HTTP/1.1 has to say that a body is not complete.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from photon.http.errors import ClientDisconnected, HTTPError, ProtocolError
from photon.http.files import FilePart
from photon.http.problems import problem, problem_of
from photon.http.protocol.base import Fields
from photon.http.request import Request
from photon.http.response import Response, StreamResponse
from photon.http.server.phases import STREAMING
from photon.http.status import CLIENT_CLOSED_REQUEST
from photon.runtime.clock import now
from photon.runtime.errors import Cancelled, StreamError

if TYPE_CHECKING:
    from photon.http.server.connection import Connection

logger = logging.getLogger("photon.http")


def answer(connection: Connection, request: Request) -> int:
    """Have the application answer `request`, and send what it gives. Never raises.

    Returns: the status; 499 when the client went away.
    """
    try:
        response = connection.server.application(request)
        if response.__class__ is not Response:
            response = _for_request(response, request)
    except BaseException as error:
        failure = _response_for(connection, request, error)
        if failure is None:
            return CLIENT_CLOSED_REQUEST
        response = failure
    try:
        protocol = connection.protocol
        if not protocol.body_is_complete:
            connection.settle_body()
        # PERF: a response without headers of its own goes out under a ready-made head.
        if response.__class__ is Response and response._headers is None:
            connection.send(protocol.plain(response.status, response._content_type, response.body))
        else:
            _send(connection, response)
    except BaseException as error:
        return _send_failed(connection, request, response, error)
    return response.status


def answer_and_tell(connection: Connection, request: Request) -> int:
    """As `answer`, and tells the server's `on_answer` of it."""
    started = now()
    status = answer(connection, request)
    tell = connection.server.on_answer
    if tell is not None:
        try:
            tell(request, status, now() - started)
        except Exception:
            logger.exception("%r failed", tell)
    return status


def _for_request(response: object, request: Request) -> Response:
    if not isinstance(response, Response):
        raise TypeError(f"the application returned {type(response).__name__} instead of a Response")
    return response.for_request(request)


# Sending what is not plain...


def _send(connection: Connection, response: Response) -> None:
    try:
        if isinstance(response, StreamResponse):
            _send_stream(connection, response)
        elif isinstance(response, FilePart):
            connection.response_begun = True
            connection.send(connection.protocol.head(*_head(response), response.count))
            if connection.protocol.sends_content:
                connection.protocol.count_data(response.count)
                connection.send_file(response.fd, response.offset, response.count)
        else:
            protocol = connection.protocol
            head = protocol.head(*_head(response), len(response.body))
            connection.response_begun = True
            connection.send(head + protocol.data(response.body) + protocol.end())
    finally:
        response.close()


def _send_stream(connection: Connection, response: StreamResponse) -> None:
    protocol = connection.protocol
    pieces = response.pieces()
    # The head waits for the first piece, as in WSGI: what fails before it is a clean 500 still,
    # and both go out in one packet.
    is_head_request = protocol.request is not None and protocol.request.method == "HEAD"
    first = b"" if is_head_request else next(pieces, b"")
    out = protocol.head(*_head(response), None)
    connection.response_begun = True
    connection.phase = STREAMING
    if protocol.sends_content:
        connection.send(out + protocol.data(first))
        for piece in pieces:
            connection.send(protocol.data(piece))
        out = protocol.end()
    if out:
        connection.send(out)


def _head(response: Response) -> tuple[int, Fields]:
    return response.status, [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers
    ]


# When something fails...


def _response_for(
    connection: Connection, request: Request, error: BaseException
) -> Response | None:
    """What to answer for what the application raised; None when nobody is there to answer."""
    if isinstance(error, Cancelled) and error.scope is None:
        return _response_for_cancel(connection, request, error)
    if isinstance(error, (ClientDisconnected, StreamError)):
        logger.info("%s: the client went away", request)
        connection.close()
        return None
    if isinstance(error, ProtocolError):
        logger.info("%s: refused: %s (%s)", request, error.detail, error.rule)
        return problem(error.status, error.detail)
    if isinstance(error, HTTPError):
        return problem_of(error)
    log_panic(request, error)
    return problem(500, "the server failed to handle this request", request_id=request.id)


def _response_for_cancel(
    connection: Connection, request: Request, error: Cancelled
) -> Response | None:
    if error.source == "disconnect":
        logger.info("%s: cancelled, the client went away", request)
        connection.close()
        return None
    if error.source == "shutdown":
        logger.warning("%s: cancelled, the server stops", request, extra=_names(request))
        connection.protocol.keep_alive = False
        return problem(503, "the server is stopping", headers={"retry-after": "1"})
    logger.warning("%s: cancelled, %s", request, error.reason, extra=_names(request))
    return problem(504, error.reason, request_id=request.id)


def _send_failed(
    connection: Connection, request: Request, response: Response, error: BaseException
) -> int:
    """A response that could not be sent: the status to note for it."""
    if isinstance(error, (StreamError, ClientDisconnected)):
        logger.info("%s: the response was not taken: %s", request, error)
    elif isinstance(error, Cancelled) and error.source in ("disconnect", "shutdown"):
        logger.info("%s: %s while it was sent", request, error)
    else:
        if not connection.response_begun:
            # Such as a stream that fails before its first piece, or a header nobody can send.
            return _send_failure_instead(connection, request, error)
        log_panic(request, error)
        connection.close()
        return 500
    connection.close()
    return CLIENT_CLOSED_REQUEST


def _send_failure_instead(connection: Connection, request: Request, error: BaseException) -> int:
    failure = _response_for(connection, request, error)
    if failure is None:
        return CLIENT_CLOSED_REQUEST
    try:
        _send(connection, failure)
    except BaseException as second:
        logger.info("%s: the response was not taken: %s", request, second)
        connection.close()
    return failure.status


def log_panic(request: Request, error: BaseException) -> None:
    """Log what a handler let through, once: traceback, method, path and request id."""
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
