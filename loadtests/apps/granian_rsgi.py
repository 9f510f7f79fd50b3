"""The application on Granian, a Rust server, in RSGI, its own protocol."""

import asyncio
from typing import Any

from loadtests.apps.raw import WAITS, answer, create


async def app(scope: Any, protocol: Any) -> None:
    if scope.method == "POST":
        status, media, body = create(scope.path, await protocol())
    else:
        if scope.path in WAITS:
            await asyncio.sleep(WAITS[scope.path])
        status, media, body = answer(scope.path, scope.query_string)
    protocol.response_bytes(status, [("content-type", media)], body)
