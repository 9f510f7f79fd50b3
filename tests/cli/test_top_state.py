"""What `photon top` shows, of two looks."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from photon.cli.top_state import (
    SORTS,
    Look,
    RouteRow,
    View,
    lost_view,
    sorted_routes,
    view_of,
)
from tests.cli.top_sample import look, route, stuck, worker


def test_rates_are_what_came_between_two_looks() -> None:
    before = look([worker(0, 1000), worker(1, 5000)], steady=100.0)
    now = look([worker(0, 1202), worker(1, 5002)], steady=102.0)
    view = view_of(now, before)
    # What `photon top` asks itself, twice a look, is not counted.
    assert [row.per_second for row in view.workers] == [100.0, 0.0]
    assert view.per_second == 100.0
    assert [row.cpu_percent for row in view.workers] == [42.0, 42.0]


def test_the_first_look_has_no_rates_and_a_new_worker_has_none_either() -> None:
    view = view_of(look([worker(0)]))
    assert (view.per_second, view.workers[0].per_second, view.workers[0].cpu_percent) == (
        None,
        None,
        None,
    )
    view = view_of(look([worker(0, 1502), worker(1)], 101.0), look([worker(0, 1000)], 100.0))
    assert [row.per_second for row in view.workers] == [500.0, None]
    assert view.per_second == 500.0


def test_a_worker_that_was_replaced_under_a_pid_counts_from_nothing() -> None:
    view = view_of(look([worker(0, 10)], 101.0), look([worker(0, 1_000_000)], 100.0))
    assert view.per_second == 0.0


def test_a_worker_is_told_by_its_answer() -> None:
    (row,) = view_of(look([worker(0)])).workers
    assert (row.index, row.pid, row.generation, row.state) == (0, 4711, 3, "ready")
    assert (row.busy, row.connections, row.lag_ms, row.blocked) == (12, 250, 0.4, 0)
    assert (row.greenlets, row.rss_bytes, row.error) == (40, 84_000_000, None)
    assert row.p50_ms is not None
    assert row.p99_ms is not None
    assert 1.0 < row.p50_ms < row.p99_ms


def test_a_worker_that_does_not_answer_is_told_by_the_board() -> None:
    view = view_of(look([worker(0), stuck(1)], 101.0), look([worker(0), stuck(1)], 100.0))
    row = view.workers[1]
    assert (row.connections, row.busy, row.lag_ms, row.silent_s) == (250, 12, 0.4, 4.2)
    assert (row.p99_ms, row.greenlets, row.per_second) == (None, None, 0.0)
    assert view.notes == [
        "worker 1 (pid 4712): it does not answer: its hub has stood still for 4.2 s"
    ]


def test_quantiles_are_of_all_workers_together() -> None:
    fast, slow = worker(0), worker(1)
    fast["ok"]["routes"] = slow["ok"]["routes"] = {}
    fast["ok"]["measured"]["routes"] = {"GET /": route(900, 0.001, 0.001)}
    slow["ok"]["measured"]["routes"] = {"GET /": route(100, 1.0, 2.0, errors=3)}
    view = view_of(look([fast, slow]))
    (row,) = view.routes
    assert row.per_second == 100.2
    assert row.p50_ms is not None
    assert row.p99_ms is not None
    assert row.max_ms is not None
    assert row.p50_ms < 2  # the mean of both medians would be 500
    assert row.p99_ms > 1000
    assert row.max_ms == 2000.0
    assert (row.errors_5xx, row.errors_4xx, row.gone) == (3, 9, 1)
    assert (view.errors_per_second, view.client_errors_per_second) == (0.3, 0.9)


def test_a_route_that_only_waits_is_there() -> None:
    one = worker(0)
    one["ok"]["measured"] = None
    one["ok"]["routes"] = {"GET /slow": {"waiting": 3, "oldest_s": 8.5}}
    other = worker(1)
    other["ok"]["measured"] = None
    other["ok"]["routes"] = {"GET /slow": {"waiting": 2, "oldest_s": 1.5}}
    (row,) = view_of(look([one, other])).routes
    assert (row.route, row.waiting, row.oldest_s, row.p99_ms) == ("GET /slow", 5, 8.5, None)


def test_a_process_without_supervisor() -> None:
    seen = look([worker(0)])
    seen.stats["supervisor"] = None
    del seen.stats["workers"][0]["board"]
    view = view_of(seen)
    assert (view.uptime_s, view.generation, view.connections) == (4000.0, None, 250)


TRACEBACK = """Traceback (most recent call last):
  File "shop.py", line 1, in <module>
    import x
ImportError: No module named 'x'

Error: 'shop' failed while it was imported, see above
  Is 'x' installed?
"""


@pytest.mark.parametrize(
    ("supervisor", "workers", "note"),
    [
        ({"stopping": True}, [], "the server stops"),
        ({"reloading": True}, [], "reloading: generation 3 takes over"),
        ({"last_failure": "E"}, [], "the last reload failed, the old workers go on: E"),
        (
            {"last_failure": TRACEBACK},
            [],
            "the last reload failed, the old workers go on: ImportError: No module named 'x'",
        ),
        ({}, [worker(0, state="booting")], "worker 0 (pid 4711) boots"),
        ({}, [worker(0, state="draining")], "worker 0 (pid 4711) drains: 12 requests are left"),
    ],
)
def test_notes(supervisor: dict[str, Any], workers: list[dict[str, Any]], note: str) -> None:
    assert view_of(look(workers, **supervisor)).notes == [note]


def test_a_hub_that_was_blocked_meanwhile_is_noted() -> None:
    before, now = worker(0), worker(0)
    now["ok"]["hub"]["blocked"] = 2
    view = view_of(look([now], 101.0), look([before], 100.0))
    assert view.notes == ["worker 0 (pid 4711): its hub was blocked; the log names what held it"]
    assert view_of(look([now], 102.0), look([now], 101.0)).notes == []


def test_a_server_that_went_away_is_shown_as_it_was() -> None:
    last = view_of(look([worker(0)], steady=100.0))
    view = lost_view(last, last.at + 7, "nobody listens there")
    assert view.lost == "no answer for 7 s: nobody listens there"
    assert view.workers == last.workers
    assert lost_view(None, 5.0, "why").lost == "no answer for 0 s: why"


@pytest.mark.parametrize(
    "stats",
    [
        {},
        {"workers": None},
        {"workers": [None, 7, {}]},
        {"workers": [{"ok": "x", "board": 3, "pid": "a", "index": None}]},
        {"supervisor": 3, "workers": [{"ok": {"measured": {"routes": {"/": 3, "/a": {}}}}}]},
        {"workers": [{"ok": {"routes": {"/": None}, "hub": None, "memory": [], "busy": "x"}}]},
        {"workers": [{"ok": {"measured": {"routes": {"/": {"histogram": {"counts": 1}}}}}}]},
    ],
)
def test_what_another_version_answers_does_no_harm(stats: dict[str, Any]) -> None:
    seen = Look(at=1.0, steady=1.0, who={"addresses": 3}, stats=stats)
    later = Look(at=2.0, steady=2.0, who={}, stats=stats)
    msgspec.json.encode(view_of(later, seen))


def test_routes_are_sorted_by_what_is_looked_for() -> None:
    rows = [
        RouteRow(route="a", per_second=1, p99_ms=5.0, waiting=2),
        RouteRow(route="b", per_second=9, p99_ms=1.0, errors_4xx=7),
        RouteRow(route="c", per_second=0, waiting=8, errors_5xx=1),
        RouteRow(route="(other routes)", per_second=99, p99_ms=99.0, waiting=99, errors_5xx=99),
    ]
    orders = {by: "".join(row.route[0] for row in sorted_routes(rows, by)) for by in SORTS}
    assert orders == {
        "load": "bac(",
        "p99": "abc(",
        "waiting": "cab(",
        "errors": "cba(",
        "route": "abc(",
    }


def test_a_view_goes_as_json() -> None:
    view = view_of(look([worker(0), stuck(1)], 101.0), look([worker(0)], 100.0))
    assert msgspec.convert(msgspec.to_builtins(view), View) == view
