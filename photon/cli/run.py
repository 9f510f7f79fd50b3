"""`photon run`: load an application, listen, serve until a signal says stop."""

from __future__ import annotations

import gc
import logging
import os
import sys
from contextlib import ExitStack, nullcontext
from signal import SIGHUP, SIGINT, SIGTERM, Signals
from typing import Any

import click

import photon
from photon.cli.electing import elect_by_files
from photon.cli.exits import CommandError, ExitCode
from photon.cli.foreign import foreign_flags
from photon.cli.importer import full_name, load_application, users_error
from photon.cli.options import (
    SectionedCommand,
    field_setting,
    setting,
    settings_of,
    struct_of,
    was_given,
)
from photon.http.application import Application
from photon.http.server.server import OnAnswer, Server
from photon.http.server.serving import serve
from photon.http.server.settings import Limits, ServerSettings, Timeouts
from photon.runtime.cancel import CancelScope
from photon.runtime.errors import ListenError
from photon.runtime.greenlets import sleep_forever
from photon.runtime.hub import current_hub
from photon.runtime.net.address import Address, FdAddress, TcpAddress, UnixAddress
from photon.runtime.patience import hurry
from photon.runtime.workers.signals import watch_signals
from photon.telemetry.access_log import access_log
from photon.telemetry.logging import LineHandler, adopt_structlog, configure_logging

logger = logging.getLogger("photon.cli")

_WHERE, _WHAT, _LOGS = "Where to listen", "What to serve", "Logs"
_TIMES = "Time-outs: a number of seconds, or 500ms, 30s, 2m"
_SIZES = "Limits: sizes in bytes, or 64KiB, 16MiB"
_LEVELS = ("debug", "info", "warning", "error", "critical")


@click.command(
    cls=SectionedCommand,
    short_help="Serve an application.",
    epilog="Each flag is an environment variable too: --timeout-idle is PHOTON_TIMEOUT_IDLE. "
    "SIGTERM or Ctrl+C stops: requests in progress are answered first. A second one cuts that "
    "short, a third ends at once.",
)
@click.argument("app", envvar="PHOTON_APP", metavar="MODULE[:ATTRIBUTE]")
@setting("--host", section=_WHERE, default="127.0.0.1", help="host name or address  [127.0.0.1]")
@setting(
    "--port",
    section=_WHERE,
    env=["PHOTON_PORT", "PORT"],
    type=click.IntRange(0, 65535),
    default=8000,
    metavar="NUMBER",
    help="0 takes a free one; the variable PORT works too  [8000]",
)
@setting("--uds", section=_WHERE, metavar="PATH", help="a Unix socket instead of host and port")
@setting(
    "--fd",
    section=_WHERE,
    type=click.IntRange(min=0),
    metavar="NUMBER",
    help="the descriptor of a listening socket that was inherited, as from systemd",
)
@field_setting(ServerSettings, "backlog", section=_WHERE)
@setting(
    "--app-dir",
    section=_WHAT,
    type=click.Path(exists=True, file_okay=False),
    default=".",
    metavar="FOLDER",
    help="where modules are looked for first  [the current folder]",
)
@setting(
    "--factory",
    section=_WHAT,
    is_flag=True,
    help="the attribute is a function that makes the application",
)
@setting(
    "--log-level",
    section=_LOGS,
    type=click.Choice(_LEVELS, case_sensitive=False),
    default="info",
    help="what is less than that is not logged  [info]",
)
@setting(
    "--log-format",
    section=_LOGS,
    type=click.Choice(("auto", "console", "json")),
    default="auto",
    help="auto is console on a terminal, json elsewhere  [auto]",
)
@setting(
    "--access-log/--no-access-log",
    section=_LOGS,
    default=False,
    help="a line for each request  [no]",
)
@settings_of(Timeouts, "timeout", section=_TIMES)
@settings_of(Limits, "limit", section=_SIZES)
@foreign_flags
@click.pass_context
def run(ctx: click.Context, /, app: str, **options: Any) -> None:
    """Serve an application.

    `photon run app:app` serves the object `app` of app.py; `photon run app` does, too.
    """
    address = _address(ctx, options)
    settings = ServerSettings(
        limits=struct_of(Limits, "limit", options),
        timeouts=struct_of(Timeouts, "timeout", options),
        backlog=options["backlog"],
    )
    log_format = None if options["log_format"] == "auto" else options["log_format"]
    log = configure_logging(options["log_level"], log_format)
    application = _load(app, options["app_dir"], options["factory"])
    elect_by_files(application, full_name(app), options["app_dir"])
    adopt_structlog()
    with _access_log(options["access_log"], log) as on_answer:
        _serve(application, full_name(app), address, settings, on_answer)


def _address(ctx: click.Context, options: dict[str, Any]) -> Address:
    """Where to listen. The environment may set a port for all; a flag for another kind wins."""
    kinds = {"--uds": "uds", "--fd": "fd", "--host or --port": "host"}
    given = [flag for flag, name in kinds.items() if was_given(ctx, name)]
    if "--host or --port" not in given and was_given(ctx, "port"):
        given.append("--host or --port")
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)}: there can be one of them only.", ctx)
    if "--host or --port" not in given:
        if options["fd"] is not None and "--uds" not in given:
            return FdAddress(options["fd"])
        if options["uds"]:
            return UnixAddress(options["uds"])
    return TcpAddress(options["host"], options["port"])


def _load(target: str, app_dir: str, factory: bool) -> Application:
    try:
        return load_application(target, app_dir=app_dir, factory=factory)
    except KeyboardInterrupt:
        raise SystemExit(ExitCode.INTERRUPTED) from None


def _access_log(wanted: bool, log: LineHandler) -> Any:
    return access_log(log.writer.write, log.format_name) if wanted else nullcontext()


# Serving...


def _serve(
    application: Application,
    name: str,
    address: Address,
    settings: ServerSettings,
    on_answer: OnAnswer | None,
) -> None:
    stop = _Stop()
    signals = [SIGTERM, SIGINT]
    if not sys.stderr.isatty():
        # A closed terminal ends the process. Elsewhere SIGHUP comes from log rotation and from
        # habit (gunicorn reloads at it), and must not end anything.
        signals.append(SIGHUP)
    try:
        # The scope is left before the stack: what an application does at its end is no part of
        # what is cancelled, only its start is.
        with (
            watch_signals(signals, stop.on_signal, harmless=[SIGHUP]),
            ExitStack() as stack,
            stop.scope,
        ):
            serving = serve(application, address=address, settings=settings, on_answer=on_answer)
            stop.server = stack.enter_context(serving)
            # All that was loaded stays: a full collection need not look through it again (5 ms
            # of standstill for the smallest application, 30 for a large one), and after a fork
            # its pages stay shared.
            gc.freeze()
            # A request that waits keeps some twenty objects alive, so with CPython's 700 a few
            # dozen of them set off a collection that finds nothing: a tenth of the time at 512.
            gc.set_threshold(10_000, 20, 20)
            _tell_started(name, stop.server)
            sleep_forever()
    except ListenError as error:
        reason = error.strerror or str(error)
        raise CommandError(reason, exit_code=ExitCode.CANNOT_LISTEN) from None
    except Exception as error:
        if stop.server is None:
            message = f"{name} failed to start, see above"
            raise users_error(message, error, ExitCode.NOT_STARTED) from None
        raise users_error(f"{name} failed to stop, see above", error, ExitCode.FAILURE) from None
    logger.info("stopped")


class _Stop:
    """What signals do: the first stops in an orderly way, the second cuts it short."""

    def __init__(self) -> None:
        self.scope = CancelScope()
        self.server: Server | None = None

    def on_signal(self, which: Signals) -> None:
        if which is SIGHUP:
            logger.warning("SIGHUP does nothing here; SIGTERM stops")
        elif not self.scope.cancel_called:
            busy = 0 if self.server is None else self.server.busy
            waits = f"; requests in progress: {busy}, a second signal cuts them short"
            logger.info("%s: stopping%s", which.name, waits if busy else "")
            self.scope.cancel()
        elif self.server is not None:
            logger.warning("%s again: hurrying", which.name)
            # Not at once: the main greenlet may be about to begin with the stop.
            current_hub().run_soon(hurry)


def _tell_started(name: str, server: Server) -> None:
    stops = "Ctrl+C" if sys.stderr.isatty() else "SIGTERM"
    where = ", ".join(
        address.url if isinstance(address, TcpAddress) else str(address)
        for address in server.addresses
    )
    logger.info(
        "Photon %s serves %s on %s (%s stops)",
        photon.__version__,
        name,
        where,
        stops,
        extra={"pid": os.getpid()},
    )
