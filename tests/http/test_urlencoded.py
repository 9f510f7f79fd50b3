"""The fields of urlencoded forms."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.http.errors import BadBody, HTTPError, PartTooLarge
from photon.http.form_rules import FormLimits
from photon.http.urlencoded import urlencoded_pairs

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def read(body: str | bytes, limits: FormLimits | None = None) -> list[tuple[str, str]]:
    data = body.encode() if isinstance(body, str) else body
    return urlencoded_pairs(bytearray(data), limits or FormLimits())


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        ("", []),
        ("&&", []),
        ("a=b", [("a", "b")]),
        ("a=b&a=c&d=", [("a", "b"), ("a", "c"), ("d", "")]),
        ("a", [("a", "")]),
        ("=a", [("", "a")]),
        ("a=b=c", [("a", "b=c")]),
        ("a+b=%2B+%20c", [("a b", "+  c")]),
        ("%C3%A4=ä", [("ä", "ä")]),
        ("a=100%&b=%zz%4", [("a", "100%"), ("b", "%zz%4")]),  # WHATWG URL, percent-decode
        ("a=b;c=d", [("a", "b;c=d")]),
        ("_charset_=UTF-8&a=b", [("_charset_", "UTF-8"), ("a", "b")]),
    ],
)
def test_fields_are_read_as_browsers_write_them(body: str, pairs: list[tuple[str, str]]) -> None:
    assert read(body) == pairs


@given(st.lists(st.tuples(TEXT, TEXT), max_size=20))
def test_what_was_encoded_is_read_again(pairs: list[tuple[str, str]]) -> None:
    assert read(urlencode(pairs)) == pairs


@given(st.text(st.sampled_from("ä%a+ "), min_size=30), st.integers(0, 4))
def test_long_fields_are_read_in_slices(text: str, shift: int) -> None:
    text = "x" * shift + text * (40_000 // len(text))
    assert read(urlencode({"a": text})) == [("a", text)]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a=%FF", r"field 1 \('a'\) is not UTF-8: invalid start byte at byte 0"),
        (b"x=1&%E4=b", "the name of field 2 is not UTF-8"),
        (b"x=1&b=a%C3", r"field 2 \('b'\) is not UTF-8: unexpected end of data"),
        (b"b=\xff", r"field 1 \('b'\) is not UTF-8"),
        (b"b=%ED%A0%80", r"field 1 \('b'\) is not UTF-8"),
        (b"_charset_=iso-8859-1", "the form is said to be in 'iso-8859-1'; .* UTF-8 only"),
    ],
)
def test_other_encodings_are_refused_by_the_name_of_the_field(body: bytes, message: str) -> None:
    with pytest.raises(BadBody, match=message) as refused:
        read(body)
    assert refused.value.status == 400


def test_there_are_not_too_many_fields() -> None:
    limits = FormLimits(parts=3)
    assert len(read("a&b&c", limits)) == 3
    with pytest.raises(HTTPError, match="more than 3 fields") as refused:
        read("a&b&c&d", limits)
    assert refused.value.status == 400
    with pytest.raises(HTTPError, match="more than 3 fields"):
        read("&" * 1_000_000, limits)


@pytest.mark.parametrize("value", ["x" * 11, "%41" * 11, "%41" * 100_000])
def test_no_field_is_too_large(value: str) -> None:
    limits = FormLimits(field_bytes=10)
    assert read("a=" + "%41" * 10, limits) == [("a", "A" * 10)]
    with pytest.raises(PartTooLarge, match=r"field 2 \('b'\) is larger than the limit of 10 b"):
        read(f"a=1&b={value}", limits)
    with pytest.raises(PartTooLarge, match="the name of field 1") as refused:
        read(value, limits)
    assert (refused.value.status, refused.value.limit, refused.value.part) == (413, 10, 1)


def test_a_long_name_is_not_told_at_length() -> None:
    with pytest.raises(BadBody) as refused:
        read(b"a" * 1000 + b"=%FF")
    assert len(str(refused.value)) < 150
