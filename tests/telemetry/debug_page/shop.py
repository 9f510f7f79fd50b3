"""An application whose handlers fail in every way, as one that is developed."""

from __future__ import annotations

from typing import Any

import msgspec

from photon.app.photon import Photon
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.runtime.cancel import fail_after
from photon.runtime.greenlets import sleep_forever
from photon.runtime.nursery import nursery

ATTACK = "</pre></script><script>alert(1)</script>\"'<img src=x onerror=alert(2)>"


class Item(msgspec.Struct):
    name: str
    api_key: str = "sk_live_4242"


def make_app() -> Photon:
    app = Photon(title="Shop", docs_url=None, openapi_url=None)

    @app.get("/cart/{number:int}")
    def cart(number: int, currency: str = "GBP") -> float:
        items = [Item("soap"), Item(ATTACK)]
        password = "hunter2!x"
        settings = {"db_password": "p4ssw0rd", "url": "postgres://me:t0psecret@db/x"}
        return price(items, currency, password, settings)

    def price(items: list[Item], currency: str, key: str, settings: dict[str, str]) -> float:
        names = [item.name for item in items]
        # A function that is longer than what is shown of it at first.
        lengths = [len(name) for name in names]
        total = 0
        for length in lengths:
            total += length
        del settings, names, lengths
        try:
            return {"EUR": 1.0}[currency]
        except KeyError as error:
            raise LookupError(f"no price in {currency!r} for {key}") from error

    @app.post("/says")
    def says(request: Request) -> None:
        request.body()
        raise ValueError(ATTACK)

    @app.get("/says/{text}")
    def says_path(text: str) -> None:
        raise ValueError(text)

    def load(name: str) -> None:
        raise LookupError(f"no user {name!r}")

    @app.get("/nursery")
    def in_a_nursery() -> None:
        with nursery() as n:
            n.spawn(load, "ann")
            try:
                sleep_forever()
            finally:
                raise ValueError("at the end")

    @app.get("/slow", timeout=0.01)
    def slow() -> None:
        sleep_forever()

    @app.get("/too-long")
    def too_long() -> None:
        with fail_after(0.01):
            sleep_forever()

    @app.get("/deep")
    def deep() -> None:
        def deeper(number: int) -> Any:
            return deeper(number + 1)

        deeper(0)

    @app.get("/on-purpose")
    def on_purpose() -> None:
        raise HTTPError(503, "closed for lunch")

    @app.get("/exits")
    def exits() -> None:
        raise SystemExit(3)

    return app
