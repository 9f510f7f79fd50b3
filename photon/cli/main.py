"""The command `photon`."""

from __future__ import annotations

import os
import platform
from difflib import get_close_matches
from importlib import import_module

import click

import photon
from photon.cli.importer import full_name

# Each is the object of that name in its module, which is imported when the command is used: to
# list routes takes none of what it takes to serve.
_COMMANDS = {
    "run": "photon.cli.run",
    "dev": "photon.cli.dev",
    "worker": "photon.cli.worker",
    "top": "photon.cli.top",
    "dump": "photon.cli.dump",
    "ctl": "photon.cli.ctl",
    "routes": "photon.cli.routes",
    "tasks": "photon.cli.tasks",
    "openapi": "photon.cli.openapi",
    "config": "photon.cli.config",
    "check": "photon.cli.check",
    "generate": "photon.cli.generate",
}


class Commands(click.Group):
    """Commands by name; an application in the place of a command is recognized."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(_COMMANDS[cmd_name]), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            meant = get_close_matches(name, _COMMANDS, n=1)
            if _is_application(name):
                meant = [f"run {full_name(name.removesuffix('.py'))}"]
            if meant:
                raise click.UsageError(
                    f"No such command {name!r}; did you mean: photon {meant[0]}?", ctx
                )
        return super().resolve_command(ctx, args)


def _is_application(name: str) -> bool:
    path = name.removesuffix(".py").replace(".", os.sep)
    is_module = os.path.isfile(f"{path}.py") or os.path.isfile(os.path.join(path, "__init__.py"))
    return ":" in name or is_module


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start here:  photon dev app:app   serves the object `app` of app.py.",
)
@click.version_option(
    photon.__version__,
    message=f"Photon {photon.__version__} on {platform.python_implementation()} "
    f"{platform.python_version()}",
)
def cli() -> None:
    """Photon serves plain Python functions over HTTP."""
