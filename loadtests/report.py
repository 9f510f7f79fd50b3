"""The race's results as tables: for the terminal, as Markdown, as JSON.

A figure is the median of its rounds, with the lowest and highest beside it. A row in which
anything went wrong is marked with ! and says what and how often; its figure counts only good
answers. The ratio is this server's figure to Photon's.
"""

import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtests.scenarios.base import Sample, Scenario


@dataclass(frozen=True)
class AtLeast:
    """Photon's figure is at least so many times that of another in the same race."""

    times: float
    other: str


@dataclass(frozen=True)
class AtMost:
    """Photon's figure, or one of those beside it, is at most this, in the unit it is shown in."""

    limit: float
    beside: str | None = None


# Whom Photon is to be ahead of over WebSockets.
WEBSOCKET_PEERS = (
    "uvicorn-websockets",
    "uvicorn-websockets-sansio",
    "uvicorn-wsproto",
    "fastapi",
    "robyn",
    "granian-asgi",
    "granian-rsgi",
    "websockets",
)

# What Photon is held to, by scenario; see `verdicts`.
GOALS: dict[str, tuple[AtLeast | AtMost, ...]] = {
    "json": (AtLeast(0.75, "floor"),),
    "typed": (AtLeast(8, "fastapi"),),
    "typed-query": (AtLeast(8, "fastapi"),),
    "validated": (AtLeast(7, "fastapi"), AtLeast(1, "uvicorn-raw json")),
    "errors": (AtLeast(4, "fastapi"),),
    "routes": (AtMost(500),),
    "steady": (AtMost(2),),
    "upload": (AtMost(64, "peak RSS MiB"), AtMost(50, "p99 ms")),
    "upload-parts": (AtMost(64, "peak RSS MiB"), AtMost(50, "p99 ms")),
    "ws-echo": tuple(AtLeast(1, name) for name in WEBSOCKET_PEERS),
    "ws-idle": (AtMost(12_000),),
}


@dataclass(frozen=True)
class Outcome:
    """One scenario: the samples of each server in the order of the rounds, or why it has none."""

    scenario: Scenario
    samples: Mapping[str, Sequence[Sample]]
    failures: Mapping[str, str] = field(default_factory=dict)

    def median(self, server: str) -> float | None:
        samples = self.samples.get(server)
        return statistics.median(sample.value for sample in samples) if samples else None

    def ratio(self, server: str) -> float | None:
        own, photon = self.median(server), self.median("photon")
        return own / photon if own is not None and photon else None

    def errors(self, server: str) -> dict[str, int]:
        total: Counter[str] = Counter()
        for sample in self.samples[server]:
            total.update(sample.errors)
        return dict(total)

    def beside(self, server: str) -> dict[str, float]:
        samples = self.samples[server]
        return {
            name: statistics.median(sample.beside[name] for sample in samples)
            for name in samples[0].beside
        }


# Tables...


def text_table(outcome: Outcome) -> str:
    rows = table(outcome)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if index in (0, len(row) - 1) else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([outcome.scenario.title, *lines, *notes(outcome), ""])


def markdown_table(outcome: Outcome) -> str:
    header, *rows = table(outcome)
    rule = ["---", *["---:"] * (len(header) - 2), "---"]
    lines = ["| " + " | ".join(row) + " |" for row in (header, rule, *rows)]
    remarks = [f"- {note}" for note in notes(outcome)]
    return "\n".join([f"### {outcome.scenario.title}", "", *lines, "", *remarks, ""])


def table(outcome: Outcome) -> list[list[str]]:
    """Header and rows, best first."""
    servers = sorted(outcome.samples, key=lambda server: outcome.median(server) or 0.0)
    if outcome.scenario.more_is_better:
        servers.reverse()
    beside = list(outcome.beside(servers[0])) if servers else []
    header = ["server", outcome.scenario.unit, "lowest", "highest", "to photon", *beside, "errors"]
    return [header, *(row(outcome, server) for server in servers)]


def row(outcome: Outcome, server: str) -> list[str]:
    values = [sample.value for sample in outcome.samples[server]]
    errors = outcome.errors(server)
    ratio = outcome.ratio(server)
    return [
        f"{server} !" if errors else server,
        number(statistics.median(values)),
        number(min(values)),
        number(max(values)),
        "-" if ratio is None or outcome.scenario.unit == "%" else f"{ratio:.2f}",
        *(number(value) for value in outcome.beside(server).values()),
        ", ".join(f"{count:,} {kind}" for kind, count in errors.items()) or "none",
    ]


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def notes(outcome: Outcome) -> list[str]:
    failed = [
        f"{name} is missing: {' ... '.join(ends(reason))}"
        for name, reason in outcome.failures.items()
    ]
    return [*failed, *(text for text, _ in verdicts(outcome))]


def ends(text: str) -> list[str]:
    """First and last line: what happened, and mostly the exception of a traceback."""
    lines = text.splitlines() or [""]
    return lines if len(lines) <= 2 else [lines[0], lines[-1]]


def verdicts(outcome: Outcome) -> list[tuple[str, bool]]:
    """What Photon is held to in this scenario, and whether it holds; [] when it did not run.

    A goal holds only if nothing went wrong in any of Photon's rounds.
    """
    if "photon" not in outcome.samples:
        return []
    found = []
    for goal in GOALS.get(outcome.scenario.name, ()):
        seen = _times(outcome, goal) if isinstance(goal, AtLeast) else _at_most(outcome, goal)
        if seen is not None:
            text, holds = seen
            holds = holds and not outcome.errors("photon")
            found.append((f"{text}: {'reached' if holds else 'MISSED'}", holds))
    return found


def _times(outcome: Outcome, goal: AtLeast) -> tuple[str, bool] | None:
    """None when the other one has no figure to compare with."""
    ratio = outcome.ratio(goal.other)
    if not ratio:
        return None
    times = 1 / ratio
    text = f"photon reaches {times:.2f} times {goal.other} (goal: {goal.times:g} or more)"
    return text, times >= goal.times


def _at_most(outcome: Outcome, goal: AtMost) -> tuple[str, bool]:
    if goal.beside is None:
        name, value = outcome.scenario.unit, outcome.median("photon")
        assert value is not None
    else:
        name, value = goal.beside, outcome.beside("photon")[goal.beside]
    text = f"photon has {number(value)} {name} (goal: {goal.limit:g} or less)"
    return text, value <= goal.limit


# Files...


def markdown(
    machine: Mapping[str, str], versions: Mapping[str, str], outcomes: Sequence[Outcome]
) -> str:
    facts = [f"- {name}: {value}" for name, value in machine.items()]
    made_of = [f"- {name}: {value}" for name, value in versions.items()]
    tables = [markdown_table(outcome) for outcome in outcomes]
    return "\n".join(
        ["## The machine", "", *facts, "", "## The servers", "", *made_of, "", *tables]
    )


def as_data(
    machine: Mapping[str, str], versions: Mapping[str, str], outcomes: Sequence[Outcome]
) -> dict[str, Any]:
    return {
        "machine": dict(machine),
        "servers": dict(versions),
        "scenarios": {
            outcome.scenario.name: {
                "title": outcome.scenario.title,
                "unit": outcome.scenario.unit,
                "medians": {server: outcome.median(server) for server in outcome.samples},
                "to_photon": {server: outcome.ratio(server) for server in outcome.samples},
                "samples": {
                    server: [asdict(sample) for sample in samples]
                    for server, samples in outcome.samples.items()
                },
                "failures": dict(outcome.failures),
            }
            for outcome in outcomes
        },
    }
