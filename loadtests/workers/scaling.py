"""Requests a second by workers, one on each core.

Told beside: what the server had of its cores. Far below 100 % others had them as well, and the
figures say little.
"""

import os
import statistics
import sys
import time

from loadtests import wrk
from loadtests.apps.photon_workers import work
from loadtests.process import cpu_seconds_of
from loadtests.workers.fleet import fleet
from loadtests.workers.options import Options, competing, first_cores, other_cores
from loadtests.workers.telling import spread, table, verdict

CPU_S = 0.0005
CONNECTIONS = 64
JSON_GOAL = 1.8
CPU_GOAL = 0.85


def run(options: Options) -> bool:
    """Requests a second by workers, one on each core."""
    cores = os.cpu_count() if sys.platform != "linux" else len(os.sched_getaffinity(0))
    is_right = scale(options, "/", [1, 2] if (cores or 1) > 1 else [1], {}, "json")
    rounds = rounds_of(CPU_S)
    print(f"\n  {rounds:,} rounds of a loop are {CPU_S * 1000:g} ms of a core here")
    counts = list(range(1, (cores or 1) + 1))
    variables = {"WORKERS_ROUNDS": str(rounds)}
    return scale(options, "/cpu", counts, variables, "0.5 ms of CPU") and is_right


def scale(
    options: Options, path: str, counts: list[int], variables: dict[str, str], name: str
) -> bool:
    rates: dict[int, list[float]] = {count: [] for count in counts}
    p99s: dict[int, list[float]] = {count: [] for count in counts}
    shares: dict[int, list[float]] = {count: [] for count in counts}
    errors: dict[int, int] = dict.fromkeys(counts, 0)
    # The same cores for all that leave them some.
    most = max(count for count in counts if not competing(count) or count == 1)
    for _ in range(options.rounds):
        for count in counts:  # in turn: what else the machine does falls upon all of them
            with fleet(count, cores=first_cores(count), variables=variables) as server:
                cores = other_cores(count if competing(count) else most)
                url = server.url(path)
                wrk.run(url, cores, connections=CONNECTIONS, seconds=1)
                seconds = options.seconds(2, 10)
                before = cpu_seconds_of(server.pid)
                result = wrk.run(url, cores, connections=CONNECTIONS, seconds=seconds)
                had = (cpu_seconds_of(server.pid) - before) / seconds / count
            shares[count].append(had)
            rates[count].append(result.rate)
            p99s[count].append(result.p99_ms)
            errors[count] += sum(result.errors.values())
    one = statistics.median(rates[1])
    rows = [
        [
            f"{name}, {count} on {count}",
            spread(rates[count]),
            f"{statistics.median(rates[count]) / one:.2f}",
            f"{statistics.median(p99s[count]):.1f}",
            f"{statistics.median(shares[count]):.0%}",
            errors[count],
            competing(count),
        ]
        for count in counts
    ]
    table(["workers on cores", "requests/s", "x one", "p99 ms", "of its cores", "errors", ""], rows)
    is_right = not any(errors.values())
    for count in counts[1:]:
        times = statistics.median(rates[count]) / one
        goal = JSON_GOAL if path == "/" else CPU_GOAL * count
        text = f"{count} workers reach {times:.2f} times one (goal: {goal:.2f} or more)"
        is_right &= verdict(text, times >= goal)
    return is_right


def rounds_of(seconds: float) -> int:
    """How much of `work` takes so long on a core of its own."""
    best = float("inf")
    for _ in range(50):
        began = time.perf_counter()
        work(20_000)
        best = min(best, time.perf_counter() - began)
    return int(20_000 * seconds / best)
