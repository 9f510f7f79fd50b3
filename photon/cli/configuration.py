"""Settings that are no flags: of a settings file, `.env` and the environment.

    defaults < photon.toml or [tool.photon] < .env < environment < flags

click knows all of these but the files: what a settings file says becomes its `default_map`, and
what `.env` says becomes part of the environment. So whoever asks click where a value is from
(`ctx.get_parameter_source`) is told, and `photon.cli.origins` says it in words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from photon.cli.dotenv import (
    EnvFile,
    find_env_file,
    load_env_file,
    return_inherited,
    take_inherited,
)
from photon.cli.exits import CommandError, ExitCode
from photon.cli.keys import checked, fitting, key_at, keys_of, nearest
from photon.cli.settings_file import (
    SettingsFile,
    find_settings_file,
    folders_for,
    read_settings_file,
)
from photon.cli.toml_lines import leaves_of
from photon.cli.variables import unknown_variables, variables_of

_META = "photon.cli.configuration"
_MOST_FAULTS = 10


class Configuration:
    """What was read for a command.

    Attributes:
        file, env_file: None when there is none.
        paths: where in the file the value of a parameter stands, by the parameter's name.
        notes: sentences that whoever runs the command should see.
    """

    def __init__(self) -> None:
        self.file: SettingsFile | None = None
        self.env_file: EnvFile | None = None
        self.paths: dict[str, tuple[str, ...]] = {}
        self.notes: list[str] = []


def configuration_of(ctx: click.Context) -> Configuration:
    """What was read for the command of a context."""
    found: Configuration = ctx.meta.get(_META) or Configuration()
    return found


def configure(ctx: click.Context, given: Mapping[str, Any]) -> None:
    """Read the files, and have click take what they say where nothing else is said.

    Args: given: what stands on the command line, by parameter, unread.
    Raises: CommandError (USAGE).
    """
    configuration = ctx.meta[_META] = Configuration()
    inherited = take_inherited()
    folders = folders_for(_start(given))
    configuration.env_file = _env_file(given, folders, inherited)
    path = given.get("config") or os.environ.get("PHOTON_CONFIG")
    if path:
        configuration.file = read_settings_file(Path(path).absolute())
    else:
        configuration.file, note = find_settings_file(folders)
        configuration.notes += [note] if note else []
    if configuration.file is not None:
        ctx.default_map = {**(ctx.default_map or {}), **_Reading(ctx, configuration).values()}
    configuration.notes += unknown_variables(
        variables_of(ctx.command.params),
        lambda: variables_of(p for command in _commands() for p in command.params),
    )


def _start(given: Mapping[str, Any]) -> Path:
    path = Path(given.get("app_dir") or os.environ.get("PHOTON_APP_DIR") or ".")
    return path if path.is_dir() else Path(".")  # the flag's own check tells what is wrong


def _env_file(given: Mapping[str, Any], folders: list[Path], inherited: Any) -> EnvFile | None:
    if given.get("no_env_file") or _is_on("PHOTON_NO_ENV_FILE"):
        path = None
    else:
        named = given.get("env_file") or os.environ.get("PHOTON_ENV_FILE")
        path = Path(named) if named else find_env_file(folders)
    return_inherited(inherited, path)
    return load_env_file(path) if path is not None else None


def _is_on(variable: str) -> bool:
    """Whether a variable of the environment is one of click's words for yes."""
    try:
        return bool(click.BOOL.convert(os.environ.get(variable) or "0", None, None))
    except click.BadParameter:
        return False  # the flag's own check tells what is wrong


def place_application(ctx: click.Context) -> None:
    """Have modules of an application that a file names be looked for beside that file."""
    file = configuration_of(ctx).file
    if file is None or file.folder == Path.cwd():
        return
    default = click.core.ParameterSource.DEFAULT
    is_of_file = ctx.get_parameter_source("app") is click.core.ParameterSource.DEFAULT_MAP
    if is_of_file and ctx.get_parameter_source("app_dir") is default:
        ctx.params["app_dir"] = str(file.folder)


# What a file says...


class _Reading:
    """One reading of a file for a command: each key is a setting of some command, or a fault."""

    def __init__(self, ctx: click.Context, configuration: Configuration) -> None:
        assert configuration.file is not None
        self._ctx = ctx
        self._file = configuration.file
        self._paths = configuration.paths
        self._shared = keys_of(ctx.command, own=False)
        self._faults: list[str] = []

    def values(self) -> dict[str, Any]:
        """For `default_map`, by the parameter's name.   Raises: CommandError (USAGE)."""
        sections = command_names()
        shared: dict[str, Any] = {}
        own: dict[str, Any] = {}
        table = self._file.table
        for path, value in leaves_of(table):
            if path[0] in sections and isinstance(table[path[0]], Mapping):
                self._read_section(path, value, own)
            else:
                self._read_shared(path, value, shared)
        self._tell_faults()
        return {**shared, **own}

    def _read_shared(self, path: tuple[str, ...], value: Any, values: dict[str, Any]) -> None:
        if self._read(path, path, value, self._shared, values):
            return
        others = [keys_of(command, own=False) for command in _commands()]
        if not any(self._read(path, path, value, keys, None) for keys in others):
            self._tell_unknown(path, path, {key for keys in others for key in keys})

    def _read_section(self, path: tuple[str, ...], value: Any, values: dict[str, Any]) -> None:
        command, inside = _command_at(path)
        # The function tells: who asks for the settings of a command has a copy of it.
        is_ours = command is not None and command.callback is self._ctx.command.callback
        if command is None:
            self._fault(path, f"no command photon {' '.join(path)}")
        elif inside:
            keys = keys_of(command, own=True)
            if not self._read(path, inside, value, keys, values if is_ours else None):
                self._tell_unknown(path, inside, keys)
        elif value:
            self._fault(path, "a section is a table")

    def _read(
        self,
        path: tuple[str, ...],
        inside: tuple[str, ...],
        value: Any,
        keys: Mapping[str, click.Parameter],
        values: dict[str, Any] | None,
    ) -> bool:
        """Whether a key is one of these; then its value is taken, or a fault is.

        Args: values: where it is put; None for that of another command, which is only looked at.
        """
        parameter = keys.get(key_at(inside))
        if parameter is None:
            above = [n for n in range(1, len(inside)) if key_at(inside[:n]) in keys]
            if not above:
                # A section in which nothing stands.
                return value == {} and any(key.startswith(f"{key_at(inside)}-") for key in keys)
            cut = len(inside) - above[-1]
            path, inside, value = path[:-cut], inside[:-cut], {}
            parameter = keys[key_at(inside)]
        try:
            fit = fitting(parameter, value, self._file.folder)
            checked(self._ctx, parameter, fit, here=values is not None)
        except ValueError as error:
            self._fault(path, f"{_written(path, value)}: {error}")
            return True
        name = parameter.name or ""
        if values is None:
            return True
        if name in values:
            also = self._file.line(self._paths[name])
            self._fault(path, f"{'.'.join(path)} is set already, in line {also}")
        values[name] = fit
        self._paths[name] = path
        return True

    def _tell_unknown(self, path: tuple[str, ...], inside: tuple[str, ...], known: Any) -> None:
        key = key_at(inside)
        owners = [name for name, its in every_command() if key in keys_of(its, own=True)]
        is_section = path != inside
        if owners:
            where = " or ".join(f"[{name}]" for name in owners)
            but = f", and not of [{path[0]}]" if is_section else " alone"
            what = f"{key} is a setting of {where}{but}"
        else:
            sections = () if is_section else command_names()
            what = f"there is {nearest(inside, known, sections)}"
            what = f"[{path[0]}]: {what}" if is_section else what
        self._fault(path, what)

    def _fault(self, path: tuple[str, ...], what: str) -> None:
        text = f"{self._file.place(path)}: {what}"
        if text not in self._faults:
            self._faults.append(text)

    def _tell_faults(self) -> None:
        if not self._faults:
            return
        first, *more = self._faults
        if len(more) >= _MOST_FAULTS:
            more[_MOST_FAULTS:] = [f"and {len(more) - _MOST_FAULTS} more"]
        raise CommandError(first, hint="\n".join(more), exit_code=ExitCode.USAGE)


def _written(path: tuple[str, ...], value: Any) -> str:
    """A key and its value as a file has them."""
    texts = {True: "true", False: "false"}
    text = texts[value] if isinstance(value, bool) else repr(value)
    if isinstance(value, str):
        text = f'"{value}"'
    elif value == {}:
        return f"[{'.'.join(path)}]"
    return f"{'.'.join(path)} = {text if len(text) <= 40 else text[:39] + '…'}"


# All commands...


def command_names() -> list[str]:
    from photon.cli.main import cli

    return cli.list_commands(click.Context(cli))


def _commands() -> Iterator[click.Command]:
    for _, command in every_command():
        yield command


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Each command that does something, imported as it is asked for."""
    from photon.cli.main import cli

    yield from _inside(cli, "")


def _inside(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from _inside(command, f"{prefix}{name}.")
        elif command is not None:
            yield f"{prefix}{name}", command


def _command_at(path: tuple[str, ...]) -> tuple[click.Command | None, tuple[str, ...]]:
    """The command whose section a path begins with, and the rest of the path."""
    from photon.cli.main import cli

    command: click.Command | None = cli
    inside = path
    while isinstance(command, click.Group) and inside:
        command = command.get_command(click.Context(command), inside[0])
        inside = inside[1:]
    return command, inside
