"""An application with some of everything, for commands that look at applications."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from photon.app.choosing import Hosts, Versions
from photon.app.group import Group
from photon.app.photon import Photon
from photon.binding.markers import Body, Depends, Form, Header, Path, Query
from photon.http.request import Request
from photon.http.response import Response
from photon.middleware.request_id import RequestId


class Item(msgspec.Struct):
    name: str


def never(what: str) -> int:
    raise AssertionError(what)


def audit(request: Request, application: Any) -> Response:
    raise AssertionError("middleware was called")


def connection() -> Iterator[int]:
    yield never("a provider was called")


def signed_in(token: Annotated[str, Header()]) -> None: ...


def plain(request: Request) -> Response:
    raise AssertionError("an application was called")


def make_shop(**options: Any) -> Photon:
    app = Photon(title="Shop", version="2.1", middleware=[RequestId(), audit], **options)
    items = Group("/items", name="items", dependencies=[Depends(signed_in)])

    @app.lifespan
    def life() -> Iterator[None]:
        never("the lifespan was run")
        yield

    @app.get("/", name="home")
    def index() -> str:
        raise NotImplementedError

    @items.get("")
    def search(tag: Annotated[list[str], Query(max_length=5)] = []) -> list[Item]:  # noqa: B006
        raise NotImplementedError

    @items.post("", status=201, middleware=[audit], responses={409: "taken"})
    def create(item: Item) -> Item:
        raise NotImplementedError

    @items.get("/{id:int}", timeout=2)
    def show(
        id: Annotated[int, Path(ge=1)], conn: Annotated[int, Depends(connection, concurrent=True)]
    ) -> Item | None: ...

    @items.get("/{slug}")
    def by_slug(slug: str) -> Item:
        raise NotImplementedError

    @items.delete("/{id:int}", deprecated=True, include_in_schema=False)
    def remove(id: int) -> None: ...

    @items.get("/by-{year:int}.{form}")
    def by_year(year: int, form: str) -> Item:
        raise NotImplementedError

    @items.put("/{id:int}/photo")
    def photo(id: int, caption: Annotated[str, Form()]) -> None: ...

    @app.route("/raw/{rest:path}", methods=["PUT", "PATCH"])
    def raw(rest: str, data: Annotated[bytes, Body(media_type="image/png")] = b"") -> Any: ...

    @app.websocket("/chat")
    def chat(ws: Any) -> None: ...

    app.include(items)
    app.mount("/admin", make_admin())
    app.mount("/files", plain)
    app.mount("/api", make_versions())
    return app


def make_admin() -> Photon:
    admin = Photon(title="Admin", openapi_url=None, middleware=[audit])

    @admin.get("/users/{name}")
    def user(name: str) -> str:
        raise NotImplementedError

    return admin


def make_versions(**options: Any) -> Versions:
    one, two = Photon(title="One", openapi_url=None), Photon(title="Two", openapi_url=None)

    @one.get("/things")
    def old_things() -> None: ...

    @two.get("/things")
    def things() -> None: ...

    return Versions({"1": one, "2": two}, **options)


def make_hosts() -> Hosts:
    return Hosts({"shop.test": make_shop(), "*.test": make_admin()})
