"""YAML: what it says, and what is not taken."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
import yaml

from photon.http.errors import BadBody, BodyTooLarge
from photon.http.yaml_text import MOST_BYTES, MOST_LEVELS, decode_yaml, encode_yaml

# Reading...

SCALARS = [
    ("", None),
    ("~", None),
    ("null", None),
    ("true", True),
    ("FALSE", False),
    ("no", "no"),
    ("on", "on"),
    ("12", 12),
    ("-012", -12),
    ("0o17", 15),
    ("0x1F", 31),
    ("1e3", 1000.0),
    ("-.5", -0.5),
    ("5.", 5.0),
    ("1:30", "1:30"),
    ("1_000", "1_000"),
    ("2024-01-31", "2024-01-31"),
    (".", "."),
    ("+", "+"),
    ("'12'", "12"),
    ('"true"', "true"),
    ("|\n 1\n", "1\n"),
    ("! 12", "12"),
    ("!!str 12", "12"),
    ("!!int '12'", 12),
    ("!!float 12", 12.0),
    ("!!bool 'true'", True),
    ("!!null ''", None),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_is_what_yaml_1_2_says(text: str, value: Any) -> None:
    found = decode_yaml(f"a: {text}\n".encode())["a"]
    assert (found, type(found)) == (value, type(value))


DOCUMENTS: list[tuple[str, Any]] = [
    ("", None),
    ("# nothing", None),
    ("a", "a"),
    ("\ufeffa: 1", {"a": 1}),
    ("%YAML 1.2\n---\na: ä\n...\n", {"a": "ä"}),
    ("- - 1\n  - {}\n- []\n", [[1, {}], []]),
    ("a: {b: [c, {d: e}], f: }\n2: x", {"a": {"b": ["c", {"d": "e"}], "f": None}, 2: "x"}),
    ("!!map {a: !!seq [1]}", {"a": [1]}),
    ("<<: {a: 1}", {"<<": {"a": 1}}),
]


@pytest.mark.parametrize(("text", "value"), DOCUMENTS)
def test_a_document_is_plain_values(text: str, value: Any) -> None:
    assert decode_yaml(text.encode()) == value


def test_the_largest_text_is_read_as_the_smallest() -> None:
    text = "- a\n" * (MOST_BYTES // 4)
    assert decode_yaml(text.encode()) == ["a"] * (MOST_BYTES // 4)
    with pytest.raises(BodyTooLarge):
        decode_yaml(text.encode() + b" ")


def test_nesting_has_a_limit() -> None:
    text = b"[" * MOST_LEVELS + b"]" * MOST_LEVELS
    assert decode_yaml(text) is not None
    with pytest.raises(BadBody, match="its YAML is nested too deeply"):
        decode_yaml(b"[" + text + b"]")


# What is not taken...

REFUSED = [
    ("a: &x 1\nb: 2", "the anchor &x, which is not taken here, at line 1, column 4 (byte 3)"),
    ("a: &x [1]", "the anchor &x, which is not taken here, at line 1, column 4 (byte 3)"),
    ("ä: *x", "the alias *x, which is not taken here, at line 1, column 4 (byte 4)"),
    ("- !own x", "the tag !own, which is not taken here, at line 1, column 3 (byte 2)"),
    ("!!python/name:os.system x", "the tag !!python/name:os.system, which is not taken here,"),
    ("!!python/object/new:os.system [x]", "the tag !!python/object/new:os.system, which is not"),
    ("!!set {a}", "the tag !!set, which is not taken here,"),
    ("!!map [a]", "the tag !!map, which is not taken here,"),
    ("!!seq a", "the tag !!seq, which is not taken here,"),
    ("!!int a", "'a' under the tag !!int at"),
    ("a: 1\n\na: 2", "the key 'a', which is there already, at line 3, column 1 (byte 6)"),
    ("1: a\ntrue: b", "the key 'True', which is there already, at line 2"),
    ("? [a]\n: b", "a list or a mapping as a key at line 1, column 3"),
    ("1.5: a", "the number 1.5 as a key (quote it) at line 1"),
    (f"{1 << 64}: a", f"the number {1 << 64} as a key (quote it) at line 1"),
    ("9" * 81, "a number of 81 digits at line 1"),
    ("- .nan", ".nan, which is no finite number, at line 1, column 3 (byte 2)"),
    ("-.INF", "-.INF, which is no finite number,"),
    ("1e999", "1e999, which is no finite number,"),
    ("a\n---\nb", "a second document at line 2"),
    ("%TAG ! x\n--- a", "a %TAG, which is not taken here, at line 1, column 1 (byte 0)"),
    ("a\u2028%TAG ! x", "a %TAG, which is not taken here,"),
    ("a: 'x", "while scanning a quoted scalar found unexpected end of stream at line 1"),
    ("ä: \x07", "control characters are not allowed at line 1, column 4 (byte 4)"),
    ('"\\ud800"', "while parsing a quoted scalar found invalid Unicode character"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED)
def test_what_is_not_taken_is_told_where(text: str, says: str) -> None:
    with pytest.raises(BadBody) as refused:
        decode_yaml(text.encode())
    assert f"the body is not YAML: {says}" in str(refused.value)
    assert refused.value.extra.keys() == {"line", "column", "byte"}


@pytest.mark.parametrize("data", ["a: 1".encode("utf-16"), b"a: \xff"])
def test_other_encodings_are_not_taken(data: bytes) -> None:
    with pytest.raises(BadBody, match="bytes that are not UTF-8"):
        decode_yaml(data)


def test_laughs_are_not_multiplied() -> None:
    lines = ["a: &a [lol, lol, lol]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{f'*{chr(97 + n)}, ' * 9}]" for n in range(9)]
    with pytest.raises(BadBody, match="the anchor &a"):
        decode_yaml("\n".join(lines).encode())


# Writing...


def test_a_text_says_what_it_should() -> None:
    value = {"b": [1, 2.5, None, True], "a": {"ä": "ö"}, "c": [], "d": date(2024, 1, 31)}
    assert encode_yaml(value).decode() == (
        "b:\n- 1\n- 2.5\n- null\n- true\na:\n  ä: ö\nc: []\nd: '2024-01-31'\n"
    )


@pytest.mark.parametrize("text", ["no", "012", "0o17", "1e3", "1:30", ".5", "~", "", "2024-01-31"])
def test_text_stays_text_for_every_reader(text: str) -> None:
    data = encode_yaml([text])
    assert decode_yaml(data) == [text]
    assert yaml.safe_load(data) == [text]


def test_what_is_there_twice_is_written_twice() -> None:
    shared = [1]
    assert decode_yaml(encode_yaml({"a": shared, "b": shared})) == {"a": [1], "b": [1]}


def test_numbers_stay_numbers_for_every_reader() -> None:
    data = encode_yaml([1e20, Decimal("1.50"), 10**30])
    assert decode_yaml(data) == yaml.safe_load(data) == [1e20, 1.5, 10**30]


def test_moments_are_text() -> None:
    assert encode_yaml(datetime(2024, 1, 1, 12)) == b"'2024-01-01T12:00:00'\n"
