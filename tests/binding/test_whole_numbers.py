"""What is a whole number is one, however it is written; all else stays as it was."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon import Photon
from photon.binding.whole_numbers import with_whole_numbers
from photon.http.validation import MAX_BYTES
from photon.testing import TestClient


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("1.0", "1"),
        ("-0.0", "0"),
        ("2e2", "200"),
        ("25E-1", "25E-1"),
        ("250e-1", "25"),
        ("1.50", "1.50"),
        ("0.1", "0.1"),
        ("1e39", "1" + "0" * 39),
        ("1e40", "1e40"),
        ("1e-400", "1e-400"),
        ("1e99999999999999999999", "1e99999999999999999999"),
        ("1." + "0" * 50, "1." + "0" * 50),
        ("12", "12"),
        ('"1.0"', '"1.0"'),
        (r'"\"1.0"', r'"\"1.0"'),
        ('{"1.0": [1.0, "2.0", {"x": 3.0}]}', '{"1.0": [1, "2.0", {"x": 3}]}'),
        ('["1.0', '["1.0'),  # broken
    ],
)
def test_numbers_are_written_anew(written: str, whole: str) -> None:
    assert with_whole_numbers(written.encode()) == whole.encode()


def test_what_is_large_is_left_alone() -> None:
    data = b"[" + b"1.0," * (MAX_BYTES // 4) + b"1.0]"
    assert with_whole_numbers(data) is data


@pytest.mark.parametrize("piece", ["1", '\\"', '"', "1.", "1e", "-", "\\"])
def test_each_byte_is_looked_at_once(piece: str) -> None:
    data = (piece * MAX_BYTES)[:MAX_BYTES].encode()
    for begun in (data, b'"' + data[1:]):  # it would take minutes otherwise
        assert with_whole_numbers(begun)


def exactly(text: str | bytes) -> object:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(values)
def test_the_value_is_the_same(value: object) -> None:
    text = json.dumps(value)
    assert exactly(with_whole_numbers(text.encode())) == exactly(text)


class Order(msgspec.Struct):
    amount: Annotated[int, msgspec.Meta(ge=1)]
    price: float = 1.0
    note: str = ""


@pytest.fixture
def client() -> TestClient:
    app = Photon()

    @app.post("/")
    def order(order: Order, times: int = 1) -> Order:
        return order

    return TestClient(app)


def test_an_integer_may_be_written_with_a_fraction(client: TestClient) -> None:
    made = client.post("/", json={"amount": 3.0, "price": 2.0, "note": "1.0"})
    assert made.json(Order) == Order(3, 2.0, "1.0")


def test_what_is_wrong_beside_it_is_told_alone(client: TestClient) -> None:
    def places(body: object, path: str = "/") -> list[list[str]]:
        return [error["loc"] for error in client.post(path, json=body).problem["errors"]]

    assert places({"amount": 3.5}) == [["body", "amount"]]
    assert places({"amount": 0.0}) == [["body", "amount"]]
    assert places({"amount": 3.0, "note": 1}) == [["body", "note"]]
    assert places({"amount": 3.0}, "/?times=x") == [["query", "times"]]
