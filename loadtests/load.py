"""A siege of a real Photon by people-like visitors, with a gate at its end (`make load`).

Starts `photon run loadtests.apps.photon_app:app` on a core of its own and locust (which patches
everything on import, so always a process of its own) on the others, for a bounded time. Writes an
HTML report and exits with 1 when the slowest 5 % of the answers, or the share of failed ones, are
past the gate.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtests.machine import Cores, raise_file_limit, share_cores
from loadtests.process import StartFailed, exit_on_sigterm, on_cores, running
from loadtests.servers import ROOT, SERVERS

LOCUSTFILE = Path(__file__).parent / "locustfile.py"
# What locust may need beyond its run time, to start and to write its reports.
OVERHEAD_S = 60


class LocustFailed(Exception):
    """locust itself went wrong, or nothing was asked."""


@dataclass(frozen=True)
class Total:
    """All requests together."""

    requests: int
    failures: int
    p95_ms: float
    rate: float

    @property
    def failure_ratio(self) -> float:
        return self.failures / self.requests


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    if importlib.util.find_spec("locust") is None:
        print("locust is not installed: pip install 'photon-web[loadtest]'", file=sys.stderr)
        return 2
    options.reports = options.reports.absolute()
    options.reports.mkdir(parents=True, exist_ok=True)
    exit_on_sigterm()
    raise_file_limit()
    cores = share_cores()
    try:
        with running(SERVERS["photon"], cores.server) as photon:
            total = besiege(photon.url(""), options, cores)
    except (StartFailed, LocustFailed) as error:
        print(f"load: {error}", file=sys.stderr)
        return 1
    print(f"load: the report is {options.reports / 'load.html'}")
    return judge(total, options.p95_ms, options.failure_ratio)


def besiege(url: str, options: argparse.Namespace, cores: Cores) -> Total:
    """Raises: LocustFailed."""
    figures = options.reports / "load.json"
    figures.unlink(missing_ok=True)  # an old one must not pass the gate for us
    command = [sys.executable, "-m", "locust", "--headless", "--only-summary"]
    command += ["--locustfile", str(LOCUSTFILE), "--host", url]
    command += ["--users", str(options.users), "--spawn-rate", str(options.spawn_rate)]
    command += ["--run-time", f"{options.seconds}s", "--stop-timeout", "5s"]
    command += ["--html", str(options.reports / "load.html"), "--exit-code-on-error", "0"]
    try:
        with on_cores(set(cores.clients) if cores.clients else None):
            done = subprocess.run(
                command,
                cwd=ROOT,
                env={**os.environ, "PHOTON_LOAD_TOTAL": str(figures)},
                check=False,
                timeout=options.seconds + OVERHEAD_S,
            )
    except subprocess.TimeoutExpired as error:
        raise LocustFailed(f"locust did not end within {error.timeout:.0f} s") from None
    if done.returncode != 0:
        raise LocustFailed(f"locust ended with exit code {done.returncode}")
    return read_total(figures)


def read_total(figures: Path) -> Total:
    """What `write_total` in the locustfile left there."""
    total = Total(**json.loads(figures.read_text()))
    if not total.requests:
        raise LocustFailed("not a single request was made")
    return total


def judge(total: Total, p95_ms: float, failure_ratio: float) -> int:
    print(
        f"load: {total.requests:,} requests, {total.rate:,.0f}/s, p95 {total.p95_ms:.0f} ms, "
        f"{total.failures:,} failed ({total.failure_ratio:.2%})"
    )
    past = []
    if total.p95_ms > p95_ms:
        past.append(f"p95 of {total.p95_ms:.0f} ms is over {p95_ms:g} ms")
    if total.failure_ratio > failure_ratio:
        past.append(f"{total.failure_ratio:.2%} failed, {failure_ratio:.2%} may")
    print(f"load: FAILED: {'; '.join(past)}" if past else "load: passed")
    return 1 if past else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.load",
        description="Visitors against a real Photon, with a gate.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--users", type=int, default=200, help="visitors at the same time")
    parser.add_argument("--spawn-rate", type=float, default=50, help="new visitors a second")
    parser.add_argument("--seconds", type=int, default=30, help="how long, arrivals included")
    parser.add_argument(
        "--p95-ms",
        type=float,
        default=150,
        help="gate: 95 %% of all answers come within this many milliseconds "
        "(one page in ten waits 50 ms by itself)",
    )
    parser.add_argument(
        "--failure-ratio",
        type=float,
        default=0.001,
        help="gate: the share of requests, 0 to 1, that may fail",
    )
    parser.add_argument("--reports", type=Path, default=ROOT / "reports", help="folder to write to")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
