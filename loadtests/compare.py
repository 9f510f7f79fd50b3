"""Photon beside the bare floor and its peers, on this machine (`make bench`).

Every server gets one core of its own and wrk the others. The rounds are interleaved, A B C A B C,
each with a new process, so that a machine that slows down slows everyone down; a figure is the
median of the rounds. Before a server is measured its answer is compared with what it should be.

    python -m loadtests.compare            the floor, 2 minutes; with all peers 13
    python -m loadtests.compare --all      every scenario, longer rounds; with all peers 100
    python -m loadtests.compare --only photon,floor --scenarios json --rounds 5
"""

import argparse
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from loadtests import machine, report, wrk
from loadtests.process import StartFailed, exit_on_sigterm
from loadtests.report import Outcome
from loadtests.scenarios import QUICK, SCENARIOS
from loadtests.scenarios.base import Sample, Scenario, Settings, WrongAnswer
from loadtests.servers import SERVERS, Server


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if not wrk.is_installed():
        print(wrk.HOW_TO_INSTALL, file=sys.stderr)
        return 2
    exit_on_sigterm()
    machine.raise_file_limit()
    settings = Settings(machine.share_cores(), options.seconds, connections=options.connections)
    facts = machine.describe(settings.cores)
    versions = {server.name: server.versions() for server in options.only}
    show_facts(facts, versions)

    outcomes = []
    for scenario in options.scenarios:
        outcome = race(scenario, options.only, options.rounds, settings)
        print(report.text_table(outcome), flush=True)
        outcomes.append(outcome)

    if options.markdown:
        options.markdown.write_text(report.markdown(facts, versions, outcomes))
    if options.json:
        data = report.as_data(facts, versions, outcomes)
        options.json.write_text(json.dumps(data, indent=2) + "\n")
    return exit_code(outcomes, options.check)


def race(scenario: Scenario, servers: Sequence[Server], rounds: int, settings: Settings) -> Outcome:
    """Round after round, every server once in each; one that fails is out of the race."""
    samples: dict[str, list[Sample]] = {}
    failures: dict[str, str] = {}
    rounds = min(rounds, scenario.max_rounds)
    for number in range(1, rounds + 1):
        for name, server, asked in entrants(scenario, servers):
            if name in failures:
                continue
            progress(f"{scenario.name} {number}/{rounds} {name}")
            try:
                sample = asked.measure(server, settings)
            except (StartFailed, WrongAnswer, wrk.WrkFailed, OSError) as error:
                print(f"\n{error}", file=sys.stderr)
                failures[name] = str(error) or repr(error)
                samples.pop(name, None)
            else:
                samples.setdefault(name, []).append(sample)
    progress("")
    return Outcome(scenario, samples, failures)


def entrants(
    scenario: Scenario, servers: Sequence[Server]
) -> Iterator[tuple[str, Server, Scenario]]:
    """The rows of a table: each server that can do it, and the yardsticks among these servers."""
    for server in servers:
        if scenario.name not in server.lacks:
            yield server.name, server, scenario
        for other in (name for of, name in scenario.yardsticks if of == server.name):
            yield f"{server.name} {other}", server, SCENARIOS[other]


def exit_code(outcomes: Sequence[Outcome], check: bool) -> int:
    """1 when a server is missing from a table, or, with --check, when Photon misses a goal."""
    complete = all(not outcome.failures for outcome in outcomes)
    missed = [text for each in outcomes for text, holds in report.verdicts(each) if not holds]
    if check and missed:
        print("\n".join(missed), file=sys.stderr)
        return 1
    return 0 if complete else 1


def show_facts(facts: dict[str, str], versions: dict[str, str]) -> None:
    width = max(map(len, [*facts, *versions])) + 2
    for name, value in [*facts.items(), *versions.items()]:
        print(f"{name:{width}}{value}")
    print(flush=True)


def progress(text: str) -> None:
    """One line that is written over, for people only."""
    if sys.stderr.isatty():
        print(f"\r{text:60}\r", end="", file=sys.stderr, flush=True)


# The command line...


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.compare",
        description="Photon beside the bare floor and its peers.",
        epilog=f"servers: {', '.join(SERVERS)}; scenarios: {', '.join(SCENARIOS)}",
    )
    parser.add_argument("--all", action="store_true", help="all scenarios, 5 rounds of 8 s")
    parser.add_argument("--only", metavar="NAME,...", help="these servers (all that are installed)")
    parser.add_argument("--scenarios", metavar="NAME,...", help=f"({','.join(QUICK)})")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each scenario (3)")
    parser.add_argument("--seconds", type=int, metavar="N", help="of wrk in each round (3)")
    parser.add_argument("--connections", type=int, metavar="N", help="(what the scenario asks for)")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables there too")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample there")
    parser.add_argument("--check", action="store_true", help="exit 1 when Photon misses a goal")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (5 if options.all else 3)
    options.seconds = options.seconds or (8 if options.all else 3)
    options.only = servers_named(parser, options.only)
    options.scenarios = [
        SCENARIOS[name]
        for name in names(
            parser, options.scenarios, SCENARIOS, list(SCENARIOS) if options.all else list(QUICK)
        )
    ]
    return options


def servers_named(parser: argparse.ArgumentParser, given: str | None) -> list[Server]:
    installed = [name for name, server in SERVERS.items() if server.is_installed()]
    chosen = names(parser, given, SERVERS, installed)
    missing = [name for name in chosen if name not in installed]
    if missing:
        parser.error(f"not installed: {', '.join(missing)} (make peers)")
    return [SERVERS[name] for name in chosen]


def names(
    parser: argparse.ArgumentParser, given: str | None, known: Collection[str], default: list[str]
) -> list[str]:
    if not given:
        return default
    chosen = given.split(",")
    unknown = [name for name in chosen if name not in known]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
