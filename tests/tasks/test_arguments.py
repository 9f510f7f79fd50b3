"""Arguments arrive as what they were, or are refused where they are sent."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.tasks.arguments import LARGEST_BYTES, Arguments
from photon.tasks.errors import TaskError
from photon.tasks.queue_errors import ArgumentError, UnfitArguments


class Place(msgspec.Struct):
    name: str
    since: date


class Far(Place):
    km: int = 0


class Colour(StrEnum):
    RED = "red"


def travels(fn: Any, *args: Any, **kwargs: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    arguments = Arguments(fn, "task")
    text = msgspec.json.encode(arguments.encode(args, kwargs))
    return arguments.decode(msgspec.json.decode(text))


def test_values_are_made_again_by_their_annotations() -> None:
    def fn(
        place: Place,
        at: datetime,
        /,
        ids: dict[int, UUID],
        *more: Decimal,
        wait: timedelta | None = None,
        data: bytes = b"",
        tags: frozenset[str] = frozenset(),
        **rest: date,
    ) -> None: ...

    place = Place("here", date(2026, 1, 1))
    args = (place, datetime(2026, 1, 1, 12), {1: uuid4()}, Decimal("1.10"))
    kwargs = {"wait": timedelta(1), "data": b"\0\xff", "tags": frozenset("ab"), "x": date.max}
    assert travels(fn, *args, **kwargs) == (args, kwargs)


def test_defaults_are_left_to_who_runs_it() -> None:
    def fn(a: int, b: int = 2) -> None: ...

    assert Arguments(fn, "task").encode((1,), {}) == {"a": 1}
    assert travels(fn, b=3, a=1) == ((1, 3), {})


def test_plain_values_need_no_annotations() -> None:
    def fn(a, b=None): ...  # type: ignore[no-untyped-def]

    values = {"a": [1, 2.5, None, True, {"b": "ü"}]}
    assert travels(fn, values) == ((values,), {})
    assert travels(fn, (1, 2)) == (([1, 2],), {})  # JSON knows no tuples


def test_a_partial_is_a_function() -> None:
    def fn(a: int, b: int) -> None: ...

    assert travels(partial(fn, 1), 2)[0] == (2,)


texts = st.text(st.characters(exclude_categories=["Cs"]))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.recursive(
        st.none() | st.booleans() | numbers | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=10,
    )
)
def test_whatever_json_has_arrives(value: Any) -> None:
    def fn(value: Any) -> None: ...

    assert travels(fn, value) == ((value,), {})


def test_what_would_arrive_as_something_else_is_refused() -> None:
    def fn(plain=None, place: Place | None = None, items: list[Any] = []) -> None: ...  # type: ignore[no-untyped-def]  # noqa: B006

    arguments = Arguments(fn, "app.fn")
    as_date = "the argument plain of app.fn: a date would arrive as str; annotate plain with its"
    for given_, message in (
        ({"plain": date(2026, 1, 2)}, f"{as_date} type, as in plain: date"),
        ({"plain": [{"a": UUID(int=1)}]}, "a UUID would arrive as str"),
        ({"plain": {1: 2}}, "a dict would arrive as"),
        ({"plain": Place("a", date.min)}, "a Place would arrive as dict"),
        ({"place": Far("a", date.min)}, "annotate place with its type, as in place: Far"),
        ({"items": [b"bytes"]}, "a bytes would arrive as str"),
        ({"plain": float("nan")}, "the argument plain of app.fn cannot be sent: JSON has no nan"),
        ({"plain": "\ud800"}, "surrogates"),
    ):
        with pytest.raises(ArgumentError, match=message):
            arguments.encode((), given_)
    assert arguments.encode((), {"plain": Colour.RED}) == {"plain": "red"}  # it is a str


def test_what_cannot_be_sent_is_refused_by_name() -> None:
    def fn(who: Any = None, n: int = 0) -> None: ...

    arguments = Arguments(fn, "app.fn")
    with pytest.raises(ArgumentError, match=r"the argument who of app.fn, of object, cannot be"):
        arguments.encode((object(),), {})
    with pytest.raises(ArgumentError, match=r"the argument n of app.fn does not fit: Expected"):
        arguments.encode((), {"n": "x"})
    with pytest.raises(ArgumentError, match=r"app.fn\(who, n\): too many positional"):
        arguments.encode((1, 2, 3), {})
    with pytest.raises(ArgumentError, match="got an unexpected keyword argument 'm'"):
        arguments.encode((), {"m": 1})
    with pytest.raises(ArgumentError, match=r"bytes as JSON, and .* send their id"):
        arguments.encode(("x" * LARGEST_BYTES,), {})
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(ArgumentError, match="recursion"):
        arguments.encode((nested,), {})


def test_what_arrives_and_does_not_fit_is_told() -> None:
    def fn(a: int, *rest: int, b: int) -> None: ...

    arguments = Arguments(fn, "app.fn")
    with pytest.raises(
        UnfitArguments, match=r"fn\(a, \*rest, b\) .*no parameter c, the argument b"
    ):
        arguments.decode({"a": 1, "c": 2})
    with pytest.raises(UnfitArguments, match=r"the argument a of app.fn does not fit: Expected"):
        arguments.decode({"a": "1", "b": 1})


def test_annotations_that_cannot_be_read_are_told_by_check() -> None:
    def unknown(a: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    def union(a: Place | dict[str, int]) -> None: ...

    with pytest.raises(TaskError, match="an annotation of t cannot be read: name 'Nowhere'"):
        Arguments(unknown, "t").check()
    with pytest.raises(TaskError, match="the parameter a of t cannot be sent: Type unions"):
        Arguments(union, "t").check()
