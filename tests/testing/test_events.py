"""Lines and server-sent events out of pieces."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from photon.testing.events import Event, parse_events, split_lines


def test_lines_end_in_three_ways() -> None:
    assert list(split_lines(["a\nb\r\nc\rd"])) == ["a", "b", "c", "d"]
    assert list(split_lines(["a\n\nb\n"])) == ["a", "", "b"]
    assert list(split_lines([])) == []


def test_a_line_end_in_two_pieces_is_one() -> None:
    assert list(split_lines(["a\r", "\nb\r", "", "c", "\r", "\n", "\n"])) == ["a", "b", "c", ""]


def test_a_line_is_given_as_soon_as_it_is_complete() -> None:
    lines = split_lines(iter(["a\r", "never\n"]))
    assert next(lines) == "a"


@example("\r\n\n", [1, 2])
@given(st.text(alphabet="ab\r\n", max_size=12), st.lists(st.integers(0, 12), max_size=4))
def test_pieces_make_no_difference(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    pieces = [text[a:b] for a, b in pairwise(places)]
    assert list(split_lines(pieces)) == list(split_lines([text]))
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    assert list(split_lines([text])) == (whole.removesuffix("\n").split("\n") if whole else [])


def test_events() -> None:
    text = (
        "\ufeff: comment\n"
        "data: one\ndata:two\ndata\n\n"
        "event: tick\nid: 1\nretry: 30\ndata: x\n\n"
        "event: nothing to say\n\n"
        "unknown: field\nid: a\0b\nretry: soon\ndata:  y\n\n"
        "id\ndata: z\n\n"
        "data: incomplete\n"
    )
    assert list(parse_events([text])) == [
        Event("one\ntwo\n"),
        Event("x", "tick", "1", 30),
        Event(" y", "message", "1"),
        Event("z"),
    ]
