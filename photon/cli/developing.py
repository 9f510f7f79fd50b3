"""`photon dev`: one worker that is replaced when its code changes, and a supervisor that watches.

watcher ─▶ changed ─▶ the worker takes no new connections, and its successor boots
                          │ it is ready: requests that came meanwhile are answered by it
                          └ it cannot boot: the first goes on, pages and terminal say why
"""

from __future__ import annotations

import _socket
import importlib
import logging
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress

import photon
from photon.cli.controlling import open_control
from photon.cli.dev_screen import Screen
from photon.cli.dev_worker import Development, serve_as_dev_worker
from photon.cli.plan import Plan
from photon.cli.supervising import listening
from photon.cli.telling import begin_logging, shown_addresses
from photon.cli.watched import kind_of
from photon.cli.watching import Watcher
from photon.runtime.workers.board import BOOTING, READY
from photon.runtime.workers.control import ControlServer
from photon.runtime.workers.fleet import Fleet
from photon.runtime.workers.governing import Governor
from photon.runtime.workers.helper import fork_helper
from photon.runtime.workers.messages import Message
from photon.runtime.workers.orders import Action, Log, Member
from photon.runtime.workers.process import Post
from photon.runtime.workers.supervisor import Supervisor

logger = logging.getLogger("photon.cli")

# Ctrl+C: what still runs is told to end after the first time, and is killed after the second.
_HURRY_S, _KILL_S = 0.2, 3.0

# Of Photon, what applications import, and what their first request, or failure, does.
_NEEDED = (
    "photon.app.photon",
    "photon.openapi.generate",
    "photon.openapi.ui",
    "photon.http.sse",
    "photon.telemetry.debug_page.answer",
)

# Code that takes longer to start is spoken of, as requests wait for it.
_LONG_START_S = 3.0

# So long nobody may have watched, when the watcher has died.
_UNWATCHED_S = 1.0

# A file that was changed longer ago: then its time says nothing.
_FRESH_S = 30.0


def develop(plan: Plan, development: Development) -> None:
    """Serve until somebody says stop.   Raises: CommandError; SystemExit."""
    begin_logging(plan)
    _import_ahead()
    # What supervisors tell operators is told here by the screen.
    logging.getLogger("photon.workers").setLevel(logging.WARNING)
    logger.setLevel(max(logging.WARNING, logging.getLogger().level))
    with ExitStack() as stack:
        opened, address = stack.enter_context(listening(plan, None))
        _Developing(plan, development, opened, shown_addresses(plan, [address])).run(stack)


def _import_ahead() -> None:
    """Import here what every worker would import anew: all of it is Photon's, and does nothing."""
    for name in _NEEDED:
        importlib.import_module(name)


# The supervisor...


class _DevSupervisor(Supervisor):
    """A supervisor that tells what happens to the one who develops."""

    developing: _Developing

    def do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Log) and action.details:
                self.developing.on_broken(action.details)
        super().do([a for a in actions if not (isinstance(a, Log) and a.details)])

    def _heard(self, pid: int, message: Message) -> None:
        if message.get("tell") == "about":
            self.developing.on_about(message)
            return
        super()._heard(pid, message)
        member = self.fleet.members.get(pid)
        if message.get("tell") == "ready" and member is not None:
            self.developing.on_ready(member)


class _Developing:
    def __init__(
        self, plan: Plan, development: Development, opened: _socket.socket, address: str
    ) -> None:
        self._plan = plan
        self._development = development
        self._opened = opened
        self._address = address
        self._screen = Screen()
        settings = plan.supervisor
        fleet = Fleet(
            1,
            boot_timeout_s=settings.boot_timeout_s,
            hang_timeout_s=settings.hang_timeout_s,
            is_dev=True,
        )
        self._supervisor = _DevSupervisor(fleet, self._work, on_hup=self._on_hup)
        self._supervisor.developing = self
        self._supervisor.on_tick(self._on_tick)
        self._watcher: Watcher | None = None
        self._docs = ""
        self._changed: list[str] = []  # what the next worker is started for
        self._saved_at = 0.0  # since when, on the clock of the system
        self._just_changed: dict[str, float] = {}
        self._has_started = self._has_opened = False
        self._told_to_be_slow = 0  # the process id of a worker
        self._stop_began: float | None = None
        self._was_hurried = False
        self._is_on_terminal = sys.stderr.isatty()

    def run(self, stack: ExitStack) -> None:
        """Until somebody ends it.   Raises: SystemExit."""
        self._open_control(stack)
        self._watch(polls=self._development.polls)
        end = self._supervisor.run()
        if self._watcher is not None and self._watcher.pid:
            with suppress(OSError):
                os.kill(self._watcher.pid, 9)
        self._screen.stopped()
        if end.why:
            self._screen.broken([], end.why, is_served=False)
        if end.code:
            raise SystemExit(end.code)

    def _work(self, post: Post) -> int:
        recent = [path for path in self._just_changed if path.endswith(".py")]
        return serve_as_dev_worker(self._plan, self._development, self._opened, post, recent)

    def _open_control(self, stack: ExitStack) -> None:
        governor = Governor(self._supervisor, self._supervisor.reload, self._about)
        control = open_control(
            self._plan, lambda path: ControlServer(path, governor.on_request, about=self._about)
        )
        if control is not None:
            self._supervisor.attach(control)
            stack.callback(control.close)

    def _about(self) -> Message:
        return {
            "app": self._plan.name,
            "addresses": [self._address],
            "supervised": True,
            "dev": True,
            "version": photon.__version__,
        }

    # Workers...

    def on_about(self, message: Message) -> None:
        """A worker tells what it serves."""
        self._docs = str(message.get("docs", ""))

    def on_ready(self, member: Member) -> None:
        """A worker serves: the application, or why there is none."""
        if not self._has_started:
            self._start_screen()
        elif self._changed and not member.broken:
            self._screen.reloaded(self._changed, max(0.0, time.time() - self._saved_at))
        elif not member.broken:
            self._screen.restarted()
        if self._development.opens and not self._has_opened:
            self._has_opened = True
            self._open_browser()
        if not member.broken:
            self._changed = []

    def _start_screen(self) -> None:
        self._has_started = True
        folders = self._development.watched.folders if self._development.watched else []
        docs = f"{self._address}{self._docs}" if self._docs else ""
        self._screen.start(self._plan.name, self._address, docs, folders)
        for note in self._development.notes:
            self._screen.note(note)

    def on_broken(self, text: str) -> None:
        """The newest code cannot be served."""
        if not self._has_started:
            self._start_screen()
        is_served = any(
            not m.broken and m.state == READY for m in self._supervisor.fleet.members.values()
        )
        self._screen.broken(self._changed, text, is_served=is_served)
        self._changed = []

    # Files...

    def _watch(self, *, polls: bool, since: float | None = None) -> None:
        watched = self._development.watched
        if watched is None:
            return
        self._watcher = Watcher(
            self._supervisor,
            watched,
            [self._opened],
            self._on_change,
            lambda: self._on_watcher_end(polls=polls),
            polls=polls,
            since=since,
        )
        self._watcher.start()

    def _on_watcher_end(self, *, polls: bool) -> None:
        if self._supervisor.fleet.is_stopping:
            return
        if polls:
            self._screen.note("files are not watched any more: start photon dev again")
        else:
            self._screen.note("the system does not tell of changes: looking at the files instead")
            self._watch(polls=True, since=time.time() - _UNWATCHED_S)

    def _on_change(self, paths: list[str]) -> None:
        if self._supervisor.fleet.is_stopping:
            return
        if self._development.settings_file in paths:
            name = os.path.basename(self._development.settings_file)
            self._screen.note(f"{name} is read at the start only: to take it, start again")
        kind = kind_of(paths)
        if kind != "code" and not self._changed:
            self._screen.pages_reload(paths, styles=kind == "styles")
            self._supervisor.ask({"do": f"live-{kind}"}, lambda answers: None)
            return
        moment = time.time()
        if not self._changed:
            self._saved_at = _saved_at(paths, moment)
        self._changed = [*self._changed, *(p for p in paths if p not in self._changed)]
        self._just_changed = {p: at for p, at in self._just_changed.items() if moment - at < 5}
        self._just_changed |= dict.fromkeys(paths, moment)
        self._supervisor.reload()

    def _open_browser(self) -> None:
        """In a child: it starts a program, and may wait for it."""
        if not self._address.startswith("http"):
            return

        def work() -> None:
            import webbrowser

            webbrowser.open(self._address)

        supervisor = self._supervisor
        close = [*supervisor.wires.values(), *supervisor.close_in_child, self._opened]
        try:
            pid = fork_helper(work, close=close)
        except OSError as error:
            self._screen.note(f"no browser can be opened: {error}")
            return
        supervisor.when_child_ends(pid, lambda status: None)

    # The end...

    def _on_hup(self) -> None:
        if self._is_on_terminal and not sys.stderr.isatty():
            self._supervisor.stop()  # the terminal was closed
        else:
            self._supervisor.reload()

    def _on_tick(self, now: float) -> None:
        if not self._supervisor.fleet.is_stopping:
            self._tell_of_a_long_start(now)
            return
        if self._stop_began is None:
            self._stop_began = now
        elif not self._was_hurried and now - self._stop_began > _HURRY_S:
            self._was_hurried = True
            self._supervisor.do(self._supervisor.fleet.stop(now))
        elif now - self._stop_began > _KILL_S:
            self._stop_began = now
            self._supervisor.do(self._supervisor.fleet.stop(now))

    def _tell_of_a_long_start(self, now: float) -> None:
        """Once for each worker: without a word it looks as if nothing happened."""
        for member in self._supervisor.fleet.members.values():
            is_slow = member.state == BOOTING and now - member.since > _LONG_START_S
            if is_slow and self._told_to_be_slow != member.pid:
                self._told_to_be_slow = member.pid
                self._screen.starts_slowly(self._plan.name, _LONG_START_S)


def _saved_at(paths: Sequence[str], now: float) -> float:
    """When the first of these was saved."""
    moments = []
    for path in paths:
        with suppress(OSError):
            moments.append(os.stat(path).st_ctime)  # of a file that is moved here, too
    first = min(moments, default=now)
    return first if now - _FRESH_S < first <= now else now
