"""Durations and sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photon.cli.quantities import parse_duration, parse_size, write_duration, write_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1.5", 1.5), ("500ms", 0.5), ("30s", 30), ("2m", 120), ("1h", 3600), (" 2 M ", 120)],
)
def test_reads_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1000", 1000),
        ("64KiB", 64 * 1024),
        ("16mib", 16 * 1024**2),
        ("1GiB", 1024**3),
        ("8k", 8192),
        ("1.5MiB", 1536 * 1024),
        ("1MB", 1_000_000),
        ("10 B", 10),
    ],
)
def test_reads_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "s", "1 day", "1e3", "0x10", "nan", "inf", "1s 2s", "1KiB"])
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration; write seconds, or 500ms"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "KiB", "1s", "1_000", "٣"])
def test_refuses_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size; write bytes, or 64KiB"):
        parse_size(text)


def test_refuses_parts_of_a_byte() -> None:
    with pytest.raises(ValueError, match="not a whole number of bytes"):
        parse_size("1.5")


@given(st.integers(min_value=0, max_value=2**50))
def test_a_written_size_is_read_as_the_same(size: int) -> None:
    assert parse_size(write_size(size)) == size


@pytest.mark.parametrize(("seconds", "text"), [(75.0, "75s"), (0.5, "500ms"), (1.5, "1.5s")])
def test_writes_durations(seconds: float, text: str) -> None:
    assert write_duration(seconds) == text
    assert parse_duration(text) == seconds
