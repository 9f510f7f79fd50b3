"""Flags that people bring along from other servers: each is answered with what there is here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

C = TypeVar("C", bound=Callable[..., Any])


def foreign_flags(command: C) -> C:
    """Adds them to a command, out of sight of its help; who uses one is told (exit code 2)."""
    for flags, way_out, takes_value in (
        (("--bind", "-b"), "use --host and --port, or --uds, or --fd", True),
        (("--reload",), "photon dev starts anew when a file changes", False),
    ):
        option = click.option(
            *flags,
            hidden=True,
            expose_value=False,
            is_eager=True,  # before the application is missed
            is_flag=not takes_value,
            callback=_refusing(flags[0], way_out),
        )
        command = option(command)
    return command


def _refusing(flag: str, way_out: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def refuse(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value:
            raise click.UsageError(f"There is no {flag} here: {way_out}.", ctx)

    return refuse
