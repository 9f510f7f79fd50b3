"""An application whose jobs the tests of the engines send, and that a worker process runs.

What its jobs do stands in the log: the tests read the worker's stderr.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import msgspec

from photon.http.request import Request
from photon.http.response import Response
from photon.tasks.queue import Queue
from photon.tasks.registry import Tasks
from photon.tasks.task import Job, current_job

log = logging.getLogger("engine_app")


class Order(msgspec.Struct):
    id: UUID
    when: date


def add(a: int, b: int = 2) -> int:
    log.info("added %d", a + b)
    return a + b


def deliver(order: Order, *, note: str | None = None) -> None:
    log.info("delivers %s on %s, %s", order.id, order.when.isoformat(), note)


def flaky(works_at: int) -> None:
    job = current_job()
    assert job is not None
    if job.attempt < works_at:
        raise ConnectionError("not yet")
    log.info("attempt %d of %s works", job.attempt, job.id)


def hang(seconds: float = 60.0) -> None:
    log.info("hangs")
    try:
        time.sleep(seconds)
    finally:
        log.info("cleaned up")
    log.info("slept")


def chain(a: int) -> None:
    """Send another job."""
    task = app.tasks.get("add")
    assert task is not None
    task.send(a)


def exits() -> None:
    raise SystemExit(3)


def compute(seconds: float) -> None:
    """Let nobody else in."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass
    log.info("computed")


def on_failure(job: Job, error: BaseException) -> None:
    log.info("hook: %s, %d attempts, %s", job.name, job.attempt, type(error).__name__)


def register(tasks: Tasks) -> Tasks:
    """The functions as tasks; senders and worker agree on names."""
    tasks.task(name="add")(add)
    tasks.task(name="urgent", priority=5)(add)
    tasks.task(name="other", queue="other")(add)
    tasks.task(name="deliver")(deliver)
    tasks.task(name="flaky", retries=2, backoff=0.001, on_failure=on_failure)(flaky)
    tasks.task(name="hang")(hang)
    tasks.task(name="limited", timeout=0.1, on_failure=on_failure)(hang)
    tasks.task(name="chain")(chain)
    tasks.task(name="exits", on_failure=on_failure)(exits)
    tasks.task(name="compute")(compute)
    return tasks


def make_queue() -> Queue | str | None:
    """By PHOTON_QUEUE; with TEST_REDELIVERY_S seconds of patience for a dead worker."""
    redelivery_s = os.environ.get("TEST_REDELIVERY_S")
    if redelivery_s is None:
        return None
    url = os.environ["PHOTON_QUEUE"]
    if url.startswith("postgresql"):
        from photon.tasks.adapters.procrastinate import ProcrastinateQueue

        return ProcrastinateQueue(url, redelivery_s=float(redelivery_s))
    from photon.tasks.adapters.dramatiq import DramatiqQueue

    return DramatiqQueue(url, redelivery_s=float(redelivery_s))


class App:
    """As much of an application as a worker needs."""

    def __init__(self) -> None:
        self.tasks = register(Tasks(make_queue()))

    def __call__(self, request: Request) -> Response:
        return Response.text("nobody asks")

    @contextmanager
    def running(self) -> Iterator[None]:
        log.info("the lifespan began")
        yield
        log.info("the lifespan ended")


app = App()
