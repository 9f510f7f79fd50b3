"""`--photon-seed`: the seed of a run, those of its tests, and how a failure is repeated.

Imports nothing of the rest: pytest has it whether or not somebody wants a seed.
"""

from __future__ import annotations

import shlex
from hashlib import sha256
from random import SystemRandom

_SEEDS = 2**32


def seed_of_run(text: str) -> int:
    """The seed that a number, or the word "random", stands for.   Raises: ValueError."""
    if text == "random":
        return SystemRandom().randrange(_SEEDS)
    # Not all that int() takes: signs, blanks and digits of other scripts are mistakes here.
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise ValueError(f"{text!r} is no seed: it is a whole number from 0 on, or the word random")
    return int(text)


def seed_of_test(seed: int, node_id: str) -> int:
    """The seed of one test in a run; the same in every process, and wherever pytest is started.

    Args: node_id: as pytest's; its folders do not count, since they depend on the root directory.
    """
    path, separator, names = node_id.partition("::")
    text = f"{seed} {path.rpartition('/')[2]}{separator}{names}"
    return int.from_bytes(sha256(text.encode("utf-8", "surrogatepass")).digest()[:8], "big")


def way_to_repeat(node_id: str, seed: int) -> str:
    """The command line that runs one test in the same order again."""
    return f"pytest {shlex.quote(node_id)} --photon-seed={seed}"
