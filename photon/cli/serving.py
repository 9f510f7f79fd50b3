"""One process that serves: alone, or as a worker that a supervisor has forked."""

from __future__ import annotations

import _socket
import gc
import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from signal import SIGHUP, SIGINT, SIGQUIT, SIGTERM, Signals
from typing import TYPE_CHECKING, Any

import photon
from photon.cli.controlling import LateCommands, open_control
from photon.cli.electing import elect_by_files
from photon.cli.exits import CommandError, ExitCode
from photon.cli.importer import users_error
from photon.cli.loading import load
from photon.cli.plan import Plan
from photon.cli.telling import (
    begin_logging,
    shown_addresses,
    tell_failure,
    tell_notes,
    tell_started,
)
from photon.http.application import Application
from photon.http.server.server import OnAnswer, Server, Shared
from photon.http.server.serving import serve
from photon.runtime.cancel import CancelScope
from photon.runtime.debug.blocked import telling_blocked
from photon.runtime.debug.pulse import pulsing
from photon.runtime.errors import ListenError
from photon.runtime.greenlets import sleep_forever
from photon.runtime.hub import current_hub
from photon.runtime.patience import hurry
from photon.runtime.workers.board import DRAINING, READY, STATE, Board
from photon.runtime.workers.commanding import Command, run_command
from photon.runtime.workers.messages import Message
from photon.runtime.workers.signals import watch_signals
from photon.tasks.settings import TaskSettings
from photon.telemetry.access_log import access_log
from photon.telemetry.logging import LineHandler, adopt_structlog

if TYPE_CHECKING:
    from photon.runtime.workers.process import Post

logger = logging.getLogger("photon.cli")


def serve_alone(plan: Plan) -> None:
    """Load the application, listen, serve until a signal says stop.   Raises: CommandError."""
    log = begin_logging(plan)
    tell_notes(plan)
    application = load(plan.app, plan.app_dir, plan.factory)
    adopt(plan, application)
    with ExitStack() as stack:
        if plan.pid_file:
            from photon.cli.supervising import pid_file_of

            stack.enter_context(pid_file_of(plan))
        with _access_log(plan, log) as on_answer:
            Serving(plan, application, on_answer).run()
    logger.info("stopped")


def serve_as_worker(
    plan: Plan, opened: _socket.socket, post: Post, application: Application | None = None
) -> int:
    """What a worker does.   Returns: its exit code.

    Args: application: if it was imported before the fork.
    """
    log = begin_logging(plan, f"worker {post.slot}")
    try:
        if application is None:
            application = load(plan.app, plan.app_dir, plan.factory)
        adopt(plan, application)
        with _access_log(plan, log) as on_answer:
            Serving(plan, application, on_answer, post, opened).run()
    except CommandError as error:
        return tell_failure(post.link, error)
    return ExitCode.OK


def adopt(plan: Plan, application: Application) -> None:
    """What is done with an application before it serves."""
    elect_by_files(application, plan.name, plan.app_dir)
    adopt_structlog()


def _access_log(plan: Plan, log: LineHandler) -> Any:
    return access_log(log.writer.write, log.format_name) if plan.access_log else nullcontext()


class Serving:
    """Serves an application until a signal or the supervisor says stop.

    Args:
        post: of a worker; None for a process alone.
        opened: the socket that all workers listen on.
    """

    def __init__(
        self,
        plan: Plan,
        application: Application,
        on_answer: OnAnswer | None,
        post: Post | None = None,
        opened: _socket.socket | None = None,
    ) -> None:
        self._plan = plan
        self._application = application
        self._on_answer = on_answer
        self._post = post
        self._opened = opened
        self._scope = CancelScope()
        self._server: Server | None = None
        self._row: memoryview | None = None
        self._commands = LateCommands(dict)

    def run(self) -> None:
        """Serve; returns when all is over.   Raises: CommandError."""
        plan = self._plan
        signals = [SIGTERM, SIGQUIT, *([] if self._post else [SIGINT, SIGHUP])]
        if sys.stderr.isatty() and not plan.tls and SIGHUP in signals:
            # A closed terminal ends the process. Elsewhere SIGHUP comes from log rotation and
            # from habit (gunicorn reloads at it), and must not end anything.
            signals.remove(SIGHUP)
        try:
            # The scope is left before the stack: what an application does at its end is no part
            # of what is cancelled, only its start is.
            with (
                watch_signals(signals, self._on_signal, harmless=[SIGHUP, SIGQUIT]),
                ExitStack() as stack,
                self._scope,
            ):
                if self._post is not None:
                    self._post.link.listen(self._on_message, self._on_link_end)
                self._server = stack.enter_context(self._serving())
                stack.enter_context(telling_blocked(plan.blocked_s))
                self._open_commands(stack)
                # All that was loaded stays: a full collection need not look through it again (5
                # ms of standstill for the smallest application, 30 for a large one), and after
                # a fork its pages stay shared.
                gc.freeze()
                # A request that waits keeps some twenty objects alive, so with CPython's 700 a
                # few dozen of them set off a collection that finds nothing: a tenth of the time
                # at 512. The middle generation is looked through often, as it is the one that
                # stops all: with 10,000 waiting requests for 8 ms, and for 30 at a fourth of it.
                gc.set_threshold(10_000, 5, 80)
                self._begin(stack)
                sleep_forever()
        except CommandError:
            raise
        except ListenError as error:
            reason = error.strerror or str(error)
            raise CommandError(reason, exit_code=ExitCode.CANNOT_LISTEN) from None
        except Exception as error:
            name = plan.name
            if self._server is None:
                message = f"{name} failed to start, see above"
                raise users_error(message, error, ExitCode.NOT_STARTED) from None
            message = f"{name} failed to stop, see above"
            raise users_error(message, error, ExitCode.FAILURE) from None

    def _serving(self) -> AbstractContextManager[Server]:
        plan, post = self._plan, self._post
        shared = None
        if post is not None and self._opened is not None:
            from photon.runtime.workers.balance import Balance

            balance = Balance(post.board, post.row)
            shared = Shared(self._opened, post.row, None if plan.is_dev else balance.has_room)
        return serve(
            self._application,
            address=plan.address,
            settings=plan.settings,
            on_answer=self._on_answer,
            shared=shared,
            tls=plan.tls,
        )

    def _begin(self, stack: ExitStack) -> None:
        """It serves: tell whoever waits for that."""
        server, post = self._server, self._post
        assert server is not None
        self._report(stack)
        if post is not None:
            post.link.tell({"tell": "ready", "budget_s": self._budget_s})
            return
        tell_started(self._plan, shown_addresses(self._plan, server.addresses))
        if "NOTIFY_SOCKET" in os.environ:
            from photon.runtime.workers.notify import Notifier

            notifier = Notifier.from_environment()
            notifier.ready(f"serves {self._plan.name}")
            stack.callback(notifier.stopping)

    def _report(self, stack: ExitStack) -> None:
        """Show on the board how this process is, for balance and for health."""
        plan, post = self._plan, self._post
        if post is None and plan.health is None:
            return
        from photon.runtime.workers.worker import Orphan, Reporter

        board = Board() if post is None else post.board
        self._row = row = board.row(board.take()) if post is None else post.row
        reporter = Reporter(row, current_hub().carriers, plan.limits, self._retire)
        pulse = stack.enter_context(pulsing())
        pulse.on_beat.append(reporter.on_beat)
        pulse.on_freed.append(reporter.on_freed)
        stack.callback(pulse.forget, reporter.on_beat)
        stack.callback(pulse.forget, reporter.on_freed)
        if post is not None:
            orphan = Orphan(plan.supervisor.hang_timeout_s)
            pulse.on_stuck.append(orphan.on_stuck)
            stack.callback(pulse.forget, orphan.on_stuck)
        reporter.on_beat(0.0)
        row[STATE] = READY
        if post is None and plan.health is not None:
            from photon.runtime.workers.health import health_thread, report_of

            stack.enter_context(health_thread(plan.health, lambda: report_of(board)))

    def _retire(self, reason: str) -> None:
        if self._post is not None:
            self._post.link.tell({"tell": "retire", "reason": reason})

    @property
    def _budget_s(self) -> float:
        """What an orderly end may take."""
        times = self._plan.settings.timeouts
        tasks = getattr(self._application, "task_settings", None) or TaskSettings()
        requests_s = self._plan.supervisor.settle_s + times.drain_s + times.cleanup_s
        return float(requests_s + tasks.drain_s + tasks.cancel_s)

    def _open_commands(self, stack: ExitStack) -> None:
        """Have it answer `photon top`, `dump` and `ctl`."""
        plan, server = self._plan, self._server
        assert server is not None
        # What tells of a server is imported when somebody asks: it takes a tenth of the start.
        self._commands = LateCommands(lambda: _commands_of(server, self._application))
        if self._post is None:
            open_control(plan, lambda path: self._serve_control(path, server, stack))

    def _serve_control(self, path: str, server: Server, stack: ExitStack) -> None:
        from photon.runtime.workers.control_hub import serve_control

        about = {
            "app": self._plan.name,
            "addresses": [shown_addresses(self._plan, server.addresses)],
            "version": photon.__version__,
        }
        stack.enter_context(
            serve_control(
                path,
                self._commands,
                about=lambda: about,
                state=lambda: "draining" if server.is_stopping else "ready",
            )
        )

    # The end...

    def _on_signal(self, which: Signals) -> None:
        if which is SIGQUIT:
            self._dump_to_log()
        elif which is SIGHUP:
            self._on_hup()
        elif not self._scope.cancel_called:
            busy = 0 if self._server is None else self._server.busy
            waits = f"; requests in progress: {busy}, a second signal cuts them short"
            logger.info("%s: stopping%s", which.name, waits if busy else "")
            self._stop(settles=which is SIGTERM)
        elif self._server is not None:
            logger.warning("%s again: hurrying", which.name)
            # Not at once: the main greenlet may be about to begin with the stop.
            current_hub().run_soon(hurry)

    def _on_hup(self) -> None:
        if self._plan.tls is not None and self._server is not None:
            self._server.reload_tls_soon()
        else:
            logger.warning("SIGHUP does nothing here; SIGTERM stops, --workers can reload")

    def _stop(self, *, settles: bool, restarts: bool = False) -> None:
        if self._row is not None:
            self._row[STATE] = DRAINING
        if self._server is not None:
            self._server.settle_s = self._plan.supervisor.settle_s if settles else 0.0
            self._server.restarts = restarts
        self._scope.cancel()

    def _dump_to_log(self) -> None:
        command = self._commands.get("dump-to-log")
        if command is not None:
            run_command("dump-to-log", command, {}, lambda answer: None)

    # What the supervisor says, in the hub...

    def _on_message(self, message: Message) -> None:
        does = message.get("do", "")
        meanings: dict[str, Callable[[Message], object]] = {
            "stop": self._on_stop,
            "hurry": lambda message: current_hub().run_soon(hurry),
            "pause": self._on_pause,
            "resume": self._on_resume,
            "dump-to-log": lambda message: self._dump_to_log(),
        }
        if does in meanings:
            meanings[does](message)
            return
        assert self._post is not None
        link, number = self._post.link, message.get("id", 0)
        command = self._commands.get(does)
        if command is None:
            link.tell({"id": number, "error": f"there is no command {does!r}"})
            return
        arguments = {k: v for k, v in message.items() if k not in ("id", "do", "worker")}
        run_command(does, command, arguments, lambda answer: link.tell({"id": number, **answer}))

    def _on_stop(self, message: Message) -> None:
        if not self._scope.cancel_called:
            logger.info("leaving: %s", message.get("why") or "the supervisor says so")
            self._stop(settles=True, restarts=bool(message.get("restarts")))

    def _on_pause(self, message: Message) -> None:
        if self._server is not None:
            self._server.pause()

    def _on_resume(self, message: Message) -> None:
        if self._server is not None and not self._server.is_stopping:
            self._server.start()

    def _on_link_end(self) -> None:
        if not self._scope.cancel_called:
            logger.error("the supervisor is gone: stopping")
            self._stop(settles=True, restarts=True)


def _commands_of(server: Server, application: Application) -> dict[str, Command]:
    from photon.http.server.introspection import commands

    return commands(server, application)
