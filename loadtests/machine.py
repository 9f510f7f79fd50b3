"""What the figures were taken on: a figure without its hardware says nothing."""

import os
import platform
import re
import resource
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from loadtests.servers import ROOT


@dataclass(frozen=True)
class Cores:
    """Who runs where. Server and clients never share a core, when there are two to share."""

    server: int | None
    clients: frozenset[int] | None

    @property
    def client_threads(self) -> int:
        return min(3, len(self.clients)) if self.clients else 2


def share_cores() -> Cores:
    """The last core for the server (interrupts gather on the first), all others for the clients."""
    if sys.platform != "linux":
        return Cores(None, None)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return Cores(cores[0], None)
    return Cores(cores[-1], frozenset(cores[:-1]))


def raise_file_limit() -> int:
    """As many open files as this process may have; its children inherit them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def describe(cores: Cores) -> dict[str, str]:
    placed = "not bound to cores (this system cannot)"
    if cores.clients is not None:
        placed = f"server on core {cores.server}, clients on {sorted(cores.clients)}"
    elif cores.server is not None:
        placed = "one core for server and clients: the figures are too low"
    return {
        "cpu": cpu_model(),
        "cores": f"{os.cpu_count()}; {placed}",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "wrk": wrk_version(),
        "photon": commit(),
    }


def cpu_model() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def wrk_version() -> str:
    if shutil.which("wrk") is None:
        return "none"
    answer = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return " ".join((answer.stdout + answer.stderr).split()[1:2]) or "unknown"


def commit() -> str:
    """The commit that is measured, marked when the tree differs from it."""
    git = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    try:
        answer = subprocess.run(git, capture_output=True, text=True, check=False)
    except OSError:
        return "unknown"
    return answer.stdout.strip() or "unknown"
