"""Documents of real applications: what signatures say reaches the document, and it is valid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from photon import Photon
from photon.binding.markers import (
    Body,
    Cookie,
    Depends,
    File,
    Form,
    Header,
    Path,
    Query,
    Reply,
    Security,
)
from photon.http.request import Request
from photon.http.response import Response
from photon.http.uploads import UploadFile
from photon.openapi.document import OpenAPI, Tag
from photon.security.api_key import APIKey
from photon.security.basic import BasicCredentials, HTTPBasic
from photon.security.oauth2 import OAuth2Password, PasswordForm
from photon.testing.wire import Wire
from tests.openapi.plans import validate

T = TypeVar("T")


class Item(Struct):
    """A thing on the shelf."""

    name: Annotated[str, Meta(min_length=1)]
    price: Decimal = Decimal("1.5")
    made: datetime | None = None


class Page(Struct, Generic[T]):
    items: list[T]
    next: int | None = None


class Filters(Struct):
    tag: str = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 10


@dataclass
class User:
    name: str


class Cat(Struct, tag=True):
    lives: int


class Dog(Struct, tag=True):
    name: str


oauth = OAuth2Password("token", {"items:write": "Change items."})
basic = HTTPBasic(optional=True)


def user(token: Annotated[str, Depends(oauth)]) -> User:
    return User(token)


def paging(page: int = 1, per_page: Annotated[int, Query(le=100)] = 20) -> tuple[int, int]:
    return page, per_page


def shop() -> Photon:
    app = Photon(
        title="Shop", version="1.0", description="*Things.*", openapi=OpenAPI(tags=[Tag("items")])
    )

    @app.get("/items", tags=["items"], responses={404: "No such page."})
    def list_items(
        pages: Annotated[tuple[int, int], Depends(paging)],
        filters: Annotated[Filters, Query()],
        tags: Annotated[list[str], Query(style="pipeDelimited")] = [],  # noqa: B006
        x_client: Annotated[str | None, Header(description="Who asks.")] = None,
        session: Annotated[UUID | None, Cookie()] = None,
    ) -> Page[Item]:
        """All items.

        Page by page.
        """
        return Page([Item("x")])

    @app.post("/items", status=201, tags=["items"])
    def create_item(
        item: Item, who: Annotated[User, Security(user, scopes=["items:write"])]
    ) -> Item:
        return item

    @app.get("/items/{id:int}")
    def get_item(id: Annotated[int, Path(ge=1)]) -> Item | None:
        return None

    @app.put("/items/{id:int}")
    def put_item(id: int, item: Item, note: Annotated[str, Body()] = "") -> None: ...

    @app.delete("/items/{item_id:int}")
    def delete_item(
        item_id: int, who: Annotated[BasicCredentials | None, Depends(basic)]
    ) -> None: ...

    @app.post("/pets")
    def pet(pet: Cat | Dog) -> Cat | Dog:
        return pet

    @app.post("/token")
    def token(form: Annotated[PasswordForm, Form()]) -> dict[str, str]:
        return {}

    @app.post("/files")
    def upload(file: UploadFile, more: list[UploadFile], title: Annotated[str, Form()] = "") -> str:
        return title

    @app.put("/avatar")
    def avatar(image: Annotated[bytes, File()], at: Annotated[int, Form()] = 0) -> bytes:
        return image

    @app.put("/raw")
    def raw(data: Annotated[bytes, Body(media_type="image/png")]) -> None: ...

    @app.put("/stream/{rest:path}")
    def stream(rest: str, data: Annotated[Iterator[bytes], Body()]) -> Iterator[bytes]:
        yield from data

    @app.get("/key", responses={402: Reply(type=Item, description="Pay.")})
    def with_key(key: Annotated[str, Depends(APIKey("x-key"))]) -> tuple[Item, Literal[203]]:
        raise NotImplementedError

    @app.get("/plain/{name}.{ext}")
    def plain(request: Request, name: str, ext: str) -> Response:
        return Response(b"")

    @app.route("/many", ["GET", "POST", "OPTIONS"])
    def many(deep: Annotated[dict[str, str], Query(style="deepObject")]) -> Any:
        return deep

    return app


def test_the_document_of_a_shop() -> None:
    document = shop().openapi()
    validate(document)
    assert set(document["paths"]) == {
        "/items",
        "/items/{id}",
        "/pets",
        "/token",
        "/files",
        "/avatar",
        "/raw",
        "/stream/{rest}",
        "/key",
        "/plain/{name}.{ext}",
        "/many",
    }
    listed = document["paths"]["/items"]["get"]
    assert listed["summary"] == "All items"
    assert listed["operationId"] == "list_items"
    names = [(p["in"], p["name"]) for p in listed["parameters"]]
    assert set(names) == {
        ("query", "page"),
        ("query", "per_page"),
        ("query", "tag"),
        ("query", "limit"),
        ("query", "tags"),
        ("header", "x-client"),
        ("cookie", "session"),
    }
    assert document["paths"]["/items"]["post"]["security"] == [{"OAuth2Password": ["items:write"]}]
    assert set(document["paths"]["/items/{id}"]) == {"get", "put", "delete"}
    assert set(document["paths"]["/many"]) == {"get", "post", "options"}
    assert {"Item", "Page_Item", "Cat", "Dog", "Problem"} <= set(document["components"]["schemas"])


def test_it_is_served() -> None:
    with Wire(shop()) as wire:
        wire.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head, _, body = wire.receive().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert msgspec.json.decode(body) == shop().openapi()
