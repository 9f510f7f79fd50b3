"""Where the value of a setting is from, in words and as data."""

from __future__ import annotations

import os
from typing import NamedTuple

import click
from click.core import ParameterSource

from photon.cli.configuration import configuration_of
from photon.cli.dotenv import shown


class Origin(NamedTuple):
    """Where a value is from.

    Attributes:
        kind: "default", "file", ".env", "environment" or "flag".
        text: for people, such as "photon.toml:12".
        file, line: of a settings file or .env.
        variable: of .env or the environment.
    """

    kind: str
    text: str
    file: str | None = None
    line: int | None = None
    variable: str | None = None


def origin_of(ctx: click.Context, parameter: click.Parameter) -> Origin:
    """Where the value of a parameter is from."""
    name = parameter.name or ""
    source = ctx.get_parameter_source(name)
    if source is ParameterSource.COMMANDLINE:
        return Origin("flag", "flag" if isinstance(parameter, click.Option) else "argument")
    if source is ParameterSource.ENVIRONMENT:
        return _of_variable(ctx, parameter)
    if source is ParameterSource.DEFAULT_MAP:
        return _of_file(ctx, name)
    return Origin("default", "default")


def _of_variable(ctx: click.Context, parameter: click.Parameter) -> Origin:
    names = parameter.envvar or ()
    names = (names,) if isinstance(names, str) else names
    variable = next((name for name in names if os.environ.get(name)), "")
    env_file = configuration_of(ctx).env_file
    if env_file is not None and variable in env_file.lines:
        file, line = shown(env_file.path), env_file.lines[variable]
        return Origin(".env", f"{file}:{line} {variable}", file, line, variable)
    return Origin("environment", f"environment {variable}", variable=variable)


def _of_file(ctx: click.Context, name: str) -> Origin:
    configuration = configuration_of(ctx)
    path = configuration.paths.get(name)
    if configuration.file is None or path is None:
        return Origin("default", "default")
    file = configuration.file
    return Origin("file", file.place(path), shown(file.path), file.line(path))


def located(error: click.BadParameter) -> click.BadParameter:
    """An error about a value, with the place it is from in place of the flag's name."""
    ctx, parameter = error.ctx, error.param
    if ctx is not None and parameter is not None and parameter.name is not None:
        origin = origin_of(ctx, parameter)
        if origin.kind == "environment":
            error.param_hint = f"'{origin.variable}' of the environment"
        elif origin.kind == ".env":
            error.param_hint = f"'{origin.variable}' of {origin.file}:{origin.line}"
        elif origin.kind == "file":
            error.param_hint = f"'{parameter.name}' of {origin.text}"
    return error
