"""What others wait for while one route keeps the hub of its worker from moving."""

import http.client
import json
import threading
import time

from loadtests.apps.photon_workers import hopeless
from loadtests.process import HOST
from loadtests.steady import Running
from loadtests.workers.fleet import Fleet, fleet
from loadtests.workers.options import Options
from loadtests.workers.telling import table, verdict

WORKERS = 4
CONNECTIONS = 64
RATE = 1000
NEW_RATE = 200
GOAL_MS = 100.0
GRIP_S = 4.0


def run(options: Options) -> bool:
    """What others wait for while one route keeps the hub of its worker from moving."""
    block_s = options.seconds(3, 5)
    print(f"  {WORKERS} workers; {RATE:,} requests/s over {CONNECTIONS} connections that are kept,")
    print(f"  and {NEW_RATE} over new ones; nobody is bound to a core")
    grip = f"/grip/{letters_for(GRIP_S)}"
    is_right = one("a C call that releases the GIL", "/block", block_s)
    return one("a C call that holds the GIL", grip, block_s) and is_right


def one(name: str, path: str, block_s: float) -> bool:
    with fleet(WORKERS, variables={"WORKERS_BLOCK_S": str(block_s)}) as server:
        seconds = block_s + 8
        kept = Running(server.port, RATE, seconds, connections=CONNECTIONS, processes=1)
        new = Running(
            server.port, NEW_RATE, seconds, connections=CONNECTIONS, processes=1, path="/once"
        )
        try:
            time.sleep(2)
            began = time.monotonic()
            ask(server, path)
            ended = time.monotonic()
            loads = [("kept", kept.wait()), ("new each time", new.wait())]
        finally:
            kept.end()
            new.end()
        found = [entry for entry in server.log if began <= entry.at]
    during = [(began, ended)]
    rows = [
        [
            f"connections {which}",
            sum(began <= at < ended for at, _ in seen.latencies),
            *(f"{seen.quantile(share, during):.1f}" for share in (0.5, 0.99, 0.999)),
            sum(began <= at < ended and ms > GOAL_MS for at, ms in seen.latencies),
            len(seen.failures),
        ]
        for which, seen in loads
    ]
    print()
    header = ["others", "p50 ms", "p99 ms", "p99.9 ms", f"over {GOAL_MS:g} ms", "failed"]
    table([f"{name}, for {ended - began:.1f} s", *header], rows)
    print("  who waits is on a connection that the blocked worker had already")
    named = [entry for entry in found if names(path, entry.record)]
    told = next((e.text for e in named), next((e.text for e in found), "nothing at all"))
    print(f"  the log says: {told.splitlines()[0][:150]}")
    is_right = verdict("the log names the route, or its code", bool(named))
    for which, seen in loads:
        p99 = seen.quantile(0.99, during)
        text = f"connections {which}: p99 of {p99:.1f} ms (goal: below {GOAL_MS:g})"
        is_right &= verdict(text, p99 < GOAL_MS and not seen.failures)
    return is_right


def names(path: str, record: dict[str, object]) -> bool:
    word = path.split("/")[1]
    return f"/{word}" in json.dumps(record) or "photon_workers.py" in json.dumps(record)


def ask(server: Fleet, path: str) -> None:
    """Have it blocked, on a connection of its own, and wait until that is over."""

    def get() -> None:
        connection = http.client.HTTPConnection(HOST, server.port, timeout=60)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()

    thread = threading.Thread(target=get)
    thread.start()
    thread.join()


def letters_for(seconds: float) -> int:
    """With how many the hopeless pattern takes about so long; each doubles it."""
    letters = 16
    while True:
        began = time.perf_counter()
        hopeless(letters)
        took = time.perf_counter() - began
        if took > seconds / 48:
            break
        letters += 1
    while took < seconds / 1.5:
        took *= 2
        letters += 1
    return letters
