"""A line for each request, for who develops."""

from __future__ import annotations

import re

import pytest

from photon.telemetry.access_log import Entry
from photon.telemetry.dev_lines import coloured_dev_line, duration, plain_dev_line


def entry(status: int = 200, seconds: float = 0.0013, target: str = "/items?a=b") -> Entry:
    return Entry(1_700_000_000.0, "127.0.0.1:1", "GET", target, status, seconds, None)


def test_a_line() -> None:
    line = plain_dev_line(entry()).decode()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200 GET    /items\?a=b  1\.3 ms", line)


@pytest.mark.parametrize(
    ("status", "colour"), [(200, "32"), (304, "36"), (404, "33"), (500, "1;31"), (499, "2")]
)
def test_the_status_has_its_colour(status: int, colour: str) -> None:
    assert f"\x1b[{colour}m{status}\x1b[0m".encode() in coloured_dev_line(entry(status))


def test_what_is_slow_has_a_colour() -> None:
    assert b"\x1b[33m 700 ms" in coloured_dev_line(entry(seconds=0.7))
    assert b"\x1b[1;31m 3.0 s" in coloured_dev_line(entry(seconds=3))


@pytest.mark.parametrize("line_of", [plain_dev_line, coloured_dev_line])
def test_no_request_can_write_to_the_terminal(line_of: object) -> None:
    assert callable(line_of)
    line = line_of(entry(target="/\x1b[2J\n\x9b" + "a" * 5000))
    assert b"\x1b[2J" not in line
    assert b"\n" not in line
    assert len(line) < 500


def test_durations() -> None:
    assert [duration(s) for s in (0.0001, 0.0099, 0.5, 12.34)] == [
        "0.1 ms",
        "9.9 ms",
        "500 ms",
        "12.3 s",
    ]
