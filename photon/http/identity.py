"""Names for requests: short, unique over processes and restarts, in order within a process."""

from __future__ import annotations

import os
from itertools import count

_numbers = count(1)
_prefix: tuple[int, str] = (0, "")


def new_request_id() -> str:
    """Such as "k3v9q2tx-15": eight random characters of this process, and a number."""
    global _prefix
    pid = os.getpid()
    if _prefix[0] != pid:  # also in a child after a fork
        _prefix = (pid, os.urandom(5).hex()[:8])
    return f"{_prefix[1]}-{next(_numbers)}"
