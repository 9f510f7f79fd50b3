"""The application on Robyn, a framework whose server and router are Rust.

Robyn starts itself and reads its own flags, so the address comes by ROBYN_HOST and ROBYN_PORT.
"""

import asyncio
from itertools import count

from robyn import Request, Response, Robyn

from loadtests.apps import TEXT_10K
from loadtests.apps.by_hand import is_item, is_order, order_of

app = Robyn(__file__)
ids = count(1)


@app.get("/json")
async def message() -> dict[str, str]:
    return {"message": "Hello, World!"}


@app.get("/items/:id")
async def get_item(request: Request) -> dict[str, object]:
    query = request.query_params
    limit = int(query.get("limit", None) or 10)
    return {"id": int(request.path_params["id"]), "q": query.get("q", None), "limit": limit}


@app.post("/items")
async def create_item(request: Request) -> dict[str, object] | Response:
    item = request.json()
    if not is_item(item):
        return Response(status_code=422, headers={}, description="name and price are needed")
    return {"name": item["name"], "price": item["price"], "id": next(ids)}


@app.post("/orders")
async def create_order(request: Request) -> dict[str, object] | Response:
    order = request.json()
    if not is_order(order):
        return Response(status_code=422, headers={}, description="an order has five fields")
    return order_of(order)


@app.get("/bytes10k")
async def text() -> str:
    return TEXT_10K


@app.get("/wait10")
async def wait_10_ms() -> dict[str, str]:
    await asyncio.sleep(0.010)
    return {"message": "Hello, World!"}


@app.get("/wait50")
async def wait_50_ms() -> dict[str, str]:
    await asyncio.sleep(0.050)
    return {"message": "Hello, World!"}


if __name__ == "__main__":
    app.start()
