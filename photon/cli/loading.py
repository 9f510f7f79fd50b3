"""What the commands for an application have in common: how it is named and loaded."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import click

from photon.cli.exits import CommandError, ExitCode
from photon.cli.importer import full_name, load_application
from photon.cli.options import setting, together
from photon.http.application import Application

_WHICH = "Which application"
# What makes an application in a module, at its top level.
_MADE = re.compile(r"^(\w+)\s*(?::[^=\n]+)?=\s*(?:photon\.)?Photon\(", re.MULTILINE)
_MOST_FILES = 200

application_options = together(
    click.argument("app", envvar="PHOTON_APP", metavar="MODULE[:ATTRIBUTE]", required=False),
    setting(
        "--app-dir",
        section=_WHICH,
        type=click.Path(exists=True, file_okay=False),
        default=".",
        metavar="FOLDER",
        help="where modules are looked for first  [the current folder]",
    ),
    setting(
        "--factory",
        section=_WHICH,
        is_flag=True,
        help="the attribute is a function that makes the application",
    ),
)
"""Adds the argument `app`, which may be None, and the flags that say how it is loaded."""


def named(ctx: click.Context, app: str | None, app_dir: str) -> str:
    """The application that was named.

    Raises: click.UsageError, when none was: it tells those that are there.
    """
    if not app:
        raise click.UsageError(_none_named(ctx.command_path, Path(app_dir)), ctx)
    return app


def load(app: str, app_dir: str, factory: bool) -> Application:
    """The application of that name; nothing of it is started.

    Raises: CommandError (NOT_LOADED); SystemExit (INTERRUPTED).
    """
    try:
        return load_application(app, app_dir=app_dir, factory=factory)
    except KeyboardInterrupt:
        raise SystemExit(ExitCode.INTERRUPTED) from None


def loaded(ctx: click.Context, app: str | None, app_dir: str, factory: bool) -> Application:
    """The application, for a command whose standard output is read.

    Raises: CommandError (NOT_LOADED); click.UsageError, when none was named.
    """
    name = named(ctx, app, app_dir)
    # What it prints while it is imported shall not stand in what a program reads from us.
    with redirect_stdout(sys.stderr):
        return load(name, app_dir, factory)


def unfit(app: str, message: str, hint: str = "") -> CommandError:
    """The error about an application that a command cannot do anything with."""
    return CommandError(f"{full_name(app)} {message}", hint=hint, exit_code=ExitCode.NOT_LOADED)


def _none_named(command: str, folder: Path) -> str:
    there = list(_applications_in(folder))
    example = there[0] if there else "app:app"
    others = f"\nThere are: {', '.join(there[:10])}" if len(there) > 1 else ""
    return (
        f"Which application? Name it: {command} {example}\n"
        f"The environment variable PHOTON_APP names it, too, or app = {example!r} in "
        f"photon.toml.{others}"
    )


def _applications_in(folder: Path) -> Iterator[str]:
    """What looks like an application in the modules of a folder, which are not imported."""
    for path in sorted(folder.glob("*.py"))[:_MOST_FILES]:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        for name in _MADE.findall(text):
            yield f"{path.stem}:{name}"
