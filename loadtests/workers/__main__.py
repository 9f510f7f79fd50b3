"""What several workers are worth.

    python -m loadtests.workers [--quick] [--rounds N] [scenario...]

The server is bound to the first cores of the machine, as many as it has workers, and the clients to
the others; what is measured otherwise says so. Exit code 1 if a goal is missed.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from loadtests import machine, wrk
from loadtests.process import StartFailed, exit_on_sigterm
from loadtests.workers import balance, blocked, deaths, memory, reloads, restarts, scaling
from loadtests.workers.options import Options

SCENARIOS = {
    "scaling": scaling.run,
    "memory": memory.run,
    "reload": reloads.run,
    "kill": deaths.run,
    "blocked": blocked.run,
    "restarts": restarts.run,
    "balance": balance.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    given = parse(arguments)
    options = Options(given.quick, given.rounds or (2 if given.quick else 5))
    exit_on_sigterm()
    machine.raise_file_limit()
    if not wrk.is_installed():
        print(wrk.HOW_TO_INSTALL, file=sys.stderr)
        return 1
    described = machine.describe(machine.Cores(None, None))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    described |= {"cores": str(os.cpu_count()), "load": f"{load} before this began"}
    for name, value in described.items():
        print(f"{name:10}{value}")
    is_right = True
    for name in given.scenarios:
        print(f"\n{name}: {(SCENARIOS[name].__doc__ or '').splitlines()[0]}", flush=True)
        try:
            is_right &= SCENARIOS[name](options)
        except StartFailed as error:
            print(error, file=sys.stderr)
            is_right = False
    return 0 if is_right else 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.workers", description="What several workers are worth."
    )
    parser.add_argument("scenarios", nargs="*", metavar="scenario", help=", ".join(SCENARIOS))
    parser.add_argument("--quick", action="store_true", help="short runs, to see that it works")
    parser.add_argument("--rounds", type=int, metavar="N", help="(5; 2 if quick)")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    options.scenarios = options.scenarios or list(SCENARIOS)
    return options


if __name__ == "__main__":
    sys.exit(main())
