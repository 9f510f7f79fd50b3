"""An echo on Photon."""

from photon import Photon, WebSocket

app = Photon()


@app.websocket("/echo")
def echo(websocket: WebSocket) -> None:
    for message in websocket:
        websocket.send(message)
