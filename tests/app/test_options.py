"""What is said of routes: what is refused, and how the options of groups join."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest

from photon.app.group import Group
from photon.app.options import Registration, join
from photon.app.photon import Photon
from photon.binding.markers import Depends
from photon.http.application import Application
from photon.http.forms import FormLimits
from photon.http.request import Request
from photon.http.response import Response
from photon.testing.client import TestClient


def around(request: Request, application: Application) -> Response:
    return application(request)


def guard() -> None: ...


# What is refused...


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"status_code": 201}, "has no option 'status_code': here it is status"),
        ({"response_model": int}, "has no option 'response_model': here it is response_type"),
        ({"methods": ["GET"]}, r"'methods': here it is @app.route\(path, methods=\[...\]\)"),
        ({"tag": ["a"]}, "has no option 'tag'; did you mean tags?"),
        ({"dependancies": []}, "did you mean dependencies?"),
        ({"zzz": 1}, "has no option 'zzz'; there are body_limit, "),
        ({"tags": "items"}, "tags is a list, not 'items'"),
        ({"tags": 5}, "tags is a list, not 5"),
        ({"tags": [5]}, "a tag is a text, not 5"),
        ({"dependencies": guard}, "dependencies is a list, not <function guard"),
        ({"dependencies": [guard]}, r"=\[guard \(tests/app/.*\)\] shall be \[Depends\(guard\)\]"),
        ({"middleware": around}, "middleware is a list, not <function around"),
        ({"middleware": [guard]}, "cannot be called with the request and the application"),
        ({"timeout": 0}, "timeout is seconds, more than 0, or None; not 0"),
        ({"timeout": -1}, "timeout is seconds"),
        ({"timeout": float("nan")}, "timeout is seconds"),
        ({"timeout": "5"}, "timeout is seconds, more than 0, or None; not '5'"),
        ({"body_limit": -1}, "body_limit is a number of bytes, not -1"),
        ({"body_limit": "1MB"}, "body_limit is a number of bytes, not '1MB'"),
        ({"form_limits": 5}, r"form_limits is a FormLimits\(...\), not 5"),
        ({"status": 42}, "a status is a whole number from 200 to 599"),
        ({"strict": "no"}, "strict is True or False, not 'no'"),
        ({"deprecated": 1}, "deprecated is True or False, not 1"),
        ({"include_in_schema": None}, "include_in_schema is True or False, not None"),
        ({"name": 5}, "name is a text, not 5"),
        ({"summary": None}, "summary is a text, not None"),
        ({"responses": [404]}, r"responses is a mapping, not \[404\]"),
        ({"responses": {"404": "x"}}, "responses are by status, such as 404, not by '404'"),
        ({"openapi": "x"}, "openapi is a mapping, not 'x'"),
        ({"formats": "json"}, "formats is a list, not 'json'"),
        ({"formats": []}, "formats names at least one, such as 'json'"),
    ],
)
def test_options_that_will_not_do_are_told_with_the_way_out(
    options: dict[str, Any], says: str
) -> None:
    registrars: list[Callable[[], object]] = [
        lambda: Photon().get("/", **options),
        lambda: Photon().webhook("made", **options),
        lambda: Group("/items", **options),
        lambda: Group("/items").get("/", **options),
        lambda: Photon().include(Group(), **options),
        lambda: Group().include(Group(), **options),
    ]
    for register in registrars:
        with pytest.raises(TypeError, match=says):
            register()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"status": 201}, "Photon has no option 'status': it is said of a route, or of a Group"),
        ({"root_path": "/api"}, "'root_path': mount the application at that path"),
        ({"exception_handlers": {}}, r"here it is @app.exception_handler\(...\)"),
        ({"import_name": "shop"}, r"an application needs no name: Photon\(\)"),
        ({"zzz": 1}, "; there are body_limit, check_responses, .*title, trailing_slash, version"),
        ({"doc_url": "/"}, "Photon has no option 'doc_url'; did you mean docs_url?"),
        ({"debug": True}, "'debug': photon dev, or PHOTON_DEV=1 in the environment"),
        ({"tags": "a"}, "Photon: tags is a list"),
        ({"trailing_slash": True}, 'trailing_slash is "strict", "redirect" or "ignore"'),
    ],
)
def test_so_are_those_of_an_application(options: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Photon(**options)


def test_a_format_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no format 'xml': name one of json, msgpack"):
        Photon(formats=["xml"])


def test_nothing_is_registered_by_what_was_refused() -> None:
    app = Photon()
    with pytest.raises(TypeError):
        app.get("/", zzz=1)(lambda: "x")  # type: ignore[call-arg]
    assert app.router.routes == ()


# How they join...


def test_lists_are_joined_the_outer_ones_first() -> None:
    one, two = Depends(guard), Depends(guard)
    outer = {"tags": ["a"], "dependencies": [one], "middleware": [around], "timeout": 5}
    inner = {"tags": ("b", "c"), "dependencies": [two]}
    assert join(outer, inner) == {
        "tags": ("a", "b", "c"),
        "dependencies": (one, two),
        "middleware": (around,),
        "timeout": 5,
    }
    assert outer["tags"] == ["a"]


@pytest.mark.parametrize(
    ("name", "outer", "inner"),
    [
        ("status", 201, 202),
        ("timeout", 5, None),
        ("strict", True, False),
        ("formats", ["json"], ["msgpack"]),
        ("body_limit", 10, 0),
        ("form_limits", FormLimits(), FormLimits()),
        ("deprecated", True, False),
        ("summary", "a", ""),
        ("response_type", int, None),
        ("openapi", {"x-a": 1}, {}),
    ],
)
def test_of_anything_else_the_inner_one_counts(name: str, outer: Any, inner: Any) -> None:
    assert join({name: outer}, {name: inner})[name] is inner
    assert join({name: outer}, {})[name] is outer
    assert join({}, {name: inner})[name] is inner


def test_of_responses_the_inner_one_wins_by_status() -> None:
    joined = join({"responses": {404: "a", 409: "b"}}, {"responses": {404: "c"}})
    assert joined["responses"] == {404: "c", 409: "b"}


def test_what_the_outer_one_hides_stays_hidden() -> None:
    hidden, shown = {"include_in_schema": False}, {"include_in_schema": True}
    assert join(hidden, shown) == join(shown, hidden) == join(hidden, {}) == hidden
    assert join(shown, {}) == shown


def test_names_are_joined_with_a_dot() -> None:
    def list_items() -> None: ...

    plain = Registration(
        decorator="get", path="/", methods=("GET",), handler=list_items, options={}
    )
    assert plain.below("/v1", {"name": "v1"}).options["name"] == "v1.list_items"
    inner = plain.below("/items", {"name": "items"})
    assert inner.below("/v1", {"name": "v1"}).options["name"] == "v1.items.list_items"
    assert inner.below("/v1", {}).options["name"] == "items.list_items"
    assert "name" not in plain.below("/v1", {}).options


# What they do...


def test_those_of_an_application_hold_for_all_its_routes() -> None:
    calls: list[str] = []

    def note() -> None:
        calls.append("app")

    def note_too() -> None:
        calls.append("group")

    app = Photon(dependencies=[Depends(note)], strict=False, body_limit=20, tags=["all"])
    group = Group("/items", dependencies=[Depends(note_too)], strict=True)

    @app.post("/double")
    def double(body: dict[str, int]) -> int:
        return body["n"] * 2

    @group.post("")
    def triple(body: dict[str, int]) -> int:
        return body["n"] * 3

    app.include(group, tags=["items"])
    with TestClient(app) as client:
        assert client.post("/double", json={"n": "2"}).json() == 4
        assert client.post("/items", json={"n": "2"}).status == 422
        assert client.post("/items", json={"n": 2}).json() == 6
        assert client.post("/double", json={"n": 2, "much": "more"}).status == 413
    assert calls == ["app", "app", "group", "app", "group", "app"]
    tags = [operation.tags for _, operation in app.operations]
    assert tags == [("all",), ("all", "items")]


story: list[str] = []


def third() -> None:
    story.append("third")


def test_guards_of_an_application_stand_before_those_of_routes() -> None:
    story.clear()

    def first() -> None:
        story.append("first")

    def second() -> None:
        story.append("second")

    app = Photon(dependencies=[Depends(first)])

    @app.get("/", dependencies=[Depends(second)])
    def index(value: Annotated[None, Depends(third)]) -> str:
        return "x"

    TestClient(app).get("/")
    assert story == ["first", "second", "third"]
