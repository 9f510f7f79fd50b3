"""What the applications of the bare servers share: no framework, so values are parsed by hand.

Bare WSGI, ASGI and RSGI differ only in how bytes come and go; `answer` is what lies between.
"""

import re
from itertools import count
from urllib.parse import parse_qs

import msgspec

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


encode = msgspec.json.Encoder().encode
decode_item = msgspec.json.Decoder(ItemIn).decode
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
    values = parse_qs(query).get("q") if query else None
    return 200, JSON, encode({"id": int(item[1]), "q": values[0] if values else None})


def create_item(body: bytes) -> tuple[int, str, bytes]:
    """What a POST of an item is answered with: status, media type, body."""
    try:
        item = decode_item(body)
    except msgspec.MsgspecError as error:
        return 422, TEXT, str(error).encode()
    return 200, JSON, encode(Item(item.name, item.price, next(ids)))
