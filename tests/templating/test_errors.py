"""What errors show of a template."""

from __future__ import annotations

from photon.templating.errors import (
    MailFailed,
    RenderFailed,
    TemplateBroken,
    TemplateNotFound,
    TemplatesBroken,
    TemplatingError,
    excerpt_of,
)

SOURCE = "\n".join(f"line {n}" for n in range(1, 13))


def test_an_excerpt_shows_the_lines_around() -> None:
    assert excerpt_of(SOURCE, 10) == (
        "     8 | line 8\n     9 | line 9\n  > 10 | line 10\n    11 | line 11\n    12 | line 12"
    )
    assert excerpt_of("a\r\nb", 1) == "  > 1 | a\n    2 | b"


def test_there_is_none_for_a_line_that_is_not_there() -> None:
    assert [excerpt_of(SOURCE, line) for line in (None, 0, 13)] == ["", "", ""]
    assert excerpt_of("", 1) == ""


def test_a_long_line_is_cut() -> None:
    assert len(excerpt_of("x" * 1_000_000, 1)) < 200


def test_a_broken_template_says_where() -> None:
    error = TemplateBroken("a.html", "is odd", place="templates/a.html", line=1, source="x")
    assert str(error) == "templates/a.html:1: is odd\n  > 1 | x"
    assert (error.name, error.line, error.problem, error.excerpt) == (
        "a.html",
        1,
        "is odd",
        "  > 1 | x",
    )
    assert str(TemplateBroken("a.html", "is odd")) == "a.html: is odd"


def test_a_failure_with_several_possible_lines_shows_them_and_names_none() -> None:
    error = RenderFailed("a.html", "failed", lines=[1, 5, 9, 12], source=SOURCE)
    assert error.line is None
    assert str(error).startswith("a.html: failed\n")
    assert str(error).count("  > ") == 3


def test_several_broken_ones_are_told_together() -> None:
    error = TemplatesBroken([TemplateBroken("a", "x"), TemplateBroken("b", "y")])
    assert str(error) == "2 templates are broken\na: x\nb: y"


def test_the_tree() -> None:
    assert issubclass(TemplateNotFound, LookupError)
    assert issubclass(MailFailed, ValueError)
    for kind in (TemplateNotFound, TemplateBroken, TemplatesBroken, RenderFailed, MailFailed):
        assert issubclass(kind, TemplatingError)
