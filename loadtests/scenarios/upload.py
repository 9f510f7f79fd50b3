"""One large upload, and whether anybody else notices: its rate, the memory, the others' waiting."""

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from loadtests.machine import Cores
from loadtests.process import on_cores, peak_memory_of, running
from loadtests.scenarios.base import Sample, Settings, WrongAnswer, check_message
from loadtests.servers import ROOT, Server

APPS = {
    "photon": "loadtests.apps.photon_upload:app",
    "fastapi": "loadtests.apps.fastapi_upload:app",
    "fastapi-sync": "loadtests.apps.fastapi_upload:app",
}
LIMIT_S = 600


@dataclass(frozen=True)
class Upload:
    """A form with one file is sent as fast as the server takes it; another client asks on."""

    size: int = 1 << 30
    path: str = "/upload"
    name: str = "upload"
    kind: str = "as a form's file, spooled and dropped"
    unit: str = "MB/s"
    more_is_better: bool = True
    max_rounds: int = 3
    yardsticks: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        return f"An upload of {self.size >> 20} MiB {self.kind}, while another client asks /json"

    def measure(self, server: Server, settings: Settings) -> Sample:
        with running(server.serving(APPS[server.name]), settings.cores.server) as target:
            check_message(target)
            with asking(target.url("/json"), settings.cores) as asked:
                sent = send(target.url(self.path), self.size, settings.cores)
            peak = peak_memory_of(target.pid)
        meanwhile = [ms for due, ms in asked["answers"] if sent["began"] <= due <= sent["ended"]]
        if not meanwhile:
            raise WrongAnswer("nothing was answered during the upload: make it larger")
        errors = len(asked["errors"])
        return Sample(
            self.size / (sent["ended"] - sent["began"]) / 1e6,
            {
                "peak RSS MiB": peak / (1 << 20),
                "p50 ms": at(meanwhile, 0.50),
                "p99 ms": at(meanwhile, 0.99),
                "max ms": max(meanwhile),
                "answers": len(meanwhile),
            },
            {"wrong or missing answers": errors} if errors else {},
        )


UPLOADS = (
    Upload(),
    Upload(
        path="/upload/parts",
        name="upload-parts",
        kind="read part by part, kept nowhere",
    ),
)


def at(times: Sequence[float], share: float) -> float:
    """The least of them that this share of them does not exceed."""
    return sorted(times)[max(0, math.ceil(len(times) * share) - 1)]


@contextmanager
def asking(url: str, cores: Cores) -> Iterator[dict[str, Any]]:
    """Ask `url` as long as the block lasts; what was seen is in the mapping afterwards."""
    seen: dict[str, Any] = {}
    client = start("ask", url, cores=cores)
    try:
        time.sleep(0.5)  # it has begun
        yield seen
        # The end of its input ends it.
        seen.update(result_of(client))
    finally:
        client.kill()
        client.wait()


def send(url: str, size: int, cores: Cores) -> dict[str, Any]:
    client = start("upload", url, str(size), cores=cores)
    try:
        return result_of(client)
    finally:
        client.kill()
        client.wait()


def start(*arguments: str, cores: Cores) -> "subprocess.Popen[str]":
    with on_cores(set(cores.clients) if cores.clients else None):
        return subprocess.Popen(
            [sys.executable, "-m", "loadtests.clients", *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def result_of(client: "subprocess.Popen[str]") -> dict[str, Any]:
    try:
        printed, complained = client.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise WrongAnswer(f"a client did not end within {LIMIT_S} s") from None
    if client.returncode != 0:
        raise WrongAnswer(f"a client failed: {complained.strip()}")
    result: dict[str, Any] = json.loads(printed)
    return result
