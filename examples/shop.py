"""A shelf of items over HTTP: JSON in and out, errors as problems, one handler for an exception.

curl -i http://127.0.0.1:8000/items -d '{"name": "lamp", "price": 12.5}'
curl -i http://127.0.0.1:8000/items/1
"""

from itertools import count

import msgspec

from photon import HTTPError, Photon, Request, Response

app = Photon(title="Shop")
items: dict[int, "Item"] = {}
numbers = count(1)


class ItemIn(msgspec.Struct):
    name: str
    price: float


class Item(ItemIn):
    id: int


class OutOfStock(Exception):
    pass


@app.post("/items", status=201)
def create(request: Request) -> Item:
    wanted = request.json(ItemIn)  # a body of another shape is answered with 422
    item = Item(wanted.name, wanted.price, next(numbers))
    items[item.id] = item
    return item


@app.get("/items/{id}")
def show(id: int) -> Item:
    if id not in items:
        raise HTTPError(404, f"there is no item {id}")
    return items[id]


@app.delete("/items/{id}")
def remove(id: int) -> None:  # 204
    items.pop(id, None)


@app.post("/items/{id}/buy")
def buy(id: int) -> None:
    if id not in items:
        raise OutOfStock
    del items[id]


@app.exception_handler(OutOfStock)
def out_of_stock(request: Request, error: OutOfStock) -> Response:
    return Response.json({"sorry": "somebody was faster"}, status=409)
