"""`photon worker`: run the jobs of an application's queue until a signal says stop."""

from __future__ import annotations

import logging
import os
import sys
from signal import SIGHUP, SIGINT, SIGTERM, Signals
from typing import TYPE_CHECKING, Any

import click

import photon
from photon.app.photon import Photon
from photon.cli.exits import CommandError, ExitCode
from photon.cli.importer import full_name, users_error
from photon.cli.loading import application_options, load, named
from photon.cli.logs import begin_logging, logging_options
from photon.cli.options import SectionedCommand, field_setting, setting
from photon.http.server.serving import lifespan_of
from photon.runtime.cancel import CancelScope
from photon.runtime.greenlets import sleep_forever
from photon.runtime.hub import current_hub
from photon.runtime.workers.signals import watch_signals
from photon.tasks.errors import TaskFault
from photon.tasks.queue import QueueWorker, WorkerSettings
from photon.tasks.registry import Tasks
from photon.telemetry.logging import adopt_structlog

if TYPE_CHECKING:
    from photon.http.application import Application

logger = logging.getLogger("photon.cli")

_HOW = "How jobs are run"


@click.command(
    cls=SectionedCommand,
    short_help="Run the jobs of an application's queue.",
    epilog="Each flag is an environment variable too: --concurrency is PHOTON_CONCURRENCY. "
    "SIGTERM or Ctrl+C stops: running jobs may end first, those that do not are run again by "
    "another worker. A second one cuts that short, a third ends at once.",
)
@application_options
@setting(
    "--queue",
    "queues",
    section=_HOW,
    env="PHOTON_WORKER_QUEUES",
    multiple=True,
    metavar="NAME",
    help="take jobs of this queue only; may be given several times  [all]",
)
@field_setting(WorkerSettings, "concurrency", section=_HOW)
@field_setting(WorkerSettings, "drain_s", section=_HOW)
@field_setting(WorkerSettings, "cancel_s", section=_HOW)
@setting(
    "--apply-schema",
    section=_HOW,
    is_flag=True,
    help="make the queue's tables in PostgreSQL, if there are none",
)
@logging_options
@click.pass_context
def worker(ctx: click.Context, /, app: str | None, **options: Any) -> None:
    """Run the jobs that an application sent into its queue.

    `photon worker app:app` runs those of the object `app` of app.py, on any machine that reaches
    the queue.
    """
    settings = WorkerSettings(
        queues=options["queues"],
        concurrency=options["concurrency"],
        drain_s=options["drain_s"],
        cancel_s=options["cancel_s"],
    )
    app = named(ctx, app, options["app_dir"])
    begin_logging(ctx, options)
    application = load(app, options["app_dir"], options["factory"])
    adopt_structlog()
    tasks = tasks_of(application, app)
    if isinstance(application, Photon):
        application.runs_schedules = False  # the servers do, and more workers are not more timers
    try:
        tasks.check()
        made = tasks.queue.worker(tasks, settings)
        if options["apply_schema"]:
            _apply_schema(tasks)
    except TaskFault as error:
        raise _unusable(app, error) from None
    _work(application, app, tasks, made, settings)


def tasks_of(application: Application, app: str) -> Tasks:
    """The application's tasks.   Raises: CommandError, when it has none."""
    tasks = getattr(application, "tasks", None)
    if not isinstance(tasks, Tasks) or not tasks:
        raise CommandError(
            f"{full_name(app)} has no tasks",
            hint="A worker runs functions that are decorated with @app.task.",
            exit_code=ExitCode.NOT_LOADED,
        )
    return tasks


def _apply_schema(tasks: Tasks) -> None:
    apply_schema = getattr(tasks.queue, "apply_schema", None)
    if apply_schema is None:
        logger.info("%s needs no tables, so --apply-schema did nothing", tasks.queue.name)
    elif apply_schema():
        logger.info("the tables of %s were made", tasks.queue.name)


def _unusable(app: str, error: TaskFault) -> CommandError:
    return CommandError(f"{full_name(app)}: {error}", exit_code=ExitCode.NOT_STARTED)


# Working...


def _work(
    application: Application,
    app: str,
    tasks: Tasks,
    worker: QueueWorker,
    settings: WorkerSettings,
) -> None:
    stop = _Stop(worker)
    name = full_name(app)
    signals = [SIGTERM, SIGINT]
    if not sys.stderr.isatty():
        signals.append(SIGHUP)  # as `photon run`: log rotation must not end anything
    began = False
    cut_off = 0
    try:
        with watch_signals(signals, stop.on_signal, harmless=[SIGHUP]), lifespan_of(application):
            try:
                with stop.scope:
                    worker.start()
                    began = True
                    _tell_started(name, tasks, settings)
                    sleep_forever()
            finally:
                if began:
                    cut_off = worker.stop()
                tasks.queue.close()
    except TaskFault as error:
        raise _unusable(app, error) from None
    except Exception as error:
        if not began:
            message = f"{name} failed to start, see above"
            raise users_error(message, error, ExitCode.NOT_STARTED) from None
        raise users_error(f"{name} failed to stop, see above", error, ExitCode.FAILURE) from None
    _tell_stopped(cut_off)


class _Stop:
    """What signals do: the first stops in an orderly way, the second cuts jobs short."""

    def __init__(self, worker: QueueWorker) -> None:
        self.scope = CancelScope()
        self._worker = worker

    def on_signal(self, which: Signals) -> None:
        if which is SIGHUP:
            logger.warning("SIGHUP does nothing here; SIGTERM stops")
        elif not self.scope.cancel_called:
            busy = self._worker.busy
            waits = f"; jobs that run: {busy}, a second signal cuts them short" if busy else ""
            logger.info("%s: stopping%s", which.name, waits)
            self.scope.cancel()
        else:
            logger.warning("%s again: hurrying", which.name)
            current_hub().run_soon(self._worker.hurry)


def _tell_started(name: str, tasks: Tasks, settings: WorkerSettings) -> None:
    stops = "Ctrl+C" if sys.stderr.isatty() else "SIGTERM"
    logger.info(
        "Photon %s works for %s: %d tasks of %s by %s, %d at once (%s stops)",
        photon.__version__,
        name,
        len(tasks),
        ", ".join(settings.queues or tasks.queues),
        tasks.queue.name,
        settings.concurrency,
        stops,
        extra={"pid": os.getpid()},
    )


def _tell_stopped(cut_off: int) -> None:
    if cut_off:
        logger.warning("stopped; %d jobs were cut off and will be run again", cut_off)
    else:
        logger.info("stopped")
