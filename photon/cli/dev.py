"""`photon dev`: serve an application for who writes it, and take each change at once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import click
from msgspec import Meta, structs

from photon.cli.configuration import configuration_of
from photon.cli.loading import application_options, named
from photon.cli.logs import logging_options
from photon.cli.options import (
    SectionedCommand,
    field_setting,
    setting,
    settings_of,
    was_given,
)
from photon.cli.plan import Plan
from photon.cli.serving_options import (
    SIZES,
    TIMES,
    WATCH,
    control_option,
    listening_options,
    plan_of,
)
from photon.cli.tls import TLS, tls_options
from photon.http.server.settings import Limits, Timeouts
from photon.runtime.workers.settings import SupervisorSettings, WatchSettings, WorkerLimits

if TYPE_CHECKING:
    from photon.runtime.net.tls_context import TlsSettings

_RELOAD = "Reload"


class Watching(WatchSettings, frozen=True, kw_only=True):
    """A hub that stands still is told of sooner than where many work at once."""

    blocked_s: Annotated[
        float,
        Meta(
            ge=0, description="the log says who keeps the hub from moving for so long; 0 for never"
        ),
    ] = 0.05


# Who has just connected to a worker that is replaced may still ask it.
_SETTLE_S = 0.1


@click.command(
    cls=SectionedCommand,
    short_help="Serve an application for who writes it.",
    epilog="Each flag is an environment variable too: --reload-dir is PHOTON_RELOAD_DIR. When a "
    "file is saved, a new process takes the place of the one that serves, and open pages reload; "
    "while the new code does not work, the code of before serves on. Never use it in production: "
    "errors show source and values.",
)
@listening_options
@application_options
@setting(
    "--reload-dir",
    section=_RELOAD,
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="FOLDER",
    help="watched in place of --app-dir; may be given several times",
)
@setting(
    "--reload-include",
    section=_RELOAD,
    multiple=True,
    metavar="GLOB",
    help="watched as well, such as '*.sql' or 'data/*.json'",
)
@setting(
    "--reload-exclude",
    section=_RELOAD,
    multiple=True,
    metavar="GLOB",
    help="not watched: files or folders, such as 'migrations' or 'out/*'",
)
@setting("--no-reload", section=_RELOAD, is_flag=True, help="changes are not looked for")
@setting(
    "--poll",
    section=_RELOAD,
    is_flag=True,
    help="look at all files four times a second, where the system tells of no changes",
)
@setting(
    "--tls",
    "makes_certificate",
    section=TLS,
    is_flag=True,
    help="with a certificate that is made here, and kept",
)
@tls_options
@setting("--open", "opens", section=_RELOAD, is_flag=True, help="open a browser when it serves")
@field_setting(Watching, "blocked_s", section=WATCH)
@control_option
@logging_options
@settings_of(Timeouts, "timeout", section=TIMES)
@settings_of(Limits, "limit", section=SIZES)
@click.pass_context
def dev(ctx: click.Context, /, app: str | None, **options: Any) -> None:
    """Serve an application for who writes it: `photon dev app:app`.

    A change is served as soon as it is saved, open pages reload themselves, and what fails is a
    page with the stack, the source and the values.
    """
    # What is imported for it is imported by nothing else.
    from photon.cli.dev_worker import Development
    from photon.cli.developing import develop
    from photon.cli.watched import Watched

    plan = _plan(ctx, named(ctx, app, options["app_dir"]), options)
    os.environ["PHOTON_DEV"] = "1"
    _allow_host(ctx, options["host"])
    watched = None
    if not options["no_reload"]:
        folders: Sequence[str] = options["reload_dir"] or [options["app_dir"]]
        watched = Watched(folders, options["reload_include"], options["reload_exclude"])
    configuration = configuration_of(ctx)
    develop(
        plan,
        Development(
            watched=watched,
            polls=options["poll"],
            opens=options["opens"],
            env_file=_path_of(configuration.env_file),
            settings_file=_path_of(configuration.file),
            notes=tuple(configuration.notes),
        ),
    )


def _plan(ctx: click.Context, app: str, options: dict[str, Any]) -> Plan:
    fixed = {
        **structs.asdict(WorkerLimits()),
        **structs.asdict(SupervisorSettings()),
        "workers": 1,
        "pin": False,
        "preload": False,
        "access_log": True,
        "health_port": None,
        "pid_file": "",
    }
    plan = plan_of(ctx, app, {**fixed, **options}, is_dev=True)
    if options["makes_certificate"]:
        if plan.tls is not None:
            raise click.UsageError("--tls makes a certificate: leave it, or --tls-cert, away.", ctx)
        plan = structs.replace(plan, tls=_own_certificate(ctx))
    log_format = "console" if plan.log_format == "auto" else plan.log_format
    supervisor = structs.replace(plan.supervisor, settle_s=_SETTLE_S)
    return structs.replace(plan, log_format=log_format, supervisor=supervisor)


def _own_certificate(ctx: click.Context) -> TlsSettings:
    from photon.cli.own_certificate import default_folder, development_certificate, how_to_trust

    authority = default_folder() / "ca.pem"
    was_there = authority.exists()
    made = development_certificate()
    if not was_there:
        configuration_of(ctx).notes.append(how_to_trust(authority))
    return made


def _allow_host(ctx: click.Context, host: str) -> None:
    """A name that one serves under on purpose is one that pages may be asked for by."""
    if was_given(ctx, "host"):
        others = os.environ.get("PHOTON_DEV_HOSTS", "")
        os.environ["PHOTON_DEV_HOSTS"] = ",".join(filter(None, (others, host.lower())))


def _path_of(file: Any) -> str:
    return "" if file is None else os.path.realpath(file.path)
