"""Carriers: pooled greenlets that run one job after another.

A new greenlet costs 10 us and a 16 KiB stack chunk; a carrier from the pool costs 0.8 us, the
fresh context and the barrier included. So no greenlet is made per request: the hub takes an idle
carrier, hands it a job and switches into it; when the job is over the carrier goes back by itself.

The barrier is here: whatever a job raises, SystemExit and KeyboardInterrupt too (which gevent
would pass to the main greenlet, ending the process), ends at the carrier and is reported once.

A cancel that was meant for a job must never reach the next one on the same carrier. Whoever wants
to interrupt keeps the job, not only the carrier, and goes through `interrupt`, which compares.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context
from typing import Any

from greenlet import GreenletExit, greenlet

logger = logging.getLogger("photon.runtime")

Job = Callable[[], object]
"""What a carrier runs: called again, each time in a fresh context, while it returns true."""


class Carrier(greenlet):
    """A greenlet that runs the job it is given, goes back to its pool, and waits for the next."""

    __slots__ = ("job", "pool")

    def __init__(self, pool: Carriers) -> None:
        super().__init__(parent=pool.hub)
        self.pool = pool
        self.job: Job | None = None

    def run(self, job: Job) -> None:
        pool = self.pool
        idle = pool.idle
        park = greenlet.switch.__get__(pool.hub)
        try:
            while True:
                try:
                    while Context().run(job):
                        pass
                except BaseException as error:
                    pool.on_panic(job, error)
                # What an idle carrier holds would live as long as it idles.
                job = self.job = None  # type: ignore[assignment]
                if len(idle) >= pool.max_idle:
                    break
                idle.append(self)
                job = park()
        except GreenletExit:
            pass  # the pool is thrown away, as at the end of the process
        pool.made -= 1

    def __repr__(self) -> str:
        return f"<Carrier {'idle' if self.job is None else f'running {self.job!r}'}>"


class Carriers:
    """The pool of one hub.

    Args:
        hub: gevent's hub of this thread.
        max_idle: carriers kept for reuse; an idle one holds about 8 KB. More may run at once.
    """

    def __init__(self, hub: Any, max_idle: int = 1024) -> None:
        self.hub = hub
        self.max_idle = max_idle
        self.idle: list[Carrier] = []
        self.made = 0

    def run(self, job: Job) -> Carrier:
        """Run `job` on a carrier, at once; returns when it is done or waits. Only in the hub."""
        carrier = self.idle.pop() if self.idle else self.make()
        carrier.job = job
        carrier.switch(job)
        return carrier

    def make(self) -> Carrier:
        """A carrier that has not run yet."""
        self.made += 1
        return Carrier(self)

    @property
    def busy(self) -> int:
        """How many run a job, or wait in one."""
        return self.made - len(self.idle)

    def interrupt(self, carrier: Carrier, job: Job, error: BaseException) -> bool:
        """Raise `error` where `job` waits; False when the carrier has gone on to another job.

        Only in the hub: every greenlet is parked then, so the error arrives at a waiting call.
        """
        # Equal, not identical: two looks at a bound method give two equal objects.
        if carrier.job != job:
            return False
        carrier.throw(error)
        return True

    def on_panic(self, job: Job, error: BaseException) -> None:
        """What a job let through: it is logged, and ends here."""
        try:
            logger.error("a job failed: %r", job, exc_info=error)
        except BaseException:
            # A logger that fails (a full disk, a broken handler) must not take the carrier along.
            pass

    def statistics(self) -> dict[str, int]:
        """Counts: `made` (alive), `busy` (running a job) and `idle` (kept for reuse)."""
        return {"made": self.made, "busy": self.busy, "idle": len(self.idle)}

    def __repr__(self) -> str:
        return f"<Carriers busy={self.busy} idle={len(self.idle)}>"
