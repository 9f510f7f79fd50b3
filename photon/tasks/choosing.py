"""Which queue an application has: what it was given, what the environment says, or its own."""

from __future__ import annotations

import os

from photon.tasks.queue import Queue
from photon.tasks.queue_errors import QueueError

VARIABLE = "PHOTON_QUEUE"

_REDIS = ("redis", "rediss", "unix")
_POSTGRES = ("postgresql", "postgres")
_IN_PROCESS = "in-process"


def queue_of(given: Queue | str | None) -> Queue:
    """The queue itself, of a URL, or of PHOTON_QUEUE when nothing was given.

    Raises: QueueError, for what is no queue, or when its library is not installed.
    """
    if given is None:
        return _of_text(os.environ.get(VARIABLE) or _IN_PROCESS, VARIABLE)
    if isinstance(given, str):
        return _of_text(given, "queue")
    if not callable(getattr(given, "enqueue", None)):
        raise QueueError(
            f"queue is {given!r}; give a URL such as redis://localhost, or a queue such as "
            "DramatiqQueue(url)"
        )
    return given


def _of_text(text: str, what: str) -> Queue:
    scheme = text.partition(":")[0].lower()
    if text == _IN_PROCESS:
        from photon.tasks.inprocess import InProcessQueue

        return InProcessQueue()
    if scheme in _REDIS and "://" in text:
        from photon.tasks.adapters.dramatiq import DramatiqQueue

        return DramatiqQueue(text)
    if scheme in _POSTGRES and "://" in text:
        from photon.tasks.adapters.procrastinate import ProcrastinateQueue

        return ProcrastinateQueue(text)
    # The text itself may hold a password.
    raise QueueError(
        f"{what} begins with {scheme[:20]!r}; it is redis://... (dramatiq), postgresql://... "
        f"(procrastinate), or {_IN_PROCESS}"
    )
