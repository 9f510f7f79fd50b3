"""How a command ends."""

from __future__ import annotations

import click
from click.testing import CliRunner

from photon.cli.exits import CommandError, ExitCode


@click.command()
def fail() -> None:
    raise CommandError(
        "no port is free",
        hint="Stop something.\nOr wait.",
        exit_code=ExitCode.CANNOT_LISTEN,
        traceback="Traceback of yours\n",
    )


def test_an_error_is_told_below_the_traceback_and_above_the_hint() -> None:
    result = CliRunner().invoke(fail)
    assert result.exit_code == 69
    assert result.stdout == ""
    assert result.stderr == (
        "Traceback of yours\n\nError: no port is free\n  Stop something.\n  Or wait.\n"
    )


def test_exit_codes_keep_their_precedents() -> None:
    # gunicorn's WORKER_BOOT_ERROR and APP_LOAD_ERROR, click's usage, EX_UNAVAILABLE, 128 + SIGINT.
    assert [code.value for code in ExitCode] == [0, 1, 2, 3, 4, 69, 130]
