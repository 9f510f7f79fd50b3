"""The application on Photon, and a small shop whose customers are in `loadtests/locustfile.py`."""

import time
from itertools import count

import msgspec

from loadtests.apps import TEXT_10K
from photon import HTTPError, Photon, Request, Response

app = Photon()


class ItemIn(msgspec.Struct):
    name: str
    price: float


class Item(ItemIn):
    id: int


ids = count(1)


@app.get("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/{id}")
def get_item(id: int, request: Request) -> dict[str, object]:
    return {"id": id, "q": request.query.get("q")}


@app.post("/items")
def create_item(request: Request) -> Item:
    item = request.json(ItemIn)
    return Item(item.name, item.price, next(ids))


@app.get("/bytes10k")
def text() -> str:
    return TEXT_10K


@app.get("/wait10")
def wait_10_ms() -> dict[str, str]:
    time.sleep(0.010)
    return {"message": "Hello, World!"}


@app.get("/wait50")
def wait_50_ms() -> dict[str, str]:
    time.sleep(0.050)
    return {"message": "Hello, World!"}


# The shop: what it sells is remembered, up to a bound, so that a long siege ends in the same
# memory as a short one...

MAX_GOODS = 10_000
goods: dict[int, Item] = {}


@app.post("/shop")
def offer(request: Request) -> Response:
    item = request.json(ItemIn)
    offered = Item(item.name, item.price, next(ids))
    goods[offered.id] = offered
    while len(goods) > MAX_GOODS:
        del goods[next(iter(goods))]
    return Response.json(offered, status=201)


@app.get("/shop/{id}")
def look_up(id: int) -> Item:
    if id not in goods:
        raise HTTPError(404, f"nothing is sold under {id}")
    return goods[id]
