"""Handlers that wait until they are stopped, and note how late that was.

`timeout=` of the routes is in WAITING_TIMEOUT_S. A handler's clock begins with its first line; its
`finally` says how long after its deadline that ran, and by whom it was stopped. `/report` gives
what was noted since the last report.
"""

import os
import queue
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from photon import Cancelled, CancelScope, Photon
from photon.runtime.channel import open_channel
from photon.runtime.clock import now
from photon.runtime.sync import Lock

TIMEOUT_S = float(os.environ.get("WAITING_TIMEOUT_S", "5"))

app = Photon()

held = threading.Lock()
held.acquire()
own_held = Lock()
own_held.acquire()
empty: queue.Queue[int] = queue.Queue()
sender, receiver = open_channel[int](0)


def wait_for_socket() -> None:
    one, other = socket.socketpair()
    with one, other:
        one.recv(1)


WAITS: dict[str, Callable[[], Any]] = {
    "sleep": partial(time.sleep, 3600),
    "socket": wait_for_socket,
    "lock": held.acquire,
    "own-lock": own_held.acquire,
    "queue": empty.get,
    "channel": receiver.receive,
}


class Noted:
    """What happened since the last report."""

    def __init__(self) -> None:
        self.begun = 0
        self.late_ms: list[float] = []
        self.sources: Counter[str] = Counter()


noted = Noted()


def wait(kind: str, deadline: float) -> None:
    """Wait for what never comes, and note how it ended."""
    source = "nothing"
    noted.begun += 1
    try:
        WAITS[kind]()
    except Cancelled as cancelled:
        source = cancelled.source
        raise
    finally:
        noted.late_ms.append((now() - deadline) * 1000)
        noted.sources[source] += 1


@app.get("/wait/{kind}", timeout=TIMEOUT_S)
def wait_for_timeout(kind: str) -> None:
    wait(kind, now() + TIMEOUT_S)


@app.get("/until/{kind}")
def wait_until(kind: str, deadline: float) -> bool:
    """All of them at one moment, seconds on the runtime clock, by a scope."""
    with CancelScope(deadline=deadline) as scope:
        wait(kind, deadline)
    return scope.cancelled_caught


@app.get("/report")
def report() -> dict[str, Any]:
    global noted
    last, noted = noted, Noted()
    return {
        "begun": last.begun,
        "late_ms": sorted(last.late_ms),
        "sources": dict(last.sources),
        "waiting": {
            "lock": own_held.statistics(),
            "channel": receiver.statistics(),
        },
    }


@app.get("/now")
def tell_time() -> float:
    return now()


@app.get("/json")
def message() -> dict[str, str]:
    return {"message": "Hello, World!"}
