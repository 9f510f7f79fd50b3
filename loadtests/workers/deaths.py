"""What is lost when a worker is killed under load, and for how long it is missed."""

import os
import signal
import time

from loadtests.steady import Running
from loadtests.workers.fleet import Fleet, fleet
from loadtests.workers.options import Options, first_cores, other_cores
from loadtests.workers.telling import table, verdict

WORKERS = 2
CONNECTIONS = 64
RATE = 3000
GOAL_S = 0.5
# Whose connection was cut sees it within this.
AT_ONCE_S = 0.25


def run(options: Options) -> bool:
    """What is lost when a worker is killed under load, and for how long it is missed."""
    seconds = options.seconds(8, 30)
    kills = 3 if options.quick else 10
    rows, deaths = [], []
    with fleet(WORKERS, cores=first_cores(WORKERS)) as server:
        load = Running(
            server.port,
            RATE,
            seconds,
            connections=CONNECTIONS,
            path="/",
            cores=other_cores(WORKERS).clients,
        )
        try:
            began = time.monotonic()
            for number in range(kills):
                time.sleep(max(0.0, began + 1 + (seconds - 2) * number / kills - time.monotonic()))
                deaths.append(killed(server))
            seen = load.wait()
        finally:
            load.end()
    others = list(seen.failures)
    for moment, inside, took_s in deaths:
        mine = [f for f in seen.failures if moment - 0.02 <= f[0] <= moment + AT_ONCE_S]
        others = [f for f in others if f not in mine]
        rows.append([f"{moment - began:.1f} s", inside, len(mine), f"{took_s:.3f}"])
    table(["killed at", "its connections", "requests that failed", "s until all are ready"], rows)
    print(f"  {seen.answered:,} answered at {RATE:,}/s; failures by kind: {seen.kinds or 'none'}")
    is_right = verdict(f"{len(others)} failed that were not inside one of them", not others)
    too_many = [row for row in rows if int(str(row[2])) > int(str(row[1]))]
    is_right &= verdict("never more than it had connections", not too_many)
    slowest = max(took_s for _, _, took_s in deaths)
    text = f"all workers are ready again after {slowest:.3f} s (goal: {GOAL_S:g} or less)"
    return verdict(text, slowest <= GOAL_S) and is_right


def killed(server: Fleet) -> tuple[float, int, float]:
    """Kill one; the moment, how many connections it had, and seconds until its successor serves."""
    victim = max(server.workers(), key=lambda worker: worker["board"]["connections"])
    moment = time.monotonic()
    os.kill(victim["pid"], signal.SIGKILL)
    ready = server.wait_for("is ready after", after=moment).at
    return moment, victim["board"]["connections"], ready - moment
