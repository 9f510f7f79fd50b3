"""The application on Flask, under gunicorn's gevent worker (which patches time.sleep)."""

import time
from itertools import count

from flask import Flask, Response, abort, request

from loadtests.apps import TEXT_10K

app = Flask(__name__)
ids = count(1)


@app.get("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/<int:id>")
def get_item(id: int) -> dict[str, object]:
    return {"id": id, "q": request.args.get("q")}


@app.post("/items")
def create_item() -> dict[str, object]:
    item = request.get_json()
    if not isinstance(item.get("name"), str) or not isinstance(item.get("price"), int | float):
        abort(422)
    return {"name": item["name"], "price": item["price"], "id": next(ids)}


@app.get("/bytes10k")
def text() -> Response:
    return Response(TEXT_10K, mimetype="text/plain")


@app.get("/wait10")
def wait_10_ms() -> dict[str, str]:
    time.sleep(0.010)
    return {"message": "Hello, World!"}


@app.get("/wait50")
def wait_50_ms() -> dict[str, str]:
    time.sleep(0.050)
    return {"message": "Hello, World!"}
