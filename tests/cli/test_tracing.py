"""The way of a request, without anything being called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.app.choosing import Hosts
from photon.app.photon import Photon
from photon.cli.tracing import Trace, make_request, trace
from tests.cli.shop import make_admin, make_hosts, make_shop, make_versions, plain


def traced(application: Any, line: str, **headers: str) -> Trace:
    method, target = line.split(" ", 1)
    return trace(application, make_request(method, target, list(headers.items())))


ROUTED = [
    ("GET /", "home", {}),
    ("GET /items", "items.search", {}),
    ("GET /items?tag=a", "items.search", {}),
    ("HEAD /items/7", "items.show", {"id": 7}),
    ("GET /items/lamp%20shade", "items.by_slug", {"slug": "lamp shade"}),
    ("GET /items/lamp shade", "items.by_slug", {"slug": "lamp shade"}),
    ("GET /items/café", "items.by_slug", {"slug": "café"}),
    ("GET /items/by-2024.csv", "items.by_year", {"year": 2024, "form": "csv"}),
    ("PATCH /raw/a/b", "raw", {"rest": "a/b"}),
    ("GET /admin/users/x", "user", {"name": "x"}),
    ("GET http://shop.test:80/items/7#here", "items.show", {"id": 7}),
]


@pytest.mark.parametrize(("line", "name", "values"), ROUTED)
def test_finds_the_route_and_the_values(line: str, name: str, values: dict[str, Any]) -> None:
    found = traced(make_shop(), line)
    assert found.outcome == "route"
    assert found.route is not None
    assert (found.route.name, dict(found.values)) == (name, values)


UNROUTED = [
    ("GET /itms", 404, "no route has this path", ["/items"]),
    ("GET /users/x", 404, "no route has this path", ["/admin/users/{name}"]),
    ("GET /admin/usr/x", 404, "no route has this path", ["/admin/users/{name}"]),
    (
        "DELETE /items",
        405,
        "takes GET, HEAD, OPTIONS, POST",
        ["GET /items", "HEAD /items", "POST /items"],
    ),
    ("GET /%zz", 400, "two hexadecimal digits", []),
    ("MOVE /%zz", 400, "two hexadecimal digits", []),
    ("MOVE /", 405, "does not take MOVE", ["GET /", "HEAD /"]),
    ("GET /api/things", 400, "the request says no version", ["--header 'api-version: 1'"]),
    ("GET *", 404, "no route has this path", []),
]


@pytest.mark.parametrize(("line", "status", "why", "ways_out"), UNROUTED)
def test_says_why_nothing_answers(line: str, status: int, why: str, ways_out: list[str]) -> None:
    found = traced(make_shop(), line)
    assert (found.outcome, found.status, found.ways_out) == ("nothing", status, ways_out)
    assert why in found.why


def test_middleware_stands_as_it_is_passed() -> None:
    found = traced(make_shop(), "POST /items")
    assert [each.of for each in found.around] == ["Shop 2.1", "Shop 2.1", "this route"]
    found = traced(make_shop(), "GET /admin/users/x")
    assert [each.of for each in found.around] == ["Shop 2.1", "Shop 2.1", "Admin 0.1.0"]
    assert found.passed == ["Shop 2.1", "Admin 0.1.0 at /admin"]


def test_options_are_answered_by_photon() -> None:
    found = traced(make_shop(), "OPTIONS /items")
    assert (found.outcome, found.status) == ("options", 204)
    assert "GET, HEAD, OPTIONS, POST" in found.why
    assert traced(make_shop(), "OPTIONS *").outcome == "options"


def test_what_cannot_be_looked_into_takes_what_is_below_it() -> None:
    found = traced(make_shop(), "PUT /files/a/b")
    assert found.outcome == "application"
    assert "'/a/b'" in found.why
    assert traced(plain, "GET /").outcome == "application"
    assert traced(make_shop(), "GET /openapi.json").outcome == "application"


def test_hosts_and_versions_choose_as_they_do_when_they_serve() -> None:
    assert traced(make_hosts(), "GET http://a.b.test/users/x").route is not None
    found = traced(make_hosts(), "GET /users/x", host="other.example")
    assert (found.outcome, found.status) == ("nothing", 421)
    assert found.ways_out == ["GET http://shop.test/users/x", "GET http://any.test/users/x"]
    found = traced(make_shop(), "GET /api/things", **{"api-version": "2"})
    assert found.route is not None
    assert found.route.name == "things"
    found = traced(make_versions(), "GET /things", **{"api-version": "3"})
    assert "no version is '3'; there are 1, 2" in found.why
    assert traced(make_versions(default="1"), "GET /things").outcome == "route"
    found = traced(make_versions(header=""), "GET /things")
    assert found.ways_out == ["--header 'accept: application/json;version=1'"]
    assert traced(Hosts({}, default=make_admin()), "GET /users/x").outcome == "route"


def test_another_slash_is_a_way_out() -> None:
    found = traced(make_shop(), "GET /items/")
    assert (found.status, found.ways_out) == (404, ["/items"])


@pytest.mark.parametrize("policy", ["strict", "redirect", "ignore"])
def test_what_is_done_for_another_slash(policy: Any) -> None:
    app = make_shop(trailing_slash=policy)
    vars(app)["trailing_slash"] = policy  # where tools look for it
    found = traced(app, "GET /items/")
    outcomes = {"strict": "nothing", "redirect": "redirect", "ignore": "route"}
    assert found.outcome == outcomes[policy]


def test_one_that_is_mounted_within_itself_ends() -> None:
    app, other = Photon(openapi_url=None), Photon(openapi_url=None)
    app.mount("/a", other)
    other.mount("/a", app)
    assert traced(app, "GET " + "/a" * 200).why == "it is mounted within itself, and goes round"


@pytest.mark.parametrize("target", ["items", "", "ftp://a/b"])
def test_what_is_no_path_is_refused(target: str) -> None:
    with pytest.raises(ValueError, match="it begins with '/'"):
        make_request("GET", target)


def test_following_calls_nothing_and_leaves_no_trace() -> None:
    app = make_shop()
    first, second = traced(app, "GET /itms"), traced(app, "GET /items")
    assert first.passed == ["Shop 2.1"] == second.passed


PIECES = ["a", "b", "7", "x-7", "", "%41", "%zz", "m"]
PATHS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("/".join).map("/{}".format)


def named(policy: Any) -> Photon:
    """An application whose handlers answer with their route's name."""
    app, inner = (Photon(openapi_url=None, trailing_slash=policy) for _ in range(2))
    for each in (app, inner):
        vars(each)["trailing_slash"] = policy  # where tools look for it
        for i, path in enumerate(["/a", "/a/", "/{x}", "/{x:int}", "/a/{x}-{y:int}", "/b/"]):
            methods = ["GET"] if i % 2 else ["POST", "GET"]
            names = [part for part in ("x", "y") if f"{{{part}" in path]
            parameters = ", ".join(names)
            scope: dict[str, Any] = {"answer": f"{each is app} {path}"}
            exec(f"def taking({parameters}) -> str: return answer", scope)
            each.route(path, methods, name=f"{each is app} {path}")(scope["taking"])
    app.mount("/m", inner)
    return app


APPLICATIONS = {policy: named(policy) for policy in ("strict", "redirect", "ignore")}


@given(
    st.sampled_from(list(APPLICATIONS)), st.sampled_from(["GET", "POST", "PUT", "OPTIONS"]), PATHS
)
def test_agrees_with_what_the_application_does(policy: str, method: str, path: str) -> None:
    app = APPLICATIONS[policy]
    found = trace(app, make_request(method, path))
    response = app(make_request(method, path))
    if found.outcome == "route":
        assert found.route is not None
        assert (response.status, response.body) == (200, found.route.name.encode())
    else:
        assert response.status == found.status
