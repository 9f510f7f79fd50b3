"""`photon run`: serve an application, in this process or in several."""

from __future__ import annotations

import os
from typing import Any

import click

from photon.cli.loading import named
from photon.cli.options import SectionedCommand
from photon.cli.serving_options import plan_of, serving_options
from photon.runtime.workers.settings import TRIAL


@click.command(
    cls=SectionedCommand,
    short_help="Serve an application.",
    epilog="Each flag is an environment variable too: --timeout-idle is PHOTON_TIMEOUT_IDLE. "
    "SIGTERM or Ctrl+C stops: requests in progress are answered first. A second one cuts that "
    "short, a third ends at once. With --workers, SIGHUP takes new code one worker at a time, and "
    "SIGUSR2 a new Photon.",
)
@serving_options
@click.pass_context
def run(ctx: click.Context, /, app: str | None, **options: Any) -> None:
    """Serve an application.

    `photon run app:app` serves the object `app` of app.py; `photon run app` does, too.
    """
    plan = plan_of(ctx, named(ctx, app, options["app_dir"]), options)
    if TRIAL in os.environ:
        from photon.cli.supervising import try_out

        try_out(plan)
    elif plan.workers is None:
        from photon.cli.serving import serve_alone

        serve_alone(plan)
    else:
        from photon.cli.supervising import supervise

        supervise(plan)
