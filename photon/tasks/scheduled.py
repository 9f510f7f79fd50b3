"""`ScheduledTask`: a function with its schedule, the runs of it that go on, and those that were.

due ──▶ offer ──▶ free, or they may overlap ──▶ launch ──▶ elected ──▶ run_job
             └──▶ one goes on: skip it, or let it wait
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from msgspec import Struct

from photon.runtime.cancel import fail_after
from photon.runtime.clock import wall
from photon.runtime.errors import Cancelled, RegionClosed, RegionFull
from photon.runtime.greenlets import sleep
from photon.runtime.guarding import brief
from photon.tasks.cron import Cron
from photon.tasks.errors import ElectionError
from photon.tasks.periods import spoken
from photon.tasks.schedule import Every, Missed, OncePer, Overlap
from photon.tasks.settings import TaskSettings
from photon.tasks.task import Job, Started, Task, fail_job, run_job

if TYPE_CHECKING:
    from photon.tasks.election import Elector, Release

P = ParamSpec("P")
T = TypeVar("T")

logger = logging.getLogger("photon.tasks")

# How long one is waited for who decides among workers, and how often is asked again whether a run
# of another worker is over.
ELECTION_S = 30.0
_AGAIN_S = 1.0


class Spawner(Protocol):
    """A region, or what is like one."""

    def spawn(self, fn: Callable[..., Any], /, *args: Any) -> Started: ...


class Run(Struct, frozen=True, kw_only=True):
    """A run that is over. Attributes: due, started_at: Unix seconds; outcome: the job's state."""

    id: str
    due: float | None
    started_at: float | None
    duration_s: float | None
    outcome: str
    attempts: int
    error: str


class TaskStatistics(Struct, frozen=True, kw_only=True):
    """Counts of runs. `running` and `waiting` are now, the others since the start.

    Attributes:
        skipped: were due while another one went on; missed: were due while nothing ran.
        elsewhere: another worker did them.
    """

    running: int
    waiting: int
    done: int
    failed: int
    timed_out: int
    cancelled: int
    skipped: int
    missed: int
    elsewhere: int


class ScheduledTask:
    """A function that runs again and again.

    Attributes:
        task: the function, its name and options.
        schedule: when it is due.
        overlap, missed, once_per: see `Scheduler.every` and `Scheduler.cron`.
        next_due: the next run, Unix seconds; None when the scheduler does not run, or never.
        running: the runs that go on; history: the last ones that are over, the newest last.
    """

    def __init__(
        self,
        task: Task[..., Any],
        schedule: Every | Cron,
        settings: TaskSettings,
        *,
        overlap: Overlap = "skip",
        missed: Missed = "skip",
        once_per: OncePer = "worker",
    ) -> None:
        self.task = task
        self.schedule = schedule
        self.overlap = overlap
        self.missed = missed
        self.once_per = once_per
        self.next_due: float | None = None
        self.running: list[Job] = []
        self.history: deque[Run] = deque(maxlen=settings.history)
        self.is_cancelled = False
        self.on_cancel: Callable[[ScheduledTask], object] | None = None
        self._settings = settings
        self._waiting: deque[float] = deque()
        self._counts: Counter[str] = Counter()
        self._skipped_in_a_row = 0
        self._region: Spawner | None = None
        self._elector: Elector | None = None

    @property
    def name(self) -> str:
        return self.task.name

    # What users call...

    def run_now(self) -> Job:
        """Run it at once, beside those that go on, whatever the policies say.

        Raises: RuntimeError, when its scheduler does not run.
        """
        return self._launch(wall(), self._run_plainly)

    def cancel(self, reason: str = "") -> None:
        """Take it off the schedule, and cancel those of its runs that go on."""
        self.is_cancelled = True
        self.next_due = None
        if self.on_cancel is not None:
            self.on_cancel(self)
        self._waiting.clear()
        for job in list(self.running):
            job.cancel(reason or "its task was cancelled")

    def statistics(self) -> TaskStatistics:
        counts = self._counts
        return TaskStatistics(
            running=len(self.running),
            waiting=len(self._waiting),
            done=counts["done"],
            failed=counts["failed"],
            timed_out=counts["timed out"],
            cancelled=counts["cancelled"],
            skipped=counts["skipped"],
            missed=counts["missed"],
            elsewhere=counts["elsewhere"],
        )

    # What its scheduler calls...

    def open(self, region: Spawner, elector: Elector | None) -> None:
        """From here on runs begin. Args: elector: None when each worker does all runs."""
        self._region = region
        self._elector = elector

    def close(self) -> int:
        """Nothing new begins.   Returns: how many runs waited for others, and never run."""
        self._region = None
        self.next_due = None
        dropped = len(self._waiting)
        self._waiting.clear()
        return dropped

    def offer(self, due: float, *, may_wait: bool = False) -> None:
        """A run is due: begin it, or do what the policy says. In the hub.

        Args: may_wait: let it wait for others whatever the policy, as missed ones that catch up.
        """
        if self._region is None or self.is_cancelled:
            return
        is_free = self.overlap == "concurrent" and len(self.running) < self._settings.at_once
        if is_free or not self.running:
            self._launch(due, self._run)
        elif self.overlap == "queue" or (may_wait and self.overlap == "skip"):
            if len(self._waiting) < self._settings.waiting:
                self._waiting.append(due)
            else:
                self._skip(f"{len(self._waiting)} wait already")
        else:
            self._skip(f"{len(self.running)} of it go on" if self.overlap == "concurrent" else "")

    def note_missed(self, count: int) -> None:
        """So many runs were due and nobody could run them."""
        self._counts["missed"] += count

    def _skip(self, why: str) -> None:
        self._counts["skipped"] += 1
        self._skipped_in_a_row += 1
        # A run that hangs is told of again and again, and ever less often.
        if self._skipped_in_a_row.bit_count() == 1:
            oldest = self.running[0]
            logger.warning(
                "%s was due and is skipped, %d in a row: %s%s",
                self.name,
                self._skipped_in_a_row,
                f"{why}, " if why else "",
                f"the run {oldest.id} goes on since {spoken(oldest.duration_s or 0.0)} "
                f"{oldest.where}",
                extra={"job": self.name, "job_id": oldest.id},
            )

    def _launch(self, due: float, run: Callable[[Job], object]) -> Job:
        if self._region is None:
            raise RuntimeError(f"{self!r} cannot run: its scheduler does not; see `running`")
        job = Job(self.task, due=due)
        job.on_end = self._on_end
        self.running.append(job)
        try:
            job.handle = self._region.spawn(run, job)
        except (RegionFull, RegionClosed) as error:
            job.log(logging.ERROR, "was due and could not begin: %s", error)
            job.end("failed", error)
        return job

    def _run_plainly(self, job: Job) -> None:
        self._skipped_in_a_row = 0
        run_job(job)

    def _run(self, job: Job) -> None:
        """In the greenlet of the run: is it for this worker? Then do it."""
        elector = self._elector
        if elector is None:
            self._run_plainly(job)
            return
        try:
            release = self._elected(elector, job)
        except Cancelled as error:
            job.end("cancelled", error)
            raise
        except BaseException as error:
            failure = ElectionError(f"which worker does this run was not found out: {error}")
            failure.__cause__ = error
            fail_job(job, failure)
            return
        if release is None:
            job.on_end = self._on_elsewhere
            job.end("cancelled")
            return
        try:
            self._run_plainly(job)
        finally:
            release()

    def _elected(self, elector: Elector, job: Job) -> Release | None:
        """What ends the run, when it is for this worker; None when it is not."""
        due = self.schedule.claimed_as(job.due or 0.0)
        if self.overlap == "concurrent":
            return _nothing if _asked(elector.claim, self.name, due) else None
        if self.overlap == "queue":
            if not _asked(elector.claim, self.name, due):
                return None
            while (release := _asked(elector.enter, self.name)) is None:
                sleep(_AGAIN_S)
            return release
        release = _asked(elector.enter, self.name)
        if release is None:
            return None
        try:
            is_ours = _asked(elector.claim, self.name, due)
        except BaseException:
            release()
            raise
        if not is_ours:
            release()
            return None
        return release

    def _on_end(self, job: Job) -> None:
        self._counts[job.state] += 1
        self.history.append(
            Run(
                id=job.id,
                due=job.due,
                started_at=job.started_at,
                duration_s=job.duration_s,
                outcome=job.state,
                attempts=job.attempt,
                error="" if job.error is None else brief(job.error),
            )
        )
        self._make_room(job)

    def _on_elsewhere(self, job: Job) -> None:
        self._counts["elsewhere"] += 1
        self._make_room(job)

    def _make_room(self, job: Job) -> None:
        self.running.remove(job)
        if self._waiting and not self.running and self._region is not None:
            self._launch(self._waiting.popleft(), self._run)

    def __repr__(self) -> str:
        state = "cancelled" if self.is_cancelled else "stopped" if self._region is None else "on"
        return f"<ScheduledTask {self.name} {self.schedule}, {state}, {len(self.running)} running>"


def _asked(ask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What an elector says, unless it takes too long.   Raises: DeadlineExceeded; what it does."""
    with fail_after(ELECTION_S):
        answer = ask(*args, **kwargs)
    return answer


def _nothing() -> None: ...
