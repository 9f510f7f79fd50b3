"""Templates: what is found at the start, what they may use, and what becomes of them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from photon.http.errors import ClientDisconnected, HTTPError
from photon.http.request import Request
from photon.runtime.cancel import CancelScope, move_on_after
from photon.runtime.errors import Cancelled
from photon.runtime.greenlets import checkpoint, sleep, sleep_forever, spawn
from photon.runtime.offload import offload
from photon.templating.engine import Templates
from photon.templating.errors import (
    RenderFailed,
    TemplateBroken,
    TemplateNotFound,
    TemplatesBroken,
    TemplatingError,
)
from tests.clients import wait_until
from tests.http.requests import make_request


def rendered(source: str, /, name: str = "page.html", **context: Any) -> str:
    return Templates({name: source}).render(name, **context)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# At the start...


def test_templates_are_rendered_by_their_names(tmp_path: Path) -> None:
    write(tmp_path / "base.html", "<b>{% block main %}{% endblock %}</b>")
    write(tmp_path / "shop" / "item.html.j2", "{% extends 'base.html' %}{% block main %}{{ a }}")
    with (tmp_path / "shop" / "item.html.j2").open("a") as file:
        file.write("{% endblock %}")
    (tmp_path / "logo.png").write_bytes(b"\x89PNG\xff{% nonsense")
    templates = Templates(tmp_path)
    templates.load()
    assert templates.names == ["base.html", "shop/item.html.j2"]
    assert "base.html" in templates
    assert "logo.png" not in templates
    assert templates.render("shop/item.html.j2", a="<i>") == "<b>&lt;i&gt;</b>"
    assert "2 templates" in repr(templates)


def test_a_syntax_error_is_found_at_the_start_with_its_place(tmp_path: Path) -> None:
    write(tmp_path / "good.html", "x")
    write(tmp_path / "bad.html", "<ul>\n{% for x in y %}\n<li>\n{% endif %}\n")
    with pytest.raises(TemplateBroken) as caught:
        Templates(tmp_path).load()
    error = caught.value
    assert (error.name, error.line) == ("bad.html", 4)
    assert f"{tmp_path}/bad.html:4: " in str(error)
    assert "endif" in error.problem
    assert "  > 4 | {% endif %}" in str(error)


def test_all_that_are_broken_are_told_at_once() -> None:
    broken = Templates({"a.html": "{% if %}", "b.html": "{{ ", "c.html": "{{ c }}"})
    with pytest.raises(TemplatesBroken, match="2 templates are broken") as caught:
        broken.load()
    assert [error.name for error in caught.value.errors] == ["a.html", "b.html"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "tag",
    [
        "{% extends 'bsae.html' %}",
        '{%- include "bsae.html" -%}',
        "{% import 'bsae.html' as x %}",
        "{% from 'bsae.html' import x %}",
    ],
)
def test_a_template_that_names_one_which_is_not_there_is_found_too(tag: str) -> None:
    templates = Templates({"base.html": "", "page.html": f"\n{tag}"})
    with pytest.raises(TemplateBroken, match=r"page.html:2: .*'bsae.html'; did you mean 'base.ht"):
        templates.load()
    with pytest.raises(RenderFailed, match=r"page.html:2: .*'bsae.html'; did you mean 'base.ht"):
        templates.render("page.html")


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'nope.html' ignore missing %}",
        "{# {% include 'nope.html' %} #}",
        "{% raw %}{% include 'nope.html' %}{% endraw %}",
    ],
)
def test_what_may_be_missing_may_be_missing(source: str) -> None:
    Templates({"page.html": source}).load()


def test_a_file_that_is_no_text_is_found_too(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"\xff")
    write(tmp_path / "b.html", "{% include 'a.html' %}")
    templates = Templates(tmp_path)
    with pytest.raises(TemplateBroken, match="byte 0 is not utf-8"):
        templates.load()
    for name in ("a.html", "b.html"):
        with pytest.raises(TemplateBroken, match="byte 0 is not utf-8"):
            templates.render(name)


def test_without_load_the_others_are_rendered_all_the_same() -> None:
    templates = Templates({"bad.html": "{% if %}", "good.html": "x"})
    assert templates.render("good.html") == "x"
    with pytest.raises(TemplateBroken, match=r"bad.html:1"):
        templates.render("bad.html")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"undefined": "loud"}, "strict, semi_strict, lenient, chainable, not 'loud'"),
        ({"fuel": 0}, "a number of steps, or None"),
        ({"fuel": "much"}, "a number of steps, or None"),
        ({"globals": {"a b": 1}}, "no template can write 'a b'"),
        ({"filters": {"x": 1}}, "a filter is a function, not int"),
    ],
)
def test_odd_options_are_refused(options: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        Templates({}, **options)


def test_options_reach_minijinja() -> None:
    source = "{% if true %}\n  {% if true %}\nx{% endif %}{% endif %}\n"
    assert Templates({"a.html": source}, trim_blocks=True, lstrip_blocks=True).render("a.html") == (
        "x"
    )
    assert Templates({"a.html": "x\n"}, keep_trailing_newline=True).render("a.html") == "x\n"
    chainable = Templates({"a.html": "{{ a.b.c }}"}, undefined="chainable")
    assert chainable.render("a.html") == ""
    assert Templates({"a.html": "{% if a %}{% endif %}"}, undefined="semi_strict").render(
        "a.html"
    ) == ("")


# Names that are not there...


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("idnex.html", "no template 'idnex.html'; did you mean 'index.html'"),
        ("../index.html", "leaves the templates' folder"),
        ("index.html\0x", "no template"),
        ("", "no template ''"),
    ],
)
def test_a_name_that_is_not_there(name: str, says: str) -> None:
    templates = Templates({"index.html": ""})
    for ask in (templates.render, templates.stream):
        with pytest.raises(TemplateNotFound, match=says):
            ask(name)


def test_a_name_is_text() -> None:
    with pytest.raises(TypeError, match="the name of a template is text, not int"):
        Templates({}).render(5)  # type: ignore[arg-type]


def test_no_name_leaves_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "secret.html", "secret")
    write(tmp_path / "in" / "a.html", "{% include name %}")
    templates = Templates(tmp_path / "in")
    for name in ("../secret.html", "./../secret.html", str(tmp_path / "secret.html")):
        with pytest.raises(TemplateNotFound):
            templates.render(name)
        with pytest.raises(RenderFailed, match=r"a.html:1: there is no template|leaves"):
            templates.render("a.html", name=name)


# Escaping...


@pytest.mark.parametrize(
    ("name", "gives"),
    [
        ("a.html", "&lt;&quot;"),
        ("a.html.j2", "&lt;&quot;"),
        ("a.xml", "&lt;&quot;"),
        ("a.svg", "&lt;&quot;"),
        ("a", "&lt;&quot;"),
        ("a.txt.html", "&lt;&quot;"),
        ("a.txt", '<"'),
        ("a.txt.j2", '<"'),
        ("a.md", '<"'),
        ("a.json", '"<\\""'),
    ],
)
def test_all_is_escaped_but_plain_text(name: str, gives: str) -> None:
    assert rendered("{{ v }}", name, v='<"') == gives


def test_json_of_any_value_can_stand_in_a_page() -> None:
    class Item(msgspec.Struct):
        name: str

    source = "{{ v|tojson }}"
    assert rendered(source, v=[Item("</script>&'")]) == (
        '[{"name":"\\u003c/script\\u003e\\u0026\\u0027"}]'
    )
    assert rendered(source, "a.json", v=Item("a")) == '{"name":"a"}'
    assert rendered("{{ {'a': 1}|tojson(indent=1) }}") == '{\n "a": 1\n}'


# What a page sees...


class Struct(msgspec.Struct):
    name: str
    _secret: str = "secret"

    def shout(self) -> str:
        return self.name.upper()


@dataclasses.dataclass
class Data:
    name: str
    _secret: str = "secret"

    def shout(self) -> str:
        return self.name.upper()


@pytest.mark.parametrize("item", [Struct("a"), Data("a")])
def test_attributes_and_methods_are_seen_but_nothing_private(item: Any) -> None:
    assert rendered("{{ i.name }}{{ i['name'] }}{{ i.shout() }}", i=item) == "aaA"
    lenient = Templates(
        {
            "a.txt": "{{ i._secret }}{{ i['_secret'] }}{{ i|attr('_secret') }}{{ i.__class__ }}"
            "{{ [i]|map(attribute='_secret')|join }}{{ i.shout.__globals__ }}"
            "{{ f.__code__ }}{{ f.__globals__ }}{{ ''.__class__ }}"
        },
        undefined="lenient",
    )
    assert lenient.render("a.txt", i=item, f=rendered) == ""
    for reach in ("i.__class__.__mro__", "i.__init__('b')", "i.__reduce__()", "''.__class__.x"):
        with pytest.raises(RenderFailed):
            rendered(f"{{{{ {reach} }}}}", i=item)


def test_mappings_and_namespaces_are_seen() -> None:
    source = "{{ d.a }}{{ d['b c'] }}{{ d.get('x', 3) }}{{ n.a }}"
    assert rendered(source, d={"a": 1, "b c": 2}, n=SimpleNamespace(a=4)) == "1234"


def test_a_request_is_seen_as_it_is() -> None:
    request = make_request("/a%20b?q=1&q=<", {"x": "h", "cookie": "a=1", "Host": "me"})
    request.state.user = Struct("ann")
    source = (
        "{{ request.method }} {{ request.path }} {{ request.query.q }} "
        "{{ request.query.get('no', '-') }} {{ request.query.no|default('-') }} "
        "{{ request.query.get_all('q')|length }} {{ request.headers['X'] }} "
        "{{ request.cookies.a }} {{ request.state.user.name }} {{ request.host }}"
    )
    assert rendered(source, "a.txt", request=request) == "GET /a b < - - 2 h 1 ann me"
    assert rendered("{{ request.query.q }}", request=request) == "&lt;"
    for private in ("request._body", "request._link.scheme", "request.state.nobody"):
        with pytest.raises(RenderFailed, match=f"'{private}"):
            rendered(f"{{{{ {private} }}}}", request=request)


def test_a_page_without_a_request_can_tell() -> None:
    assert rendered("{% if request %}a{% else %}b{% endif %}") == "b"


def test_values_may_have_any_name() -> None:
    context = {"self": 1, "name": 2, "template_name": 3, "edition": 4}
    found = Templates({"a.txt": "{{ self }}{{ name }}{{ template_name }}{{ edition }}"})
    assert found.render("a.txt", **context)[-3:] == "234"


# url_for...


def test_url_for_gets_the_request_the_name_and_the_values() -> None:
    request = make_request("/")
    calls: list[Any] = []

    def url_for(given: Request | None, name: str, values: dict[str, Any]) -> str:
        calls.append((given, name, values))
        return "/a?b&c"

    templates = Templates(
        {
            "a.html": "{% import 'm.html' as m %}{{ url_for('item', id=1, name='x') }}{{ m.go() }}",
            "m.html": "{% macro go() %}{{ url_for('home') }}{% endmacro %}",
        }
    )
    templates.url_for = url_for
    assert templates.render("a.html", request=request) == "&#x2f;a?b&amp;c" * 2
    assert calls == [(request, "item", {"id": 1, "name": "x"}), (request, "home", {})]
    templates.render("a.html")
    assert calls[-1] == (None, "home", {})


def test_a_link_is_written_as_it_is_where_nothing_in_it_has_a_meaning_in_html() -> None:
    templates = Templates(
        {
            "a.html": "<a href=\"{{ url_for(path) }}\">{{ '/a' }}{{ url_for(path) == path }}",
            "a.txt": "{{ url_for(path) }}",
            "a.json": "[{{ url_for(path) }}]",
            "raw.html": "{% autoescape false %}{{ url_for(path) }}{% endautoescape %}",
        }
    )
    templates.url_for = lambda request, name, values: name
    assert templates.render("a.html", path="/a/1") == '<a href="/a/1">&#x2f;aTrue'
    assert templates.render("a.json", path="/a/1") == '["/a/1"]'
    hostile = "/'\"<b>&`"
    assert templates.render("a.txt", path=hostile) == hostile
    assert templates.render("raw.html", path=hostile) == hostile
    page = templates.render("a.html", path=hostile)
    assert page.startswith('<a href="&#x2f;&#x27;&quot;&lt;b&gt;&amp;`">')
    assert templates.render("a.json", path=hostile).startswith('["')


def test_url_for_without_an_application_says_so() -> None:
    with pytest.raises(TemplatingError, match=r"url_for\('a'\) needs an application.*Photon\("):
        rendered("{{ url_for('a') }}")


# Functions that fail, and pages that do...


def test_what_a_function_raises_is_the_cause_and_its_place_is_told() -> None:
    templates = Templates(
        {"a.html": "1\n{{ 2 }}\n{{ boom(1) }}\n", "b.html": "{% include 'a.html' %}"}
    )

    @templates.function
    def boom(x: int) -> str:
        raise ValueError("no such price")

    for name in ("a.html", "b.html"):
        with pytest.raises(RenderFailed) as caught:
            templates.render(name)
        error = caught.value
        assert str(error).startswith(
            "a.html:3: the function 'boom' raised ValueError: no such price\n"
        )
        assert "  > 3 | {{ boom(1) }}" in str(error)
        assert (error.name, error.line) == ("a.html", 3)
        assert isinstance(error.__cause__, ValueError)


def test_filters_and_tests_that_fail_are_named_too() -> None:
    templates = Templates({"f.html": "{{ 1|bad }}", "t.html": "{{ 1 is bad }}"})
    templates.filter(lambda value: 1 / 0, name="bad")
    templates.test(lambda value: 1 / 0, name="bad")
    with pytest.raises(RenderFailed, match=r"f.html:1: the filter 'bad' raised ZeroDivisionError"):
        templates.render("f.html")
    with pytest.raises(RenderFailed, match=r"t.html:1: the test 'bad' raised ZeroDivisionError"):
        templates.render("t.html")


def test_what_a_value_raises_is_the_cause() -> None:
    class Item:
        @property
        def price(self) -> int:
            raise LookupError("no price")

    with pytest.raises(RenderFailed, match=r"page.html: a value .* raised LookupError: no pr") as e:
        rendered("{{ item.price }}", item=Item())
    assert isinstance(e.value.__cause__, LookupError)


def test_an_exception_that_cannot_tell_what_it_is_is_told_by_its_name() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise ValueError("no words")

    def fails() -> None:
        raise Mute

    with pytest.raises(RenderFailed, match=r"the function 'fails' raised Mute\n"):
        Templates({"a.html": "{{ fails() }}"}, globals={"fails": fails}).render("a.html")


@pytest.mark.parametrize("error", [HTTPError(404, "no such item"), ClientDisconnected()])
def test_answers_pass_as_they_are(error: Exception) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        rendered("{{ fails() }}", fails=fails)
    assert caught.value is error
    with pytest.raises(type(error)):
        Templates({"a.html": "{{ fails() }}"}, globals={"fails": fails}).render("a.html")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ nope }}", "page.html:1: 'nope' is undefined\n  > 1 | {{ nope }}"),
        ("\né {{ a.b.c }}", "page.html:2: 'a.b.c' is undefined\n"),
        ("{{ 1|nope }}", "page.html:1: unknown filter: filter nope is unknown\n"),
        ("{{ nope() }}", "page.html:1: unknown function: nope is unknown\n"),
        ("{{ 1 + 'a' }}", "page.html:1: invalid operation"),
    ],
)
def test_what_a_page_does_wrong_is_told_with_its_place(source: str, says: str) -> None:
    with pytest.raises(RenderFailed) as caught:
        rendered(source, a={"b": {}})
    assert str(caught.value).startswith(says)
    assert caught.value.__cause__ is None


def test_an_error_in_an_include_is_told_where_it_is() -> None:
    found = {"a.html": "\n{% include 'b.html' %}", "b.html": "{% include 'c.html' %}"}
    found["c.html"] = "\n\n{{ nope }}"
    with pytest.raises(RenderFailed, match=r"(?s)c.html:3: undefined value.*> 3 \| {{ nope }}"):
        Templates(found).render("a.html")


def test_no_message_shows_the_values_of_a_page() -> None:
    with pytest.raises(RenderFailed) as caught:
        rendered("{{ password }}{{ password.x.y }}", password="hunter2")
    context = caught.value.__context__
    assert "hunter2" not in f"{caught.value}{caught.value!r}{context}"


def test_pages_that_include_themselves_end() -> None:
    with pytest.raises(RenderFailed, match=r"a.html:1: .*recursion"):
        Templates({"a.html": "{% include 'a.html' %}"}).render("a.html")


def test_functions_that_render_their_own_page_end() -> None:
    templates = Templates({"a.html": "{{ again() }}"})
    templates.function(lambda: templates.render("a.html"), name="again")
    with pytest.raises(RenderFailed, match=r"a.html: 50 templates render each other"):
        templates.render("a.html")


def test_a_function_may_render_another_template() -> None:
    templates = Templates(
        {"a.html": "{{ part(1) }}{{ url_for('x') }}", "b.html": "<{{ url_for('y') }}>"}
    )
    templates.url_for = lambda request, name, values: f"{request} {name};"
    templates.function(lambda x: templates.render("b.html", request=None), name="part")
    assert templates.render("a.html", request=make_request("q")) == ("&lt;None y;&gt;GET q x;")


def test_a_runaway_page_ends() -> None:
    source = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}"
    with pytest.raises(RenderFailed, match=r"page.html:1: took more steps than its fuel allows"):
        rendered(source)
    templates = Templates({"a.html": "{% include 'b.html' %}", "b.html": source}, fuel=1000)
    with pytest.raises(RenderFailed, match=r"b.html:1: took more steps"):
        templates.render("a.html")


def test_normal_work_does_not_run_out_of_fuel() -> None:
    rows = [list(range(10))] * 10_000
    source = "{% for r in rows %}<tr>{% for c in r %}<td>{{ c }}</td>{% endfor %}{% endfor %}"
    assert rendered(source, rows=rows).count("<td>") == 100_000


def test_text_that_is_no_unicode_is_sent_all_the_same() -> None:
    rendered("{{ v }}", v="a\ud800").encode()


# Reloading...


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "base.html", "<{% block main %}{% endblock %}>")
    write(
        tmp_path / "page.html", "{% extends 'base.html' %}{% block main %}{{ f(1) }}{% endblock %}"
    )
    return tmp_path


def test_changed_files_are_seen(folder: Path) -> None:
    templates = Templates(folder, reload=True, globals={"f": lambda x: f"f{x}"})
    templates.load()
    assert templates.render("page.html") == "<f1>"
    write(folder / "base.html", "[[{% block main %}{% endblock %}]]")
    assert templates.render("page.html") == "[[f1]]"
    write(folder / "new.html", "new {{ f(2) }}")
    assert templates.render("new.html") == "new f2"
    (folder / "new.html").unlink()
    with pytest.raises(TemplateNotFound, match=r"new.html"):
        templates.render("new.html")


def test_a_broken_file_shows_its_error_and_heals(folder: Path) -> None:
    templates = Templates(folder, reload=True, globals={"f": str})
    templates.load()
    write(folder / "other.html", "other")
    write(folder / "base.html", "{% block main %}")
    for _ in range(2):
        with pytest.raises(TemplateBroken, match=r"base.html:1"):
            templates.render("page.html")
    assert templates.render("other.html") == "other"
    (folder / "base.html").write_bytes(b"\xff")
    with pytest.raises(TemplateBroken, match="not utf-8"):
        templates.render("page.html")
    (folder / "base.html").unlink()
    with pytest.raises(RenderFailed, match=r"page.html:1: .*no template 'base.html'"):
        templates.render("page.html")
    write(folder / "base.html", "({% block main %}{% endblock %})")
    assert templates.render("page.html") == "(1)"


def test_without_reload_nothing_changes(folder: Path) -> None:
    templates = Templates(folder, globals={"f": str})
    assert templates.render("page.html") == "<1>"
    write(folder / "base.html", "changed")
    assert templates.render("page.html") == "<1>"
    templates.load()
    assert templates.render("page.html") == "changed"


def test_a_load_that_fails_leaves_what_is_there(folder: Path) -> None:
    templates = Templates(folder, globals={"f": str})
    templates.load()
    write(folder / "base.html", "{% if %}")
    with pytest.raises(TemplateBroken):
        templates.load()
    assert templates.render("page.html") == "<1>"


# Waiting within a page...


def test_many_pages_whose_functions_wait_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path / "base.html", "{% set q = wait(me) %}{% block m %}{% endblock %}|{{ q }}|")
    write(
        tmp_path / "page.html",
        "{% extends 'base.html' %}{% block m %}{% for i in range(3) %}{{ wait(me) }}{{ me|waits }}"
        "{{ o.value }}{{ nested(me) }};{% endfor %}{% include 'inc.html' %}{% endblock %}",
    )
    write(tmp_path / "inc.html", "{{ wait(me) }}{{ url_for('u') }}")
    write(tmp_path / "leaf.html", "({{ wait(me) }})")
    write(tmp_path / "fails.html", "{{ wait(me) }}{% include 'fails2.html' %}")
    write(tmp_path / "fails2.html", "{{ fails(me) }}")
    write(tmp_path / "undefined.html", "{{ wait(me) }}{{ nope }}")
    templates = Templates(tmp_path, reload=True)
    templates.url_for = lambda request, name, values: f"u{request.target if request else ''}"
    beat = [0]

    def pause(me: int) -> None:
        # Each its own number of turns, so that they end in another order than they began.
        for _ in range(1 + (me * 7 + beat[0]) % 5):
            checkpoint()
        beat[0] += 1

    class Waits:
        def __init__(self, me: int) -> None:
            self.me = me

        @property
        def value(self) -> int:
            pause(self.me)
            return self.me

    @templates.function
    def wait(me: int) -> int:
        pause(me)
        return me

    @templates.filter
    def waits(me: int) -> int:
        pause(me)
        return me

    @templates.function
    def nested(me: int) -> str:
        pause(me)
        if me == 50:
            # While all the others wait: a new edition, new functions.
            write(tmp_path / f"{beat[0]}.html", "")
            templates.globals[f"g{beat[0]}"] = str
        return templates.render("leaf.html", me=me)

    @templates.function
    def fails(me: int) -> str:
        pause(me)
        raise ValueError(f"of {me}")

    def visit(me: int) -> None:
        request = make_request(str(me))
        expected = f"{me}{me}{me}({me});" * 3 + f"{me}u{me}|{me}|"
        for _ in range(2):
            assert templates.render("page.html", me=me, o=Waits(me), request=request) == expected
            with pytest.raises(RenderFailed, match=rf"fails2.html:1: .*ValueError: of {me}\n"):
                templates.render("fails.html", me=me)
            with pytest.raises(RenderFailed, match=r"undefined.html:1: 'nope' is undefined"):
                templates.render("undefined.html", me=me)
            with move_on_after(10), CancelScope() as scope:
                scope.cancel()
                templates.render("page.html", me=me, o=Waits(me), request=request)
            assert scope.cancelled_caught

    handles = [spawn(visit, me) for me in range(100)]
    for handle in handles:
        handle.join()
    assert [handle.error for handle in handles if handle.error is not None] == []


@pytest.mark.parametrize(
    "source",
    [
        "{{ wait() }}",
        "{{ 1|wait }}",
        "{% if 1 is wait %}{% endif %}",
        "{{ [1, 2]|map('wait')|list }}",
        "{% macro m() %}{{ wait() }}{% endmacro %}{{ m() }}",
        "{% include 'inner.html' ignore missing %}",
        "{{ nested() }}",
        "{{ value() }}",
        "{{ item.waits }}",
        "{% for x in item %}{% endfor %}",
        "{{ item.waits is defined }}",
        "{% filter photon_flush('x', 1) %}{{ wait() }}{% endfilter %}",
    ],
)
def test_cancelled_reaches_the_caller(source: str) -> None:
    cancelled: list[BaseException] = []

    def wait(*value: int) -> bool:
        try:
            sleep_forever()
        except Cancelled as error:
            cancelled.append(error)
            raise
        return True

    class Item:
        @property
        def waits(self) -> bool:
            return wait()

        def __iter__(self) -> Iterator[int]:
            yield 1
            wait()

    templates = Templates({"a.html": source + "{{ 1/0 }}", "inner.html": "{{ wait() }}"})
    templates.function(wait)
    templates.filter(wait)
    templates.test(wait)
    templates.function(lambda: templates.render("inner.html"), name="nested")
    with move_on_after(0.001) as scope:
        templates.render("a.html", value=wait, item=Item())
        raise AssertionError("not interrupted")
    assert scope.cancelled_caught
    assert len(cancelled) == 1
    # And nothing of it is left for the next one.
    with pytest.raises(RenderFailed, match="'nope' is undefined"):
        rendered("{{ nope }}")


def test_a_file_that_changes_often_does_not_stop_what_is_rendered(tmp_path: Path) -> None:
    write(tmp_path / "a.html", "{{ wait() }}{% include 'b.html' %}")
    write(tmp_path / "b.html", "old")
    templates = Templates(tmp_path, reload=True)
    at_work = []

    @templates.function
    def wait() -> str:
        at_work.append(1)
        sleep(0.001)
        return ""

    handle = spawn(templates.render, "a.html")
    wait_until(lambda: bool(at_work))
    write(tmp_path / "b.html", "newer")
    assert templates.render("b.html") == "newer"
    handle.join()
    assert handle.result == "old"


def test_threads_may_render_too() -> None:
    templates = Templates({"a.html": "{{ f(me) }}" * 20}, globals={"f": lambda me: me})
    handles = [spawn(offload, templates.render, "a.html", me=me) for me in range(20)]
    for handle in handles:
        handle.join()
    assert [handle.result for handle in handles] == [str(me) * 20 for me in range(20)]


def test_no_file_is_left_open(tmp_path: Path) -> None:
    write(tmp_path / "a.html", "x")
    before = os.listdir("/proc/self/fd")
    Templates(tmp_path).load()
    assert len(os.listdir("/proc/self/fd")) == len(before)
