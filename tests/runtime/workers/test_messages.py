"""Messages of one line each, however their bytes come."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.runtime.workers.messages import MOST_BYTES, Lines, MessageError, encode

# What JSON has.
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
messages = st.lists(st.dictionaries(st.text(), values, max_size=4), max_size=5)


@given(messages, st.lists(st.integers(0, 2000)))
def test_messages_come_out_as_they_went_in_wherever_their_bytes_are_split(
    sent: list[dict[str, Any]], cuts: list[int]
) -> None:
    data = b"".join(map(encode, sent))
    lines = Lines()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found = []
    for begin, end in pairwise(places):
        found += lines.feed(data[begin:end])
    assert found == sent
    assert not lines.is_half


def test_a_text_with_line_ends_is_one_line() -> None:
    line = encode({"text": "one\ntwo\r\n\u2028three"})
    assert line.count(b"\n") == 1
    assert Lines().feed(line) == [{"text": "one\ntwo\r\n\u2028three"}]


def test_what_json_does_not_know_goes_as_its_text() -> None:
    assert json.loads(encode({"at": complex(1, 2), "who": {1}})) == {"at": "(1+2j)", "who": [1]}


def test_half_a_message_is_kept_and_known_to_be_half() -> None:
    lines = Lines()
    assert lines.feed(b'{"id": 1}\n{"id"') == [{"id": 1}]
    assert lines.is_half
    assert lines.feed(b": 2}\n") == [{"id": 2}]
    assert not lines.is_half


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[1]",
        b'"text"',
        b"null",
        b'{"id": 1',
        b'{"id": 1}}',
        b'{"a": "\xff"}',
        b'{"a": nan}',
        b'{"a": ' + b"[" * 60_000,
        b"\x00",
    ],
)
def test_what_is_no_object_of_json_is_an_error(line: bytes) -> None:
    with pytest.raises(MessageError, match="a message is one JSON object on a line"):
        Lines().feed(line + b"\n")


@given(st.binary())
def test_bytes_are_messages_or_an_error(data: bytes) -> None:
    try:
        found = Lines().feed(data)
    except MessageError:
        return
    assert all(type(message) is dict for message in found)


def test_a_message_may_have_so_many_bytes() -> None:
    def of(size: int) -> bytes:
        return b'{"a": "' + b"x" * (size - 9) + b'"}'

    assert Lines(100).feed(of(100) + b"\n") == [{"a": "x" * 91}]
    with pytest.raises(MessageError, match="a message may have 100 bytes, this one has more"):
        Lines(100).feed(of(101) + b"\n")


def test_what_never_ends_is_not_kept_beyond_the_limit() -> None:
    lines = Lines()
    fed = 0
    with pytest.raises(MessageError):
        while fed < 2 * MOST_BYTES:
            lines.feed(b"x" * 1000)
            fed += 1000
    assert fed <= MOST_BYTES
