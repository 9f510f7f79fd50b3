"""What each kind of placeholder takes, and what it makes of it."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.routing.converters import BUILT_IN, MAX_NUMBER_CHARS, Converter, Converters

SOME_UUID = "c9bf9e57-1685-4c89-bafb-ff5af830be8a"
DATE = Converter("date", date, date.fromisoformat, date.isoformat, max_chars=10)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("str", "x", "x"),
        ("str", "", None),
        ("str", "x" * 100_000, "x" * 100_000),
        ("path", "", ""),
        ("path", "a//b/", "a//b/"),
        ("int", "0", 0),
        ("int", "-7", -7),
        ("int", "007", 7),
        ("int", "9" * MAX_NUMBER_CHARS, int("9" * MAX_NUMBER_CHARS)),
        ("int", "9" * (MAX_NUMBER_CHARS + 1), None),
        ("int", "9" * 1_000_000, None),
        ("int", "", None),
        ("int", "-", None),
        ("int", "--1", None),
        ("int", "+1", None),
        ("int", " 1", None),
        ("int", "1\n", None),
        ("int", "1_000", None),
        ("int", "1.0", None),
        ("int", "١٢", None),
        ("int", "²", None),
        ("float", "1.5", 1.5),
        ("float", "-0.25", -0.25),
        ("float", "3", 3.0),
        ("float", ".5", None),
        ("float", "5.", None),
        ("float", "-", None),
        ("float", ".", None),
        ("float", "1.2.3", None),
        ("float", "1e5", None),
        ("float", "nan", None),
        ("float", "inf", None),
        ("float", "1_0.0", None),
        ("float", "١.٢", None),
        ("float", "1" * 1_000_000, None),
        ("uuid", SOME_UUID, UUID(SOME_UUID)),
        ("uuid", SOME_UUID.upper(), UUID(SOME_UUID)),
        ("uuid", SOME_UUID.replace("-", ""), None),
        ("uuid", "{" + SOME_UUID + "}", None),
        ("uuid", "urn:uuid:" + SOME_UUID, None),
        ("uuid", SOME_UUID[:-1] + "_", None),
        ("uuid", SOME_UUID[:-1] + "\n", None),
    ],
)
def test_what_the_built_in_converters_read(kind: str, text: str, value: Any) -> None:
    got = BUILT_IN[kind].read(text)
    assert got == value
    assert got is None or type(got) is BUILT_IN[kind].type


@given(st.integers(-(10**38), 10**39))
def test_an_int_comes_back(value: int) -> None:
    converter = BUILT_IN["int"]
    assert converter.read(converter.format(value)) == value


@given(st.floats(-1e15, 1e15).filter(lambda value: value == 0 or abs(value) > 1e-15))
def test_a_float_comes_back(value: float) -> None:
    converter = BUILT_IN["float"]
    assert converter.read(converter.format(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_no_number_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        BUILT_IN["float"].format(value)


def test_a_value_error_of_a_parser_is_no_match() -> None:
    assert DATE.read("2024-02-29") == date(2024, 2, 29)
    assert DATE.read("2023-02-29") is None


def test_a_parser_never_sees_empty_or_long_text() -> None:
    seen: list[str] = []

    def parse(text: str) -> str:
        seen.append(text)
        return text

    converter = Converter("short", str, parse, max_chars=3)
    assert [converter.read(text) for text in ("", "abc", "abcd")] == [None, "abc", None]
    assert seen == ["abc"]


def test_a_registry_begins_with_the_built_in_ones() -> None:
    converters = Converters(DATE)
    assert set(converters) == {*BUILT_IN, "date"}
    assert converters["date"] is DATE
    assert len(converters) == len(BUILT_IN) + 1
    assert "date" not in BUILT_IN
    assert repr(converters) == "<Converters int, uuid, float, str, path, date>"


def test_a_name_is_registered_once() -> None:
    with pytest.raises(ValueError, match="another name"):
        Converters(DATE, DATE)


def test_a_name_must_be_one_that_a_template_can_hold() -> None:
    with pytest.raises(ValueError, match="identifier"):
        Converters(Converter("iso-date", date))
