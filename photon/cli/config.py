"""`photon config`: each setting of a command, its value, and where that is from."""

from __future__ import annotations

from typing import Any

import click

from photon.cli.configuration import Configuration, configuration_of
from photon.cli.dotenv import shown
from photon.cli.options import SectionedCommand, SectionOption
from photon.cli.paper import bold, dim, has_colours, printable, say, widths_of
from photon.cli.resolved import Setting, context_for, settings_in

_WHAT = "What to show"
_WIDEST = 40  # a long value takes more in its own line alone


@click.command(
    cls=SectionedCommand,
    has_settings=False,
    context_settings={"ignore_unknown_options": True},
    short_help="Show each setting, and where its value is from.",
    epilog="""\b
Examples:
  photon config
  photon config --port 9000 --workers 4    as photon run would take it
  photon config --for worker
  photon config | grep -v default
  photon config --json | jq '.settings[] | select(.origin.kind != "default")'

A flag wins over the environment, that over .env, that over photon.toml or [tool.photon] of
pyproject.toml, and that over the default.
""",
)
@click.option(
    "--for",
    "command",
    cls=SectionOption,
    section=_WHAT,
    default="run",
    metavar="COMMAND",
    help="whose settings  [run]",
)
@click.option(
    "--json",
    "as_json",
    cls=SectionOption,
    section=_WHAT,
    is_flag=True,
    help="all of it as one JSON document",
)
@click.argument(
    "arguments", nargs=-1, type=click.UNPROCESSED, metavar="[MODULE[:ATTRIBUTE]] [FLAG]..."
)
@click.pass_context
def config(ctx: click.Context, /, command: str, as_json: bool, arguments: tuple[str, ...]) -> None:
    """Show each setting of `photon run`, its value, and where that is from.

    All flags of the command may be given, and are taken as it would take them. Nothing is imported
    and nothing is started. Passwords, keys and tokens are not shown.
    """
    context = context_for(ctx, command, arguments)
    configuration = configuration_of(context)
    if as_json:
        from photon.cli.route_json import as_bytes

        click.echo(as_bytes(_document(command, context, configuration)))
    else:
        say(_lines(command, context, configuration))


def _document(command: str, ctx: click.Context, configuration: Configuration) -> dict[str, Any]:
    return {
        "command": command,
        "files": [str(path) for path in _files(configuration)],
        "settings": [
            {"name": each.name, "value": each.value, "origin": each.origin._asdict()}
            for each in settings_in(ctx)
        ],
        "notes": configuration.notes,
    }


def _files(configuration: Configuration) -> list[str]:
    files = [configuration.file and configuration.file.path]
    files.append(configuration.env_file and configuration.env_file.path)
    return [shown(path) for path in files if path]


def _lines(command: str, ctx: click.Context, configuration: Configuration) -> list[str]:
    """In a pipe, a line for each setting and nothing else."""
    settings = settings_in(ctx)
    lines = table(settings, in_sections=has_colours())
    if has_colours():
        files = " and ".join(_files(configuration)) or "no file"
        lines = [f"Settings of {bold(f'photon {command}')}, of {files}", "", *lines]
    return [*lines, *([""] if configuration.notes else []), *map(_note, configuration.notes)]


def table(settings: list[Setting], *, in_sections: bool) -> list[str]:
    """Names, values and origins as lines; what is no default stands out."""
    rows = {
        each.name: (each.name, printable(each.text), printable(each.origin.text))
        for each in settings
    }
    widths = widths_of(list(rows.values()))
    groups: dict[str, list[Setting]] = {"": []}
    for each in settings:
        groups.setdefault(each.section if in_sections else "", []).append(each)
    lines: list[str] = []
    for section, members in groups.items():
        lines += ["", dim(section)] if section else []
        for each in members:
            name, value, origin = rows[each.name]
            line = f"{name:<{widths[0]}}  {value:<{min(widths[1], _WIDEST)}}  {origin}"
            lines.append(dim(line) if each.origin.kind == "default" else bold(line))
    return lines


def _note(note: str) -> str:
    return f"Note: {printable(note)}"
