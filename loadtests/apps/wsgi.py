"""The application as bare WSGI, for the servers that speak it."""

import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from loadtests.apps.raw import WAITS, answer, create

STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if environ["REQUEST_METHOD"] == "POST":
        status, media, body = create(path, environ["wsgi.input"].read())
    else:
        if path in WAITS:
            time.sleep(WAITS[path])
        status, media, body = answer(path, environ.get("QUERY_STRING", ""))
    headers = [("Content-Type", media), ("Content-Length", str(len(body)))]
    start_response(STATUS_LINES[status], headers)
    return [body]
