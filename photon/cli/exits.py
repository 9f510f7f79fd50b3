"""How a command ends: exit codes, and errors that name the way out."""

from __future__ import annotations

from enum import IntEnum
from typing import IO, Any

import click


class ExitCode(IntEnum):
    """What the process tells whoever started it.

    Precedents: gunicorn's WORKER_BOOT_ERROR 3 (uvicorn's STARTUP_FAILURE, too) and
    APP_LOAD_ERROR 4; click's 2; sysexits(3)'s EX_UNAVAILABLE 69; the shell's 128 + signal.
    """

    OK = 0
    """Also after SIGTERM or SIGINT, when the orderly end was reached."""
    FAILURE = 1
    """Something failed after the start: the application at its end, or Photon itself."""
    USAGE = 2
    """A flag, an argument or an environment variable is wrong."""
    NOT_STARTED = 3
    """The application was loaded but failed to start: its lifespan raised."""
    NOT_LOADED = 4
    """The application was not found, is none, or its module raised while it was imported."""
    CANNOT_LISTEN = 69
    """The address is in use, forbidden, or not of this machine."""
    INTERRUPTED = 130
    """Ctrl+C before the application was loaded."""


class CommandError(click.ClickException):
    """Ends the command with a sentence on stderr, and no traceback of ours.

    Args:
        message: what happened, to what.
        hint: the way out, lines of it; "" when the message says it.
        exit_code: for the parent process.
        traceback: the user's part of one, shown above the message.
    """

    def __init__(
        self, message: str, *, hint: str = "", exit_code: ExitCode, traceback: str = ""
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.code = exit_code
        self.traceback = traceback

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click reads it, and never writes
        return self.code

    def show(self, file: IO[Any] | None = None) -> None:
        if self.traceback:
            click.echo(self.traceback, file=file, err=True)
        click.secho("Error: ", fg="red", bold=True, nl=False, file=file, err=True)
        click.echo(self.message, file=file, err=True)
        for line in self.hint.splitlines():
            click.echo(f"  {line}", file=file, err=True)
