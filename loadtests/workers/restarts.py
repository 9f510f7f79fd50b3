"""Whether a supervisor is as small after ten thousand deaths of workers as after the first.

    python -m loadtests.workers.restarts 10000

is the supervisor: its workers live for a second (one that lives shorter is started ever later) and
end in whatever way, and it prints what it holds, as JSON, from time to time.
"""

import json
import logging
import os
import resource
import signal
import subprocess
import sys
import time

from gevent import monkey

from loadtests.servers import ROOT
from loadtests.workers.options import Options
from loadtests.workers.telling import table, verdict
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.process import Post
from photon.runtime.workers.supervisor import Supervisor

SLOTS = 160
LIFE_S = 1.25
GOAL_BYTES = 1024 * 1024
LONGEST_S = 240

_sleep = monkey.get_original("time", "sleep")


def run(options: Options) -> bool:
    """Whether a supervisor is as small after ten thousand deaths of workers as after the first."""
    total = 1000 if options.quick else 10_000
    command = [sys.executable, "-m", "loadtests.workers.restarts", str(total)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LONGEST_S + 60
    )
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or len(seen) < 2:
        print(f"  it ended with exit code {done.returncode}: {done.stderr[-2000:]}")
        return False
    table(
        ["restarts", "RSS MiB", "descriptors", "workers", "rows", "seconds", "CPU s"],
        [
            [
                each["restarts"],
                f"{each['rss'] / 2**20:.2f}",
                each["descriptors"],
                each["workers"],
                each["rows"],
                f"{each['seconds']:.0f}",
                f"{each['cpu_s']:.1f}",
            ]
            for each in seen
        ],
    )
    first, last = seen[0], seen[-1]
    print(f"  {SLOTS} workers that live for {LIFE_S:g} s and end by exit 0, exit 1 or SIGKILL")
    is_right = verdict(
        f"{last['restarts']:,} restarts (goal: {total:,})", last["restarts"] >= total
    )
    grown = last["rss"] - first["rss"]
    text = f"{grown / 1024:+,.0f} KiB since {first['restarts']:,} (goal: 1 MiB or less)"
    is_right &= verdict(text, grown <= GOAL_BYTES)
    return verdict("no descriptor more", last["descriptors"] <= first["descriptors"]) and is_right


# The supervisor...


def live_and_die(post: Post) -> int:
    post.link.last_words({"tell": "ready", "budget_s": 1})
    _sleep(LIFE_S)
    if os.getpid() % 3 == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid() % 3 - 1


def supervise(total: int) -> None:
    logging.disable(logging.CRITICAL)
    fleet = Fleet(SLOTS)
    supervisor = Supervisor(fleet, live_and_die)
    marks = [total // 10, *(total * n // 4 for n in (1, 2, 3)), total]
    began = time.monotonic()

    def on_tick(now: float) -> None:
        if fleet.is_stopping:
            return
        if marks and fleet.restarts >= marks[0]:
            marks.pop(0)
            tell(supervisor, now - began)
        if not marks or now - began > LONGEST_S:
            supervisor.stop()

    supervisor.on_tick(on_tick)
    supervisor.run()


def tell(supervisor: Supervisor, seconds: float) -> None:
    with open("/proc/self/statm", "rb") as file:
        rss = int(file.read().split()[1]) * resource.getpagesize()
    own = resource.getrusage(resource.RUSAGE_SELF)
    seen = {
        "restarts": supervisor.fleet.restarts,
        "rss": rss,
        "descriptors": len(os.listdir("/proc/self/fd")) - 2 * len(supervisor.wires),
        "workers": len(supervisor.fleet.members),
        "rows": max(member.row for member in supervisor.fleet.members.values()) + 1,
        "seconds": seconds,
        "cpu_s": own.ru_utime + own.ru_stime,
    }
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    supervise(int(sys.argv[1]))
