"""Any value is shown in bounded time and length."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.runtime.greenlets import sleep_forever
from photon.telemetry.debug_page.secrets import Redactor
from photon.telemetry.debug_page.values import Values


def shown(value: Any, name: str = "") -> str:
    return Values(Redactor({})).shown(value, name)


@dataclasses.dataclass
class Point:
    x: int
    secret: str = "s"
    hidden: int = dataclasses.field(default=1, repr=False)


class Item(msgspec.Struct):
    name: str
    token: str


class Bare:
    def __init__(self) -> None:
        self.name = "ann"
        self.password = "x"


class Told:
    def __repr__(self) -> str:
        return "Told(password='x')"


Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (1.5, "1.5"),
        ("it's", '"it\'s"'),
        (b"ab", "b'ab'"),
        ([1, "a", None], "[1, 'a', None]"),
        ((1,), "(1,)"),
        ((), "()"),
        (set(), "set()"),
        ({3}, "{3}"),
        (frozenset([1]), "frozenset({1})"),
        ({"a": {"password": "x"}}, "{'a': {'password': '[redacted]'}}"),
        (collections.OrderedDict(a=1), "OrderedDict{'a': 1}"),
        (collections.Counter("a"), "Counter{'a': 1}"),
        (collections.deque([1]), "deque([1])"),
        (Pair(1, [2]), "Pair(a=1, b=[2])"),
        (Point(1), "Point(x=1, secret=[redacted])"),
        (Item("a", "b"), "Item(name='a', token=[redacted])"),
        (Told(), "Told(password='[redacted]')"),
        (int, "<class 'int'>"),
        (10**400, "<an integer of 1,329 bits>"),
    ],
)
def test_what_is_shown(value: Any, text: str) -> None:
    assert shown(value) == text


def test_an_object_without_a_repr_shows_its_attributes() -> None:
    assert shown(Bare()).endswith("Bare(name='ann', password=[redacted])")
    assert shown(object()) == "<object>"


def test_a_name_hides_its_value() -> None:
    assert shown("x", "password") == "[redacted]"
    assert shown(None, "password") == "None"


def test_a_value_within_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert shown(loop) == "[<this again>]"
    assert shown([loop, loop]) == "[[<this again>], [<this again>]]"


@pytest.mark.parametrize(
    "value",
    [
        list(range(10**6)),
        {n: n for n in range(10**5)},
        "x" * 10**7,
        b"x" * 10**7,
        bytearray(10**7),
        [["x" * 10**5] * 1000] * 1000,
        Point("y" * 10**7),  # type: ignore[arg-type]
        [{"a": "b" * 500}] * 500,
        [[[[[[[[]]]]]]]],
    ],
    ids=range(9),
)
def test_huge_values_are_cut(value: Any) -> None:
    assert len(shown(value)) < 6000


class Raises:
    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __repr__(self) -> str:
        raise self.error


@pytest.mark.parametrize(
    "error", [ValueError(), SystemExit(), KeyboardInterrupt(), RecursionError()]
)
def test_a_repr_that_raises(error: BaseException) -> None:
    assert f"whose repr raised {type(error).__name__}" in shown(Raises(error))


class Computes:
    def __repr__(self) -> str:
        number = 0
        while True:
            number += 1


class Waits:
    def __repr__(self) -> str:
        sleep_forever()
        return ""


class Wrong:
    def __repr__(self) -> Any:
        return 7


class Long:
    def __repr__(self) -> str:
        return "x" * 10**6


def test_a_repr_that_never_ends() -> None:
    assert shown(Computes()).endswith("Computes, whose repr takes too long>")
    assert "Waits, whose repr" in shown(Waits())


def test_when_the_time_is_over_no_other_is_asked() -> None:
    values = Values(Redactor({}))
    told = [values.shown(Computes()) for _ in range(20)]
    assert told[-1].endswith("Computes>")
    assert values.shown([1]) == "[1]"


def test_a_repr_that_gives_nonsense() -> None:
    assert "Wrong, whose repr raised TypeError" in shown(Wrong())
    assert len(shown(Long())) < 1000


class Changing(dict[int, int]):
    def items(self) -> Any:
        raise RuntimeError("changed size during iteration")


class Liar(list[int]):
    def __len__(self) -> int:
        return 10**9

    def __iter__(self) -> Any:
        while True:
            yield 1


def test_containers_that_lie() -> None:
    assert "cannot be shown: RuntimeError" in shown(Changing())
    assert len(shown(Liar())) < 500


@given(
    st.recursive(
        st.none() | st.text() | st.binary() | st.integers() | st.floats(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    )
)
def test_any_value_is_shown(value: Any) -> None:
    assert len(shown(value)) < 8000
