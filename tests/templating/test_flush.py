"""Pages that are sent while they are made."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import pytest

from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import sleep, sleep_forever, spawn
from photon.templating.engine import Templates
from photon.templating.errors import RenderFailed, TemplateBroken, TemplateNotFound
from photon.templating.flush import rewrite
from tests.clients import wait_until

variable = ContextVar("variable", default="nothing")

FOUND = {
    "base.html": "<head>{{ title }}{% flush %}<nav>{% flush %}{% block main %}{% endblock %}<end>",
    "shop.html": "{% extends 'base.html' %}",
    "page.html": "{% extends 'shop.html' %}{% block main %}{{ rows() }}{% endblock %}",
    "any.html": "{% extends layout %}{% block main %}{{ rows() }}{% endblock %}",
    "within.html": "a{% include 'part.html' %}b{% flush %}c",
    "part.html": "1{% flush %}2",
    "only.html": "a{% include 'part.html' %}b",
}


def test_the_parts_come_one_by_one() -> None:
    came = []

    def rows() -> str:
        came.append("rows")
        return "rows"

    pieces = Templates(FOUND).stream("page.html", title="<", rows=rows)
    assert came == []
    for piece in pieces:
        came.append(piece)
    # The first two were on their way before anybody asked for rows; that they come after is how
    # far the two greenlets ran ahead of each other.
    assert [c for c in came if c != "rows"] == ["<head>&lt;", "<nav>", "rows<end>"]


def test_what_is_ready_is_sent_while_the_rest_waits() -> None:
    go_on = CancelScope()
    at_work = []

    def rows() -> str:
        at_work.append(1)
        with go_on:
            sleep_forever()
        return "rows"

    pieces = Templates(FOUND).stream("page.html", title="t", rows=rows)
    assert [next(pieces), next(pieces)] == ["<head>t", "<nav>"]
    wait_until(lambda: bool(at_work))
    go_on.cancel()
    assert list(pieces) == ["rows<end>"]


def test_rendered_at_once_a_flush_changes_nothing() -> None:
    templates = Templates(FOUND)
    templates.load()
    for name in ("page.html", "any.html"):
        page = templates.render(name, title="<", rows=lambda: "rows", layout="base.html")
        assert page == "<head>&lt;<nav>rows<end>"


def test_a_page_without_a_flush_is_one_piece() -> None:
    templates = Templates({"a.html": "a{{ 1 }}", "empty.html": ""})
    assert list(templates.stream("a.html")) == ["a1"]
    assert list(templates.stream("empty.html")) == []


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("within.html", ["a12b", "c"]),
        ("only.html", ["a12b"]),
        ("part.html", ["1", "2"]),
        # Which layout it has is known too late.
        ("any.html", ["<head>t<nav>rows<end>"]),
    ],
)
def test_parts_come_in_the_order_of_the_page(name: str, pieces: list[str]) -> None:
    stream = Templates(FOUND).stream(name, title="t", rows=lambda: "rows", layout="base.html")
    assert list(stream) == pieces


def test_what_a_part_sets_is_seen_by_the_next() -> None:
    source = (
        "{% set a = 1 %}{% import 'm.html' as m %}{% macro own() %}o{% endmacro %}{% flush %}"
        "{{ a }}{{ m.x() }}{{ own() }}"
    )
    templates = Templates({"a.html": source, "m.html": "{% macro x() %}x{% endmacro %}"})
    assert list(templates.stream("a.html")) == ["1xo"]


def test_a_part_in_a_text_is_not_escaped() -> None:
    assert list(Templates({"a.txt": "{{ v }}{% flush %}{{ v }}"}).stream("a.txt", v="<")) == [
        "<",
        "<",
    ]


def test_it_sees_the_context_of_who_asks() -> None:
    token = variable.set("of the asker")
    try:
        pieces = list(Templates({"a.html": "{{ f() }}"}).stream("a.html", f=variable.get))
    finally:
        variable.reset(token)
    assert pieces == ["of the asker"]


# When it goes wrong...


def test_what_is_not_there_is_told_before_the_stream_begins() -> None:
    with pytest.raises(TemplateNotFound):
        Templates(FOUND).stream("nope.html")


def test_an_error_comes_after_the_parts_that_were_ready() -> None:
    pieces = Templates(FOUND).stream("page.html", title="t", rows=lambda: 1 / 0)
    assert [next(pieces), next(pieces)] == ["<head>t", "<nav>"]
    with pytest.raises(RenderFailed, match="ZeroDivisionError"):
        next(pieces)
    assert list(pieces) == []


def slow(ended: list[str]) -> Any:
    def rows() -> str:
        ended.append("began")
        try:
            sleep_forever()
        except Cancelled as error:
            ended.append(str(error))
            raise
        return ""

    return rows


def test_closing_the_stream_ends_the_rendering_where_it_waits() -> None:
    ended: list[str] = []
    pieces = Templates(FOUND).stream("page.html", title="t", rows=slow(ended))
    next(pieces)
    wait_until(lambda: ended == ["began"])
    pieces.close()  # type: ignore[attr-defined]
    wait_until(lambda: len(ended) == 2)
    assert ended[1] == "cancelled by scope: nobody takes the page any more"


def test_who_is_cancelled_while_waiting_for_a_part_ends_it_too() -> None:
    ended: list[str] = []
    pieces = Templates(FOUND).stream("page.html", title="t", rows=slow(ended))
    with move_on_after(0.001) as scope:
        for _ in pieces:
            pass
    assert scope.cancelled_caught
    wait_until(lambda: len(ended) == 2)
    assert list(pieces) == []


def test_a_stream_that_nobody_began_does_nothing() -> None:
    ended: list[str] = []
    pieces = Templates(FOUND).stream("page.html", title="t", rows=slow(ended))
    pieces.close()  # type: ignore[attr-defined]
    sleep(0)
    assert ended == []


def test_many_streams_do_not_mix() -> None:
    templates = Templates(FOUND)

    def visit(me: int) -> list[str]:
        def rows() -> str:
            for _ in range(me % 7):
                sleep(0)
            return f"rows {me}"

        return list(templates.stream("page.html", title=me, rows=rows))

    handles = [spawn(visit, me) for me in range(60)]
    for handle in handles:
        handle.join()
    for me, handle in enumerate(handles):
        assert handle.result == [f"<head>{me}", "<nav>", f"rows {me}<end>"]


# Reading it...


def test_no_line_moves() -> None:
    with pytest.raises(RenderFailed, match=r"(?s)a.html:4: 'nope' is undefined.*> 4 \| {{ nope }}"):
        list(Templates({"a.html": "1\n{%- flush -%}\n3\n{{ nope }}"}).stream("a.html"))


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("\n{% extends 'x.html' %}\n{% flush %}", 3, "belongs into the layout"),
        ("{% flush now %}", 1, "takes nothing"),
        ("{% if true %}\n{% flush %}\n{% endif %}", None, "stands inside of another tag"),
        ("{% block a %}{% flush %}{% endblock %}", 1, "stands inside of another tag"),
    ],
)
def test_a_misplaced_flush_is_found_at_the_start(source: str, line: int | None, says: str) -> None:
    with pytest.raises(TemplateBroken, match=says) as caught:
        Templates({"a.html": source, "x.html": ""}).load()
    assert line is None or caught.value.line == line


@pytest.mark.parametrize(
    "source",
    [
        "no such tag: flush",
        "{# {% flush %} #}",
        "{% raw %}{% flush %}{% endraw %}",
        "{{ flush }}{% set flush = 1 %}",
    ],
)
def test_what_is_no_flush_is_left_alone(source: str) -> None:
    assert rewrite("a.html", source, "a.html") == source


def test_another_error_of_the_layout_stays_what_it_is() -> None:
    with pytest.raises(TemplateBroken, match=r"a.html:2: .*endfor"):
        Templates({"a.html": "a{% flush %}\n{% endfor %}"}).load()
