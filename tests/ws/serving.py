"""A server for one WebSocket handler, which is seen to leave nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from photon.http.errors import HTTPError
from photon.http.problems import problem_of
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.server import OnAnswer, Server
from photon.http.server.serving import serve
from photon.http.server.settings import ServerSettings, Timeouts
from photon.ws.origin import Origins
from photon.ws.running import Handler, run_websocket
from photon.ws.session import OnDisconnect
from photon.ws.settings import WebSocketSettings
from photon.ws.websocket import WebSocket
from tests.clients import expect_no_leaks


def echo(ws: WebSocket) -> None:
    for message in ws:
        ws.send(message)


class Seen:
    """What a handler notes for the test: the WebSocket, and what ended it."""

    def __init__(self) -> None:
        self.ws: Any = None
        self.notes: list[Any] = []
        self.error: BaseException | None = None

    def watching(self, handler: Handler) -> Handler:
        def run(ws: WebSocket) -> None:
            self.ws = ws
            try:
                handler(ws)
            except BaseException as error:
                self.error = error
                raise

        return run


@contextmanager
def serving(
    handler: Handler,
    *,
    origins: Origins = "same",
    on_disconnect: OnDisconnect = "cancel",
    on_answer: OnAnswer | None = None,
    server_settings: ServerSettings | None = None,
    seconds: dict[str, float] | None = None,
    **changed: Any,
) -> Iterator[Server]:
    """Serve `handler`; at the end no connection, greenlet or time-out may be left.

    Args: seconds: time-outs of the server; changed: of `WebSocketSettings`.
    """
    ws_settings = WebSocketSettings(**changed)

    def application(request: Request) -> Response:
        try:
            return run_websocket(
                request, handler, ws_settings, origins=origins, on_disconnect=on_disconnect
            )
        except HTTPError as error:
            return problem_of(error)

    given = server_settings or ServerSettings(timeouts=Timeouts(**(seconds or {})))
    with serve(application, settings=given, on_answer=on_answer) as server:
        yield server
        expect_no_leaks(server)
