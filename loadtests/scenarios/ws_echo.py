"""Echoes of 32 bytes per second over WebSockets that are kept, one message at a time on each."""

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from loadtests.machine import Cores
from loadtests.process import cpu_seconds_of, on_cores, running
from loadtests.scenarios.base import Sample, Settings, WrongAnswer
from loadtests.servers import ROOT, Server
from loadtests.ws_clients import BUCKET_S

LIMIT_S = 60


@dataclass(frozen=True)
class WebSocketEcho:
    connections: int = 64
    name: str = "ws-echo"
    unit: str = "messages/s"
    more_is_better: bool = True
    max_rounds: int = 99
    yardsticks: tuple[tuple[str, str], ...] = ()

    @property
    def title(self) -> str:
        return f"WebSocket echo of 32 bytes, {self.connections} connections"

    def measure(self, server: Server, settings: Settings) -> Sample:
        connections = settings.connections or self.connections
        with running(server, settings.cores.server) as target:
            began, had = time.perf_counter(), cpu_seconds_of(target.pid)
            results = run(target.port, connections, settings)
            seconds, had = time.perf_counter() - began, cpu_seconds_of(target.pid) - had
        waits: Counter[int] = Counter()
        errors: Counter[str] = Counter()
        for result in results:
            waits.update({int(bucket): count for bucket, count in result["waits"].items()})
            errors.update(result["errors"])
        return Sample(
            sum(result["echoes"] / result["seconds"] for result in results),
            {
                "p50 ms": at(waits, 0.50),
                "p99 ms": at(waits, 0.99),
                # Of the time that its clients took to start and to ask. On a shared machine it
                # tells who was kept from the core, and a server of many threads is kept less.
                "core %": 100 * had / seconds,
            },
            dict(errors),
        )


def run(port: int, connections: int, settings: Settings) -> list[dict[str, Any]]:
    """What each client saw; all begin when the last one has its connections."""
    count = min(settings.cores.client_threads, connections)
    shares = [connections // count + (number < connections % count) for number in range(count)]
    with ExitStack() as stack:
        clients = [stack.enter_context(client(port, share, settings)) for share in shares]
        for each in clients:
            assert each.stdout is not None
            if each.stdout.readline() != "ready\n":
                raise WrongAnswer(f"a client failed: {each.communicate()[1].strip()[-500:]}")
        for each in clients:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        return [result_of(each) for each in clients]


def client(port: int, connections: int, settings: Settings) -> "Client":
    numbers = (port, connections, settings.warm_up_s, settings.seconds)
    return Client(settings.cores, list(map(str, numbers)))


class Client(subprocess.Popen[str]):
    """A client as a process that does not outlive the block."""

    def __init__(self, cores: Cores, arguments: list[str]) -> None:
        with on_cores(set(cores.clients) if cores.clients else None):
            super().__init__(
                [sys.executable, "-m", "loadtests.ws_clients", *arguments],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.communicate()


def result_of(client: Client) -> dict[str, Any]:
    try:
        printed, complained = client.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        raise WrongAnswer(f"a client did not end within {LIMIT_S} s") from None
    if client.returncode != 0:
        raise WrongAnswer(f"a client failed: {complained.strip()[-500:]}")
    result: dict[str, Any] = json.loads(printed)
    return result


def at(waits: Counter[int], share: float) -> float:
    """Milliseconds that this share of the waits did not exceed."""
    left = waits.total() * share
    for bucket in sorted(waits):
        left -= waits[bucket]
        if left <= 0:
            return bucket * BUCKET_S * 1000
    return 0.0
