"""Why a route answers a request and the others do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.cli.matching import candidates, close_paths, fault_of
from photon.routing.errors import MatchError, RouteConflict
from photon.routing.route import Route
from photon.routing.router import Router
from photon.routing.template import Template

FAULTS = [
    ("/a", "/a", None),
    ("/a", "/b", "'b' is not 'a'"),
    ("/a", "/a/b", "it is shorter"),
    ("/a/b", "/a", "it is longer"),
    ("/a/", "/a/", None),
    ("/a", "/a/", "it is shorter"),
    ("/{id:int}", "/7", None),
    ("/{id:int}", "/x", "'x' is no int, which {id} has to be"),
    ("/{a}", "/", "{a} is empty"),
    ("/{a}-{b:int}", "/x-1", None),
    ("/{a}-{b:int}", "/x-y", "'x-y' does not fit {a}-{b:int}"),
    ("/f/{rest:path}", "/f/a/b", None),
    ("/f/{rest:path}", "/f/", None),
    ("/f/{rest:path}", "/f", "it is longer"),
    ("/café", "/caf%C3%A9", None),
    ("/{a:int}/x", "/z/y", "'y' is not 'x'"),
]


@pytest.mark.parametrize(("template", "path", "why"), FAULTS)
def test_why_a_path_does_not_match(template: str, path: str, why: str | None) -> None:
    fault = fault_of(Template.parse(template), path)
    assert (None if fault is None else fault.why) == why


def told(*routes: str, method: str, path: str) -> list[str]:
    """The candidates in words; a route is written "GET /path"."""
    router = Router(*(Route(text.split()[1], text.split()[0], None) for text in routes))
    try:
        answering = router.match(method, path)[0]
    except MatchError:
        answering = None
    found = candidates(router.routes, method, path, answering)
    return [f"{c.route}: {c.outcome} {c.why}".strip() for c in found]


def test_candidates_stand_as_they_are_tried() -> None:
    routes = "GET /{x}", "GET /{x:int}", "POST /7", "GET /other", "GET /{rest:path}"
    assert told(*routes, method="GET", path="/7") == [
        "POST /7: method takes POST",
        "GET /{x:int}: answers",
        "GET /{x}: later fits too, but {x:int} is tried before {x}",
        "GET /{rest:path}: later fits too, but {x:int} is tried before {rest:path}",
    ]


def test_two_faults_are_told_only_where_nothing_answers() -> None:
    routes = "GET /{x}", "DELETE /{x:int}"
    assert len(told(*routes, method="GET", path="/a")) == 1
    assert told(*routes, method="PUT", path="/a") == [
        "DELETE /{x:int}: value 'a' is no int, which {x} has to be",
        "GET /{x}: method takes GET",
    ]


def test_head_is_answered_by_get_unless_it_has_a_route() -> None:
    assert told("GET /a", method="HEAD", path="/a") == ["GET /a: answers"]
    assert told("GET /a", "HEAD /a", method="HEAD", path="/a") == [
        "GET /a: later has the same path, and the other one is for this method",
        "HEAD /a: answers",
    ]


SEGMENTS = st.sampled_from(
    ["a", "b", "7", "{x}", "{x:int}", "{x}-{y:int}", "v{x:int}", "{x:float}"]
)
TEMPLATES = st.lists(SEGMENTS, min_size=1, max_size=3).map(
    lambda parts: (
        "/"
        + "/".join(
            part.replace("{x", f"{{x{i}").replace("{y", f"{{y{i}") for i, part in enumerate(parts)
        )
    )
)
PATHS = st.lists(
    st.sampled_from(["a", "b", "7", "1.5", "a-7", "v7", "", "z"]), min_size=1, max_size=4
).map(lambda parts: "/" + "/".join(parts))


@given(st.lists(TEMPLATES | st.just("/{rest:path}"), max_size=8), PATHS)
def test_the_first_that_fits_is_the_one_that_the_router_takes(
    templates: list[str], path: str
) -> None:
    router = Router()
    for template in templates:
        try:
            router.add(Route(template, "GET", None))
        except RouteConflict:
            pass
    try:
        answering = router.match("GET", path)[0]
    except MatchError:
        answering = None
    fitting = [c for c in candidates(router.routes, "GET", path, None) if c.outcome == "later"]
    assert (fitting[0].route if fitting else None) is answering


CLOSE = [
    ("/itms", ["/items"]),
    ("/items/7/photos", ["/items/{id:int}/photo"]),
    ("/users/x", ["/admin/users/{name}"]),
    ("/ITEMS", ["/items"]),
    ("/nothing/like/it", []),
    ("/", []),
]


@pytest.mark.parametrize(("path", "expected"), CLOSE)
def test_close_paths(path: str, expected: list[str]) -> None:
    known = ["/items", "/items/{id:int}/photo", "/admin/users/{name}", "/chat"]
    assert close_paths(known, path) == expected
