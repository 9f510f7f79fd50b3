from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec import UNSET, Struct

from photon.openapi.defaults import json_default


class Item(Struct):
    at: date


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (1.0, 1.0),
        ((1, "a"), [1, "a"]),
        ({1: 2}, {"1": 2}),
        (Decimal("1.50"), 1.5),
        (Item(date(2024, 1, 2)), {"at": "2024-01-02"}),
        (math.inf, UNSET),
        ([{"a": (math.nan,)}], UNSET),
        (object(), UNSET),
        (LOOP, UNSET),
    ],
    ids=range(10),
)
def test_a_default_as_json(value: Any, expected: Any) -> None:
    assert json_default(value) == expected
