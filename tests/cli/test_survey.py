"""The applications that one application consists of."""

from __future__ import annotations

from photon.app.choosing import Hosts
from photon.app.photon import Photon
from photon.cli.survey import described, handler_of, is_websocket, mounts_of, parts_of
from photon.http.static import StaticFiles
from tests.cli.shop import make_hosts, make_shop, plain


def test_mounted_applications_stand_below_their_prefix() -> None:
    assert [(part.where, described(part.application)) for part in parts_of(make_shop())] == [
        ("", "Shop 2.1"),
        ("/admin", "Admin 0.1.0"),
        ("/api", "Versions (1, 2)"),
        ("/api, version 1", "One 0.1.0"),
        ("/api, version 2", "Two 0.1.0"),
    ]


def test_hosts_are_told_with_all_within_them() -> None:
    wheres = [part.where for part in parts_of(make_hosts())]
    assert wheres[:3] == ["", "host shop.test", "/admin, host shop.test"]
    assert wheres[-1] == "host *.test"


def test_what_a_choice_cannot_look_into_is_a_part_too() -> None:
    parts = parts_of(Hosts({"a.test": plain}, default=plain))
    assert [part.where for part in parts] == ["", "host a.test", "any other host"]


def test_one_that_is_mounted_within_itself_ends() -> None:
    app, other = Photon(openapi_url=None), Photon(openapi_url=None)
    app.mount("/a", other)
    other.mount("/b", app)
    assert [part.where for part in parts_of(app)] == ["", "/a", "/a/b"]


def test_what_is_mounted_is_described(tmp_path: object) -> None:
    app = Photon()
    app.mount("/static", StaticFiles(str(tmp_path)))
    app.mount("/plain", plain)
    places = [described(mounted).partition(" (")[0] for _, mounted in mounts_of(app)]
    assert places == [
        "the page of the OpenAPI document",
        "the OpenAPI document",
        "plain",
        "StaticFiles",
    ]
    assert "shop.py:" in described(plain)


def test_routes_know_their_functions() -> None:
    named = {route.name: route for route in make_shop().router.routes}
    assert handler_of(named["items.show"]).__name__ == "show"
    assert [name for name, route in named.items() if is_websocket(route)] == ["chat"]
