"""Defaults that a handler could change are made anew; marks and constants are not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from msgspec import UNSET, Struct

from photon.binding.defaults import maker_of


class Loose(Struct):
    tags: list[str] = []


class Frozen(Struct, frozen=True):
    tags: tuple[str, ...] = ()


@dataclass
class Data:
    tags: list[str]


@pytest.mark.parametrize(
    "default", [[], [1], [[1]], {"a": []}, {1}, bytearray(b"x"), Loose(["a"]), Data(["a"]), ([],)]
)
def test_what_can_be_changed_is_made_anew(default: Any) -> None:
    make = maker_of(default)
    assert make is not None
    assert make() == default
    assert make() is not default
    assert type(make()) is type(default)


@pytest.mark.parametrize(
    "default",
    [None, 1, "a", b"a", (), (1, "a"), frozenset({1}), Frozen(), date.min, UNSET, object(), Data],
)
def test_what_cannot_be_changed_stays_itself(default: Any) -> None:
    assert maker_of(default) is None


def test_what_is_inside_is_made_anew_as_well() -> None:
    make = maker_of({"a": [1]})
    assert make is not None
    make()["a"].append(2)
    assert make() == {"a": [1]}
