"""`photon tasks`: what an application does beside answering, and when it is due next."""

from __future__ import annotations

from typing import Any

import click

from photon.cli.importer import full_name
from photon.cli.loading import application_options, loaded, unfit
from photon.cli.options import SectionedCommand, SectionOption
from photon.cli.paper import columns_there, say

_WHAT = "What to show"


@click.command(
    cls=SectionedCommand,
    short_help="List the tasks of an application, and what is due next.",
    epilog="""\b
Examples:
  photon tasks app:app
  photon tasks app:app --next 10
  photon tasks app:app --json | jq '.parts[].scheduled[].name'
""",
)
@application_options
@click.option(
    "--next",
    "count",
    cls=SectionOption,
    section=_WHAT,
    type=click.IntRange(1, 1000),
    metavar="COUNT",
    help="the next runs of all cron tasks, one line each",
)
@click.option(
    "--json",
    "as_json",
    cls=SectionOption,
    section=_WHAT,
    is_flag=True,
    help="everything that is known of each task, as one JSON document",
)
@click.pass_context
def tasks(
    ctx: click.Context,
    /,
    app: str | None,
    app_dir: str,
    factory: bool,
    count: int | None,
    as_json: bool,
) -> None:
    """List the tasks of an application, and what is due next.

    The application is imported and not started, so nothing of it runs. When its periods begin is
    known only then; cron tasks are due by the clock.
    """
    if count and as_json:
        raise click.UsageError("--next is for people and --json for programs: take one.", ctx)
    application = loaded(ctx, app, app_dir, factory)
    name = full_name(app or "")
    from photon.cli.survey import is_open

    if not is_open(application):
        raise unfit(
            name,
            "is a plain function, which has no tasks",
            "Tasks are of a Photon object: @app.every(30), @app.cron('@daily'), @app.task.",
        )
    _show(application, name, count, as_json)


def _show(application: Any, name: str, count: int | None, as_json: bool) -> None:
    from photon.cli.task_list import document, table, upcoming
    from photon.runtime.clock import wall

    if as_json:
        from photon.cli.route_json import as_bytes

        click.echo(as_bytes(document(application, name, wall())))
    elif count:
        say(upcoming(application, wall(), count))
    else:
        say(table(application, wall(), columns_there()))
