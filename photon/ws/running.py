"""One WebSocket request as an application: handshake, handler, end.

    run_websocket(request, handler) ── not a WebSocket, or refused ──▶ HTTPError: a problem
              │ 101, when the handler accepts
              ▼
           handler(ws) ── how it ends decides the close code ──▶ Response(status=101)

| the handler                            | the client gets                                  |
|----------------------------------------|--------------------------------------------------|
| returns                                | 1000                                             |
| returns before it accepted             | 403                                              |
| lets WebSocketClosed pass              | nothing more: it is closed                       |
| lets InvalidMessage pass               | 1003 or 1007 and the first error                 |
| lets PingTimeout pass                  | 1011 and that                                    |
| raises HTTPError, a 4xx                | 1008 and the detail                              |
| raises anything else                   | 1011; logged once with its traceback             |
| is cancelled: the server stops         | 1001                                             |
| is cancelled: too slow                 | 1011                                             |
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from photon.http.errors import ClientDisconnected, HTTPError
from photon.http.failures import as_http_error, first_of
from photon.http.request import Request
from photon.http.response import Response
from photon.http.status import SWITCHING_PROTOCOLS
from photon.runtime.errors import Cancelled
from photon.ws.close_codes import (
    GOING_AWAY,
    INTERNAL_ERROR,
    NORMAL,
    POLICY_VIOLATION,
)
from photon.ws.errors import InvalidMessage, PingTimeout, WebSocketClosed
from photon.ws.handshake import Offer, read_offer
from photon.ws.origin import Origins, check_origin
from photon.ws.session import OnDisconnect, Session
from photon.ws.settings import WebSocketSettings
from photon.ws.websocket import WebSocket

logger = logging.getLogger("photon.ws")

Handler = Callable[[WebSocket], object]

DEFAULTS = WebSocketSettings()


def run_websocket(
    request: Request,
    handler: Handler,
    settings: WebSocketSettings = DEFAULTS,
    *,
    origins: Origins = "same",
    on_disconnect: OnDisconnect = "cancel",
) -> Response:
    """Have `handler` speak WebSocket with whoever sent the request, until the end.

    Args:
        origins: whose pages may open it, see `origin.Origins`.
        on_disconnect: what a handler that does something else gets when its client leaves:
            "cancel" (`Cancelled` where it waits), "notify" (its next send raises, `ws.closed` is
            set) or "ignore" (what it sends is dropped).
    Returns: a response with the status 101, for middleware and logs: it is not sent.
    Raises: HTTPError, when there is no WebSocket; what the handler raises before it accepts.
    """
    ws = WebSocket(request, _checked_offer(request, origins), settings, on_disconnect)
    try:
        handler(ws)
    except BaseException as error:
        session = ws._session
        if session is None:
            if isinstance(error, WebSocketClosed):
                raise ClientDisconnected(error.reason) from error
            raise
        if request._after is not None and not _is_normal(error):
            request.ended_by = error  # for what is done then: see `exchange.finish`
        _conclude(session, *_ending(session, error), waits=not isinstance(error, Cancelled))
        if isinstance(error, Cancelled) and (error.scope is not None or error.source == "scope"):
            raise  # somebody above waits for it
    else:
        session = ws._session
        if session is None:
            logger.info(
                "%s: the handler returned without accepting, so the client got 403", request
            )
            raise HTTPError(403, "this WebSocket was not accepted")
        _conclude(session, NORMAL, "", waits=True)
    return Response(b"", SWITCHING_PROTOCOLS)


def _checked_offer(request: Request, origins: Origins) -> Offer:
    offer = read_offer(request)
    check_origin(request, origins)
    return offer


def _conclude(session: Session, code: int, reason: str, *, waits: bool) -> None:
    """Close it, if it is not closed, and let go of the connection."""
    session.departure.is_over = True
    try:
        session.close(code, reason)
        if waits:
            session.wait_for_end()
    except Cancelled as error:
        if error.scope is not None or error.source == "scope":
            raise
        # The server stops. Nobody is interrupted by that: the handler was over.
    finally:
        session.finish()


def _is_normal(error: BaseException) -> bool:
    """Whether it says no more than that the WebSocket is over, or the client gone."""
    if isinstance(error, BaseExceptionGroup):  # of a nursery
        return all(map(_is_normal, error.exceptions))
    if isinstance(error, Cancelled):
        return error.source == "disconnect" and error.scope is None
    return isinstance(error, WebSocketClosed)


def _fault_of_client(error: BaseException) -> InvalidMessage | PingTimeout | None:
    """What the client did to end it, be it in a nursery; None when it is not all of it."""
    if isinstance(error, BaseExceptionGroup):
        faults, others = error.split((InvalidMessage, PingTimeout))
        if faults is None or not (others is None or _is_normal(others)):
            return None
        error = first_of(faults)
    return error if isinstance(error, (InvalidMessage, PingTimeout)) else None


def _ending(session: Session, error: BaseException) -> tuple[int, str]:
    """Code and reason to close with, if the client is there; what is the server's fault is logged.

    It is for the client's programmers; of a failure in the server they are told nothing.
    """
    if _is_normal(error):
        return NORMAL, ""
    request = session.request
    fault = _fault_of_client(error)
    if fault is not None:
        logger.info("%s: the client is closed: %s", session, fault)
        if isinstance(fault, PingTimeout):
            return INTERNAL_ERROR, str(fault)
        return fault.code, fault.reason
    if isinstance(error, Cancelled) and error.source == "shutdown":
        return GOING_AWAY, "the server stops"
    failure = as_http_error(request, error)
    if failure is not None and failure.status < 500:
        return POLICY_VIOLATION, failure.detail or ""
    return INTERNAL_ERROR, f"the server failed (request {request.id})"
