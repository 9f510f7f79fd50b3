"""What a deployment is made of: names, where to listen, how many, how long an end may take."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import asdict

from photon.cli.quantities import write_duration, write_size
from photon.cli.workers import MOST_WORKERS
from photon.http.server.settings import Limits, Timeouts

MARGIN_S = 5
"""What is added to Photon's own budgets: the end of the interpreter, the last lines of the log."""

# Names of modules that say nothing about what they are; the folder's does.
_NAMELESS = {"app", "application", "main", "wsgi", "asgi", "server", "api", "src", "web"}

# A DNS label, RFC 1123 §2.1: what Kubernetes takes as a name, and systemd, Docker and nginx, too.
# Users of Linux may have 32 characters (useradd(8)).
_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")

# What goes into a unit, a shell word and a YAML text without quotes.
_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+\[\]-]+")


class Plan(Struct, frozen=True, kw_only=True):
    """Everything that the templates know.

    Attributes:
        target: the application, as `module:attribute`.
        name: of the service, its user, its folders.
        folder: where the application stands on the server, its environment in `.venv` below.
        host, port: where it listens; not in the place of `uds`.
        uds: path of the Unix socket, "" for none.
        workers: a number, or "auto" for one a core.
        health: where health is told, as `--health-port` takes it.
        control: path of the control socket; "" for the default.
        drain_s, cleanup_s: Photon's budgets for requests, when it stops.
        tasks_s: those of the application's tasks, which come after the requests.
        idle_s, handler_s: time-outs, which a proxy in front must agree with.
        body_bytes: of a request, at most.
        context: the project's folder, as seen from where the files are written.
    """

    target: str
    name: str
    folder: str
    host: str
    port: int
    uds: str
    workers: str
    health: str
    control: str = ""
    drain_s: float
    cleanup_s: float
    tasks_s: float
    idle_s: float
    handler_s: float
    body_bytes: int
    factory: bool = False
    socket_activation: bool = False
    context: str = "."
    folder_of_files: str = "."

    @property
    def stop_s(self) -> int:
        """Until nothing of it runs any more, once it was told to stop; whole seconds."""
        return math.ceil(self.drain_s + self.cleanup_s + self.tasks_s) + MARGIN_S

    @property
    def health_port(self) -> int:
        """The port alone."""
        return int(self.health.rpartition(":")[2])

    @property
    def flags(self) -> list[str]:
        """What `photon run` is given beside where to listen."""
        flags = ["--factory"] if self.factory else []
        flags += ["--workers", self.workers, "--health-port", self.health]
        if self.control:
            flags += ["--control", self.control]
        known = Timeouts(), Limits()
        for flag, value, default in (
            ("--timeout-drain", self.drain_s, known[0].drain_s),
            ("--timeout-cleanup", self.cleanup_s, known[0].cleanup_s),
            ("--timeout-idle", self.idle_s, known[0].idle_s),
            ("--timeout-handler", self.handler_s, known[0].handler_s),
        ):
            if value != default:
                flags += [flag, write_duration(value)]
        if self.body_bytes != known[1].body_bytes:
            flags += ["--limit-body-bytes", write_size(self.body_bytes)]
        return flags

    @property
    def size(self) -> str:
        """`body_bytes` as nginx writes it: a number with k or m, which are binary there."""
        for unit, factor in (("m", 1024**2), ("k", 1024)):
            if self.body_bytes % factor == 0:
                return f"{self.body_bytes // factor}{unit}"
        return str(self.body_bytes)

    @property
    def values(self) -> dict[str, object]:
        """The names in the templates."""
        return {
            **asdict(self),
            # Such as 30 and 0.5, and not 30.0.
            **{
                field: f"{getattr(self, field):g}"
                for field in self.__struct_fields__
                if field.endswith("_s")
            },
            "stop_s": self.stop_s,
            "margin_s": MARGIN_S,
            "flags": self.flags,
            "health_port": self.health_port,
            "size": self.size,
            "variable": self.name.replace("-", "_"),
            # nginx ends idle connections first, and waits for an answer longer than Photon does.
            "keepalive_s": max(1, math.floor(min(60, self.idle_s * 0.8))),
            "read_s": max(60, math.ceil(self.handler_s) + MARGIN_S),
            "module": self.target.partition(":")[0],
            "python": f"{sys.version_info.major}.{sys.version_info.minor}",
            "workers_known": int(self.workers) if self.workers.isdecimal() else 1,
        }


def name_for(target: str, folder: Path) -> str:
    """What to call an application that nobody named: its package, or else its folder."""
    package = target.partition(":")[0].partition(".")[0]
    for text in (package, folder.resolve().name):
        name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:32].strip("-")
        if name not in _NAMELESS and _NAME.fullmatch(name):
            return name
    return "photon-app"


def checked_name(name: str) -> str:
    """Raises: click.BadParameter."""
    if _NAME.fullmatch(name):
        return name
    raise click.BadParameter(
        f"{name!r}: a name has up to 32 characters of a-z, 0-9 and '-', and begins with a letter: "
        "it becomes the name of a user, a unit, an image."
    )


def checked_plain(text: str) -> str:
    """A path or host that needs no quotes in any of the files.   Raises: click.BadParameter."""
    if not text or _PLAIN.fullmatch(text):
        return text
    raise click.BadParameter(
        f"{text!r}: letters, digits and _ . : / @ + - [ ] can stand in all of the files as they are"
    )


class DeployedWorkers(click.ParamType[str]):
    """What `photon run --workers` takes, which is not counted here: that is another machine."""

    name = "N|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip().lower()
        is_number = text.isascii() and text.isdecimal()
        if text in ("", "auto") or (is_number and 1 <= int(text) <= MOST_WORKERS):
            return text
        why = f"{value!r}: a number from 1 to {MOST_WORKERS}, or auto for one a core"
        self.fail(why, param, ctx)


def health_of(text: str, *, for_all: bool) -> str:
    """Where health is told.

    Args: text: [HOST:]PORT; for_all: not to this machine alone, where it names no host.
    Raises: click.BadParameter.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and 1 <= int(port) <= 65535):
        raise click.BadParameter(f"--health-port {text!r}: it is written 8081, or 0.0.0.0:8081")
    if not host:
        return f"0.0.0.0:{port}" if for_all else port
    return checked_plain(text)
