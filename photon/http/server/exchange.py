"""One request and its response, on a carrier: call the application, send what it gives.

The second barrier stands here, the one that still can answer: whatever the application raises,
this request gets its 500 or 504, or, when the head is out already, its connection is cut, which
is the only way HTTP/1.1 has to say that a body is not complete.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from photon.http.errors import ClientDisconnected, ProtocolError
from photon.http.failures import as_http_error, log_panic
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
        # PERF: a response without headers of its own goes out under a ready-made head.
        if response.__class__ is Response and response._headers is None:
            protocol = connection.protocol
            if protocol.body_is_complete:
                status = response.status
                connection.send(protocol.plain(status, response._content_type, response.body))
                return status
        return _send(connection, request, response)
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


# Sending what is not plain...


def _send(connection: Connection, request: Request, response: object) -> int:
    if not isinstance(response, Response):
        raise TypeError(f"the application returned {type(response).__name__} instead of a Response")
    try:
        response = response.for_request(request)
        connection.settle_body()
        if isinstance(response, StreamResponse):
            _send_stream(connection, response)
        elif isinstance(response, FilePart):
            _send_file(connection, response)
        else:
            protocol = connection.protocol
            head = protocol.head(*_head(response), len(response.body))
            connection.response_begun = True
            connection.send(head + protocol.data(response.body) + protocol.end())
    finally:
        response.close()
    return response.status


def _send_file(connection: Connection, part: FilePart) -> None:
    protocol = connection.protocol
    head = protocol.head(*_head(part), part.count)
    connection.response_begun = True
    connection.send(head)
    if protocol.sends_content:
        protocol.count_data(part.count)
        connection.send_file(part.fd, part.offset, part.count)
    out = protocol.end()
    if out:
        connection.send(out)


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


def _fail(connection: Connection, request: Request, error: BaseException) -> int:
    """The application or the sending of its response failed: answer, if that can be done."""
    if connection.response_begun:
        return _cut(connection, request, error)
    try:
        failure = _answer_to(request, error)
        if failure is None:
            connection.close()
            return CLIENT_CLOSED_REQUEST
        return _send(connection, request, failure)
    except BaseException as second:
        return _cut(connection, request, second)


def _cut(connection: Connection, request: Request, error: BaseException) -> int:
    """Close a connection whose response cannot be completed; the status to note for it."""
    connection.close()
    if isinstance(error, (StreamError, ClientDisconnected)):
        logger.info("%s: the response was not taken: %s", request, error)
    elif isinstance(error, Cancelled) and error.scope is None:
        logger.info("%s: %s while it was sent", request, error)
    else:
        log_panic(request, error)
        return 500
    return CLIENT_CLOSED_REQUEST


def _answer_to(request: Request, error: BaseException) -> Response | None:
    """The response to a request that `error` ended; None when nobody is there to take it."""
    if isinstance(error, ProtocolError):
        logger.info("%s: refused: %s (%s)", request, error.detail, error.rule)
        return problem(error.status, error.detail)
    failure = as_http_error(request, error)
    if failure is None:
        logger.info("%s: the client went away", request)
        return None
    return problem_of(failure)
