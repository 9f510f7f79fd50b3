"""Tables: made from one another, compiled when they are asked."""

import pytest

from photon.routing.errors import RouteConflict
from photon.routing.route import Route
from photon.routing.table import Table


def route(template: str, *methods: str, place: str = "") -> Route:
    return Route(template, methods or ("GET",), template, place=place)


def test_a_change_makes_another_table() -> None:
    a, b = route("/a"), route("/b")
    one = Table().with_routes([a])
    two = one.with_routes([b])
    assert (one.routes, two.routes) == ((a,), (a, b))
    assert two.without([a]).routes == (b,)
    assert two.routes == (a, b)


def test_finders_are_compiled_when_they_are_used() -> None:
    table = Table().with_routes([route("/a", "GET", "POST")])
    assert not table.finders
    table.match_slowly("GET", "/a")
    assert set(table.finders) == {"GET"}
    table.compile()
    assert set(table.finders) == {"GET", "HEAD", "POST"}


def test_unknown_methods_leave_no_trace() -> None:
    table = Table().with_routes([route("/a")])
    table.compile()
    for i in range(100):
        assert table.allowed(f"/{i}") == ()
        with pytest.raises(Exception, match="no route"):
            table.match_slowly(f"M{i}", "/b")
    assert set(table.finders) == {"GET", "HEAD"}


def test_head_shares_the_finder_of_get_unless_it_has_routes() -> None:
    table = Table().with_routes([route("/a")])
    table.compile()
    assert table.finders["HEAD"] is table.finders["GET"]


def test_a_conflict_names_both_routes_and_the_way_out() -> None:
    table = Table().with_routes([route("/a/{x}", "GET", "PUT", place="app.py:12")])
    with pytest.raises(RouteConflict) as caught:
        table.with_routes([route("/a/{y}", "POST", "PUT", place="views.py:7")])
    assert str(caught.value) == (
        "POST,PUT /a/{y} (views.py:7) and GET,PUT /a/{x} (app.py:12) would take the same PUT"
        " requests: give one of them another template or method, or remove the registered one"
        " first"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/a", "/a"),
        ("/{x}", "/{y}"),
        ("/{x:int}/b", "/{y:int}/b"),
        ("/{a}-{b:int}", "/{c}-{d:int}"),
        ("/{r:path}", "/{s:path}"),
    ],
)
def test_equivalent_templates_conflict(one: str, other: str) -> None:
    with pytest.raises(RouteConflict):
        Table().with_routes([route(one), route(other)])
    Table().with_routes([route(one), route(other, "POST")])


def test_the_same_route_twice_is_a_conflict() -> None:
    a = route("/a")
    with pytest.raises(RouteConflict):
        Table().with_routes([a, a])


def test_what_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(ValueError, match="not registered"):
        Table().with_routes([route("/a")]).without([route("/a")])
