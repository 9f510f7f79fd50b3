"""procrastinate's worker in a native thread, its jobs in greenlets of the hub.

    native thread, asyncio                        the hub's thread
    Worker ── fetches a job ── run_threadsafe ──▶ spawn: Arrivals.run(...)
       ◀──────────── call_soon_threadsafe ──────── what came of it

Imports procrastinate, so it is imported when a worker is made.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from random import uniform
from typing import TYPE_CHECKING, Any

import procrastinate
from procrastinate.exceptions import ConnectorException, JobAborted
from procrastinate.job_context import AbortReason, JobContext
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.utils import utcnow
from procrastinate.worker import Worker

from photon.runtime.cancel import move_on_after
from photon.runtime.greenlets import spawn
from photon.runtime.handle import Handle
from photon.runtime.hub import current_hub
from photon.runtime.offload import offload
from photon.tasks.arrivals import Arrivals, CutOff, GivenUp, TryAgain
from photon.tasks.queue import WorkerSettings
from photon.tasks.queued import QueuedTask

if TYPE_CHECKING:
    from procrastinate.jobs import Job

    from photon.tasks.registry import Tasks

logger = logging.getLogger("photon.tasks")

# After its connection was lost; dramatiq's figure.
_RESTART_S = 3.0

# Jobs are told of by NOTIFY. This finds those that are due later, and what was missed.
_LOOK_S = 0.5


class ProcrastinateWorker:
    """Runs the jobs of a database.

    Args:
        check: raises if the database cannot be used.
        redelivery_s: after so much silence a worker counts as dead.
    """

    def __init__(
        self,
        url: str,
        tasks: Tasks,
        settings: WorkerSettings,
        *,
        check: Callable[[], None],
        redelivery_s: float,
    ) -> None:
        self._url = url
        self._tasks = tasks
        self._settings = settings
        self._check = check
        self._redelivery_s = redelivery_s
        self._arrivals = Arrivals()
        self._hub = current_hub()
        self._thread: Handle[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._worker: Worker | None = None
        self._is_stopping = False

    @property
    def busy(self) -> int:
        return self._arrivals.busy

    def start(self) -> None:
        self._check()
        _quiet()
        self._hub.accept_mail()
        self._thread = spawn(offload, self._live)

    def stop(self) -> int:
        if self._thread is None:
            return 0
        self._is_stopping = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell_worker)
        with move_on_after(self._settings.drain_s):
            self._arrivals.wait_idle()
        cut_off = self._arrivals.cut_off()
        with move_on_after(self._settings.cancel_s + _RESTART_S):
            self._thread.join()
        return cut_off

    def hurry(self) -> None:
        self._arrivals.cut_off()

    # In the native thread...

    def _live(self) -> None:
        asyncio.run(self._run())

    def _tell_worker(self) -> None:
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]

    async def _run(self) -> None:
        """Run a worker, and the next one when its connection was lost."""
        self._loop = asyncio.get_running_loop()
        while not self._is_stopping:
            try:
                app = self._make_app()
                async with app.open_async():
                    await self._work(app)
            except Exception as error:
                if not self._is_stopping:
                    logger.error(
                        "the worker lost its database, and tries again in %g s: %s",
                        _RESTART_S,
                        error.__cause__ or error,
                    )
            if not self._is_stopping:
                await asyncio.sleep(_RESTART_S)

    def _make_app(self) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(
            conninfo=self._url, min_size=1, max_size=4, configure=_autocommit
        )
        app = procrastinate.App(connector=connector)
        for task in self._tasks:
            self._declare(app, task)
        return app

    async def _work(self, app: procrastinate.App) -> None:
        self._worker = Worker(
            app,
            queues=list(self._settings.queues) or None,
            concurrency=self._settings.concurrency,
            fetch_job_polling_interval=_LOOK_S,
            install_signal_handlers=False,
            delete_jobs="successful",
            update_heartbeat_interval=min(10.0, self._redelivery_s / 3),
            stalled_worker_timeout=self._redelivery_s,
        )
        rescuing = asyncio.create_task(self._rescue(app))
        try:
            if not self._is_stopping:
                await self._worker.run()  # type: ignore[no-untyped-call]
        finally:
            self._worker = None
            rescuing.cancel()

    async def _rescue(self, app: procrastinate.App) -> None:
        """Take over the jobs of workers that died; the recipe of procrastinate's documentation."""
        manager = app.job_manager
        while True:
            await asyncio.sleep(uniform(0.5, 1.0) * max(0.5, self._redelivery_s / 3))
            try:
                stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=self._redelivery_s)
                for job in stalled:
                    logger.warning(
                        "the job %s (%s) is run again: nothing was heard of its worker for %g s",
                        job.task_name,
                        job.id,
                        self._redelivery_s,
                        extra={"job": job.task_name, "job_id": str(job.id)},
                    )
                    await manager.retry_job(job)
            except procrastinate.exceptions.ProcrastinateException as error:
                # Another worker was first, or the database is away, which the worker tells.
                logger.debug("stalled jobs could not be taken over: %s", error.__cause__ or error)

    def _declare(self, app: procrastinate.App, task: QueuedTask[..., Any]) -> None:
        async def run(context: JobContext, /, **arguments: Any) -> None:
            await self._run_job(context, task, arguments)

        app.task(name=task.name, queue=task.queue, retry=_AsTold(), pass_context=True)(run)

    async def _run_job(
        self, context: JobContext, task: QueuedTask[..., Any], arguments: dict[str, Any]
    ) -> None:
        loop = asyncio.get_running_loop()
        over: asyncio.Future[None] = loop.create_future()
        id = str(context.job.id)

        def run() -> None:
            error: BaseException | None = None
            try:
                self._arrivals.run(task, id, arguments, context.job.attempts)
            except (TryAgain, GivenUp, CutOff) as what:
                error = what.with_traceback(None)
            except BaseException as what:  # not the function's: its own are logged
                logger.exception("the job %s (%s) could not be run", task.name, id)
                error = GivenUp(repr(what))
            loop.call_soon_threadsafe(_settle, over, error)

        self._hub.run_threadsafe(spawn, run)
        try:
            await asyncio.shield(over)
        except asyncio.CancelledError:
            # Somebody asked procrastinate to abort it.
            self._hub.run_threadsafe(self._arrivals.interrupt, id)
            await asyncio.wait([over], timeout=self._settings.cancel_s)
            over.add_done_callback(lambda over: over.exception())  # nobody else asks for it
            if context.abort_reason() is AbortReason.USER_REQUEST:
                raise JobAborted from None
            raise


def _settle(over: asyncio.Future[None], error: BaseException | None) -> None:
    if over.done():
        return
    if error is None:
        over.set_result(None)
    else:
        over.set_exception(error)


async def _autocommit(connection: Any) -> None:
    await connection.set_autocommit(True)


class _AsTold(BaseRetryStrategy):
    """Tries again when the attempt said so."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, TryAgain):
            # Whole seconds would be too coarse: retry_in takes what timedelta takes.
            return RetryDecision(retry_in={"milliseconds": int(exception.delay_s * 1000)})
        if isinstance(exception, CutOff | asyncio.CancelledError):
            return RetryDecision(retry_at=utcnow())
        return None


# What procrastinate logs...


def _quiet() -> None:
    """Have its loggers say what nobody else says: attempts and failures are told already."""
    procrastinates = logging.getLogger("procrastinate")
    if not logging.getLogger().isEnabledFor(logging.DEBUG):
        procrastinates.setLevel(logging.WARNING)
    for name in ("procrastinate.worker", "procrastinate.worker.worker", "procrastinate.utils"):
        logging.getLogger(name).addFilter(_told_by_us)


def _told_by_us(record: logging.LogRecord) -> bool:
    action = getattr(record, "action", None)
    if record.exc_info and isinstance(record.exc_info[1], ConnectorException):
        record.exc_info = None  # its own tracebacks say nothing that the message does not
    if action == "task_not_found":
        job = getattr(record, "job", {})
        record.msg = (
            "the job %s (%s) is of a task that this application does not have; it is kept as failed"
        )
        record.args = (job.get("task_name"), job.get("id"))
        record.exc_info = None
        for name in ("worker", "exception", "job", "action"):
            record.__dict__.pop(name, None)
        record.job_id = str(job.get("id"))
        return True
    return action not in ("job_error", "job_error_retry", "job_aborted", "job_aborted_retry")
