"""Which part of a value cannot be sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from photon.app.culprit import culprit_in
from photon.http.response import encode_json

OWN = object()


class Box(msgspec.Struct):
    held: Any


@dataclass
class Point:
    x: Any


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (OWN, ""),
        ({"a": 1, "b": OWN}, "['b']"),
        ({"a": [1, {"b": OWN}]}, "['a'][1]['b']"),
        ([Box(Point((1, OWN)))], "[0].held.x[1]"),
    ],
)
def test_it_is_found_where_it_is(value: Any, place: str) -> None:
    assert culprit_in(value, encode_json) == (OWN, place)


def test_what_no_part_of_is_wrong_is_it_itself() -> None:
    value = {"a": {("x", "y"): 1}}
    assert culprit_in(value, encode_json) == (value["a"], "['a']")


def test_nobody_looks_for_ever() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    assert len(culprit_in(cycle, encode_json).place) == 3 * 20
    far = {"a": [*range(20_000), OWN]}
    assert culprit_in(far, encode_json).place == "['a']"
    assert len(culprit_in({"k" * 1000: OWN}, encode_json).place) < 70
