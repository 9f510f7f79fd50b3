"""The router as a whole: tables of paths, changes while it runs, and a reference to agree with."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from photon.routing.converters import BUILT_IN
from photon.routing.errors import (
    BadPath,
    BuildError,
    MethodNotAllowed,
    RouteConflict,
    RouteNotFound,
)
from photon.routing.mixed import Mixed
from photon.routing.percent import decode_segments
from photon.routing.route import Route
from photon.routing.router import Router
from photon.routing.template import Segment


def route(template: str, *methods: str) -> Route:
    return Route(template, methods or ("GET",), template)


def found(router: Router, path: str, method: str = "GET") -> tuple[Any, dict[str, Any]]:
    match, values = router.match(method, path)
    return match.endpoint, dict(values)


SHOP = (
    "/",
    "/items",
    "/items/",
    "/items/new",
    "/items/{id:int}",
    "/items/{id:uuid}",
    "/items/{price:float}",
    "/items/{name}",
    "/items/{name}/reviews",
    "/items/{name}.json",
    "/items/{id:int}/reviews/{number:int}",
    "/café/{what}",
    "/a b",
    "/files/{rest:path}",
    "/files/{name}/info",
    "/files/readme",
    "/report-{year:int}.{fmt}",
)


@pytest.mark.parametrize(
    ("path", "template", "values"),
    [
        ("/", "/", {}),
        ("/items", "/items", {}),
        ("/items/", "/items/", {}),
        ("/items/new", "/items/new", {}),
        ("/items/5", "/items/{id:int}", {"id": 5}),
        ("/items/-5", "/items/{id:int}", {"id": -5}),
        ("/items/5.5", "/items/{price:float}", {"price": 5.5}),
        ("/items/five", "/items/{name}", {"name": "five"}),
        ("/items/a.json", "/items/{name}.json", {"name": "a"}),
        ("/items/5/reviews", "/items/{name}/reviews", {"name": "5"}),
        ("/items/new/reviews", "/items/{name}/reviews", {"name": "new"}),
        (
            "/items/5/reviews/6",
            "/items/{id:int}/reviews/{number:int}",
            {"id": 5, "number": 6},
        ),
        ("/report-2024.pdf", "/report-{year:int}.{fmt}", {"year": 2024, "fmt": "pdf"}),
        ("/files/", "/files/{rest:path}", {"rest": ""}),
        ("/files/readme", "/files/readme", {}),
        ("/files/readme/more", "/files/{rest:path}", {"rest": "readme/more"}),
        ("/files/a/info", "/files/{name}/info", {"name": "a"}),
        ("/files//etc/passwd", "/files/{rest:path}", {"rest": "/etc/passwd"}),
        ("/files/a/b/c/d/e/f/g/h", "/files/{rest:path}", {"rest": "a/b/c/d/e/f/g/h"}),
        ("/files/a%2Fb/%63", "/files/{rest:path}", {"rest": "a/b/c"}),
        ("/items/a%2Fb", "/items/{name}", {"name": "a/b"}),
        ("/items/%35", "/items/{id:int}", {"id": 5}),
        ("/items/a%2ejson", "/items/{name}.json", {"name": "a"}),
        ("/%69tems", "/items", {}),
        ("/%69tems/n%65w", "/items/new", {}),
        ("/caf%C3%A9/au%20lait", "/café/{what}", {"what": "au lait"}),
        ("/caf%c3%a9/noir", "/café/{what}", {"what": "noir"}),
        ("/a%20b", "/a b", {}),
        ("/a%20%62", "/a b", {}),
        ("/items/a+b", "/items/{name}", {"name": "a+b"}),
        ("/items/100%25", "/items/{name}", {"name": "100%"}),
    ],
)
def test_the_most_specific_template_is_found(
    path: str, template: str, values: dict[str, Any]
) -> None:
    assert found(Router(*map(route, SHOP)), path) == (template, values)
    assert found(Router(*map(route, reversed(SHOP))), path) == (template, values)


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "//",
        "//items",
        "/items/new/",
        "/items//reviews",
        "/items/5/reviews/six",
        "/files",
        "/report-x.pdf",
        "/items%2Fnew",
        "/a b/c",
        "/caf%C3%A9",
        "/ITEMS",
        "*",
        "",
    ],
)
def test_what_no_template_matches_is_not_found(path: str) -> None:
    router = Router(*map(route, SHOP))
    with pytest.raises(RouteNotFound) as caught:
        router.match("GET", path)
    assert caught.value.path == path
    assert router.allowed(path) == ()


@pytest.mark.parametrize("path", ["/items/%", "/items/%zz", "/%ff", "/x/%C0%AF", "/items/%00"])
def test_bad_percent_encoding_is_refused(path: str) -> None:
    router = Router(*map(route, SHOP))
    with pytest.raises(BadPath):
        router.match("GET", path)
    with pytest.raises(BadPath):
        router.match("BREW", path)
    with pytest.raises(BadPath):
        router.allowed(path)


# Methods...


def test_a_request_reaches_the_template_that_takes_its_method() -> None:
    router = Router(route("/items/{id:int}", "GET"), route("/items/{name}", "POST"))
    assert found(router, "/items/5", "GET") == ("/items/{id:int}", {"id": 5})
    assert found(router, "/items/5", "POST") == ("/items/{name}", {"name": "5"})


def test_allow_is_the_union_over_all_templates_that_match() -> None:
    router = Router(route("/items/{id:int}", "GET"), route("/items/{name}", "POST", "PUT"))
    with pytest.raises(MethodNotAllowed) as caught:
        router.match("DELETE", "/items/5")
    assert caught.value.allow == ("GET", "HEAD", "OPTIONS", "POST", "PUT")
    assert router.allowed("/items/5") == caught.value.allow
    assert router.allowed("/items/x") == ("OPTIONS", "POST", "PUT")


def test_head_is_served_by_get() -> None:
    router = Router(route("/a/{x}"), route("/b", "POST"))
    assert found(router, "/a/1", "HEAD") == ("/a/{x}", {"x": "1"})
    with pytest.raises(MethodNotAllowed):
        router.match("HEAD", "/b")


def test_a_head_route_of_its_own_goes_before_get() -> None:
    own = Route("/a/{y}", ["HEAD"], "own")
    router = Router(route("/a/{x}"), route("/b"), own)
    assert found(router, "/a/1", "HEAD") == ("own", {"y": "1"})
    assert found(router, "/a/1", "GET") == ("/a/{x}", {"x": "1"})
    assert found(router, "/b", "HEAD") == ("/b", {})


def test_a_head_route_alone_is_allowed_alone() -> None:
    assert Router(route("/a", "HEAD")).allowed("/a") == ("HEAD", "OPTIONS")


def test_options_is_answered_with_the_allow_list_unless_there_is_a_route() -> None:
    router = Router(route("/a"), route("/b", "GET", "OPTIONS"))
    with pytest.raises(MethodNotAllowed) as caught:
        router.match("OPTIONS", "/a")
    assert caught.value.allow == ("GET", "HEAD", "OPTIONS")
    assert found(router, "/b", "OPTIONS") == ("/b", {})


def test_methods_are_case_sensitive_on_the_wire() -> None:
    # RFC 9110 §9.1: The method token is case-sensitive.
    with pytest.raises(MethodNotAllowed):
        Router(route("/a")).match("get", "/a")


# Changes while it runs...


def test_routes_come_and_go() -> None:
    a, b = route("/a"), route("/{x}")
    router = Router(a)
    assert found(router, "/a") == ("/a", {})
    router.add(b)
    assert list(router.routes) == [a, b]
    assert found(router, "/b") == ("/{x}", {"x": "b"})
    router.remove(a)
    assert found(router, "/a") == ("/{x}", {"x": "a"})
    router.replace([a])
    assert list(router.routes) == [a]
    with pytest.raises(RouteNotFound):
        router.match("GET", "/b")
    assert repr(router) == "<Router 1 routes>"


def test_a_change_that_fails_changes_nothing() -> None:
    a, b = route("/a"), route("/b")
    router = Router(a)
    with pytest.raises(RouteConflict):
        router.add(b, route("/a"))
    with pytest.raises(ValueError, match="not registered"):
        router.remove(a, b)
    with pytest.raises(RouteConflict):
        router.replace([b, b])
    assert router.routes == (a,)
    assert found(router, "/a") == ("/a", {})


def test_a_match_in_flight_sees_one_table_only() -> None:
    """While a value is read the routes change; the search goes on in the table it began with."""

    class Changing(str):
        """A path whose split is the moment of the change."""

        def split(self, *args: Any, **kwargs: Any) -> list[str]:
            router.replace([route("/new/{y}")])
            return super().split(*args, **kwargs)

    router = Router(route("/old/{x}"))
    router.compile()
    assert found(router, Changing("/old/1")) == ("/old/{x}", {"x": "1"})
    assert found(router, "/new/1") == ("/new/{y}", {"y": "1"})


def test_compile_is_for_those_who_cannot_wait() -> None:
    router = Router(*map(route, SHOP))
    router.compile()
    assert found(router, "/items/5", "HEAD") == ("/items/{id:int}", {"id": 5})


# The reference: every template against every path, one segment after the other, and the order of
# precedence as the documentation states it. Slow, and plain enough to be right.

KINDS = {"int": 10, "uuid": 20, "float": 30, "str": 100, "path": 1000}


def rank(segment: Segment) -> tuple[Any, ...]:
    converters = [placeholder.converter.name for placeholder in segment.placeholders]
    texts = [part for part in segment.parts if isinstance(part, str)]
    if not converters:
        return (0,)
    if texts:
        parts = [p if isinstance(p, str) else p.converter.name for p in segment.parts]
        return (1, -len("".join(texts)), [KINDS[name] for name in converters], parts)
    return (2, KINDS[converters[0]])


def values_of(segment: Segment, text: str) -> tuple[Any, ...] | None:
    if segment.literal is not None:
        return () if text == segment.literal else None
    if len(segment.parts) > 1:
        return Mixed(segment).match(text)  # has a reference of its own in test_mixed
    value = segment.placeholders[0].converter.read(text)
    return None if value is None else (value,)


def values_on(route: Route, path: str) -> dict[str, Any] | None:
    segments, texts = route.template.segments, path.split("/")[1:]
    if segments[-1].spans and len(texts) >= len(segments):
        rest = len(segments) - 1
        texts = decode_segments(texts)
        texts[rest:] = ["/".join(texts[rest:])]
    elif len(texts) == len(segments):
        texts = decode_segments(texts)
    else:
        return None
    values: list[Any] = []
    for segment, text in zip(segments, texts, strict=True):
        found = values_of(segment, text)
        if found is None:
            return None
        values += found
    return dict(zip(route.template.names, values, strict=True))


def candidates(
    routes: tuple[Route, ...], method: str, path: str
) -> Iterator[tuple[Route, dict[str, Any]]]:
    for route in routes:
        if method in route.methods and (values := values_on(route, path)) is not None:
            yield route, values


def reference(
    routes: tuple[Route, ...], method: str, path: str
) -> tuple[Route, dict[str, Any]] | None:
    fitting = candidates(routes, method, path)
    return min(fitting, key=lambda c: [rank(s) for s in c[0].template.segments], default=None)


texts = st.sampled_from(["a", "b", "c", "é"])
kinds = st.sampled_from(["{}", "{}", "{:int}", "{:float}", "{:uuid}", "a{}", "{}-{}", "{:int}-{}"])
lasts = st.sampled_from(["", "{:path}"])


@st.composite
def templates(draw: st.DrawFn) -> str:
    segments = draw(st.lists(texts | kinds, max_size=4))
    segments += [draw(lasts)] if not segments or draw(st.booleans()) else []
    text = "/" + "/".join(segments)
    for i in range(text.count("{")):
        text = text.replace("{}", f"{{p{i}}}", 1) if "{}" in text else text
    for i in range(text.count("{:")):
        text = text.replace("{:", f"{{q{i}:", 1)
    return text


@st.composite
def route_sets(draw: st.DrawFn) -> tuple[Route, ...]:
    methods = st.sets(st.sampled_from(["GET", "POST", "HEAD"]), min_size=1)
    pairs = draw(st.lists(st.tuples(templates(), methods), max_size=12))
    router = Router()
    for template, taken in pairs:
        try:
            router.add(Route(template, taken, template))
        except RouteConflict:
            pass
    return router.routes


SOME_UUID = "c9bf9e57-1685-4c89-bafb-ff5af830be8a"
WORDS = ("a", "b", "c", "ab", "%61", "%C3%A9", "%c3%a9", "%2F", "")
NUMBERS = ("1", "-2", "1.5", "1-b", "a-1-b", "a%2D1", SOME_UUID)
wire_segments = st.sampled_from(WORDS + NUMBERS)
paths = st.lists(wire_segments, max_size=6).map(lambda segments: "/" + "/".join(segments))


@given(route_sets(), st.lists(paths, min_size=1, max_size=10), st.randoms())
def test_the_router_agrees_with_the_reference(
    routes: tuple[Route, ...], paths: list[str], random: Any
) -> None:
    shuffled = list(routes)
    random.shuffle(shuffled)
    router = Router(*shuffled)
    for path in paths:
        allow = set()
        for method in ("GET", "POST"):
            expected = reference(routes, method, path)
            try:
                assert router.match(method, path) == expected
            except (RouteNotFound, MethodNotAllowed):
                assert expected is None
            allow |= {method} if expected else set()
        if reference(routes, "HEAD", path) or "GET" in allow:
            allow.add("HEAD")
        assert router.allowed(path) == (tuple(sorted(allow | {"OPTIONS"})) if allow else ())


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(min_size=1, max_size=20),
    "int": st.integers(),
    "float": st.floats(),
    "uuid": st.uuids(),
    "path": st.text(max_size=20),
}


# The first draw of a text makes Hypothesis's table of Unicode, which is slow once.
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(templates(), st.data())
def test_a_path_that_was_built_gives_the_values_back(template: str, data: st.DataObject) -> None:
    only = route(template)
    values = {
        placeholder.name: data.draw(VALUES[placeholder.converter.name])
        for segment in only.template.segments
        for placeholder in segment.placeholders
    }
    try:
        path = only.build_path(**values)
    except BuildError:
        assume(False)
    assert path.isascii()
    assert found(Router(only), path) == (template, values)


@given(st.text(max_size=40))
def test_any_path_is_matched_or_refused_by_a_match_error(path: str) -> None:
    router = Router(*map(route, SHOP))
    try:
        router.match("GET", path)
    except (BadPath, RouteNotFound):
        pass


def test_the_reference_knows_all_built_in_kinds() -> None:
    assert {name: converter.precedence for name, converter in BUILT_IN.items()} == KINDS
