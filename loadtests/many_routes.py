"""An application of 500 routes, on Photon and on FastAPI: how soon it is there.

    python -m loadtests.many_routes            [--rounds N]

First as a server: from the start of the process until it listens and answers, and how long the
OpenAPI document takes, once and again. Then in one process, step by step, without the server.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from loadtests import machine, report
from loadtests.apps import many
from loadtests.compare import race
from loadtests.process import StartFailed, exit_on_sigterm, on_cores
from loadtests.scenarios.base import Settings
from loadtests.scenarios.many_routes import ManyRoutes
from loadtests.servers import ROOT, SERVERS, Server

# What is done step by step, with a clock between: the same for both, but for the last word.
STEPS = """
import sys, time, json
at = [time.perf_counter()]
def step(): at.append(time.perf_counter())
sys.path.insert(0, sys.argv[1])
{framework}
step()
from manyroutes.main import app
step()
{ready}
step()
app.openapi()
step()
print(json.dumps([(later - sooner) * 1000 for sooner, later in zip(at, at[1:])]))
"""
PHOTON_STEPS = STEPS.format(
    framework="from photon import Group, Photon",
    ready="running = app.running(); running.__enter__()",
)
FASTAPI_STEPS = STEPS.format(
    framework="from fastapi import APIRouter, FastAPI",
    ready="app.build_middleware_stack()",
)
NAMES = ("import framework", "import application", "make ready", "make document")
ROUNDS = 3


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.many_routes")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help=f"({ROUNDS})")
    options = parser.parse_args(arguments)
    exit_on_sigterm()
    settings = Settings(machine.share_cores(), 1)
    servers = [SERVERS[name] for name in many.HEADS if SERVERS[name].is_installed()]
    outcome = race(ManyRoutes(), servers, options.rounds, settings)
    print(report.text_table(outcome))
    print(f"{'in one process, ms':20}" + "".join(f"{name:>20}" for name in NAMES))
    complete = not outcome.failures
    for server in servers:
        try:
            print(f"{server.name:20}" + "".join(f"{ms:20,.0f}" for ms in steps(server, settings)))
        except StartFailed as error:
            print(error, file=sys.stderr)
            complete = False
    return 0 if complete else 1


def steps(server: Server, settings: Settings) -> list[float]:
    """Milliseconds of each of NAMES, the lowest of some runs."""
    source = PHOTON_STEPS if server.name == "photon" else FASTAPI_STEPS
    with tempfile.TemporaryDirectory() as name:
        many.write(server.name, Path(name))
        runs = [_run(server, source, name, settings) for _ in range(ROUNDS + 1)]
    return [min(times) for times in zip(*runs, strict=True)]


def _run(server: Server, source: str, folder: str, settings: Settings) -> list[float]:
    core = settings.cores.server
    with on_cores({core} if core is not None else None):
        answer = subprocess.run(
            [str(server.python), "-c", source, folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    if answer.returncode != 0:
        raise StartFailed(f"{server.name}: the application failed:\n{answer.stderr.strip()}")
    times: list[float] = json.loads(answer.stdout)
    return times


if __name__ == "__main__":
    sys.exit(main())
