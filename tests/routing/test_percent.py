"""Percent-encoding of segments, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.routing.errors import BadPath
from photon.routing.percent import decode_segments, encode_segment


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("users", "users"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("café", "caf%C3%A9"),
        ("50%", "50%25"),
        ("-._~!$&'()*+,;=:@", "-._~!$&'()*+,;=:@"),
        ('?#[]"<>\\^`{|}', "%3F%23%5B%5D%22%3C%3E%5C%5E%60%7B%7C%7D"),
    ],
)
def test_text_and_its_wire_form(text: str, wire: str) -> None:
    assert encode_segment(text) == wire
    assert decode_segments([wire]) == [text]


def test_segments_are_decoded_one_by_one() -> None:
    assert decode_segments(["", "a%2fb", "c+d", "%E2%82%AC"]) == ["", "a/b", "c+d", "€"]


@pytest.mark.parametrize(
    ("segment", "why"),
    [
        ("%", "hexadecimal"),
        ("%4", "hexadecimal"),
        ("%zz", "hexadecimal"),
        ("%41%4g", "hexadecimal"),
        ("%+1", "hexadecimal"),
        ("%FF", "UTF-8"),
        ("%C3", "UTF-8"),
        ("%C0%AF", "UTF-8"),  # an overlong "/"
        ("%ED%A0%80", "UTF-8"),  # a lone surrogate
        ("%41\ud800", "UTF-8"),
        ("a%00b", "NUL"),
    ],
)
def test_what_is_no_percent_encoded_text_is_refused(segment: str, why: str) -> None:
    with pytest.raises(BadPath, match=why):
        decode_segments(["fine", segment])


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_what_was_encoded_decodes_to_itself(text: str) -> None:
    wire = encode_segment(text)
    assert wire.isascii()
    assert "/" not in wire
    assert decode_segments([wire]) == [text]
