"""An echo on Granian in RSGI, its own protocol."""

from typing import Any

CLOSED = 0
TEXT = 2


async def app(scope: Any, protocol: Any) -> None:
    transport = await protocol.accept()
    while True:
        message = await transport.receive()
        if message.kind == CLOSED:
            return
        if message.kind == TEXT:
            await transport.send_str(message.data)
        else:
            await transport.send_bytes(message.data)
