"""An echo on Flask-Sock, the usual way with Flask, under gunicorn's gevent worker."""

# mypy: disable-error-code="import-not-found"

from flask import Flask
from flask_sock import Sock

app = Flask(__name__)
sock = Sock(app)


@sock.route("/echo")
def echo(websocket: object) -> None:
    while True:
        websocket.send(websocket.receive())  # type: ignore[attr-defined]
