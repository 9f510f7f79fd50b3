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

# What Photon is held to, see `verdicts`.
FLOOR_GOAL = 0.75
GROWTH_GOAL_PERCENT = 2.0


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
    """What Photon is held to in this scenario, and whether it holds."""
    found = []
    floor = outcome.ratio("floor")
    if outcome.scenario.name == "json" and floor:
        share = 1 / floor
        text = f"photon reaches {share:.2f} of the bare floor (goal: {FLOOR_GOAL} or more)"
        found.append((text, share >= FLOOR_GOAL))
    growth = outcome.median("photon")
    if outcome.scenario.name == "steady" and growth is not None:
        text = f"photon grows by {growth:.2f} % (goal: {GROWTH_GOAL_PERCENT:g} % or less)"
        found.append((text, growth <= GROWTH_GOAL_PERCENT))
    return found


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
