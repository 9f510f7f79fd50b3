"""An echo on gevent-websocket, the older way on greenlets, under gunicorn's own worker for it."""

from collections.abc import Callable, Iterable
from typing import Any


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    websocket = environ["wsgi.websocket"]
    while True:
        message = websocket.receive()
        if message is None:
            return []
        websocket.send(message)
