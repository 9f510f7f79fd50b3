"""What a further worker takes of the machine's memory."""

import statistics
from pathlib import Path

from loadtests import wrk
from loadtests.process import family
from loadtests.workers.fleet import fleet
from loadtests.workers.options import Options, first_cores, other_cores
from loadtests.workers.telling import table, verdict

GOAL_MIB = 22.0
FEW, MANY = 2, 6
KINDS = ("Rss", "Pss", "Private_Clean", "Private_Dirty")


def run(options: Options) -> bool:
    """What a further worker takes of the machine's memory."""
    rows = []
    further = {}
    for flags in ((), ("--preload",)):
        few, _ = measured(options, FEW, flags)
        many, workers = measured(options, MANY, flags)
        name = "with --preload" if flags else "without"
        further[name] = (many - few) / (MANY - FEW)
        rows.append([name, f"{further[name]:.1f}", *workers, f"{many:.1f}"])
    header = ["MiB", "a further worker", "its USS", "its PSS", "its RSS", f"all {MANY} + 1, PSS"]
    table(header, rows)
    print(f"  a further worker: what all processes have with {MANY} workers more than with {FEW}")
    print("  (proportional: a page that n processes share counts 1/n in each), for each of them;")
    print("  USS, PSS, RSS: the median worker, after some thousand requests")
    text = f"{further['with --preload']:.1f} MiB with --preload (goal: {GOAL_MIB:g} or less)"
    return verdict(text, further["with --preload"] <= GOAL_MIB)


def measured(options: Options, count: int, flags: tuple[str, ...]) -> tuple[float, list[str]]:
    """MiB of all processes together, proportional; and USS, PSS and RSS of the median worker."""
    with fleet(count, *flags, cores=first_cores(FEW)) as server:
        seconds = options.seconds(1, 5)
        wrk.run(server.url("/"), other_cores(FEW), connections=16 * count, seconds=seconds)
        pids = family(server.pid)
        found = [memory_of(pid) for pid in pids]
    workers = found[1:]
    uss = [each["Private_Clean"] + each["Private_Dirty"] for each in workers]
    medians = [uss, [each["Pss"] for each in workers], [each["Rss"] for each in workers]]
    return sum(each["Pss"] for each in found), [f"{statistics.median(m):.1f}" for m in medians]


def memory_of(pid: int) -> dict[str, float]:
    """MiB of one process, by kind. Linux only."""
    found = dict.fromkeys(KINDS, 0.0)
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0]) / 1024
    return found
