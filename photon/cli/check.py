"""`photon check`: whether an application can be served here, before it is."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from photon.cli.checks.finding import Finding, State, fail
from photon.cli.exits import CommandError, ExitCode
from photon.cli.options import SectionedCommand, SectionOption
from photon.cli.paper import bold, columns_there, dim, has_colours, printable, say

_HOW = "How to check"
_INDENT = 19
_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command(
    cls=SectionedCommand,
    has_settings=False,
    context_settings={"ignore_unknown_options": True},
    short_help="Look whether an application can be served here.",
    epilog="""\b
Examples:
  photon check app:app
  photon check app:app --start             its lifespan too: databases, caches
  photon check app:app --strict            in CI: warnings are failures
  photon check --workers 8 --port 80       as photon run would be started
""",
)
@click.option(
    "--start",
    cls=SectionOption,
    section=_HOW,
    is_flag=True,
    help="run the application's lifespan: start it and stop it",
)
@click.option(
    "--strict",
    cls=SectionOption,
    section=_HOW,
    is_flag=True,
    help="exit code 1 for warnings, too",
)
@click.option(
    "--json",
    "as_json",
    cls=SectionOption,
    section=_HOW,
    is_flag=True,
    help="all of it as one JSON document",
)
@click.argument(
    "arguments", nargs=-1, type=click.UNPROCESSED, metavar="[MODULE[:ATTRIBUTE]] [FLAG]..."
)
@click.pass_context
def check(
    ctx: click.Context, /, start: bool, strict: bool, as_json: bool, arguments: tuple[str, ...]
) -> None:
    """Look whether an application can be served here, and what would go wrong.

    All flags of `photon run` may be given, and are looked at. The application is imported in a
    process of its own, and not started without --start. Exit code 0 when nothing fails, else 1.
    """
    seen: list[Finding] = []
    for finding in _findings(ctx, arguments, start):
        seen.append(finding)
        if not as_json:
            say(_lines(finding))
    counts = Counter(finding.state for finding in seen)
    if as_json:
        from photon.cli.route_json import as_bytes

        click.echo(as_bytes({"findings": seen, "counts": dict(counts)}))
    else:
        say(["", _summary(counts)])
    if counts["fail"] or (strict and counts["warn"]):
        raise SystemExit(ExitCode.FAILURE)


def _findings(ctx: click.Context, arguments: tuple[str, ...], start: bool) -> Iterator[Finding]:
    from photon.cli.checks.interpreter import interpreter
    from photon.cli.checks.machine import user

    yield from interpreter()
    yield from user()
    try:
        settled, plan = _plan(ctx, arguments)
    except CommandError as error:
        yield fail("settings", error.message, error.hint)
    except click.UsageError as error:
        from photon.cli.checks.settings import service_link

        yield fail("settings", error.format_message(), service_link())
    else:
        yield from _about(settled, plan, start)


def _plan(ctx: click.Context, arguments: tuple[str, ...]) -> tuple[click.Context, Any]:
    from photon.cli.resolved import context_for
    from photon.cli.serving_options import plan_of

    settled = context_for(ctx, "run", arguments)
    options = dict(settled.params)
    return settled, plan_of(settled, options.pop("app") or "", options)


def _about(ctx: click.Context, plan: Any, start: bool) -> Iterator[Finding]:
    from photon.cli.checks import machine, network
    from photon.cli.checks.application import application, probe
    from photon.cli.checks.settings import settings
    from photon.cli.loading import named

    yield from settings(ctx)
    yield machine.descriptors(plan.settings.limits.connections)
    yield from machine.backlog(plan.settings.backlog)
    yield machine.cores(plan.workers)
    yield from network.names()
    yield from network.listening(plan.address)
    yield from network.certificates(plan.tls)
    held = 0
    if plan.app:
        seen = probe(plan.app, plan.app_dir, plan.factory, start=start)
        held = seen.memory_bytes
        yield from application(plan.app, seen)
    else:
        try:
            named(ctx, None, plan.app_dir)
        except click.UsageError as error:
            message, _, more = error.message.replace("photon run", "photon check").partition("\n")
            yield fail("application", message, more)
    yield from machine.memory(held, plan.workers or 1)


# Text...


def _lines(finding: Finding) -> list[str]:
    sign: str = f"{finding.state:<{_INDENT - 13}}"
    about = f"{finding.about:<13}"
    if has_colours():
        sign = click.style(sign, fg=_COLOURS[finding.state], bold=True)
    if finding.state != "ok":
        about = bold(about)
    first, *more = [*_wrapped(finding.saw), *_wrapped(finding.way_out)]
    lines = [f"{sign}{about}{first}", *(f"{' ' * _INDENT}{line}" for line in more)]
    return lines + [dim(f"{' ' * _INDENT}  {printable(line)}") for line in finding.details]


def _wrapped(text: str) -> list[str]:
    """Lines that the terminal has room for."""
    columns = columns_there()
    width = 10_000 if columns is None else max(columns - _INDENT, 30)
    return [
        part for line in text.splitlines() for part in textwrap.wrap(printable(line), width) or [""]
    ]


def _summary(counts: Counter[State]) -> str:
    if not counts["fail"] and not counts["warn"]:
        return f"All is well, {counts['ok']} things were looked at."
    words = [_counted(counts["fail"], "failure"), _counted(counts["warn"], "warning")]
    return ", ".join(filter(None, words)) + f"; {counts['ok']} of {sum(counts.values())} are well."


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s'[: count > 1]}" if count else ""
