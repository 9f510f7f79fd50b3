"""Carriers: pooled greenlets that run one job after another.

A new greenlet costs 10 us and a 16 KiB stack chunk, a switch into one that exists 0.7 us. So no
greenlet is made per request, and hardly one is switched into: jobs that are ready wait in a queue,
and before the loop polls again one carrier works through all of it. Only if a job waits does the
hub take another carrier for the rest; the first ends its job when it is woken, and goes back to
the pool.

    loop ── append ──▶ ready ──▶ carrier: job, job, job …  ──▶ idle
                         ▲           └─ one of them waits ──▶ parked, later idle
                         └── the hub hands the rest to the next carrier

The barrier is here: whatever a job raises, SystemExit and KeyboardInterrupt too (which gevent
would pass to the main greenlet, ending the process), ends at the carrier and is reported once.

A cancel that was meant for a job must never reach the next one on the same carrier. Whoever wants
to interrupt keeps the job, not only the carrier, and goes through `interrupt`, which compares.
"""

from __future__ import annotations

import logging
from collections import deque
from contextvars import Context
from typing import Any, Protocol

from greenlet import GreenletExit, greenlet

from photon.runtime.clock import now

logger = logging.getLogger("photon.runtime")


# Of what was submitted so much is started before the loop looks at sockets and timers again: less,
# where that takes longer than a round should.
_ROUND_JOBS = 128
_ROUND_S = 0.005


class Job(Protocol):
    """Something to do on a carrier."""

    def run(self) -> object:
        """Do it. Called again, each time in a fresh context, as long as it returns true."""
        ...

    def on_parked(self, carrier: Carrier) -> None:
        """It waits for the first time: from here on it can be interrupted. Called in the hub."""
        ...


class Carrier(greenlet):
    """A greenlet that runs ready jobs until one of them waits or none is left.

    Attributes:
        job: what it runs, None when idle.
        cancel_scope: the innermost one that it is in.
        has_waited: whether a job of this round did.
        is_called: whether the pool wants it; an idle one does not listen to anybody else.
    """

    __slots__ = ("cancel_scope", "has_waited", "is_called", "job", "pool", "turn")

    def __init__(self, pool: Carriers) -> None:
        super().__init__(parent=pool.hub)
        self.pool = pool
        self.job: Job | None = None
        self.turn = 0
        self.cancel_scope: Any = None
        self.has_waited = False
        self.is_called = False

    def run(self) -> None:
        pool = self.pool
        ready = pool.ready
        next_job = ready.popleft
        park = greenlet.switch.__get__(pool.hub)
        try:
            while True:
                # Once it has waited it was woken by somebody who does not know of the queue.
                while ready and not self.has_waited:
                    self.job = job = next_job()
                    try:
                        self.turn += 1
                        while Context().run(job.run):
                            self.turn += 1
                    except BaseException as error:
                        pool.on_panic(job, error)
                # What an idle carrier holds would live as long as it idles.
                self.job = job = None  # type: ignore[assignment]
                self.has_waited = False
                if len(pool.idle) >= pool.max_idle:
                    break
                pool.idle.append(self)
                self.is_called = False
                while not self.is_called:
                    try:
                        park()
                    except GreenletExit:
                        raise
                    except BaseException:
                        pass  # it was meant for a job that is over
        except GreenletExit:  # the pool is thrown away, as at the end of the process
            if self in pool.idle:
                pool.idle.remove(self)
        pool.all.discard(self)
        pool.turns_of_gone += self.turn

    def __repr__(self) -> str:
        return f"<Carrier {'idle' if self.job is None else f'running {self.job!r}'}>"


class Carriers:
    """The pool of one hub, and the queue of what is ready to run.

    Args:
        hub: gevent's hub of this thread.
        max_idle: carriers kept for reuse; an idle one holds about 8 KB. More may run at once.
    Attributes:
        ready: jobs to run before the loop polls again. The callbacks of io watchers may append to
            it; all others call `submit`.
        turns_of_gone: jobs that were run by carriers that are no more.
        idle: those that nobody needs now; all: these, and those that run a job or wait in one.
    """

    def __init__(self, hub: Any, max_idle: int = 1024) -> None:
        self.hub = hub
        self.max_idle = max_idle
        self.ready: deque[Job] = deque()
        self.idle: list[Carrier] = []
        self.all: set[Carrier] = set()
        self.turns_of_gone = 0
        self._submitted: deque[Job] = deque()
        self._timer: Any = None
        self._round_jobs = _ROUND_JOBS
        # libev runs prepare watchers after the callbacks of one poll and before the next.
        self._before_poll = hub.loop.prepare(ref=False)
        self._before_poll.start(self._work)

    def submit(self, job: Job) -> None:
        """Run `job` on a carrier, soon. From this thread, the hub included."""
        # By a timer, not into the queue at once: jobs that submit jobs would keep the loop from
        # polling, and callbacks that add callbacks would, too.
        self._submitted.append(job)
        if self._timer is None:
            self._start_timer()

    def _start_timer(self) -> None:
        self._timer = self.hub.loop.timer(0.0)
        self._timer.start(self._start_submitted, update=True)

    def _start_submitted(self) -> None:
        self._timer.close()
        self._timer = None
        submitted = self._submitted
        for _ in range(min(len(submitted), self._round_jobs)):
            self.ready.append(submitted.popleft())
        if submitted:
            self._start_timer()
        began = now()
        self._work()
        took = now() - began
        if took > _ROUND_S:
            self._round_jobs = max(1, int(self._round_jobs * _ROUND_S / took))
        elif self._round_jobs < _ROUND_JOBS:
            self._round_jobs = min(_ROUND_JOBS, self._round_jobs * 2)

    def _work(self) -> None:
        """In the hub: run what is ready."""
        ready = self.ready
        while ready:
            carrier = self.idle.pop() if self.idle else self._make()
            carrier.is_called = True
            carrier.switch()
            job = carrier.job
            if job is not None:
                carrier.has_waited = True
                job.on_parked(carrier)

    def _make(self) -> Carrier:
        carrier = Carrier(self)
        self.all.add(carrier)
        return carrier

    @property
    def busy(self) -> int:
        """How many run a job, or wait in one."""
        return len(self.all) - len(self.idle)

    @property
    def jobs_run(self) -> int:
        """How many jobs were begun so far: requests, and a few others."""
        return self.turns_of_gone + sum(carrier.turn for carrier in self.all)

    def interrupt(self, carrier: Carrier, job: Job, error: BaseException) -> bool:
        """Raise `error` where `job` waits; False when the carrier has gone on to another job.

        Only in the hub: every greenlet is parked then, so the error arrives at a waiting call.
        """
        if carrier.job is not job:
            return False
        scope = carrier.cancel_scope
        if scope is None or not scope.puts_off(error):
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
        """Counts: `made` (alive), `busy` (in a job), `idle` (kept for reuse), `ready` (jobs)."""
        return {
            "made": len(self.all),
            "busy": self.busy,
            "idle": len(self.idle),
            "ready": len(self.ready) + len(self._submitted),
        }

    def __repr__(self) -> str:
        return f"<Carriers busy={self.busy} idle={len(self.idle)} ready={len(self.ready)}>"
