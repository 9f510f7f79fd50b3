"""The screen of `photon top`, as text: what is where, in terminals narrow and wide."""

from __future__ import annotations

import io
import math
from functools import cache
from typing import Any

import pytest
from rich.console import Console

from photon.cli.top_screen import milliseconds, rounded, screen, size, span, spark
from photon.cli.top_state import View, lost_view, view_of
from tests.cli.top_sample import look, stuck, worker


def drawn(view: View, width: int, height: int, **more: Any) -> list[str]:
    console = Console(
        width=width, height=height, file=io.StringIO(), color_system=None, legacy_windows=False
    )
    with console.capture() as captured:
        console.print(screen(view, width, height, **more))
    return captured.get().splitlines()


@cache
def sample(count: int = 4) -> View:
    found = [worker(index, 103_000) for index in range(count)]
    found[-2]["state"] = "draining"
    found[-1] = stuck(count - 1)
    return view_of(look(found, 101.0), look([worker(i) for i in range(count)], 100.0))


@pytest.mark.parametrize("width", [40, 60, 80, 81, 100, 120, 160, 250])
@pytest.mark.parametrize("height", [10, 24, 50])
@pytest.mark.parametrize("count", [2, 40])
def test_it_fits_any_terminal(width: int, height: int, count: int) -> None:
    lines = drawn(sample(count), width, height, history=[1.0, 5.0, 3.0])
    assert max(len(line) for line in lines) <= width
    assert len(lines) <= max(height, 14)
    assert lines[-1].startswith("q quit")


def test_a_small_terminal_has_what_matters() -> None:
    lines = drawn(sample(), 80, 24)
    assert len(lines) == 24
    assert lines[0].rstrip() == "● shop:app  http://127.0.0.1:8000"
    assert lines[1].rstrip() == (
        "pid 4700 · up 2 h 13 min · 4 workers · generation 3 · Photon 0.5.0"
    )
    assert lines[3].startswith("8,994 requests/s   p50 ")
    assert " ".join(lines[5].split()) == "# pid state req/s p99 busy conns lag memory cpu %"
    assert lines[6].split()[:4] == ["0", "4711", "ready", "2,998"]
    assert lines[8].split()[2] == "draining"
    assert lines[9].split()[2:4] == ["BLOCKED", "0"]
    assert "4.2 s" in lines[9]
    assert " ".join(lines[11].split()) == "route req/s p50 p99 waiting 5xx 4xx"
    assert lines[12].split()[:3] == ["GET", "/items/{item_id}", "360"]
    assert "GET /customers/{customer_id}/…" in lines[15]
    assert lines[-3:] == [
        "! worker 2 (pid 4713) drains: 14 requests are left",
        "! worker 3 (pid 4714): it does not answer: its hub has stood still for 4.2 s",
        "q quit  s sort: load   routes: the last 10 s",
    ]


def test_a_wide_terminal_has_all_of_it() -> None:
    history = [3000 + 1000 * math.sin(moment / 5) for moment in range(100)]
    lines = drawn(sample(), 160, 30, history=history)
    assert lines[0].startswith("● shop:app")
    assert lines[0].endswith("Photon 0.5.0")
    assert "█" in lines[2]
    columns = "# pid state gen req/s p50 p99 busy conns lag blocked greenlets memory cpu %"
    assert lines[4].split() == columns.split()
    routes = "route req/s p50 p90 p99 max waiting oldest 5xx 4xx gone"
    assert lines[10].split() == routes.split()


def test_what_there_is_no_room_for_is_counted() -> None:
    lines = drawn(sample(40), 80, 24)
    assert any("... and 3" in line and line.endswith("more") for line in lines)


def test_the_sort_is_told_and_done() -> None:
    lines = drawn(sample(), 80, 24, sort="errors")
    assert "/orders" in lines[12]
    assert "sort: errors" in lines[-1]


def test_a_server_without_requests() -> None:
    one = worker(0)
    one["ok"]["measured"], one["ok"]["routes"] = None, {}
    lines = drawn(view_of(look([one])), 80, 24)
    assert "no requests yet" in lines
    assert lines[3].startswith("- requests/s   p50 -   p99 -")


def test_a_server_that_went_away() -> None:
    last = sample()
    lines = drawn(lost_view(last, last.at + 3, "nobody listens there"), 80, 24)
    assert "! no answer for 3 s: nobody listens there" in lines
    assert len(lines) == 24
    assert drawn(lost_view(None, 1.0, "gone"), 80, 24)[0].startswith("● a server")


def test_nothing_of_a_server_moves_the_cursor() -> None:
    seen = look([worker(0)])
    seen.who["app"] = "shop\x1b[2J\nevil"
    seen.stats["workers"][0]["ok"]["routes"]["GET /\x1b]0;x\x07"] = {"waiting": 1}
    seen.stats["workers"][0]["error"] = "[red]\x1b[31m"
    text = "\n".join(drawn(view_of(seen), 120, 30))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "shop\\x1b[2J\\nevil" in text
    assert "[red]" in text  # and is no markup


def test_without_keys_nothing_is_at_the_foot() -> None:
    lines = drawn(sample(), 80, 40, keys=False)
    assert lines[-1].startswith("! worker 3")
    assert len(lines) < 24


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.254, "0.25"), (3.14159, "3.1"), (37.46, "37.5"), (12480.4, "12,480")],
)
def test_rates_as_people_read_them(value: float, text: str) -> None:
    assert rounded(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.314, "0.31 ms"), (3.14, "3.1 ms"), (27.4, "27 ms"), (1400, "1.4 s"), (61_000, "61 s")],
)
def test_times_as_people_read_them(value: float, text: str) -> None:
    assert milliseconds(value) == text


def test_sizes_and_spans_as_people_read_them() -> None:
    assert [size(n) for n in (None, 84 * 1024**2, 3 * 1024**3)] == ["-", "84 MB", "3.0 GB"]
    assert [span(n) for n in (45, 720, 12000, 270_000)] == [
        "45 s",
        "12 min",
        "3 h 20 min",
        "3 d 3 h",
    ]


def test_a_spark_line() -> None:
    assert spark([0.0, 5.0, 10.0]) == "▁▄█"
    assert spark([0.0, 0.0]) == "▁▁"
    assert spark([]) == ""
