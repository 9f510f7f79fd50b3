"""Helpers of a supervisor: children that are no workers, such as one that watches files.

The supervisor has no threads and imports little; what needs threads, or may hang, is done in a
child of its own, which tells it what it finds through a pipe.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import Any

from gevent import monkey

from photon.runtime.workers.forking import fork

sleep_natively: Callable[[float], None] = monkey.get_original("time", "sleep")
"""Stops the whole process, as `time.sleep` did before the patch."""


def fork_helper(work: Callable[[], object], *, close: Iterable[Any] = ()) -> int:
    """Fork a child that does `work`, and ends with it. In the child this never returns.

    Args: close: what the child must not hold open: has `close()`.
    Returns: its pid.   Raises: OSError, when there can be no more processes.
    """
    pid = fork()
    if pid:
        return pid
    code = 1
    try:
        for each in close:
            each.close()
        work()
        code = 0
    except BrokenPipeError:
        code = 0  # nobody wants to know any more
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            sys.stderr.flush()
        finally:
            os._exit(code)
    raise AssertionError("unreachable")
