"""The application on uvicorn as bare ASGI: what every ASGI framework starts from."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from loadtests.apps.raw import WAITS, answer, create

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    path = scope["path"]
    if scope["method"] == "POST":
        status, media, body = create(path, await read_body(receive))
    else:
        if path in WAITS:
            await asyncio.sleep(WAITS[path])
        status, media, body = answer(path, scope["query_string"].decode())
    headers = [
        (b"content-type", media.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    while True:
        event = await receive()
        parts.append(event.get("body", b""))
        if not event.get("more_body", False):
            return b"".join(parts)
