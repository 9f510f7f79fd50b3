"""The settings of a command as it would get them, each with its value and where that is from."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from photon.cli.keys import is_path, key_of, keys_of
from photon.cli.options import FieldType
from photon.cli.origins import Origin, origin_of
from photon.runtime.hints import meant
from photon.telemetry.debug_page.secrets import without_url_passwords

HIDDEN = "********"

_SECRET_WORDS = {"password", "passwd", "secret", "token", "key", "credentials", "dsn"}


class Setting(NamedTuple):
    """A setting. Attributes: value: as data; text: as people write it; neither tells a secret."""

    name: str
    section: str
    value: Any
    text: str
    origin: Origin


def context_for(ctx: click.Context, name: str, arguments: Sequence[str]) -> click.Context:
    """What the command of that name would get, of these arguments and all that is read.

    Args: name: such as "run"; arguments: those of the command, of which none is needed.
    Raises: click.UsageError; CommandError (USAGE).
    """
    from photon.cli.configuration import every_command

    commands = dict(every_command())
    if name not in commands:
        raise click.UsageError(f"There is no command {name!r}{meant(name, commands)}", ctx)
    command = copy.copy(commands[name])
    command.params = [_optional(parameter) for parameter in command.params]
    return command.make_context(name, list(arguments), parent=ctx.parent)


def settings_in(ctx: click.Context) -> list[Setting]:
    """The settings of a command that has its parameters, in the order of its help."""
    settable = {id(parameter) for parameter in keys_of(ctx.command, own=False).values()}
    return [_setting(ctx, each) for each in ctx.command.params if id(each) in settable]


def _optional(parameter: click.Parameter) -> click.Parameter:
    if isinstance(parameter, click.Argument) and parameter.required:
        parameter = copy.copy(parameter)
        parameter.required = False
    return parameter


def _setting(ctx: click.Context, parameter: click.Parameter) -> Setting:
    name = key_of(parameter)
    value = ctx.params.get(parameter.name or "")
    hide = is_secret(name) and not is_path(parameter)
    value = _safe(value, hide)
    section = getattr(parameter, "section", "")
    return Setting(name, section, value, _text(parameter, value), origin_of(ctx, parameter))


def _safe(value: Any, hide: bool) -> Any:
    if isinstance(value, tuple):
        return [_safe(each, hide) for each in value]
    if not isinstance(value, str) or not value:
        return value
    return HIDDEN if hide else without_url_passwords(value, HIDDEN)


def is_secret(name: str) -> bool:
    """Whether the value of a setting of that name is for nobody's eyes."""
    return not _SECRET_WORDS.isdisjoint(re.split(r"[-_.]", name.lower()))


def _text(parameter: click.Parameter, value: Any) -> str:
    if value in (None, "", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(parameter.type, FieldType):
        return parameter.type.written(value)
    return str(value)
