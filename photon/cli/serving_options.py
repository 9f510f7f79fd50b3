"""The flags of commands that serve, and the `Plan` that they make."""

from __future__ import annotations

from typing import Any

import click
from click.core import ParameterSource

from photon.cli.configuration import configuration_of
from photon.cli.foreign import foreign_flags
from photon.cli.importer import full_name
from photon.cli.keys import key_of
from photon.cli.loading import application_options
from photon.cli.logs import LOGS, logging_options
from photon.cli.options import field_setting, setting, settings_of, struct_of, together, was_given
from photon.cli.plan import Plan
from photon.cli.tls import tls_of, tls_options
from photon.cli.workers import WorkersType
from photon.http.server.settings import Limits, ServerSettings, Timeouts
from photon.runtime.errors import AddressError
from photon.runtime.net.address import (
    Address,
    FdAddress,
    TcpAddress,
    UnixAddress,
    parse_address,
)
from photon.runtime.workers.settings import SupervisorSettings, WatchSettings, WorkerLimits

_WHERE = "Where to listen"
_WORKERS = "Workers: --workers has a supervisor keep them alive"
WATCH = "To watch and to control"
TIMES = "Time-outs: a number of seconds, or 500ms, 30s, 2m"
SIZES = "Limits: sizes in bytes, or 64KiB, 16MiB"


listening_options = together(
    setting(
        "--host",
        section=_WHERE,
        default="127.0.0.1",
        help="host name or address  [127.0.0.1]",
    ),
    setting(
        "--port",
        section=_WHERE,
        env=["PHOTON_PORT", "PORT"],
        type=click.IntRange(0, 65535),
        default=8000,
        metavar="NUMBER",
        help="0 takes a free one; the variable PORT works too  [8000]",
    ),
    setting(
        "--uds",
        section=_WHERE,
        metavar="PATH",
        help="a Unix socket instead of host and port",
    ),
    setting(
        "--fd",
        section=_WHERE,
        type=click.IntRange(min=0),
        metavar="NUMBER",
        help="the descriptor of a listening socket that was inherited, as from systemd",
    ),
    field_setting(ServerSettings, "backlog", section=_WHERE),
)
"""Adds the flags that say where."""


worker_options = together(
    setting(
        "--workers",
        "-w",
        section=_WORKERS,
        type=WorkersType(),
        metavar="N|auto",
        help="processes that serve; auto is one for each core  [this process alone]",
    ),
    field_setting(WorkerLimits, "max_requests", section=_WORKERS),
    field_setting(WorkerLimits, "max_lifetime_s", section=_WORKERS),
    field_setting(WorkerLimits, "max_rss_bytes", flag="--max-rss", section=_WORKERS),
    field_setting(SupervisorSettings, "hang_timeout_s", section=_WORKERS),
    field_setting(SupervisorSettings, "boot_timeout_s", section=_WORKERS),
    setting("--pin", section=_WORKERS, is_flag=True, help="each worker stays on one core"),
    setting(
        "--preload",
        section=_WORKERS,
        is_flag=True,
        help="import the application once, before the workers are forked",
    ),
)
"""Adds the flags of supervisor and workers."""


control_option = setting(
    "--control",
    section=WATCH,
    default="",
    metavar="PATH|none",
    help="socket for photon top, dump and ctl  [in a folder of this user]",
)

watching_options = together(
    field_setting(WatchSettings, "blocked_s", section=WATCH),
    control_option,
    setting(
        "--health-port",
        section=WATCH,
        metavar="[HOST:]PORT",
        help="answers /live and /ready there, also while workers are busy; for this machine, "
        "unless HOST says for whom  [none]",
    ),
    setting(
        "--pid-file",
        section=WATCH,
        default="",
        metavar="PATH",
        help="holds the number of this process; a second one does not start  [none]",
    ),
)
"""Adds the flags for those who look at it from outside."""


serving_options = together(
    listening_options,
    application_options,
    tls_options,
    worker_options,
    watching_options,
    logging_options,
    setting(
        "--access-log/--no-access-log",
        section=LOGS,
        default=False,
        help="a line for each request  [no]",
    ),
    settings_of(Timeouts, "timeout", section=TIMES),
    field_setting(SupervisorSettings, "settle_s", section=TIMES),
    settings_of(Limits, "limit", section=SIZES),
    foreign_flags,
)
"""Adds all that `plan_of` reads."""


def plan_of(ctx: click.Context, app: str, options: dict[str, Any], *, is_dev: bool = False) -> Plan:
    """What the flags say.   Raises: click.UsageError."""
    workers = options["workers"]
    limits = WorkerLimits(**{name: options[name] for name in WorkerLimits.__struct_fields__})
    if workers is None and (limits != WorkerLimits() or options["pin"] or options["preload"]):
        needs = {*WorkerLimits.__struct_fields__, "pin", "preload"}
        given = next(
            parameter
            for parameter in ctx.command.params
            if parameter.name in needs
            and ctx.get_parameter_source(parameter.name) is not ParameterSource.DEFAULT
        )
        raise click.UsageError(f"--{key_of(given)} is for workers: add --workers 1, or more.", ctx)
    address = _address(ctx, options)
    return Plan(
        app=app,
        name=full_name(app),
        app_dir=options["app_dir"],
        factory=options["factory"],
        address=address,
        settings=ServerSettings(
            limits=struct_of(Limits, "limit", options),
            timeouts=struct_of(Timeouts, "timeout", options),
            backlog=options["backlog"],
        ),
        log_level=options["log_level"],
        log_format=options["log_format"],
        tls=tls_of(ctx, options) if "tls_cert" in options else None,
        access_log=options["access_log"],
        workers=workers,
        limits=limits,
        supervisor=SupervisorSettings(
            **{name: options[name] for name in SupervisorSettings.__struct_fields__}
        ),
        pin=options["pin"],
        preload=options["preload"],
        blocked_s=options["blocked_s"],
        control=options["control"],
        health=_health_address(ctx, options["health_port"], address),
        pid_file=options["pid_file"],
        is_dev=is_dev,
        notes=tuple(configuration_of(ctx).notes),
    )


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


def _health_address(ctx: click.Context, given: str | None, served: Address) -> Address | None:
    if not given:
        return None
    try:
        address = parse_address(given if ":" in given else f"127.0.0.1:{given}")
    except AddressError as error:
        raise click.UsageError(f"--health-port: {error}", ctx) from None
    ports = [each.port for each in (address, served) if isinstance(each, TcpAddress)]
    if len(ports) == 2 and ports[0] == ports[1] != 0:
        raise click.UsageError("--health-port and --port: health needs a port of its own.", ctx)
    return address
