"""What starting work beside the caller costs: spawn, nurseries, timers, periods.

    python -m loadtests.concurrency                       all of it, 3 minutes
    python -m loadtests.concurrency spawn nursery         microseconds, in this process
    python -m loadtests.concurrency timers --rounds 5     requests/s with 100,000 timers pending
    python -m loadtests.concurrency every --seconds 60    how `every(1)` drifts under load

The first two run on a core of their own and give the lowest of some rounds, since a machine can
only make a round slower. The other two need wrk. Exit code 1 if a goal is missed.
"""

import argparse
import gc
import http.client
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence

from loadtests import machine, wrk
from loadtests.machine import Cores
from loadtests.process import Running, StartFailed, exit_on_sigterm, running
from loadtests.servers import HERE, Server
from photon.runtime.greenlets import spawn
from photon.runtime.hub import current_hub
from photon.runtime.nursery import nursery
from photon.runtime.region import region_of

SPAWN_GOAL_US = 3.0
NURSERY_GOAL_US = 10.0
DRIFT_GOAL_MS = 10.0
# wrk's own figures differ by more than this from run to run; less is "nothing measurable".
TIMERS_GOAL = 0.97

ROUNDS = 10
TIMERS = 100_000

SERVER = Server(
    "photon",
    HERE,
    "photon run loadtests.apps.photon_timers:app --host 127.0.0.1 --port {port}",
    ("photon-web", "gevent", "greenlet"),
)
TICKING = Server(
    "photon", HERE, SERVER.arguments, SERVER.packages, environment=(("TIMERS_TICK", "1"),)
)


def nothing() -> None:
    pass


# In this process...


def spawns(options: argparse.Namespace, cores: Cores) -> bool:
    """A million functions that do nothing, from the call of `spawn` until the last one is over."""
    count = options.spawns // ROUNDS
    us: float = lowest({"spawn": lambda: spawn_many(count)})["spawn"] / count
    held = verdict(us, SPAWN_GOAL_US)
    print(f"spawn: {us:.2f} us each of {count * ROUNDS:,} (goal: {SPAWN_GOAL_US:g}): {held}")
    return us <= SPAWN_GOAL_US


def spawn_many(count: int) -> None:
    for _ in range(count - 1):
        spawn(nothing)
    spawn(nothing).join()
    left = region_of(current_hub()).statistics().alive
    assert left == 0, f"{left} of {count} are not over"


def nurseries(options: argparse.Namespace, cores: Cores) -> bool:
    """A nursery with three children that do nothing, beside three that are spawned and joined."""
    count = 20_000
    us = lowest(
        {
            "nursery": lambda: nurse_many(count),
            "spawned": lambda: spawn_threes(count),
            "empty": lambda: nurse_nobody(count),
        }
    )
    with_three, spawned, empty = (us[name] / count for name in ("nursery", "spawned", "empty"))
    above = with_three - spawned
    print(
        f"nursery: {with_three:.2f} us with 3 children, {empty:.2f} us without; 3 spawned and "
        f"joined {spawned:.2f} us; above that {above:.2f} us (goal: {NURSERY_GOAL_US:g}): "
        f"{verdict(above, NURSERY_GOAL_US)}"
    )
    return above <= NURSERY_GOAL_US


def nurse_many(count: int) -> None:
    for _ in range(count):
        with nursery() as children:
            children.spawn(nothing)
            children.spawn(nothing)
            children.spawn(nothing)


def nurse_nobody(count: int) -> None:
    for _ in range(count):
        with nursery():
            pass


def spawn_threes(count: int) -> None:
    for _ in range(count):
        handles = spawn(nothing), spawn(nothing), spawn(nothing)
        for handle in handles:
            handle.join()


def lowest(functions: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Microseconds of one call of each, the lowest of interleaved rounds."""
    gc.collect()
    gc.freeze()  # as `photon run` does
    gc.set_threshold(10_000, 20, 20)
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, fn in functions.items():
            began = time.perf_counter()
            fn()
            best[name] = min(best[name], (time.perf_counter() - began) * 1e6)
    return best


# With a server...


def timers(options: argparse.Namespace, cores: Cores) -> bool:
    """JSON requests with and without pending timers, in turn, a new process each time."""
    rates: dict[int, list[float]] = {0: [], TIMERS: []}
    for _ in range(options.rounds):
        for count, seen in rates.items():
            with running(SERVER, cores.server) as target:
                if count:
                    start_timers(target, count)
                load(target, cores, 1)
                result = load(target, cores, 4)
            if result.errors:
                print(f"timers: {count:,} pending: {result.errors}")
                return False
            seen.append(result.rate)
    without, with_them = (statistics.median(rates[count]) for count in (0, TIMERS))
    # Each round by itself as well: a machine that slows down slows both of a pair.
    pairs = statistics.median(b / a for a, b in zip(rates[0], rates[TIMERS], strict=True))
    holds = pairs >= TIMERS_GOAL
    print(
        f"timers: {without:,.0f} requests/s without, {with_them:,.0f} with {TIMERS:,} pending; "
        f"median of the {options.rounds} pairs {pairs:.3f} (goal: {TIMERS_GOAL:g} or more): "
        f"{'reached' if holds else 'MISSED'}"
    )
    return holds


def start_timers(target: Running, count: int) -> None:
    status, body = target.ask("POST", f"/timers/{count}", {}, None)
    if status != 200 or json.loads(body) != {"pending": count}:
        raise StartFailed(f"timers: {status} {body[:200]!r}")


def every(options: argparse.Namespace, cores: Cores) -> bool:
    """When `every(1)` ran, counted from its first run, while all of a core is asked of."""
    with running(TICKING, cores.server) as target:
        result = load(target, cores, options.seconds)
        ticks: list[float] = json.loads(target.ask("GET", "/ticks", {}, None)[1])
    if len(ticks) < options.seconds - 1:
        print(f"every: only {len(ticks)} runs in {options.seconds} s")
        return False
    off_ms = [(tick - ticks[0] - number) * 1000 for number, tick in enumerate(ticks)]
    # The first one may have been late itself: what counts is what comes on top, run by run.
    least = min(off_ms)
    late_ms = sorted(off - least for off in off_ms)
    drift = statistics.median(off_ms[-5:]) - statistics.median(off_ms[:5])
    holds = abs(drift) < DRIFT_GOAL_MS
    print(
        f"every: {len(ticks)} runs in {ticks[-1] - ticks[0]:.3f} s at {result.rate:,.0f} "
        f"requests/s; late p50 {statistics.median(late_ms):.1f} ms, max {late_ms[-1]:.1f} ms; "
        f"drift {drift:+.2f} ms (goal: less than {DRIFT_GOAL_MS:g}): "
        f"{'reached' if holds else 'MISSED'}"
    )
    return holds


def load(target: Running, cores: Cores, seconds: int) -> wrk.Result:
    return wrk.run(target.url("/json"), cores, connections=64, seconds=seconds)


def verdict(value: float, goal: float) -> str:
    return "reached" if value <= goal else "MISSED"


PARTS = {"spawn": spawns, "nursery": nurseries, "timers": timers, "every": every}


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    exit_on_sigterm()
    cores = machine.share_cores()
    for name, value in machine.describe(cores).items():
        print(f"{name:10}{value}")
    print()
    is_right = True
    for name in options.parts:
        in_process = name in ("spawn", "nursery")
        if not in_process and not wrk.is_installed():
            print(wrk.HOW_TO_INSTALL, file=sys.stderr)
            return 2
        before = os.sched_getaffinity(0) if sys.platform == "linux" else None
        if in_process and before and cores.server is not None:
            os.sched_setaffinity(0, {cores.server})
        try:
            is_right &= PARTS[name](options, cores)
        except (StartFailed, OSError, http.client.HTTPException) as error:
            print(f"{name}: {error}", file=sys.stderr)
            is_right = False
        finally:
            if before:
                os.sched_setaffinity(0, before)
        sys.stdout.flush()
    return 0 if is_right else 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.concurrency", description="What starting work costs."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (all)")
    parser.add_argument("--spawns", type=int, default=1_000_000, metavar="N", help="(1000000)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="of timers (5)")
    parser.add_argument("--seconds", type=int, default=60, metavar="N", help="of every (60)")
    options = parser.parse_args(arguments)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    options.parts = options.parts or list(PARTS)
    return options


if __name__ == "__main__":
    sys.exit(main())
