"""An upload of 1 GiB beside a client that goes on asking: rate, peak memory, waiting.

    python -m loadtests.upload                 [--size-mib N] [--rounds N] [--only photon,...]

A form's file that is spooled and dropped (`UploadFile`), and the same read as it comes
(`request.parts()`). The clients are processes of their own, see `loadtests/clients.py`. The spool
goes where the system keeps temporary files: set TMPDIR to put it on another disk.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace

from loadtests import machine, report
from loadtests.compare import race, servers_named
from loadtests.process import exit_on_sigterm
from loadtests.scenarios.base import Settings
from loadtests.scenarios.upload import APPS, UPLOADS


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m loadtests.upload")
    parser.add_argument("--size-mib", type=int, default=1024, metavar="N", help="(1024)")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="(1)")
    parser.add_argument("--only", metavar="NAME,...", help=f"of {', '.join(APPS)} (photon)")
    options = parser.parse_args(arguments)
    servers = servers_named(parser, options.only or "photon")
    if any(server.name not in APPS for server in servers):
        parser.error(f"only {', '.join(APPS)} take uploads")
    exit_on_sigterm()
    settings = Settings(machine.share_cores(), 1)
    print(f"the spool is in {tempfile.gettempdir()}\n", flush=True)
    complete = True
    for scenario in UPLOADS:
        outcome = race(
            replace(scenario, size=options.size_mib << 20), servers, options.rounds, settings
        )
        print(report.text_table(outcome), flush=True)
        complete = complete and not outcome.failures
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
