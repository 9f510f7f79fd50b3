"""The application on Photon, and a small shop whose customers are in `loadtests/locustfile.py`."""

import time
from itertools import count
from typing import Annotated

import msgspec
from msgspec import Meta

from loadtests.apps import TEXT_10K
from photon import HTTPError, Photon

app = Photon()


class Found(msgspec.Struct):
    id: int
    q: str | None
    limit: int


class ItemIn(msgspec.Struct):
    name: str
    price: float


class Item(ItemIn):
    id: int


class Order(msgspec.Struct):
    sku: Annotated[str, Meta(min_length=3, max_length=32)]
    quantity: Annotated[int, Meta(ge=1, le=1000)]
    price: Annotated[float, Meta(gt=0)]
    gift: bool
    email: Annotated[str, Meta(max_length=100)]


class Profile(msgspec.Struct):
    name: Annotated[str, Meta(min_length=1)]
    email: Annotated[str, Meta(pattern="@")]
    age: Annotated[int, Meta(ge=0, le=150)]
    height: float
    score: Annotated[int, Meta(le=100)]
    active: bool
    country: Annotated[str, Meta(max_length=2)]
    visits: int
    rating: Annotated[float, Meta(le=5)]
    code: str


ids = count(1)


@app.get("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/{id}")
def get_item(id: int, q: str | None = None, limit: int = 10) -> Found:
    return Found(id, q, limit)


@app.post("/items")
def create_item(item: ItemIn) -> Item:
    return Item(item.name, item.price, next(ids))


@app.post("/orders")
def create_order(order: Order) -> Order:
    return order


@app.post("/profiles")
def create_profile(profile: Profile) -> Profile:
    return profile


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


@app.post("/shop", status=201)
def offer(item: ItemIn) -> Item:
    offered = Item(item.name, item.price, next(ids))
    goods[offered.id] = offered
    while len(goods) > MAX_GOODS:
        del goods[next(iter(goods))]
    return offered


@app.get("/shop/{id}")
def look_up(id: int) -> Item:
    if id not in goods:
        raise HTTPError(404, f"nothing is sold under {id}")
    return goods[id]
