"""`photon run --workers N`: sockets, a supervisor, and what operators ask it."""

from __future__ import annotations

import _socket
import gc
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from signal import SIGKILL
from time import monotonic
from typing import TYPE_CHECKING

import click

import photon
from photon.cli.controlling import open_control
from photon.cli.exits import CommandError, ExitCode
from photon.cli.loading import load
from photon.cli.plan import Plan
from photon.cli.serving import serve_as_worker
from photon.cli.telling import begin_logging, shown_addresses, tell_notes, tell_started
from photon.http.application import Application
from photon.runtime.errors import ListenError
from photon.runtime.hub import has_hub
from photon.runtime.net.address import Address, UnixAddress
from photon.runtime.net.listener import bound_address, open_socket, remove_socket_file
from photon.runtime.workers.control import ControlServer
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.governing import Governor
from photon.runtime.workers.health import HealthServer, report_of
from photon.runtime.workers.messages import Message
from photon.runtime.workers.notify import Notifier
from photon.runtime.workers.process import Post
from photon.runtime.workers.supervisor import Supervisor
from photon.runtime.workers.upgrade import (
    Inheritance,
    become_new,
    inheritance,
    inherited_board,
    start_trial,
    take_over,
)

if TYPE_CHECKING:
    from photon.runtime.workers.pidfile import PidFile

logger = logging.getLogger("photon.workers")


def supervise(plan: Plan) -> None:
    """Open the socket, have workers serve, until somebody says stop.   Raises: CommandError."""
    begin_logging(plan)
    tell_notes(plan)
    left = inheritance()
    with ExitStack() as stack:
        held = stack.enter_context(pid_file_of(plan, left)) if plan.pid_file else None
        opened, address = stack.enter_context(listening(plan, left))
        application = _preloaded(plan) if plan.preload else None
        _Supervising(plan, opened, address, application, left, held).run(stack)
    logger.info("stopped")


def try_out(plan: Plan) -> None:
    """What would fail for a new program fails here first.   Raises: CommandError."""
    if plan.preload:
        _preloaded(plan)
    else:
        load(plan.app, plan.app_dir, plan.factory)


@contextmanager
def listening(plan: Plan, left: Inheritance | None) -> Iterator[tuple[_socket.socket, Address]]:
    try:
        if left is None:
            opened = open_socket(plan.address, plan.settings.backlog)
        else:
            os.set_inheritable(left.sockets[0], False)
            opened = _socket.socket(fileno=left.sockets[0])
            opened.setblocking(False)
    except ListenError as error:
        reason = error.strerror or str(error)
        raise CommandError(reason, exit_code=ExitCode.CANNOT_LISTEN) from None
    try:
        yield opened, bound_address(plan.address, opened)
    finally:
        opened.close()
        if isinstance(plan.address, UnixAddress):
            remove_socket_file(plan.address.path)


def _preloaded(plan: Plan) -> Application:
    """The application, imported here once for all workers."""
    application = load(plan.app, plan.app_dir, plan.factory)
    if has_hub():
        raise CommandError(
            f"{plan.name} starts greenlets, or waits, while it is imported: with --preload they "
            "would be in the supervisor",
            hint="Do that in a lifespan (@app.lifespan), or leave --preload away.",
            exit_code=ExitCode.NOT_LOADED,
        )
    # fork(2): only the thread that forks is in the child, and the locks of all others are as held
    # as they were. Threads of C's own are not seen here; such libraries know of forks, or say so.
    threads = len(sys._current_frames()) - 1
    if threads:
        logger.warning(
            "%s starts native threads while it is imported (%d): with --preload the workers do not "
            "have them, and what they had locked at the fork stays so. Start them in a lifespan "
            "(@app.lifespan), or leave --preload away",
            plan.name,
            threads,
        )
    gc.collect()
    gc.freeze()
    return application


@contextmanager
def pid_file_of(plan: Plan, left: Inheritance | None = None) -> Iterator[PidFile]:
    """The pid file while the block runs.   Raises: CommandError."""
    from photon.runtime.workers.pidfile import PidFileError, pid_file

    descriptor = None if left is None else left.others.get("pid-file")
    with ExitStack() as stack:
        try:
            held = stack.enter_context(pid_file(plan.pid_file, descriptor=descriptor))
        except PidFileError as error:
            raise CommandError(str(error), exit_code=ExitCode.CANNOT_LISTEN) from None
        yield held


def _opened(address: Address) -> _socket.socket:
    try:
        return open_socket(address, 64)
    except ListenError as error:
        reason = f"--health-port: {error.strerror or error}"
        raise CommandError(reason, exit_code=ExitCode.CANNOT_LISTEN) from None


class _Supervising:
    """A supervisor, and what hangs on it."""

    def __init__(
        self,
        plan: Plan,
        opened: _socket.socket,
        address: Address,
        application: Application | None,
        left: Inheritance | None,
        held: PidFile | None,
    ) -> None:
        self._plan = plan
        self._pid_file = held
        self._opened = opened
        self._address = address
        self._application = application
        self._left = left
        self._has_told = left is not None
        self._notifier = Notifier.from_environment()
        self._trial = 0
        self._trial_until = 0.0
        self._is_on_terminal = sys.stderr.isatty()
        self._shown_address = shown_addresses(plan, [address])
        size = left.size if left is not None else plan.workers or 1
        settings = plan.supervisor
        fleet = Fleet(
            size,
            boot_timeout_s=settings.boot_timeout_s,
            hang_timeout_s=settings.hang_timeout_s,
        )
        self.supervisor = Supervisor(
            fleet,
            self._work,
            board=None if left is None else inherited_board(left),
            cpus=sorted(os.sched_getaffinity(0)) if plan.pin else [],
            # With --preload the code is the supervisor's own, so it is replaced as well.
            on_hup=self._on_hup,
            on_usr2=self.upgrade,
            # Or it would hold connections that no worker accepts any more.
            on_stop=opened.close,
            on_ready=self._on_ready,
        )

    def _work(self, post: Post) -> int:
        return serve_as_worker(self._plan, self._opened, post, self._application)

    def run(self, stack: ExitStack) -> None:
        """Until somebody ends it.   Raises: CommandError; SystemExit."""
        supervisor = self.supervisor
        if self._left is not None:
            take_over(self._left, supervisor, monotonic())
        supervisor.on_tick(self._look_at_trial)
        supervisor.on_tick(_flush_log)
        stack.callback(self._end_trial)
        self._open_control(stack)
        _Telling(supervisor.fleet, self._notifier).attach(supervisor)
        if self._left is not None:
            logger.info("Photon %s has taken over, with %r", photon.__version__, supervisor.fleet)
        end = supervisor.run(reload="" if self._left is None else "a new supervisor")
        if end.why:
            click.echo(end.why, err=True)
            raise SystemExit(end.code)
        if end.code:
            raise SystemExit(end.code)

    def _on_ready(self) -> None:
        """Tell that it serves, once all workers do."""
        fleet = self.supervisor.fleet
        if self._has_told or not fleet.is_complete:
            return
        self._has_told = True
        tell_started(self._plan, self._shown_address, fleet.size)

    # What operators ask...

    def _on_hup(self) -> None:
        if self._is_on_terminal and not sys.stderr.isatty():
            self.supervisor.stop()  # the terminal was closed, nobody wanted a reload
        else:
            self.reload()

    def reload(self) -> None:
        """Replace all workers; with --preload the supervisor as well."""
        logger.info("reloading %s", self._plan.name)
        if self._application is not None:
            self.upgrade()
        else:
            self.supervisor.reload()

    def upgrade(self) -> None:
        """Have this program, as it is on the disk now, take this one's place."""
        if self._trial:
            logger.warning("a trial of the new program runs already")
            return
        logger.info("trying the new program before it takes over")
        try:
            self._trial = start_trial()
        except OSError as error:
            logger.error("the new program cannot be tried, this one goes on: %s", error)
            return
        self._trial_until = monotonic() + self._plan.supervisor.boot_timeout_s
        self.supervisor.when_child_ends(self._trial, self._tried)

    def _look_at_trial(self, now: float) -> None:
        if self._trial and now >= self._trial_until:
            logger.error("the trial of the new program takes too long (--boot-timeout)")
            self._trial_until = now + 60
            self._end_trial()

    def _end_trial(self) -> None:
        if self._trial:
            os.kill(self._trial, SIGKILL)

    def _tried(self, status: int) -> None:
        self._trial = 0
        if self.supervisor.fleet.is_stopping:
            return  # it would begin anew
        if status != 0:
            logger.error("the new program cannot serve (exit code %d), this one goes on", status)
            return
        others = {} if self._pid_file is None else {"pid-file": self._pid_file.pass_on()}
        try:
            become_new(self.supervisor, [self._opened], others, self._notifier.environment)
        except OSError as error:
            logger.error("the new program cannot be run, this one goes on: %s", error)

    def _open_control(self, stack: ExitStack) -> None:
        plan = self._plan
        supervisor = self.supervisor
        governor = Governor(supervisor, self.reload, self._about)
        if plan.health is not None:
            board = supervisor.board
            health = HealthServer(_opened(plan.health), lambda: report_of(board))
            supervisor.attach(health)
            stack.callback(health.close)
        control = open_control(
            plan, lambda path: ControlServer(path, governor.on_request, about=self._about)
        )
        if control is not None:
            supervisor.attach(control)
            stack.callback(control.close)

    def _about(self) -> Message:
        return {
            "app": self._plan.name,
            "addresses": [self._shown_address],
            "supervised": True,
            "version": photon.__version__,
        }


def _flush_log(now: float) -> None:
    """Write what stderr did not take at once: there is no hub that would try again."""
    for handler in logging.getLogger().handlers:
        handler.flush()


class _Telling:
    """Tells whoever started us (systemd) how the fleet is, when that changes."""

    def __init__(self, fleet: Fleet, notifier: Notifier) -> None:
        self._fleet = fleet
        self._notifier = notifier
        self._told = ""
        self._told_of = 0  # generations
        self._watchdog_at = 0.0

    def attach(self, supervisor: Supervisor) -> None:
        """Begin."""
        if self._notifier.address:
            supervisor.on_tick(self._tick)
            supervisor.close_in_child.append(self._notifier)

    def _tick(self, now: float) -> None:
        fleet, notifier = self._fleet, self._notifier
        state = self._state
        if state == self._told == "ready" and fleet.generation != self._told_of:
            self._tell("reloading")  # it took less than a tick, and systemd waits for it
        if state and state != self._told:
            self._tell(state)
        if notifier.watchdog_s and now >= self._watchdog_at:
            self._watchdog_at = now + notifier.watchdog_s / 2
            notifier.watchdog()

    def _tell(self, state: str) -> None:
        self._told, self._told_of = state, self._fleet.generation
        notifier = self._notifier
        tells = {"ready": notifier.ready, "reloading": notifier.reloading}
        tells.get(state, notifier.stopping)(f"{state}: {self._fleet.size} workers")

    @property
    def _state(self) -> str:
        fleet = self._fleet
        if fleet.is_stopping:
            return "stopping"
        if fleet.is_reloading:
            return "reloading" if self._told else ""
        return "ready" if self._told or fleet.is_complete else ""
