"""The function that finds a route, and the source it is made from."""

import textwrap

import pytest

from photon.routing import compiler
from photon.routing.compiler import Finder, compile_finder, write_source
from photon.routing.converters import Converter, Converters
from photon.routing.route import Route


def routes(*templates: str) -> list[Route]:
    return [Route(template, ["GET"], template) for template in templates]


def found(find: Finder, path: str) -> tuple[object, dict[str, object]] | None:
    match = find(path)
    return match and (match[0].endpoint, dict(match[1]))


def test_the_source_is_the_one_that_the_module_shows() -> None:
    source, _ = write_source(routes("/api/users/{id:int}", "/api/users/{id:int}/orders/{order}"))
    shown = (compiler.__doc__ or "").partition("become\n\n")[2].partition("\n\nPrior art")[0]
    written = source.splitlines()
    for line in textwrap.dedent(shown).splitlines():
        assert line.strip() == "..." or line in written


def test_no_routes_find_nothing() -> None:
    assert compile_finder([])("/") is None


@pytest.mark.parametrize("path", ["", "a", "a/b", "*", "x/1", "host:80"])
def test_what_does_not_begin_with_a_slash_finds_nothing(path: str) -> None:
    assert compile_finder(routes("/a", "/{x}/{y}", "/{r:path}"))(path) is None


def test_a_static_match_is_shared_and_cannot_be_written_into() -> None:
    find = compile_finder(routes("/a"))
    match = find("/a")
    assert match is not None
    assert match is find("/a")
    with pytest.raises(TypeError):
        match[1]["x"] = 1  # type: ignore[index]


def test_values_of_a_match_belong_to_the_request() -> None:
    find = compile_finder(routes("/{x}"))
    first, second = find("/1"), find("/1")
    assert first is not None
    assert second is not None
    assert first[1] is not second[1]


def test_many_literal_children_are_chosen_from_a_dict() -> None:
    source, _ = write_source(routes("/a/{x}", "/b/{x}", "/c/{x:int}/{y}", "/{z}/d/e/{w:int}"))
    assert "t0 = {'a': f1, 'b': f2, 'c': f3}.get" in source
    find = compile_finder(routes("/a/{x}", "/b/{x}", "/c/{x:int}/{y}", "/{z}/d/e/{w:int}"))
    assert found(find, "/c/1/2") == ("/c/{x:int}/{y}", {"x": 1, "y": "2"})
    assert found(find, "/c/d/e/5") == ("/{z}/d/e/{w:int}", {"z": "c", "w": 5})


def test_typed_values_are_handed_on_from_function_to_function() -> None:
    templates = [f"/{{a:int}}/{{b}}-{{c:int}}/{literal}/{{d}}" for literal in "xyz"]
    find = compile_finder(routes(*templates))
    assert found(find, "/1/2-3/y/4") == (templates[1], {"a": 1, "b": "2", "c": 3, "d": "4"})


def test_templates_may_be_deeper_than_python_can_indent() -> None:
    kinds = ["{{p{0}}}", "{{p{0}:int}}", "s{0}", "{{p{0}}}-{{q{0}}}"]
    deep = "/" + "/".join(kinds[i % 4].format(i) for i in range(150))
    find = compile_finder(routes(deep))
    path = deep.replace("{", "").replace("}", "").replace(":int", "")
    assert find(path) is None
    values = dict.fromkeys(Route(deep, ["GET"], None).template.names, 7)
    built = Route(deep, ["GET"], None).build_path(**values)
    match = find(built)
    assert match is not None
    assert len(match[1]) == len(values)


@pytest.mark.parametrize("literal", ["it's", 'say "hi"', "back\\slash", "new\nline", "é€😀", "a;b"])
def test_literals_cannot_break_out_of_the_source(literal: str) -> None:
    template = f"/{literal}/{{x}}"
    route = Route(template, ["GET"], template)
    assert found(compile_finder([route]), route.build_path(x="1")) == (template, {"x": "1"})


def test_a_spanning_converter_may_be_typed() -> None:
    parts = Converter("parts", list, lambda text: text.split("/"), "/".join, spans=True)
    route = Route("/f/{p:parts}", ["GET"], "f", converters=Converters(parts))
    find = compile_finder([route])
    assert found(find, "/f/a/b") == ("f", {"p": ["a", "b"]})
    assert found(find, "/f/") == ("f", {"p": [""]})
    assert found(find, "/f") is None


def test_a_search_visits_each_node_once_whatever_the_path() -> None:
    """Every choice of {int} or plain at each of ten levels, and no path that matches any: a
    search that met nodes twice would parse 3**10 times."""
    calls = 0

    def parse(text: str) -> str:
        nonlocal calls
        calls += 1
        return text

    converters = Converters(Converter("any", str, parse))
    kinds = ("{{p{0}:any}}", "{{p{0}}}")
    templates = [
        "/" + "/".join(kinds[bits >> i & 1].format(i) for i in range(10)) + "/end"
        for bits in range(2**10)
    ]
    find = compile_finder(Route(t, ["GET"], t, converters=converters) for t in templates)
    assert find("/" + "x/" * 10 + "other") is None
    # One parse for each `any` edge of the trie: 1 + 2 + ... + 2**9.
    assert calls == 2**10 - 1


def test_paths_with_very_many_segments_are_not_split_into_them() -> None:
    source, _ = write_source(routes("/a/{b}"))
    assert "path.split('/', 3)" in source
    find = compile_finder(routes("/a/{b}", "/r/{rest:path}"))
    assert find("/a" * 100_000) is None
    assert found(find, "/r/" + "/" * 100_000) == ("/r/{rest:path}", {"rest": "/" * 100_000})
