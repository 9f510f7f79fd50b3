"""The application on Flask, under gunicorn's gevent worker (which patches time.sleep)."""

import time
from itertools import count

from flask import Flask, Response, abort, request

from loadtests.apps import TEXT_10K
from loadtests.apps.by_hand import is_item, is_order, order_of

app = Flask(__name__)
ids = count(1)


@app.get("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/<int:id>")
def get_item(id: int) -> dict[str, object]:
    limit = request.args.get("limit", default=10, type=int)
    return {"id": id, "q": request.args.get("q"), "limit": limit}


@app.post("/items")
def create_item() -> dict[str, object]:
    item = request.get_json()
    if not is_item(item):
        abort(422)
    return {"name": item["name"], "price": item["price"], "id": next(ids)}


@app.post("/orders")
def create_order() -> dict[str, object]:
    order = request.get_json()
    if not is_order(order):
        abort(422)
    return order_of(order)


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
