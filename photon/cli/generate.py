"""`photon generate`: files to begin with, written once and the user's from then on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from photon.cli.deployment.files import KINDS, texts_for, write
from photon.cli.deployment.plan import (
    DeployedWorkers,
    Plan,
    checked_name,
    checked_plain,
    health_of,
    name_for,
)
from photon.cli.importer import full_name
from photon.cli.loading import application_options, loaded
from photon.cli.options import SectionedCommand, SectionOption, field_setting, setting, was_given
from photon.http.application import Application
from photon.http.server.settings import Limits, Timeouts
from photon.tasks.settings import TaskSettings

_WHERE, _HOW, _FILES = "Where it listens", "How it runs", "Files"

_NEXT = {
    "systemd": """\
Look through them, then, on the server:
  useradd --system --home-dir {folder} {name}
  install -D -m 600 {to}/{name}.env /etc/{name}/{name}.env
  install -m 644 {units} /etc/systemd/system/
  systemctl daemon-reload && systemctl enable --now {unit}""",
    "docker": """\
Look through them, then, in the project's folder:
  docker build -f {to}/Dockerfile -t {name} .
  docker compose -f {to}/compose.yaml up""",
    "kubernetes": """\
Look through it (the image, the host, what the pods may use), then:
  kubectl apply -f {to}/kubernetes.yaml""",
    "nginx": """\
Look through it (server_name, certificates), then, on the server:
  cp {files} /etc/nginx/conf.d/{name}.conf && nginx -t && systemctl reload nginx""",
}


@click.group(short_help="Write files to begin with.")
def generate() -> None:
    """Write files to begin with. They are yours then: Photon does not look at them again."""


@generate.command(
    cls=SectionedCommand,
    short_help="Files for systemd, Docker, Kubernetes or nginx.",
    epilog="""\b
Examples:
  photon generate deployment systemd app:app --workers auto
  photon generate deployment nginx app:app --uds /run/shop/shop.sock
  photon generate deployment kubernetes app:app --print | less
""",
)
@click.argument("kind", type=click.Choice(KINDS))
@application_options
@setting(
    "--host",
    section=_WHERE,
    default="",
    metavar="HOST",
    help="[a Unix socket for systemd and nginx, 0.0.0.0 in a container]",
)
@setting(
    "--port",
    section=_WHERE,
    env=["PHOTON_PORT", "PORT"],
    type=click.IntRange(1, 65535),
    default=8000,
    metavar="NUMBER",
    help="[8000]",
)
@setting(
    "--uds",
    section=_WHERE,
    default="",
    metavar="PATH",
    help="a Unix socket, absolute  [/run/NAME/NAME.sock]",
)
@setting(
    "--health-port",
    section=_WHERE,
    default="8081",
    metavar="[HOST:]PORT",
    help="where health is told  [8081]",
)
@setting(
    "--workers",
    section=_HOW,
    type=DeployedWorkers(),
    default="",
    metavar="N|auto",
    help="processes; auto is one a core  [auto; 1 in a pod, of which there are several]",
)
@field_setting(Timeouts, "drain_s", prefix="timeout", section=_HOW)
@field_setting(Timeouts, "cleanup_s", prefix="timeout", section=_HOW)
@field_setting(Timeouts, "idle_s", prefix="timeout", section=_HOW)
@field_setting(Timeouts, "handler_s", prefix="timeout", section=_HOW)
@field_setting(Limits, "body_bytes", prefix="limit", section=_HOW)
@click.option(
    "--socket-activation",
    cls=SectionOption,
    section=_HOW,
    is_flag=True,
    help="for systemd: it opens the socket and holds it, so that not even a restart refuses anyone",
)
@click.option(
    "--name",
    cls=SectionOption,
    section=_FILES,
    default="",
    metavar="NAME",
    help="of unit, user, image  [the application's package, or its folder]",
)
@click.option(
    "--folder",
    cls=SectionOption,
    section=_FILES,
    default="",
    metavar="PATH",
    help="where it is installed on the server, with its environment in .venv  [/srv/NAME]",
)
@click.option(
    "--to",
    cls=SectionOption,
    section=_FILES,
    default="deploy",
    metavar="FOLDER",
    help="where to write  [deploy]",
)
@click.option(
    "--force", cls=SectionOption, section=_FILES, is_flag=True, help="write over what is there"
)
@click.option(
    "--print",
    "is_printed",
    cls=SectionOption,
    section=_FILES,
    is_flag=True,
    help="write nothing, print them",
)
@click.pass_context
def deployment(
    ctx: click.Context, /, kind: str, app: str | None, app_dir: str, factory: bool, **options: Any
) -> None:
    """Files that run an application in production.

    They are filled with its name and settings, and each line that matters says why it is there.
    The application is imported, to see that there is one and how long its tasks may take to end.
    """
    application = loaded(ctx, app, app_dir, factory)
    plan = _plan(ctx, kind, full_name(app or ""), application, options)
    texts = texts_for(kind, plan)
    if options["is_printed"]:
        for name, text in texts.items():
            title = f"# ---- {name}\n" if len(texts) > 1 else ""
            click.echo(title + text, nl=False)
        return
    paths = write(texts, Path(options["to"]), force=options["force"])
    click.echo("\n".join(f"{path} is written" for path in paths), err=True)
    click.echo(_next(kind, plan, paths, options["to"]), err=True)


def _plan(
    ctx: click.Context, kind: str, target: str, application: Application, options: dict[str, Any]
) -> Plan:
    name = checked_name(options["name"]) if options["name"] else ""
    name = name or name_for(target, Path(ctx.params["app_dir"]))
    host, uds = _where(ctx, kind, name, options)
    health = health_of(options["health_port"], for_all=kind == "kubernetes")
    plan = Plan(
        target=checked_plain(target),
        name=name,
        folder=checked_plain(options["folder"]) or f"/srv/{name}",
        host=checked_plain(host),
        port=options["port"],
        uds=checked_plain(uds),
        workers=options["workers"] or ("1" if kind == "kubernetes" else "auto"),
        health=health,
        # With PrivateTmp= the usual folder is one that `photon top` cannot see.
        control=f"/run/{name}/control.sock" if kind == "systemd" else "",
        drain_s=options["timeout_drain_s"],
        cleanup_s=options["timeout_cleanup_s"],
        idle_s=options["timeout_idle_s"],
        handler_s=options["timeout_handler_s"],
        tasks_s=_tasks_s(application),
        body_bytes=options["limit_body_bytes"],
        factory=ctx.params["factory"],
        socket_activation=options["socket_activation"],
        context=os.path.relpath(ctx.params["app_dir"], options["to"]),
        folder_of_files=os.path.relpath(options["to"], ctx.params["app_dir"]),
    )
    if not uds and plan.health_port == plan.port:
        raise click.UsageError("--health-port and --port: health needs a port of its own.", ctx)
    return plan


def _where(ctx: click.Context, kind: str, name: str, options: dict[str, Any]) -> tuple[str, str]:
    """Host and Unix socket, one of which is ""."""
    host, uds = options["host"], options["uds"]
    given = {each for each in ("host", "port", "uds") if was_given(ctx, each)}
    if "uds" in given and given & {"host", "port"}:
        raise click.UsageError("--host or --port, and --uds: there can be one of them only.", ctx)
    if kind in ("docker", "kubernetes"):
        if "uds" in given:
            raise click.UsageError(f"{kind}: containers are reached by a port, not by --uds.", ctx)
        # What a file of settings says is for the machine it is on: 127.0.0.1 reaches nobody here.
        return (host if "host" in given else "0.0.0.0"), ""
    if uds and not given & {"host", "port"}:
        if not uds.startswith("/"):
            raise click.UsageError(f"--uds {uds}: the path of a service has to be absolute.", ctx)
        return "", uds
    if host or "port" in given:
        return host or "127.0.0.1", ""
    return "", f"/run/{name}/{name}.sock"


def _tasks_s(application: Application) -> float:
    """What an application's tasks get when it stops; a plain function has none."""
    settings = getattr(application, "task_settings", None)
    if not isinstance(settings, TaskSettings):
        settings = TaskSettings()
    return settings.drain_s + settings.cancel_s


def _next(kind: str, plan: Plan, paths: list[Path], to: str) -> str:
    unit = f"{plan.name}.socket" if plan.socket_activation else f"{plan.name}.service"
    files = " ".join(str(path) for path in paths)
    units = " ".join(str(path) for path in paths if path.suffix != ".env")
    return _NEXT[kind].format(
        name=plan.name,
        folder=plan.folder,
        files=files,
        units=units,
        unit=unit,
        to=to.rstrip("/"),
    )
