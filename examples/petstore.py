"""A pet store whose document tells the truth: what it says of a request is what happens.

photon run examples.petstore:app

curl -i http://127.0.0.1:8000/pets -H 'X-API-Key: meow' \
    --json '{"name": "Tom", "category": "cat", "price": 1500}'
curl -i 'http://127.0.0.1:8000/pets?category=cat&category=dog&status=available&sort=-price'
curl -i http://127.0.0.1:8000/pets/1/photo -X PUT -H 'X-API-Key: meow' -F photo=@tom.jpg
curl -i http://127.0.0.1:8000/orders -H 'X-API-Key: meow' --json '{"pet_id": 1}'

The document is http://127.0.0.1:8000/openapi.json, and http://127.0.0.1:8000/docs shows it. Its
test has schemathesis compare the two: all that the document says with all that the store does.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import count
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, structs

from photon import (
    Depends,
    File,
    FormLimits,
    Group,
    HTTPError,
    Photon,
    Query,
    Reply,
    Request,
    Response,
    Security,
    UploadFile,
)
from photon.openapi import OpenAPI, Tag
from photon.security import APIKey, matches

# What there is...

Name = Annotated[str, Meta(min_length=1, max_length=50, examples=["Tom"])]
Price = Annotated[int, Meta(ge=0, le=1_000_000, description="In cents.", examples=[1500])]


class Category(StrEnum):
    CAT = "cat"
    DOG = "dog"
    FISH = "fish"


class Status(StrEnum):
    AVAILABLE = "available"
    SOLD = "sold"


class NewPet(Struct, forbid_unknown_fields=True):
    name: Name
    category: Category
    price: Price
    born: date | None = None


class Pet(Struct, kw_only=True):
    id: int
    name: Name
    category: Category
    price: Price
    born: date | None
    status: Status = Status.AVAILABLE


class PetChanges(Struct, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    name: Name | UnsetType = UNSET
    price: Price | UnsetType = UNSET


class Shelf(Struct):
    """All pets of one category."""

    category: Category
    available: int
    sold: int


class NewOrder(Struct, forbid_unknown_fields=True):
    pet_id: int
    note: Annotated[str, Meta(max_length=200)] = ""


class Order(Struct):
    id: int
    pet_id: int
    note: str
    placed_at: datetime


pets: dict[int, Pet] = {}
photos: dict[int, bytes] = {}
orders: dict[int, Order] = {}
pet_numbers, order_numbers = count(1), count(1)

# Who may change it...

api_key = APIKey("X-API-Key", description="Those who work here have one: `meow`.")


def keeper(key: Annotated[str, Depends(api_key)]) -> None:
    if not matches(key, "meow"):
        raise api_key.refusal("nobody here has this key")


KEEPERS = [Security(keeper)]
NO_PET = {404: "There is no such pet."}
NO_ORDER = {404: "There is no such order."}

# Pets...

pet_routes = Group("/pets", tags=["pets"])


class Wanted(Struct):
    """Which pets, in which order, and how many of them."""

    category: list[Category] = []
    status: list[Status] = []
    search: Annotated[str, Meta(description="A part of the name.")] = ""
    sort: Literal["id", "name", "-name", "price", "-price"] = "id"
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Annotated[int, Meta(ge=0)] = 0


class Page(Struct):
    pets: list[Pet]
    total: int


@pet_routes.get("")
def find_pets(wanted: Annotated[Wanted, Query()]) -> Page:
    """Look for pets."""
    found = [
        pet
        for pet in pets.values()
        if pet.category in (wanted.category or Category)
        and pet.status in (wanted.status or Status)
        and wanted.search.lower() in pet.name.lower()
    ]
    key = wanted.sort.removeprefix("-")
    found.sort(key=lambda pet: getattr(pet, key), reverse=wanted.sort != key)
    return Page(found[wanted.offset :][: wanted.limit], len(found))


@pet_routes.post(
    "",
    dependencies=KEEPERS,
    responses={201: Reply(type=Pet, headers={"location": "Where the pet is found."})},
)
def add_pet(new: NewPet, request: Request) -> tuple[Pet, Literal[201], dict[str, str]]:
    """Take in a pet."""
    pet = Pet(id=next(pet_numbers), **structs.asdict(new))
    pets[pet.id] = pet
    return pet, 201, {"location": app.url_for(request, "get_pet", id=pet.id)}


@pet_routes.get("/{id}", responses=NO_PET)
def get_pet(id: int) -> Pet:
    """Look at a pet."""
    if id not in pets:
        raise HTTPError(404, f"there is no pet {id}")
    return pets[id]


@pet_routes.patch("/{id}", dependencies=KEEPERS, responses=NO_PET)
def change_pet(id: int, changes: PetChanges) -> Pet:
    """Give a pet another name or price."""
    said = {name: value for name, value in structs.asdict(changes).items() if value is not UNSET}
    pets[id] = structs.replace(get_pet(id), **said)
    return pets[id]


@pet_routes.delete(
    "/{id}", dependencies=KEEPERS, responses={**NO_PET, 409: "The pet is sold: cancel the order."}
)
def remove_pet(id: int) -> None:
    """Let a pet go."""
    if get_pet(id).status is Status.SOLD:
        raise HTTPError(409, f"pet {id} is sold; cancel its order first")
    del pets[id]
    photos.pop(id, None)


@pet_routes.put(
    "/{id}/photo",
    dependencies=KEEPERS,
    responses={**NO_PET, 415: "The photo is no PNG or JPEG."},
    form_limits=FormLimits(files=1, file_bytes=1 << 20),
)
def set_photo(id: int, photo: Annotated[UploadFile, File()]) -> None:
    """Show what a pet looks like."""
    content = photo.read()
    if image_type(content) is None:  # what the client calls it is only what the client calls it
        raise HTTPError(415, "a photo is a PNG or a JPEG")
    photos[get_pet(id).id] = content


@pet_routes.get("/{id}/photo", responses={**NO_PET, 200: Reply(type=bytes, media_type="image/*")})
def get_photo(id: int) -> Response:
    """See what a pet looks like, or a silhouette."""
    get_pet(id)
    if id not in photos:
        return Response(SILHOUETTE, content_type="image/svg+xml")
    return Response(photos[id], content_type=image_type(photos[id]))


SILHOUETTE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2 2"><circle cx="1" cy="1" r="1"/></svg>'
)


def image_type(content: bytes) -> str | None:
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    return "image/jpeg" if content.startswith(b"\xff\xd8\xff") else None


# Orders...

order_routes = Group("/orders", tags=["orders"], dependencies=KEEPERS)


@order_routes.post("", responses={**NO_PET, 409: "Somebody was faster."})
def order_pet(new: NewOrder, request: Request) -> tuple[Order, Literal[201], dict[str, str]]:
    """Buy a pet."""
    pet = get_pet(new.pet_id)
    if pet.status is Status.SOLD:
        raise HTTPError(409, f"pet {pet.id} is sold already")
    pet.status = Status.SOLD
    order = Order(next(order_numbers), pet.id, new.note, datetime.now(UTC))
    orders[order.id] = order
    return order, 201, {"location": app.url_for(request, "get_order", id=order.id)}


@order_routes.get("/{id}", responses=NO_ORDER)
def get_order(id: int) -> Order:
    """Look at an order."""
    if id not in orders:
        raise HTTPError(404, f"there is no order {id}")
    return orders[id]


@order_routes.delete("/{id}", responses=NO_ORDER)
def cancel_order(id: int) -> None:
    """Bring a pet back."""
    pets[get_order(id).pet_id].status = Status.AVAILABLE
    del orders[id]


# All of it...

app = Photon(
    title="Pet store",
    version="1.0.0",
    openapi=OpenAPI(tags=[Tag("pets", "Who lives here."), Tag("orders", "Who moves out.")]),
)
app.include(pet_routes)
app.include(order_routes)


@app.get("/categories", tags=["pets"])
def list_categories() -> list[Shelf]:
    """How many pets of each kind there are."""

    def number(category: Category, status: Status) -> int:
        return sum((pet.category, pet.status) == (category, status) for pet in pets.values())

    return [
        Shelf(category, number(category, Status.AVAILABLE), number(category, Status.SOLD))
        for category in Category
    ]
