"""An echo on Robyn, which reads its address from ROBYN_HOST and ROBYN_PORT."""

from typing import Any

from robyn import Robyn

app = Robyn(__file__)


@app.websocket("/echo")
async def echo(websocket: Any) -> None:
    while True:
        await websocket.send_text(await websocket.receive_text())


if __name__ == "__main__":
    app.start()
