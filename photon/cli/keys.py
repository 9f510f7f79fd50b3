"""Keys of a settings file: which flag of a command each one is, and whether its value fits.

Nothing is listed here: `--timeout-idle` is `timeout-idle`, or `idle` under `[timeout]`, because a
path of keys is the flag's name when a dash is put between them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from photon.cli.quantities import write_size
from photon.runtime.hints import meant

_PATHS = {"PATH", "FILE", "FOLDER"}
_MOST_NAMED = 10


def keys_of(command: click.Command, *, own: bool) -> dict[str, click.Parameter]:
    """The parameters that a file may set, by key.

    Args: own: those, too, that only the section of the command may set: what has no variable in
        the environment is a question put to a command, and no setting.
    """
    found: dict[str, click.Parameter] = {}
    for parameter in command.params:
        if _may_be_set(parameter) and (own or parameter.envvar):
            found[key_of(parameter)] = parameter
    for key, parameter in list(found.items()):
        if key.endswith("-bytes"):
            found.setdefault(key.removesuffix("-bytes"), parameter)
    return found


def key_of(parameter: click.Parameter) -> str:
    """The key of a parameter: its flag without the dashes in front."""
    flags = [flag for flag in parameter.opts if flag.startswith("--")]
    return flags[0].removeprefix("--") if flags else parameter.name or ""


def key_at(path: Iterable[str]) -> str:
    """The key that a path of keys is: kebab or snake, grouped or not."""
    return "-".join(part.replace("_", "-") for part in path)


def _may_be_set(parameter: click.Parameter) -> bool:
    # Not: files to be read, --help, and flags of other servers that are answered with ours.
    return parameter.expose_value and not getattr(parameter, "hidden", False)


def is_path(parameter: click.Parameter) -> bool:
    """Whether it is given the name of a file or folder."""
    return isinstance(parameter.type, (click.Path, click.File)) or parameter.metavar in _PATHS


# Values...


def fitting(parameter: click.Parameter, value: Any, folder: Path) -> Any:
    """A value of a file, as the flag would get it.

    Args: folder: what relative paths are relative to.
    Raises: ValueError, which says what belongs there.
    """
    if isinstance(parameter, click.Option) and parameter.is_flag:
        if not isinstance(value, bool):
            raise ValueError("it is true or false")
        return value
    if parameter.multiple:
        values = value if isinstance(value, list) else [value]
        return [_text(parameter, each, folder) for each in values]
    if parameter.nargs != 1:
        if not isinstance(value, list) or len(value) != parameter.nargs:
            raise ValueError(f"it is a list of {parameter.nargs} texts")
        return [_text(parameter, each, folder) for each in value]
    return _text(parameter, value, folder)


def _text(parameter: click.Parameter, value: Any, folder: Path) -> str:
    if isinstance(value, (list, Mapping)):
        what = "a list" if isinstance(value, list) else "a table"
        raise ValueError(f"it is {_kind(parameter)}, not {what}")
    if isinstance(value, str):
        return _beside(value, folder) if is_path(parameter) else value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or _is_text(parameter):
        raise ValueError(f"it is {_kind(parameter)}")
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _beside(name: str, folder: Path) -> str:
    """A path of the file, for who is in the current folder."""
    return name if folder == Path.cwd() else os.path.join(folder, name)


def _is_text(parameter: click.Parameter) -> bool:
    """Whether a number would be a mistake; a port is one, also where a host may stand before."""
    if parameter.metavar and "PORT" in parameter.metavar:
        return False
    texts = (click.types.StringParamType, click.Choice, click.Path, click.File)
    return isinstance(parameter.type, texts)


def _kind(parameter: click.Parameter) -> str:
    if is_path(parameter):
        return "the name of a file or folder"
    if isinstance(parameter.type, click.Choice):
        return f"one of {', '.join(map(str, parameter.type.choices))}"
    if _is_text(parameter):
        return "a text"
    if parameter.metavar == "SECONDS":
        return 'a number of seconds, or a text such as "500ms"'
    if parameter.metavar == "BYTES":
        return f'a number of bytes, or a text such as "{write_size(64 * 1024)}"'
    return "a number" if parameter.metavar in (None, "NUMBER") else f"{parameter.metavar}"


def checked(ctx: click.Context, parameter: click.Parameter, value: Any, *, here: bool) -> None:
    """Have the flag itself look at a fitting value.

    Args: here: whether it is used now; files that are not need not be there.
    Raises: ValueError.
    """
    if isinstance(parameter.type, (click.Path, click.File)) and not here:
        return
    try:
        parameter.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise ValueError(error.message.rstrip(".")) from None


# What there is not...


def nearest(path: tuple[str, ...], known: Iterable[str], sections: Iterable[str]) -> str:
    """What was meant by a path of keys that is no setting, as the rest of a sentence.

    Args: known: the keys that there are; sections: names of tables beside those of the keys.
    Returns: such as "no setting 'prot'; did you mean port?"
    """
    known = set(known)
    if len(path) == 1:
        return f"no setting {path[0]!r}" + _meant(path[0], known)
    group = f"{key_at(path[:-1])}-"
    inside = {key.removeprefix(group) for key in known if key.startswith(group)}
    if inside:
        return f"no setting {path[-1]!r} in [{'.'.join(path[:-1])}]" + _meant(path[-1], inside)
    groups = Counter(key.partition("-")[0] for key in known)
    tables = {*sections, *(name for name, keys in groups.items() if keys > 1)}
    return f"no section [{path[0]}]" + _meant(path[0], tables)


def _meant(name: str, known: Iterable[str]) -> str:
    known = set(known)
    hint = meant(name.replace("_", "-").lower(), known)
    is_long = "did you mean" not in hint and len(known) > _MOST_NAMED
    return "; `photon config` lists them all" if is_long else hint
