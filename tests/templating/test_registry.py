"""What templates may use besides their values."""

from __future__ import annotations

import pytest

from photon.templating.engine import Templates
from photon.templating.errors import RenderFailed, TemplateBroken


def test_functions_filters_and_tests_are_registered_by_decorators() -> None:
    templates = Templates({"a.txt": "{{ twice(2) }} {{ 3|thrice }} {{ 4 is big }} {{ 5|sixfold }}"})

    @templates.function
    def twice(x: int) -> int:
        return 2 * x

    @templates.filter
    def thrice(x: int) -> int:
        return 3 * x

    @templates.test(name="big")
    def is_big(x: int) -> bool:
        return x > 3

    @templates.filter()
    def sixfold(x: int) -> int:
        return twice(thrice(x))

    assert templates.render("a.txt") == "4 9 True 30"
    assert twice(1) == 2


def test_they_may_be_registered_after_the_start() -> None:
    templates = Templates({"a.txt": "{{ 1|later }}{{ now }}{{ f() }}"})
    templates.load()
    templates.filter(lambda x: x + 1, name="later")
    templates.globals["now"] = "!"
    templates.globals["f"] = lambda: "f"
    assert templates.render("a.txt") == "2!f"


def test_what_is_registered_outlives_a_load_that_failed_and_a_new_edition() -> None:
    found = {"a.txt": "{{ 1|later }}{{ now }}"}
    templates = Templates(found, reload=True)
    templates.load()
    found["b.txt"] = "{% if %}"
    with pytest.raises(TemplateBroken):
        templates.load()
    templates.filter(lambda x: x + 1, name="later")
    templates.globals["now"] = "!"
    assert templates.render("a.txt") == "2!"
    del found["b.txt"]
    assert templates.render("a.txt") == "2!"


def test_globals_are_a_mapping() -> None:
    templates = Templates({"a.txt": "{{ site }}"}, globals={"site": "A", "f": len})
    assert dict(templates.globals) == {"site": "A", "f": len}
    assert templates.render("a.txt") == "A"
    templates.globals["site"] = "B"
    assert templates.render("a.txt") == "B"
    templates.globals["site"] = lambda: "C"
    assert len(templates.globals) == 2
    templates.globals["site"] = "D"
    assert templates.render("a.txt") == "D"
    assert templates.render("a.txt", site="of the page") == "of the page"
    del templates.globals["site"], templates.globals["f"]
    with pytest.raises(RenderFailed, match="'site' is undefined"):
        templates.render("a.txt")
    assert "{}" in repr(templates.globals)
    with pytest.raises(KeyError):
        del templates.globals["site"]
    with pytest.raises(ValueError, match="'request' is taken"):
        templates.globals["request"] = 1


def test_no_name_is_given_twice() -> None:
    templates = Templates({}, globals={"g": 1})
    templates.filter(len, name="a")
    templates.function(len, name="a")
    with pytest.raises(ValueError, match="there is a filter 'a' already"):
        templates.filter(str, name="a")
    with pytest.raises(ValueError, match="there is a function 'g' already"):
        templates.function(str, name="g")
