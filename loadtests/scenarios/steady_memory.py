"""Whether memory stays where it is: RSS after 50,000 requests and after 500,000."""

import math
import time
from collections import Counter
from dataclasses import dataclass

from loadtests import wrk
from loadtests.process import Running, memory_of
from loadtests.scenarios.base import Sample, Settings, warm
from loadtests.servers import Server

CONNECTIONS = 64
LIMIT_S = 300  # a slow server stops short of its requests; the table then shows how many it made


@dataclass(frozen=True)
class SteadyMemory:
    first: int = 50_000
    second: int = 500_000
    name: str = "steady"
    title: str = "RSS growth from 50,000 to 500,000 requests"
    unit: str = "%"
    more_is_better: bool = False
    max_rounds: int = 1
    yardsticks: tuple[tuple[str, str], ...] = ()

    def measure(self, server: Server, settings: Settings) -> Sample:
        deadline = time.monotonic() + LIMIT_S
        errors: Counter[str] = Counter()
        with warm(server, settings) as target:
            made = ask_until(self.first, 0, target, settings, deadline, errors)
            before = memory_of(target.pid).rss
            made = ask_until(self.second, made, target, settings, deadline, errors)
            after = memory_of(target.pid).rss
        return Sample(
            (after / before - 1) * 100,
            {"RSS MB first": before / 1e6, "RSS MB last": after / 1e6, "requests": made},
            dict(errors),
        )


def ask_until(
    wanted: int,
    made: int,
    target: Running,
    settings: Settings,
    deadline: float,
    errors: Counter[str],
) -> int:
    """Go on until `wanted` requests are made: wrk counts seconds only, so slice by slice."""
    seconds = 1
    while made < wanted and time.monotonic() < deadline:
        result = wrk.run(
            target.url("/json"), settings.cores, connections=CONNECTIONS, seconds=seconds
        )
        errors.update(result.errors)
        made += result.requests
        if not result.rate:
            break
        seconds = min(10, max(1, math.floor((wanted - made) / result.rate)))
    return made
