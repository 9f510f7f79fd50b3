"""The worker of `photon dev`: serves the application with pages that follow its code."""

from __future__ import annotations

import _socket
import importlib.util
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

from msgspec import Struct

from photon.app.live.reloading import PREFIX, LiveReload
from photon.app.photon import Photon
from photon.cli.broken import BrokenApplication
from photon.cli.dotenv import load_env_file, return_inherited, take_inherited
from photon.cli.exits import CommandError, ExitCode
from photon.cli.loading import load
from photon.cli.plan import Plan
from photon.cli.serving import Serving, adopt
from photon.cli.telling import begin_logging, tell_failure
from photon.cli.watched import Watched
from photon.http.application import Application
from photon.http.request import Request
from photon.http.server.server import OnAnswer
from photon.runtime.workers.messages import Message
from photon.runtime.workers.process import Post
from photon.telemetry.access_log import AccessLog
from photon.telemetry.dev_lines import coloured_dev_line, plain_dev_line

logger = logging.getLogger("photon.cli")

# Who connected so long ago, and has asked nothing since, is not about to.
_JUST_CAME_S = 0.1


class Development(Struct, frozen=True, kw_only=True):
    """What only `photon dev` is told.

    Attributes:
        watched: None for nothing.
        polls: files are looked at again and again, in place of being told by the system.
        opens: whether a browser is opened.
        env_file: path of the `.env` that was read; "" for none.
        settings_file: path of the settings file that was read; "" for none.
        notes: sentences about the settings, to be shown.
    """

    watched: Watched | None = None
    polls: bool = False
    opens: bool = False
    env_file: str = ""
    settings_file: str = ""
    notes: tuple[str, ...] = ()


def serve_as_dev_worker(
    plan: Plan,
    development: Development,
    opened: _socket.socket,
    post: Post,
    changed: Sequence[str] = (),
) -> int:
    """What the worker does.   Returns: its exit code.

    Args: changed: modules that were saved just now.
    """
    log = begin_logging(plan)
    logger.setLevel(max(logging.WARNING, logging.getLogger().level))
    try:
        application: Application
        if post.broken:
            application = BrokenApplication(plan.name, post.broken)
        else:
            _forget_bytecode(changed)
            if development.env_file:
                _read_env_file_again(development.env_file)
            application = load(plan.app, plan.app_dir, plan.factory)
        adopt(plan, application)
        live = LiveReload(application)
        post.link.tell({"tell": "about", "docs": _docs_of(application)})
        line_of = coloured_dev_line if log.has_colours else plain_dev_line
        # At once: who reads along looks for the lines of a request beside each other.
        requests = AccessLog(log.writer.write, line_of, within_s=0.0)
        logging.getLogger("photon.http").addFilter(_is_not_ours)
        try:
            DevServing(plan, live, _without_ours(requests), post, opened).run()
        finally:
            requests.flush()
    except CommandError as error:
        return tell_failure(post.link, error)
    return ExitCode.OK


class DevServing(Serving):
    """Serves an application whose pages are told of changes."""

    def _open_commands(self, stack: ExitStack) -> None:
        super()._open_commands(stack)
        live = self._application
        assert isinstance(live, LiveReload)
        self._commands.add("live-styles", lambda given: live.change_styles())
        self._commands.add("live-assets", lambda given: live.change_assets())

    def _on_resume(self, message: Message) -> None:
        super()._on_resume(message)
        if isinstance(self._application, LiveReload):
            self._application.show_error(str(message.get("error", "")))

    def _on_stop(self, message: Message) -> None:
        if not self._scope.cancel_called:
            # When another one takes its place, who has just connected may still ask.
            restarts = bool(message.get("restarts"))
            self._stop(settles=restarts, restarts=restarts)


def _without_ours(requests: AccessLog) -> OnAnswer:
    """The access log without what pages ask because of us."""

    def on_answer(request: Request, status: int, seconds: float) -> None:
        if not request.raw_path.startswith(PREFIX):
            requests(request, status, seconds)

    return on_answer


def _is_not_ours(record: logging.LogRecord) -> bool:
    """Whether it tells of nothing that pages ask because of us: they leave with each click."""
    about = record.args[0] if isinstance(record.args, tuple) and record.args else None
    return not (isinstance(about, Request) and about.raw_path.startswith(PREFIX))


def _docs_of(application: Application) -> str:
    """The path of its docs page; "" when it has none."""
    return (application.docs_url or "") if isinstance(application, Photon) else ""


def _forget_bytecode(paths: Sequence[str]) -> None:
    """Have modules compiled anew that were saved just now.

    Python knows whether its cache is old by the second and the size: of two versions of one size
    that were saved within a second, the first would go on.
    """
    for path in paths:
        with suppress(OSError, NotImplementedError):
            os.unlink(importlib.util.cache_from_source(path))


def _read_env_file_again(path: str) -> None:
    inherited = take_inherited()
    found = Path(path)
    return_inherited(inherited, found)
    if found.is_file():
        load_env_file(found)
