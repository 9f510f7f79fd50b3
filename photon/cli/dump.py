"""`photon dump`: what every greenlet of every worker waits for."""

from __future__ import annotations

from typing import Any

import click

from photon.cli.exits import ExitCode
from photon.cli.paper import bold, printable, say
from photon.cli.servers import (
    ask,
    chosen,
    json_option,
    named,
    say_json,
    server_argument,
    workers_of,
)

# A supervisor waits 5 s for its workers; the dumps of very many greenlets take some time to come.
_PATIENCE_S = 20.0


@click.command(
    short_help="Show what every greenlet of a running server waits for.",
    epilog="""\b
Examples:
  photon dump
  photon dump 4711 --worker 2 --stacks
  photon dump --json | jq '.workers[].ok.circles'

SIGQUIT has a server write the same into its log.""",
)
@server_argument
@click.option("--stacks", is_flag=True, help="with all frames of each greenlet")
@click.option(
    "--worker", type=click.IntRange(min=0), metavar="N", help="one worker: its number, or its pid"
)
@json_option
def dump(server: str | None, stacks: bool, worker: int | None, as_json: bool) -> None:
    """Show what every greenlet of a running server waits for, and where.

    The server goes on meanwhile. Of a worker whose hub stands still is told for how long.
    """
    arguments: dict[str, Any] = {} if worker is None else {"worker": worker}
    answer = ask(chosen(server), "dump", timeout=_PATIENCE_S, stacks=stacks, **arguments)
    workers = workers_of(answer)
    if as_json:
        say_json(answer)
    else:
        for number, one in enumerate(workers):
            say([*([""] if number else []), *lines_of(one, is_only=len(workers) == 1)])
    if not any("ok" in one for one in workers):
        raise SystemExit(ExitCode.FAILURE)


def lines_of(worker: dict[str, Any], *, is_only: bool = False) -> list[str]:
    """The dump of one worker, or why there is none."""
    from photon.runtime.debug.render import render

    heading = [] if is_only and "ok" in worker else [bold(_heading(worker))]
    told = worker.get("ok")
    if not isinstance(told, dict):
        return [*heading, f"  {printable(str(worker.get('error', 'no answer')))}"]
    return [*heading, *render(told).splitlines()]


def _heading(worker: dict[str, Any]) -> str:
    state, generation = worker.get("state", "?"), worker.get("generation", "?")
    return printable(f"{named(worker)}, {state}, generation {generation}")
