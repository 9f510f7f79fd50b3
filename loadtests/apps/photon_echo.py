"""An echo on Photon."""

from photon import Photon
from photon.ws.websocket import WebSocket

app = Photon()


@app.websocket("/echo")
def echo(websocket: WebSocket) -> None:
    for message in websocket:
        websocket.send(message)
