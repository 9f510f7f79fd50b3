"""What the applications of the bare servers share: no framework, so values are parsed by hand.

Bare WSGI, ASGI and RSGI differ only in how bytes come and go; `answer` is what lies between.
"""

import re
from itertools import count
from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta

from loadtests.apps import TEXT_10K

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
WAITS = {"/wait10": 0.010, "/wait50": 0.050}
ITEM_PATH = re.compile("/items/([0-9]+)")


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


encode = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(ItemIn).decode
decode_order = msgspec.json.Decoder(Order).decode
ids = count(1)


def answer(path: str, query: str) -> tuple[int, str, bytes]:
    """What a GET is answered with, once any wait is over: status, media type, body."""
    if path == "/json" or path in WAITS:
        return 200, JSON, encode({"message": "Hello, World!"})
    if path == "/bytes10k":
        return 200, TEXT, TEXT_10K.encode()
    item = ITEM_PATH.fullmatch(path)
    if item is None:
        return 404, TEXT, b"not found"
    try:
        q, limit = parse_query(query) if query else (None, 10)
    except ValueError as error:
        return 422, TEXT, str(error).encode()
    return 200, JSON, encode({"id": int(item[1]), "q": q, "limit": limit})


def parse_query(query: str) -> tuple[str | None, int]:
    """The two query values.   Raises: ValueError."""
    values = parse_qs(query)
    limit = int(values["limit"][-1]) if "limit" in values else 10
    return values["q"][-1] if "q" in values else None, limit


def create(path: str, body: bytes) -> tuple[int, str, bytes]:
    """What a POST of an item or an order is answered with: status, media type, body."""
    try:
        if path == "/orders":
            return 200, JSON, encode(decode_order(body))
        item = decode_item(body)
    except msgspec.MsgspecError as error:
        return 422, TEXT, str(error).encode()
    return 200, JSON, encode(Item(item.name, item.price, next(ids)))
