"""What clients lose, and wait, while workers are replaced under load."""

import signal
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from loadtests import wrk
from loadtests.steady import Running, Steady
from loadtests.workers.fleet import Fleet, fleet
from loadtests.workers.options import Options, first_cores, other_cores
from loadtests.workers.telling import table, verdict

WORKERS = 2
CONNECTIONS = 64
SHARE = 0.7
LEAST_REQUESTS = 100_000
GOAL_TIMES = 3.0
# Clients at 70 % of what a server can do wait for it a few ms.
OVERLOADED_MS = 50.0
# A worker that has left has nothing to do with what comes later.
AFTER_S = 0.1

Span = tuple[float, float]


def run(options: Options) -> bool:
    """What clients lose, and wait, while workers are replaced under load."""
    maximum = statistics.median(maximum_of(options) for _ in range(3))
    rate = SHARE * maximum
    print(f"  {WORKERS} workers reach {maximum:,.0f} requests/s; the load is {rate:,.0f}/s, over")
    print(f"  {CONNECTIONS} connections, from processes on other cores")
    seconds = options.seconds(15, 60)
    times = 3 if options.quick else 10
    retire = str(max(1000, int(rate * seconds / WORKERS / times)))
    kinds: list[Kind] = [
        Kind("SIGHUP", (), replaced(signal.SIGHUP)),
        Kind("SIGHUP, --preload", ("--preload",), replaced(signal.SIGHUP)),
        Kind("SIGUSR2", (), replaced(signal.SIGUSR2)),
        Kind(f"--max-requests {retire}", ("--max-requests", retire), retired),
    ]
    verdicts = [one(options, kind, rate, seconds, times) for kind in kinds]
    return all(verdicts)


@dataclass
class Kind:
    """A way to replace workers: `happen` does it so often in so long; spans of time it took."""

    name: str
    flags: tuple[str, ...]
    happen: Callable[[Fleet, float, int], list[Span]]


def one(options: Options, kind: Kind, rate: float, seconds: int, times: int) -> bool:
    clients = other_cores(WORKERS).clients
    with fleet(WORKERS, *kind.flags, cores=first_cores(WORKERS)) as server:
        began = time.monotonic()
        load = Running(server.port, rate, seconds, connections=CONNECTIONS, cores=clients)
        try:
            spans = kind.happen(server, seconds, times)
            seen = load.wait()
        finally:
            load.end()
    return tell(options, kind.name, seen, began, spans)


def replaced(which: signal.Signals) -> Callable[[Fleet, float, int], list[Span]]:
    def happen(server: Fleet, seconds: float, times: int) -> list[Span]:
        began = time.monotonic()
        spans = []
        for number in range(times):
            # The last one begins early enough to end within the load.
            time.sleep(max(0.0, began + 1.5 + (seconds - 4) * number / times - time.monotonic()))
            moment = server.signal(which)
            server.wait_for("reloaded", after=moment)
            gone = server.wait_for("has left", after=moment, count=WORKERS).at
            spans.append((moment, gone + AFTER_S))
        return spans

    return happen


def retired(server: Fleet, seconds: float, times: int) -> list[Span]:
    began = time.monotonic()
    time.sleep(seconds)
    log = list(server.log)
    readies = [entry.at for entry in log if "is ready" in entry.text and entry.at > began]
    gone = [entry.at for entry in log if "has left" in entry.text and entry.at > began]
    return [(at - 0.5, end + AFTER_S) for at, end in zip(readies, gone, strict=False)]


def tell(options: Options, name: str, seen: Steady, began: float, spans: list[Span]) -> bool:
    ends = [began + 1.0, *(end for _, end in spans)]
    begins = [*(begin for begin, _ in spans), float("inf")]
    calm_spans = list(zip(ends, begins, strict=True))  # the first second is everybody's warm-up
    calm, busy = seen.quantile(0.99, calm_spans), seen.quantile(0.99, spans)
    total = seen.answered + sum(kind != "status" for _, kind in seen.failures)
    print()
    table(
        [name, "times", "requests", "failed", "p99 calm ms", "p99 then ms", "p99.9 then", "worst"],
        [
            [
                "",
                len(spans),
                total,
                len(seen.failures),
                f"{calm:.1f}",
                f"{busy:.1f}",
                f"{seen.quantile(0.999, spans):.1f}",
                f"{seen.quantile(1.0):.1f}",
            ]
        ],
    )
    print(
        f"  {seen.connections:,} connections, {seen.idle_closed:,} of them closed while idle",
        end="",
    )
    print(
        f"; a request waited {seen.behind_ms:.0f} ms at the most for an idle one; clients used "
        f"{seen.cpu_share:.0%} of a core each"
    )
    if seen.failures:
        print(f"  failed: {seen.kinds}")
    is_right = verdict("no request failed", not seen.failures)
    if not options.quick:
        is_right &= verdict(
            f"{total:,} requests (goal: {LEAST_REQUESTS:,})", total >= LEAST_REQUESTS
        )
    if calm > OVERLOADED_MS:
        print(f"  with {calm:.0f} ms even in the calm the machine cannot answer at this rate:")
        print("  such a p99 says nothing")
        return False
    text = f"p99 of {busy / calm:.1f} times the calm one (goal: {GOAL_TIMES:g} or less)"
    return verdict(text, busy <= GOAL_TIMES * calm) and is_right


def maximum_of(options: Options) -> float:
    with fleet(WORKERS, cores=first_cores(WORKERS)) as server:
        cores = other_cores(WORKERS)
        wrk.run(server.url("/"), cores, connections=CONNECTIONS, seconds=1)
        seconds = options.seconds(2, 5)
        return wrk.run(server.url("/"), cores, connections=CONNECTIONS, seconds=seconds).rate
