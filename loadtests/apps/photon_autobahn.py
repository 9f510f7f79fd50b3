"""An echo on Photon for Autobahn's fuzzing client: messages of 16 MiB, and permessage-deflate."""

from photon import Photon
from photon.ws.settings import Deflate, WebSocketSettings
from photon.ws.websocket import WebSocket

LARGEST = 16 * 1024 * 1024  # case 9.1.6

app = Photon(
    websockets=WebSocketSettings(message_bytes=LARGEST, frame_bytes=LARGEST, deflate=Deflate())
)


@app.websocket("/echo")
def echo(websocket: WebSocket) -> None:
    for message in websocket:
        websocket.send(message)
