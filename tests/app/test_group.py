"""Groups: what stands below a prefix, in one place or in several."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from photon.app.group import Group
from photon.app.photon import Photon
from photon.binding.errors import HandlerError
from photon.binding.markers import Body, Depends
from photon.http.application import Application
from photon.http.errors import HTTPError
from photon.http.request import Request
from photon.http.response import Response
from photon.http.server.settings import ServerSettings, Timeouts
from photon.routing.errors import RouteConflict, TemplateError
from photon.runtime.greenlets import sleep
from photon.testing.client import TestClient

HERE = r"\(tests/app/test_group\.py:\d+\)"


def paths(app: Photon) -> list[str]:
    return [str(route.template) for route in app.router.routes]


def marking(name: str) -> Any:
    def mark(request: Request, application: Application) -> Response:
        response = application(request)
        response.headers.append("x-passed", name)
        return response

    return mark


# Where handlers stand...


def test_groups_within_groups_fill_all_their_placeholders() -> None:
    shops, items, parts = Group("/shops/{shop}"), Group("/items/{item:int}"), Group("/parts")

    @parts.get("/{part}")
    def part(shop: str, item: int, part: str) -> list[object]:
        return [shop, item, part]

    items.include(parts)
    shops.include(items)
    app = Photon()
    app.include(shops)
    client = TestClient(app)
    assert client.get("/shops/a/items/7/parts/b").json() == ["a", 7, "b"]
    assert client.get("/shops/a/items/x/parts/b").status == 404
    assert app.path_for("part", shop="a", item=7, part="b") == "/shops/a/items/7/parts/b"


def test_a_handler_that_does_not_take_a_placeholder_of_its_group_is_refused() -> None:
    group = Group("/shops/{shop}")

    @group.get("/")
    def index() -> None: ...

    with pytest.raises(HandlerError, match=f"index {HERE} does not take 'shop' from the path"):
        Photon().include(group)


@pytest.mark.parametrize(
    ("prefix", "path", "full"),
    [
        ("/items", "", "/items"),
        ("/items", "/", "/items/"),
        ("/items", "/all", "/items/all"),
        ("", "/", "/"),
        ("", "/all", "/all"),
    ],
)
def test_a_path_goes_on_where_the_prefix_ends(prefix: str, path: str, full: str) -> None:
    app = Photon()
    group = Group(prefix)
    group.get(path)(lambda: "x")
    app.include(group)
    assert paths(app) == [full]
    assert TestClient(app).get(full).text == "x"


def test_a_group_without_a_prefix_may_be_given_one() -> None:
    app = Photon()
    group = Group()
    group.get("")(lambda: "x")
    app.include(group, "/items")
    assert paths(app) == ["/items"]


def test_an_empty_path_of_all_is_refused() -> None:
    group = Group()
    group.get("")(lambda: "x")
    with pytest.raises(TemplateError):
        Photon().include(group)


def test_what_is_registered_after_the_group_was_included_counts() -> None:
    app, other = Photon(), Photon()
    outer, inner = Group("/outer"), Group("/inner")
    app.include(outer)
    outer.include(inner)
    inner.get("/one")(lambda: "1")
    other.include(outer, "/other")
    inner.get("/two")(lambda: "2")
    outer.get("/three")(lambda: "3")
    assert paths(app) == ["/outer/inner/one", "/outer/inner/two", "/outer/three"]
    assert paths(other) == [f"/other{path}" for path in paths(app)]
    assert TestClient(other).get("/other/outer/inner/two").text == "2"


def test_a_group_that_was_added_to_while_the_application_runs_answers() -> None:
    app, group = Photon(), Group("/items")
    app.include(group)
    with TestClient(app) as client:
        assert client.get("/items").status == 404
        group.get("")(lambda: "x")
        assert client.get("/items").text == "x"


def test_one_group_may_stand_in_several_places() -> None:
    group = Group("/items", name="items")

    @group.get("/{id}", name="one")
    def one(id: str) -> str:
        return id

    app = Photon()
    app.include(group, "/v1", name="v1", deprecated=True)
    app.include(group, "/v2", name="v2")
    client = TestClient(app)
    assert [client.get(f"/{version}/items/7").text for version in ("v1", "v2")] == ["7", "7"]
    assert app.path_for("v1.items.one", id="7") == "/v1/items/7"
    assert app.path_for("v2.items.one", id="7") == "/v2/items/7"
    assert [operation.deprecated for _, operation in app.operations] == [True, False]


def test_every_decorator_is_there() -> None:
    app, group = Photon(), Group("/x")
    methods = ["get", "head", "post", "put", "patch", "delete", "options"]
    for method in methods:
        getattr(group, method)("")(lambda: "x")
    group.route("/y", ["GET", "POST"])(lambda: "y")
    group.websocket("/chat/{room}", name="chat")(lambda ws, room: None)
    app.include(group, name="g")
    client = TestClient(app)
    for method in methods:
        assert client.request(method.upper(), "/x").status == 200
    assert client.post("/x/y").text == "y"
    assert client.get("/x/chat/a").status == 426
    assert app.path_for("g.chat", room="a") == "/x/chat/a"


# What they have in common...


def test_middleware_stands_in_the_order_of_the_groups_outermost_first() -> None:
    outer = Group("/a", middleware=[marking("outer one"), marking("outer two")])
    inner = Group("/b", middleware=[marking("inner")])
    inner.get("/c", middleware=[marking("route")])(lambda: "x")
    outer.include(inner, middleware=[marking("inner include")])
    app = Photon(middleware=[marking("app")])
    app.include(outer, middleware=[marking("include")])
    # Each adds its name on the way out, so the innermost is the first.
    passed = TestClient(app).get("/a/b/c").headers.get_all("x-passed")
    assert list(reversed(passed)) == [
        "app", "include", "outer one", "outer two", "inner include", "inner", "route"
    ]  # fmt: skip


def test_middleware_of_a_group_stands_around_its_routes_alone() -> None:
    group = Group("/a", middleware=[marking("group")])
    group.get("")(lambda: "x")

    @group.get("/fails")
    def fails() -> None:
        raise HTTPError(409, "no")

    app = Photon()
    app.get("/b")(lambda: "x")
    app.include(group)
    client = TestClient(app)
    assert client.get("/a").headers["x-passed"] == "group"
    assert client.get("/a/fails").headers["x-passed"] == "group"
    for elsewhere in ("/b", "/a/nowhere"):
        assert "x-passed" not in client.get(elsewhere).headers
    assert "x-passed" not in client.post("/a").headers


def test_guards_of_groups_come_first_and_from_the_outside() -> None:
    story: list[str] = []

    def guard(name: str, refuses: bool = False) -> Any:
        def provider() -> None:
            story.append(name)
            if refuses:
                raise HTTPError(403, name)

        return Depends(provider)

    outer = Group("/a", dependencies=[guard("outer")])
    inner = Group("/b", dependencies=[guard("inner", refuses=True)])

    @inner.post("/c", dependencies=[guard("route")])
    def post(body: dict[str, int]) -> str:
        return "x"

    outer.include(inner)
    app = Photon()
    app.include(outer, dependencies=[guard("include")])
    # Strangers do not learn that their body would not do.
    assert TestClient(app).post("/a/b/c", content=b"no json").status == 403
    assert story == ["include", "outer", "inner"]


def test_limits_are_inherited_and_may_be_changed() -> None:
    group = Group("/a", body_limit=5, timeout=0.02)

    @group.post("/small")
    def small(body: Annotated[bytes, Body()]) -> int:
        return len(body)

    @group.post("/large", body_limit=50)
    def large(body: Annotated[bytes, Body()]) -> int:
        return len(body)

    cleaned: list[str] = []

    @group.get("/slow")
    def slow() -> None:
        try:
            sleep(60)
        finally:
            cleaned.append("slow")

    app = Photon()
    app.include(group)
    settings = ServerSettings(timeouts=Timeouts(handler_s=30))
    client = TestClient(app, settings=settings, raise_server_exceptions=False)
    assert client.post("/a/small", content=b"12345").json() == 5
    assert client.post("/a/small", content=b"123456").status == 413
    assert client.post("/a/large", content=b"123456").json() == 6
    assert client.get("/a/slow").status == 504
    assert cleaned == ["slow"]


def test_formats_are_inherited_and_may_be_changed() -> None:
    group = Group("/a", formats=["json", "msgpack"])
    group.get("/both")(lambda: {"a": 1})
    group.get("/json", formats=["json"])(lambda: {"a": 1})
    app = Photon()
    app.include(group)
    client = TestClient(app, headers={"accept": "application/msgpack, application/json;q=0.5"})
    assert client.get("/a/both").headers["content-type"] == "application/msgpack"
    assert client.get("/a/json").headers["content-type"] == "application/json"


def test_documents_show_what_is_said_of_groups() -> None:
    group = Group("/a", tags=["a"], deprecated=True, responses={404: "no a", 409: "taken"})
    group.get("/old")(lambda: "x")
    group.get("/new", deprecated=False, tags=["b"], responses={404: "none"})(lambda: "x")
    secret = Group("/secret", include_in_schema=False)
    secret.get("", include_in_schema=True)(lambda: "x")
    group.include(secret)
    app = Photon()
    app.include(group)
    documented = app.openapi()["paths"]
    assert sorted(documented) == ["/a/new", "/a/old"]
    old, new = documented["/a/old"]["get"], documented["/a/new"]["get"]
    assert (old["tags"], new["tags"]) == (["a"], ["a", "b"])
    assert old["deprecated"]
    assert not new.get("deprecated", False)
    assert old["responses"]["404"]["description"] == "no a"
    assert new["responses"]["404"]["description"] == "none"
    assert new["responses"]["409"]["description"] == "taken"


# What goes wrong...


def test_a_conflict_names_both_places() -> None:
    app, one, two = Photon(), Group("/items"), Group("/items")
    one.get("/{id}")(lambda id: id)
    two.get("/{other}")(lambda other: other)
    app.include(one)
    with pytest.raises(RouteConflict) as caught:
        app.include(two)
    assert str(caught.value).count("test_group.py:") == 2


def test_a_group_that_is_refused_leaves_nothing_behind() -> None:
    app, group = Photon(), Group("/items")
    app.get("/items/taken")(lambda: "app")
    group.get("/free")(lambda: "group")
    group.get("/taken")(lambda: "group")
    with pytest.raises(RouteConflict):
        app.include(group)
    assert paths(app) == ["/items/taken"]
    # Nor does it hear of what comes later.
    group.get("/more")(lambda: "group")
    assert paths(app) == ["/items/taken"]
    app.include(group, "/elsewhere")
    assert TestClient(app).get("/elsewhere/items/taken").text == "group"


def test_a_handler_that_one_place_refuses_stands_nowhere() -> None:
    first, second, outer, group = Photon(), Photon(), Group("/outer"), Group("/items")
    first.include(group)
    outer.include(group)
    second.include(outer)
    second.get("/outer/items/taken")(lambda: "app")
    with pytest.raises(RouteConflict):
        group.get("/taken")(lambda: "group")
    assert paths(first) == []
    assert paths(second) == ["/outer/items/taken"]
    third = Photon()
    third.include(group)
    third.include(outer)
    assert paths(third) == []
    group.get("/free")(lambda: "group")
    assert paths(first) == ["/items/free"]
    assert paths(second) == ["/outer/items/taken", "/outer/items/free"]
    assert sorted(paths(third)) == ["/items/free", "/outer/items/free"]


def test_two_places_in_one_application_that_conflict_leave_nothing() -> None:
    app, group = Photon(), Group()
    app.include(group, "/a")
    app.include(group, "/{name}")
    with pytest.raises(HandlerError, match="does not take 'name'"):
        group.get("/x")(lambda: "x")
    assert paths(app) == []
    assert app.openapi()["paths"] == {}


def test_a_group_cannot_contain_itself() -> None:
    one, two, three = Group("/1"), Group("/2"), Group("/3")
    one.include(two)
    two.include(three)
    for outer, inner in ((one, one), (two, one), (three, one), (three, two)):
        with pytest.raises(ValueError, match=r"<Group /. 0 routes> would contain itself"):
            outer.include(inner)
    with pytest.raises(ValueError, match="a prefix begins with"):
        three.include(Group("/4"), "no")
    one.include(three)  # twice is no circle


def test_a_group_that_was_refused_is_not_contained() -> None:
    one, two = Group(), Group()
    with pytest.raises(ValueError, match="a prefix begins with"):
        one.include(two, "no")
    two.include(one)


@pytest.mark.parametrize("prefix", ["items", "items/", "/items/"])
def test_a_prefix_that_will_not_do_is_told_with_one_that_does(prefix: str) -> None:
    with pytest.raises(ValueError, match=r"write '/items'$"):
        Group(prefix)
    with pytest.raises(ValueError, match=r"write '/items'$"):
        Photon().include(Group(), prefix)
    for none in (5, None, ["/items"]):
        with pytest.raises(TypeError, match="a prefix is text such as '/items', not "):
            Group(none)  # type: ignore[arg-type]


def test_a_prefix_that_cannot_be_read_is_refused_with_the_handler() -> None:
    group = Group("/items/{id")

    @group.get("")
    def item(id: str) -> None: ...

    with pytest.raises(TemplateError) as caught:
        Photon().include(group)
    (note,) = caught.value.__notes__
    assert "the path of test_a_prefix" in note
    assert "test_group.py:" in note


def test_a_path_without_its_slash_is_refused() -> None:
    with pytest.raises(ValueError, match="'' or begins with '/': write '/all' for 'all'"):
        Group("/items").get("all")
    with pytest.raises(TypeError, match=r'@group.get needs a path: @group.get\("/..."\)'):
        Group("/items").get(lambda: "x")  # type: ignore[arg-type]


@pytest.mark.parametrize("other", [Photon(), None, "items", Group])
def test_what_is_no_group_is_refused(other: Any) -> None:
    for registrar in (Photon(), Group()):
        with pytest.raises(TypeError, match=r"takes a Group, not .*; an application is mounted: "):
            registrar.include(other)


def test_a_group_says_what_it_is() -> None:
    group = Group("/items")
    group.get("/")(lambda: "x")
    assert repr(group) == "<Group /items 1 routes>"
    assert repr(Group()) == "<Group / 0 routes>"
