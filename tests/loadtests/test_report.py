from __future__ import annotations

import pytest

from loadtests.compare import entrants
from loadtests.report import Outcome, text_table, verdicts
from loadtests.scenarios import SCENARIOS
from loadtests.scenarios.base import Sample
from loadtests.servers import SERVERS


def outcome(name: str, **figures: float) -> Outcome:
    """Samples of one round; `a_b` stands for the row "a b"."""
    named = {server.replace("_", " "): figure for server, figure in figures.items()}
    return Outcome(SCENARIOS[name], {server: [Sample(figure)] for server, figure in named.items()})


@pytest.mark.parametrize(
    ("name", "figures", "holds"),
    [
        ("typed", {"photon": 800.0, "fastapi": 100.0}, [True]),
        ("typed", {"photon": 799.0, "fastapi": 100.0}, [False]),
        ("errors", {"photon": 400.0, "fastapi": 100.0}, [True]),
        ("routes", {"photon": 500.0}, [True]),
        ("routes", {"photon": 501.0, "fastapi": 900.0}, [False]),
        ("typed", {"photon": 800.0}, []),
        ("typed", {"fastapi": 100.0}, []),
        ("bytes10k", {"photon": 800.0, "fastapi": 100.0}, []),
    ],
)
def test_a_goal_is_judged_where_both_have_a_figure(
    name: str, figures: dict[str, float], holds: list[bool]
) -> None:
    assert [held for _, held in verdicts(outcome(name, **figures))] == holds


def test_a_goal_is_printed_below_the_table_with_its_outcome() -> None:
    printed = text_table(outcome("errors", photon=300.0, fastapi=100.0))
    assert "photon reaches 3.00 times fastapi (goal: 4 or more): MISSED" in printed


def test_no_goal_is_reached_with_wrong_answers() -> None:
    wrong = Sample(1000.0, errors={"answers of another status": 1})
    samples = {"photon": [wrong], "fastapi": [Sample(1.0)]}
    assert [holds for _, holds in verdicts(Outcome(SCENARIOS["typed"], samples))] == [False]


def test_figures_beside_the_first_have_goals_as_well() -> None:
    sample = Sample(500.0, {"peak RSS MiB": 65.0, "p99 ms": 20.0})
    judged = verdicts(Outcome(SCENARIOS["upload"], {"photon": [sample]}))
    assert [holds for _, holds in judged] == [False, True]


def test_a_yardstick_has_a_row_of_its_own() -> None:
    servers = [SERVERS["photon"], SERVERS["uvicorn-raw"]]
    rows = [(name, asked.name) for name, _, asked in entrants(SCENARIOS["validated"], servers)]
    assert rows == [
        ("photon", "validated"),
        ("uvicorn-raw", "validated"),
        ("uvicorn-raw json", "json"),
    ]


def test_servers_are_not_asked_for_what_they_lack() -> None:
    rows = entrants(SCENARIOS["upload-parts"], list(SERVERS.values()))
    assert [name for name, _, _ in rows] == ["photon"]
