"""An echo on Photon for Autobahn's fuzzing client: messages of 16 MiB, and permessage-deflate."""

from photon import Photon
from photon.ws.settings import Deflate, WebSocketSettings
from photon.ws.websocket import WebSocket

LARGEST = 16 * 1024 * 1024  # case 9.1.6
MOST_FRAMES = 65_537  # case 9.3.1: 4 MiB in pieces of 64 bytes, and an empty last one

app = Photon(
    websockets=WebSocketSettings(
        message_bytes=LARGEST,
        frame_bytes=LARGEST,
        message_frames=MOST_FRAMES,
        deflate=Deflate(),
    )
)


@app.websocket("/echo")
def echo(websocket: WebSocket) -> None:
    for message in websocket:
        websocket.send(message)
