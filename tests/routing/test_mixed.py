"""Which value gets what in a segment of text and values."""

from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.routing.converters import Converter, Converters
from photon.routing.mixed import MAX_MIXED_CHARS, Mixed
from photon.routing.template import Segment, Template


def segment(text: str, converters: Converters | None = None) -> Segment:
    return Template.parse("/" + text, converters or Converters()).segments[0]


@pytest.mark.parametrize(
    ("template", "text", "values"),
    [
        ("report-{year:int}.{fmt}", "report-2024.pdf", (2024, "pdf")),
        ("report-{year:int}.{fmt}", "report-2024.tar.gz", (2024, "tar.gz")),
        ("report-{year:int}.{fmt}", "report-x.pdf", None),
        ("report-{year:int}.{fmt}", "report-2024.", None),
        ("report-{year:int}.{fmt}", "report-.pdf", None),
        ("{slug}-{id:int}", "my-own-post-7", ("my-own-post", 7)),
        ("{slug}-{id:int}", "post--7", ("post-", 7)),
        ("{name}.{ext}", "archive.tar.gz", ("archive.tar", "gz")),
        ("{name}.{ext}", "archive", None),
        ("{name}.{ext}", ".gz", None),
        ("v{n}", "v", None),
        ("v{n}", "v1", ("1",)),
        ("{id}:cancel", "7:cancel", ("7",)),
        ("ab{x}ba", "aba", None),
        ("ab{x}ba", "abba", None),
        ("ab{x}ba", "ab-ba", ("-",)),
        ("{a}--{b}", "x---y", ("x-", "y")),
    ],
)
def test_values_are_found(template: str, text: str, values: tuple[Any, ...] | None) -> None:
    assert Mixed(segment(template)).match(text) == values


def test_long_text_is_no_match() -> None:
    mixed = Mixed(segment("{a}-{b}"))
    assert mixed.match("x-" + "y" * (MAX_MIXED_CHARS - 2)) is not None
    assert mixed.match("x-" + "y" * (MAX_MIXED_CHARS - 1)) is None


def every_reading(of: Segment, text: str) -> list[tuple[str, ...]]:
    """All ways to cut a text into values, whether they fit or not: the slow and plain way."""
    readings = []
    count = len(of.placeholders)
    for cuts in combinations(range(len(text) + 1), 2 * count):
        spans = [text[begin:end] for begin, end in zip(cuts[::2], cuts[1::2], strict=True)]
        values = iter(spans)
        if "".join(part if isinstance(part, str) else next(values) for part in of.parts) != text:
            continue
        readings.append(tuple(spans))
    return readings


def reference(of: Segment, text: str) -> tuple[Any, ...] | None:
    """The reading whose last value is the shortest, then the one before it, and so on."""
    best: dict[tuple[int, ...], tuple[Any, ...]] = {}
    for texts in every_reading(of, text):
        pairs = zip(of.placeholders, texts, strict=True)
        values = tuple(placeholder.converter.read(text) for placeholder, text in pairs)
        if None not in values:
            best[tuple(len(text) for text in reversed(texts))] = values
    return best[min(best)] if best else None


@pytest.mark.parametrize(
    "template",
    ["{a}-{b}", "{a:int}-{b}", "{a}-{b:int}-{c}", "x{a}-{b:int}", "{a:int}-{b:int}1", "{a}--{b}"],
)
@given(text=st.text("x-1", max_size=9))
def test_the_reading_is_the_one_with_the_shortest_values_from_the_right(
    template: str, text: str
) -> None:
    of = segment(template)
    assert Mixed(of).match(text) == reference(of, text)


def test_hostile_text_is_read_in_few_steps() -> None:
    calls = 0

    def parse(text: str) -> str | None:
        nonlocal calls
        calls += 1
        return None if text.endswith("!") else text

    anything = Converters(Converter("any", str, parse, max_chars=MAX_MIXED_CHARS))
    template = "{a:int}" + "".join(f"-{{{name}:any}}" for name in "bcdefg")
    assert Mixed(segment(template, anything)).match("x" + "-x" * 100) is None
    # Each value may end at each of 100 places and begin at each before: 100 * 100 / 2 for each.
    assert calls < 6 * 100 * 100
