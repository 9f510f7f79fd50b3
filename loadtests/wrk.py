"""One run of wrk, and what it saw, errors included."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loadtests.machine import Cores
from loadtests.process import on_cores

SCRIPT = Path(__file__).parent / "scenarios" / "wrk.lua"
HOW_TO_INSTALL = (
    "wrk is not installed. Debian and Ubuntu: apt install wrk; Fedora: dnf install wrk; "
    "macOS: brew install wrk; else https://github.com/wg/wrk"
)
# wrk counts an answer that took longer as a timeout; its own default of 2 s would blame a server
# that is merely slow.
TIMEOUT_S = 10
ERRORS = {
    "status": "answers of another status",
    "connect": "connections refused",
    "read": "reads failed",
    "write": "writes failed",
    "timeout": f"answers after {TIMEOUT_S} s or never",
}


class WrkFailed(Exception):
    """wrk itself went wrong; the message holds what it printed."""


@dataclass(frozen=True)
class Result:
    """Rates are per second, latencies in milliseconds; `errors` holds only what happened."""

    requests: int
    rate: float
    p50_ms: float
    p99_ms: float
    errors: dict[str, int]


def is_installed() -> bool:
    return shutil.which("wrk") is not None


def run(
    url: str,
    cores: Cores,
    *,
    connections: int,
    seconds: int,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    body: str | None = None,
    status: int = 200,
) -> Result:
    """Keep `connections` busy for whole `seconds`, from the clients' cores.

    Args: status: that is wanted: this one exactly if it is 400 or more, else any below.
    """
    threads = min(cores.client_threads, connections)
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT)]
    command += ["--timeout", f"{TIMEOUT_S}s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    command += [url, "--", method, str(status), *([body] if body is not None else [])]
    with on_cores(set(cores.clients) if cores.clients else None):
        answer = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=seconds + 30
        )
    return parse(answer.stdout, answer.stderr)


def parse(printed: str, complained: str) -> Result:
    lines = [line for line in printed.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise WrkFailed(f"wrk gave no result:\n{printed}\n{complained}".strip())
    seen = json.loads(lines[-1].removeprefix("RESULT "))
    good = seen["requests"] - seen["status"]
    errors = {ERRORS[name]: seen[name] for name in ERRORS if seen[name]}
    if not seen["requests"]:  # every answer was still under way: wrk counts that as no error
        errors["run without a single answer"] = 1
    return Result(
        requests=seen["requests"],
        rate=good / (seen["us"] / 1e6),
        p50_ms=seen["p50_us"] / 1000,
        p99_ms=seen["p99_us"] / 1000,
        errors=errors,
    )
