"""How long and how often, and which cores are whose."""

import os
import sys
from dataclasses import dataclass

from loadtests.machine import Cores


@dataclass(frozen=True)
class Options:
    """`quick`: only to see that it works; `rounds`: how often what is compared is measured."""

    quick: bool
    rounds: int

    def seconds(self, quick: int, full: int) -> int:
        return quick if self.quick else full


def first_cores(count: int) -> frozenset[int] | None:
    """For a server of so many workers; None where nobody can be bound to a core."""
    if sys.platform != "linux":
        return None
    return frozenset(sorted(os.sched_getaffinity(0))[:count])


def other_cores(count: int) -> Cores:
    """For its clients: all others; all, if none is left."""
    if sys.platform != "linux":
        return Cores(None, None)
    cores = sorted(os.sched_getaffinity(0))
    return Cores(None, frozenset(cores[count:] or cores))


def competing(count: int) -> str:
    """What is to be said of figures for which clients and server share cores; "" for nothing."""
    if sys.platform != "linux" or count < len(os.sched_getaffinity(0)):
        return ""
    return "clients on the same cores"
