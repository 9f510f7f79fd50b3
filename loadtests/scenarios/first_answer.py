"""From the start of the process to the first complete answer on a real route."""

import statistics
import time
from dataclasses import dataclass

from loadtests.process import running
from loadtests.scenarios.base import Sample, Settings, check_message
from loadtests.servers import Server


@dataclass(frozen=True)
class FirstAnswer:
    starts: int = 5
    name: str = "start"
    title: str = "Start to first answer"
    unit: str = "ms"
    more_is_better: bool = False
    max_rounds: int = 3
    yardsticks: tuple[tuple[str, str], ...] = ()

    def measure(self, server: Server, settings: Settings) -> Sample:
        self.start(server, settings)  # brings the files into the page cache
        times_ms = [self.start(server, settings) for _ in range(self.starts)]
        return Sample(
            statistics.median(times_ms), {"fastest": min(times_ms), "slowest": max(times_ms)}
        )

    def start(self, server: Server, settings: Settings) -> float:
        with running(server, settings.cores.server) as target:
            check_message(target)
            return (time.perf_counter() - target.started_at) * 1000
