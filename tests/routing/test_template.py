"""Reading templates, and what is said about those that cannot be read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.routing.converters import BUILT_IN, Converter, Converters
from photon.routing.errors import TemplateError
from photon.routing.template import Placeholder, Segment, Template

STR, INT, PATH = BUILT_IN["str"], BUILT_IN["int"], BUILT_IN["path"]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("/", [()]),
        ("/a", [("a",)]),
        ("/a/", [("a",), ()]),
        ("/café au lait", [("café au lait",)]),
        ("/{id}", [(Placeholder("id", STR),)]),
        ("/{id:int}/x", [(Placeholder("id", INT),), ("x",)]),
        ("/f/{rest:path}", [("f",), (Placeholder("rest", PATH),)]),
        (
            "/report-{year:int}.{fmt}",
            [("report-", Placeholder("year", INT), ".", Placeholder("fmt", STR))],
        ),
        ("/{id}:cancel", [(Placeholder("id", STR), ":cancel")]),
    ],
)
def test_a_template_falls_into_segments(
    text: str, segments: list[tuple[str | Placeholder, ...]]
) -> None:
    template = Template.parse(text)
    assert template.segments == tuple(map(Segment, segments))
    assert str(template) == text


@pytest.mark.parametrize(
    ("text", "fault", "says"),
    [
        ("", "", "write '/'"),
        ("items", "i", "write '/items'"),
        ("/a/{", "{", "not closed"),
        ("/a/{id", "{", "not closed"),
        ("/a/{id/b}", "{", "not closed"),
        ("/a/{i{d}", "{", "not closed"),
        ("/a/id}", "}", "without a '{'"),
        ("/a/{x}}", "}", "without a '{'"),
        ("/a/{}", "{}", "without a name"),
        ("/a/{:int}", "{:int}", "without a name"),
        ("/a/{item-id}", "item-id", "not a name"),
        ("/a/{ id}", " id", "not a name"),
        ("/a/{class}", "class", "not a name"),
        ("/a/{id:nope}", "nope", "float, int, path, str, uuid"),
        ("/a/{id:integer}", "integer", "did you mean 'int'?"),
        ("/a/{id:}", "", "no converter ''"),
        ("/{id}/b/{id:int}", "id", "occurs twice"),
        ("/{a}{b}", "}{", "text between"),
        ("/{rest:path}/b", "{rest:path}", "whole last segment"),
        ("/x{rest:path}", "x{rest:path}", "whole last segment"),
        ("/a//b", "//", "one '/'"),
        ("//a", "//", "one '/'"),
        ("/a/../b", "..", "dot segment"),
        ("/.", ".", "dot segment"),
        ("/items?q={q}", "?", "argument"),
        ("/items#top", "#", "ends"),
        ("/caf%C3%A9", "%C3", "write the character"),
        ("/items/<int:id>", "<int:id>", "write {name}"),
    ],
)
def test_a_bad_template_is_pointed_at(text: str, fault: str, says: str) -> None:
    with pytest.raises(TemplateError) as caught:
        Template.parse(text)
    assert text[caught.value.start : caught.value.end] == fault
    assert says in str(caught.value)
    assert f"\n    {text}\n" in str(caught.value)


def written(segment: Segment) -> str:
    return "".join(
        part
        if isinstance(part, str)
        else f"{{{part.name}:{part.converter.name}}}".replace(":str", "")
        for part in segment.parts
    )


@given(st.text("/{}:.-%?<> abcint", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        template = Template.parse(text)
    except TemplateError:
        return
    assert "/" + "/".join(map(written, template.segments)) == text


def test_names_are_in_the_order_of_the_path() -> None:
    assert Template.parse("/{b}/x/{a:int}-{c}").names == ("b", "a", "c")


def test_names_make_no_difference_to_what_matches() -> None:
    assert Template.parse("/a/{x}").key == Template.parse("/a/{y}").key


@pytest.mark.parametrize("other", ["/a/{x:int}", "/a/x", "/a/{x}/", "/a/-{x}", "/b/{x}"])
def test_all_else_does_make_a_difference(other: str) -> None:
    assert Template.parse("/a/{x}").key != Template.parse(other).key


def test_a_template_of_text_has_literals_only() -> None:
    assert Template.parse("/a/b/").literals == ["a", "b", ""]
    assert Template.parse("/a/{b}").literals is None


def test_a_template_knows_the_converters_of_its_registry() -> None:
    shout = Converter("shout", str, str.upper)
    template = Template.parse("/{x:shout}", Converters(shout))
    assert template.segments[0].placeholders == (Placeholder("x", shout),)


def test_the_more_specific_segment_ranks_first() -> None:
    early = Converter("early", str, str.upper, precedence=1, spans=True)
    templates = [
        "/report-{a}",
        "/{a:int}.json",
        "/{a:int}.{b}",
        "/{a}.{b}",
        "/{a:int}",
        "/{a:uuid}",
        "/{a:float}",
        "/{a}",
        "/{a:early}",
        "/{a:path}",
    ]
    segments = [Template.parse(text, Converters(early)).segments[0] for text in templates]
    assert all(first.rank < second.rank for first, second in pairwise(segments))
