"""How evenly connections are spread over workers, and what that costs.

Those that are kept alive, idle and busy; and how many come and go in a second. The same with
workers that take whatever the kernel offers them.
"""

import socket
import statistics
import threading
import time
from contextlib import ExitStack

from loadtests import wrk
from loadtests.process import HOST
from loadtests.workers.fleet import KERNEL_ALONE, PHOTON, Fleet, fleet
from loadtests.workers.options import Options, competing, first_cores, other_cores
from loadtests.workers.telling import spread, table, verdict

WORKERS = 4
CONNECTIONS = 64
GOAL = 1.3
# What a worker shows of itself is no older than that.
FRESH_S = 0.1


def run(options: Options) -> bool:
    """How evenly connections are spread over workers, and what that costs."""
    rows, is_right = [], True
    rates: dict[str, list[float]] = {}
    for name, program in (("by room", PHOTON), ("the kernel alone", KERNEL_ALONE)):
        seen: dict[str, list[float]] = {"at once": [], "one by one": [], "wrk": []}
        counts: dict[str, list[int]] = {}
        rates[name] = []
        for _ in range(options.rounds):
            with fleet(WORKERS, cores=first_cores(WORKERS), program=program) as server:
                for way, pause_s in (("at once", 0.0), ("one by one", 0.01)):
                    counts[way] = opened(server, pause_s)
                    seen[way].append(unevenness(counts[way]))
                counts["wrk"] = under_wrk(server, options)
                seen["wrk"].append(unevenness(counts["wrk"]))
                rates[name].append(short_lived(server, options))
        for way, values in seen.items():
            rows.append([f"{way}, {name}", spread(values), " ".join(map(str, counts[way]))])
            if program is PHOTON:
                is_right &= max(values) <= GOAL
    table([f"{CONNECTIONS} connections, {WORKERS} workers", "most / mean", "the last time"], rows)
    verdict(f"never more than {GOAL:g} times the mean", is_right)
    print()
    rows = [[name, spread(values)] for name, values in rates.items()]
    table(["short-lived (Connection: close)", "requests/s"], rows)
    if competing(WORKERS):
        print(f"  {competing(WORKERS)} in all of this")
    return is_right


def unevenness(counts: list[int]) -> float:
    return max(counts) / max(statistics.mean(counts), 1 / len(counts))


def opened(server: Fleet, pause_s: float) -> list[int]:
    """Open connections that stay idle; how many each worker has, and then close them."""
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(socket.create_connection((HOST, server.port), 10))
            time.sleep(pause_s)
        found = counted(server)
    wait_until_all_are_gone(server)
    return found


def under_wrk(server: Fleet, options: Options) -> list[int]:
    url = server.url("/")
    seconds = options.seconds(2, 5)
    cores = other_cores(WORKERS)
    run = {"connections": CONNECTIONS, "seconds": seconds}
    thread = threading.Thread(target=wrk.run, args=(url, cores), kwargs=run)
    thread.start()
    # wrk gives each of its threads as many.
    found = counted(server, CONNECTIONS // cores.client_threads * cores.client_threads)
    thread.join()
    wait_until_all_are_gone(server)
    return found


def short_lived(server: Fleet, options: Options) -> float:
    return wrk.run(
        server.url("/"),
        other_cores(WORKERS),
        connections=CONNECTIONS,
        seconds=options.seconds(2, 5),
        headers={"Connection": "close"},
    ).rate


def counted(server: Fleet, wanted: int = CONNECTIONS) -> list[int]:
    """Connections of each worker, once so many have been accepted."""
    until = time.monotonic() + 5
    while True:
        time.sleep(FRESH_S)
        found = [worker["board"]["connections"] for worker in server.workers()]
        if sum(found) >= wanted or time.monotonic() > until:
            return found


def wait_until_all_are_gone(server: Fleet) -> None:
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if not any(worker["board"]["connections"] for worker in server.workers()):
            return
        time.sleep(FRESH_S)
