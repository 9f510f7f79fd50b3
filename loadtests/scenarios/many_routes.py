"""How soon an application of 500 routes is there, and its OpenAPI document."""

import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from loadtests.apps import many
from loadtests.process import Running, running
from loadtests.scenarios.base import Sample, Settings, WrongAnswer
from loadtests.servers import Server

WANTED = many.RESOURCES * many.ROUTES_OF_EACH


@dataclass(frozen=True)
class ManyRoutes:
    """From the start of the process until it listens, with its router and endpoints made.

    Byte code and files are in place, as they are at any start but the first.
    """

    starts: int = 3
    name: str = "routes"
    title: str = f"An application of {WANTED} routes: start to listening"
    unit: str = "ms"
    more_is_better: bool = False
    max_rounds: int = 3
    yardsticks: tuple[tuple[str, str], ...] = ()

    def measure(self, server: Server, settings: Settings) -> Sample:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            many.write(server.name, folder)
            server = server.serving(many.APP, folder)
            self.start(server, settings)  # compiles
            seen = [self.start(server, settings) for _ in range(self.starts)]
        columns = {name: statistics.median(each[name] for each in seen) for name in seen[0]}
        return Sample(columns.pop("ready"), columns)

    def start(self, server: Server, settings: Settings) -> dict[str, float]:
        with running(server, settings.cores.server) as target:
            ready_at = time.perf_counter()
            check_route(target)
            answered_at = time.perf_counter()
            document = target.ask("GET", "/openapi.json", {}, None)
            first_at = time.perf_counter()
            again = target.ask("GET", "/openapi.json", {}, None)
            second_at = time.perf_counter()
        check_document(*document)
        if again != document:
            raise WrongAnswer("/openapi.json: another document when asked again")
        return {
            "ready": (ready_at - target.started_at) * 1000,
            "first answer ms": (answered_at - target.started_at) * 1000,
            "document ms": (first_at - answered_at) * 1000,
            "again ms": (second_at - first_at) * 1000,
            "document KB": len(document[1]) / 1000,
        }


def check_route(target: Running) -> None:
    status, body = target.ask("GET", "/api/lamp49s/7/notes/42", {}, None)
    if status != 200 or json.loads(body)["id"] != 42:
        raise WrongAnswer(f"a route of many: {status} {body[:200]!r}")


def check_document(status: int, body: bytes) -> None:
    paths = json.loads(body).get("paths", {}) if status == 200 else {}
    methods = sum(len(path) for path in paths.values())
    if methods != WANTED:
        raise WrongAnswer(f"/openapi.json: {status}, {methods} operations, {WANTED} were expected")
