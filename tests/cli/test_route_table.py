"""The routes of an application as a table for people."""

from __future__ import annotations

import re
from typing import Any

import pytest

from photon.app.photon import Photon
from photon.cli.route_table import table
from photon.tasks.background import BackgroundTasks
from tests.cli.shop import make_hosts, make_shop


def lines_of(application: Any, width: int | None) -> list[str]:
    """The table, with places that are as long everywhere."""
    return [
        re.sub(r"[^\s(]*shop\.py:\d+", "shop.py:12", line) for line in table(application, width)
    ]


def test_each_route_has_a_line_where_there_is_room() -> None:
    text = "\n".join(re.sub(" +", " ", line) for line in lines_of(make_shop(), None))
    assert text.startswith("Shop 2.1\ninside the middleware RequestId, audit\n\nMETHOD PATH NAME")
    guarded = "guarded by signed_in"
    for line in (
        "GET / home (index) shop.py:12",
        "GET /chat chat shop.py:12 a WebSocket",
        "GET /items items.search shop.py:12 guarded by signed_in",
        "POST /items items.create shop.py:12 inside audit; guarded by signed_in; status 201",
        f"GET /items/{{id:int}} items.show shop.py:12 {guarded}; needs connection; timeout 2s",
        f"DELETE /items/{{id:int}} items.remove shop.py:12 {guarded}; deprecated; not in documents",
        "PUT,PATCH /raw/{rest:path} raw shop.py:12",
        "any /admin/… Admin 0.1.0, see below",
        "any /files/… plain (shop.py:12)",
        "GET /openapi.json the OpenAPI document",
        "GET /admin/users/{name} user shop.py:12",
    ):
        assert line in text.splitlines()
    assert "/api, version 2: Two 0.1.0" in text.splitlines()
    assert "chooses by the header api-version or version= in Accept" in text


def test_paths_stand_as_they_are_tried() -> None:
    paths = [line.split()[1] for line in lines_of(make_shop(), None)[4:13]]
    assert paths == [
        "/",
        "/chat",
        "/items",
        "/items",
        "/items/by-{year:int}.{form}",
        "/items/{id:int}",
        "/items/{id:int}",
        "/items/{id:int}/photo",
        "/items/{slug}",
    ]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140])
@pytest.mark.parametrize("make", [make_shop, make_hosts])
def test_lines_fit_the_terminal(width: int, make: Any) -> None:
    long = [line for line in lines_of(make(), width) if len(line) > width]
    # What cannot be folded: a heading, a place.
    assert not [line for line in long if line.startswith(("GET", "POST"))]


def test_notes_stand_below_the_path_where_there_is_no_room() -> None:
    lines = [line.split("  ")[-1].strip() for line in table(make_shop(), 80)]
    assert "a WebSocket" in lines


def test_an_application_without_routes_says_how_to_make_one() -> None:
    lines = table(Photon(openapi_url=None), 80)
    assert lines[-1] == 'It has no routes: @app.get("/") above a function makes one.'
    assert table(Photon(), 80)[-1] == lines[-1]


def test_what_the_house_provides_is_nothing_that_a_route_needs() -> None:
    app = Photon()

    @app.post("/orders")
    def order(tasks: BackgroundTasks) -> None: ...

    (line,) = [line for line in table(app, None) if "/orders" in line]
    assert "needs" not in line
