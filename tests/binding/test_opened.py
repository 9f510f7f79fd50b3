"""What providers opened is closed in reverse, whatever happens on the way."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from photon.binding.errors import HandlerError
from photon.binding.opened import Opened


def named(name: str, story: list[str], error: BaseException | None = None) -> Iterator[str]:
    try:
        yield name
    except BaseException as thrown:
        story.append(f"{name} gets {thrown!r}")
        raise
    finally:
        story.append(f"close {name}")
        if error is not None:
            raise error


def test_the_last_one_is_closed_first() -> None:
    story: list[str] = []
    opened = Opened()
    assert opened.enter(named, named("a", story)) == "a"
    assert opened.enter_context(named, contextmanager(named)("b", story)) == "b"
    opened.close()
    assert story == ["close b", "close a"]
    opened.close()
    assert story == ["close b", "close a"]


def test_the_error_is_thrown_where_they_yielded_and_not_raised_again() -> None:
    story: list[str] = []
    opened = Opened()
    opened.enter(named, named("a", story))
    opened.enter_context(named, contextmanager(named)("b", story))
    opened.error = ValueError("x")
    opened.close()
    assert story == [
        "b gets ValueError('x')",
        "close b",
        "a gets ValueError('x')",
        "close a",
    ]


def test_what_one_raises_goes_to_the_next_and_out() -> None:
    story: list[str] = []
    opened = Opened()
    opened.enter(named, named("a", story))
    opened.enter(named, named("b", story, KeyError("b")))
    opened.enter(named, named("c", story, KeyError("c")))
    with pytest.raises(KeyError, match="b") as caught:
        opened.close()
    assert story == [
        "close c",
        "b gets KeyError('c')",
        "close b",
        "a gets KeyError('b')",
        "close a",
    ]
    assert isinstance(caught.value.__context__, KeyError)


@pytest.mark.parametrize("make", [named, contextmanager(named)])
def test_an_error_leaves_no_cycle_behind(make: Any) -> None:
    class Large:
        """What a request holds."""

    def handle() -> weakref.ref[Large]:
        large = Large()
        opened = Opened()
        opened.enter_context(named, make("a", []))
        opened.enter_context(named, make("b", []))
        try:
            raise ValueError(large)
        except ValueError as error:
            opened.error = error
        opened.close()
        return weakref.ref(large)

    gc.disable()
    try:
        assert handle()() is None
    finally:
        gc.enable()


def test_a_generator_yields_once() -> None:
    def never() -> Iterator[int]:
        yield from ()

    def twice() -> Iterator[int]:
        yield 1
        yield 2

    opened = Opened()
    with pytest.raises(HandlerError, match=r"never .*test_opened\.py:\d+\) did not yield"):
        opened.enter(never, never())
    opened.enter(twice, twice())
    with pytest.raises(HandlerError, match=r"twice .*test_opened\.py:\d+\) yielded twice"):
        opened.close()


@pytest.mark.parametrize("value", [[1], None, "text"])
def test_what_a_decorator_made_another_thing_of(value: Any) -> None:
    opened = Opened()
    assert opened.enter_context(named, value) == value
    opened.close()
