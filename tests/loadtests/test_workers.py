"""The bench of several workers: what is enough, and that its parts fit together."""

from __future__ import annotations

import math
from typing import Any

import pytest

from loadtests.apps.photon_workers import hopeless, work
from loadtests.steady import Steady
from loadtests.workers import balance, blocked, reloads
from loadtests.workers.__main__ import SCENARIOS, parse
from loadtests.workers.fleet import fleet
from loadtests.workers.memory import memory_of
from loadtests.workers.options import Options
from loadtests.workers.scaling import rounds_of
from loadtests.workers.telling import spread, table, verdict

QUICK = Options(quick=True, rounds=1)


def seen(calm_ms: float, then_ms: float, *failures: tuple[float, str]) -> Steady:
    """A load of ten seconds in which workers were replaced from the fourth to the sixth."""
    latencies = [(at / 100, then_ms if 400 <= at < 600 else calm_ms) for at in range(1000)]
    return Steady(answered=1000, latencies=latencies, failures=list(failures))


@pytest.mark.parametrize(
    ("what", "holds"),
    [
        (seen(1, 3), True),
        (seen(1, 3.1), False),
        (seen(1, 1, (4.5, "reset")), False),
        (seen(1, 1, (9.5, "refused")), False),
        (seen(60, 60), False),  # then nobody can tell
    ],
)
def test_what_is_enough_of_a_reload(what: Steady, holds: bool) -> None:
    assert reloads.tell(QUICK, "SIGHUP", what, 0.0, [(4.0, 6.0)]) == holds


def test_so_many_requests_are_wanted() -> None:
    assert not reloads.tell(Options(False, 1), "SIGHUP", seen(1, 1), 0.0, [(4.0, 6.0)])


@pytest.mark.parametrize(
    ("counts", "expected"), [([16, 16, 16, 16], 1.0), ([32, 0, 16, 16], 2.0), ([0, 0, 0, 0], 0.0)]
)
def test_how_uneven_workers_are(counts: list[int], expected: float) -> None:
    assert balance.unevenness(counts) == expected


@pytest.mark.parametrize(
    ("record", "is_named"),
    [
        ({"event": "GET /block (request 1) holds the hub"}, True),
        ({"event": "still", "stack": 'File "photon_workers.py", line 3'}, True),
        ({"event": "worker 0 is blocked"}, False),
    ],
)
def test_a_log_that_names_the_route(record: dict[str, Any], is_named: bool) -> None:
    assert blocked.names("/block", record) == is_named


def test_work_is_calibrated() -> None:
    assert rounds_of(0.001) > 100
    work(10)
    hopeless(3)


def test_tables_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    table(["name", "figure"], [["one", 1234567], ["another", 0.5]])
    assert capsys.readouterr().out.splitlines() == [
        "  name        figure",
        "  one      1,234,567",
        "  another        0.5",
    ]
    assert spread([3.0, 1.0, 2.0]) == "2 (1 to 3)"
    assert not verdict("x", False)
    assert capsys.readouterr().out == "  x: MISSED\n"


def test_all_is_measured_unless_something_is_named() -> None:
    assert parse([]).scenarios == list(SCENARIOS)
    assert parse(["kill", "--quick"]).scenarios == ["kill"]
    with pytest.raises(SystemExit):
        parse(["nothing"])


def test_a_fleet_starts_is_watched_and_ends() -> None:
    with fleet(2, "--preload") as server:
        pids = server.serving()
        assert len(pids) == 2
        assert memory_of(pids[0])["Pss"] > 1
        assert not math.isnan(server.wait_for("is ready").at)
    assert server.is_over
