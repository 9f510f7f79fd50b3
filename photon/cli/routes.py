"""`photon routes`: what an application answers, and why a request comes where it does."""

from __future__ import annotations

from typing import Any

import click

from photon.cli.exits import ExitCode
from photon.cli.importer import full_name
from photon.cli.loading import application_options, loaded, unfit
from photon.cli.options import SectionedCommand, SectionOption
from photon.cli.paper import columns_there, has_colours, say

_WHAT = "What to show"


@click.command(
    cls=SectionedCommand,
    short_help="List the routes of an application, or explain one request.",
    epilog="""\b
Examples:
  photon routes app:app
  photon routes app:app --explain GET /items/7
  photon routes app:app --explain GET https://api.example.com/items
  photon routes app:app --json | jq '.parts[].routes[].path'

In a pipe each route has one line, for grep.
""",
)
@application_options
@click.option(
    "--explain",
    cls=SectionOption,
    section=_WHAT,
    nargs=2,
    metavar="METHOD PATH",
    help="which route answers that request, why, and where each argument of its handler comes "
    "from; exit code 1 when nothing does",
)
@click.option(
    "--header",
    "headers",
    cls=SectionOption,
    section=_WHAT,
    multiple=True,
    metavar="'NAME: VALUE'",
    help="of the request to explain, where hosts or versions are told by it",
)
@click.option(
    "--json",
    "as_json",
    cls=SectionOption,
    section=_WHAT,
    is_flag=True,
    help="everything that is known of each route, as one JSON document",
)
@click.pass_context
def routes(
    ctx: click.Context,
    /,
    app: str | None,
    app_dir: str,
    factory: bool,
    explain: tuple[str, str] | None,
    headers: tuple[str, ...],
    as_json: bool,
) -> None:
    """List the routes of an application, or explain one request.

    The application is imported and not started: its lifespan does not run, and nothing is called.
    """
    if explain and as_json:
        raise click.UsageError("--explain is for people and --json for programs: take one.", ctx)
    if headers and not explain:
        raise click.UsageError("--header belongs to --explain METHOD PATH.", ctx)
    request = _request(ctx, explain, headers) if explain else None
    application = loaded(ctx, app, app_dir, factory)
    name = full_name(app or "")
    if request is not None:
        _explain(application, request)
    elif as_json:
        from photon.cli.route_json import as_bytes, document

        click.echo(as_bytes(document(application, name)))
    else:
        _list(application, name)


def _list(application: Any, name: str) -> None:
    from photon.cli.route_table import table
    from photon.cli.survey import is_open

    if not is_open(application):
        raise unfit(
            name,
            "is a plain function: it answers everything, and nobody knows how",
            "Routes are of a Photon object, or of Hosts and Versions.",
        )
    lines = table(application, columns_there())
    if has_colours():
        lines += ["", f"One request in detail:  photon routes {name} --explain GET /"]
    say(lines)


def _request(ctx: click.Context, explain: tuple[str, str], headers: tuple[str, ...]) -> Any:
    from photon.cli.tracing import make_request

    method, target = explain
    if method.startswith(("/", "http://", "https://")):
        raise click.UsageError(f"The method comes first: --explain {target.upper()} {method}", ctx)
    try:
        return make_request(method.upper(), target, [_header(each) for each in headers])
    except ValueError as error:
        raise click.UsageError(f"--explain: {error}", ctx) from None


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise ValueError(f"{text!r} is no header; write 'name: value'")
    return name.strip(), value.strip()


def _explain(application: Any, request: Any) -> None:
    from photon.cli.explained import explained
    from photon.cli.tracing import trace

    found = trace(application, request)
    say(explained(found, columns_there()))
    if found.outcome == "nothing":
        raise SystemExit(ExitCode.FAILURE)
