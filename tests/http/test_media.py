"""Media types, Accept, and lists with qualities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.media import MediaType, best_match, parse_accept, parse_qualities

# Media types...

READ = [
    ("text/html", "text", "html", ()),
    ("Text/HTML", "text", "html", ()),
    ("text/html;charset=utf-8", "text", "html", (("charset", "utf-8"),)),
    (" text/html \t; Charset=UTF-8 ", "text", "html", (("charset", "UTF-8"),)),
    ('text/plain; a="b;c, d"', "text", "plain", (("a", "b;c, d"),)),
    (r'text/plain; a="say \"x\" \\"', "text", "plain", (("a", 'say "x" \\'),)),
    ("text/plain;;; a=1;", "text", "plain", (("a", "1"),)),
    ("text/plain; a=1; A=2", "text", "plain", (("a", "1"),)),
    ('text/plain; a=""', "text", "plain", (("a", ""),)),
]


@pytest.mark.parametrize(("text", "kind", "subtype", "parameters"), READ)
def test_a_media_type_is_read(
    text: str, kind: str, subtype: str, parameters: tuple[tuple[str, str], ...]
) -> None:
    assert MediaType.parse(text) == MediaType(kind, subtype, parameters)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "json",
        "text/",
        "/html",
        "text /html",
        "text/html charset=utf-8",
        "text/html; charset",
        "text/html; charset=",
        "text/html; charset =utf-8",
        'text/html; a="b',
        'text/html; a="b"c',
        "text/html; a=ü",
        "text/html\n",
        "text/html" + ";a=b" * 17,
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no media type; write it as type/subtype"):
        MediaType.parse(text)


def test_a_media_type_knows_its_parts() -> None:
    media_type = MediaType.parse("application/problem+json; charset=utf-8")
    assert media_type.essence == "application/problem+json"
    assert media_type.suffix == "json"
    assert media_type.parameter("Charset") == "utf-8"
    assert media_type.parameter("boundary", "none") == "none"
    assert MediaType.parse("application/json").suffix == ""


@given(
    st.lists(
        st.tuples(
            st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True),
            st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)),
        ),
        max_size=16,
        unique_by=lambda pair: pair[0],
    )
)
def test_what_is_written_is_read_again(parameters: list[tuple[str, str]]) -> None:
    media_type = MediaType("text", "plain", tuple(parameters))
    assert MediaType.parse(str(media_type)) == media_type


# Accept...


def test_ranges_are_read_in_order() -> None:
    header = 'text/*;q=0.3, text/plain;format="a,b";Q=0.7;x=1 ,,*/*; q=0'
    assert [(str(media_type), q) for media_type, q in parse_accept(header)] == [
        ("text/*", 0.3),
        ('text/plain; format="a,b"; x=1', 0.7),
        ("*/*", 0.0),
    ]


@pytest.mark.parametrize(
    "element",
    ["html", "*/html", "text/html;q=2", "text/html;q=-1", "text/html;q=", "text/html;q=1e-1", '"'],
)
def test_an_element_that_cannot_be_read_is_passed_over(element: str) -> None:
    assert [str(each.media_type) for each in parse_accept(f"a/b, {element}")] == ["a/b"]


JSON, HTML, TEXT, YAML = "application/json", "text/html", "text/plain; charset=utf-8", "text/yaml"

MATCHES = [
    # Anything...
    (None, [JSON, HTML], JSON),
    ("", [JSON, HTML], JSON),
    (" , ,", [JSON, HTML], JSON),
    ("nonsense", [JSON, HTML], JSON),
    ("*/*", [JSON, HTML], JSON),
    (None, [], None),
    ("*/*", [], None),
    # The highest quality; among equals the server's order...
    ("text/html, application/json", [JSON, HTML], JSON),
    ("text/html, application/json", [HTML, JSON], HTML),
    ("text/html, application/json;q=0.9", [JSON, HTML], HTML),
    ("text/html;q=0.001, application/json;q=0.01", [HTML, JSON], JSON),
    ("APPLICATION/JSON", [HTML, JSON], JSON),
    # The most specific range decides, wherever it stands...
    ("*/*, application/json;q=0.1", [JSON, HTML], HTML),
    ("text/*;q=0.1, */*;q=0.5, text/html", [JSON, TEXT, HTML], HTML),
    ("text/*;q=0.1, */*;q=0.5", [TEXT, JSON], JSON),
    ("text/html;q=0.5, text/*", [HTML, YAML], YAML),
    ("text/html;level=1, text/html;q=0.4", [HTML, "text/html;level=1"], "text/html;level=1"),
    ("text/html;q=0.4, text/html;level=1", [HTML, "text/html;level=1"], "text/html;level=1"),
    # 0 excludes...
    ("application/json;q=0, */*", [JSON, HTML], HTML),
    ("application/json;q=0.0, */*", [JSON], None),
    ("*/*;q=0", [JSON, HTML], None),
    ("text/*;q=0, */*;q=0.1", [HTML, JSON], JSON),
    ("text/html, image/*", [JSON], None),
    # Parameters...
    ("application/json; charset=utf-8", [JSON], JSON),
    ("text/plain", [TEXT], TEXT),
    ("text/plain; charset=UTF-8", [TEXT], TEXT),
    ("text/plain; charset=latin-1", [TEXT], None),
    ("application/json; version=2", [JSON], None),
    # What browsers and Java send...
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", [JSON, HTML], HTML),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", [JSON], JSON),
    ("text/html, image/gif, *; q=.2, */*; q=.2", [JSON, HTML], HTML),
    ("text/html, image/gif, *; q=.2, */*; q=.2", [JSON], JSON),
]


@pytest.mark.parametrize(("accept", "offered", "best"), MATCHES)
def test_the_best_match(accept: str | None, offered: list[str], best: str | None) -> None:
    assert best_match(accept, offered) == best


def test_the_example_of_the_rfc() -> None:
    accept = (
        "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
        "text/plain;format=fixed;q=0.4, */*;q=0.5"
    )
    by_quality = [
        "text/plain;format=flowed",
        "text/plain",
        "image/jpeg",
        "text/plain;format=fixed",
        "text/html",
    ]
    for number, best in enumerate(by_quality):
        assert best_match(accept, by_quality[number:][::-1]) == best


def test_to_offer_what_is_no_media_type_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="'json' is no media type"):
        best_match("text/html", ["json"])


# Qualities...


def test_names_are_read_with_their_qualities() -> None:
    assert parse_qualities("gzip;q=0.5, BR, identity ; q=0 ,*;Q=0.100") == [
        ("gzip", 0.5),
        ("br", 1.0),
        ("identity", 0.0),
        ("*", 0.1),
    ]
    assert parse_qualities("de-CH, en;q=.5") == [("de-ch", 1.0), ("en", 0.5)]
    assert parse_qualities("") == []


@pytest.mark.parametrize("element", ["a b", "gzip;q", "gzip;q=x", "gzip;q=1.5", "gzip;x=1", '"br"'])
def test_a_name_that_cannot_be_read_is_passed_over(element: str) -> None:
    assert parse_qualities(f"a, {element}, b") == [("a", 1.0), ("b", 1.0)]


# Hostile headers...


@given(st.text(st.sampled_from('ab*/;,="\\ \tq.019-'), max_size=60))
def test_no_header_is_an_error(header: str) -> None:
    best_match(header, [JSON, HTML])
    assert all(0 <= q <= 1 for _, q in [*parse_accept(header), *parse_qualities(header)])


def test_of_a_long_list_only_the_beginning_is_read() -> None:
    header = "a/b," * 2000 + "text/html"
    assert len(parse_accept(header)) == 256
    assert best_match(header, [HTML]) is None
    assert len(parse_qualities("a," * 4000)) == 256


@pytest.mark.parametrize("header", ['"' * 8000, 'a/b;c="' + "\\" * 8000, "a/b" + ";" * 8000])
def test_what_looks_like_much_is_nothing(header: str) -> None:
    assert parse_accept(header) == []
    assert parse_qualities(header) == []
