"""The user's functions, as templates call them."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from typing import Any

import pytest
from minijinja import pass_state

from photon.templating.functions import lines_calling, name_for


async def waits(value: int) -> int:
    return value


async def streams(value: int) -> AsyncIterator[int]:
    yield value


class Callable:
    async def __call__(self, value: int) -> int:
        return value


@pass_state
def stateful(state: Any, value: int) -> int:
    return value


@pytest.mark.parametrize(
    ("fn", "name", "says"),
    [
        (5, None, r"a filter is a function, not int 5; write @templates.filter above"),
        ("price", None, r"a filter is a function, not str 'price'.*name='...'"),
        (lambda x: x, None, "has no name for templates: give it one"),
        (functools.partial(round, 1), None, "has no name for templates"),
        (len, "a b", "no template can write 'a b'"),
        (len, "", "no template can write ''"),
        (len, 5, "the name of a filter is text, not int 5"),
        (len, "url_for", "'url_for' is taken in templates"),
        (len, "request", "'request' is taken in templates"),
        (waits, None, r"'waits' \(.*test_functions.py:\d+\) is async; write a plain def"),
        (streams, None, "is async"),
        (Callable(), "called", "is async"),
        (functools.partial(waits, 1), "called", "is async"),
        (stateful, None, "wants minijinja's state"),
        (lambda: 1, "nothing", "takes no argument"),
        (lambda *, key: 1, "nothing", "takes no argument"),
    ],
)
def test_what_will_not_do_is_refused(fn: Any, name: Any, says: str) -> None:
    with pytest.raises((TypeError, ValueError), match=says):
        name_for("filter", fn, name)


@pytest.mark.parametrize(
    ("fn", "name", "gives"),
    [
        (len, None, "len"),
        (str, None, "str"),
        (str.upper, None, "upper"),
        ("a".join, "comma", "comma"),
        (functools.partial(round, ndigits=2), "money", "money"),
        (lambda *values: 1, "many", "many"),
    ],
)
def test_what_can_be_called_will_do(fn: Any, name: str | None, gives: str) -> None:
    assert name_for("filter", fn, name) == gives


def test_a_function_may_take_nothing() -> None:
    assert name_for("function", lambda: 1, "now") == "now"


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("{{ price(1) }}", [1]),
        ("a\n{{ 1 | price }}\n{% if 1 is price %}", [2, 3]),
        ("price {{ prices }} {{ my_price }} {{ a.price }}", []),
        ("{% for x in\n  price() %}\n price", [2]),
        ("{{ '}}' }}{{ price }}", [1]),
    ],
)
def test_the_lines_that_may_call_it_are_found(source: str, lines: list[int]) -> None:
    assert list(lines_calling("price", source)) == lines
