"""The application on FastAPI: `async def` handlers, and the same as plain `def` below /sync."""

import asyncio
import time
from itertools import count
from typing import Annotated

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field

from loadtests.apps import TEXT_10K


class Message(BaseModel):
    message: str


class Found(BaseModel):
    id: int
    q: str | None
    limit: int


class ItemIn(BaseModel):
    name: str
    price: float


class Item(ItemIn):
    id: int


class Order(BaseModel):
    sku: Annotated[str, Field(min_length=3, max_length=32)]
    quantity: Annotated[int, Field(ge=1, le=1000)]
    price: Annotated[float, Field(gt=0)]
    gift: bool
    email: Annotated[str, Field(max_length=100)]


class Profile(BaseModel):
    name: Annotated[str, Field(min_length=1)]
    email: Annotated[str, Field(pattern="@")]
    age: Annotated[int, Field(ge=0, le=150)]
    height: float
    score: Annotated[int, Field(le=100)]
    active: bool
    country: Annotated[str, Field(max_length=2)]
    visits: int
    rating: Annotated[float, Field(le=5)]
    code: str


app = FastAPI()
sync = APIRouter(prefix="/sync")
ids = count(1)


@app.get("/json")
async def message() -> Message:
    return Message(message="Hello, World!")


@app.get("/items/{id}")
async def get_item(id: int, q: str | None = None, limit: int = 10) -> Found:
    return Found(id=id, q=q, limit=limit)


@app.post("/items")
async def create_item(item: ItemIn) -> Item:
    return Item(name=item.name, price=item.price, id=next(ids))


@app.post("/orders")
async def create_order(order: Order) -> Order:
    return order


@app.post("/profiles")
async def create_profile(profile: Profile) -> Profile:
    return profile


@app.get("/bytes10k")
async def text() -> PlainTextResponse:
    return PlainTextResponse(TEXT_10K)


@app.get("/wait10")
async def wait_10_ms() -> Message:
    await asyncio.sleep(0.010)
    return Message(message="Hello, World!")


@app.get("/wait50")
async def wait_50_ms() -> Message:
    await asyncio.sleep(0.050)
    return Message(message="Hello, World!")


# The same in the handlers most people write, which FastAPI runs in a pool of threads...


@sync.get("/json")
def sync_message() -> Message:
    return Message(message="Hello, World!")


@sync.get("/items/{id}")
def sync_get_item(id: int, q: str | None = None, limit: int = 10) -> Found:
    return Found(id=id, q=q, limit=limit)


@sync.post("/items")
def sync_create_item(item: ItemIn) -> Item:
    return Item(name=item.name, price=item.price, id=next(ids))


@sync.post("/orders")
def sync_create_order(order: Order) -> Order:
    return order


@sync.post("/profiles")
def sync_create_profile(profile: Profile) -> Profile:
    return profile


@sync.get("/bytes10k")
def sync_text() -> PlainTextResponse:
    return PlainTextResponse(TEXT_10K)


@sync.get("/wait10")
def sync_wait_10_ms() -> Message:
    time.sleep(0.010)
    return Message(message="Hello, World!")


@sync.get("/wait50")
def sync_wait_50_ms() -> Message:
    time.sleep(0.050)
    return Message(message="Hello, World!")


app.include_router(sync)
