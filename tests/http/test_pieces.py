"""Items that become bytes when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from photon.http.pieces import Pieces, with_defaults


def encode(item: object) -> bytes:
    return repr(item).encode()


def test_each_item_becomes_bytes_when_it_is_asked_for() -> None:
    asked = []

    def items() -> Iterator[int]:
        for number in range(3):
            asked.append(number)
            yield number

    pieces = Pieces(items(), encode)
    assert asked == []
    assert next(pieces) == b"0"
    assert asked == [0]
    assert list(pieces) == [b"1", b"2"]


@pytest.mark.parametrize("items", [[1, 2], (1, 2), range(1, 3), {1: "a", 2: "b"}.keys()])
def test_any_iterable_will_do(items: Any) -> None:
    pieces = Pieces(items, encode)
    assert list(pieces) == [b"1", b"2"]
    pieces.close()


@pytest.mark.parametrize("items", ["text", b"bytes", {"a": 1}, 5, None])
def test_one_value_is_no_stream_of_them(items: Any) -> None:
    with pytest.raises(TypeError, match=r"is one: give a generator, or a list"):
        Pieces(items, encode)


def test_a_generator_is_closed() -> None:
    ended = []

    def items() -> Iterator[int]:
        try:
            yield 1
        finally:
            ended.append(True)

    pieces = Pieces(items(), encode)
    next(pieces)
    pieces.close()
    pieces.close()
    assert ended == [True]


def test_what_gives_iterators_is_closed_and_they_are_too() -> None:
    closed = []

    class Cursor:
        def __iter__(self) -> Iterator[int]:
            try:
                yield 1
            finally:
                closed.append("iterator")

        def close(self) -> None:
            closed.append("cursor")

    pieces = Pieces(Cursor(), encode)
    next(pieces)
    pieces.close()
    assert closed == ["iterator", "cursor"]


def test_defaults_give_way_to_what_is_there() -> None:
    defaults = {"a": "1", "b": "2"}
    assert list(with_defaults({"A": "x"}, defaults)) == [("a", "x"), ("b", "2")]
    assert list(with_defaults([("c", "x"), ("c", "y")], {})) == [("c", "x"), ("c", "y")]
    assert list(with_defaults(None, defaults)) == [("a", "1"), ("b", "2")]
