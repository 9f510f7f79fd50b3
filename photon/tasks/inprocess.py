"""The queue that needs nothing: its jobs run in this process, beside its requests.

It promises little. A job that was sent runs as soon as there is room, with the task's deadline,
its further attempts and its hook; what waits or runs when the process ends is lost, which is
logged. What must survive that belongs into one of the `adapters`, by no other change than the
queue's URL: arguments are read back here as they are there.
"""

from __future__ import annotations

import logging
from collections import Counter
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Never

from photon.runtime.clock import now
from photon.runtime.deadlines import Deadline
from photon.runtime.errors import RegionClosed, RegionFull
from photon.runtime.greenlets import spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub
from photon.runtime.patience import patience
from photon.runtime.region import region_of
from photon.tasks.queue import Call, WorkerSettings
from photon.tasks.queue_errors import QueueError, QueueFull
from photon.tasks.task import Job, run_job

if TYPE_CHECKING:
    from photon.tasks.registry import Tasks

logger = logging.getLogger("photon.tasks")

_MOST_NAMES = 20
_LOOK_AGAIN_S = 0.1


class InProcessQueue:
    """Runs jobs in the application's region, the most urgent of those that wait first.

    Args:
        concurrency: how many run at once.
        limit: how many may wait; `send` refuses what is beyond.
    """

    name = "in-process"

    def __init__(self, *, concurrency: int = 64, limit: int = 10_000) -> None:
        if concurrency < 1 or limit < 1:
            raise QueueError(f"concurrency is {concurrency} and limit {limit}; each is at least 1")
        self._concurrency = concurrency
        self._limit = limit
        self._numbers = count()
        self._waiting: list[tuple[int, int, Job]] = []
        self._later: dict[Job, tuple[Deadline, int]] = {}
        self._running: dict[Job, Handle[Job]] = {}

    def enqueue(self, call: Call) -> str:
        """Keep it in memory; runs once, if the process lives.

        Raises: QueueFull; QueueError; WrongThread.
        """
        if call.connection is not None:
            raise QueueError(
                "the queue of this process is no part of a transaction; connection= works with "
                "ProcrastinateQueue"
            )
        if len(self._waiting) + len(self._later) >= self._limit:
            raise QueueFull(
                f"{self._limit} jobs wait in this process already, so {call.task.name} was not "
                "enqueued"
            )
        hub = current_hub()
        region_of(hub)  # refuses a native thread: nobody would run what becomes due there
        args, kwargs = call.task.arguments.decode(call.arguments)
        job = Job(call.task, args, kwargs)
        if call.delay_s > 0:
            due = hub.deadlines.add(now() + call.delay_s, lambda: self._due(job))
            self._later[job] = (due, call.task.priority)
        else:
            self._wait_in_line(job, call.task.priority)
        return job.id

    def _due(self, job: Job) -> None:
        """In the hub."""
        _, priority = self._later.pop(job)
        self._wait_in_line(job, priority)

    def _wait_in_line(self, job: Job, priority: int) -> None:
        heappush(self._waiting, (-priority, next(self._numbers), job))
        self._start()

    def _start(self) -> None:
        while self._waiting and len(self._running) < self._concurrency:
            first = heappop(self._waiting)
            job = first[2]
            try:
                handle = spawn(self._run, job)
            except RegionClosed:
                heappush(self._waiting, first)  # `close` tells of it
                return
            except RegionFull:
                heappush(self._waiting, first)
                current_hub().deadlines.add(now() + _LOOK_AGAIN_S, self._start)
                return
            self._running[job] = job.handle = handle

    def _run(self, job: Job) -> Job:
        try:
            return run_job(job)
        finally:
            self._running.pop(job, None)
            self._start()

    def worker(self, tasks: Tasks, settings: WorkerSettings) -> Never:
        """It has none.   Raises: QueueError."""
        raise QueueError(
            "jobs run in the process that sends them, so there is nothing for a worker to do; "
            "give the application a queue that others can reach: Photon(queue='redis://...') or "
            "'postgresql://...', or set PHOTON_QUEUE"
        )

    def close(self, drain_s: float = 0.0, cancel_s: float = 3.0) -> int:
        """Wait for what waits and runs, then cut it off; what is not due yet is lost at once.

        Logs what was lost.   Returns: how many jobs that are.
        """
        lost = list(self._later)
        for due, _ in self._later.values():
            due.cancel()
        self._later.clear()
        with patience(drain_s):
            self._wait_until_over()
        lost += [job for _, _, job in self._waiting]
        self._waiting.clear()
        lost += self._running
        for job in lost:
            job.cancel("the application stops")
        with patience(cancel_s, for_cleanup=True):
            self._wait_until_over()
        if lost:
            names = Counter(job.name for job in lost).most_common(_MOST_NAMES)
            shown = ", ".join(f"{name} ({number})" for name, number in names)
            logger.warning("%d jobs are lost with this process: %s", len(lost), shown)
        return len(lost)

    def _wait_until_over(self) -> None:
        while self._running:
            job, handle = next(iter(self._running.items()))
            handle.join()
            self._running.pop(job, None)  # who was cancelled before it began does not do so itself

    def statistics(self) -> dict[str, int]:
        """Counts: jobs that are `running`, `waiting` for room, and to run `later`."""
        return {
            "running": len(self._running),
            "waiting": len(self._waiting),
            "later": len(self._later),
        }

    def __repr__(self) -> str:
        later = f", {len(self._later)} later" if self._later else ""
        return f"<InProcessQueue: {len(self._running)} run, {len(self._waiting)} wait{later}>"
