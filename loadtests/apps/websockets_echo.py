"""An echo on the `websockets` library's own servers: asyncio (with uvloop), or threads."""

# mypy: disable-error-code="import-not-found"

import argparse
from typing import Any

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.sync.server import ServerConnection as SyncConnection
from websockets.sync.server import serve as serve_in_threads


async def echo(websocket: ServerConnection) -> None:
    async for message in websocket:
        await websocket.send(message)


def echo_in_thread(websocket: SyncConnection) -> None:
    for message in websocket:
        websocket.send(message)


async def run(host: str, port: int, settings: dict[str, Any]) -> None:
    async with serve(echo, host, port, **settings) as server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--threads", action="store_true", help="a thread for each connection")
    parser.add_argument("--autobahn", action="store_true", help="messages of any size, deflate")
    options = parser.parse_args()
    if options.autobahn:
        settings: dict[str, Any] = {"max_size": None}  # deflate is its default
    else:
        settings = {"compression": None}
    if options.threads:
        with serve_in_threads(echo_in_thread, options.host, options.port, **settings) as server:
            server.serve_forever()
    else:
        uvloop.run(run(options.host, options.port, settings))
